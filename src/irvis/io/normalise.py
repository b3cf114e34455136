"""Infrared numbers to gray: what becomes black and white, and which end is hot.

8-bit gray is taken as it is. Other numbers need a `Range`; of a thermal camera's own file, and of degrees C, it runs
from 1% to 99% unless told otherwise.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..cameras import CONDITIONS
from ..color import gray
from ..errors import IrvisError, RangeNeededError
from ..thermal import Range, Scale, Sensing, scale_of, scaled
from ..thermal.asked import Polarity
from ..types import Thermal
from .deep import Samples
from .infrared import Measured, celsius, degrees_at
from .samples import extremes, tensor

OWN = Range(1.0, 99.0, "percent")
"""For degrees C and a thermal camera's own counts when no range is given."""

_Unit = Literal["counts", "celsius"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Shown:
    """An infrared image in [0, 1]; `scale` is None where 8 bits were taken as they are."""

    image: NDArray[np.float32]
    """(h, w)."""
    scale: Scale | None
    polarity: str = "white-hot"
    note: str = ""
    """What to tell the user of the polarity."""

    @property
    def text(self) -> str:
        """For the metadata of the fused file; empty where nothing was changed."""
        if self.scale is None and self.polarity == "white-hot":
            return ""
        scale = self.scale or Scale(0, 255)
        facts = {"low": scale.low, "high": scale.high, "unit": scale.unit, "curve": scale.curve}
        return json.dumps({"infrared": {**facts, "polarity": self.polarity}})


def gray_of(samples: Samples, span: Range | None) -> NDArray[np.float32]:
    """Samples (h, w, 1 or 3) of an infrared image as (h, w) in [0, 1]."""
    if span is not None and span.unit == "celsius" and samples.dtype.kind != "f":
        raise IrvisError(f"a range in degrees C needs degrees, and the infrared image holds {samples.dtype} counts.")
    counts = plane(samples)
    return _gray(counts, _scale(counts, span, samples))


def show(measured: Measured, span: Range | None, sensing: Sensing) -> Shown:
    """The image of a file in [0, 1], white-hot."""
    values, unit = numbers(measured, span, sensing)
    scale = sensing.scale or _scale(values, given_range(measured, span, unit), measured.raster.samples, unit)
    image = _gray(values, scale)
    polarity, note = _polarity(measured, sensing, image)
    if polarity == "black-hot":
        image = np.where(np.isfinite(values), 1 - image, 0).astype(np.float32)
    return Shown(image=image, scale=scale, polarity=polarity, note=note)


def numbers(measured: Measured, span: Range | None, sensing: Sensing) -> tuple[NDArray[Any], _Unit]:
    """What the range is applied to, (h, w): counts (of colours, their luma), or degrees C."""
    asked = sensing.scale.unit if sensing.scale else span.unit if span else None
    if asked == "celsius" and sensing.unit in ("counts", "picture"):
        raise IrvisError(f"a range in degrees C and --infrared-unit {sensing.unit} exclude each other.")
    if asked == "celsius" or sensing.unit == "celsius" or measured.degrees:
        return celsius(measured, replace(sensing, unit="celsius")), "celsius"
    return plane(measured.raster.samples), "counts"


def given_range(measured: Measured, span: Range | None, unit: _Unit) -> Range | None:
    """The range asked for, or the file's own; None where it has none."""
    return OWN if span is None and (measured.radiometric is not None or unit == "celsius") else span


def needed_range(measured: Measured, span: Range | None, unit: _Unit) -> Range | None:
    """The range of a file: the one given, or its own; None for 8 bits as they are."""
    given = given_range(measured, span, unit)
    if given is None and measured.raster.samples.dtype != np.uint8:
        raise IrvisError(_no_range(measured.raster.samples))
    return given


def asked_polarity(measured: Measured, sensing: Sensing) -> Polarity:
    """That of the file; counts of a thermal camera rise with temperature, whatever is asked."""
    if measured.radiometric is None:
        return sensing.polarity
    if sensing.polarity == "black-hot":
        raise IrvisError("its counts rise with temperature: it is white-hot, leave --polarity black-hot out.")
    return "white-hot"


def thermal(measured: Measured, made: Shown, sensing: Sensing, placement: NDArray[np.float64]) -> Thermal:
    """What the file measured: degrees C where it gives them, else its numbers."""
    scale = made.scale or Scale(0, 255)
    unit: _Unit = "celsius"
    low, high, problem = scale.low, scale.high, ""
    try:
        values = celsius(measured, replace(sensing, unit="celsius") if scale.unit == "celsius" else sensing)
        if scale.unit == "counts":
            low, high = degrees_at((low, high), measured, sensing)
    except IrvisError as error:
        if sensing.about_degrees:
            raise
        values, unit, problem = plane(measured.raster.samples).astype(np.float32), "counts", str(error)
    finite = values[np.isfinite(values)]
    if not low < high:
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if problem and made.polarity == "black-hot":
        low, high = high, low
    about = json.dumps({"unit": unit, "infrared": measured.raster.path.name, **_conditions(measured, sensing)})
    return Thermal(values=values, unit=unit, problem=problem, low=low, high=high, placement=placement, about=about)


def _conditions(measured: Measured, sensing: Sensing) -> dict[str, float]:
    found = measured.radiometric
    known = asdict(found.constants) if found is not None and found.constants is not None else {}
    return {name: known[name] for name in CONDITIONS if name in known} | dict(sensing.conditions)


# ------------------------------------------------------------------------------------------- parts


def plane(samples: Samples) -> NDArray[Any]:
    """The samples as (h, w); of colours, their luma."""
    if samples.shape[2] == 1:
        return samples[..., 0]
    luma: NDArray[np.float32] = gray(tensor(samples))[0, 0].numpy()
    return luma


def _scale(values: NDArray[Any], span: Range | None, samples: Samples, unit: _Unit = "counts") -> Scale | None:
    if span is None and samples.dtype != np.uint8:
        raise RangeNeededError(_no_range(samples))
    if span is None:
        return None
    refuse_outside(span, _ends(values))
    return scale_of(values, span, unit)


def refuse_outside(span: Range, ends: tuple[float, float] | None) -> None:
    """A range in which none of the numbers lies would make all of them black, or all white."""
    if ends is None or span.unit == "percent" or (span.low <= ends[1] and span.high >= ends[0]):
        return
    unit = " C" * (span.unit == "celsius")
    raise IrvisError(
        f"no pixel lies in the range {span.low:g} to {span.high:g}{unit}: infrared runs from {ends[0]:g} to "
        f"{ends[1]:g}{unit}."
    )


def _ends(values: NDArray[Any]) -> tuple[float, float] | None:
    """The least and the greatest number; None where there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def _no_range(samples: Samples) -> str:
    return (
        f"the infrared image holds {samples.dtype} counts from {extremes(samples)} and needs a range, what is "
        "black and what is white: --infrared-range 1%,99% (infrared_range='1%,99%' in Python)."
    )


def _gray(values: NDArray[Any], scale: Scale | None) -> NDArray[np.float32]:
    return values.astype(np.float32) / np.float32(255) if scale is None else scaled(values, scale)


def _polarity(measured: Measured, sensing: Sensing, image: NDArray[np.float32]) -> tuple[str, str]:
    """white-hot or black-hot, and a note for the user where it cannot be decided."""
    asked = asked_polarity(measured, sensing)
    if asked != "auto":
        return asked, ""
    from ..thermal import polarity

    return polarity.decided(polarity.evidence(tensor(image[..., None])))
