"""The mean of luma and infrared: the simplest method, and the template for a new one."""

from ..registry import Spec, register
from ..types import Gray


def _spec(weight: float = 0.5) -> Spec:
    if not 0 <= weight <= 1:
        raise ValueError(f"weight must be in [0, 1], not {weight}")
    return Spec(domain="luma", reach=0)


@register("average", spec=_spec)
def average(luma: Gray, infrared: Gray, weight: float = 0.5) -> Gray:
    """Weighted mean of luma and infrared; `weight` is the share of the visible image, in [0, 1]."""
    return weight * luma + (1 - weight) * infrared
