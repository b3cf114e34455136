"""What the authors' scripts do to pictures before and after their networks, for `as_published`.

Pictures are (b, c, h, w) in [0, 1]; of 8 bits where it says so: then their values are whole 255ths.
"""

import torch
from torch import Tensor

from ...types import RGB, Gray, Image


def split(rgb: RGB, clip: bool = False) -> tuple[Gray, Gray, Gray]:
    """Y, Cr and Cb with the rounded factors 0.713 and 0.564 that many of these scripts share."""
    red, green, blue = rgb.split(1, dim=1)
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    parts = y, 0.713 * (red - y) + 0.5, 0.564 * (blue - y) + 0.5
    return (parts[0].clamp(0, 1), parts[1].clamp(0, 1), parts[2].clamp(0, 1)) if clip else parts


def joined(y: Gray, cr: Gray, cb: Gray) -> RGB:
    """The way back from `split`, clipped to [0, 1]."""
    red, blue = y + 1.403 * (cr - 0.5), y + 1.773 * (cb - 0.5)
    green = y - 0.714 * (cr - 0.5) - 0.344 * (cb - 0.5)
    return torch.cat([red, green, blue], 1).clamp(0, 1)


def stretched(image: Image, epsilon: float = 0.0) -> Image:
    """The darkest value of each picture becomes 0 and its brightest 1; `epsilon` is added to the difference."""
    low, high = image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)
    return (image - low) / (high - low + epsilon).clamp_min(torch.finfo(image.dtype).tiny)


def truncated(image: Image) -> Image:
    """Of 8 bits, cut off rather than rounded."""
    return (image.clamp(0, 1) * 255).floor() / 255


def rounded(image: Image) -> Image:
    """Of 8 bits, rounded."""
    return (image.clamp(0, 1) * 255).round() / 255


def levels(image: Image) -> Tensor:
    """The whole numbers 0 to 255 of a picture of 8 bits, as floats."""
    return (image * 255).round()


def threefold(gray: Gray) -> RGB:
    """A gray picture as three equal channels."""
    return gray.expand(-1, 3, -1, -1)
