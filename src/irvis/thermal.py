"""Counts to [0, 1]: the counts, kelvin or degrees of a 16-bit or float thermal file become an image here."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import IrvisError

ADVICE = 'type counts as "7000,9000" or percentiles as "1%,99%"'


@dataclass(frozen=True)
class Range:
    """What becomes black (`low`) and white (`high`): counts of the file, or percentiles of the image."""

    low: float
    high: float
    unit: Literal["counts", "percent"] = "counts"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise IrvisError(f"A thermal range needs two finite numbers, not {self.low} and {self.high}: {ADVICE}.")
        if self.low >= self.high:
            raise IrvisError(f"The thermal range {self.low:g} to {self.high:g} is empty: put the lower number first.")
        if self.unit == "percent" and not (self.low >= 0 and self.high <= 100):
            raise IrvisError(f"Percentiles lie between 0% and 100%, not at {self.low:g}% and {self.high:g}%.")

    @staticmethod
    def parse(text: str) -> "Range":
        """`7000,9000` is counts, `1%,99%` is percentiles. Anything else is an IrvisError."""
        parts = [part.strip() for part in text.split(",")]
        percent = [part.endswith("%") for part in parts]
        if len(parts) != 2 or percent[0] != percent[1]:
            raise IrvisError(f"{text!r} is not a thermal range: {ADVICE}.")
        try:
            low, high = (float(part.removesuffix("%")) for part in parts)
        except ValueError as error:
            raise IrvisError(f"{text!r} is not a thermal range: {ADVICE}.") from error
        return Range(low, high, "percent" if percent[0] else "counts")


def to_unit(counts: NDArray[Any], range: Range) -> NDArray[np.float32]:
    """Map `range` to [0, 1] and clip; a pixel that is not finite (no measurement) becomes 0.

    Percentiles ignore pixels that are not finite. Where both percentiles are the same count, that count
    becomes 0.5 (a constant image is mid-gray), lower counts 0 and higher counts 1.
    """
    values = np.asarray(counts, dtype=np.float64)
    measured = np.isfinite(values)
    if not measured.any():
        return np.zeros(values.shape, np.float32)
    low, high = range.low, range.high
    if range.unit == "percent":
        low, high = np.percentile(values[measured], (low, high))
    values = np.where(measured, values, low)
    unit = (values - low) / (high - low) if high > low else 0.5 + 0.5 * np.sign(values - low)
    return np.where(measured, np.clip(unit, 0, 1), 0).astype(np.float32)
