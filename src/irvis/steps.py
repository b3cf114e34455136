"""What long work is busy with, told to whoever listens in this thread: a bar on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int, int | None], None]
"""Is given what is done, how many parts of it are over, and of how many (None: not known)."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def step(what: str, done: int = 0, total: int | None = None) -> None:
    """Tell the listener of this thread, if there is one."""
    listener = _listener.get()
    if listener is not None:
        listener(what, done, total)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """`listener` hears of every step that this thread takes meanwhile."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
