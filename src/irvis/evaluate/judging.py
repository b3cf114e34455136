"""Numbers, pair by pair: every entry fused and measured, in parallel, and kept so that a second run goes on.

OUT/pairs/NAME.json holds what is known of a pair: entry → digest of what it was made of, and metric → value. A value
is made anew when its digest changes: other weights, another file, another profile.
"""

import json
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import torch

from .. import __version__, io
from ..data.matching import Match
from ..errors import IrvisError
from ..files import whole
from ..jobs import Reading
from ..metrics import find, measure, sharing
from ..types import RGB, Pair, Picture
from .entries import Entry, digest, fingerprint, fused

Values = dict[str, float]
MOST_WORKERS = 8
PAQ2PIQ = "PaQ2PiQ"
USUAL = (
    "EN", "SD", "SF", "AG", "MI", "CC", "SCD", "VIF", "Qabf", "Nabf", "SSIM", "MS_SSIM", "Qw", "Qe", "Q_CB", "Q_CV",
    "CHROMA", "NIQE", "BRISQUE",
)  # fmt: skip
"""What papers report most, one of each kind; every metric of another profile."""


class Kept(NamedTuple):
    """An entry's values of one pair, and the digest of what they were made of."""

    digest: str
    values: Values


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is judged, how, and where it is kept."""

    entries: Sequence[Entry]
    metrics: Sequence[str]
    profile: str
    out: Path
    reading: Reading = field(default_factory=Reading)
    device: str = "cpu"
    paq2piq: Path | None = None
    """Published weights of PaQ-2-PiQ: its score then joins the metrics."""

    @property
    def columns(self) -> list[str]:
        """The metrics, in order."""
        return [*self.metrics, *([PAQ2PIQ] if self.paq2piq else [])]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One pair: entry → metric → value (NaN where a metric is undefined), and what went wrong."""

    pair: Match
    values: Mapping[str, Values]
    problems: tuple[str, ...] = ()
    kept: bool = False
    """Nothing had to be computed."""


def choose(text: str, profile: str) -> list[str]:
    """The metrics for "usual", "all" or names by commas; IrvisError where the profile lacks one."""
    every = find(profile)
    if text == "all":
        return every
    if text == "usual":
        return [name for name in USUAL if name in every] if profile == "default" else every
    names = [name.strip() for name in text.split(",")]
    if PAQ2PIQ in names:
        raise IrvisError(f"{PAQ2PIQ} needs its published weights: leave it out of --metrics and give --paq2piq FILE")
    return find(profile, names)


def judge_all(pairs: Sequence[Match], plan: Plan, workers: int = 0) -> Iterator[Judged]:
    """Judge every pair, in whatever order they are done. `workers` 0: one per core, at most `MOST_WORKERS`."""
    count = min(workers or min(os.cpu_count() or 1, MOST_WORKERS), len(pairs))
    if count <= 1:
        yield from (judge(pair, plan) for pair in pairs)
        return
    with ProcessPoolExecutor(count, get_context("spawn"), initializer=_one_thread) as pool:
        try:
            for done in as_completed([pool.submit(judge, pair, plan) for pair in pairs]):
                yield done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _one_thread() -> None:
    torch.set_num_threads(1)


def judge(match: Match, plan: Plan) -> Judged:
    """One pair: what is known already is kept, the rest is computed; a failure is noted and the rest goes on."""
    known = _known(plan.out, match.name)
    stamps: dict[str, str] = {}
    problems: list[str] = []
    for entry in plan.entries:
        try:
            stamps[entry.name] = _stamp(entry, match, plan)
        except (IrvisError, OSError) as problem:
            problems.append(f"{match.name}: {problem}")
    fresh = {name: known[name] for name, stamp in stamps.items() if name in known and known[name].digest == stamp}
    missing = [e for e in plan.entries if e.name in stamps and not _holds(fresh.get(e.name), plan.columns)]
    if missing:
        found, failed = _computed(match, plan, missing)
        problems += failed
        for name, values in found.items():
            before = fresh[name].values if name in fresh else {}
            fresh[name] = Kept(stamps[name], {**before, **values})
        _keep(plan.out, match.name, {**known, **fresh})
    values_of = {
        name: {metric: kept.values[metric] for metric in plan.columns}
        for name, kept in fresh.items()
        if _holds(kept, plan.columns)
    }
    return Judged(pair=match, values=values_of, problems=tuple(problems), kept=not missing)


def read(match: Match, reading: Reading) -> Pair:
    """A pair as it is judged; warnings about it were given when it was fused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", io.IrvisWarning)
        return io.read_pair(
            match.visible, match.infrared, name=match.name, range=reading.range, color=reading.color,
            resize=reading.resize,
        )  # fmt: skip


@torch.inference_mode()
def _computed(match: Match, plan: Plan, entries: Sequence[Entry]) -> tuple[dict[str, Values], list[str]]:
    values: dict[str, Values] = {}
    problems = []
    try:
        pair = read(match, plan.reading)
        infrared = pair.infrared.expand_as(pair.visible).contiguous()
        with sharing() as memory:
            for entry in entries:
                try:
                    image = fused(entry, pair, plan.device)
                    values[entry.name] = _measured(image, pair.visible, infrared, plan)
                    memory.forget(image)
                except (IrvisError, ValueError, OSError) as problem:
                    problems.append(f"{match.name}, {entry.name}: {problem}")
    except (IrvisError, OSError) as problem:
        problems.append(f"{match.name}: {problem}")
    return values, problems


def _measured(image: RGB, visible: RGB, infrared: RGB, plan: Plan) -> Values:
    found = measure(image, visible, infrared, metrics=plan.metrics, profile=plan.profile)
    if plan.paq2piq:
        found[PAQ2PIQ] = _paq(plan.paq2piq)(image, visible, infrared)
    return {name: float(value) for name, value in found.items()}


@cache
def _paq(path: Path) -> Callable[[Picture, Picture, Picture], torch.Tensor]:
    from ..metrics import paq

    return paq.load(path)


def _stamp(entry: Entry, match: Match, plan: Plan) -> str:
    files = [f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}" for path in (match.visible, match.infrared)]
    return digest(__version__, plan.profile, str(plan.reading), fingerprint(entry, match.name), *files)


def _holds(kept: Kept | None, columns: Sequence[str]) -> bool:
    return kept is not None and all(metric in kept.values for metric in columns)


def _file(out: Path, name: str) -> Path:
    return out / "pairs" / f"{name}.json"


def _known(out: Path, name: str) -> dict[str, Kept]:
    try:
        tree = json.loads(_file(out, name).read_text())
        return {
            entry: Kept(digest, {m: float(v) for m, v in values.items()}) for entry, (digest, values) in tree.items()
        }
    except (OSError, ValueError):
        return {}


def _keep(out: Path, name: str, entries: Mapping[str, Kept]) -> None:
    tree = {entry: [kept.digest, {m: _word(v) for m, v in kept.values.items()}] for entry, kept in entries.items()}
    with whole(_file(out, name)) as unfinished:
        unfinished.write_text(json.dumps(tree))


def _word(value: float) -> float | str:
    """JSON knows neither NaN nor infinity: words take their place."""
    return value if math.isfinite(value) else str(value)
