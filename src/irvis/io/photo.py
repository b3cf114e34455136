"""A radiometric file that holds its photo, as a pair: the part that both cameras saw, in pixels of the photo."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .. import cameras
from ..align.geometry import Size, grid, moved
from ..align.warp import Placement, window
from ..errors import IrvisError, NotRegisteredError
from ..thermal import Sensing
from ..thermal.asked import Crop
from ..types import RGB, Gray, Image, Meta, Scaled
from .infrared import Measured
from .registration import LEAST, Laid
from .samples import tensor

APART = 0.05
"""Of the photo's longer side: an estimate that is further from the camera's own alignment is not believed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Place:
    """The part of the photo, and where the thermal image lies in it: left, top, width, height."""

    visible: RGB
    window: tuple[int, int, int, int]


def is_alone(visible: Path, infrared: Path, measured: Measured, sensing: Sensing) -> bool:
    """Whether one radiometric file, and what was measured in it, is both sides of a pair."""
    if visible != infrared:
        return False
    if sensing.unit == "picture" and cameras.read(infrared) is not None:
        raise IrvisError(f"{infrared} alone is its photo and its counts: leave --infrared-unit picture out.")
    return measured.radiometric is not None


def place(measured: Measured, crop: Crop | None, stretch: bool) -> Place:
    """By the camera's own alignment; `stretch` takes the thermal image for the whole photo where there is none.

    The thermal window is rounded to whole pixels; the alignment itself is good to a few.
    """
    found = measured.radiometric
    if found is None:
        raise IrvisError("it holds no thermal record, so it is one picture: give its infrared file too.")
    if found.photo is None:
        raise IrvisError("it holds no photo beside its thermal image: give the visible file too.")
    window = cameras.thermal_window(found)
    height, width = found.photo.shape[:2]
    if window is None and not stretch:
        raise NotRegisteredError(
            "its photo and its thermal image are not aligned, and the file does not say how they lie: "
            "type --align or, if they show the same view, --resize-infrared."
        )
    left, top, wide, high = _rounded(_part(window or (0.0, 0.0, float(width), float(height)), crop, found.counts.shape))
    first, last = (max(left, 0), max(top, 0)), (min(left + wide, width), min(top + high, height))
    if min(last[0] - first[0], last[1] - first[1]) < LEAST:
        raise IrvisError("by the camera's own alignment its thermal image lies outside its photo.")
    part = found.photo[first[1] : last[1], first[0] : last[0]]
    return Place(visible=tensor(part) / 255, window=(left - first[0], top - first[1], wide, high))


def told_own(found: Measured) -> str:
    """What ends a refusal of an estimate where the file says itself how both pictures lie."""
    if found.radiometric is None or cameras.thermal_window(found.radiometric) is None:
        return ""
    return " Or leave --align out: the file holds the camera's own alignment."


def refuse_far(found: Measured, placement: Placement, size: Size) -> None:
    """An IrvisError where an estimate lies far from the camera's own alignment; `size`: of the photo."""
    own = None if found.radiometric is None else cameras.thermal_window(found.radiometric)
    if own is None or placement.ndim != 2:
        return
    there = grid(size)
    camera = moved(
        np.asarray(np.linalg.inv(window(own, found.raster.samples.shape)), np.float64), moved(placement, there)
    )
    off = float(np.nanmedian(np.linalg.norm(camera - there, axis=1)))
    if not off <= APART * max(size):
        raise IrvisError(
            f"the estimate lies {off:.0f} px from the camera's own alignment, which the file holds: "
            "leave --align out to take the camera's."
        )


def seen(infrared: Scaled, place: Place) -> Gray:
    """The infrared image laid over the part of the photo."""
    left, top, width, height = place.window
    rows, columns = place.visible.shape[2:]
    return resized(infrared, height, width)[:, :, -top : rows - top, -left : columns - left].contiguous()


def resized(image: Scaled, height: int, width: int) -> Image:
    """Bicubic, antialiased; the image itself where it has the size."""
    if image.shape[2:] == (height, width):
        return image
    return torch.nn.functional.interpolate(image, (height, width), mode="bicubic", antialias=True).clamp(0, 1)


def stretched(visible: RGB, infrared: Scaled, source: Measured, meta: Meta) -> Laid:
    """Infrared scaled to the visible's size, whatever it shows."""
    height, width = visible.shape[2:]
    present = measured(source)
    valid = None if present is None else (resized(present, height, width) > 0.5).float()
    placement = window((0, 0, width, height), infrared.shape[2:])
    image = resized(infrared, height, width)
    return Laid(visible=visible, infrared=image, valid=valid, placement=placement, meta=meta)


def measured(source: Measured) -> Gray | None:
    """1 where a GeoTIFF's infrared holds data; None if it does everywhere or does not say."""
    if not source.empty:
        return None
    return tensor(np.isfinite(source.raster.samples[..., :1])).float()


def whole(source: Measured) -> RGB:
    """The photo that a radiometric file holds."""
    if source.radiometric is None or source.radiometric.photo is None:
        raise IrvisError("it holds no photo beside its thermal image: give the visible file too.")
    return tensor(source.radiometric.photo) / 255


def _part(
    window: tuple[float, float, float, float], crop: Crop | None, shape: tuple[int, ...]
) -> tuple[float, float, float, float]:
    """Where the cropped part of the thermal image lies."""
    if crop is None:
        return window
    left, top, wide, high = window
    across, down = wide / shape[1], high / shape[0]
    return left + crop[0] * across, top + crop[1] * down, crop[2] * across, crop[3] * down


def _rounded(window: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    left, top, wide, high = window
    return round(left), round(top), round(left + wide) - round(left), round(top + high) - round(top)
