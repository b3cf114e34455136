"""Detection of every row of an evaluation: find, score, and compare with the better camera."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch

from ... import files
from ...data.matching import Match
from ...errors import IrvisError, said
from ...files import whole
from ...imports import digest_of
from ...types import RGB, Pair
from ..entries import Entry, digest, fused
from ..compute import Plan, read, stamp
from . import labels, scoring
from .boxes import Array, Boxes, boxes, joined, without_doubles
from .detector import Detector, Feeding, load

CAMERAS = ("visible", "infrared")
DRAWS = 500
SURE = 0.3
"""Without labels: what a detector finds with this score in a single camera's picture is taken as there."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The detector, the labels if there are any, and how many false alarms per picture are allowed."""

    network: Path
    labels: Path | None = None
    feeding: Feeding = field(default_factory=Feeding)
    alarms: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Detection:
    """What the pages show."""

    rows: Mapping[str, Mapping[str, tuple[float, float, float]]]
    """Entry → measure → value and the ends of its 95 % interval; measures that start with Δ compare with `better`."""
    better: str
    """The camera with the higher AP50."""
    note: str
    problems: Sequence[str]
    found: Mapping[str, Mapping[str, Boxes]]
    """Entry → pair → what was found."""
    names: Sequence[str]


@cache
def network(asked: Asked) -> Detector:
    """The detector, loaded once."""
    return load(asked.network, asked.feeding)


def detect(
    asked: Asked, pairs: Sequence[Match], scenes: Sequence[str], plan: Plan, step: Callable[[], object] = lambda: None
) -> Detection:
    """Find in every picture of every entry, and score. `step` is called after each pair.

    Raises IrvisError for a detector or labels that cannot be used.
    """
    finder = network(asked)
    found: dict[str, dict[str, Boxes]] = {entry.name: {} for entry in plan.entries}
    sizes, problems = {}, []
    for match in pairs:
        sizes[match.name], by_entry, failed = _found(finder, asked, match, plan)
        problems += failed
        for name, one in by_entry.items():
            found[name][match.name] = one
        step()
    names = [match.name for match in pairs]
    truth = labels.read(asked.labels, sizes, finder.classes) if asked.labels else _union(found, names)
    counted = sum(int((one.scores > 0).sum()) for one in truth.values())
    if not counted:
        raise IrvisError(
            "there is no label that counts" if asked.labels else "the detector finds nothing in any picture"
        )
    rows, better = _rows(found, truth, names, scenes, finder.classes, asked.alarms)
    note = f"{counted} labels of {asked.labels}" if asked.labels else (
        f"no labels: {counted} boxes that the detector found in visible or in infrared alone are taken as there, "
        f"which favours the two cameras"
    )  # fmt: skip
    return Detection(rows=rows, better=better, note=note, problems=problems, found=found, names=finder.classes)


@torch.inference_mode()
def _found(
    finder: Detector, asked: Asked, match: Match, plan: Plan
) -> tuple[tuple[int, int], dict[str, Boxes], list[str]]:
    """The size of a pair, what is found in each entry (kept from before where nothing changed), and what failed."""
    file = plan.out / "detections" / f"{match.name}.json"
    known = _kept(file)
    pair = read(match, plan.reading)
    found: dict[str, Boxes] = {}
    kept: dict[str, list[object]] = {}
    problems = []
    for entry in plan.entries:
        try:
            made = digest(stamp(entry, match, plan), files.digest(asked.network), str(asdict(finder.feeding)),
                          digest_of("irvis.evaluate.tasks.detection"))  # fmt: skip
            if known.get(entry.name, [""])[0] != made:
                one = finder(fused(entry, pair, plan.stems[match.name], plan.device))
                known[entry.name] = [made, one.corners.tolist(), one.classes.tolist(), one.scores.tolist()]
            kept[entry.name] = known[entry.name]
            found[entry.name] = boxes(*kept[entry.name][1:])
        except Exception as problem:  # the other pictures are still to be judged
            problems.append(f"{match.name}, {entry.name}, detection: {said(problem)}")
    with whole(file) as unfinished:
        unfinished.write_text(json.dumps({**known, **kept}))
    return (int(pair.visible.shape[-2]), int(pair.visible.shape[-1])), found, problems


def seen(entry: Entry, pair: Pair, names: Sequence[str], device: str) -> RGB:
    """The picture of an entry; of infrared, the camera's own, without the colours of the visible one."""
    return pair.infrared.expand_as(pair.visible) if entry.source == "infrared" else fused(entry, pair, names, device)


