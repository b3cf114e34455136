"""Local moments: what each neighbourhood of a picture looks like on average, and how two of them go together."""

from typing import NamedTuple

import torch
from torch import Tensor

from .maps import Border, Levels, local_mean, local_moment, shared

FLAT = 1e-9
"""A neighbourhood whose variance is below this counts as flat: what rounding leaves of 0 where levels reach 255."""


class Window(NamedTuple):
    """How the pixels of a neighbourhood count."""

    size: int = 11
    """Pixels a side; pictures that are smaller take the largest odd window that fits (border "valid")."""
    deviation: float = 1.5
    """Of the Gaussian weights, in pixels; infinite = all pixels count alike."""
    border: Border = "valid"


def mean_in(image: Levels, window: Window) -> Tensor:
    """Weighted mean of every neighbourhood."""
    return local_mean(image, size=window.size, deviation=window.deviation, border=window.border)


@shared
def variance_in(image: Levels, *, window: Window) -> Tensor:
    """Weighted variance of every neighbourhood, as E[x²] - E[x]²: slightly negative where rounding has it so."""
    return covariance_in(image, image, window=window)


@shared
def covariance_in(a: Levels, b: Levels, *, window: Window) -> Tensor:
    """Weighted covariance of every pair of neighbourhoods, as E[ab] - E[a]·E[b]."""
    both = local_moment(a, b, size=window.size, deviation=window.deviation, border=window.border)
    return torch.addcmul(both, mean_in(a, window), mean_in(b, window), value=-1)


@shared
def similarity(a: Levels, b: Levels, *, window: Window, span: float = 255.0) -> Tensor:
    """The SSIM of every pair of neighbourhoods, with C1 = (0.01·span)² and C2 = (0.03·span)²."""
    small, large = (0.01 * span) ** 2, (0.03 * span) ** 2
    mean_a, mean_b = mean_in(a, window), mean_in(b, window)
    above = (mean_a * mean_b).mul_(2).add_(small)
    above *= (2 * covariance_in(a, b, window=window)).add_(large)
    below = mean_a.square().addcmul_(mean_b, mean_b).add_(small)
    below *= (variance_in(a, window=window) + variance_in(b, window=window)).add_(large)
    return above.div_(below)
