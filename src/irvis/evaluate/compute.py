"""Numbers, pair by pair: every entry fused and measured, in parallel, and kept so that a second run goes on.

OUT/pairs/PROFILE/NAME.json holds what is known of a pair: entry → digest of what it was made of, and metric → value. A
value is made anew when its digest changes: other weights, another file, other code.
"""

import json
import math
import os
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import torch

from .. import io
from ..data.matching import Match
from ..errors import IrvisError, said
from ..files import digest as digest_of_file
from ..files import whole
from ..jobs import Reading
from ..metrics import find, measure, sharing
from ..types import RGB, Pair, Picture
from .entries import Entry, code, digest, fingerprint, fused

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
    stems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Pair → what fused images of it may be called in folders."""

    def __post_init__(self) -> None:
        if self.reading.laying is not None or self.reading.watched:
            raise IrvisError(
                "metrics need registered pairs: align them first (irvis fuse --align writes fused files, which "
                "irvis evaluate --fused judges beside registered sources)"
            )

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
    notes: tuple[str, ...] = ()
    """Warnings about the pair's files."""
    kept: bool = False
    """Nothing had to be computed."""


def choose(text: str, profile: str) -> list[str]:
    """The metrics for "usual", "all" or names by commas; IrvisError where the profile lacks one."""
    every = find(profile)
    if text == "all":
        return every
    if text == "usual":
        return [name for name in USUAL if name in every] if profile == "default" else every
    names = [name.strip() for name in text.split(",") if name.strip()]
    if len(names) > len(set(names)):
        raise IrvisError(f"--metrics {text} names a metric twice")
    if PAQ2PIQ in names:
        raise IrvisError(f"{PAQ2PIQ} needs its published weights: leave it out of --metrics and give --paq2piq FILE")
    return find(profile, names)


@contextmanager
def quietly(total: int) -> Iterator[Callable[[], object]]:
    """No progress is shown."""
    yield lambda: None


def judge_all(
    pairs: Sequence[Match], plan: Plan, workers: int = 0, step: Callable[[], object] = lambda: None
) -> Iterator[Judged]:
    """Judge every pair, in whatever order they are done. `workers` 0: one per core, at most `MOST_WORKERS`.

    step: called after each entry of each pair, from another thread where there are several workers.
    """
    count = min(workers or min(os.cpu_count() or 1, MOST_WORKERS), len(pairs))
    if count <= 1:
        yield from (judge(pair, plan, step) for pair in pairs)
        return
    with (
        _stepping(step) as told,
        ProcessPoolExecutor(count, get_context("spawn"), initializer=_start, initargs=(told,)) as pool,
    ):
        try:
            for done in as_completed([pool.submit(_judge_told, pair, plan) for pair in pairs]):
                yield done.result()
        except BrokenProcessPool as problem:
            raise IrvisError("a worker ended: too little memory? Try fewer --workers; the rest is kept") from problem
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _stepping(step: Callable[[], object]) -> Iterator["SimpleQueue[bool]"]:
    """A queue of which everything put in is a step; False ends it."""
    told: SimpleQueue[bool] = get_context("spawn").SimpleQueue()

    def listen() -> None:
        while told.get():
            step()

    listener = Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield told
    finally:
        told.put(False)
        listener.join()


_TOLD: list["SimpleQueue[bool]"] = []
"""Of a worker: where it tells its steps."""


