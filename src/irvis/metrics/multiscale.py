"""Multi-scale structural similarity of a fused image to what the best of the sources would look like."""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..types import Picture
from .maps import Levels, Values, levels, mean, separable, shared
from .moments import Window, covariance_in, variance_in
from .record import metric

WEIGHTS = (0.0448, 0.2856, 0.3001)
"""Of the scales, finest first, before they are divided by their sum."""
SIZE = 11
EPSILON = 2.0**-52
FLOOR = 0.001
"""Added to every strength, so that flat neighbourhoods can be divided by theirs."""
STABLE = (0.03 * 255) ** 2


@shared
def halved(image: Levels) -> Tensor:
    """Means of 2×2 pixels; an odd last row or column is repeated."""
    height, width = image.shape[-2:]
    image = pad(image, (0, width % 2, 0, height % 2), mode="replicate")
    rows = image[..., ::2, :] + image[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]) / 4


@shared
def scatter(a: Levels, b: Levels) -> Tensor:
    """Sum of (a - mean a)(b - mean b) over every square neighbourhood; exact."""
    size = min(SIZE, min(a.shape[-2:]) - 1 + min(a.shape[-2:]) % 2)
    ones = torch.ones(size, dtype=torch.float64)
    sums = [separable(x, ones, ones) for x in (a * b, a, b)]
    return (size**2 * sums[0] - sums[1] * sums[2]) / size**2


@shared
def desired(visible: Levels, infrared: Levels) -> tuple[Tensor, Tensor, Tensor]:
    """The structure to be wished for, a·(visible - its mean) + b·(infrared - its mean): a, b and its variance.

    Its direction is a mean of the sources' directions, the stronger source counting the more the better they agree;
    its length is that of the stronger one.
    """
    squares, product = [scatter(visible, visible), scatter(infrared, infrared)], scatter(visible, infrared)
    norms = [square.clamp_min(0).sqrt() for square in squares]
    strengths = [norm + FLOOR for norm in norms]
    together = (squares[0] + squares[1] + 2 * product).clamp_min(0).sqrt()
    agreement = ((together + EPSILON) / (norms[0] + norms[1] + EPSILON)).clamp(EPSILON, 1 - EPSILON)
    power = torch.tan(math.pi / 2 * agreement).clamp(max=10)
    counts = [(strength / SIZE).pow(power) + EPSILON for strength in strengths]
    a, b = (count / (counts[0] + counts[1]) / strength for count, strength in zip(counts, strengths, strict=True))
    apart = a.square() * squares[0] + b.square() * squares[1]
    length = (apart + 2 * a * b * product).clamp_min(0).sqrt()
    none = length <= 1e-6 * apart.sqrt()
    factor = (torch.maximum(*strengths) / length.masked_fill(none, 1)).masked_fill(none, 0)
    a, b, window = a * factor, b * factor, Window()
    variance = a.square() * variance_in(visible, window=window) + b.square() * variance_in(infrared, window=window)
    return a, b, variance + 2 * a * b * covariance_in(visible, infrared, window=window)


def score(fused: Levels, visible: Levels, infrared: Levels) -> Values:
    """Mean similarity of the fused image's structure to the desired one at one scale."""
    (a, b, variance), window = desired(visible, infrared), Window()
    covariance = a * covariance_in(visible, fused, window=window) + b * covariance_in(infrared, fused, window=window)
    return mean((2 * covariance + STABLE) / (variance + variance_in(fused, window=window) + STABLE))


@metric("MS_SSIM", better="high", bounds=(0, 1), paper="Ma, Zeng and Wang, 2015")
def ms_ssim(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Multi-scale structural similarity for fusion (MEF-SSIM).

    In every 11×11 neighbourhood the sources' deviations from their means are blended into one desired structure (see
    `desired`), compared with the fused one by (2·cov + C) / (var + var + C), C = (0.03·255)², Gaussian weights of
    deviation 1.5; Q is the mean over the neighbourhoods that fit. Three scales (means of 2×2 pixels), MS_SSIM =
    Π Q^β, β = 0.0448, 0.2856, 0.3001 divided by their sum, over the scales into which 11 pixels fit; the first always
    counts, with the largest odd window that fits. Range 0 to 1, high = good, 1 for identical images; a negative Q
    counts as 0 (the authors' code returns a complex number). Brightness does not count. Flat neighbourhoods: the
    desired structure is 0, so constant images score 1, and noise is punished. Where the sources cancel exactly (one
    inverted), the desired structure is 0 too.
    Not the MS-SSIM of Wang et al., 2003, which other codes (ZOO) report under this name.
    """
    images = levels(fused), levels(visible), levels(infrared)
    value, weights = torch.ones_like(mean(images[0])), 0.0
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            images = halved(images[0]), halved(images[1]), halved(images[2])
            if min(images[0].shape[-2:]) < SIZE:
                break
        value *= score(*images).clamp_min(0) ** weight
        weights += weight
    return value ** (1 / weights)
