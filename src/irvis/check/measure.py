"""A pair of files to what is known of them. Files are decoded whole, statistics mostly of evenly spaced pixels."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image as Pillow

from .. import io
from ..align import misalignment
from ..color import gray
from ..data.matching import Match
from ..errors import IrvisError
from ..io import photo
from ..io.decode import Raster, _quiet, read_raster, within_memory
from ..io.infrared import measure
from ..io.normalise import asked_polarity, given_range, numbers
from ..io.samples import shallow
from ..thermal import Range, polarity, to_unit
from ..types import Gray
from . import colours, defects
from .findings import Array, Asked, Look, Pixels, Side

SAMPLE = 512
"""Statistics are of about SAMPLE² pixels at most."""
COARSE = 16
WHOLE = 2**25
"""Infrared images of more pixels (34 million) are not searched for dead pixels, and thinned out for their polarity."""

_ORIENTATION = 0x0112
_FULL = {"uint8": 255.0, "uint16": 65535.0}
_MIDDLE = Range(1, 99, "percent")


class _Read(NamedTuple):
    raster: Raster
    asked: Asked | None = None
    """Of an infrared file, for these samples."""
    is_hot: bool = False
    """Whether bright is hot for sure: counts of a thermal camera."""


def look(match: Match, asked: Asked) -> Look:
    """Both files of a pair; one that cannot be read is a problem of its side, no error."""
    visible, of_visible = _side(
        match.visible, partial(_photo, asked=asked) if match.visible == match.infrared else _picture
    )
    infrared, of_infrared = _side(match.infrared, partial(_measured, asked=asked))
    if of_visible is None or of_infrared is None or of_visible.shape[:2] != of_infrared.shape[:2]:
        return Look(match=match, visible=visible, infrared=infrared)
    likeness = _likeness(_plane(_spaced(of_visible)), _plane(_spaced(of_infrared)))
    shift = misalignment(_image(_shown(_plane(of_visible), None)), _image(_shown(_plane(of_infrared), asked)))
    return Look(match=match, visible=visible, infrared=infrared, likeness=likeness, shift=shift)


def _side(path: Path, read: Callable[[Path], _Read]) -> tuple[Side, Array | None]:
    """What is known of a file, and its samples."""
    try:
        with within_memory(path), np.errstate(invalid="ignore", over="ignore"):
            found = read(path)
            return Side(path=path, pixels=_pixels(found)), found.raster.samples
    except IrvisError as error:
        return Side(path=path, problem=str(error)), None


def _picture(path: Path) -> _Read:
    return _Read(read_raster(path))


def _photo(path: Path, asked: Asked) -> _Read:
    """Of a radiometric file the part of its photo that both cameras saw; any other file is a picture."""
    measured = measure(path, asked.sensing)
    if not photo.is_alone(path, path, measured, asked.sensing):
        return _picture(path)
    part = photo.place(measured, asked.sensing.crop, asked.resize).visible
    return _Read(Raster(path, (255 * part[0].permute(1, 2, 0).numpy()).round().astype(np.uint8), b"", b""))


def _measured(path: Path, asked: Asked) -> _Read:
    """The numbers of an infrared file that the range is applied to, as fusing takes them, and the range in these."""
    measured = measure(path, asked.sensing)
    values, unit = numbers(measured, asked.range, asked.sensing)
    span = given_range(measured, asked.range, unit)
    asked_polarity(measured, asked.sensing)
    raster, is_hot = measured.raster, measured.radiometric is not None
    if span is not None and unit == "celsius":
        span = span if span.unit == "percent" else replace(span, unit="counts")
        raster = replace(raster, samples=values.astype(np.float32)[..., None])
    return _Read(raster, replace(asked, range=span), is_hot)


def _pixels(read: _Read) -> Pixels:
    raster, asked, is_hot = read
    samples, spaced = raster.samples, _spaced(raster.samples)
    plane, is_float = _plane(spaced), samples.dtype == np.float32
    unit, coloured = _unit(plane, samples.dtype.name, asked), io._is_coloured(samples)
    low, high = _percentiles(plane, 1, 99)
    return Pixels(
        width=samples.shape[1],
        height=samples.shape[0],
        channels=samples.shape[2],
        samples=samples.dtype.name,
        turned=_turned(raster.path),
        coloured=coloured,
        own_colours=colours.own_colours(spaced) if coloured else 0.0,
        low=low,
        high=high,
        constant=_constant(samples),
        levels=len(np.unique(plane[np.isfinite(plane)])),
        contrast=None if unit is None else -float(np.subtract(*_percentiles(unit, 0.5, 99.5))),
        black=0.0 if unit is None else float((unit <= 0).mean()),
        white=0.0 if unit is None else float((unit >= 1).mean()),
        missing=1 - float(np.isfinite(samples).mean()) if is_float else 0.0,
        outside=is_float and not bool(((samples >= 0) & (samples <= 1)).all()),
        bits=shallow(samples),
        coarse=_coarse(_shown(plane, asked) if unit is None else unit),
        **({} if asked is None or coloured else _of_infrared(samples[..., 0], asked, is_hot)),
    )


def _of_infrared(plane: Array, asked: Asked, is_hot: bool) -> dict[str, Any]:
    """What takes every pixel of a gray image."""
    is_plain, is_huge = plane.dtype == np.uint8 and asked.range is None, plane.size > WHOLE
    seen = _spaced(plane) if is_huge else plane
    low, high = (0.0, 255.0) if plane.dtype == np.uint8 else _percentiles(_spaced(plane), 1, 99)
    unit = seen / np.float32(255) if is_plain else _shown(seen, asked)
    return {
        "hot": polarity.SURE if is_hot else polarity.evidence(_image(unit)),
        "lines": defects.dead_lines(plane),
        "spikes": defects.spikes(plane[:0] if is_huge else plane, high - low),
    }


# ----------------------------------------------------------------------------------- samples to planes


def _spaced(samples: Array) -> Array:
    step = math.ceil(math.sqrt(samples.shape[0] * samples.shape[1]) / SAMPLE)
    return samples[::step, ::step]


def _plane(samples: Array) -> Array:
    """The file's numbers as (h, w) of float32; of colours, their luma."""
    return gray(io._tensor(samples))[0, 0].numpy()


