"""Judging data sets: the numbers, what is said of them, and the pages."""

import csv
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from irvis import IrvisError, cli, io
from irvis.data.matching import Match, match
from irvis.data.scene import scene
from irvis.evaluate import compute, entries, evaluation, strips
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


def plan(pairs: Path, out: Path, methods: tuple[str, ...] = ("max",), folders: tuple[str, ...] = ()) -> compute.Plan:
    return compute.Plan(
        entries=entries.gather(methods, folders), metrics=METRICS, profile="default", out=out,
        stems=entries.stems(matches(pairs)),
    )  # fmt: skip


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
    return {one.pair.name: one.values for one in compute.judge_all(matches(pairs), plan(pairs, out, **asked), 1)}


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
    names = [entry.name for entry in entries.gather(["max"], [])]
    assert names == ["max", "visible", "infrared", "average", "laplacian", "visible+noise", "stretched average"]


def test_a_second_run_computes_nothing(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = values(pairs, tmp_path)
    monkeypatch.setattr(compute, "measure", None)
    again = list(compute.judge_all(matches(pairs), plan(pairs, tmp_path), 1))
    assert all(one.kept for one in again)
    assert {one.pair.name: one.values for one in again} == first


def test_a_run_that_was_cut_short_goes_on(pairs: Path, tmp_path: Path) -> None:
    running = compute.judge_all(matches(pairs), plan(pairs, tmp_path), 1)
    next(running)
    running.close()
    kept = [one.kept for one in compute.judge_all(matches(pairs), plan(pairs, tmp_path), 1)]
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
    together = compute.judge_all(matches(pairs), plan(pairs, tmp_path / "two"), 2)
    for one in together:  # their sums have one thread, and so another order
        for name, found in one.values.items():
            assert found == pytest.approx(alone[one.pair.name][name], rel=1e-9)


def test_nan_and_infinity_survive_the_files(tmp_path: Path) -> None:
    odd = {"EN": float("nan"), "SD": float("inf"), "MI": 1.5}
    place = compute.Plan(entries=(), metrics=(), profile="default", out=tmp_path)
    compute._keep(place, "sub/pair", {"mine": compute.Kept("x", odd)})
    kept = compute._known(place, "sub/pair")["mine"].values
    assert [kept[name] for name in odd] == pytest.approx(list(odd.values()), nan_ok=True)


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
    assert evaluation.scene_of(name, re.compile(pattern), name) == expected


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
    assert compute.choose("usual", "default") == list(compute.USUAL)
    assert set(compute.choose("all", "vifb")) == set(compute.choose("usual", "vifb"))


def test_two_images_of_one_name_are_refused_not_guessed(tmp_path: Path) -> None:
    io.write(tmp_path / "a.png", torch.rand(1, 3, 8, 8))
    io.write(tmp_path / "a.jpg", torch.rand(1, 3, 8, 8))
    with pytest.raises(IrvisError, match="one image of a only"):
        entries.find(tmp_path, ["a"])


def test_a_longer_name_is_another_image(tmp_path: Path) -> None:
    io.write(tmp_path / "a.1.png", torch.rand(1, 3, 8, 8))
    with pytest.raises(IrvisError, match="holds no image of a "):
        entries.find(tmp_path, ["a"])
    assert entries.find(tmp_path, ["a.1"]).name == "a.1.png"


def test_a_name_that_two_pairs_share_stands_for_neither() -> None:
    found = [Match(name, Path(name), Path(name)) for name in ("day/a.png", "night/a.png", "night/b.png")]
    names = entries.stems([Match(one.name[:-4], one.visible, one.infrared) for one in found])
    assert names == {"day/a": ("day/a",), "night/a": ("night/a",), "night/b": ("night/b", "b")}


def test_the_first_that_is_asked_for_is_the_reference_also_if_it_is_a_control() -> None:
    names = [entry.name for entry in entries.gather(["laplacian", "max"], [])]
    assert names == ["laplacian", "max", "visible", "infrared", "average", "visible+noise", "stretched average"]


def test_another_metric_computes_only_itself(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values(pairs, tmp_path)
    asked: list[str] = []

    def noted(*images: torch.Tensor, metrics: list[str], profile: str) -> dict[str, torch.Tensor]:
        asked.extend(metrics)
        return measure(*images, metrics=metrics, profile=profile)

    monkeypatch.setattr(compute, "measure", noted)
    wider = dataclasses.replace(plan(pairs, tmp_path), metrics=[*METRICS, "AG"])
    judged = list(compute.judge_all(matches(pairs), wider, 1))
    assert set(asked) == {"AG"}
    assert set(judged[0].values["max"]) == {*METRICS, "AG"}


def test_a_metric_that_fails_leaves_the_others(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*images: torch.Tensor, metrics: list[str], profile: str) -> dict[str, torch.Tensor]:
        if metrics == ["SD"]:
            raise RuntimeError("out of luck\nand more")
        return measure(*images, metrics=metrics, profile=profile)

    monkeypatch.setattr(compute, "measure", broken)
    one = compute.judge(matches(pairs)[0], plan(pairs, tmp_path))
    assert np.isnan(one.values["max"]["SD"])
    assert np.isfinite(one.values["max"]["Qw"])
    assert one.problems[0] == "day/c, max, SD: RuntimeError: out of luck"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-m", "laplacian:level=5"], "no option level"),
        (["-m", "encdec:tinny"], "encdec has no weights 'tinny'"),
        (["--device", "warp"], "device 'warp' cannot be used"),
        (["--scene", "("], "is no regular expression"),
        (["--paq2piq", "/nowhere.pth"], "/nowhere.pth"),
        (["--metrics", "EN,EN"], "names a metric twice"),
        (["--split", "test"], "one folder that holds a public data set"),
        (["--workers", "-3"], "--workers is 1 or more"),
        (["-o", "{root}"], "holds the images that are judged"),
    ],
)
def test_a_wrong_request_is_found_before_the_work(
    words: list[str], line: str, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(compute, "judge", None)
    asked = [word.format(root=pairs) for word in words]
    out = [] if "-o" in asked else ["-o", tmp_path]
    assert irvis("evaluate", pairs / "vi", pairs / "ir", *out, *asked) == 1
    said = capsys.readouterr().err.strip()
    assert line in said
    assert "\n" not in said


def test_odd_names_stay_names(pairs: Path, tmp_path: Path) -> None:
    words = ["evaluate", pairs / "vi", pairs / "ir", "--fused", f"a$b$|<i>={pairs / 'theirs'}", "-o", tmp_path]
    assert irvis(*words, "--metrics", "EN", "--workers", 1) == 0
    assert "a$b$|&lt;i&gt;" in (tmp_path / "report.html").read_text()
    assert r"a$b$\|\<i\>" in (tmp_path / "report.md").read_text()


def test_big_pictures_have_a_stretched_average() -> None:
    visible = torch.rand(1, 3, 4100, 4100)
    assert entries.stretched_average(visible, visible[:, :1]).shape == visible.shape
