"""What the authors' scripts do to pictures before and after their networks, for `as_published`.

Pictures are (b, c, h, w) in [0, 1]; those of 8 bits are whole 255ths.
"""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ...types import RGB, Gray, Image

# ------------------------------------------------------------------------------------------------------------- range


def stretched(image: Image, epsilon: float = 0.0) -> Image:
    """The darkest value of each picture becomes 0 and its brightest 1; `epsilon` is added to the difference."""
    low, high = image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)
    return (image - low) / (high - low + epsilon).clamp_min(torch.finfo(image.dtype).tiny)


def truncated(image: Image) -> Image:
    """To 8 bits, cut off rather than rounded."""
    return (image.clamp(0, 1) * 255).floor() / 255


def rounded(image: Image) -> Image:
    """To 8 bits, rounded."""
    return (image.clamp(0, 1) * 255).round() / 255


def wrapped(image: Image) -> Image:
    """To 8 bits by a cast that cuts off and keeps the lowest byte: below black comes white."""
    return (image * 255).trunc().remainder(256) / 255


def levels(image: Image) -> Tensor:
    """The whole numbers 0 to 255 of a picture of 8 bits, as floats."""
    return (image * 255).round()


# -------------------------------------------------------------------------------------------------------------- gray


def threefold(gray: Gray) -> RGB:
    """A gray picture as three equal channels."""
    return gray.expand(-1, 3, -1, -1)


def pillow_gray(rgb: RGB) -> Gray:
    """Pillow's conversion to mode L, of 8 bits."""
    return _weighted(rgb, (19595, 38470, 7471), 1 << 16, 1 << 15)


def opencv_gray(rgb: RGB) -> Gray:
    """OpenCV's BGR2GRAY, of 8 bits."""
    return _weighted(rgb, (9798, 19235, 3735), 1 << 15, 1 << 14)


def read_gray(rgb: RGB) -> Gray:
    """What OpenCV reads of a PNG file in colour when it is asked for gray, of 8 bits."""
    red, green, blue = rgb.split(1, dim=1)
    return torch.where((red == green) & (green == blue), red, _weighted(rgb, (9798, 19235, 3735), 1 << 15, 0))


def _weighted(rgb: RGB, weights: tuple[int, int, int], whole: int, more: int) -> Gray:
    """A sum in whole numbers, as libraries do it."""
    red, green, blue = levels(rgb).long().split(1, dim=1)
    total = weights[0] * red + weights[1] * green + weights[2] * blue + more
    return (total // whole).to(rgb.dtype) / 255


# ------------------------------------------------------------------------------------------------------------ colour


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


def opencv_ycrcb(rgb: RGB) -> tuple[Gray, Gray, Gray]:
    """OpenCV's BGR2YCrCb, of 8 bits."""
    red, green, blue = levels(rgb).long().split(1, dim=1)
    y = (4899 * red + 9617 * green + 1868 * blue + 8192) >> 14
    cr = ((red - y) * 11682 + (128 << 14) + 8192) >> 14
    cb = ((blue - y) * 9241 + (128 << 14) + 8192) >> 14
    y, cr, cb = (part.clamp(0, 255).to(rgb.dtype) / 255 for part in (y, cr, cb))
    return y, cr, cb


def opencv_rgb(y: Gray, cr: Gray, cb: Gray) -> RGB:
    """OpenCV's YCrCb2BGR of parts of 8 bits."""
    luma, reds, blues = (levels(part).long() for part in (y, cr, cb))
    reds, blues = reds - 128, blues - 128
    red = luma + ((reds * 22987 + 8192) >> 14)
    green = luma + ((blues * -5636 + reds * -11698 + 8192) >> 14)
    blue = luma + ((blues * 29049 + 8192) >> 14)
    return torch.cat([red, green, blue], 1).clamp(0, 255).to(y.dtype) / 255


# -------------------------------------------------------------------------------------------------------------- size


def resized(image: Tensor, size: list[int], antialias: bool = True) -> Tensor:
    """To (height, width), bilinear, of 8 bits: as Pillow does it; without `antialias` as OpenCV does."""
    if list(image.shape[-2:]) == size:
        return image
    return rounded(interpolate(image, size, mode="bilinear", antialias=antialias))
