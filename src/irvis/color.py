"""Colour in and out of a fusion: which plane is fused, and how the colour comes back.

`luma` is Y of YCbCr (ITU-R BT.601, full range); `value` is V of HSV, the largest channel. Both ways
back stay inside the gamut by construction: chroma is scaled, channels are never clipped one by one.
"""

import torch

from .types import RGB, Gray, Image

_WEIGHTS = (0.299, 0.587, 0.114)


def luma(rgb: RGB) -> Gray:
    """BT.601 luma in [0, 1]; the identity (up to rounding) for R = G = B."""
    red, green, blue = rgb.split(1, dim=1)
    # Written as green plus differences, so that gray comes out exactly as it went in.
    return green + _WEIGHTS[0] * (red - green) + _WEIGHTS[2] * (blue - green)


def with_luma(rgb: RGB, fused: Gray) -> RGB:
    """`rgb` with its luma replaced by `fused`, hue kept, saturation cut only as far as the gamut demands.

    The distance of each pixel from gray is scaled by the largest factor in [0, 1] that keeps all three
    channels in [0, 1], so luma(result) = fused wherever fused is in [0, 1]. Half precision is computed in single.
    """
    if rgb.dtype in (torch.float16, torch.bfloat16):
        return with_luma(rgb.float(), fused.float()).to(rgb.dtype)
    fused = fused.clamp(0, 1)
    old = luma(rgb)
    red, green, blue = rgb.split(1, dim=1)
    above = red.maximum(green).maximum(blue) - old
    below = old - red.minimum(green).minimum(blue)
    room = torch.minimum((1 - fused) / above.clamp_min(1e-6), fused / below.clamp_min(1e-6))
    return torch.addcmul(fused, rgb - old, room.clamp(max=1))


def value(rgb: RGB) -> Gray:
    """V of HSV: the largest of the three channels, in [0, 1]."""
    return rgb.amax(dim=1, keepdim=True)


def with_value(rgb: RGB, fused: Gray) -> RGB:
    """`rgb` with its V replaced by `fused`; hue and saturation kept. Black pixels become gray."""
    old = value(rgb)
    ratio = torch.where(old > 1e-6, rgb / old.clamp_min(1e-6), torch.ones_like(rgb))
    return fused.clamp(0, 1) * ratio


def gray(image: Image) -> Gray:
    """The luma of an RGB image; a one-channel image as it is."""
    return luma(image) if image.shape[1] == 3 else image
