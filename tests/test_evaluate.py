"""Judging data sets: the numbers, what is said of them, and the pages."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from irvis import IrvisError, cli, io
from irvis.data.matching import match
from irvis.data.scene import scene
from irvis.evaluate import entries, evaluation, judging, statistics, strips
from irvis.metrics import measure

METRICS = ["EN", "SD", "MI", "Qabf", "Qw", "CE"]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small synthetic pairs, two of them in one folder, and images that "others" fused."""
    root = tmp_path_factory.mktemp("pairs")
    for number, name in enumerate(("night/a", "night/b", "day/c")):
        visible, infrared = scene(number, (48, 64)).tensors()
        io.write(root / "vi" / f"{name}.png", visible)
        io.write(root / "ir" / f"{name}.png", infrared)
        io.write(root / "theirs" / f"{Path(name).name}.png", (visible + infrared) / 2)
    return root


def plan(pairs: Path, out: Path, methods: tuple[str, ...] = ("max",), folders: tuple[str, ...] = ()) -> judging.Plan:
    return judging.Plan(entries=entries.gather(methods, folders), metrics=METRICS, profile="default", out=out)


def irvis(*words: object) -> int:
    """Run the command line in this process; returns the exit status."""
    try:
        cli.main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def matches(pairs: Path) -> list:
    return list(match(pairs / "vi", pairs / "ir").pairs)


def values(pairs: Path, out: Path, **asked: tuple[str, ...]) -> dict[str, dict[str, dict[str, float]]]:
    return {one.pair.name: one.values for one in judging.judge_all(matches(pairs), plan(pairs, out, **asked), 1)}


# ------------------------------------------------------------------------------------------ numbers


def test_a_value_is_what_measure_gives_for_the_eight_bit_image(pairs: Path, tmp_path: Path) -> None:
    judged = values(pairs, tmp_path)
    pair = io.read_pair(pairs / "vi/night/a.png", pairs / "ir/night/a.png")
    infrared = pair.infrared.expand_as(pair.visible)
    expected = measure(pair.visible, pair.visible, infrared, metrics=METRICS)
    assert judged["night/a"]["visible"] == {name: pytest.approx(float(value)) for name, value in expected.items()}


