"""Infrared brought onto visible in the same way in every frame: what that takes is computed once."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ..align.warp import Placement, cut, for_grid_sample, inside, overlap, places, step_of, window
from ..errors import IrvisError
from ..filters import gaussian
from ..io.photo import resized
from ..io.registration import LEAST
from ..rim import Rim, rim_of
from ..types import Gray

Size = tuple[int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Lay:
    """How infrared comes to lie over visible.

    size: of the fused pictures; corner: where they begin in visible (top, left).
    placement: where their pixels lie in infrared, see `align.warp`.
    valid: None where infrared sees everything; rim is the same, made ready for `Fuser`.
    at, smooth: for `grid_sample`; at is None where infrared is only resized.
    """

    size: Size
    placement: Placement
    corner: Size = (0, 0)
    valid: Gray | None = None
    rim: Rim | None = None
    at: Tensor | None = None
    smooth: float = 0.0

    def to(self, device: str) -> "Lay":
        """The same with its tensors on a device."""
        there = {name: getattr(self, name) for name in ("valid", "rim", "at")}
        return replace(self, **{name: one.to(device) for name, one in there.items() if one is not None})

    def over(self, infrared: Tensor) -> Tensor:
        """(b, 1, h, w) as the visible camera would see it."""
        if self.at is None:
            return resized(infrared, *self.size)
        soft = gaussian(infrared, self.smooth) if self.smooth else infrared
        at = self.at.expand(len(soft), -1, -1, -1)
        return grid_sample(soft, at, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)

    def seen(self, visible: Tensor) -> Tensor:
        """The part of visible that is kept."""
        top, left = self.corner
        height, width = self.size
        if visible.shape[-2:] == self.size:
            return visible
        return visible[..., top : top + height, left : left + width].contiguous()


def same(visible: Size, infrared: Size, resize: bool = False) -> Lay:
    """Pixel on pixel; `resize` takes infrared of another size for the same view."""
    if visible != infrared and not resize:
        raise IrvisError(
            f"visible is {visible[1]}x{visible[0]} and infrared is {infrared[1]}x{infrared[0]}: "
            "type --align or, if they show the same view, --resize-infrared."
        )
    return Lay(size=visible, placement=window((0, 0, visible[1], visible[0]), infrared))


def placed(placement: Placement, visible: Size, infrared: Size, crop: bool = False) -> Lay:
    """By a placement; `crop` keeps only what both cameras see."""
    there = places(placement, visible)
    step, valid = step_of(there), torch.from_numpy(inside(there, infrared))[None, None].float()
    if not bool(valid.any()):
        raise IrvisError("infrared lies outside the visible picture.")
    top, left, (height, width) = 0, 0, visible
    if crop:
        left, top, width, height = overlap(valid)
        if min(width, height) < LEAST:
            raise IrvisError(f"both cameras see only {width}x{height} pixels of visible: nothing to crop to.")
        height, width = height - height % 2, width - width % 2  # what most codecs need
        placement = cut(placement, left, top, (height, width))
        there, valid = there[top : top + height, left : left + width], valid[..., :height, :width].fill_(1)
    everywhere = bool(valid.all())
    return Lay(
        size=(height, width),
        placement=placement,
        corner=(top, left),
        valid=None if everywhere else valid,
        rim=None if everywhere else rim_of(valid),
        at=torch.from_numpy(for_grid_sample(there, infrared)),
        smooth=0.45 * step if step > 1 else 0.0,
    )
