"""An infrared image, or what it measured, laid over the visible one.

A placement says where each visible pixel lies in the infrared image: a matrix (3, 3), or the places themselves
(h, w, 2), x and y, where lenses bend lines.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import grid_sample

from ..filters import gaussian
from ..types import Gray, Scaled
from .geometry import Matrix, Points, Size, moved, resizing

Placement = NDArray[np.float64]


def places(placement: Placement, size: Size) -> NDArray[np.float64]:
    """(h, w, 2): where each pixel of a visible image of `size` lies in the infrared image; NaN where nowhere."""
    if placement.ndim == 3:
        return placement
    height, width = size
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    return moved(placement, np.stack([x.ravel(), y.ravel()], 1)).reshape(height, width, 2)


def laid_over(infrared: Gray, placement: Placement, size: Size) -> tuple[Scaled, Scaled]:
    """An infrared image as the visible camera would see it, (1, 1, h, w), and 1 where infrared saw anything.

    Bicubic, smoothed before where it shrinks; outside, the border is repeated.
    """
    there, source = places(placement, size), infrared.shape[-2:]
    step = step_of(there)
    smooth = gaussian(infrared, 0.45 * step) if step > 1 else infrared
    at = torch.from_numpy(for_grid_sample(there, source)).to(infrared)
    warped = grid_sample(smooth, at, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)
    return warped, torch.from_numpy(inside(there, source))[None, None].to(infrared)


def values_over(values: NDArray[np.float32], placement: Placement, size: Size) -> NDArray[np.float32]:
    """Numbers (h, w) laid over an image of `size`, bilinear; NaN outside, and where one of those around is NaN."""
    there = places(placement, size)
    seen = inside(there, values.shape)
    x, y = (np.clip(np.where(seen, there[..., n], 0), 0, values.shape[1 - n] - 1) for n in (0, 1))
    near = np.round(x * 1e6) / 1e6, np.round(y * 1e6) / 1e6  # a place on a pixel takes nothing of the next one
    left, top = near[0].astype(int), near[1].astype(int)
    across, down = near[0] - left, near[1] - top
    total = np.zeros(there.shape[:2])
    for row, row_share in ((top, 1 - down), (np.minimum(top + 1, values.shape[0] - 1), down)):
        for column, share in ((left, 1 - across), (np.minimum(left + 1, values.shape[1] - 1), across)):
            weight = row_share * share
            total += np.where(weight > 0, weight * values[row, column], 0)
    return np.where(seen, total, np.nan).astype(np.float32)


def inside(there: NDArray[np.float64], source: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether places lie in an image (height, width): on one of its pixels."""
    x, y = there[..., 0], there[..., 1]
    result: NDArray[np.bool_] = (x >= -0.5) & (x <= source[1] - 0.5) & (y >= -0.5) & (y <= source[0] - 0.5)
    return result


def overlap(valid: Gray) -> tuple[int, int, int, int]:
    """Left, top, width, height of the largest rectangle in which infrared saw everything; 0s if there is none."""
    seen = valid[0, 0].bool().cpu().numpy()
    best, heights = (0, 0, 0, 0), np.zeros(seen.shape[1] + 1, int)
    for row in range(seen.shape[0]):
        heights[:-1] = np.where(seen[row], heights[:-1] + 1, 0)
        waiting: list[tuple[int, int]] = []  # (first column, height), rising
        for column, height in enumerate(heights.tolist()):
            first = column
            while waiting and waiting[-1][1] >= height:
                first, tall = waiting.pop()
                if tall * (column - first) > best[2] * best[3]:
                    best = first, row - tall + 1, column - first, tall
            waiting.append((first, height))
    return best


def window(edges: tuple[float, float, float, float], source: tuple[int, ...]) -> Matrix:
    """The placement of an image (height, width) that fills left, top, width, height of the visible one."""
    left, top, width, height = edges
    x, y = source[1] / width, source[0] / height
    return np.array([[x, 0, (0.5 - left) * x - 0.5], [0, y, (0.5 - top) * y - 0.5], [0, 0, 1]])


def cut(placement: Placement, left: int, top: int, size: Size) -> Placement:
    """The placement for a part of the visible image."""
    if placement.ndim == 3:
        return placement[top : top + size[0], left : left + size[1]]
    return placement @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])


def at_scale(placement: Placement, size: Size, scaled: Size) -> Placement:
    """The placement for the visible image of `size` at another size."""
    if placement.ndim == 2:
        return placement @ resizing(scaled, size)
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int).clip(0, old - 1) for old, new in zip(size, scaled, strict=True)
    )
    return placement[rows[:, None], columns]


def back(placement: Placement, points: Points, size: Size) -> Points:
    """Where infrared pixels lie in the visible image of `size`: NaN = nowhere; of a bent placement, whole pixels."""
    if placement.ndim == 2:
        return moved(np.asarray(np.linalg.inv(placement), np.float64), points)
    flat = placement.reshape(-1, 2)
    result = np.full(points.shape, np.nan)
    for number, point in enumerate(points):
        distance = np.where(np.isfinite(flat).all(1), np.abs(flat - point).max(1), np.inf)
        if distance.min() < 1:
            result[number] = divmod(int(distance.argmin()), size[1])[::-1]
    return result


def step_of(there: NDArray[np.float64]) -> float:
    """Infrared pixels per visible pixel, the median of the image."""
    sides = (np.linalg.norm(np.diff(there, axis=axis), axis=-1) for axis in (0, 1))
    lengths = [float(np.nanmedian(side)) for side in sides if side.size and np.isfinite(side).any()]
    return float(np.sqrt(np.prod(lengths))) if lengths else 1.0


def for_grid_sample(there: NDArray[np.float64], source: tuple[int, ...]) -> NDArray[np.float32]:
    unit = (2 * there + 1) / np.array([source[1], source[0]]) - 1
    return np.nan_to_num(unit, nan=-9.0).clip(-9, 9).astype(np.float32)[None]
