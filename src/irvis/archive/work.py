"""One chunk of pairs on one worker: fetch ahead, fuse with the model that stays, store behind, note it all."""

import os
import platform
from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .. import io, jobs
from ..data.matching import Match
from ..errors import IrvisError, refuse_full
from ..record import Record, different, of_inputs
from ..spec import Precision, Runtime
from . import manifest, storage
from .manifest import Row
from .storage import Place

AHEAD = 4
"""Pairs fetched before their turn, and outputs that may still be on their way."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is done with every pair. Outputs go below `out`, any address; `writing.out` means nothing here."""

    out: str
    method: str
    reading: jobs.Reading
    writing: jobs.Writing
    tile: int | None = None
    device: str = "cpu"
    runtime: Runtime = "torch"
    precision: Precision | None = None
    strict: bool = False
    error: float = 0.0
    calibration: Path | None = None
    """A folder that every machine sees."""
    batch: int | None = None
    chunk: int = 256
    """The most pairs that a worker takes at a time; they are one part of the manifest."""

    def output(self, name: str) -> str:
        return Place(self.out).of(f"{name}.{self.writing.format}")


@dataclass(frozen=True)
class Job:
    """One pair by its addresses; `there`: an output exists of which the manifest says nothing."""

    name: str
    visible: str
    infrared: str
    there: bool = False


@dataclass(frozen=True)
class Chunk:
    """What a worker takes at a time; `part` names its part of the manifest, `lost` counts workers that died on it."""

    part: str
    jobs: tuple[Job, ...]
    lost: int = 0


@dataclass(frozen=True)
class Tally:
    """What became of a chunk; names only of what calls for attention."""

    fused: int = 0
    kept: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


class Worker:
    """A process of the cluster with one model, made when `ready` is asked, and the CPUs that it may use."""

    def __init__(self, plan: Plan, cpus: int = 1) -> None:
        self.plan, self.cpus = plan, cpus
        self.pool = ThreadPoolExecutor(2 * AHEAD)

    def ready(self) -> None:
        """Make the model; raises what is wrong with the method or the device."""
        import torch

        from .. import creation

        torch.set_num_threads(self.cpus)
        plan = self.plan
        how = plan.runtime, plan.precision, plan.error, plan.calibration
        self.fuser = creation.fuser(plan.method, plan.device, *how, plan.tile, plan.strict)
        self.record = jobs.record_of(self.fuser, plan.reading, plan.writing)
        self.pace = jobs.pace_for(plan.device, batch=plan.batch, together=plan.runtime == "torch")

    def fuse(self, chunk: Chunk) -> Tally:
        """Every pair of the chunk, then its part of the manifest."""
        rows = {job.name: self._row(job) for job in chunk.jobs}
        with TemporaryDirectory(prefix="irvis-") as room:
            found = self._found(chunk, Path(room))
            rows |= found | self._fused([job for job in chunk.jobs if job.name not in found], Path(room))
        manifest.write(Place(self.plan.out), chunk.jobs[0].name, chunk.part, rows.values())
        return tally(rows.values())

    def _row(self, job: Job) -> Row:
        output = self.plan.output(job.name)
        return Row(name=job.name, output=output, status="failed", worker=f"{platform.node()}:{os.getpid()}")

    def _found(self, chunk: Chunk, room: Path) -> dict[str, Row]:
        """Of the outputs that are there and may be kept: those that are whole, and what was made otherwise."""
        again = chunk.lost > 0 and self.plan.writing.if_exists != "overwrite"
        asked = [job for job in chunk.jobs if job.there or again]
        rows = self.pool.map(partial(_looked_at, room=room, record=self.record), map(self._row, asked), asked)
        return {row.name: row for row in rows if row is not None}

    def _fused(self, todo: Sequence[Job], room: Path) -> dict[str, Row]:
        """By the rules for files on one machine, copies of what is elsewhere; local outputs are written in place."""
        files = Fetching(todo, room, self.pool)
        out = Path(self.plan.out) if storage.is_local(self.plan.out) else room / "fused"
        writing = replace(self.plan.writing, out=out, if_exists="overwrite")
        how = {self.plan.method: self.fuser}, self.plan.reading, writing, self.plan.device
        results = jobs.fuse_all(files, *how, pace=self.pace) if todo else ()
        storing = deque[Future[Row]]()
        rows = []
        for number, done in enumerate(results):
            problem = files.told(number, done.problem.replace(f"{out}/", f"{self.plan.out}/"))
            row = replace(self._row(todo[number]), problem=problem, notes=done.notes)
            files.forget(number)
            storing.append(self.pool.submit(_stored, done.files[0], row))
            if len(storing) > AHEAD:
                rows.append(storing.popleft().result())
        rows += [row.result() for row in storing]
        return {row.name: row for row in rows}


