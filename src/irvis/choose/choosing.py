"""The candidates on a folder of pairs: how fast, how good, for what."""

import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from .. import creation, io
from ..data.matching import Match
from ..errors import IrvisError, said
from ..jobs import Reading
from ..methods import METHODS
from ..metrics.flicker import CELLS, temporal_gain
from ..spec import Runtime
from ..types import Pair
from .detecting import Finder
from .judgement import contributions
from .measures import measured

MOST = 30
"""Pairs that are looked at."""
CALLS, PATIENCE = 5, 1.0
"""A candidate is timed this often, or until so many seconds are over."""
CAMERAS = ("visible", "infrared")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the answer is for."""

    purpose: str = "looking"
    fps: float = 0.0
    """Frames per second that a candidate has to reach on this machine; 0: any speed."""
    device: str = "cpu"
    frames: bool = False
    """The pairs are frames of one video."""
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, eq=False, kw_only=True)
class Row:
    """One candidate, or one of the two cameras."""

    method: str
    runtime: Runtime = "torch"
    fps: float = float("nan")
    measures: Mapping[str, float]
    """Means over the pairs."""
    reasons: Mapping[str, float] = field(default_factory=dict)
    """Measure → how much it adds to the score, beside the average candidate."""
    score: float = float("nan")
    """The sum of these: in logarithms of odds, as far as the blind rankings go."""
    spread: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Scores of the pairs."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The candidates, best first, then the cameras, and what did not work."""

    rows: Sequence[Row]
    cameras: Sequence[Row]
    slow: Mapping[str, float]
    """Candidates that are too slow, and their frames per second."""
    problems: Sequence[str]
    pairs: Sequence[Match]


@dataclass(frozen=True, kw_only=True)
class _Running:
    """A candidate that is ready."""

    runtime: Runtime
    fps: float
    fuse: Callable[[Tensor, Tensor], Tensor]


def candidates() -> list[str]:
    """What irvis can run as it is: every fusion without weights, and every shipped weight."""
    plain = [name for name, method in METHODS.items() if not method.learnable and name not in CAMERAS]
    return [*(f"{name}:{w}" for name, method in METHODS.items() for w in method.weights), *plain]


def some(matches: Sequence[T], frames: bool) -> list[T]:
    """Up to `MOST` pairs: the first ones of a video, otherwise spread over all."""
    if frames or len(matches) <= MOST:
        return list(matches[:MOST])
    return [matches[round(place)] for place in np.linspace(0, len(matches) - 1, MOST)]


def choose(
    matches: Sequence[Match], methods: Sequence[str], asked: Asked, finder: Finder | None = None,
    step: Callable[[], object] = lambda: None,
) -> Choice:  # fmt: skip
    """Judge `methods` on `matches`; `step` is called after each candidate of each pair.

    Raises IrvisError where nothing can be judged, or nothing is fast enough.
    """
    for method in methods:
        creation.find(creation.parse(method)[0])
    ready, slow, problems = _ready(read(matches[0], asked.reading), methods, asked)
    if not ready:
        fastest = max(slow, key=lambda name: slow[name], default="")
        told = f"the fastest here is {fastest} with {slow[fastest]:.3g}" if fastest else "; ".join(problems)
        raise IrvisError(f"no candidate reaches {asked.fps:g} pictures a second on {asked.device}: {told}")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in (*ready, *CAMERAS)}
    small: dict[str, list[Tensor]] = {name: [] for name in found}
    good: list[Match] = []
    for match in matches:
        for name, picture, pair in _pictures(match, ready, asked, problems):
            found[name].append(measured(picture, pair.visible, pair.infrared))
            small[name].append(adaptive_avg_pool2d(picture, CELLS))
            if finder:
                finder.look(name, match.name, picture)
            step()
        good += [match] * (len(found["visible"]) > len(good))
    whole = {name: each for name, each in found.items() if len(each) == len(good)}
    if not good or not set(whole) - {*CAMERAS}:
        raise IrvisError("no candidate could be run on every pair: " + "; ".join(problems))
    extra = {name: _extra(name, small, asked, finder) for name in whole}
    return _ordered(whole, extra, ready, asked, slow, problems, good)


