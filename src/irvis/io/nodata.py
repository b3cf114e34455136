"""Pixels where nothing was measured: of the value that the file or the user names, or else of a usual one.

A usual value (-9999, -32768, the ends of 16 bits, the ends of floats) counts as no data only where it stands apart:
further from all other numbers than those are from each other. What is not finite, or below absolute zero where the
numbers are temperatures, never was a measurement.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..thermal import Sensing

USUAL = {"float32": (-9999.0, -99999.0, -32768.0, -32767.0), "uint16": (0.0, 65535.0)}
"""By the type of the samples; 16-bit integers with a sign are read as float32."""
ENDLESS = 1e30
"""Float numbers beyond are some library's largest."""
ABSOLUTE_ZERO = -273.15

_Mask = NDArray[np.bool_]


def marked(numbers: NDArray[Any], stated: float | None, sensing: Sensing) -> tuple[NDArray[Any], str]:
    """Numbers (h, w, 1 or 3) with NaN where there is no data; and a note for the user, empty if there is none."""
    if sensing.nodata is not None or stated is not None:
        value = stated if sensing.nodata is None else sensing.nodata
        named = np.zeros(numbers.shape, bool) if value == "none" else numbers == value
        return _without(numbers, ~np.isfinite(numbers) | named), ""
    if numbers.shape[2] != 1 or numbers.dtype == np.uint8:
        return _without(numbers, ~np.isfinite(numbers)), ""
    empty, names = _usual(numbers)
    if (cold := _impossible(numbers, sensing) & ~empty).any():
        empty, names = empty | cold, [*names, "below absolute zero"]
    if not empty.any():
        return numbers, ""
    told = taken(names, int(np.count_nonzero(empty)), empty.size)
    return _without(numbers, empty), told + " (--nodata none takes them as numbers)" * (names != ["not finite"])


def usual_values(present: list[float], low: float, high: float) -> list[float]:
    """Those of usual values that are no data, where all other numbers run from `low` to `high`."""
    return [one for one in present if abs(one) >= ENDLESS or max(low - one, one - high) > high - low > 0]


def _usual(numbers: NDArray[Any]) -> tuple[_Mask, list[str]]:
    """Where numbers are not finite or of a usual value that stands apart, and the names of these."""
    finite = np.isfinite(numbers)
    empty = ~finite
    names = ["not finite"] * bool(empty.any())
    present = [one for one in USUAL[numbers.dtype.name] if (numbers == np.float32(one)).any()]
    beyond = finite & (np.abs(numbers) >= ENDLESS) if numbers.dtype.kind == "f" else np.zeros_like(finite)
    if beyond.any():
        empty, names = empty | beyond, [*names, f"{numbers[beyond].flat[0]:g}"]
    others = numbers[~empty & ~np.isin(numbers, np.array(present, np.float32))] if present else numbers[:0]
    for one in usual_values(present, float(others.min()), float(others.max())) if others.size else ():
        empty, names = empty | (numbers == np.float32(one)), [*names, f"{one:g}"]
    return empty, names


def _impossible(numbers: NDArray[Any], sensing: Sensing) -> _Mask:
    """Where temperatures are asked of the numbers and they are none."""
    if sensing.kelvin_per_count is not None:
        return np.asarray(numbers <= 0)
    is_celsius = sensing.unit == "celsius" and numbers.dtype.kind == "f"
    return np.asarray(numbers < ABSOLUTE_ZERO) if is_celsius else np.zeros(numbers.shape, bool)


def _without(numbers: NDArray[Any], empty: _Mask) -> NDArray[Any]:
    return np.where(empty, np.float32(np.nan), numbers) if empty.any() else numbers


def taken(names: list[str], count: int, size: int) -> str:
    """What the user is told of so many pixels of so many."""
    share = f"{count / size:.0%}" if count >= size / 100 else f"{count} of {size}"
    return f"{share} of its pixels are {' or '.join(names)}: taken as no data"
