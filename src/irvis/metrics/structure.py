"""Metrics of structure: SSIM, and the indices that weigh it by how much each source has to say."""

from typing import Literal

import torch
from torch import Tensor

from .. import losses
from ..types import Picture
from .maps import Border, Levels, Values, levels, mean, separable, shared, total
from .moments import FLAT, Window, covariance_in, mean_in, similarity, variance_in
from .record import metric

WIDE, NARROW = Window(11, 1.5), Window(7, 1.5)


@metric("SSIM", better="high", bounds=(-1, 1), paper="Wang, Bovik, Sheikh and Simoncelli, 2004")
def ssim(
    fused: Picture,
    visible: Picture,
    infrared: Picture,
    *,
    span: float = 255.0,
    size: int = 11,
    deviation: float = 1.5,
    border: Border = "valid",
    combine: Literal["mean", "sum"] = "mean",
) -> Values:
    """Structural similarity, mean of the two sources.

    Per neighbourhood (2·mₐ·m_b + C1)(2·cov + C2) / ((mₐ² + m_b² + C1)(varₐ + var_b + C2)), Gaussian weights of `size`
    pixels and `deviation` (infinite: all alike), C1 = (0.01·span)², C2 = (0.03·span)²; its mean over the neighbourhoods
    that fit (or with a `border`), then mean or sum of the sources. Range -1 to 1 (sum: -2 to 2), high = alike; the two
    sources seldom allow 1. Flat neighbourhoods score their luminance term, so constant images have a value, and
    identical ones 1. Pictures with a side below `size` take the largest odd window that fits.

    Conventions elsewhere: VIFB reports the sum; span=1 on 0..255 (Tang, ZOO) makes C1 and C2 vanish, which punishes
    noise in flat areas and roughly halves the value.
    """
    f, window = levels(fused), Window(size, deviation, border)
    both = [mean(similarity(levels(source), f, window=window, span=span)) for source in (visible, infrared)]
    return (both[0] + both[1]) / (2 if combine == "mean" else 1)


@shared
def edges(image: Levels) -> Levels:
    """Prewitt gradient magnitude, zeros beyond the border."""
    one, slope = torch.ones(3, dtype=torch.float64), torch.tensor([-1.0, 0, 1], dtype=torch.float64)
    return torch.hypot(separable(image, one, slope, "zero"), separable(image, slope, one, "zero"))


@shared
def salience(visible: Levels, infrared: Levels) -> tuple[Tensor, Tensor]:
    """The variances of the sources' neighbourhoods; where both are flat, 1/2 each in black, about 0 elsewhere."""
    v, i = (variance_in(source, window=WIDE) for source in (visible, infrared))
    brightness = mean_in(visible, WIDE) + mean_in(infrared, WIDE)
    flat = v + i < FLAT * (1 + (brightness / 255).square())
    share = torch.where(brightness == 0, 0.5, 1e-12)
    return torch.where(flat, share, v.clamp_min(0)), torch.where(flat, share, i.clamp_min(0))


@shared
def weighed(fused: Levels, visible: Levels, infrared: Levels) -> Tensor:
    """The similarity to the sources, each with its share of the salience."""
    v, i = salience(visible, infrared)
    to_infrared = similarity(infrared, fused, window=WIDE)
    return torch.addcmul(to_infrared, v / (v + i), similarity(visible, fused, window=WIDE) - to_infrared)


def weighed_mean(fused: Levels, visible: Levels, infrared: Levels) -> Values:
    """Mean of `weighed`, neighbourhoods counting by the larger salience."""
    weight = torch.maximum(*salience(visible, infrared))
    return total(weight * weighed(fused, visible, infrared)) / total(weight)


