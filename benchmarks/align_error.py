"""How often the error that an accepted alignment states covers its true error, which should be so for 95 of 100.

True errors are root mean squares over what the infrared image shows of the visible one. "warped": registered pairs
and generated scenes at 640×480, infrared warped as in `benchmarks/align.py`; the registration of the pairs is taken
for true, so that its own errors count as ours. "true flow": MSRS_warped. "marks": points set by hand. "window": files
of cameras that state where their thermal image lies in their photo.
The limits of the stated error (`FLOOR` and `OPEN` of `irvis.align.judging`) are looked at on the first half, training
pairs and even scenes, and reported on the other. "floor needed" is the FLOOR at which 95 of 100 of that row would be
covered; the first half needs less than there is, so nothing was changed.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from align import SIZE, fitted, grays, homography, placed, timed
from common import arguments, write
from irvis import cameras
from irvis.align.alignment import Alignment
from irvis.align.geometry import Points, grid, moved
from irvis.align.judging import FLOOR, OPEN
from irvis.align.warp import window
from irvis.color import luma
from irvis.data.matching import match
from irvis.data.scene import scene
from irvis.io import photo
from irvis.io.infrared import measure
from irvis.thermal import Sensing
from irvis.types import Gray

Trial = dict[str, Any]
Made = tuple[str, str, Callable[[], Trial]]
COVERED = 0.95
LOOKED_AT = {"train/RoadScene": 16, "train/MSRS": 3, "train/TNO": 3}
"""Every so manieth pair."""
REPORTED = {
    "test/RoadScene19": 3, "test/MSRS27": 4, "test/VIFB": 3, "test/TNO21": 3, "test/LLVIP15": 4,
    "spectra/NIR_Country": 5,
}  # fmt: skip
SCENES = 8


def main() -> None:
    chosen = arguments(
        __doc__,
        trials={"type": Path, "help": "keeps every trial in this file, and goes on from it"},
        measured={"action": "store_true", "help": "no further trials than those in that file"},
    )
    halves: dict[str, Iterable[Made]] = {"looked at": _first(chosen.data), "reported": _second(chosen.data)}
    if chosen.measured:
        halves = dict.fromkeys(halves, ())
    kept: list[Trial] = _read(chosen.trials)
    known = {(one["which"], one["name"]) for one in kept}
    for half, trials in halves.items():
        for which, name, make in trials:
            if (which, name) not in known:
                kept.append({"half": half, "which": which, "name": name, **make()})
                print(kept[-1], flush=True)
                _save(chosen.trials, kept)
    rows = [row for half in halves for row in _rows(half, [one for one in kept if one["half"] == half])]
    write("align_error", rows, "Stated errors of alignments", __doc__.split("\n\n", 1)[1].replace("\n", " "), uses=[])


def _rows(half: str, trials: Sequence[Trial]) -> Iterator[dict[str, Any]]:
    names = dict.fromkeys(one["which"] for one in trials)
    for which in (*names, "all"):
        some = [one for one in trials if which in ("all", one["which"])]
        sure = [one for one in some if one["sure"]]
        covered = [one["true"] <= stated(one) for one in sure]
        yield {
            "half": half, "pairs": which, "count": len(some), "accepted": len(sure),
            "covered": sum(covered),
            "median true px": median(one["true"] for one in sure) if sure else "",
            "median stated px": median(stated(one) for one in sure) if sure else "",
            "worst true px": max((one["true"] for one in sure), default=""),
            "floor needed": needed(sure) if sure else "",
        }  # fmt: skip


def stated(trial: Trial) -> float:
    """The error that the limits of now give."""
    return FLOOR * trial["unit"] + OPEN * trial["spread"]


def needed(trials: Sequence[Trial]) -> float:
    """The FLOOR that covers 95 of 100."""
    floors = sorted((one["true"] - OPEN * one["spread"]) / one["unit"] for one in trials)
    return max(0.0, floors[math.ceil(COVERED * len(floors)) - 1])


# ------------------------------------------------------------------------------------------ trials


def _first(data: Path) -> Iterator[Made]:
    yield from _scenes(range(0, 2 * SCENES, 2))
    for name, step in LOOKED_AT.items():
        yield from _warped(data, name, step)


def _second(data: Path) -> Iterator[Made]:
    yield from _scenes(range(1, 2 * SCENES, 2))
    for name, step in REPORTED.items():
        yield from _warped(data, name, step)
    yield from _flows(data)
    yield from _marks(data)
    yield from _windows(data)


def _scenes(numbers: range) -> Iterator[Made]:
    for number in numbers:
        drawn = np.random.default_rng(number)

        def make(number: int = number, drawn: np.random.Generator = drawn) -> Trial:
            visible, infrared = scene(number, SIZE).tensors()
            return _of_warp(luma(visible), infrared, drawn)

        yield "generated scenes, warped", str(number), make


def _warped(data: Path, name: str, step: int) -> Iterator[Made]:
    for number, pair in enumerate(match(data / name / "vi", data / name / "ir").pairs[::step]):

        def make(pair: Any = pair, number: int = number) -> Trial:
            visible, infrared = (fitted(image) for image in grays(pair))
            return _of_warp(visible, infrared, np.random.default_rng(number))

        yield f"{name.split('/')[1]}, warped", pair.name, make


def _of_warp(visible: Gray, infrared: Gray, drawn: np.random.Generator) -> Trial:
    truth = homography(drawn)
    found, _ = timed(visible, placed(infrared, truth), "auto")
    places = grid(SIZE, 15)
    ends = moved(truth, places)
    return trial(found, places[inside(ends, SIZE)], ends[inside(ends, SIZE)])


def _flows(data: Path) -> Iterator[Made]:
    from scipy.io import loadmat

    folder = data / "cameras" / "MSRS_warped"
    for pair in match(folder / "vi", folder / "ir").pairs:

        def make(pair: Any = pair) -> Trial:
            unit = loadmat(folder / "flow" / f"{pair.infrared.name}.mat")["flow"][0].astype(float)
            size = unit.shape[:2]
            source = ((unit + 1) * [size[1], size[0]] - 1) / 2
            rows, columns = (np.arange(8, side, 16) for side in size)
            ends = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2).astype(float)
            places = source[ends[:, 1].astype(int), ends[:, 0].astype(int)]
            here = inside(places, size)
            return trial(timed(*grays(pair), "auto")[0], places[here], ends[here])

        yield "MSRS_warped, true flow", pair.name, make


def _marks(data: Path) -> Iterator[Made]:
    from scipy.io import loadmat

    folder = data / "cameras" / "Matching_VIS_IR"
    for pair in match(folder / "vi", folder / "ir").pairs:
        number = int(pair.visible.stem.rsplit("_", 1)[1])
        name = "VisionVI0" if "Vision" in pair.visible.stem else f"VIS_IR_{number}"

        def make(pair: Any = pair, name: str = name) -> Trial:
            marks = loadmat(folder / "landmarks" / f"{name}.mat")["Landmarks"][0, 0]
            ends, places = (np.asarray(marks[key], float) - 1 for key in ("LMmov", "LMfix"))
            return trial(timed(*grays(pair), "auto")[0], places, ends)

        yield "Matching_VIS_IR, marks", pair.name, make


def _windows(data: Path) -> Iterator[Made]:
    for path in sorted((data / "cameras" / "radiometric" / "raw").iterdir()):
        found = None if path.suffix != ".jpg" else cameras.read(path)
        own = None if found is None or found.photo is None else cameras.thermal_window(found)
        if found is None or own is None:
            continue

        def make(path: Path = path, own: Any = own) -> Trial:
            measured = measure(path, Sensing())
            visible = luma(photo.whole(measured))
            infrared = _gray(measured.raster.samples[..., 0])
            size = (visible.shape[-2], visible.shape[-1])
            there = grid(size, 25)
            ends = moved(window(own, measured.raster.samples.shape), there)
            here = inside(ends, (infrared.shape[-2], infrared.shape[-1]))
            return trial(timed(visible, infrared, "auto")[0], there[here], ends[here])

        yield "cameras, their own window", path.stem, make


def _gray(counts: np.ndarray) -> Gray:
    low, high = np.percentile(counts, (1, 99))
    return torch.from_numpy(np.clip((counts - low) / max(high - low, 1e-6), 0, 1).astype(np.float32))[None, None]


def trial(found: Alignment, places: Points, ends: Points) -> Trial:
    """What was stated, and how far what should lie at `places` of visible lies from there; `ends` in infrared."""
    unit = max(found.visible) / 640
    if found.error is None:
        return {"sure": False, "true": math.inf, "spread": 0.0, "unit": unit, "confidence": 0.0}
    back = moved(np.linalg.inv(found.matrix), ends)
    return {
        "sure": bool(found.sure), "true": float(np.sqrt(((back - places) ** 2).sum(1).mean())), "unit": unit,
        "spread": (found.error - FLOOR * unit) / OPEN, "confidence": found.confidence, "residual": found.residual,
    }  # fmt: skip


def inside(places: Points, size: tuple[int, int]) -> np.ndarray:
    return ((places >= 0) & (places < [size[1], size[0]])).all(1)


def _read(path: Path | None) -> list[Trial]:
    return json.loads(path.read_text()) if path is not None and path.is_file() else []


def _save(path: Path | None, trials: Sequence[Trial]) -> None:
    if path is not None:
        path.write_text(json.dumps(trials))


if __name__ == "__main__":
    main()
