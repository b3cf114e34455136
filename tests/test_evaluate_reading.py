"""Evaluations and studies read infrared as they are told, or refuse; what their report shows is fair."""

import re
from dataclasses import replace
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from irvis import IrvisError, cli, io
from irvis.data.matching import match
from irvis.data.scene import scene
from irvis.evaluate import compute, entries, report, statistics
from irvis.jobs import Reading
from irvis.study import database, folders, pictures, reading
from irvis.study import report as study_report
from irvis.study.schedule import Question
from irvis.thermal import Sensing

METRICS = ["EN", "CC"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pairs, their infrared inverted too, and two folders of results."""
    root = tmp_path_factory.mktemp("pairs")
    for number in range(2):
        visible, infrared = scene(number, (32, 48)).tensors()
        io.write(root / "vi" / f"{number}.png", visible)
        io.write(root / "ir" / f"{number}.png", infrared)
        io.write(root / "inverted" / f"{number}.png", 1 - infrared)
        for name in ("one", "other"):
            io.write(root / name / f"{number}.png", visible)
    return root


def plan(root: Path, out: Path, infrared: str = "ir", how: Reading = Reading()) -> compute.Plan:  # noqa: B008
    pairs = match(root / "vi", root / infrared).pairs
    return compute.Plan(entries=entries.gather(["max"], []), metrics=METRICS, profile="default", out=out, reading=how,
                        stems=entries.stems(pairs))  # fmt: skip


def judged(root: Path, out: Path, infrared: str = "ir", how: Reading = Reading()) -> list:  # noqa: B008
    asked = plan(root, out, infrared, how)
    return [one.values for one in compute.judge_all(match(root / "vi", root / infrared).pairs, asked, 1)]


BLACK_HOT = Reading(sensing=Sensing(polarity="black-hot"))


def test_an_evaluation_reads_infrared_with_the_polarity_it_is_told(root: Path, tmp_path: Path) -> None:
    plain, told = judged(root, tmp_path / "a"), judged(root, tmp_path / "b", how=BLACK_HOT)
    turned = judged(root, tmp_path / "c", "inverted")
    assert told[0]["max"] == pytest.approx(turned[0]["max"], abs=1e-6)
    assert told[0]["max"]["CC"] != pytest.approx(plain[0]["max"]["CC"], abs=1e-3)


def test_the_report_says_the_polarity_and_shows_what_was_asked_for_as_no_control(root: Path, tmp_path: Path) -> None:
    words = ["evaluate", root / "vi", root / "ir", "-o", tmp_path, "-m", "laplacian", "--metrics", "EN", "--workers", 1]
    with pytest.raises(SystemExit) as stop:
        cli.main([str(word) for word in (*words, "--polarity", "black-hot")])
    assert not stop.value.code
    page = (tmp_path / "report.md").read_text()
    assert "polarity black-hot" in page
    assert "**laplacian**" in page
    assert "*average*" in page


SHIFT = io.Laying(where=lambda visible, infrared, focal: None)


@pytest.mark.parametrize("how", [{"laying": SHIFT}, {"watched": frozenset({"0"})}])
def test_an_evaluation_refuses_pairs_that_are_still_to_be_aligned(root: Path, tmp_path: Path, how: dict) -> None:
    with pytest.raises(IrvisError, match="registered"):
        plan(root, tmp_path, how=replace(Reading(), **how))


def test_a_study_shows_infrared_as_it_is_told_to_read_it(root: Path, tmp_path: Path) -> None:
    given = folders.methods([str(root / name) for name in ("one", "other")])
    pairs = folders.pairs(given, match(root / "vi", root / "ir").pairs)
    how = reading.told(None, "refuse", False, BLACK_HOT.sensing)
    file = tmp_path / "s.sqlite"
    database.create(database.Study(file=file, methods=given, pairs=pairs, seed=0, asked=9, reading=how))
    known = database.load(file)
    shown = pictures.picture(known, Question(pair=0, left=0, right=1), "infrared")
    (tmp_path / "shown.png").write_bytes(shown)
    expected = io.read_infrared(root / "inverted" / f"{known.pairs[0].name}.png")[0, 0].numpy() * 255
    seen = np.asarray(Image.open(tmp_path / "shown.png")).astype(float)
    assert np.abs(seen - expected).max() <= 1


def test_what_a_study_keeps_of_reading_comes_back() -> None:
    asked = Sensing(polarity="auto", crop=(0, 2, 30, 20), raw=(64, 48, "<"), conditions=(("emissivity", 0.9),))
    assert reading.reading(reading.told("1%,99%", "gray", True, asked)).sensing == asked
    assert reading.reading({"range": None, "color": "refuse", "resize": False}) == Reading()
    assert "sensing" not in reading.told(None, "refuse", False, Sensing())


def test_a_study_reports_the_usual_metrics_unless_all_are_asked_for() -> None:
    assert signature(study_report.report).parameters["metrics"].default == "usual"
    from irvis.cli.study import study

    assert signature(study).parameters["metrics"].default == "usual"
    usual = compute.choose("usual", "default")
    assert not {"FMI_pixel", "FMI_dct", "FMI_wavelet", "Q_P"} & set(usual)  # three quarters of the time of all


def test_progress_moves_with_every_result_not_with_every_pair(root: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    asked, pairs = plan(root, tmp_path), match(root / "vi", root / "ir").pairs
    for _ in range(2):  # the second time everything is known
        steps.clear()
        list(compute.judge_all(pairs, asked, 1, lambda: steps.append(1)))
        assert len(steps) == len(pairs) * len(asked.entries)


def test_workers_tell_their_steps_through_a_queue(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    with compute._stepping(lambda: steps.append(1)) as told:
        monkeypatch.setattr(compute, "_TOLD", [told])
        compute._judge_told(match(root / "vi", root / "ir").pairs[0], asked := plan(root, tmp_path))
    assert len(steps) == len(asked.entries)


# ----------------------------------------------------------------------------------- what is shown


@pytest.mark.parametrize(
    ("value", "half", "shown"),
    [(15.2, 2.684, "15.2 ± 2.7"), (0.83456, 0.0123, "0.835 ± 0.012"), (2535.4, 314.2, "2535 ± 314"),
     (1.0, 0.0, "1 ± 0"),     (9.9e-15, 1e-15, "9.90e-15 ± 1.0e-15"), (-0.5, 0.0996, "-0.500 ± 0.100")],
)  # fmt: skip
def test_a_mean_and_its_interval_end_at_the_same_place(value: float, half: float, shown: str) -> None:
    assert report._with_half(value, half) == shown


def shown_report(kinds: dict[str, str], values: list[float]) -> str:
    """The table of one metric, EN, over six pairs."""
    names = list(kinds)
    spread = np.linspace(-0.01, 0.01, 6)
    array = np.array([[[value + noise] for value in values] for noise in spread])
    table = statistics.Table(pairs=list("abcdef"), scenes=list("abcdef"), entries=names, metrics=["EN"], values=array)
    made = report.Report(
        title="", facts={}, table=table, summary=statistics.summarise(table), reference=0, seconds={}, profile="default"
    )
    return report._html_table(made, [name for name, kind in kinds.items() if kind == "control"])


def test_a_control_is_never_shown_as_the_winner() -> None:
    page = shown_report({"mine": "method", "theirs": "method", "visible+noise": "control"}, [5.0, 6.0, 7.0])
    rows = {re.findall("<th>(.*?)</th>", row)[0]: row for row in page.split("<tr")[2:]}
    assert {name for name, row in rows.items() if 'class="best"' in row} == {"theirs"}


def test_a_method_that_was_asked_for_is_no_control() -> None:
    kinds = {entry.name: entry.kind for entry in entries.gather(["laplacian", "max"], [])}
    assert (kinds["laplacian"], kinds["max"], kinds["average"]) == ("method", "method", "control")
