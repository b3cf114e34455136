"""Generators side by side: in a thread of their own, a few items ahead; or one item at a time."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, TypeVar

import torch

T = TypeVar("T")
S = TypeVar("S")
M = TypeVar("M")
_Queue = Queue[tuple[bool, Any]]
"""(True, an item), or at the end (False, what was raised or None)."""
_WAIT = 0.1
"""Seconds between two looks at whether to go on: an interrupt is seen that soon on every system."""


def ahead(items: Iterable[T], count: int = 4) -> Generator[T, None, None]:
    """The same items in the same order, at most `count` of them made and not yet taken.

    What making them raises is raised here. However the iteration ends, the thread is gone and `items` is closed, in
    the thread that ran it.
    """
    made: _Queue = Queue(count)
    stop = Event()
    thread = Thread(target=_work, args=(items, made, stop), daemon=True)
    thread.start()
    try:
        while True:
            try:
                is_item, one = made.get(timeout=_WAIT)
            except Empty:
                continue
            if is_item:
                yield one
            elif isinstance(one, BaseException):
                raise one
            else:
                return
    finally:
        stop.set()
        thread.join()


def _work(items: Iterable[T], made: _Queue, stop: Event) -> None:
    end: BaseException | None = None
    try:
        for item in items:
            if not _put(made, (True, item), stop):
                break
    except BaseException as error:
        end = error
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()
    _put(made, (False, end), stop)


def _put(made: _Queue, one: tuple[bool, Any], stop: Event) -> bool:
    """False if nobody takes it any more."""
    while not stop.is_set():
        try:
            made.put(one, timeout=_WAIT)
            return True
        except Full:
            continue
    return False


def abreast(items: Iterable[T], do: Callable[[T], M], count: int) -> Iterator[M]:
    """What `do` makes of each item, in order, `count` at the same time, each with one thread of torch.

    Several frames with a thread each take less than one frame with several threads.
    """
    if count < 2:
        yield from map(do, items)
        return
    threads, waiting = torch.get_num_threads(), deque[Future[M]]()
    pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))
    try:
        for item in items:
            waiting.append(pool.submit(do, item))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # what threads to come start with


def beside(
    items: Iterable[T], seen: Callable[[T], S], make: Callable[[Iterator[S]], Iterator[M]]
) -> Iterator[tuple[T, M]]:  # fmt: skip
    """Each item with what a generator makes of it, which is given `seen` of the items and gives back one for each.

    No more items are held than the generator takes before it gives back (`itertools.tee` would hold dozens).
    """
    waiting: deque[T] = deque()

    def given() -> Iterator[S]:
        for item in items:
            waiting.append(item)
            yield seen(item)

    for made in make(given()):
        yield waiting.popleft(), made
