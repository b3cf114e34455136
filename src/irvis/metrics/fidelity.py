"""Visual information fidelity: how much of what the eye could read in the sources it can still read in the fused image.

Both metrics see an image through four scales. At scale k (1 to 4) neighbourhoods are Gaussian with N = 2^(5-k) + 1
pixels and deviation N/5; from scale 2 on the picture is first smoothed by that window and every second pixel kept.
Scales whose window no longer fits are left out; the first is always there, with the largest odd window that fits.
"""

import math

import torch
from torch import Tensor

from ..types import Picture
from .maps import Levels, Values, levels, shared, smooth, total
from .moments import Window, covariance_in, variance_in
from .record import metric

TINY = 1e-10
"""Variances below this count as 0."""
WEIGHTS = {1: 1.0, 2: 0.0, 3: 0.15, 4: 1.0}
"""Of the scales in VIFF."""


def window_at(scale: int) -> Window:
    """17, 9, 5, 3 pixels at scales 1 to 4."""
    size = 2 ** (5 - scale) + 1
    return Window(size, size / 5)


def scales(image: Levels) -> int:
    """How many scales fit into the picture: 4 from 41 pixels a side on."""
    side, fitting = min(image.shape[-2:]), 1
    for scale in (2, 3, 4):
        size = window_at(scale).size
        side = (side - size) // 2 + 1
        if side < size:
            break
        fitting = scale
    return fitting


@shared
def reduced(image: Levels, *, scale: int) -> Tensor:
    """The picture at a scale."""
    if scale == 1:
        return image
    window = window_at(scale)
    return smooth(reduced(image, scale=scale - 1), window.size, window.deviation)[..., ::2, ::2].contiguous()


@shared
def variance_at(image: Levels, *, scale: int) -> Tensor:
    """Variance of the neighbourhoods at a scale, 0 where it is tiny."""
    variance = variance_in(reduced(image, scale=scale), window=window_at(scale))
    return variance.masked_fill(variance < TINY, 0)


@shared
def readable(source: Levels, *, scale: int, noise: float) -> Tensor:
    """What the eye reads in the neighbourhoods of a source: ln(1 + variance / noise)."""
    return torch.log1p(variance_at(source, scale=scale) / noise)


@shared
def gain_and_rest(source: Levels, fused: Levels, *, scale: int) -> tuple[Tensor, Tensor]:
    """Fused = gain·source + rest, per neighbourhood: the gain (0 where negative) and the variance of the rest."""
    var_source, var_fused = variance_at(source, scale=scale), variance_at(fused, scale=scale)
    covariance = covariance_in(reduced(source, scale=scale), reduced(fused, scale=scale), window=window_at(scale))
    gain = (covariance / (var_source + TINY)).clamp_min_(0).mul_(var_source > 0).mul_(var_fused > 0)
    return gain, torch.addcmul(var_fused, gain, covariance, value=-1).clamp_min_(TINY)


def kept(source: Levels, fused: Levels, *, scale: int, noise: float) -> Tensor:
    """What the eye reads of the source in the neighbourhoods of the fused image."""
    gain, rest = gain_and_rest(source, fused, scale=scale)
    return (gain.square() * variance_at(source, scale=scale)).div_(rest + noise).log1p_()


@metric("VIF", better="high", bounds=(0, math.inf), paper="Sheikh and Bovik, 2006")
def vif(
    fused: Picture, visible: Picture, infrared: Picture, *, noise: float = 2.0, constant: float = math.nan
) -> Values:
    """Visual information fidelity in the pixel domain, sum of the two sources.

    VIF(X, F) = Σ ln(1 + g²·var_X / (rest + noise)) / Σ ln(1 + var_X / noise) over all neighbourhoods of four scales
    (see the module), with F = g·X + rest; the metric is VIF(V, F) + VIF(I, F). From 0, no upper bound: 2 for identical
    images, more where contrast is raised; high = good. noise: the eye's, in gray levels². Constant fused image: 0.
    Constant source: NaN, as there is nothing to be kept (0/0); `constant` replaces that source's term (CDDFuse, where
    this metric is called VIFF, has 1).
    """
    f = levels(fused)
    terms = []
    for source in (levels(visible), levels(infrared)):
        fitting = range(1, scales(f) + 1)
        above = torch.stack([total(kept(source, f, scale=scale, noise=noise)) for scale in fitting]).sum(0)
        below = torch.stack([total(readable(source, scale=scale, noise=noise)) for scale in fitting]).sum(0)
        terms.append(torch.where(below > 0, above / below.where(below > 0, 1), constant))
    return terms[0] + terms[1]


@metric("VIFF", better="high", bounds=(0, math.inf), paper="Han, Cai, Cao and Xu, 2013", symmetric=False)
def viff(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Visual information fidelity for fusion.

    Neighbourhoods and scales as in VIF with noise 0.005·255² gray levels². In every neighbourhood the source with the
    smaller gain counts alone (equal gains: the infrared one, so swapping the sources changes the value where the
    fused image equals one of them). Per scale F = (Σ log₁₀(1 + g²·var / (rest + noise)) + 1e-7) / (Σ log₁₀(1 + var /
    noise) + 1e-7), the constants in every neighbourhood; VIFF = (F₁ + 0.15·F₃ + F₄) / 2.15, over the scales that fit.
    From 0, no upper bound, 1 for identical images, constant ones included; high = good. Constant fused image: about 0.
    Constant source: its gain is 0, so it counts, and the value tends to 1.
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    noise, few = 0.005 * 255**2, 1e-7 * math.log(10)
    score, weights = torch.zeros_like(total(f)), 0.0
    for scale in (k for k in range(1, scales(f) + 1) if WEIGHTS[k]):
        by_visible = gain_and_rest(v, f, scale=scale)[0] < gain_and_rest(i, f, scale=scale)[0]
        fused_reads = [kept(source, f, scale=scale, noise=noise) for source in (v, i)]
        source_reads = [readable(source, scale=scale, noise=noise) for source in (v, i)]
        above = torch.where(by_visible, fused_reads[0], fused_reads[1])
        below = torch.where(by_visible, source_reads[0], source_reads[1])
        score += WEIGHTS[scale] * total(above + few) / total(below + few)
        weights += WEIGHTS[scale]
    return score / weights
