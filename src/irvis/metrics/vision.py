"""Metrics built on models of human vision: contrast sensitivity and local contrast.

Both stretch every image to 0..255 first, so a change of brightness or contrast of a whole image does not count.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..types import Picture
from .maps import Levels, Values, levels, mean, separable, shared, stretched, total
from .record import metric

BLOCK = 16
"""Side of the regions of Q_CV, in pixels."""


def seen(image: Levels, sensitivity: Callable[[Tensor], Tensor], scale: float) -> Tensor:
    """The image through a filter of spatial frequency; 1 is `scale` cycles over the picture, along either side."""
    height, width = image.shape[-2:]
    down = torch.fft.fftfreq(height, 1 / height, dtype=image.dtype, device=image.device)
    across = torch.fft.rfftfreq(width, 1 / width, dtype=image.dtype, device=image.device)
    frequency = torch.hypot(down[:, None], across) / scale
    return torch.fft.irfft2(torch.fft.rfft2(image) * sensitivity(frequency), s=(height, width))


def constant(image: Levels) -> Tensor:
    """(b, 1, 1, 1): whether the image has one level only."""
    return image.amax((2, 3), keepdim=True) == image.amin((2, 3), keepdim=True)


def difference_of_gaussians(frequency: Tensor) -> Tensor:
    """Contrast sensitivity of Chen and Blum."""
    return torch.exp(-(frequency / 15.3870).square()) - 0.7622 * torch.exp(-(frequency / 1.3456).square())


def perceived(picture: Tensor, guard: float = 0.0) -> Tensor:
    """Perceived local contrast C³ / (C² + 0.0001) with C = |mean under a narrow Gaussian / under a wide one - 1|."""
    x = torch.arange(-15.0, 16, dtype=torch.float64)
    narrow, wide = (
        separable(picture, taps, taps, "zero")
        for taps in (torch.exp(-x.square() / (2 * s**2)) / (math.sqrt(2 * math.pi) * s) for s in (2, 4))
    )
    local = (narrow / (wide + guard) - 1).abs()
    return local**3 / (local.square() + 1e-4)


@shared
def contrast(image: Levels) -> Tensor:
    """Perceived local contrast of an image; 0 in a constant one."""
    local = perceived(seen(stretched(image), difference_of_gaussians, 15))
    return local.masked_fill(constant(image) | ~local.isfinite(), 0)


@shared
def contrast_kept(source: Levels, fused: Levels) -> Tensor:
    """The smaller of two contrasts as a share of the larger; 1 where both are 0."""
    a, b = contrast(source), contrast(fused)
    larger = torch.maximum(a, b)
    return torch.where(larger > 0, torch.minimum(a, b) / larger.where(larger > 0, 1), 1)


@metric("Q_CB", better="high", bounds=(0, 1), paper="Chen and Blum, 2009; code of Liu et al., 2012")
def q_cb(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Perceptual quality of Chen and Blum.

    Images stretched to 0..255 and rounded, filtered by exp(-(r/15.387)²) - 0.7622·exp(-(r/1.3456)²) with r = cycles per
    picture / 15; local contrast C = |mean under a Gaussian of deviation 2 / of deviation 4 - 1| (31 pixels, zeros
    beyond the border), perceived as C³ / (C² + 0.0001). Each source scores the smaller of its contrast and the fused
    one as a share of the larger, sources count by their squared contrasts, and the result is the mean over pixels.
    Range 0 to 1, high = contrasts kept, identical images 1. A constant image has no contrast: beside others that have,
    it scores 0 where it is the fused image and does not count where it is a source; all three constant: 1.
    (Liu's and VIFB's codes return NaN there.)
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    square_v, square_i = contrast(v).square(), contrast(i).square()
    both = square_v + square_i
    share = torch.where(both > 0, square_v / both.where(both > 0, 1), 0.5)
    return mean(share * contrast_kept(v, f) + (1 - share) * contrast_kept(i, f))


def mannos_sakrison(frequency: Tensor) -> Tensor:
    """Contrast sensitivity of Mannos and Sakrison."""
    return 2.6 * (0.0192 + 0.144 * frequency) * torch.exp(-((0.144 * frequency) ** 1.1))


def blocks(image: Tensor) -> Tensor:
    """Sums over regions of 16×16 pixels, zeros filling up the last ones: (b, 1, rows, columns)."""
    height, width = image.shape[-2:]
    image = pad(image, (0, -width % BLOCK, 0, -height % BLOCK))
    return image.unflatten(3, (-1, BLOCK)).sum(4).unflatten(2, (-1, BLOCK)).sum(3)


@shared
def edge_salience(source: Levels) -> Tensor:
    """Σ g⁵ of every region, g the Sobel gradient magnitude; 0 in a constant image."""
    soft, slope = (torch.tensor(taps, dtype=torch.float64) for taps in ([1.0, 2, 1], [-1.0, 0, 1]))
    image = stretched(source)
    across, down = separable(image, soft, slope, "zero"), separable(image, slope, soft, "zero")
    square = across.square().addcmul_(down, down)
    return blocks(square.square() * square.sqrt()).masked_fill(constant(source), 0)


@shared
def visible_difference(source: Levels, fused: Levels) -> Tensor:
    """Mean square of the perceived difference in every region, gray levels²."""
    return blocks(seen(stretched(source) - stretched(fused), mannos_sakrison, 4).square()) / BLOCK**2


@metric("Q_CV", better="low", bounds=(0, math.inf), unit="gray levels²", paper="Chen and Varshney, 2007")
def q_cv(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Perceptual difference of Chen and Varshney.

    Images stretched to 0..255 and rounded; in regions of 16×16 pixels (the last ones filled up with zeros) the mean
    square of source - fused, filtered by 2.6·(0.0192 + 0.144·r)·exp(-(0.144·r)^1.1) with r = cycles per picture / 4.
    Mean over regions and sources, counting by the source's Σ g⁵ (g: Sobel magnitude, zeros beyond the border).
    From 0 (identical images), low = good; sharp edges decide. A constant image is not stretched and its regions do not
    count (the reference codes return NaN); where both sources are constant, all regions count alike.
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    weights = torch.cat([edge_salience(v), edge_salience(i)], 1)
    weights = torch.where(total(weights)[:, None, None, None] > 0, weights, 1.0)
    differences = torch.cat([visible_difference(v, f), visible_difference(i, f)], 1)
    return total(weights * differences) / total(weights)
