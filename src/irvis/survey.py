"""What depends on the whole infrared picture, found in passes over its file: percentiles, colour.

Percentiles are exact in bounded memory: order statistics by counting digits of 16 bits.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from math import floor
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from . import io
from .color import gray
from .errors import IrvisError
from .io.big import Source
from .thermal import Range, to_unit
from .types import Gray

_SIGN = np.uint32(0x8000_0000)

Values = Callable[[], Iterable[NDArray[Any]]]
"""Arrays of uint8, uint16 or float32, the same at every call."""


def ranged(infrared: Source, span: Range | None, color: Literal["refuse", "gray"]) -> Callable[[Gray], Gray]:
    """Counts to [0, 1], as whole-image reading has it."""
    if color == "refuse" and infrared.channels == 3:
        _refuse_coloured(infrared)
    if span is None and infrared.dtype == np.uint8:
        return lambda counts: counts / 255
    counts = partial(_counts, infrared)
    if span is None:
        low, high = percentiles(counts, (0.0, 100.0)) or (np.nan, np.nan)
        raise IrvisError(
            f"{infrared.path}: the infrared image holds {infrared.dtype} counts from {low:g} to {high:g} and needs a "
            "range, what is black and what is white: --infrared-range 1%,99% (range=Range.parse('1%,99%') in Python)."
        )
    if span.unit == "percent":
        low, high = percentiles(counts, (span.low, span.high)) or (0.0, 1.0)
        return partial(_scaled, low, high)
    return partial(_scaled, span.low, span.high)


def _counts(infrared: Source) -> Iterator[io.Samples]:
    for slab in slabs(infrared.blocks()):
        yield slab if infrared.channels == 1 else gray(io._tensor(slab)).numpy()


def _scaled(low: float, high: float, counts: Gray) -> Gray:
    values = counts.numpy()
    if low < high:
        return torch.from_numpy(to_unit(values, Range(low, high)))
    flat = np.where(np.isfinite(values), 0.5 + 0.5 * np.sign(values.astype(np.float64) - low), 0)
    return torch.from_numpy(flat.astype(np.float32))  # two percentiles of one count: see `to_unit`


def _refuse_coloured(infrared: Source) -> None:
    full = io._FULL.get(infrared.dtype.name) or _spread(infrared)
    coloured = 0
    for slab in slabs(infrared.blocks()):
        apart = slab.max(axis=2).astype(np.float32) - slab.min(axis=2)
        coloured += int(np.count_nonzero(apart > io.COLOUR_LEVELS / 255 * full))
    if coloured > 0.01 * infrared.height * infrared.width:
        raise IrvisError(
            f"{infrared.path}: it is pseudo-coloured: use the camera's grayscale or radiometric output, "
            "or take its brightness with --infrared-color gray."
        )


def _spread(source: Source) -> float:
    ends = [(slab.min(), slab.max()) for slab in slabs(source.blocks())]
    return float(np.max(ends) - np.min(ends))


# ------------------------------------------------------------------------------------- percentiles


def percentiles(values: Values, percents: tuple[float, ...]) -> tuple[float, ...] | None:
    """`numpy.percentile` (linear between neighbours, in double precision) of all finite values; None if there are none.

    Integers are read once, floats once more for each digit that the first pass leaves open, which is one.
    """
    first, is_float = np.zeros(2**16, np.int64), False
    for array in values():
        is_float = array.dtype.kind == "f"
        high = _keys(array) >> np.uint32(16) if is_float else array.ravel()
        first += np.bincount(high, minlength=2**16)
    total = int(first.sum())
    if not total:
        return None
    places = [percent / 100 * (total - 1) for percent in percents]
    ranks = sorted({min(floor(place) + more, total - 1) for place in places for more in (0, 1)})
    digits = {rank: _digit(first, rank) for rank in ranks}
    found = _refined(values, digits) if is_float else {rank: float(digit) for rank, (digit, _) in digits.items()}
    return tuple(_between(found, place, total - 1) for place in places)


def _keys(array: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Finite floats as unsigned integers of the same order."""
    bits = array[np.isfinite(array)].view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _digit(counts: NDArray[np.int64], rank: int) -> tuple[int, int]:
    """The digit of the value of this rank, and its rank among the values that share it."""
    below = counts.cumsum()
    digit = int(np.searchsorted(below, rank, side="right"))
    return digit, rank - int(below[digit] - counts[digit])


def _refined(values: Values, digits: dict[int, tuple[int, int]]) -> dict[int, float]:
    """The values of each rank, from their upper digit and a second pass for the lower."""
    second = {digit: np.zeros(2**16, np.int64) for digit, _ in digits.values()}
    for keys in map(_keys, values()):
        for digit, counts in second.items():
            lower = keys[keys >> np.uint32(16) == digit] & np.uint32(0xFFFF)
            counts += np.bincount(lower, minlength=2**16)
    found = {}
    for rank, (digit, place) in digits.items():
        key = np.uint32(digit << 16 | _digit(second[digit], place)[0])
        bits = key ^ _SIGN if key & _SIGN else ~key
        found[rank] = float(np.asarray(bits, np.uint32).view(np.float32))
    return found


def _between(found: dict[int, float], place: float, last: int) -> float:
    """Interpolated from the nearer neighbour, as numpy does."""
    low, high = found[floor(place)], found[min(floor(place) + 1, last)]
    share = place - floor(place)
    return high - (high - low) * (1 - share) if share >= 0.5 else low + (high - low) * share


def slabs(blocks: Iterator[NDArray[Any]], pixels: int = 2**20) -> Iterator[NDArray[Any]]:
    """Blocks (rows, width, …) cut into slabs of about so many pixels."""
    for block in blocks:
        rows = max(pixels // block.shape[1], 1)
        yield from (block[top : top + rows] for top in range(0, len(block), rows))
