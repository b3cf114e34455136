"""Pairs with known truth, quickly drawn: shapes whose brightness in one picture says nothing of that in the other."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from irvis.filters import gaussian


def shapes(seed: int, size: tuple[int, int] = (240, 320)) -> tuple[Tensor, Tensor]:
    """A registered pair (1, 1, h, w): turned boxes, a few of them seen by one camera only."""
    random, (height, width) = np.random.default_rng(seed), size
    y, x = np.mgrid[:height, :width]
    both = np.full((2, height, width), 0.5)
    for _ in range(45):
        column, row = random.uniform(0, width), random.uniform(0, height)
        angle, wide, high = random.uniform(0, np.pi), *random.uniform(0.02, 0.12, 2) * width
        along = (x - column) * np.cos(angle) + (y - row) * np.sin(angle)
        across = (y - row) * np.cos(angle) - (x - column) * np.sin(angle)
        inside = (np.abs(along) < wide) & (np.abs(across) < high)
        for plane, seen in zip(both, random.random(2) < 0.85, strict=True):
            if seen:
                plane[inside] = random.uniform(0, 1)
    noisy = both + random.normal(0, 0.02, both.shape)
    visible, infrared = (gaussian(torch.from_numpy(plane)[None, None].float(), 0.7).clamp(0, 1) for plane in noisy)
    return visible, infrared


def seen_at(image: Tensor, places: np.ndarray) -> Tensor:
    """What lies at places (h, w, 2) of an image, the border repeated."""
    unit = (2 * places + 1) / np.array([image.shape[-1], image.shape[-2]]) - 1
    at = torch.from_numpy(unit[None]).to(image)
    return grid_sample(image, at, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)


def pixels(size: tuple[int, int]) -> np.ndarray:
    """(h, w, 2): x and y."""
    return np.stack(np.meshgrid(np.arange(size[1], dtype=float), np.arange(size[0])), -1)


def by_matrix(image: Tensor, matrix: np.ndarray, size: tuple[int, int]) -> Tensor:
    """A picture of `size` that shows at p what `image` has where the matrix takes p."""
    ends = np.concatenate([pixels(size), np.ones((*size, 1))], -1) @ matrix.T
    return seen_at(image, ends[..., :2] / ends[..., 2:])
