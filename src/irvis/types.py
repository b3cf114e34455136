"""The image types of the library. Images are float tensors in [0, 1] with a batch dimension, always."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

RGB = Float[Tensor, "b 3 h w"]
Gray = Float[Tensor, "b 1 h w"]
Image = Float[Tensor, "b c h w"]
Picture = Float[Tensor, "b _ h w"]
"""Gray or RGB, whatever the image beside it is."""
Scaled = Float[Tensor, "b c hs ws"]
"""An image whose size differs from that of the images beside it."""


@dataclass(frozen=True, kw_only=True)
class Meta:
    """What a visible file says beside its pixels, kept for the fused file."""

    exif: bytes = b""
    """EXIF block with the orientation already applied to the pixels (GPS position included)."""
    icc: bytes = b""
    """ICC colour profile; the fused pixels are in the same colour space."""
    depth: int = 8
    """Bits per channel of the visible file: 8 or 16."""
    gray: bool = False
    """Whether the visible file has one channel: the fused file has one then, too."""
    xmp: bytes = b""
    """XMP packet with the orientation already applied to the pixels."""
    made: str = ""
    """What makes the fused file, as JSON (see `record`); empty where it isn't told."""
    shown: str = ""
    """What became black and white of the infrared file, as JSON; empty where it was taken as it is."""
    nodata: float | None = None
    """The value of visible pixels that hold no data (GDAL_NODATA), in levels of `depth` bits."""
    missing: Gray | None = field(default=None, compare=False)
    """1 where the visible file holds no data; None = nowhere."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Thermal:
    """What the infrared file measured, at its own resolution, and where that lies in the picture."""

    values: NDArray[np.float32]
    """(h, w), of `unit`; NaN where nothing was measured."""
    unit: Literal["celsius", "counts"]
    problem: str
    """Why there are no degrees C; empty where there are."""
    low: float
    """Of `unit`: what is shown cold, and"""
    high: float
    """hot; below `low` where counts fall with temperature."""
    placement: NDArray[np.float64]
    """Where visible pixels lie in the values: (3, 3) or (h, w, 2), see `align.warp`."""
    about: str = ""
    """Of the measurement, as JSON."""


class Pair(NamedTuple):
    """A registered pair, batch size 1."""

    name: str
    visible: RGB
    infrared: Gray
    valid: Gray | None = None
    """1 where the infrared camera saw anything; None = everywhere."""
    meta: Meta = Meta()
    thermal: Thermal | None = None
    """Kept where it was asked for."""
