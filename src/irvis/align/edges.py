"""What both cameras see alike: where edges are and how they run, not which side is brighter.

The squared gradient (x + iy)² / |x + iy| turns twice when the edge turns once, so an edge and its negative are the
same number. It is averaged over a few pixels and divided by the edges' usual strength nearby, so that weak and strong
edges count about alike.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate, pad

from ..types import Gray, Scaled
from .geometry import Matrix, Size, magnification

FINE, SPREAD = 1.0, 1.5
"""Deviations in pixels: of the image before gradients are taken, and of the mean of gradients."""
NEAR = 12
"""Radius in pixels of the window of the usual strength nearby."""
RIM = 4
"""Pixels inside the infrared image's border that are not looked at: the border itself is an edge."""


def edges(image: Gray) -> Tensor:
    """(h, w), complex, of absolute value below 1; of a gray image (1, 1, h, w)."""
    x, y = _slopes(smoothed(image[0, 0].float(), FINE))
    strength = (x * x + y * y).sqrt_()
    usual = _means(strength, NEAR).add_(float(strength[::2, ::2].median()) / 2 + 1e-4)
    divisor = strength.clamp_min(1e-9)
    right, down = smoothed((x * x - y * y) / divisor, SPREAD) / usual, smoothed(2 * x * y / divisor, SPREAD) / usual
    squashed = 1 + (right * right + down * down).sqrt_()
    return torch.complex(right / squashed, down / squashed)


def smoothed(plane: Tensor, sigma: float) -> Tensor:
    """Gaussian mean of a plane (h, w), as `filters.gaussian` has it, by sums of shifted planes: these are quicker."""
    radius = math.floor(3 * sigma)
    weights = [math.exp(-(at**2) / (2 * sigma**2)) for at in range(-radius, radius + 1)]
    for axis in (0, 1):
        size, wide, total = plane.shape[axis], extended_along(plane, radius, axis), sum(weights)
        plane = wide.narrow(axis, 0, size) * (weights[0] / total)
        for at, weight in enumerate(weights[1:], 1):
            plane.add_(wide.narrow(axis, at, size), alpha=weight / total)
    return plane


def extended_along(plane: Tensor, amount: int, axis: int) -> Tensor:
    """`plane` mirrored by `amount` pixels at both ends of an axis, the last pixel twice."""
    size = plane.shape[axis]
    at = torch.arange(-amount, size + amount).remainder(2 * size)
    return plane.index_select(axis, torch.minimum(at, 2 * size - 1 - at))


def _slopes(plane: Tensor) -> tuple[Tensor, Tensor]:
    """Sobel's slopes to the right and down, per pixel; the border is repeated."""
    wide = pad(plane[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    along, across = wide[:, 2:] - wide[:, :-2], wide[2:] - wide[:-2]
    right = (along[:-2] + along[2:]).add_(along[1:-1], alpha=2)
    down = (across[:, :-2] + across[:, 2:]).add_(across[:, 1:-1], alpha=2)
    return right.div_(8), down.div_(8)


def _means(plane: Tensor, radius: int) -> Tensor:
    """Mean over the part of a window of 2 · radius + 1 pixels a side that lies in the plane."""
    for axis in (0, 1):
        size = plane.shape[axis]
        at = torch.arange(size)
        count = (at + radius).clamp_max(size - 1) - (at - radius).clamp_min(0) + 1
        plane = _sums(plane, radius, axis) / (count[:, None] if axis == 0 else count)
    return plane


def _sums(plane: Tensor, radius: int, axis: int) -> Tensor:
    """Sums over 2 · radius + 1 pixels of an axis, from sums over 1, 2, 4, 8 …"""
    size, width = plane.shape[axis], 2 * radius + 1
    part = pad(plane, (0, 0, radius, radius) if axis == 0 else (radius, radius, 0, 0))
    result, first, length = torch.zeros_like(plane), 0, 1
    while True:
        if width & length:
            result.add_(part.narrow(axis, first, size))
            first += length
        if 2 * length > width:
            return result
        left = part.shape[axis] - length
        part, length = part.narrow(axis, 0, left) + part.narrow(axis, length, left), 2 * length


def fitted(image: Gray, height: int, width: int) -> Scaled:
    """Resized, without aliases."""
    return interpolate(image, (height, width), mode="bilinear", align_corners=False, antialias=True)


def laid(image: Gray, matrix: Matrix, size: Size) -> tuple[Scaled, Tensor]:
    """An infrared image as the visible camera would see it, and where it was seen: 1 and 0 (h, w)."""
    step = magnification(matrix, size)
    smooth = smoothed(image[0, 0], 0.45 * step)[None, None] if step > 1 else image
    places = sampled_at(matrix, size, image.shape[-2:]).to(image)
    height, width = image.shape[-2:]
    rim = places.new_tensor([1 - 2 * RIM / max(width, 2 * RIM), 1 - 2 * RIM / max(height, 2 * RIM)])
    seen = (places.abs() <= rim).all(-1)[0]
    return grid_sample(smooth, places, padding_mode="border", align_corners=False), seen.to(image)


def sampled_at(matrix: Matrix, size: Size, source: tuple[int, ...]) -> Tensor:
    """(1, h, w, 2) for `grid_sample`: where each pixel of an image of `size` lies in one of size `source`."""
    (height, width), (high, wide) = size, source
    x, y = np.arange(width), np.arange(height)[:, None]
    column, row, depth = (part[0] * x + part[1] * y + part[2] for part in matrix)
    depth = np.where(depth > 1e-9, depth, np.nan)
    places = np.stack([(2 * column / depth + 1) / wide - 1, (2 * row / depth + 1) / high - 1], -1)
    return torch.from_numpy(np.nan_to_num(places, nan=-9.0, posinf=9.0, neginf=-9.0).astype(np.float32))[None]
