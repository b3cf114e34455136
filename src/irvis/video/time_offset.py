"""How far apart two streams were started: where one shows motion the other does, too.

Motion of a stream is the mean change of its pixels from frame to frame, per second, on a small picture. Both
series are laid on one grid of time, replaced by their ranks (a shutter or a flash then weighs no more than any other
moment) and correlated at every offset (Spearman's coefficient). The offset is that of the highest coefficient; it is
believed where chance explains it badly (odds below 1 to 100,000 over all offsets), and no other one comes close.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..errors import IrvisError
from .frame import Frame, Samples

SIDE = 48
"""Pixels of the longer side of the small picture, about."""
STEP = 1 / 30
"""Seconds between two moments of the grid; the slower stream's step where that is longer."""
SURE = 5.0
"""Confidence from which an offset is believed."""
LEAST, AHEAD = 0.3, 0.05
"""Correlation below which none is, and by which it must lead before that of any other offset."""
NEAR = 0.5
"""Seconds around an offset that are no other offset."""
OVERLAP = 0.5
"""Share of the shorter stream that must be seen by both."""
PART, AROUND = 12.0, 1.0
"""Seconds of a part of a stream, looked for by itself so many seconds around the offset of the whole."""
PART_SURE = 2.0
"""Confidence from which a part counts."""
DRIFTED = 0.1
"""Seconds by which the offset may change from the beginning to the end."""

_Series = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Motion:
    """How much a stream changes: `energy` at `times`, both of one length."""

    times: _Series
    energy: _Series


@dataclass(frozen=True, kw_only=True)
class Offset:
    """What is to be added to infrared's time stamps, seconds.

    correlation: of both motions, -1 to 1.
    confidence: -log10 of the odds of such a correlation by chance; believed from `SURE` on.
    rival: the highest correlation at any other offset.
    drift: seconds that the offset grows by in a second; 0 where the parts of the streams tell nothing of it.
    begin: the offset at infrared's time 0, where clocks drift; else `seconds`.
    error, drift_error: of `begin` and `drift`, two standard deviations; NaN where fewer than three parts tell.
    span: seconds that were looked at.
    """

    seconds: float
    correlation: float
    confidence: float
    rival: float
    drift: float = 0.0
    begin: float = 0.0
    error: float = math.nan
    drift_error: float = math.nan
    span: float = 0.0

    @property
    def sure(self) -> bool:
        """Whether it should be used."""
        return self.confidence >= SURE and self.correlation >= max(LEAST, self.rival + AHEAD)

    @property
    def drifts(self) -> bool:
        """Whether one offset does not fit all of it."""
        return abs(self.drift) * self.span > DRIFTED


def motion_of(frames: Iterable[Frame], most: float = 120.0) -> Motion:
    """Of the first `most` seconds; a frame that repeats the one before it is none."""
    times, energy = [], []
    before: Frame | None = None
    small: _Series | None = None
    begun: Fraction | None = None
    for frame in frames:
        begun = frame.time if begun is None else begun
        if float(frame.time - begun) > most:
            break
        now = _small(frame.samples)
        if before is not None and small is not None:
            change = float(np.abs(now - small).mean())
            if change == 0:
                continue
            times.append(float(before.time + frame.time) / 2)
            energy.append(change / float(frame.time - before.time))
        before, small = frame, now
    return Motion(times=np.array(times), energy=np.array(energy))


def offset_of(visible: Motion, infrared: Motion, most: float = 10.0) -> Offset:
    """The offset, at most `most` seconds either way, at which both move alike.

    Raises
    ------
    IrvisError: a stream shows fewer than 16 changes.
    """
    if min(len(visible.times), len(infrared.times)) < 16:
        raise IrvisError("--sync auto needs more frames that change: give --offset SECONDS")
    step = max(STEP, *(float(np.median(np.diff(one.times))) for one in (visible, infrared)))
    first, second = _on_grid(visible, step), _on_grid(infrared, step)
    least = max(8, round(OVERLAP * min(len(first), len(second))))
    start = (visible.times[0] - infrared.times[0]) / step  # at lag 0 both begin together
    lags = np.arange(least - len(second), len(first) - least + 1)
    lags = lags[np.abs(start + lags) * step <= most]
    if len(lags) < 3:
        raise IrvisError("--sync auto: both streams are too short to be compared: give --offset SECONDS")
    likeness = np.array([_alike(first, second, int(lag)) for lag in lags])
    best = int(np.argmax(likeness))
    apart = np.abs(lags - lags[best]) * step > NEAR
    confidence = _odds(float(likeness[best]), first, second, len(lags))
    rival = float(likeness[apart].max(initial=-1.0))
    seconds = (start + lags[best] + _between(likeness, best)) * step
    found = Offset(
        seconds=float(seconds), correlation=float(likeness[best]), confidence=confidence, rival=rival,
        begin=float(seconds), span=len(second) * step,
    )  # fmt: skip
    at, offsets = _parts(first, second, int(lags[best]), step)
    return _with_line(found, infrared.times[0] + at, (start + lags[best]) * step + offsets, step)