def _kept(file: Path) -> dict[str, list[object]]:
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        return {}


def _union(found: Mapping[str, Mapping[str, Boxes]], names: Sequence[str]) -> dict[str, Boxes]:
    """What is found with some confidence in either camera's picture, each thing once."""
    nothing, truth = boxes(), {}
    for name in names:
        both = joined(*(found[camera].get(name, nothing) for camera in CAMERAS))
        one = without_doubles(both[both.scores >= SURE], 0.5)
        truth[name] = boxes(one.corners, one.classes)
    return truth


def _rows(
    found: Mapping[str, Mapping[str, Boxes]], truth: Mapping[str, Boxes], names: Sequence[str], scenes: Sequence[str],
    classes: Sequence[str], alarms: float,
) -> tuple[dict[str, dict[str, tuple[float, float, float]]], str]:  # fmt: skip
    """Every measure of every entry that has a result for every pair, and the better camera."""
    true = [truth[name] for name in names]
    times = np.concatenate([np.ones((1, len(names))), scoring.draws(scenes, DRAWS)])
    whole_rows = {entry: of for entry, of in found.items() if len(of) == len(names)}
    drawn = {
        entry: dict(measures([of[name] for name in names], true, names, classes, alarms, times))
        for entry, of in whole_rows.items()
    }
    cameras = [camera for camera in CAMERAS if camera in drawn]
    if not cameras:
        raise IrvisError("the detector ran on neither camera's pictures; the lines above say why")
    better = max(cameras, key=lambda camera: drawn[camera]["AP50"][0])
    compared = [name for name in next(iter(drawn.values())) if name.startswith("AP50")]
    for of in drawn.values():
        of |= {f"Δ {name}": of[name] - drawn[better][name] for name in compared if name != "AP50:95"}
    fair = len(set(scenes)) >= 5
    return {entry: {m: _ends(values, fair) for m, values in of.items()} for entry, of in drawn.items()}, better


def _ends(values: Array, fair: bool) -> tuple[float, float, float]:
    """The value of all pictures, and the ends of 95 % of the draws; none of too few scenes."""
    known = values[1:][np.isfinite(values[1:])]
    low, high = np.quantile(known, (0.025, 0.975)) if fair and len(known) else (np.nan, np.nan)
    return float(values[0]), float(low), float(high)


def measures(
    found: Sequence[Boxes], truth: Sequence[Boxes], names: Sequence[str], classes: Sequence[str], alarms: float,
    times: Array,
) -> Iterator[tuple[str, Array]]:  # fmt: skip
    """Measure → its value for each row of `times` (how often each picture counts)."""
    kinds = sorted({int(kind) for one in truth for kind in one.classes[one.scores > 0]})
    counted = {kind: scoring.count(found, truth, kind, 0.5) for kind in kinds}
    each = {kind: scoring.precision(one, times) for kind, one in counted.items()}
    yield "AP50", _mean(each.values())
    for kind in kinds:
        yield f"AP50 {classes[kind]}", each[kind]
    yield (
        "AP50:95",
        _mean(
            scoring.precision(scoring.count(found, truth, kind, least), times)
            for kind in kinds
            for least in scoring.OVERLAPS
        ),
    )
    yield f"recall at {alarms:g} false", _mean(scoring.recall(one, alarms, times) for one in counted.values())
    for size, area in scoring.SIZES.items():
        yield f"AP50 {size}", _mean(scoring.precision(scoring.count(found, truth, k, 0.5, area), times) for k in kinds)
    lights = [light_of(name) for name in names]
    for light in sorted({*lights} - {""}):
        part = np.array([one == light for one in lights], float)
        yield f"AP50 {light}", _mean(scoring.precision(one, times * part) for one in counted.values())


def light_of(name: str) -> str:
    """day or night, where the name of a pair says so in a word, or in its last letter after a number as MSRS does."""
    if found := re.search(r"(?<![a-z])(day|night)(?![a-z])", name.lower()):
        return found[1]
    found = re.search(r"\d([ND])$", name)
    return {"N": "night", "D": "day"}[found[1]] if found else ""


def _mean(several: object) -> Array:
    """Over the classes that have labels; NaN without any."""
    stacked = np.stack(list(several))  # type: ignore[call-overload]
    known = np.isfinite(stacked)
    with np.errstate(invalid="ignore"):
        return np.where(known, stacked, 0).sum(0) / np.where(known.any(0), known.sum(0), np.nan)
