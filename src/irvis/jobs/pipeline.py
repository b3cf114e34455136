"""Three stages that overlap: while some items are fused, the next ones are read and the last ones are written.

Every stage has its threads. An item is begun only when one of the items in work is over, so what was read and not yet
written is bounded by count (`Pace.ahead`) and by `PIXELS`, whichever stage is slow. Nothing waits for a batch to fill:
a free fuser takes what is there.
"""

from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from threading import Condition, Lock
from typing import Generic, Protocol, TypeVar, runtime_checkable

import torch

PIXELS = 2**27
"""While pairs of more pixels than this (134 million, 2.1 GB as read) are in work, none is begun."""
FUSED_PIXELS = 2**22
"""Pairs are fused at the same time up to this many pixels (2048×2048 in all); a larger pair is fused alone."""


@runtime_checkable
class Load(Protocol):
    """What a pair must tell the pipeline once it is read."""

    @property
    def kind(self) -> Hashable:
        """Pairs of one kind can be fused as one batch."""

    @property
    def pixels(self) -> int:
        """Height × width."""


Item = TypeVar("Item")
Loaded = TypeVar("Loaded", bound=Load)
Made = TypeVar("Made")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Ended(Generic[Result]):
    """The result of an item that is neither fused nor written."""

    result: Result


@dataclass(frozen=True, kw_only=True)
class Stages(Generic[Item, Loaded, Made, Result]):
    """What is done to an item. What a stage raises ends the whole flow: failures of one item are results."""

    read: Callable[[Item], Loaded | Ended[Result]]
    fuse: Callable[[Sequence[Loaded]], Sequence[Made]]
    write: Callable[[Made], Result]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How many threads do what."""

    cores: int
    """Shared by all that is fused at the same time: torch gets cores / fusers, more for large pairs."""
    readers: int
    fusers: int
    writers: int
    batch: int = 1
    """At most so many pairs of one kind are fused as one."""

    @property
    def ahead(self) -> int:
        """Items begun and not yet over, at most."""
        return self.readers + self.writers + 2 * self.batch


def flow(
    items: Sequence[Item], stages: Stages[Item, Loaded, Made, Result], pace: Pace
) -> Generator[Result, None, None]:
    """The result of every item, in the order of the items.

    An exception of a stage (KeyboardInterrupt too) is raised here at the place of its item. Whatever ends the
    iteration, no thread is left: a file that is being written is finished, all other work is dropped.
    """
    if len(items) == 1:
        yield _alone(items[0], stages)
        return
    threads = torch.get_num_threads()
    line = _Line(stages, pace, len(items))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            if len(waiting) >= pace.ahead:
                yield _result(waiting)
            waiting.append(line.begin(item))
        while waiting:
            yield _result(waiting)
    finally:
        line.stop()
        torch.set_num_threads(threads)  # what threads to come start with


def _alone(item: Item, stages: Stages[Item, Loaded, Made, Result]) -> Result:
    loaded = stages.read(item)
    if isinstance(loaded, Ended):
        return loaded.result
    [made] = stages.fuse([loaded])
    return stages.write(made)


def _result(waiting: deque[Future[Result]]) -> Result:
    """The oldest item's result; Windows tells of Ctrl-C only between two waits."""
    first = waiting.popleft()
    while not wait([first], timeout=1).done:
        pass
    return first.result()


class Room:
    """Units that threads share: who asks waits until so many are free, or all are."""

    def __init__(self, units: int) -> None:
        self.units, self.taken, self.closed = units, 0, False
        self.changed = Condition()

    def take(self, units: int) -> None:
        """Raises CancelledError once the room is closed."""
        with self.changed:
            self.changed.wait_for(lambda: self.closed or not self.taken or self.taken + units <= self.units)
            if self.closed:
                raise CancelledError
            self.taken += units

    def add(self, units: int) -> None:
        """Take (or, below 0, give back) units without waiting."""
        with self.changed:
            self.taken += units
            self.changed.notify_all()

    def close(self) -> None:
        """Nobody waits any longer."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()


class _Line(Generic[Item, Loaded, Made, Result]):
    """The threads of the three stages and what lies between them."""

    def __init__(self, stages: Stages[Item, Loaded, Made, Result], pace: Pace, items: int) -> None:
        self.stages, self.pace = stages, pace
        self.fusers = min(pace.fusers, items)
        counts = (pace.readers, self.fusers, pace.writers)
        self.reading, self.fusing, self.writing = (
            ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) for count in counts
        )
        self.memory, self.cores = Room(PIXELS), Room(pace.cores)
        self.loaded: deque[tuple[Loaded, Future[Result]]] = deque()
        self.lock = Lock()

    def begin(self, item: Item) -> Future[Result]:
        """Send an item on its way."""
        done: Future[Result] = Future()
        self.reading.submit(self._read, item, done)
        return done

    def stop(self) -> None:
        """Drop what waits, and wait for what runs."""
        self.memory.close()
        self.cores.close()
        for pool in (self.reading, self.fusing, self.writing):
            pool.shutdown(cancel_futures=True)

    def _read(self, item: Item, done: Future[Result]) -> None:
        with _told_to(done):
            self.memory.take(0)
            loaded = self.stages.read(item)
            if isinstance(loaded, Ended):
                done.set_result(loaded.result)
                return
            self.memory.add(loaded.pixels)
            done.add_done_callback(partial(_give_back, self.memory, loaded.pixels))
            with self.lock:
                self.loaded.append((loaded, done))
            self.fusing.submit(self._fuse)

    def _fuse(self) -> None:
        """Fuse a batch. There are as many calls as items; those whose items went with an earlier batch find none."""
        batch = self._batch()
        with _told_to(*(done for _, done in batch)):
            if not batch:
                return
            made = self._fused([loaded for loaded, _ in batch])
            for (_, done), one in zip(batch, made, strict=True):
                self.writing.submit(self._write, one, done)

    def _batch(self) -> list[tuple[Loaded, Future[Result]]]:
        """The first that waits and others of its kind."""
        with self.lock:
            batch: list[tuple[Loaded, Future[Result]]] = []
            left: deque[tuple[Loaded, Future[Result]]] = deque()
            for entry in self.loaded:
                fits = not batch or (len(batch) < self.pace.batch and entry[0].kind == batch[0][0].kind)
                (batch if fits else left).append(entry)
            self.loaded = left
        return batch

    def _fused(self, batch: Sequence[Loaded]) -> Sequence[Made]:
        """`stages.fuse` with the threads that are due to so many pixels."""
        cores, pixels = self.pace.cores, sum(loaded.pixels for loaded in batch)
        threads = min(cores, max(cores // self.fusers, ceil(cores * pixels / FUSED_PIXELS)))
        self.cores.take(threads)
        try:
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)  # of this thread of Python
            return self.stages.fuse(batch)
        finally:
            self.cores.add(-threads)

    def _write(self, made: Made, done: Future[Result]) -> None:
        with _told_to(done):
            done.set_result(self.stages.write(made))


def _give_back(memory: Room, pixels: int, _: object) -> None:
    memory.add(-pixels)


@contextmanager
def _told_to(*waiting: Future[Result]) -> Iterator[None]:
    """Whatever is raised is told to those who wait."""
    try:
        yield
    except BaseException as error:
        for done in waiting:
            if not done.done():
                done.set_exception(error)
