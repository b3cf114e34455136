"""Counts to [0, 1]: the counts, kelvin or degrees of a 16-bit or float thermal file become an image here.

A `Range` is what is asked for (7000 to 9000, the 1st to the 99th percentile); a `Scale` is that range settled on an
image or on a whole sequence: the same number always gives the same gray under the same scale.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import IrvisError
from . import clahe

ADVICE = 'type counts as "7000,9000", degrees C as "20C,40C" or percentiles as "1%,99%"'
LEVELS = 257
"""How many numbers an equalised scale knows the gray of; between them it is linear."""

Curve = Literal["linear", "equalised", "contrast-limited"]
Percentiles = Callable[[tuple[float, ...]], tuple[float, ...] | None]
"""The percentiles of all finite numbers; None if there are none."""

_CURVES: dict[Curve, tuple[float, float]] = {
    "linear": (0.0, 100.0),
    "equalised": (0.0, 100.0),
    "contrast-limited": (1.0, 99.0),
}
"""And the percentiles that a curve without limits runs between."""


@dataclass(frozen=True)
class Range:
    """What becomes black (`low`) and white (`high`): counts of the file, degrees C, or percentiles; and how.

    The curve between is linear, equalised (every gray is as frequent) or contrast-limited (equalised in each part
    of the picture, noise bounded: see `contrast`).
    """

    low: float
    high: float
    unit: Literal["counts", "celsius", "percent"] = "counts"
    curve: Curve = "linear"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise IrvisError(f"A thermal range needs two finite numbers, not {self.low} and {self.high}: {ADVICE}.")
        if self.low >= self.high:
            raise IrvisError(f"The thermal range {self.low:g} to {self.high:g} is empty: put the lower number first.")
        if self.unit == "percent" and not (self.low >= 0 and self.high <= 100):
            raise IrvisError(f"Percentiles lie between 0% and 100%, not at {self.low:g}% and {self.high:g}%.")

    @staticmethod
    def parse(text: str) -> "Range":
        """`7000,9000` is counts, `20C,40C` degrees C, `1%,99%` percentiles; a curve may follow or stand alone.

        `equalised` alone runs over all numbers, `contrast-limited` from 1% to 99%. Anything else is an IrvisError.
        """
        parts = [part.strip() for part in text.split(",")]
        curve = next((known for known in _CURVES if known == parts[-1]), None)
        if curve and len(parts) == 1:
            return Range(*_CURVES[curve], "percent", curve)
        limits = parts[:-1] if curve else parts
        units = {_UNITS.get(limit[-1:], "counts") for limit in limits}
        if len(limits) != 2 or len(units) != 1:
            raise IrvisError(f"{text!r} is not a thermal range: {ADVICE}.")
        try:
            low, high = (float(limit[:-1].rstrip("°") if limit[-1:] in _UNITS else limit) for limit in limits)
        except ValueError as error:
            raise IrvisError(f"{text!r} is not a thermal range: {ADVICE}.") from error
        return Range(low, high, units.pop(), curve or "linear")


_UNITS: dict[str, Literal["counts", "celsius", "percent"]] = {"%": "percent", "C": "celsius"}


@dataclass(frozen=True, eq=False)
class Curves:
    """The contrast-limited curves of the parts of a picture: see `contrast.curves`."""

    values: NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """A settled range: `low` and below is black, `high` and above white; both may be the same number.

    `levels` of an equalised curve are numbers whose grays are evenly spaced, from 0 to 1. Contrast-limited scales
    without `curves` take those of the picture itself; with them the same number has the same gray at the same pixel.
    """

    low: float
    high: float
    unit: Literal["counts", "celsius"] = "counts"
    curve: Curve = "linear"
    levels: tuple[float, ...] = ()
    curves: Curves | None = None


def settled(range: Range, percentiles: Percentiles, unit: Literal["counts", "celsius"] = "counts") -> Scale:
    """The scale of a range for numbers with these percentiles; of no numbers at all it is 0 to 1.

    range: what becomes black and white; percentiles: a function that gives those of the numbers; unit: of the numbers.
    """
    low, high, shares = range.low, range.high, np.linspace(0, 100, LEVELS)
    if range.unit == "percent":
        shares = np.linspace(range.low, range.high, LEVELS)
        low, high = percentiles((range.low, range.high)) or (0.0, 1.0)
    levels: tuple[float, ...] = ()
    if range.curve == "equalised":
        levels = tuple(min(max(level, low), high) for level in percentiles(tuple(shares)) or (low, high))
    return Scale(float(low), float(high), unit, range.curve, levels)


def scale_of(numbers: NDArray[Any], range: Range, unit: Literal["counts", "celsius"] = "counts") -> Scale:
    """The scale of a range for one image: numbers (any shape; those that are not finite do not count) of a unit."""
    values = np.asarray(numbers, dtype=np.float64)
    finite = values[np.isfinite(values)]
    return settled(range, lambda shares: tuple(np.percentile(finite, shares)) if finite.size else None, unit)


def to_unit(counts: NDArray[Any], range: Range) -> NDArray[np.float32]:
    """Map `range` to [0, 1] and clip; a pixel that is not finite (no measurement) becomes 0.

    Percentiles ignore pixels that are not finite. Where both percentiles are the same count, that count
    becomes 0.5 (a constant image is mid-gray), lower counts 0 and higher counts 1.
    """
    return scaled(counts, scale_of(counts, range))


def scaled(numbers: NDArray[Any], scale: Scale) -> NDArray[np.float32]:
    """The numbers as gray in [0, 1], float32, by a settled scale; what is not finite becomes 0."""
    unit, measured = _unit(numbers, scale)
    if scale.curve == "contrast-limited" and scale.low < scale.high:
        own = scale.curves or Curves(clahe.curves(clahe.histograms(unit, measured)))
        unit = clahe.blended(unit, own.values)
    return np.where(measured, np.clip(unit, 0, 1), 0).astype(np.float32)


def with_curves(scale: Scale, pictures: Iterable[NDArray[Any]]) -> Scale:
    """A contrast-limited scale with the curves of all these pictures, of one size; the scale itself if there are none.

    One picture is in memory at a time.
    """
    total: NDArray[np.int64] | None = None
    for numbers in pictures:
        counted = clahe.histograms(*_unit(numbers, scale))
        total = counted if total is None else total + counted
    return scale if total is None else replace(scale, curves=Curves(clahe.curves(total)))


def _unit(numbers: NDArray[Any], scale: Scale) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """In [0, 1], before the parts of a picture get curves of their own; and what was measured."""
    values = np.asarray(numbers, dtype=np.float64)
    measured, low, high = np.isfinite(values), scale.low, scale.high
    values = np.where(measured, values, low)
    if low >= high:
        return 0.5 + 0.5 * np.sign(values - low), measured
    if scale.levels:
        return _equalised(values, scale.levels), measured
    return np.clip((values - low) / (high - low), 0, 1), measured


def _equalised(values: NDArray[np.float64], levels: tuple[float, ...]) -> NDArray[np.float64]:
    """A number that holds several levels, as many pixels have it, gets the middle of their grays."""
    numbers, places, counts = np.unique(np.asarray(levels), return_index=True, return_counts=True)
    grays = (places + (counts - 1) / 2) / (len(levels) - 1)
    return np.interp(values, numbers, grays)