def _unit(plane: Array, samples: str, asked: Asked | None) -> Array | None:
    """In [0, 1] as fusing would take it; None where it would refuse the file."""
    if asked is not None and asked.range is not None:
        return to_unit(plane, asked.range)
    if samples in _FULL and (asked is None or samples == "uint8"):
        return plane / np.float32(_FULL[samples])
    return plane if asked is None and bool(((plane >= 0) & (plane <= 1)).all()) else None


def _shown(plane: Array, asked: Asked | None) -> Array:
    """In [0, 1], whatever the numbers are: by the range asked for, or from the 1st to the 99th percentile."""
    return to_unit(plane, _MIDDLE if asked is None or asked.range is None else asked.range)


def _image(plane: Array) -> Gray:
    return torch.from_numpy(np.ascontiguousarray(plane, np.float32))[None, None]


# ------------------------------------------------------------------------------------- small facts


def _percentiles(values: Array, low: float, high: float) -> tuple[float, float]:
    """Of what is finite; NaN where nothing is."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return math.nan, math.nan
    first, second = np.percentile(finite, (low, high))
    return float(first), float(second)


def _constant(samples: Array) -> bool:
    """One value all over, or none."""
    finite = samples[np.isfinite(samples)] if samples.dtype == np.float32 else samples
    return not finite.size or bool(finite.min() == finite.max())


def _coarse(unit: Array) -> Array:
    means = F.adaptive_avg_pool2d(torch.from_numpy(np.nan_to_num(unit)).float()[None], COARSE).numpy().ravel()
    means = means - means.mean()
    length = float(np.linalg.norm(means))
    return means / length if length > 1e-5 else np.zeros_like(means)


def _likeness(visible: Array, infrared: Array) -> float:
    """Correlation; 0 where a side is constant or holds what is not finite."""
    sides = [plane.astype(np.float64) - plane.mean(dtype=np.float64) for plane in (visible, infrared)]
    length = float(np.sqrt((sides[0] ** 2).sum() * (sides[1] ** 2).sum()))
    return float((sides[0] * sides[1]).sum()) / length if length > 0 and math.isfinite(length) else 0.0


def _turned(path: Path) -> int:
    """The EXIF orientation, 1 where the file tells none."""
    try:
        with _quiet(), Pillow.open(path) as image:
            turned = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # pixels were read; what is odd about the metadata is no finding
        return 1
    return turned if isinstance(turned, int) and 1 <= turned <= 8 else 1