class Fetching(Sequence[Match]):
    """The pairs as local files, fetched a little ahead of whoever goes through them. One that cannot be fetched is a
    pair of files that are not there, and `told` says why."""

    def __init__(self, todo: Sequence[Job], room: Path, pool: ThreadPoolExecutor) -> None:
        self.todo, self.room, self.pool = todo, room, pool
        self.fetched: list[Future[Match]] = []

    def __len__(self) -> int:
        return len(self.todo)

    def __getitem__(self, number: Any) -> Any:
        job = self.todo[number]
        for following in self.todo[len(self.fetched) : number + AHEAD]:
            self.fetched.append(self.pool.submit(_fetched, following, self.room))
        missing = self.room / "missing"
        return Match(job.name, missing, missing) if self.fetched[number].exception() else self.fetched[number].result()

    def told(self, number: int, problem: str) -> str:
        """What is said of a pair, with the addresses of its files."""
        if (why := self.fetched[number].exception()) is not None:
            return reason(why)
        pair, job = self.fetched[number].result(), self.todo[number]
        return problem.replace(str(pair.visible), job.visible).replace(str(pair.infrared), job.infrared)

    def forget(self, number: int) -> None:
        """Remove the copies of a pair; files that were local from the start stay."""
        if self.fetched[number].exception() is None:
            pair = self.fetched[number].result()
            for copy in (pair.visible, pair.infrared):
                if copy.parent == self.room:
                    copy.unlink()


def tally(rows: Collection[Row]) -> Tally:
    """The sums of a chunk."""
    fused, kept = (sum(row.status == status for row in rows) for status in ("fused", "kept"))
    problems = tuple((row.name, row.problem) for row in rows if row.problem)
    return Tally(fused, kept, problems, tuple((row.name, note) for row in rows for note in row.notes))


def reason(problem: BaseException) -> str:
    """One line."""
    if isinstance(problem, IrvisError):
        return str(problem)
    return f"{type(problem).__name__}: {str(problem).strip()}".split("\n")[0]


def _fetched(job: Job, room: Path) -> Match:
    return Match(job.name, _copy(job.visible, room), _copy(job.infrared, room))


def _copy(url: str, room: Path) -> Path:
    try:
        return storage.fetch(url, room)
    except Exception as problem:
        raise IrvisError(f"{url} cannot be fetched: {reason(problem)}") from problem


def _looked_at(row: Row, job: Job, room: Path, record: Record) -> Row | None:
    """The row of an output that is there, whole (it decodes to its last pixel), and made so; None: it is to be made."""
    if not storage.exists(row.output):
        return None
    file = storage.fetch(row.output, room)
    if not io.is_complete(file):
        return None
    sizes = [storage.size(url) for url in (job.visible, job.infrared)]
    known = [size for size in sizes if size is not None]
    wanted = of_inputs(record, *known) if len(known) == len(sizes) else record
    if other := different(io.read_made(file), wanted):
        return replace(row, problem=f"{row.output} {other}: {jobs.ADVICE}")
    return replace(row, status="kept", size=file.stat().st_size)


def _stored(made: Path, row: Row) -> Row:
    """Bring an output to where it belongs, unless it is there or there is none."""
    if row.problem:
        return row
    row = replace(row, status="fused", size=made.stat().st_size)
    if storage.is_local(row.output):
        return row
    try:
        storage.store(made, row.output)
        return row
    except Exception as problem:
        refuse_full(problem)
        return replace(row, status="failed", problem=f"{row.output} cannot be written: {reason(problem)}")
    finally:
        made.unlink()
