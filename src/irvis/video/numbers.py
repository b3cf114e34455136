"""What a range is applied to, frame by frame: counts, or degrees C by a table that is made once."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..cameras import planck
from ..errors import IrvisError
from ..thermal import Range, Scale, Sensing
from .frame import Frame

Unit = Literal["counts", "celsius"]


def unit_of(span: Range | Scale | None, sensing: Sensing) -> Unit:
    """Of a range, or as asked."""
    if span is not None and span.unit == "celsius" and sensing.unit in ("counts", "picture"):
        raise IrvisError(f"a range in degrees C and --infrared-unit {sensing.unit} exclude each other.")
    return "celsius" if sensing.unit == "celsius" or (span is not None and span.unit == "celsius") else "counts"


class Numbers:
    """Counts of frames, or their degrees C: by a table of all counts, made anew where the constants change."""

    def __init__(self, sensing: Sensing) -> None:
        self.sensing = sensing
        self._of: Any = None
        self._table: NDArray[np.float32]

    def of(self, frame: Frame, unit: Unit) -> NDArray[Any]:
        """(h, w); an IrvisError where degrees are asked for and the stream does not give them."""
        if unit == "counts":
            return frame.samples
        if frame.samples.dtype.kind == "f" or frame.samples.dtype == np.uint8:
            return self._degrees(frame.samples.astype(np.float32), frame)
        found = frame.radiometric
        key = (found.constants, found.kelvin_per_count) if found is not None else self
        if key != self._of:
            self._table, self._of = self._degrees(np.arange(65536, dtype=np.uint16), frame), key
        degrees: NDArray[np.float32] = self._table[frame.samples]
        return degrees

    def _degrees(self, counts: NDArray[Any], frame: Frame) -> NDArray[np.float32]:
        found, asked = frame.radiometric, self.sensing.kelvin_per_count
        if found is not None and found.constants is not None:
            if asked is not None:
                raise IrvisError("--kelvin-per-count is for linear counts, and this stream holds Planck constants.")
            constants = planck.with_conditions(found.constants, **dict(self.sensing.conditions))
            return planck.celsius(counts, constants, required=False)
        if self.sensing.conditions:
            raise IrvisError("conditions like the emissivity need Planck constants, and this stream holds none.")
        step = asked or (found.kelvin_per_count if found is not None else None)
        if step is None or frame.samples.dtype == np.uint8:
            raise IrvisError(
                "no temperature: the infrared stream holds no calibration. If its counts are linear in kelvin, type "
                "--kelvin-per-count (0.01 for K x 100)."
            )
        return (counts * np.float64(step) - planck.ZERO_CELSIUS).astype(np.float32)
