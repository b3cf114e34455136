"""Results are tied to what made them: weights, code, day; pages say where weights have changed since."""

import json
import sys
from argparse import Namespace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import claim  # noqa: E402
import common  # noqa: E402
import figures  # noqa: E402
import made  # noqa: E402
import refresh  # noqa: E402

NAMES = sorted(path.stem for path in made.RESULTS.glob("*.json") if path.stem != "figures")
RANDOM = ("maefuse_speed",)
"""Results of random weights under a method's name."""
REFRESH = "run: python benchmarks/refresh.py"


@pytest.mark.parametrize("name", NAMES)
def test_every_row_records_the_weights_it_was_made_with(name):
    for row in made.read(name)["rows"]:
        assert {"weights", "commit", "date"} <= row["made"].keys(), row
        named = {made.shipped_as(method)[0] for method in made.named_in(row)}
        assert name in RANDOM or named <= row["made"]["weights"].keys(), row


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("leaderboard", "preference", "choosing")])
def test_a_page_shows_its_results_and_says_which_rows_are_of_earlier_weights(name):
    tree = made.read(name)
    page = (common.TABLES / f"{name}.md").read_text()
    assert page == common.render(tree), REFRESH
    table = [line for line in page.split("\n") if line.startswith("| ")][2:]
    for row, line in zip(tree["rows"], table, strict=False):
        assert made.earlier(row) == (made.EARLIER in line), REFRESH


def test_the_leaderboard_and_the_claims_are_made_of_the_results():
    import claims
    import leaderboard

    assert (ROOT / "docs" / "leaderboard.md").read_text() == leaderboard.page(), REFRESH
    assert (ROOT / "docs" / "claims.md").read_text() == claims.page(), "run: python benchmarks/claims.py"


def test_the_page_of_preferences_is_made_of_the_rankings():
    import preference

    if rows := made.read("preference").get("rows"):
        said = preference.read(preference.FOLDER)
        assert (common.TABLES / "preference.md").read_text() == preference.page(said, rows), REFRESH


def test_the_page_of_what_tells_preference_is_made_of_its_result():
    import choosing

    assert (common.TABLES / "choosing.md").read_text() == choosing.page(made.read("choosing")), REFRESH


def test_a_figure_of_earlier_weights_says_so_where_it_is_shown():
    late = {row["figure"] for row in figures.due()}
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for found in figures.PICTURE.finditer(page.read_text()):
            assert found[0].endswith(figures.EARLIER) == (found[2] in late), f"{page}: {found[2]}; {REFRESH}"


def test_every_figure_that_is_recorded_is_there():
    assert all((common.FIGURES / name).is_file() for name in figures.DRAWN)


