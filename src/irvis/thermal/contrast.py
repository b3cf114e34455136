"""Contrast-limited adaptive histogram equalisation: every part of a picture uses all grays, and noise is bounded.

After Zuiderveld (Graphics Gems IV, 1994): a picture is divided into parts, each with a histogram whose bins are cut
at a limit; what is cut off is spread over all bins. The sums of the histograms are the curves of the parts, and a pixel
takes its gray from the curves of the four parts around it, weighted by nearness. Here the curves are linear within
a bin, so that counts finer than the bins stay apart.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

PARTS = 8
"""Along each side, fewer where they would be smaller than `LEAST`."""
LEAST = 16
"""Pixels."""
BINS = 256
LIMIT = 3.0
"""No curve is steeper than about this many times the linear one: how far noise can grow."""

_Array = NDArray[np.float64]


def contrast_limited(unit: _Array, measured: NDArray[np.bool_], limit: float = LIMIT) -> _Array:
    """`unit` (h, w) in [0, 1]; pixels that are not `measured` are not counted."""
    height, width = unit.shape
    rows, columns = (max(min(side // LEAST, PARTS), 1) for side in (height, width))
    curves = np.empty((rows, columns, BINS + 1))
    tops, lefts = (np.linspace(0, side, n + 1).astype(int) for side, n in ((height, rows), (width, columns)))
    for row in range(rows):
        for column in range(columns):
            part = np.s_[tops[row] : tops[row + 1], lefts[column] : lefts[column + 1]]
            curves[row, column] = _curve(unit[part][measured[part]], limit)
    return _blended(unit, curves)


def _curve(values: _Array, limit: float) -> _Array:
    """Gray at the edges of the bins, from 0 to 1; the line itself where nothing was measured."""
    if not values.size:
        return np.linspace(0, 1, BINS + 1)
    counts = np.histogram(values, BINS, (0, 1))[0].astype(np.float64)
    most = limit * values.size / BINS
    over = np.maximum(counts - most, 0).sum()
    counts = np.minimum(counts, most) + over / BINS
    return np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])


def _blended(unit: _Array, curves: _Array) -> _Array:
    down, across = (_neighbours(side, n) for side, n in zip(unit.shape, curves.shape, strict=False))
    place = unit * BINS
    bins = np.minimum(place.astype(int), BINS - 1)
    within, result = place - bins, np.zeros(unit.shape)
    for row, row_share in down:
        for column, column_share in across:
            lower, upper = (curves[row[:, None], column[None], bins + step] for step in (0, 1))
            result += row_share[:, None] * column_share[None] * (lower + within * (upper - lower))
    return result


def _neighbours(side: int, parts: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """For every pixel of a side, the parts whose middles are before and behind it, and the shares of both."""
    place = np.clip((np.arange(side) + 0.5) / side * parts - 0.5, 0, parts - 1)
    before = place.astype(int)
    behind = np.minimum(before + 1, parts - 1)
    return (before, 1 - (place - before)), (behind, place - before)
