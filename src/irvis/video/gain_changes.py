"""What happened between two frames of a thermal stream: nothing, motion, a shutter, another gain, another scene.

A thermal camera closes its shutter now and then (FFC, NUC): for that time it repeats one frame, and after it all levels
may lie elsewhere. A gain-mode switch, or the camera's automatic gain, moves all levels at once. Both are one line
through all pixels, now = gain x before + level, which motion is not. The line is fitted to a few thousand pixels,
without those that moved.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POINTS = 4096
"""Pixels that are looked at, at most, about."""
STEP = 0.06
"""Share of the range shown by which all levels must jump to be called a step."""
EXPLAINED = 0.4
"""A step must leave no more than this share of the change between the frames (medians)."""
CUT_LIKENESS, CUT_CHANGE = 0.3, 0.3
"""Another scene: correlation below, and median change above this share of the spread of the frame before."""
_TRIMMED, _ROUNDS = 2.5, 3

Thin = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Line:
    """now = gain x before + level, for the pixels that did not move.

    change, rest: median |difference| of the frames, and what of it the line leaves.
    likeness: correlation of both frames.
    spread: of the frame before, between its 5th and 95th percentile.
    """

    gain: float
    level: float
    change: float
    rest: float
    likeness: float
    spread: float
    middle: tuple[float, float, float]
    """10th, 50th and 90th percentile of the frame before."""

    def moves(self, span: float) -> float:
        """By which share of `span` the levels move."""
        return max(abs(self.gain * one + self.level - one) for one in self.middle) / max(span, 1e-6)

    def is_step(self, span: float) -> bool:
        """Whether all levels jumped, of a picture that shows `span`."""
        return self.moves(span) > STEP and self.rest <= EXPLAINED * self.change

    @property
    def is_cut(self) -> bool:
        """Whether the frames show different scenes."""
        return self.likeness < CUT_LIKENESS and self.change > CUT_CHANGE * self.spread


def thin(values: NDArray[np.generic]) -> Thin:
    """A few thousand of the pixels (h, w), evenly spread."""
    step = max(1, int(np.sqrt(values.size / POINTS)))
    few = values[step // 2 :: step, step // 2 :: step]
    return np.asarray(few, np.float32).ravel()


def line(before: Thin, now: Thin) -> Line:
    """The line through both frames. Pixels that are no numbers in one of them do not count."""
    good = np.isfinite(before) & np.isfinite(now)
    x, y = before[good].astype(np.float64), now[good].astype(np.float64)
    if x.size < 16:
        return Line(gain=1, level=0, change=0, rest=0, likeness=1, spread=0, middle=(0, 0, 0))
    low, tenth, half, ninetieth, high = np.percentile(x, (5, 10, 50, 90, 95))
    change = float(np.median(np.abs(y - x)))
    gain, level = _fitted(x, y)
    rest = float(np.median(np.abs(y - gain * x - level)))
    spread = np.std(x) * np.std(y)
    likeness = float(np.mean((x - x.mean()) * (y - y.mean())) / spread) if spread else 1.0
    return Line(
        gain=gain, level=level, change=change, rest=rest, likeness=likeness, spread=float(high - low),
        middle=(float(tenth), float(half), float(ninetieth)),
    )  # fmt: skip


def _fitted(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """The line thrice, each time without what lay too far off before; begun where less is left."""
    starts = [(1.0, float(np.median(y - x))), _through(x, y)]
    gain, level = min(starts, key=lambda start: float(np.median(np.abs(y - start[0] * x - start[1]))))
    for _ in range(_ROUNDS):
        off = np.abs(y - gain * x - level)
        near = off <= _TRIMMED * 1.4826 * float(np.median(off)) + 1e-9
        gain, level = _through(x[near], y[near])
    return gain, level


def _through(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Gain and level by the means and spreads of both (reduced major axis); a frame without structure tells no gain.

    Both frames are noisy: least squares would find a gain that is too small, from frame to frame anew.
    """
    middle, other = float(x.mean()), float(y.mean())
    power, together = float(np.square(x - middle).sum()), float(((x - middle) * (y - other)).sum())
    gain = float(np.sqrt(np.square(y - other).sum() / power)) if power > 1e-9 and together > 0 else 1.0
    gain = gain if gain > 0 else 1.0
    return gain, other - gain * middle
