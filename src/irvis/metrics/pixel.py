"""Metrics of pixel values: spread, correlation, difference."""

import math
from typing import Literal

import torch

from ..types import Picture
from .maps import Levels, Values, levels, mean, ratio, shared, total
from .record import metric


@shared
def centred(image: Levels) -> Levels:
    """The image less its mean."""
    return image - image.mean((2, 3), keepdim=True)


@shared
def norm(image: Levels) -> Values:
    """Root of the sum of squares of the centred image."""
    return total(centred(image).square()).sqrt()


def pearson(a: Levels, b: Levels) -> Values:
    """Pearson correlation of two images; NaN where one is constant."""
    return ratio(total(centred(a) * centred(b)), norm(a) * norm(b)).clamp(-1, 1)


@metric("SD", better="high", bounds=(0, 127.5), unit="gray levels", paper="Rao, 1997")
def sd(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Standard deviation of the fused image.

    √(mean (F - mean F)²) over all pixels (population form), 0 to 127.5 gray levels. High = strong contrast, noise
    included. VIFB reports this number under the name Variance. Constant image: 0.
    """
    return mean(centred(levels(fused)).square()).sqrt()


@metric("CC", better="high", bounds=(-1, 1), paper="Deshmukh and Bhosale, 2010")
def cc(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Correlation coefficient: mean of Pearson's r(visible, fused) and r(infrared, fused).

    Range -1 to 1, high = linear agreement with both. It cannot exceed √((1 + ρ)/2), where ρ is the correlation of the
    sources (see `CC_share`), and the plain average of the sources comes close. Constant image: NaN (0/0).
    """
    f = levels(fused)
    return (pearson(levels(visible), f) + pearson(levels(infrared), f)) / 2


@metric(
    "CC_share", better="high", bounds=(-math.inf, 1), paper="bound: the sum of r is largest for the sum of z-scores"
)
def cc_share(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """CC as a share of what is possible.

    CC / √((1 + ρ)/2) with ρ = r(visible, infrared): no image reaches more than 1 (it is reached by the sum of both
    sources, each divided by its deviation). NaN where an image is constant or the sources are exact inverses.
    """
    bound = ((1 + pearson(levels(visible), levels(infrared))).clamp_min(0) / 2).sqrt()
    return ratio(cc(fused, visible, infrared), bound).clamp(max=1)


@metric("SCD", better="high", bounds=(-2, 2), paper="Aslantas and Bendes, 2015")
def scd(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Sum of the correlations of differences.

    r(F - I, V) + r(F - V, I): what is left of F when one source is taken away should look like the other.
    Range -2 to 2. Stronger contrast than the sources' raises it. F equal to a source, or a constant source: NaN (0/0).
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    return pearson(f - i, v) + pearson(f - v, i)


@metric("SCD_share", better="high", bounds=(-math.inf, 1), paper="bound: F → ±∞ along the sum of z-scores, or 2")
def scd_share(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """SCD as a share of its largest possible value, 2.

    An image F = a·V + b·I with large a, b can approach r(F - I, V) = r(F - V, I) = √((1 + ρ)/2), and V + I itself
    (unclipped) gives exactly 2: F - I = V and F - V = I. So SCD / 2.
    """
    return scd(fused, visible, infrared) / 2


def _squares(fused: Levels, source: Levels) -> Values:
    return mean((fused - source).square())


@metric("MSE", better="low", bounds=(0, 65025), unit="gray levels²", paper="Wang and Bovik, 2009")
def mse(fused: Picture, visible: Picture, infrared: Picture, *, peak: float = 255.0) -> Values:
    """Mean square error: the mean of those against visible and infrared.

    Gray levels 0..255 squared; `peak` 1 gives it on [0, 1] (divide by 65025), as Tang's and IVIF_ZOO's codes do.
    Low = close to both; the plain average of the sources has the least. Identical images: 0.
    """
    f = levels(fused)
    return (_squares(f, levels(visible)) + _squares(f, levels(infrared))) / 2 * (peak / 255) ** 2


@metric("RMSE", better="low", bounds=(0, 255), unit="gray levels", paper="Jagalingam and Hegde, 2015")
def rmse(fused: Picture, visible: Picture, infrared: Picture, *, form: Literal["root", "vifb"] = "root") -> Values:
    """Root mean square error: the mean of those against visible and infrared, in gray levels.

    form="vifb": √(sum of squares) / (number of pixels), which is the root mean square divided by the root of the
    number of pixels: it depends on the size of the picture.
    """
    f = levels(fused)
    roots = [_squares(f, levels(source)).sqrt() for source in (visible, infrared)]
    shrunk = math.sqrt(f[0].numel()) if form == "vifb" else 1.0
    return (roots[0] + roots[1]) / 2 / shrunk


@metric("PSNR", better="high", bounds=(0, math.inf), unit="dB", paper="Jagalingam and Hegde, 2015")
def psnr(
    fused: Picture,
    visible: Picture,
    infrared: Picture,
    *,
    form: Literal["plain", "tang", "vifb", "cddfuse"] = "plain",
) -> Values:
    """Peak signal-to-noise ratio of the mean square error against both sources, in dB.

    10·log10(255² / MSE). High = close to both. Identical images: infinite.
    form="tang" (also IVIF_ZOO): 20·log10(255 / √(MSE on [0, 1])), 48.13 dB more. form="vifb": the mean of
    √(sum of squares)/(number of pixels) in place of the MSE.
    form="cddfuse": the peak is the fused image's largest level.
    """
    f = levels(fused)
    error = mse(fused, visible, infrared)
    if form == "vifb":
        error = rmse(fused, visible, infrared, form="vifb")
    if form == "tang":
        error = error / 255**2
    peak = f.amax((1, 2, 3)) if form == "cddfuse" else torch.full_like(error, 255.0)
    return 20 * torch.log10(peak / error.sqrt())
