"""A place that holds one thing: who comes late finds the newest, and nobody who puts something in ever waits."""

from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """The last thing that was put in, and its number from 1."""

    def __init__(self) -> None:
        self.number = 0
        self.closed = False
        self._value: T | None = None
        self._bell = Condition()

    def put(self, value: T) -> None:
        """Take the place of what was there, whether anybody saw it or not."""
        with self._bell:
            self._value, self.number = value, self.number + 1
            self._bell.notify_all()

    def after(self, number: int, timeout: float | None = None) -> tuple[int, T] | None:
        """The newest, once it is a later one than this number; None when nothing came in time, or nothing will."""
        with self._bell:
            self._bell.wait_for(lambda: self.number > number or self.closed, timeout)
            if self.number <= number or self._value is None:
                return None
            return self.number, self._value

    def close(self) -> None:
        """Nothing more will come: who waits need not."""
        with self._bell:
            self.closed = True
            self._bell.notify_all()
