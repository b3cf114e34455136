"""Feature mutual information: does what stands out in a 3×3 window of a source stand out there in the fused picture?"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from ..types import Picture
from .features import Feature, Map, feature_map
from .maps import Values, levels
from .record import metric

Windows = Float64[Tensor, "9 n"]
"""Nine values, column by column, of n windows."""
Scores = Float64[Tensor, " n"]

TOGETHER = 2048
"""Windows judged at a time on a processor, so that their joint distributions stay in its cache (64 times as many on a
graphics card)."""

NOISE = 1e-12
"""A window whose values differ by less than this share of the map's largest is flat; what differs is rounding."""


def feature_mutual_information(
    fused: Picture, visible: Picture, infrared: Picture, *, feature: Feature = "pixel", reference: bool = False
) -> Values:
    """Feature mutual information.

    Haghighat, Aghagolzadeh and Seyedarabi 2011, in the fast form of Haghighat and Razian 2014. In each 3×3 window of
    the feature maps the nine values, stretched to [0, 1] and divided by their sum, are the distribution of the place of
    the feature. Source and fused picture have the joint distribution φ·(Fréchet's bound) + (1 − φ)·(independence), φ
    such that the places correlate as the values do; 2·I/(H + H) of it is averaged over windows and sources.
    High is better: 1 for identical pictures, about 0.1 for unrelated ones. Natural pictures stay in 0..1; there is no
    strict bound, for where φ exceeds 1 some chances are negative (a contrived 8×8 pair reaches 1.15).
    Windows that are equal count 1, and so do two flat ones; a flat one beside one that is not counts 0, and so does one
    whose feature is a single place beside any but its equal (0/0 where the place is the same).
    `reference=True` repeats the authors' code, called with the infrared source first as Tang does: a visible window is
    compared with the fused window as stretched for the infrared one, so that it hardly ever is its equal. The value
    then depends on the order of the sources (by about 1% at most). Tang's FMI_pixel is the feature `edge`.
    """
    f, v, i = (feature_map(levels(one), feature=feature) for one in (fused, visible, infrared))
    triples = zip(f.split(1), v.split(1), i.split(1), strict=True)
    return torch.stack([_mean_score(*triple, reference=reference) for triple in triples])


@metric("FMI_pixel", better="high", bounds=(-math.inf, math.inf), paper="Haghighat, Aghagolzadeh and Seyedarabi 2011")
def fmi_pixel(fused: Picture, visible: Picture, infrared: Picture, *, reference: bool = False) -> Values:
    """Feature mutual information of pixels.

    The gray levels themselves are the feature; see `feature_mutual_information`.
    """
    return feature_mutual_information(fused, visible, infrared, feature="pixel", reference=reference)


@metric("FMI_dct", better="high", bounds=(-math.inf, math.inf), paper="Haghighat, Aghagolzadeh and Seyedarabi 2011")
def fmi_dct(fused: Picture, visible: Picture, infrared: Picture, *, reference: bool = False) -> Values:
    """Feature mutual information of cosine transforms.

    The feature is the discrete cosine transform of the whole picture; see `feature_mutual_information`.
    """
    return feature_mutual_information(fused, visible, infrared, feature="dct", reference=reference)


@metric("FMI_wavelet", better="high", bounds=(-math.inf, math.inf), paper="Haghighat, Aghagolzadeh and Seyedarabi 2011")
def fmi_wavelet(fused: Picture, visible: Picture, infrared: Picture, *, reference: bool = False) -> Values:
    """Feature mutual information of wavelets.

    The feature is one level of the discrete Meyer wavelet transform; see `feature_mutual_information`.
    """
    return feature_mutual_information(fused, visible, infrared, feature="wavelet", reference=reference)


def _mean_score(fused: Map, visible: Map, infrared: Map, *, reference: bool) -> Float64[Tensor, ""]:
    """Of one picture: (1, 1, h, w) maps."""
    score = _reference_score if reference else _even_score
    noise = [NOISE * one.abs().amax() for one in (fused, visible, infrared)]
    bands = zip(_bands(fused), _bands(visible), _bands(infrared), strict=True)
    sums = [score(*(Place.of(*one) for one in zip(band, noise, strict=True))).sum() for band in bands]
    return torch.stack(sums).sum() / ((fused.shape[-2] - 2) * (fused.shape[-1] - 2))


