"""The mean of luma and infrared: the simplest method, and the template for a new one."""

from ..registry import Spec, register
from ..types import Gray


@register("average", spec=Spec(domain="luma", reach=0))
def average(luma: Gray, infrared: Gray, weight: float = 0.5) -> Gray:
    """Weighted mean of luma and infrared; `weight` is the share of the visible image, in [0, 1]."""
    if not 0 <= weight <= 1:
        raise ValueError(f"weight must be in [0, 1], not {weight}")
    return weight * luma + (1 - weight) * infrared
