"""The rim of what the infrared camera saw: infrared is fitted to visible there, so that its frame does not show.

Towards the rim the local mean of infrared goes over into that of visible, its detail stays. Beyond the rim the visible
image stands for infrared, and the last pixels inside are feathered.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from .filters import box
from .types import Gray

FEATHER = 16
"""Least width in pixels of the ramp between visible and fused where the infrared picture ends; it lies inside. In large
pictures it is a third of the depth."""
CELL = 8
"""Local means are those of squares of so many pixels a side."""
SHALLOWEST, DEEPEST = 16, 192


@dataclass(frozen=True, eq=False, kw_only=True)
class Rim:
    """What is computed once of a mask.

    valid: (b, 1, h, w), 1 where the infrared camera saw anything, else 0.
    share: of the fused image in the result: 0 outside, rising to 1 over `FEATHER` pixels or more.
    fitted: how much infrared is fitted to visible: 1 at the rim, 0 from `depth` pixels on.
    """

    valid: Gray
    share: Gray
    fitted: Gray
    depth: int

    def to(self, device: str) -> "Rim":
        """The same on a device."""
        there = {name: getattr(self, name).to(device) for name in ("valid", "share", "fitted")}
        return replace(self, **there)

    def fit(self, infrared: Gray, visible: Gray) -> Gray:
        """Infrared with the local mean of `visible`, a plane, at the rim, and with its pixels beyond."""
        radius = self.depth // CELL // 2
        known = _means(self.valid, radius).clamp_min(1e-6)
        apart = _up(_means(self.valid * (visible - infrared), radius) / known, infrared)
        fitted = (infrared + self.fitted * apart).clamp(0, 1)
        return torch.where(self.valid > 0, fitted, visible)


def rim_of(valid: Tensor, depth: int | None = None) -> Rim:
    """The rim of a mask (b, 1, h, w) of zeros and ones; `depth`: pixels, by default of the picture's size."""
    valid = valid if valid.is_floating_point() else valid.float()
    depth = depth_of(valid.shape[-2], valid.shape[-1]) if depth is None else depth
    inside = 2 * _up(box(_cells(valid), depth // CELL), valid) - 1
    inside = inside.clamp(0, 1)
    smooth = inside * inside * (3 - 2 * inside)
    return Rim(valid=valid, share=feathered(valid, max(FEATHER, depth // 3)), fitted=1 - smooth, depth=depth)


def depth_of(height: int, width: int) -> int:
    """How many pixels of a picture are fitted at the rim: a fifth of its shorter side, within limits."""
    return min(max(min(height, width) // 5 // CELL * CELL, SHALLOWEST), DEEPEST)


def reach_of(depth: int) -> int:
    """How far away a pixel may lie that has a part in what is made of a rim."""
    return depth + 2 * CELL


def feathered(valid: Gray, width: int = FEATHER) -> Gray:
    """A mask of zeros and ones eroded and smoothed, so that it is 0 outside and rises over `width` pixels."""
    radius = width // 2
    size = 2 * radius + 1
    hole = 1 - valid
    for window, border in (((size, 1), (radius, 0)), ((1, size), (0, radius))):
        hole = max_pool2d(hole, window, stride=1, padding=border)
    for window, border in (((size, 1), (radius, 0)), ((1, size), (0, radius))):
        hole = avg_pool2d(hole, window, stride=1, padding=border, count_include_pad=False)
    return torch.minimum(1 - hole, valid)


def _cells(plane: Tensor) -> Tensor:
    return avg_pool2d(plane, CELL, ceil_mode=True, count_include_pad=False)


def _means(plane: Tensor, radius: int) -> Tensor:
    """Of cells, smoothed twice."""
    return box(box(_cells(plane), radius), radius)


def _up(cells: Tensor, like: Tensor) -> Tensor:
    """Cells to pixels."""
    whole = interpolate(cells, scale_factor=CELL, mode="bilinear", align_corners=False)
    return whole[..., : like.shape[-2], : like.shape[-1]]