def _bands(image: Map) -> Iterator[Windows]:
    """The windows of a picture, some rows at a time."""
    together = TOGETHER * (1 if image.device.type == "cpu" else 64)
    rows = max(1, together // (image.shape[-1] - 2))
    for band in image[0, 0].unfold(0, 3, 1).split(rows):  # (rows, w, 3)
        yield band.unfold(1, 3, 1).permute(3, 2, 0, 1).flatten(2).flatten(0, 1)


class Place(NamedTuple):
    """Windows, and what they become: stretched to [0, 1] (flat ones to 1), then distributions of a place 1..9."""

    raw: Windows
    stretched: Windows
    chance: Windows
    flat: Bool[Tensor, " n"]

    @classmethod
    def of(cls, windows: Windows, noise: Tensor) -> "Place":
        low = windows.amin(0)
        spread = windows.amax(0) - low
        flat = spread <= noise
        stretched = (windows - low) / spread.where(~flat, 1.0)
        stretched = stretched.where(stretched > NOISE, 0.0).where(~flat, 1.0)
        return cls(windows, stretched, stretched / stretched.sum(0), flat)


def _even_score(fused: Place, visible: Place, infrared: Place) -> Scores:
    return (_score(visible, fused, fused.raw) + _score(infrared, fused, fused.raw)) / 2


def _reference_score(fused: Place, visible: Place, infrared: Place) -> Scores:
    """As the authors' code, which stretches the fused window in place between the first source and the second."""
    equal = (infrared.raw == fused.raw).all(0)
    left = torch.where(equal, fused.raw, fused.stretched)
    return (_score(infrared, fused, fused.raw) + _score(visible, fused, left)) / 2


def _score(source: Place, fused: Place, seen: Windows) -> Scores:
    """2·I/(H + H) of the two places; 1 where the source's window equals the one `seen`, and where both are flat."""
    apart = _entropy(source.chance) + _entropy(fused.chance)
    together = _entropy(_joint(source.chance, fused.chance).flatten(0, 1))
    score = torch.where(apart > 0, 2 * (apart - together) / apart.where(apart > 0, 1.0), 0.0)
    return score.where(~((source.raw == seen).all(0) | (source.flat & fused.flat)), 1.0)


def _entropy(p: Float64[Tensor, "k n"]) -> Scores:
    """−Σ p·log₂|p|: entries below 0 count by the real part, as in the authors' code."""
    return p.abs().clamp_min_(1e-300).log2_().mul_(p).sum(0).neg_()


def _joint(a: Windows, b: Windows) -> Float64[Tensor, "9 9 n"]:
    """φ·(as dependent as can be) + (1 − φ)·(independent).

    As dependent as can be: places in the same order (in opposite order, where the windows correlate negatively), so
    that a chance is the overlap of two steps of the cumulative distributions.
    """
    correlation = _pearson(a, b)
    (a_from, a_to), (b_from, b_to) = _steps(a), _steps(b)
    opposite = correlation < 0
    b_from, b_to = torch.where(opposite, 1 - b_from, b_from), torch.where(opposite, 1 - b_to, b_to)
    likeness = correlation.abs() * _deviation(a) * _deviation(b)
    bound = _bound(a_to[:-1], b_to[:-1])
    share = torch.where(bound > 0, likeness / bound.where(bound > 0, 1.0), 0.0)
    low, high = torch.minimum(b_from, b_to) * share, torch.maximum(b_from, b_to) * share
    overlap = torch.minimum((a_to * share)[:, None], high).sub_(torch.maximum((a_from * share)[:, None], low))
    return overlap.clamp_min_(0).addcmul_((a * (1 - share))[:, None], b)


def _bound(a: Float64[Tensor, "8 n"], b: Float64[Tensor, "8 n"]) -> Scores:
    """The largest covariance of two places (Hoeffding): Σ min(A, B) − A·B over the steps of their distributions."""
    a = a[:, None]
    return torch.minimum(a, b).mul_(torch.maximum(a, b).neg_().add_(1)).sum((0, 1))


def _steps(chance: Windows) -> tuple[Windows, Windows]:
    """The cumulative distribution before and after each place."""
    after = chance.cumsum(0)
    return torch.cat([torch.zeros_like(after[:1]), after[:-1]]), after


def _pearson(a: Windows, b: Windows) -> Scores:
    """Correlation of the nine values; 0 where one window is flat."""
    x, y = a - 1 / 9, b - 1 / 9
    scale = (x.square().sum(0) * y.square().sum(0)).sqrt()
    return (x * y).sum(0) / scale.clamp_min(1e-30)


def _deviation(chance: Windows) -> Scores:
    """Standard deviation of the place."""
    place = torch.arange(1.0, 10.0, dtype=chance.dtype, device=chance.device)[:, None]
    return ((place - (place * chance).sum(0)).square() * chance).sum(0).sqrt()
