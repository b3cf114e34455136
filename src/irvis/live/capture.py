"""A thread that takes a source's pictures as they come and keeps the newest; a source that stops is opened anew."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from time import monotonic
from typing import Literal

from ..errors import IrvisError
from ..video.frame import Frame
from .sources import Opened
from .timing import Rate

State = Literal["connecting", "running", "lost", "ended", "failed"]
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds before a source is opened again; twice as long each time."""
WAITING = 900
"""Frames that are held where a side is delayed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Shot:
    """A picture, and when it was taken: seconds on the monotonic clock. `number` counts from 1."""

    frame: Frame
    taken: float
    number: int


Open = Callable[[tuple[int, int] | None], Opened]
"""Opens the source; its pictures are brought to this height and width."""
Tell = Callable[[str], None]


class Capture:
    """One source.

    Parameters
    ----------
    name: visible or infrared.
    open: see `Open`; called again when the source stops.
    bell: rung at each picture and each change.
    delay: seconds by which pictures are held back.
    again: whether it is opened again when it stops; files are not.
    wait: whether it may be missing at first.
    tell: gets a line for what the user should know.
    """

    def __init__(
        self, name: str, open: Open, bell: threading.Condition, *, delay: float = 0.0, again: bool = True,
        wait: bool = False, tell: Tell = lambda line: None,
    ) -> None:  # fmt: skip
        self.name, self.open, self.bell, self.delay = name, open, bell, delay
        self.again, self.wait, self.tell = again, wait, tell
        self.state: State = "connecting"
        self.problem = ""
        self.last: Shot | None = None
        self.captured = self.used = self.returns = 0
        self.rate, self.claimed = Rate(), Fraction(0)
        self.duration: float | None = None
        self.listeners: list[Callable[[Shot], None]] = []
        self._size: tuple[int, int] | None = None
        self._waiting = deque[Shot](maxlen=WAITING)
        self._newest: Shot | None = None
        self._stop = threading.Event()
        self._begun, self._lost_at = monotonic(), 0.0
        self._thread = threading.Thread(target=self._run, name=f"capture {name}", daemon=True)

    def start(self) -> None:
        """Begin; comes back at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end."""
        self._stop.set()

    def join(self, timeout: float) -> bool:
        """Whether it ended in time: a driver that waits for a camera cannot be interrupted."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def stopping(self) -> threading.Event:
        """Set when it should end."""
        return self._stop

    def newest(self, now: float) -> Shot | None:
        """The newest picture that is due."""
        while self._waiting and self._waiting[0].taken + self.delay <= now:
            self._newest = self._waiting.popleft()
        return self._newest

    def due(self) -> float | None:
        """When the next picture that is held back may be seen."""
        with suppress(IndexError):
            return self._waiting[0].taken + self.delay
        return None

    # ------------------------------------------------------------------------------------- its thread

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            before = self.captured
            finished = self._read()
            if self._stop.is_set():
                return
            if finished and (not self.again or self.duration is not None):
                return self._become("ended")
            if self.captured == 0 and not (self.wait and self.again):
                return self._become("failed")
            if not self.again:
                self.tell(f"{self.name} ends early: {self.problem}")
                return self._become("ended")
            pause = FIRST_PAUSE if self.captured > before else pause
            self._lose(pause)
            self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _read(self) -> bool:
        """Take pictures until there are none; whether the source came to its end."""
        opened: Opened | None = None
        try:
            opened = self.open(self._size)
            self.claimed, self.duration = opened.rate or Fraction(0), opened.duration
            for line in opened.notes:
                self.tell(f"{self.name}: {line}")
            for frame, taken in opened.shots:
                if self._stop.is_set():
                    return False
                self._take(frame, taken)
            self.problem = "it ended"
            return self.captured > 0
        except IrvisError as error:
            self.problem = str(error).rstrip(".")
        except Exception as error:  # whatever a driver or a stream does, it is tried again
            self.problem = f"{type(error).__name__}: {str(error).strip()}".split("\n")[0]
        finally:
            if opened is not None:
                for line in dict.fromkeys(opened.trouble):
                    self.tell(f"{self.name}: {line}")
                with suppress(Exception):
                    opened.close()
        return False

    def _take(self, frame: Frame, taken: float) -> None:
        self._size = self._size or frame.size
        if self.state == "lost":
            self.returns += self.captured > 0
            self.tell(f"{self.name} is {'back' if self.captured else 'there'} after {taken - self._lost_at:.1f} s")
        time = Fraction(round((taken - self._begun) * 1_000_000), 1_000_000)
        shot = Shot(frame=replace(frame, time=time), taken=taken, number=self.captured + 1)
        with self.bell:
            self.captured, self.state, self.last = shot.number, "running", shot
            self.rate.add(taken)
            self._waiting.append(shot)
            if not self.delay:
                self.newest(taken)
            self.bell.notify_all()
        for listener in list(self.listeners):
            listener(shot)

    def _lose(self, pause: float) -> None:
        if self.state != "lost":
            self._lost_at = monotonic()
            self.tell(f"{self.name} {'lost' if self.captured else 'is not there'}: {self.problem}; trying again")
        self._become("lost")

    def _become(self, state: State) -> None:
        with self.bell:
            self.state = state
            self.bell.notify_all()
