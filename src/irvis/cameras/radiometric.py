"""What a thermal camera wrote into one picture, as plain facts."""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ..errors import IrvisError
from . import planck

MAX_COUNTS = 1 << 24
"""A header that claims more pixels is refused: no thermal sensor has them."""
COLDEST_MEDIAN = -150.0
"""Degrees C. Counts said to be linear in kelvin whose median lies below are no such counts."""

_PHOTO_DENSITY = 1000  # pixels per byte of a JPEG; a PNG holds fewer
_MAX_PHOTO = 1 << 26


@dataclass(frozen=True)
class Alignment:
    """How the thermal picture lies in the photo, as the camera says.

    The field of view of the photo is `scale` times as wide as the thermal picture's. (`x`, `y`) is where
    the thermal centre lies from the photo's centre, in pixels of the photo. `picture_in_picture` is
    (left, top, right, bottom), both ends included, in thermal pixels.
    """

    scale: float
    x: int
    y: int
    picture_in_picture: tuple[int, int, int, int]


@dataclass(frozen=True)
class Measurement:
    """A tool that the user put on the camera's screen. The points are thermal pixels, in the file's order:
    spot x, y; area left, top, width, height; ellipse centre, then two points; line two points."""

    kind: str
    points: tuple[int, ...]
    label: str


@dataclass(frozen=True)
class Stated:
    """What the camera itself says of its temperatures: whole degrees, to check against, not to compute with.

    `minimum` and `maximum` stand in the maker note without a unit (kelvin, in the cameras tried; some cameras
    write the ends of the colour bar there and some nonsense); `centre` is degrees C of the middle of the picture.
    """

    minimum: float | None = None
    maximum: float | None = None
    centre: float | None = None


@dataclass(frozen=True, eq=False)
class Palette:
    """The colours of the camera's picture, from cold to hot: (n, 3) RGB bytes."""

    name: str
    colours: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Radiometric:
    """Counts (h, w) and what the file says of them. What it does not say is None or empty.

    Temperatures follow from `constants` or, where counts are linear in kelvin, from `kelvin_per_count`;
    where there is neither, `why_no_temperature` says why. Serial numbers and places are left in the file.
    """

    counts: NDArray[np.uint16]
    constants: planck.Constants | None = None
    kelvin_per_count: float | None = None
    why_no_temperature: str = ""
    model: str = ""
    lens: str = ""
    software: str = ""
    taken: datetime | None = None
    alignment: Alignment | None = None
    zoom: float = 1.0
    """Of the view when the picture was taken: `alignment` is that of the zoomed view, the counts are the whole one."""
    measurements: tuple[Measurement, ...] = ()
    stated: Stated = Stated()
    palette: Palette | None = None
    photo_file: bytes = b""

    @cached_property
    def photo(self) -> NDArray[np.uint8] | None:
        """The camera's visible picture, (h, w, 3) RGB; None without one, an IrvisError if it is damaged."""
        return decoded_photo(self.photo_file) if self.photo_file else None


def celsius(radiometric: Radiometric, **conditions: float | None) -> NDArray[np.float32]:
    """Degrees C of every pixel, under the file's conditions or those given: see `planck.CONDITIONS`."""
    if radiometric.constants is not None:
        return planck.celsius(radiometric.counts, planck.with_conditions(radiometric.constants, **conditions))
    if any(value is not None for value in conditions.values()):
        raise IrvisError("conditions like the emissivity need Planck constants, and this file holds none.")
    if radiometric.kelvin_per_count is not None:
        return linear_celsius(radiometric.counts, radiometric.kelvin_per_count)
    raise IrvisError(f"no temperature: {radiometric.why_no_temperature or 'the file holds counts and no constants'}.")


def linear_celsius(counts: NDArray[Any], kelvin_per_count: float) -> NDArray[np.float32]:
    """Degrees C of counts that are linear in kelvin: 0.01 for K x 100, 0.1 for K x 10, 1/64 for K x 64."""
    if not (math.isfinite(kelvin_per_count) and kelvin_per_count > 0):
        raise IrvisError(f"{kelvin_per_count:g} kelvin per count is impossible: type 0.01 (K x 100) or 0.1 (K x 10).")
    degrees = checked(counts).astype(np.float64) * kelvin_per_count - planck.ZERO_CELSIUS
    median = float(np.median(degrees))
    if median < COLDEST_MEDIAN:
        raise IrvisError(
            f"at {kelvin_per_count:g} kelvin per count half of the picture would be colder than {median:.0f} C: "
            "these counts are not linear in kelvin, or not by that step."
        )
    return degrees.astype(np.float32)


def checked(counts: NDArray[Any]) -> NDArray[np.uint16]:
    """The same counts as uint16; negative, fractional, too large, empty or constant ones are an IrvisError."""
    if counts.ndim != 2 or not counts.size:
        raise IrvisError(f"thermal counts must be (height, width), not {counts.shape}.")
    if counts.dtype.kind not in "iu":
        raise IrvisError(f"thermal counts must be integers, not {counts.dtype}.")
    low, high = int(counts.min()), int(counts.max())
    if low < 0 or high > 65535:
        raise IrvisError(f"thermal counts run from {low} to {high}; they must lie between 0 and 65535.")
    if low == high:
        raise IrvisError(f"all {counts.size} thermal counts are {low}: the camera saw nothing, or the file is damaged.")
    return counts.astype(np.uint16)


def thermal_window(radiometric: Radiometric) -> tuple[float, float, float, float] | None:
    """(left, top, width, height) of the thermal picture in pixels of the photo; None if the file does not say.

    Of a zoomed view, too, it is that of the whole thermal picture. It may reach beyond the photo. The camera's word, good to a few pixels, and only at the distance to
    which its parallax was set.
    """
    alignment, photo = radiometric.alignment, radiometric.photo
    if alignment is None or photo is None:
        return None
    (rows, columns), (height, width) = radiometric.counts.shape, photo.shape[:2]
    wide = width / alignment.scale * radiometric.zoom
    high = wide * rows / columns
    return width / 2 + alignment.x - wide / 2, height / 2 + alignment.y - high / 2, wide, high


def decoded_photo(data: bytes) -> NDArray[np.uint8]:
    """RGB of an embedded photo. A PNG of three planes holds Y, Cb, Cr (BT.601, full range), as FLIR writes it."""
    try:
        with Pillow.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > min(_MAX_PHOTO, _PHOTO_DENSITY * len(data)):
                raise ValueError(f"{len(data)} bytes cannot hold its {image.width} x {image.height} pixels")
            if image.format == "PNG" and image.mode in ("RGB", "RGBA"):
                planes = image.convert("RGB").split()
                return np.asarray(Pillow.merge("YCbCr", planes).convert("RGB"))
            return np.asarray(image.convert("RGB"))
    except Exception as error:  # decoders raise anything on damaged bytes
        told = f": {' '.join(str(error).split())}" if isinstance(error, ValueError) else ""
        raise IrvisError(f"the photo inside cannot be decoded{told}; its thermal counts can be.") from error
