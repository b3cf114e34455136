"""Q_P: how well edges and corners, found by phase congruency, agree between the sources and the fused image."""

from typing import NamedTuple

import torch
from torch import Tensor

from ..types import Picture
from .congruency import SMALL, phase
from .maps import Levels, Values, levels, ratio, shared, smooth, total
from .record import metric

FEATURE = 0.1
"""A pixel is a feature where its phase congruency is above this."""


@metric("Q_P", better="high", bounds=(-1, 1), paper="Zhao, Laganière and Liu, 2007")
def q_p(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Phase congruency metric.

    Three maps of each image: phase congruency PC, largest and least moment of its orientations (see `phase`). A third,
    imagined source has at each pixel the maps of the source with the larger PC. Per map: a source counts as 0 where
    its PC ≤ 0.1; elsewhere its local correlation with the fused image is (s_XF + 1e-4)/(√|s_X s_F| + 1e-4), Gaussian
    windows 11×11 with σ = 1.5, zeros outside the picture; the largest of the three correlations at each pixel, summed,
    over the number of pixels with PC > 0.1 in a source. Q_P is the product of the three maps' values (Zhao, Laganière
    & Liu, Int. J. Innovative Computing, Information and Control 3(6A), 2007, in the form of Liu's metricZhao). Range
    −1 to 1, higher is better; identical images give about 0.97. A constant fused image gives 0, as it keeps no feature
    (Liu's code: NaN). NaN where both sources are constant: there is nothing to keep.
    """
    f, sources = phase(levels(fused)), _features(levels(visible), levels(infrared))
    found = total(sources[0][-1].mask.double())
    value = torch.ones_like(found)
    for one, three in zip(f, sources, strict=True):
        value = value * ratio(total(_agreement(one, three)), found)
    return torch.where(f.congruency.flatten(1).amax(1) > 0, value, value * 0)


class Feature(NamedTuple):
    """A map of a source, 0 off its features, with its local mean and variance."""

    map: Levels
    mask: Tensor
    mean: Levels
    variance: Levels


Features = tuple[Feature, Feature, Feature]
"""One kind of map of the visible image, the infrared image, and the stronger of the two."""


@shared
def _features(visible: Levels, infrared: Levels) -> tuple[Features, Features, Features]:
    """Features by phase congruency, edge and corner."""
    v, i = phase(visible), phase(infrared)
    stronger = v.congruency > i.congruency
    masks = v.congruency > FEATURE, i.congruency > FEATURE, torch.maximum(v.congruency, i.congruency) > FEATURE

    def features(kind: int) -> Features:
        a, b = v[kind], i[kind]
        first, second, third = masks
        return _feature(a, first), _feature(b, second), _feature(torch.where(stronger, a, b), third)

    return features(0), features(1), features(2)


def _feature(image: Levels, mask: Tensor) -> Feature:
    image = image * mask
    return Feature(image, mask, *_moments(image))


def _moments(image: Levels) -> tuple[Levels, Levels]:
    """Local mean and variance."""
    mean = smooth(image, 11, 1.5, "zero")
    return mean, smooth(image.square(), 11, 1.5, "zero").sub_(mean.square())


def _agreement(fused: Levels, sources: Features) -> Levels:
    """The largest of the local correlations at each pixel, 0 off the features."""
    mean, variance = _moments(fused)
    best: Tensor | None = None
    for source in sources:
        covariance = smooth(source.map * fused, 11, 1.5, "zero").sub_(source.mean * mean)
        spread = (source.variance * variance).abs_().sqrt_()
        correlation = covariance.add_(SMALL).div_(spread.add_(SMALL)).mul_(source.mask)
        best = correlation if best is None else torch.maximum(best, correlation)
    assert best is not None
    return best