def read(match: Match, reading: Reading) -> Pair:
    """A pair as it is judged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", io.IrvisWarning)
        return io.read_pair(
            match.visible, match.infrared, name=match.name, range=reading.range, color=reading.color,
            resize=reading.resize, sensing=reading.sensing,
        )  # fmt: skip


def _ready(pair: Pair, methods: Sequence[str], asked: Asked) -> tuple[dict[str, _Running], dict[str, float], list[str]]:
    """The candidates that are fast enough, those that are not, and those that do not run."""
    ready: dict[str, _Running] = {}
    slow: dict[str, float] = {}
    problems = []
    for name in methods:
        try:
            runs = [_timed(name, "torch", pair, asked)]
            if runs[0].fps < asked.fps and creation.find(creation.parse(name)[0]).learnable:
                runs.append(_timed(name, "auto", pair, asked))
            best = max(runs, key=lambda run: run.fps)
        except (IrvisError, RuntimeError) as problem:
            problems.append(f"{name}: {said(problem)}")
            continue
        if best.fps < asked.fps:
            slow[name] = best.fps
        else:
            ready[name] = best
    return ready, slow, problems


@torch.inference_mode()
def _timed(name: str, runtime: Runtime, pair: Pair, asked: Asked) -> _Running:
    fuser = creation.fuser(name, asked.device, runtime)
    images = pair.visible.to(asked.device), pair.infrared.to(asked.device)
    fuser(*images)
    spans: list[float] = []
    while len(spans) < CALLS and sum(spans) < PATIENCE:
        begun = time.perf_counter()
        fuser(*images).sum().item()  # waits for the device
        spans.append(time.perf_counter() - begun)
    return _Running(runtime=runtime, fps=1 / statistics.median(spans), fuse=fuser)


def _pictures(
    match: Match, ready: Mapping[str, _Running], asked: Asked, problems: list[str]
) -> Iterator[tuple[str, Tensor, Pair]]:
    """Every candidate's picture of a pair as an 8-bit file holds it, and those of the cameras."""
    try:
        pair = read(match, asked.reading)
    except (IrvisError, OSError) as problem:
        problems.append(f"{match.name}: {said(problem)}")
        return
    images = pair.visible.to(asked.device), pair.infrared.to(asked.device)
    for name, running in ready.items():
        try:
            with torch.inference_mode():  # as a decorator it would not hold in a generator that is checked
                picture = running.fuse(*images).cpu()
        except (IrvisError, RuntimeError) as problem:
            problems.append(f"{match.name}, {name}: {said(problem)}")
            continue
        yield name, (picture * 255).round().clamp(0, 255) / 255, pair
    yield "visible", pair.visible, pair
    yield "infrared", pair.infrared.expand_as(pair.visible), pair


def _extra(name: str, small: Mapping[str, list[Tensor]], asked: Asked, finder: Finder | None) -> dict[str, float]:
    """What only the whole folder tells: flicker of frames, average precision of a detector."""
    films = small[name], small["visible"], small["infrared"]
    steady = {"flicker": temporal_gain(*films).gain} if asked.frames and len(films[0]) > 1 else {}
    return {**steady, **({"detection": finder.precision(name, asked.purpose)} if finder else {})}


def _ordered(
    found: Mapping[str, list[dict[str, float]]], extra: Mapping[str, Mapping[str, float]],
    ready: Mapping[str, _Running], asked: Asked, slow: Mapping[str, float], problems: Sequence[str],
    matches: Sequence[Match],
) -> Choice:  # fmt: skip
    """Scores beside the average candidate, pair by pair."""
    names = [name for name in ready if name in found]
    keys = list(next(iter(found.values()))[0])
    values = {name: np.array([[one[key] for key in keys] for one in found[name]]) for name in found}
    mean = np.mean([values[name] for name in names], 0)
    apart = {key: float(np.mean([extra[name][key] for name in names])) for key in extra[names[0]]}
    rows = []
    for name in found:
        away = dict(zip(keys, np.nan_to_num(values[name] - mean).T, strict=True))
        away |= {key: np.full(len(matches), np.nan_to_num(extra[name][key] - apart[key])) for key in apart}
        each = contributions(away, asked.purpose, detected="detection" in apart)
        total = np.sum([*each.values()], 0)
        means = {key: _mean(column) for key, column in zip(keys, values[name].T, strict=True)}
        how = ready.get(name)
        rows.append(Row(
            method=name, runtime=how.runtime if how else "torch", fps=how.fps if how else float("nan"),
            measures={**means, **extra[name]}, reasons={key: float(of.mean()) for key, of in each.items()},
            score=float(total.mean()), spread=total,
        ))  # fmt: skip
    best = sorted((row for row in rows if row.method in names), key=lambda row: -row.score)
    cameras = [row for row in rows if row.method in CAMERAS and row.method not in names]
    return Choice(rows=best, cameras=cameras, slow=slow, problems=problems, pairs=matches)


def _mean(column: NDArray[np.float64]) -> float:
    known = column[np.isfinite(column)]
    return float(known.mean()) if len(known) else float("nan")