def _start(told: "SimpleQueue[bool]") -> None:
    """A worker has one thread, and ends with the command."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _TOLD.append(told)


def _judge_told(match: Match, plan: Plan) -> Judged:
    return judge(match, plan, lambda: _TOLD[0].put(True))


def judge(match: Match, plan: Plan, step: Callable[[], object] = lambda: None) -> Judged:
    """One pair: what is known already is kept, the rest is computed; a failure is noted and the rest goes on.

    step: called after each entry.
    """
    known = _known(plan, match.name)
    fresh: dict[str, Kept] = {}
    problems: list[str] = []
    for entry in plan.entries:
        try:
            made = stamp(entry, match, plan)
        except (IrvisError, OSError) as problem:
            problems.append(f"{match.name}, {entry.name}: {problem}")
            continue
        before = known.get(entry.name)
        fresh[entry.name] = before if before and before.digest == made else Kept(made, {})
    todo = {
        entry: missing
        for entry in plan.entries
        if entry.name in fresh and (missing := [m for m in plan.columns if m not in fresh[entry.name].values])
    }
    notes: tuple[str, ...] = ()
    for _ in range(len(plan.entries) - len(todo)):
        step()
    if todo:
        found, failed, notes = _computed(match, plan, todo, step)
        problems += failed
        for name, new in found.items():
            fresh[name] = fresh[name]._replace(values={**fresh[name].values, **new})
        _keep(plan, match.name, {**known, **{name: kept for name, kept in fresh.items() if kept.values}})
    values = {
        name: {metric: kept.values.get(metric, math.nan) for metric in plan.columns}
        for name, kept in fresh.items()
        if kept.values
    }
    return Judged(pair=match, values=values, problems=tuple(problems), notes=notes, kept=not todo)


def read(match: Match, reading: Reading) -> Pair:
    """A pair as it is judged."""
    return io.read_pair(
        match.visible, match.infrared, name=match.name, range=reading.range, color=reading.color,
        resize=reading.resize, sensing=reading.sensing,
    )  # fmt: skip


@torch.inference_mode()
def _computed(
    match: Match, plan: Plan, todo: Mapping[Entry, Sequence[str]], step: Callable[[], object]
) -> tuple[dict[str, Values], list[str], tuple[str, ...]]:
    """Values by entry, what failed, and warnings about the files."""
    values: dict[str, Values] = {}
    problems: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", io.IrvisWarning)
        try:
            pair = read(match, plan.reading)
        except Exception as problem:  # whatever it is, the other pairs are still to be judged
            return values, [f"{match.name}: {said(problem)}"], ()
    infrared = pair.infrared.expand_as(pair.visible).contiguous()
    with sharing() as memory:
        for entry, metrics in todo.items():
            try:
                image = fused(entry, pair, plan.stems[match.name], plan.device)
            except Exception as problem:
                problems.append(f"{match.name}, {entry.name}: {said(problem)}")
            else:
                values[entry.name], failed = _measured(image, pair.visible, infrared, metrics, plan)
                problems += [f"{match.name}, {entry.name}, {text}" for text in failed]
                memory.forget(image)
            step()
    return values, problems, tuple(f"{match.name}: {warning.message}" for warning in caught)


def _measured(image: RGB, visible: RGB, infrared: RGB, metrics: Sequence[str], plan: Plan) -> tuple[Values, list[str]]:
    """Metric by metric, so that one that fails does not take the others with it."""
    values: Values = {}
    failed = []
    for name in metrics:
        try:
            if name == PAQ2PIQ and plan.paq2piq:
                values[name] = float(paq2piq(plan.paq2piq)(image, visible, infrared))
            else:
                found = measure(image, visible, infrared, metrics=[name], profile=plan.profile)
                values[name] = float(found[name])
        except Exception as problem:
            failed.append(f"{name}: {said(problem)}")
    return values, failed


@cache
def paq2piq(path: Path) -> Callable[[Picture, Picture, Picture], torch.Tensor]:
    """PaQ-2-PiQ's network, kept for the whole evaluation."""
    from ..metrics import paq

    return paq.load(path)


@cache
def _weights_digest(path: Path | None) -> str:
    return digest_of_file(path) if path else ""


def stamp(entry: Entry, match: Match, plan: Plan) -> str:
    """What the values of an entry and pair depend on."""
    files = [f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}" for path in (match.visible, match.infrared)]
    made = fingerprint(entry, plan.stems[match.name])
    return digest(code(), str(plan.reading), _weights_digest(plan.paq2piq), made, *files)


def _file(plan: Plan, name: str) -> Path:
    return plan.out / "pairs" / plan.profile / f"{name}.json"


def _known(plan: Plan, name: str) -> dict[str, Kept]:
    try:
        tree = json.loads(_file(plan, name).read_text())
        return {
            entry: Kept(digest, {metric: float(value) for metric, value in values.items()})
            for entry, (digest, values) in tree.items()
        }
    except (OSError, ValueError):
        return {}


def _keep(plan: Plan, name: str, entries: Mapping[str, Kept]) -> None:
    tree = {entry: [kept.digest, {m: _word(v) for m, v in kept.values.items()}] for entry, kept in entries.items()}
    with whole(_file(plan, name)) as unfinished:
        unfinished.write_text(json.dumps(tree))


def _word(value: float) -> float | str:
    """JSON knows neither NaN nor infinity: words take their place."""
    return value if math.isfinite(value) else str(value)
