"""Detection of every row of an evaluation: find, score, and compare with the better camera."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from ... import files
from ...data.matching import Match
from ...errors import IrvisError
from ...imports import digest_of
from ..compute import Plan
from . import labels, scoring
from .boxes import Array, Boxes, boxes, joined, without_doubles
from .detector import Detector, Feeding, load
from .looking import look
from .sections import CAMERAS, DRAWS, HOW, Section, compared

SURE = 0.3
"""Without labels: what a detector finds with this score in a single camera's picture is taken as there."""
LEGEND = (
    "Average precision at an overlap of 0.5 (AP50), the mean over overlaps from 0.5 to 0.95 (AP50:95), and the share "
    "of labels found before there are more false finds per picture than stated. {how} Sizes are COCO's. Truth: {note}."
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The detector, the labels if there are any, and how many false alarms per picture are allowed."""

    network: Path
    labels: Path | None = None
    feeding: Feeding = field(default_factory=Feeding)
    alarms: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Detection:
    """What was found, and how well."""

    section: Section
    problems: Sequence[str]
    found: Mapping[str, Mapping[str, Boxes]]
    """Entry → pair → what was found."""
    truth: Mapping[str, Boxes]
    """Pair → what is there."""
    names: Sequence[str]
    """Of the classes."""


@cache
def network(asked: Asked) -> Detector:
    """The detector, loaded once."""
    return load(asked.network, asked.feeding)


def check(asked: Asked, names: Sequence[str]) -> None:
    """What is wrong with the detector or the labels, before any work."""
    finder = network(asked)
    if asked.labels:
        labels.read(asked.labels, dict.fromkeys(names, None), finder.classes)


def detect(
    asked: Asked, pairs: Sequence[Match], scenes: Sequence[str], plan: Plan, step: Callable[[], object] = lambda: None
) -> Detection:
    """Find in every picture of every entry, and score. `step` is called after each pair.

    Raises IrvisError for a detector or labels that cannot be used.
    """
    finder = network(asked)
    found: dict[str, dict[str, Boxes]] = {entry.name: {} for entry in plan.entries}
    sizes, problems = {}, []
    made = f"{files.digest(asked.network)} {asdict(finder.feeding)} {digest_of('irvis.evaluate.tasks.detector')}"
    for match in pairs:
        looked = look("detections", lambda image: _listed(finder(image)), made, match, plan)
        sizes[match.name] = looked.size
        problems += looked.problems
        for name, one in looked.found.items():
            found[name][match.name] = boxes(*one)
        step()
    names = [match.name for match in pairs]
    truth = labels.read(asked.labels, sizes, finder.classes) if asked.labels else agreed(found, names)
    counted = sum(int((one.scores > 0).sum()) for one in truth.values())
    if not counted:
        raise IrvisError(
            "there is no label that counts" if asked.labels else "the detector finds nothing in any picture"
        )
    note = f"{counted} labels of {asked.labels}" if asked.labels else (
        f"no labels: {counted} boxes that the detector found in visible or in infrared alone are taken as there, "
        f"which favours the two cameras"
    )  # fmt: skip
    section = _section(found, truth, names, scenes, finder.classes, asked.alarms, note)
    return Detection(section=section, problems=problems, found=found, truth=truth, names=finder.classes)


def _listed(found: Boxes) -> list[object]:
    return [found.corners.tolist(), found.classes.tolist(), found.scores.tolist()]


def agreed(found: Mapping[str, Mapping[str, Boxes]], names: Sequence[str]) -> dict[str, Boxes]:
    """What is found with some confidence in either camera's picture, each thing once."""
    nothing, truth = boxes(), {}
    for name in names:
        both = joined(*(found[camera].get(name, nothing) for camera in CAMERAS))
        one = without_doubles(both[both.scores >= SURE], 0.5)
        truth[name] = boxes(one.corners, one.classes)
    return truth


def _section(
    found: Mapping[str, Mapping[str, Boxes]], truth: Mapping[str, Boxes], names: Sequence[str], scenes: Sequence[str],
    classes: Sequence[str], alarms: float, note: str,
) -> Section:  # fmt: skip
    """Every measure of every entry that has a result for every pair."""
    true = [truth[name] for name in names]
    times = np.concatenate([np.ones((1, len(names))), scoring.draws(scenes, DRAWS)])
    drawn = {
        entry: dict(measures([of[name] for name in names], true, names, classes, alarms, times))
        for entry, of in found.items()
        if len(of) == len(names)
    }
    if not {*CAMERAS} & {*drawn}:
        raise IrvisError("the detector ran on neither camera's pictures; the lines above say why")
    also = [m for m in next(iter(drawn.values())) if m.startswith("AP50 ")]
    rows, better = compared(drawn, scenes, "AP50", also)
    legend = LEGEND.format(how=HOW.format(better=better), note=note)
    return Section(name="detection", heading="Detection", legend=legend, rows=rows, most="AP50")


def measures(
    found: Sequence[Boxes], truth: Sequence[Boxes], names: Sequence[str], classes: Sequence[str], alarms: float,
    times: Array,
) -> Iterator[tuple[str, Array]]:  # fmt: skip
    """Measure → its value for each row of `times` (how often each picture counts)."""
    kinds = sorted({int(kind) for one in truth for kind in one.classes[one.scores > 0]})
    counted = {kind: scoring.count(found, truth, kind, 0.5) for kind in kinds}
    each = {kind: scoring.precision(one, times) for kind, one in counted.items()}
    yield "AP50", mean(each.values())
    for kind in kinds:
        yield f"AP50 {classes[kind]}", each[kind]
    yield (
        "AP50:95",
        mean(
            scoring.precision(scoring.count(found, truth, kind, least), times)
            for kind in kinds
            for least in scoring.OVERLAPS
        ),
    )
    yield f"recall at {alarms:g} false", mean(scoring.recall(one, alarms, times) for one in counted.values())
    for size, area in scoring.SIZES.items():
        yield f"AP50 {size}", mean(scoring.precision(scoring.count(found, truth, k, 0.5, area), times) for k in kinds)
    lights = [light_of(name) for name in names]
    for light in sorted({*lights} - {""}):
        part = np.array([one == light for one in lights], float)
        yield f"AP50 {light}", mean(scoring.precision(one, times * part) for one in counted.values())


def light_of(name: str) -> str:
    """day or night, where the name of a pair says so in a word, or in its last letter after a number as MSRS does."""
    if found := re.search(r"(?<![a-z])(day|night)(?![a-z])", name.lower()):
        return found[1]
    found = re.search(r"\d([ND])$", name)
    return {"N": "night", "D": "day"}[found[1]] if found else ""


def mean(several: object) -> Array:
    """Over the classes that have labels; NaN without any."""
    stacked = np.stack(list(several))  # type: ignore[call-overload]
    known = np.isfinite(stacked)
    with np.errstate(invalid="ignore"):
        return np.where(known, stacked, 0).sum(0) / np.where(known.any(0), known.sum(0), np.nan)
