"""One range and one polarity for a whole sequence, by one look at all its infrared files."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import io, survey
from ..data.matching import Match
from ..errors import IrvisError
from ..io.infrared import Measured, measure
from ..io.samples import tensor
from ..io.show import needed_range, numbers
from ..thermal import Range, scale_of, scaled
from ..thermal.range import settled as settled_range
from .plan import Reading

_Seen = tuple[Measured, NDArray[Any], Literal["counts", "celsius"]]


def settled(pairs: Sequence[Match], reading: Reading) -> Reading:
    """The same reading with a scale that no longer depends on the picture, and with the polarity of them all.

    Percentiles are those of all pixels of all files, exact. A file that cannot be read is left out: it fails on its
    own turn. 8-bit files without a range stay as they are.
    """
    span, kind = _kind(pairs, reading)
    sensing = reading.sensing
    if span is not None:
        if span.curve == "contrast-limited":
            raise IrvisError("contrast-limited looks at each part of a picture: it goes with --range-per image only.")
        percentiles = partial(survey.percentiles, partial(_values, pairs, reading))
        sensing = replace(sensing, scale=settled_range(span, percentiles, kind))
    if sensing.polarity == "auto":
        sensing = replace(sensing, polarity=_polarity(pairs, reading))
    return replace(reading, sensing=sensing)


def _kind(pairs: Sequence[Match], reading: Reading) -> tuple[Range | None, Literal["counts", "celsius"]]:
    """The range for all of them, and of what; they must agree."""
    kinds = set()
    for measured, values, unit in _seen(pairs, reading):
        span = needed_range(measured, reading.range, unit)
        kinds.add((span, unit, "float" if values.dtype.kind == "f" else "integer"))
    if len(kinds) > 1:
        raise IrvisError(
            "the infrared files are of several kinds (pictures and counts, whole numbers and fractions): "
            "one range for all needs one kind, or --range-per image."
        )
    if not kinds:
        return None, "counts"
    [(span, unit, _)] = kinds
    return span, unit


def _seen(pairs: Sequence[Match], reading: Reading) -> Iterator[_Seen]:
    for pair in pairs:
        try:
            measured = measure(pair.infrared, reading.sensing)
            yield measured, *numbers(measured, reading.range, reading.sensing)
        except IrvisError:
            continue


def _values(pairs: Sequence[Match], reading: Reading) -> Iterator[NDArray[Any]]:
    for _, values, _ in _seen(pairs, reading):
        yield np.ascontiguousarray(values.astype(np.float32) if values.dtype.kind == "f" else values)


def _polarity(pairs: Sequence[Match], reading: Reading) -> Literal["white-hot", "black-hot"]:
    from ..check import polarity

    odds = []
    for measured, values, unit in _seen(pairs, reading):
        if measured.radiometric is None:
            span = needed_range(measured, reading.range, unit)
            gray = values.astype(np.float32) / 255 if span is None else scaled(values, scale_of(values, span, unit))
            odds.append(polarity.evidence(tensor(gray[..., None])))
    verdict = polarity.verdict(polarity.together(odds)) if odds else "white-hot"
    if verdict == "unknown":
        io._warn("white-hot or black-hot cannot be told from the pictures; they stay as they are: say --polarity.")
    return "black-hot" if verdict == "black-hot" else "white-hot"
