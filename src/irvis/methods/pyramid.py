"""Laplacian pyramid fusion: the stronger detail at each scale, the mean of what is left.

Burt & Adelson, The Laplacian pyramid as a compact image code, IEEE Trans. Commun. 1983;
Toet, Image fusion by a ratio of low-pass pyramid, Pattern Recognition Letters 1989.
"""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

from ..registry import Spec, register
from ..types import Gray


def _spec(levels: int = 4) -> Spec:
    if not 1 <= levels <= 8:
        raise ValueError(f"levels must be 1 to 8, not {levels}")
    return Spec(domain="luma", multiple=2**levels, reach=4 * (2**levels - 1))


@register("laplacian", spec=_spec, paper="https://doi.org/10.1016/0167-8655(89)90003-2")
def laplacian(luma: Gray, infrared: Gray, levels: int = 4) -> Gray:
    """Laplacian pyramid: at each scale the stronger detail of the two, and the mean of the coarsest rest."""
    details = []
    for _ in range(levels):
        lower_luma, lower_infrared = _reduce(luma), _reduce(infrared)
        details.append(_stronger(luma - _expand(lower_luma), infrared - _expand(lower_infrared)))
        luma, infrared = lower_luma, lower_infrared
    fused = (luma + infrared) / 2
    for detail in reversed(details):
        fused = _expand(fused) + detail
    return fused


def _stronger(a: Tensor, b: Tensor) -> Tensor:
    return torch.where(a.abs() >= b.abs(), a, b)


def _reduce(image: Tensor) -> Tensor:
    return conv2d(pad(image, (2, 2, 2, 2), mode="replicate"), _binomial(image), stride=2)


def _expand(image: Tensor) -> Tensor:
    # The repeated border is one coarse pixel, so 2 + 2 fine pixels are cut off each side again.
    wide = pad(image, (1, 1, 1, 1), mode="replicate")
    return conv_transpose2d(wide, 4 * _binomial(image), stride=2, padding=4, output_padding=1)


def _binomial(like: Tensor) -> Tensor:
    row = torch.tensor([1.0, 4, 6, 4, 1], device=like.device, dtype=like.dtype) / 16
    return (row[:, None] * row)[None, None]