def _with_line(found: Offset, at: _Series, offsets: _Series, step: float) -> Offset:
    """With the drift: a line through the offsets of parts, if they lie on one. `at`: infrared's times."""
    if len(at) < 3:
        return found
    slope, begin = np.polyfit(at, offsets, 1)
    left = offsets - slope * at - begin
    if np.abs(left).max() > max(2 * step, DRIFTED / 2):
        return found
    deviation, spread = math.sqrt(float(left @ left) / (len(at) - 2)), float(((at - at.mean()) ** 2).sum())
    line = replace(found, drift=float(slope), drift_error=2 * deviation / math.sqrt(spread))
    if not line.drifts:
        return replace(line, error=2 * deviation / math.sqrt(len(at)))
    return replace(
        line, begin=float(begin), error=2 * deviation * math.sqrt(1 / len(at) + float(at.mean()) ** 2 / spread)
    )


def _parts(first: _Series, second: _Series, lag: int, step: float) -> tuple[_Series, _Series]:
    """The middles of parts whose own offset is sure, and how far that lies from the offset of all, both in seconds."""
    length, around = round(PART / step), max(2, round(AROUND / step))
    found: list[tuple[float, float]] = []
    for begin in range(0, len(second) - length + 1, length):
        part, here = second[begin : begin + length], lag + begin
        lags = np.arange(max(here - around, 0), min(here + around, len(first) - length) + 1)
        if len(lags) < 3:
            continue
        likeness = np.array([_alike(first, part, int(one)) for one in lags])
        best = int(np.argmax(likeness))
        if likeness[best] >= LEAST and _odds(float(likeness[best]), first, part, len(lags)) >= PART_SURE:
            moved = float(lags[best] + _between(likeness, best) - here)
            found.append(((begin + length / 2) * step, moved * step))
    at, offsets = np.array(found).reshape(-1, 2).T
    return at, offsets


def _small(samples: Samples) -> _Series:
    """Means over squares, as numbers between 0 and 1 of the stream's own range do not matter: ranks are compared."""
    gray = samples if samples.ndim == 2 else samples[..., 1]
    size = max(1, max(gray.shape) // SIDE)
    rows, columns = gray.shape[0] // size * size, gray.shape[1] // size * size
    parts = gray[:rows, :columns].reshape(rows // size, size, columns // size, size)
    return np.asarray(parts.mean((1, 3), dtype=np.float32), np.float64)


def _on_grid(motion: Motion, step: float) -> _Series:
    """Mean energy around each moment of the grid, without what changes slowly."""
    grid = np.arange(motion.times[0], motion.times[-1] + step / 2, step)
    sums = np.concatenate([[0.0], np.cumsum(motion.energy)])
    low, high = (np.searchsorted(motion.times, grid + side * step) for side in (-0.5, 0.5))
    inside = (sums[high] - sums[low]) / np.maximum(high - low, 1)
    between = np.interp(grid, motion.times, motion.energy)
    return np.where(high > low, inside, between)


def _alike(first: _Series, second: _Series, lag: int) -> float:
    """Spearman's coefficient of the part that both have, second moved by `lag`."""
    start, stop = max(0, lag), min(len(first), lag + len(second))
    a, b = _ranks(first[start:stop]), _ranks(second[start - lag : stop - lag])
    scale = math.sqrt(float((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else 0.0


def _ranks(values: _Series) -> _Series:
    order = np.empty(len(values))
    order[np.argsort(values, kind="stable")] = np.arange(len(values))
    return order - order.mean()


def _odds(likeness: float, first: _Series, second: _Series, lags: int) -> float:
    """-log10 of the odds of such a coefficient, or a higher one, at one of so many lags by chance.

    Fisher's transform, with as many moments as tell of something new: neighbours repeat each other (Bartlett, 1946).
    """
    count = min(len(first), len(second))
    shared = [_own(first, lag) * _own(second, lag) for lag in range(1, count // 2)]
    memory = 1 + 2 * max(0.0, sum(shared[: next((n for n, one in enumerate(shared) if one <= 0), len(shared))]))
    height = math.atanh(min(max(likeness, 0.0), 1 - 1e-6)) * math.sqrt(max(count / memory - 3, 0.0))
    tries = max(1.0, lags / memory)
    # log10 of the tail of the normal distribution, which underflows far out
    tail = math.erfc(height / math.sqrt(2)) / 2
    log = math.log10(tail) if tail > 1e-300 else -(height**2) / 2 * math.log10(math.e)
    return max(0.0, -(log + math.log10(tries)))


def _own(series: _Series, lag: int) -> float:
    """Correlation of a series with itself, later."""
    ranks = _ranks(series)
    return float(ranks[lag:] @ ranks[:-lag]) / float(ranks @ ranks)


def _between(likeness: _Series, best: int) -> float:
    """Where a parabola through the best lag and its neighbours is highest, in lags."""
    if not 0 < best < len(likeness) - 1:
        return 0.0
    left, middle, right = likeness[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
