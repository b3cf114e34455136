"""What depends on the whole infrared picture, found in passes over its file: percentiles, colour.

Percentiles are exact in bounded memory: order statistics by counting digits of 16 bits.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import floor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .color import gray
from .errors import IrvisError
from .io import nodata
from .io.big import Source
from .io.deep import Samples
from .io.normalise import refuse_outside
from .io.samples import COLOUR_LEVELS, FULL, tensor
from .thermal import Range, Scale, settled

_SIGN = np.uint32(0x8000_0000)

Values = Callable[[], Iterable[NDArray[Any]]]
"""Arrays of uint8, uint16 or float32, the same at every call."""


def nodata_in(source: Source) -> float | None:
    """The value of its pixels that hold no data in any band; None if there are none, or the file does not say."""
    nodata = source.meta.nodata
    found = nodata is not None and any((slab == nodata).all(axis=2).any() for slab in slabs(source.blocks()))
    return nodata if found else None


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """What of an infrared file was never measured: these values, and what is not finite or as large as `limit`."""

    values: tuple[float, ...] = ()
    limit: float = np.inf


def gaps_in(source: Source) -> tuple[Gaps | None, str]:
    """What holds no data, as whole-image reading has it (see `io.nodata`), and a note for the user; None: nothing."""
    stated, counted = source.meta.nodata, source.channels == 1 and source.dtype != np.uint8
    if stated is None and not counted:
        return None, ""
    usual = nodata.USUAL[source.dtype.name] if stated is None else ()
    gaps = Gaps(values=usual if stated is None else (stated,), limit=nodata.ENDLESS if stated is None else np.inf)
    found, odd, low, high = dict.fromkeys(gaps.values, 0), 0, np.inf, -np.inf
    for slab in slabs(source.blocks()):
        for value in gaps.values:
            found[value] += int((slab == np.float32(value)).all(axis=2).sum())
        numbers = marked(slab, gaps)
        odd += int(np.count_nonzero(~_within(slab, gaps.limit).all(axis=2)))
        if np.isfinite(numbers).any():
            low, high = min(low, float(np.nanmin(numbers))), max(high, float(np.nanmax(numbers)))
    present = [value for value, count in found.items() if count]
    if stated is None:
        present = nodata.usual_values(present, low, high)
    if not present and not odd:
        return None, ""
    names = ["not finite"] * bool(odd) + [f"{value:g}" for value in present]
    count = odd + sum(found[value] for value in present)
    told = "" if stated is not None else nodata.taken(names, count, source.height * source.width)
    return replace(gaps, values=tuple(present)), told


def marked(samples: Samples, gaps: Gaps | None) -> Samples:
    """Samples with NaN for no data."""
    if gaps is None:
        return samples
    empty = ~_within(samples, gaps.limit) | np.isin(samples, np.array(gaps.values, np.float32))
    return np.where(empty, np.float32(np.nan), samples) if empty.any() else samples


def _within(samples: Samples, limit: float) -> NDArray[np.bool_]:
    if samples.dtype.kind != "f":
        return np.ones(samples.shape, bool)
    return np.isfinite(samples) & (np.abs(samples) < limit)


def surveyed(infrared: Source, gaps: Gaps | None, span: Range | None, color: Literal["refuse", "gray"]) -> Scale | None:
    """The scale of the whole picture, as whole-image reading has it; None: 8 bits are taken as they are."""
    if color == "refuse" and infrared.channels == 3:
        _refuse_coloured(infrared)
    if span is None and infrared.dtype == np.uint8 and gaps is None:
        return None
    numbers = partial(percentiles, partial(_numbers, infrared, gaps))
    if span is None:
        low, high = numbers((0.0, 100.0)) or (np.nan, np.nan)
        raise IrvisError(
            f"{infrared.path}: the infrared image holds {infrared.dtype} counts from {low:g} to {high:g} and needs a "
            "range, what is black and what is white: --infrared-range 1%,99% (range=Range.parse('1%,99%') in Python)."
        )
    if span.unit == "celsius" or span.curve == "contrast-limited":
        raise IrvisError(
            f"{infrared.path}: pairs over the memory take a range of counts or percentiles, linear or equalised."
        )
    ends = numbers((0.0, 100.0)) if span.unit == "counts" else None
    try:
        refuse_outside(span, None if ends is None else (ends[0], ends[1]))
    except IrvisError as error:
        raise IrvisError(f"{infrared.path}: {error}") from error
    return settled(span, numbers)


def _numbers(infrared: Source, gaps: Gaps | None) -> Iterator[Samples]:
    for slab in slabs(infrared.blocks()):
        numbers = marked(slab, gaps)
        yield numbers if infrared.channels == 1 else gray(tensor(numbers)).numpy()


def _refuse_coloured(infrared: Source) -> None:
    full = FULL.get(infrared.dtype.name) or _spread(infrared)
    coloured = 0
    for slab in slabs(infrared.blocks()):
        apart = slab.max(axis=2).astype(np.float32) - slab.min(axis=2)
        coloured += int(np.count_nonzero(apart > COLOUR_LEVELS / 255 * full))
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

    Integers are read once, floats once more for the lower digits.
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
    """The values of each rank, from their upper digit and a second pass for the lower ones of 64 digits at a time."""
    found, upper = {}, sorted({digit for digit, _ in digits.values()})
    for start in range(0, len(upper), 64):
        second = _second(values, upper[start : start + 64])
        for rank, (digit, place) in digits.items():
            if digit in second:
                key = np.uint32(digit << 16 | _digit(second[digit], place)[0])
                bits = key ^ _SIGN if key & _SIGN else ~key
                found[rank] = float(np.asarray(bits, np.uint32).view(np.float32))
    return found


def _second(values: Values, digits: list[int]) -> dict[int, NDArray[np.int64]]:
    """How often each lower digit stands behind each of these upper digits."""
    row = np.full(2**16, len(digits), np.int64)
    row[digits] = range(len(digits))
    counts = np.zeros((len(digits) + 1) * 2**16, np.int64)
    for keys in map(_keys, values()):
        counts += np.bincount(row[keys >> np.uint32(16)] << 16 | keys & np.uint32(0xFFFF), minlength=len(counts))
    return dict(zip(digits, counts.reshape(-1, 2**16), strict=False))


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
