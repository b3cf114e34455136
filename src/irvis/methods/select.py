"""Choose per pixel, or one source altogether: the controls that every other method must beat."""

import torch

from ..registry import Spec, register
from ..types import Gray

_LOCAL = Spec(domain="luma", reach=0)


@register("max", spec=_LOCAL)
def brighter(luma: Gray, infrared: Gray) -> Gray:
    """The brighter of luma and infrared, pixel by pixel."""
    return torch.maximum(luma, infrared)


@register("visible", spec=_LOCAL)
def visible(luma: Gray, infrared: Gray) -> Gray:
    """The visible image as it is."""
    return luma.clone()


@register("infrared", spec=_LOCAL)
def infrared(luma: Gray, infrared: Gray) -> Gray:
    """The infrared image as luma; the colours of the visible image stay, as far as they fit."""
    return infrared.clone()
