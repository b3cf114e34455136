"""A pair of cameras that see different things: infrared is laid over visible where it is said to lie."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..align.warp import Placement, cut, laid_over, overlap
from ..errors import IrvisError
from ..types import RGB, Gray, Meta, Scaled
from .notes import focal_of

LEAST = 8
"""Pixels a side that both cameras must have seen."""


@dataclass(frozen=True, kw_only=True)
class Laying:
    """How infrared is registered with visible."""

    where: Callable[[RGB, Scaled, float | None], Placement]
    """Of the visible and the infrared image, of any sizes, and the visible camera's focal length in mm where it is
    known; an IrvisError where it cannot be said."""
    crop: bool = False
    """Keep only the largest rectangle that both cameras saw."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Laid:
    """A pair of one size."""

    visible: RGB
    infrared: Gray
    valid: Gray | None
    """None: infrared saw everything."""
    placement: Placement
    meta: Meta


def laid(visible: RGB, infrared: Scaled, measured: Scaled | None, meta: Meta, laying: Laying) -> Laid:
    """Infrared over visible. `measured`: 1 where the infrared file holds data; None = everywhere."""
    size = (visible.shape[-2], visible.shape[-1])
    placement = laying.where(visible, infrared, focal_of(meta.exif))
    over, valid = laid_over(infrared, placement, size)
    if measured is not None:
        valid = valid * (laid_over(measured, placement, size)[0] > 0.5)
    if not bool(valid.any()):
        raise IrvisError("infrared lies outside the visible image.")
    if not laying.crop:
        everywhere = bool(valid.all())
        return Laid(visible=visible, infrared=over, valid=None if everywhere else valid, placement=placement, meta=meta)
    left, top, width, height = overlap(valid)
    if min(width, height) < LEAST:
        raise IrvisError(f"both cameras saw only {width}x{height} pixels of the visible image: nothing to crop to.")
    part = (..., slice(top, top + height), slice(left, left + width))
    missing = None if meta.missing is None else meta.missing[part].contiguous()
    return Laid(
        visible=visible[part].contiguous(),
        infrared=over[part].contiguous(),
        valid=None,
        placement=cut(placement, left, top, (height, width)),
        meta=replace(meta, missing=missing),
    )
