"""One range and one polarity for a whole sequence, by one look at all its infrared files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import io, survey
from ..data.matching import Match
from ..errors import IrvisError
from ..io.infrared import Measured, measure
from ..io.normalise import needed_range, numbers
from ..io.samples import tensor
from ..thermal import Range, scale_of, scaled
from ..thermal.range import settled as settled_range
from ..thermal.range import with_curves
from .plan import Reading

_Seen = tuple[Measured, NDArray[Any], Literal["counts", "celsius"]]


@dataclass(frozen=True)
class _Kind:
    """What the infrared files have in common."""

    span: Range | None
    """None: 8 bits as they are."""
    unit: Literal["counts", "celsius"]
    fractions: bool
    """Whether any of them holds floats: then all are taken as such."""


def settled(pairs: Sequence[Match], reading: Reading) -> Reading:
    """The same reading with a scale that no longer depends on the picture, and with the polarity of them all.

    Percentiles are those of all pixels of all files, exact; contrast-limited curves are those of the parts of all
    files together. A file that cannot be read is left out: it fails on its own turn. 8-bit files without a range stay
    as they are.
    """
    kind = _kind(pairs, reading)
    sensing = reading.sensing
    if kind is not None and kind.span is not None:
        values = partial(_values, pairs, reading, kind)
        scale = settled_range(kind.span, partial(survey.percentiles, values), kind.unit)
        if scale.curve == "contrast-limited":
            scale = with_curves(scale, values())
        sensing = replace(sensing, scale=scale)
    if sensing.polarity == "auto":
        sensing = replace(sensing, polarity=_polarity(pairs, reading))
    return replace(reading, sensing=sensing)


def _kind(pairs: Sequence[Match], reading: Reading) -> _Kind | None:
    """Of all of them; they must agree. None if none of them can be read."""
    kinds, samples, sizes = set(), set(), dict[str, Path]()
    fractions = False
    for measured, values, unit in _seen(pairs, reading):
        kinds.add((needed_range(measured, reading.range, unit), unit))
        if unit == "counts" and not measured.empty:  # with nodata, any samples are float32
            samples.add(measured.raster.samples.dtype.name)
        sizes.setdefault("{1}x{0}".format(*values.shape), measured.raster.path)
        fractions = fractions or values.dtype.kind == "f"
    if not kinds:
        return None
    if len(kinds) > 1 or len(samples) > 1:
        raise IrvisError(
            "the infrared files are of several kinds (pictures and counts, whole numbers and fractions): "
            "one range for all needs one kind, or --range-per image."
        )
    [(span, unit)] = kinds
    if span is not None and span.curve == "contrast-limited" and len(sizes) > 1:
        several = ", ".join(f"{path} is {size}" for size, path in list(sizes.items())[:2])
        raise IrvisError(
            f"contrast-limited over a sequence needs infrared files of one size ({several}): "
            "take equalised, or fuse one size at a time."
        )
    return _Kind(span, unit, fractions)


def _seen(pairs: Sequence[Match], reading: Reading) -> Iterator[_Seen]:
    for pair in pairs:
        try:
            measured = measure(pair.infrared, reading.sensing)
            yield measured, *numbers(measured, reading.range, reading.sensing)
        except IrvisError:
            continue


def _values(pairs: Sequence[Match], reading: Reading, kind: _Kind) -> Iterator[NDArray[Any]]:
    for _, values, _ in _seen(pairs, reading):
        yield np.ascontiguousarray(values.astype(np.float32) if kind.fractions else values)


def _polarity(pairs: Sequence[Match], reading: Reading) -> Literal["white-hot", "black-hot"]:
    from ..thermal import polarity

    odds = []
    for measured, values, unit in _seen(pairs, reading):
        if measured.radiometric is None:
            span = needed_range(measured, reading.range, unit)
            gray = values.astype(np.float32) / 255 if span is None else scaled(values, scale_of(values, span, unit))
            odds.append(polarity.evidence(tensor(gray[..., None])))
    if not odds:
        return "white-hot"
    found, note = polarity.decided(polarity.together(odds))
    if note:
        io._warn(note)
    return found
