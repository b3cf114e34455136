"""Contrast-limited adaptive histogram equalisation: every part of a picture uses all grays, and noise is bounded.

After Zuiderveld (Graphics Gems IV, 1994): a picture is divided into parts, each with a histogram whose bins are cut
at a limit; what is cut off is spread over all bins. The sums of the histograms are the curves of the parts, and a pixel
takes its gray from the curves of the four parts around it, weighted by nearness. Here the curves are linear within
a bin, so that counts finer than the bins stay apart; and the histograms of several pictures of one size may be
added up, for curves that hold for all of them.
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


def histograms(unit: _Array, measured: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many pixels of each part of `unit` (h, w), in [0, 1], are in each bin: (rows, columns, BINS).

    Pixels that are not `measured` are not counted.
    """
    rows, columns = (max(min(side // LEAST, PARTS), 1) for side in unit.shape)
    row, column = (_part(side, parts) for side, parts in zip(unit.shape, (rows, columns), strict=True))
    place = (row[:, None] * columns + column) * BINS + _bin(unit * BINS)
    return np.bincount(place[measured], minlength=rows * columns * BINS).reshape(rows, columns, BINS)


def curves(histograms: NDArray[np.int64], limit: float = LIMIT) -> _Array:
    """Gray at the edges of the bins, from 0 to 1: (rows, columns, BINS + 1); a line where nothing was counted."""
    counts = np.where(histograms.any(axis=2, keepdims=True), histograms, 1).astype(np.float64)
    most = limit * counts.mean(axis=2, keepdims=True)
    over = np.maximum(counts - most, 0).mean(axis=2, keepdims=True)
    sums = np.cumsum(np.minimum(counts, most) + over, axis=2)
    return np.pad(sums / sums[..., -1:], ((0, 0), (0, 0), (1, 0)))


def blended(unit: _Array, curves: _Array) -> _Array:
    """The gray of each pixel by the curves of the parts around it."""
    down, across = (_neighbours(side, n) for side, n in zip(unit.shape, curves.shape, strict=False))
    place = unit * BINS
    bins = _bin(place)
    within, result = place - bins, np.zeros(unit.shape)
    for row, row_share in down:
        for column, column_share in across:
            lower, upper = (curves[row[:, None], column[None], bins + step] for step in (0, 1))
            result += row_share[:, None] * column_share[None] * (lower + within * (upper - lower))
    return result


def _part(side: int, parts: int) -> NDArray[Any]:
    """Of every pixel of a side."""
    starts = np.linspace(0, side, parts + 1).astype(int)[:-1]
    return np.searchsorted(starts, np.arange(side), "right") - 1


def _bin(place: _Array) -> NDArray[Any]:
    return np.minimum(place.astype(int), BINS - 1)


def _neighbours(side: int, parts: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """For every pixel of a side, the parts whose middles are before and behind it, and the shares of both."""
    place = np.clip((np.arange(side) + 0.5) / side * parts - 0.5, 0, parts - 1)
    before = place.astype(int)
    behind = np.minimum(before + 1, parts - 1)
    return (before, 1 - (place - before)), (behind, place - before)