@metric("Q0", better="high", bounds=(-1, 1), paper="Piella and Heijmans, 2003; code of Liu et al., 2012")
def q0(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Fusion quality index of Piella and Heijmans (Q_S in Liu's survey).

    Mean over the neighbourhoods of λ·SSIM(V, F) + (1 - λ)·SSIM(I, F), where λ is the visible share of the two
    variances. SSIM with an 11-pixel Gaussian of deviation 1.5, L = 255 (the paper has Wang and Bovik's index in
    8×8 windows instead). Range -1 to 1, high = the more telling source is kept. Both sources flat (variance below
    1e-9): λ = 1/2, so constant images have a value, and identical ones 1.
    """
    return mean(weighed(levels(fused), levels(visible), levels(infrared)))


@metric("Qw", better="high", bounds=(-1, 1), paper="Piella and Heijmans, 2003; code of Liu et al., 2012")
def qw(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Weighted fusion quality index of Piella and Heijmans (Q_W).

    As Q0, with neighbourhoods counting by the larger of the sources' variances (in gray levels²): strong structure
    decides. Range -1 to 1, high = good. Neighbourhoods where both sources are flat have λ = 1/2 and count like a
    variance of 1/2 where they are black (Liu's code), hardly elsewhere; so constant images have a value, and identical
    ones 1.
    """
    return weighed_mean(levels(fused), levels(visible), levels(infrared))


@metric("Qe", better="high", bounds=(-1, 1), paper="Piella and Heijmans, 2003; repaired code of pyFusionSR")
def qe(
    fused: Picture, visible: Picture, infrared: Picture, *, form: Literal["product", "edges squared"] = "product"
) -> Values:
    """Edge-dependent fusion quality index of Piella and Heijmans (Q_E).

    Qw of the images times Qw of their edge images (Prewitt magnitude, zeros beyond the border). Range -1 to 1,
    high = good; two negative factors make a positive value. Flat images as in Qw. `form="edges squared"` is the
    square of the edges' Qw, as one of the repairs of Liu's code (which itself fails) has it.
    """
    images = levels(fused), levels(visible), levels(infrared)
    of_edges = weighed_mean(*map(edges, images))
    return of_edges * (weighed_mean(*images) if form == "product" else of_edges)


@metric("Qw_paper", better="high", bounds=(-1, 1), paper="Ataman and Bozdagi Akar, 2024 (arXiv:2412.08073)")
def qw_paper(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Weighted fusion quality index as the encoder-decoder paper computes it.

    Wang and Bovik's index in 8×8 blocks side by side, on [0, 1], blocks counting by the larger variance
    (`irvis.losses.qw_index`, in single precision). Range -1 to 1, high = good. Blocks without variance: see there.
    """
    return losses.qw_index(*(levels(image) / 255 for image in (fused, visible, infrared))).double()


@metric("Qe_paper", better="high", bounds=(-1, 1), paper="Ataman and Bozdagi Akar, 2024 (arXiv:2412.08073)")
def qe_paper(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Edge fusion quality index as the encoder-decoder paper computes it.

    `Qw_paper` of Sobel magnitudes stretched to [0, 1] (`irvis.losses.qe_index`; the paper's loss takes it to the power
    0.7). Range -1 to 1, high = good. Blocks without edges: see there.
    """
    return losses.qe_index(*(levels(image) / 255 for image in (fused, visible, infrared))).double()


@shared
def universal(a: Levels, b: Levels) -> Tensor:
    """SSIM of 7-pixel neighbourhoods without constants; its luminance term where both are flat, 0 where one is."""
    mean_a, mean_b = mean_in(a, NARROW), mean_in(b, NARROW)
    var_a, var_b = variance_in(a, window=NARROW), variance_in(b, window=NARROW)
    flat_a, flat_b = var_a < FLAT, var_b < FLAT
    structure = 2 * covariance_in(a, b, window=NARROW) / (var_a + var_b).clamp_min(FLAT)
    structure = structure.masked_fill(flat_a | flat_b, 0).masked_fill(flat_a & flat_b, 1)
    bright = mean_a.square().addcmul_(mean_b, mean_b)
    return structure * torch.where(bright > 0, 2 * mean_a * mean_b / bright.clamp_min(1e-300), 1)


@metric(
    "Q_C", better="high", bounds=(-1, 1), paper="Cvejic, Łoza, Bull and Canagarajah, 2006; code of Liu et al., 2012"
)
def q_c(fused: Picture, visible: Picture, infrared: Picture, *, clip: Literal["share", "quality"] = "share") -> Values:
    """Similarity index of Cvejic et al.

    Mean over the 7-pixel neighbourhoods (Gaussian, deviation 1.5) of t·S(V, F) + (1 - t)·S(I, F): S is SSIM without
    constants, t = cov(V, F) / (cov(V, F) + cov(I, F)) clipped to 0..1. Range -1 to 1, high = good. Flat neighbourhoods
    (variance below 1e-9) score their luminance term where both are flat, 0 where one is; without any covariance
    t = 1/2. So constant images have a value, and identical ones 1.

    `clip="quality"` is Liu's code: where t < 0 the quality becomes 0, where t > 1 it becomes 1 (not symmetric in the
    sources). That code itself returns rounding noise or NaN where a neighbourhood is flat.
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    kept = [
        covariance_in(x, f, window=NARROW).masked_fill(
            (variance_in(x, window=NARROW) < FLAT) | (variance_in(f, window=NARROW) < FLAT), 0
        )
        for x in (v, i)
    ]
    both = kept[0] + kept[1]
    share = torch.where(both != 0, kept[0] / both.where(both != 0, 1), 0.5)
    within = share.clamp(0, 1)
    quality = within * universal(v, f) + (1 - within) * universal(i, f)
    return mean(quality if clip == "share" else torch.where(share == within, quality, within))


@metric("Q_Y", better="high", bounds=(-1, 1), paper="Yang, Zhang, Wang and Liu, 2008; code of Liu et al., 2012")
def q_y(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Similarity index of Yang et al.

    Per 7-pixel neighbourhood (Gaussian, deviation 1.5), with S the SSIM without constants: where the sources agree
    (S(V, I) ≥ 0.75), λ·S(V, F) + (1 - λ)·S(I, F) with λ the visible share of the variances; else the larger of
    S(V, F) and S(I, F). Range -1 to 1, high = good. Flat neighbourhoods (variance below 1e-9) score their luminance
    term where both are flat, 0 where one is; both sources flat: λ = 1/2. So constant images have a value, and
    identical ones 1. Liu's code returns rounding noise or NaN there.
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    to_visible, to_infrared = universal(v, f), universal(i, f)
    var_v, var_i = (variance_in(x, window=NARROW).clamp_min(0) for x in (v, i))
    share = torch.where(var_v + var_i < FLAT, 0.5, var_v / (var_v + var_i).clamp_min(FLAT))
    agreed = torch.addcmul(to_infrared, share, to_visible - to_infrared)
    return mean(torch.where(universal(v, i) >= 0.75, agreed, torch.maximum(to_visible, to_infrared)))
