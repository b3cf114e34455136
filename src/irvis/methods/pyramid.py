"""Laplacian pyramid fusion: the stronger detail at each scale, the mean of what is left.

Burt & Adelson, The Laplacian pyramid as a compact image code, IEEE Trans. Commun. 1983;
Toet, Image fusion by a ratio of low-pass pyramid, Pattern Recognition Letters 1989.
"""

import torch
from torch import Tensor

from ..filters import expand, reduce
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
        lower_luma, lower_infrared = reduce(luma), reduce(infrared)
        details.append(_stronger(luma - expand(lower_luma), infrared - expand(lower_infrared)))
        luma, infrared = lower_luma, lower_infrared
    fused = (luma + infrared) / 2
    for detail in reversed(details):
        fused = expand(fused) + detail
    return fused


def _stronger(a: Tensor, b: Tensor) -> Tensor:
    return torch.where(a.abs() >= b.abs(), a, b)
