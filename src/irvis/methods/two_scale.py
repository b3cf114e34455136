"""Two scales: each image's detail counts by its saliency, the blurred images are averaged.

Bavirisetti & Dhuli, Two-scale image fusion of visible and infrared images using saliency detection,
Infrared Physics & Technology 2016.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from ..registry import Spec, register
from ..types import Gray


def _spec(window: int = 35) -> Spec:
    if window % 2 == 0 or not 3 <= window <= 255:
        raise ValueError(f"window must be an odd number from 3 to 255, not {window}")
    return Spec(domain="luma", reach=window // 2)


@register("tif", spec=_spec, paper="https://doi.org/10.1016/j.infrared.2016.01.009")
def tif(luma: Gray, infrared: Gray, window: int = 35) -> Gray:
    """Two-scale fusion: details weighed by saliency, and the mean of what a mean filter leaves.

    With the base B (mean of `window` × `window` pixels) and the detail D = I - B of each image, its saliency is
    S = (B - median of 3 × 3 pixels)², and fused = ΣB / 2 + ΣS·D / ΣS. Where neither image is salient both details
    count alike. The border pixel is repeated (the authors wrap the picture around for the mean and pad the median
    with zeros). The result may leave [0, 1].
    """
    images = torch.stack([luma, infrared])
    base = torch.stack([_mean(image, window) for image in images])
    saliency = (base - torch.stack([_median(image) for image in images])).square()
    both = saliency.sum(0)
    share = torch.where(both > 0, saliency[0] / both.where(both > 0, 1), 0.5)
    detail = images - base
    return base.mean(0) + share * detail[0] + (1 - share) * detail[1]


def _mean(image: Tensor, window: int) -> Tensor:
    radius = window // 2
    wide = pad(image, (radius, radius, radius, radius), mode="replicate")
    return avg_pool2d(avg_pool2d(wide, (window, 1), stride=1), (1, window), stride=1)


def _median(image: Tensor) -> Tensor:
    """Median of 3 × 3 pixels: that of the largest small, the middle middle and the smallest large of three columns."""
    wide = pad(image, (1, 1, 1, 1), mode="replicate")
    small, middle, large = (_three(part, -1) for part in _sorted(*_three(wide, -2)))
    return _sorted(_sorted(*small)[2], _sorted(*middle)[1], _sorted(*large)[0])[1]


def _three(image: Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """Every pixel of a padded image, and its neighbours before and after."""
    length = image.shape[dim] - 2
    return image.narrow(dim, 0, length), image.narrow(dim, 1, length), image.narrow(dim, 2, length)


def _sorted(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    return torch.minimum(low, c), torch.maximum(low, torch.minimum(high, c)), torch.maximum(high, c)
