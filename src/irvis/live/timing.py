"""How fast and how late: rates and times over the last frames, and the clock that files are played by."""

import math
import threading
from collections import deque
from contextlib import suppress
from time import monotonic

import numpy as np

LATE = 0.5
"""Seconds that a file may be behind its own clock: what cannot be decoded at its speed makes the clock wait."""
GATHER = 10.0
"""Seconds that a file waits for the other to be open."""
KEPT = 20_000
"""Times that are kept for the statistics of a session."""


class Rate:
    """Events a second, over the last `count` of them."""

    def __init__(self, count: int = 60) -> None:
        self._last = deque[float](maxlen=count)

    def add(self, moment: float) -> None:
        """An event, on the monotonic clock."""
        self._last.append(moment)

    def at(self, now: float) -> float:
        """Events a second; it falls when nothing more comes."""
        last = list(self._last)
        if len(last) < 2:
            return 0.0
        step = (last[-1] - last[0]) / (len(last) - 1)
        late = now - last[-1]
        return 0.0 if late > max(3.0, 5 * step) else (len(last) - 1) / max(last[-1] - last[0], 1e-6)

    @property
    def step(self) -> float:
        """Seconds between two events, as usual; 0 where nobody knows."""
        last = list(self._last)
        return float(np.median(np.diff(last))) if len(last) > 1 else 0.0


class Delays:
    """Seconds that things took: the median and the 95th percentile, lately and of all."""

    def __init__(self) -> None:
        self._all = deque[tuple[float, float]](maxlen=KEPT)

    def add(self, since: float) -> None:
        """Of what began at this moment, on the monotonic clock, and is done now."""
        now = monotonic()
        self._all.append((now, now - since))

    def told(self, last: float = math.inf) -> dict[str, float | int | None]:
        """In ms: median, p95, and of how many, over the last seconds; None where there is none."""
        since = monotonic() - last
        values = np.array([took for moment, took in list(self._all) if moment >= since]) * 1000
        if not values.size:
            return {"median": None, "p95": None, "count": 0}
        median, high = np.percentile(values, (50, 95))
        return {"median": round(float(median), 1), "p95": round(float(high), 1), "count": values.size}


class Clock:
    """What files are played by: those of a session begin together, and where one is late, all are."""

    def __init__(self, files: int) -> None:
        self._gate = threading.Barrier(files)
        self._lock = threading.Lock()
        self._begun: float | None = None
        self.late = 0.0
        """Seconds that it waited for files."""

    def start(self) -> None:
        """Wait for the others, `GATHER` seconds at most."""
        with suppress(threading.BrokenBarrierError):
            self._gate.wait(GATHER)
        with self._lock:
            self._begun = monotonic() if self._begun is None else self._begun

    def give_up(self) -> None:
        """Nobody has to wait for the others."""
        self._gate.abort()

    def wait_for(self, time: float, stop: threading.Event) -> float:
        """Sleep until `time` seconds after the start; gives back the moment, on the monotonic clock."""
        with self._lock:
            assert self._begun is not None
            late = monotonic() - self._begun - time
            if late > LATE:
                self._begun, self.late = self._begun + late, self.late + late
        if late < 0:
            stop.wait(-late)
        return monotonic()
