"""What both cameras see alike: where edges are and how they run, not which side is brighter.

The squared gradient (x + iy)² / |x + iy| turns twice when the edge turns once, so an edge and its negative are the
same number. It is averaged over a few pixels and divided by the edges' usual strength nearby, so that weak and strong
edges count about alike.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, grid_sample, interpolate, pad

from ..filters import box, gaussian
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
    smooth = pad(gaussian(image, FINE), (1, 1, 1, 1), mode="replicate")
    slope = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=image.device) / 8
    x, y = conv2d(smooth, torch.stack([slope, slope.T])[:, None]).split(1, dim=1)
    strength = torch.hypot(x, y)
    twice = torch.cat([(x * x - y * y), 2 * x * y]) / strength.clamp_min(1e-9)
    mean = gaussian(twice, SPREAD) / (box(strength, NEAR) + strength.median() / 2 + 1e-4)
    field = torch.complex(*mean[:, 0].unbind())
    return field / (1 + field.abs())


def fitted(image: Gray, height: int, width: int) -> Scaled:
    """Resized, without aliases."""
    return interpolate(image, (height, width), mode="bilinear", align_corners=False, antialias=True)


def laid(image: Gray, matrix: Matrix, size: Size) -> tuple[Scaled, Tensor]:
    """An infrared image as the visible camera would see it, and where it was seen: 1 and 0 (h, w)."""
    step = magnification(matrix, size)
    smooth = gaussian(image, 0.45 * step) if step > 1 else image
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