# ---------------------------------------------------------------------------------- measured again


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of results of its own, and two shipped weights."""
    shipped = {"net": ("net:default", "aaa"), "net:default": ("net:default", "aaa"), "net:tiny": ("net:tiny", "bbb")}
    monkeypatch.setattr(made, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "TABLES", tmp_path)
    monkeypatch.setattr(made, "shipped_as", shipped.get)
    monkeypatch.setattr(made, "code_of", lambda script, uses: CODE[0])
    monkeypatch.setattr(made, "commit", lambda: "0000000")
    monkeypatch.setitem(CODE, 0, "code 1")
    return shipped


CODE = {0: "code 1"}


def measured(*, all=False, weights=False, only=None) -> list[str]:
    """The methods that a script measures, rather than keep their rows."""
    done = []
    rows = common.Rows("x", Namespace(all=all, weights=weights, only=only))
    for name in ("net:default", "net:tiny", "plain"):
        rows.add({"method": name}, lambda name=name: done.append(name) or {"method": name, "Qw": 0.5}, [name])
    rows.write("X")
    assert [row["method"] for row in made.read("x")["rows"]] == ["net:default", "net:tiny", "plain"]
    return done


def test_only_rows_whose_weights_changed_are_measured_again(place):
    assert measured() == ["net:default", "net:tiny", "plain"]
    assert measured() == []
    place["net:tiny"] = ("net:tiny", "new")
    assert measured() == ["net:tiny"]
    assert made.read("x")["rows"][1]["made"]["weights"] == {"net:tiny": "new"}


def test_rows_of_other_code_are_measured_again_unless_only_weights_count(place):
    measured()
    CODE[0] = "code 2"
    assert measured(weights=True) == []
    assert measured() == ["net:default", "net:tiny", "plain"]


def test_all_measures_everything_and_only_leaves_the_others_as_they_are(place):
    measured()
    assert measured(all=True, only="net:tiny") == ["net:tiny"]
    assert measured(all=True) == ["net:default", "net:tiny", "plain"]


def test_what_was_measured_before_an_interruption_is_kept(place):
    measured()
    place["net:default"] = place["net:tiny"] = ("net:tiny", "new")
    rows = common.Rows("x", Namespace(all=False, weights=False, only=None))
    rows.add({"method": "net:default"}, lambda: {"method": "net:default", "Qw": 0.9}, ["net:default"])
    assert measured() == ["net:tiny"]
    assert made.read("x")["rows"][0]["Qw"] == 0.9


def test_a_row_kept_of_earlier_weights_says_so_on_its_page(place, tmp_path):
    measured()
    place["net:tiny"] = ("net:tiny", "new")
    page = common.render(made.read("x"))
    assert [made.EARLIER in line for line in page.split("\n") if line.startswith("| ")][2:] == [False, True, False]


def test_the_code_of_a_result_is_that_of_its_script_and_of_what_it_imports():
    assert made.code_of("quality") != made.code_of("attention")
    assert made.code_of("quality") == made.code_of("quality")
    assert "irvis.losses" in made._imports(made.HERE / "quality.py")


def test_the_refresh_begins_with_what_took_least_and_ends_with_what_was_never_timed(monkeypatch):
    def row(method, seconds):
        return {"method": method, "made": {"weights": {"encdec:default": "old"}, **seconds}}

    files = {"slow": [row("encdec", {"seconds": 90.0})], "new": [row("encdec", {})],
             "quick": [row("encdec", {"seconds": 2.0}), row("encdec:default", {"seconds": 3.0})]}  # fmt: skip
    monkeypatch.setattr(refresh, "names", lambda: list(files))
    monkeypatch.setattr(refresh, "read", lambda name: {"script": name, "rows": files[name]})
    monkeypatch.setattr(figures, "due", lambda: [])
    planned = refresh.plan()
    assert [(one.command, one.seconds) for one in planned] == [("quick.py", 5.0), ("slow.py", 90.0), ("new.py", None)]
    assert "quick.py" in refresh.told(planned[0])
    assert "5 s" in refresh.told(planned[0])


# -------------------------------------------------------------------------------------- the claims


def test_a_claim_from_earlier_weights_says_so():
    import claims

    old = claim.Read({"Qw": 0.5, "made": {"weights": {"encdec:default": "old"}}})
    new = claim.Read({"Qw": 0.5, "made": {"weights": {}}})
    for row, said in ((old, True), (new, False)):
        one = claim.Claim("better", "`x.py`", lambda row=row: f"{row['Qw']:.1f}", claim.said("held"))
        assert (made.EARLIER in claims.line(one)) == said


def test_a_verdict_that_the_results_cannot_bear_is_not_given():
    page = (ROOT / "docs" / "claims.md").read_text()
    verdicts = {line.split(" | ")[0][2:]: line.split(" | ")[-1] for line in page.split("\n") if line.startswith("| ")}

    def verdict(start: str) -> str:
        return next(said for text, said in verdicts.items() if text.startswith(start))

    open_ones = ("Separate encoders", "Two stages", "A pretrained encoder", "Figure 4: over-exposed")
    assert all("cannot be told" in verdict(text) for text in open_ones)
    new = ("Fewer weights", "A mean over 2×2", "…except where both images are alike", "Runs on a Jetson", "Real time",
           "A more general data set", "Serves detection")  # fmt: skip
    assert all("not tested here yet" in verdict(text) for text in new)
    assert "not measured yet" in verdict("Features serve")


def test_measures_that_disagree_leave_a_verdict_open(monkeypatch):
    import claims_maefuse as these

    rows = {f"maefuse-ablation-{name}": dict(zip(("SCD", "CC", "block pattern"), values, strict=True))
            for name, values in (("base", (0.6, 0.66, 8.7)), ("open", (0.9, 0.68, 11.3)))}  # fmt: skip
    monkeypatch.setattr(these, "GUIDED", rows)
    assert "cannot be told" in these.locked()
    rows["maefuse-ablation-open"] = {"SCD": 0.5, "CC": 0.6, "block pattern": 11.3}
    assert these.locked().startswith("held")


def test_maefuse_stands_on_the_leaderboard():
    import leaderboard

    assert "maefuse" in leaderboard.OURS


def test_a_results_file_is_plain_json():
    for name in NAMES:
        json.loads((made.RESULTS / f"{name}.json").read_text(), parse_constant=lambda word: pytest.fail(word))
