"""A generator that is given one item at a time: what keeps its state in a generator serves a live stream as well."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

S = TypeVar("S")
M = TypeVar("M")


class Fed(Generic[S, M]):
    """What `make` gives back for each item, as soon as it is there; it must give back one for each."""

    def __init__(self, make: Callable[[Iterator[S]], Iterator[M]]) -> None:
        self._made = make(self._given())
        self._item: S

    def __call__(self, item: S) -> M:
        """The next one."""
        self._item = item
        return next(self._made)

    def _given(self) -> Iterator[S]:
        while True:
            yield self._item
