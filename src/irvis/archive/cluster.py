"""Chunks to workers of a Ray cluster: one chunk each at a time, those of a dead worker again on another.

Plain actors and not Ray Data: it would want the whole list of blocks at the start, repeat the block of a dead worker
for ever (a picture that kills its process would hang the archive), and not say that a try is a second one, which a
worker must know to keep what the first try wrote.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from ..errors import IrvisError
from . import manifest
from .manifest import Row
from .storage import Place
from .work import Chunk, Plan, Tally, Worker, reason, tally

TRIES = 3
"""Workers that may die on one pair, or one after the other as they start, before it is given up."""


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Ray, joined to the cluster at `address`; None: that of RAY_ADDRESS, one that runs here, or a new one."""
    try:
        ray: Any = import_module("ray")
    except ImportError as problem:
        raise IrvisError("--ray needs an extra: pip install 'irvis[ray]'") from problem
    mine = not ray.is_initialized()
    if mine:
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError, RuntimeError) as problem:
            raise IrvisError(f"no Ray cluster at {address or 'this machine'}: {problem}") from problem
    try:
        yield ray
    finally:
        if mine:
            ray.shutdown()


@dataclass
class Crew:
    """The workers of one archive, each with the one thing it does: a chunk, or None while it starts."""

    ray: Any
    plan: Plan
    cpus: int
    """Of each worker."""
    busy: dict[Any, tuple[Any, Chunk | None]] = field(default_factory=dict)
    lost: int = 0
    """Workers that died."""

    def hire(self) -> None:
        """One more worker; it starts when the cluster has room for it."""
        gpus = 1 if on_gpu(self.plan) else 0
        kind = self.ray.remote(Worker).options(num_cpus=self.cpus, num_gpus=gpus, max_restarts=0)
        worker = kind.remote(self.plan, self.cpus)
        self.busy[worker.ready.remote()] = worker, None

    def next(self) -> tuple[Any, Chunk | None, Any]:
        """Wait for any worker: (worker, its chunk, what came of it: a Tally, None of a start, or the exception)."""
        [ready], _ = self.ray.wait(list(self.busy), num_returns=1)
        worker, chunk = self.busy.pop(ready)
        try:
            return worker, chunk, self.ray.get(ready)
        except self.ray.exceptions.RayError as problem:
            return worker, chunk, problem


def on_gpu(plan: Plan) -> bool:
    return plan.device.startswith("cuda")


def size(ray: Any, plan: Plan, workers: int) -> tuple[int, int]:
    """(workers, CPUs of each): one worker per CPU, or per GPU with its share of the CPUs, unless told how many."""
    there = ray.cluster_resources()
    cpus, gpus = (int(there.get(kind, 0)) for kind in ("CPU", "GPU"))
    count = workers or (gpus if on_gpu(plan) else cpus)
    if not 0 < count <= cpus or (on_gpu(plan) and count > gpus):
        wanted = f"{count or 'any'} workers on {plan.device}"
        raise IrvisError(f"the cluster has no room for {wanted}: it has {cpus} CPUs and {gpus} GPUs")
    return count, cpus // count


def run(ray: Any, plan: Plan, chunks: Iterator[Chunk], workers: int, cpus: int) -> Iterator[tuple[Tally, int]]:
    """(what became of a chunk, workers lost so far), as they come; every pair is told of once."""
    crew, again, in_a_row = Crew(ray, plan, cpus), deque[Chunk](), 0
    for _ in range(workers):
        crew.hire()
    while crew.busy:
        worker, chunk, found = crew.next()
        if isinstance(found, ray.exceptions.RayTaskError) and (chunk is None or chunk.lost + 1 >= TRIES):
            raise IrvisError(reason(found.cause)) from found
        if isinstance(found, Exception):
            crew.lost, in_a_row = crew.lost + 1, in_a_row + 1
            if chunk is None and in_a_row > TRIES * workers:
                raise IrvisError(f"workers die as they start: {reason(found)}")
            crew.hire()
            again.extend(retried(chunk) if chunk else ())
            if chunk and not retried(chunk):
                yield _given_up(plan, chunk, found), crew.lost
            continue
        if chunk is not None:
            in_a_row = 0
            yield found, crew.lost
        following = again.popleft() if again else next(chunks, None)
        if following is not None:
            crew.busy[worker.fuse.remote(following)] = worker, following
        elif not any(taken for _, taken in crew.busy.values()):
            return


def retried(chunk: Chunk) -> tuple[Chunk, ...]:
    """What is tried when a worker died on it: the same once more, then each pair alone; nothing after `TRIES`."""
    lost = chunk.lost + 1
    if lost >= TRIES and len(chunk.jobs) == 1:
        return ()
    if lost == 1 or len(chunk.jobs) == 1:
        return (replace(chunk, lost=lost),)
    return tuple(Chunk(f"{chunk.part}.{n}", (job,), lost=1) for n, job in enumerate(chunk.jobs))


def _given_up(plan: Plan, chunk: Chunk, problem: Exception) -> Tally:
    """The row of a pair that no worker survives."""
    [job] = chunk.jobs
    died = f"{TRIES} workers died on it, the last of {reason(problem)}"
    rows = [Row(name=job.name, output=plan.output(job.name), status="failed", problem=died)]
    manifest.write(Place(plan.out), job.name, chunk.part, rows)
    return tally(rows)
