"""Where, how large and how turned: a search over everything at a coarse size, by correlation of edges."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..types import Gray, Scaled
from .edges import edges, fitted, laid
from .geometry import Matrix, Size, grid, moved, resizing

LONG = 224
"""Pixels of the longer side of the visible image while searching."""
LEAST = 0.3
"""Of the smaller image, as a share of its area, that both must see."""
APART = 0.06
"""Of the longer side: candidates that differ less are one."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """What is searched.

    scales: of infrared; 1 is the least size at which it covers the visible image.
    angles: degrees.
    """

    scales: tuple[float, ...] = tuple(2 ** (step / 8) for step in range(-12, 9))
    angles: tuple[float, ...] = (-4.0, -2.0, 0.0, 2.0, 4.0)


def candidates(visible: Gray, infrared: Scaled, span: Range, count: int) -> list[Matrix]:
    """The likeliest matrices, best first."""
    size, found = _sizes(visible), []
    small = _small(size, LONG)
    seen = edges(fitted(visible, *small))
    cover = max(full / other for full, other in zip(size, _sizes(infrared), strict=True)) * small[1] / size[1]
    for scale in span.scales:
        high, wide = (max(8, round(side * cover * scale)) for side in _sizes(infrared))
        resized = fitted(infrared, high, wide)
        for angle in span.angles:
            turned, there = _turned(resized, angle)
            score, (x, y) = _best_shift(seen, edges(turned) * there, there)
            back = resizing((high, wide), _sizes(infrared)) @ _turn((high, wide), angle)
            found.append((score, back @ _shift(-x, -y) @ resizing(size, small)))
    return _distinct([matrix for _, matrix in sorted(found, key=lambda one: -one[0])], size, count)


def _best_shift(seen: Tensor, felt: Tensor, there: Tensor) -> tuple[float, tuple[int, int]]:
    """How far right and down the infrared edges go; the score is the correlation where both see, times √(that area).

    The energies of the overlap at every shift are correlations, too (Padfield, CVPR 2010).
    """
    size = [_quick(a + b) for a, b in zip(seen.shape, felt.shape, strict=True)]
    whole, power = torch.fft.fft2(torch.ones_like(there[:0].sum()).expand(seen.shape), size), seen.abs().square()
    inside = torch.fft.fft2(there, size).conj()
    product = torch.fft.ifft2(torch.fft.fft2(seen, size) * torch.fft.fft2(felt, size).conj()).real
    energy = torch.fft.ifft2(torch.fft.fft2(power, size) * inside).real
    other = torch.fft.ifft2(whole * torch.fft.fft2(felt.abs().square(), size).conj()).real
    area = torch.fft.ifft2(whole * inside).real
    bound = (energy * other).clamp_min(1e-6 * max(float(energy.max() * other.max()), 1e-9)).sqrt()
    score = product / bound * (area.clamp_min(0) / seen.numel()).sqrt()
    score = torch.where(area >= LEAST * min(seen.numel(), float(there.sum())), score, -1.0)
    best = int(score.argmax())
    y, x = divmod(best, size[1])
    y, x = y - size[0] * (y >= seen.shape[0]), x - size[1] * (x >= seen.shape[1])
    return float(score.flatten()[best]), (x, y)


def _turned(image: Gray, angle: float) -> tuple[Tensor, Tensor]:
    if angle == 0:
        return image, torch.ones_like(image[0, 0])
    return laid(image, _turn(_sizes(image), angle), _sizes(image))


def _turn(size: Size, angle: float) -> Matrix:
    """About the middle."""
    height, width = size
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    return _shift((width - 1) / 2, (height - 1) / 2) @ turn @ _shift(-(width - 1) / 2, -(height - 1) / 2)


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def _distinct(matrices: Sequence[Matrix], size: Size, count: int) -> list[Matrix]:
    places, kept = grid(size, 3), list[Matrix]()
    for matrix in matrices:
        far = (np.linalg.norm(moved(np.linalg.inv(one) @ matrix, places) - places, axis=1).mean() for one in kept)
        if all(distance > APART * max(size) for distance in far):
            kept.append(matrix)
        if len(kept) == count:
            break
    return kept


def _sizes(image: Gray) -> Size:
    return image.shape[-2], image.shape[-1]


def _small(size: Size, long: int) -> Size:
    share = min(1.0, long / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _quick(length: int) -> int:
    """The next number with factors 2, 3 and 5 only."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1