def test_images_of_others_are_judged_like_our_own(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "fused"
    assert irvis("fuse", pairs / "vi", pairs / "ir", "-o", out, "-m", "laplacian") == 0
    judged = values(pairs, tmp_path / "report", folders=(f"again={out}",))
    for one in judged.values():
        assert one["again"] == pytest.approx(one["laplacian"])


def test_controls_always_stand_there_once() -> None:
    names = [entry.name for entry in entries.gather(["laplacian", "max"], [])]
    assert names == ["max", "visible", "infrared", "average", "laplacian", "visible+noise", "stretched average"]


def test_a_second_run_computes_nothing(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = values(pairs, tmp_path)
    monkeypatch.setattr(judging, "measure", None)
    again = list(judging.judge_all(matches(pairs), plan(pairs, tmp_path), 1))
    assert all(one.kept for one in again)
    assert {one.pair.name: one.values for one in again} == first


def test_a_run_that_was_cut_short_goes_on(pairs: Path, tmp_path: Path) -> None:
    running = judging.judge_all(matches(pairs), plan(pairs, tmp_path), 1)
    next(running)
    running.close()
    kept = [one.kept for one in judging.judge_all(matches(pairs), plan(pairs, tmp_path), 1)]
    assert kept == [True, False, False]


def test_a_changed_file_is_judged_anew(pairs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    for name in "abc":
        io.write(folder / f"{name}.png", torch.full((1, 3, 48, 64), 0.5))
    before = values(pairs, tmp_path / "report", folders=(str(folder),))
    io.write(folder / "a.png", torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1)))
    after = values(pairs, tmp_path / "report", folders=(str(folder),))
    assert before["night/a"]["theirs"]["EN"] == 0 < 7 < after["night/a"]["theirs"]["EN"]
    assert before["day/c"] == after["day/c"]


def test_two_workers_find_the_same(pairs: Path, tmp_path: Path) -> None:
    alone = values(pairs, tmp_path / "one")
    together = judging.judge_all(matches(pairs), plan(pairs, tmp_path / "two"), 2)
    assert {one.pair.name: one.values for one in together} == alone


def test_nan_and_infinity_survive_the_files(tmp_path: Path) -> None:
    odd = {"EN": float("nan"), "SD": float("inf"), "MI": 1.5}
    judging._keep(tmp_path, "sub/pair", {"mine": judging.Kept("x", odd)})
    kept = judging._known(tmp_path, "sub/pair")["mine"].values
    assert [kept[name] for name in odd] == pytest.approx(list(odd.values()), nan_ok=True)


# --------------------------------------------------------------------------------------- statistics


def test_ranks_turn_with_the_metric_and_share_ties() -> None:
    means = np.array([[1.0, 1.0], [2.0, 1.0], [3.0, 5.0]])
    assert statistics.ranks(means, ["EN", "CE"]).tolist() == [[3, 1.5], [2, 1.5], [1, 3]]


def test_holm_is_the_textbook_example() -> None:
    # Holm 1979: p sorted, times n, n-1, …, never decreasing
    corrected = statistics.holm(np.array([0.01, 0.04, 0.03, np.nan, 0.005]))
    assert corrected == pytest.approx([0.03, 0.06, 0.06, np.nan, 0.02], nan_ok=True)


def test_intervals_hold_the_mean_and_shrink_with_pairs() -> None:
    random = np.random.default_rng(1)
    widths = []
    for count in (10, 160):
        sample = random.normal(5, 1, (count, 1, 1))
        low, high = statistics.intervals(sample, [str(n) for n in range(count)])
        assert low[0, 0] < sample.mean() < high[0, 0]
        widths.append(high[0, 0] - low[0, 0])
    assert widths[1] / widths[0] == pytest.approx(0.25, rel=0.5)


def test_pairs_of_one_scene_count_as_one_draw() -> None:
    random = np.random.default_rng(2)
    scenes = random.normal(size=(12, 1, 1))
    alone = statistics.intervals(scenes, [str(n) for n in range(12)])
    repeated = statistics.intervals(scenes.repeat(9, axis=0), [str(n // 9) for n in range(108)])
    assert np.ravel(repeated) == pytest.approx(np.ravel(alone), abs=0.02)


def test_one_scene_gives_no_interval() -> None:
    low, high = statistics.intervals(np.ones((3, 1, 1)), ["same"] * 3)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_a_clear_difference_is_told_apart_and_none_is_not() -> None:
    random = np.random.default_rng(3)
    base = random.normal(size=20)
    values = np.stack([base, base + 1 + 0.1 * random.normal(size=20), base + random.normal(size=20)], 1)[:, :, None]
    table = statistics.Table(
        pairs=[str(n) for n in range(20)], scenes=[str(n) for n in range(20)], entries=["a", "b", "c"],
        metrics=["CE"], values=values,
    )  # fmt: skip
    summary = statistics.summarise(table)
    assert summary.better[:, 0].tolist() == [0, -1, 0]  # CE: less is better, so b is worse
    assert np.isnan(summary.p[0, 0])


def test_a_metric_goes_along_with_itself_and_against_its_opposite() -> None:
    rows = np.random.default_rng(4).normal(size=(5, 6, 1))
    correlation = statistics.correlations(np.concatenate([rows, rows, -rows], 2), ["EN", "CE", "CE"])
    assert correlation == pytest.approx(np.array([[1, -1, 1], [-1, 1, -1], [1, -1, 1]]))


def test_gaps_are_left_out_and_counted() -> None:
    values = np.array([[[1.0], [np.nan]], [[3.0], [5.0]]])
    table = statistics.Table(pairs=["a", "b"], scenes=["a", "b"], entries=["x", "y"], metrics=["EN"], values=values)
    summary = statistics.summarise(table)
    assert summary.mean[:, 0].tolist() == [2, 5]
    assert summary.count[:, 0].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("190001", r"\d\d", "19"),
        ("set06/V000/I1", r"(.*)/", "set06/V000"),
        ("alone", r"(.*)/", "alone"),
        ("a", "", "a"),
    ],
)
def test_a_scene_is_what_the_pattern_finds(name: str, pattern: str, expected: str) -> None:
    assert evaluation.scene_of(name, pattern, name) == expected


def test_details_are_where_results_differ() -> None:
    images = [torch.zeros(1, 3, 60, 80), torch.zeros(1, 3, 60, 80)]
    images[1][..., 40:46, 60:70] = 1
    box = strips.differing(images, count=1)[0]
    assert box.left <= 60
    assert box.top <= 40
    assert box.right >= 70
    assert box.bottom >= 46


# -------------------------------------------------------------------------------------------- pages


def test_the_verb_writes_numbers_and_pages(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", pairs / "vi", pairs / "ir", "-m", "encdec:tiny", "--fused", pairs / "theirs"]
    assert irvis(*words, "-o", tmp_path, "--metrics", ",".join(METRICS), "--workers", 1) == 0
    assert "encdec:tiny" in capsys.readouterr().out
    with (tmp_path / "values.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 8
    assert {row["scene"] for row in rows} == {"night", "day"}
    tree = json.loads((tmp_path / "values.json").read_text())
    assert set(tree["mean_rank"]) == {row["method"] for row in rows}
    page = (tmp_path / "report.html").read_text()
    assert page.count("<tr") == 1 + 8
    assert "<!--" not in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    text = (tmp_path / "report.md").read_text()
    for figure in re.findall(r"\]\((figures/[^)]*)\)", text):
        assert io.is_complete(tmp_path / figure)


def test_frames_of_a_video_are_judged_for_flicker(pairs: Path, tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="optical flow needs the extra: pip install 'irvis[flow]'")
    words = ["evaluate", pairs / "vi", pairs / "ir", "-m", "max", "-o", tmp_path, "--metrics", "EN", "--workers", 1]
    assert irvis(*words, "--sequence", "--scene", "night|day") == 0
    gains = json.loads((tmp_path / "values.json").read_text())["flicker"]
    assert gains["visible"]["temporal gain"] <= 1 + 1e-9
    assert gains["visible+noise"]["warped difference"] > gains["average"]["warped difference"]
    assert "Flicker" in (tmp_path / "report.html").read_text()


def test_frames_without_a_sequence_are_refused(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", pairs / "vi", pairs / "ir", "-m", "max", "-o", tmp_path, "--metrics", "EN", "--workers", 1]
    assert irvis(*words, "--sequence", "--scene", ".*") == 1
    assert "scenes of two frames" in capsys.readouterr().err


def test_what_fails_is_listed_and_the_rest_is_judged(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "partial"
    io.write(folder / "a.png", torch.rand(1, 3, 48, 64))
    io.write(folder / "b.png", torch.rand(1, 3, 24, 32))
    words = ["evaluate", pairs / "vi", pairs / "ir", "--fused", folder, "-o", tmp_path / "out"]
    assert irvis(*words, "--metrics", "EN,Qw", "--workers", 1) == 1
    said = capsys.readouterr().err
    assert "is 32×24 and the pair is 64×48" in said
    assert "holds no image of day/c" in said
    assert "2 results are missing" in said
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-m", "nothing"], "there is no method 'nothing'"),
        (["--metrics", "EN,Foo"], "profile default has no metric Foo"),
        (["--profile", "other"], "there is no profile 'other'"),
        (["--fused", "/nowhere"], "/nowhere is no folder"),
        (["--metrics", "PaQ2PiQ"], "give --paq2piq FILE"),
        (["--fused", "same={theirs}", "--fused", "same={theirs}"], "same stands there twice"),
    ],
)
def test_a_wrong_word_is_one_clear_line(
    words: list[str], line: str, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [word.format(theirs=pairs / "theirs") for word in words]
    assert irvis("evaluate", pairs / "vi", pairs / "ir", "-o", tmp_path, *asked) == 1
    said = capsys.readouterr().err.strip()
    assert line in said
    assert "\n" not in said


def test_every_usual_metric_is_in_the_default_profile() -> None:
    assert judging.choose("usual", "default") == list(judging.USUAL)
    assert set(judging.choose("all", "vifb")) == set(judging.choose("usual", "vifb"))


def test_an_unknown_image_is_refused_not_guessed(tmp_path: Path) -> None:
    io.write(tmp_path / "a.png", torch.rand(1, 3, 8, 8))
    io.write(tmp_path / "a.jpg", torch.rand(1, 3, 8, 8))
    with pytest.raises(IrvisError, match="one image of a only"):
        entries.find(tmp_path, "a")
