"""The image types of the library. Images are float tensors in [0, 1] with a batch dimension, always."""

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float
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


class Pair(NamedTuple):
    """A registered pair, batch size 1."""

    name: str
    visible: RGB
    infrared: Gray
    valid: Gray | None = None
    """1 where the infrared camera saw anything; None = everywhere."""
    meta: Meta = Meta()
