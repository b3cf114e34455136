"""Where, how large and how turned: a search over everything at a coarse size, by correlation of edges."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample, pad

from ..types import Gray, Scaled
from .edges import edges, fitted, sampled_at
from .geometry import Matrix, Size, grid, moved, quick, resizing
from .overlays import Masks

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


def candidates(
    visible: Gray, infrared: Scaled, span: Range, count: int, masks: Masks | None = None
) -> list[Matrix]:  # fmt: skip
    """The likeliest matrices, best first."""
    size, found = _sizes(visible), []
    small = _even(size, min(1.0, LONG / max(size)))
    seen = _halved(edges(fitted(visible, *small)), None if masks is None else masks[0])[0]
    cover = max(full / other for full, other in zip(size, _sizes(infrared), strict=True)) * small[1] / size[1]
    for scale in span.scales:
        other = _even(_sizes(infrared), cover * scale)
        felt, there = _halved(edges(fitted(infrared, *other)), None if masks is None else masks[1])
        still, half = spectra(seen, _sizes(felt)), _sizes(felt)
        for angle in span.angles:
            score, (x, y) = _best_shift(still, *_turned(felt, there, angle))
            back = resizing(half, _sizes(infrared)) @ _turn(half, angle)
            found.append((score, back @ _shift(-x, -y) @ resizing(size, _sizes(seen))))
    return _distinct([matrix for _, matrix in sorted(found, key=lambda one: -one[0])], size, count)


def _halved(field: Tensor, mask: Gray | None) -> tuple[Tensor, Tensor]:
    """Edges at half their size, as smooth as they are, and 1 where the scene is seen."""
    there = torch.ones_like(field.real)
    if mask is not None:
        there = (fitted(mask, *_sizes(field))[0, 0] > 0.99).to(there)
    planes = torch.stack([field.real * there, field.imag * there, there])
    x, y, seen = avg_pool2d(planes[None], 2)[0]
    return torch.complex(x, y), seen


@dataclass(frozen=True, eq=False, kw_only=True)
class Spectra:
    """Edges of a visible image, transformed once for all infrared images of one size."""

    size: Size
    """Of the visible image."""
    padded: Size
    right: Tensor
    down: Tensor
    power: Tensor
    """Of the two parts of edges, and of their squares."""


def spectra(seen: Tensor, other: Size) -> Spectra:
    """Edges (h, w), to be correlated with those of images of the size `other`."""
    size = (seen.shape[0], seen.shape[1])
    padded = (quick(size[0] + other[0]), quick(size[1] + other[1]))
    power = torch.fft.rfft2(seen.real.square() + seen.imag.square(), padded)
    right, down = (torch.fft.rfft2(part, padded) for part in (seen.real, seen.imag))
    return Spectra(size=size, padded=padded, right=right, down=down, power=power)


def correlated(still: Spectra, felt: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """Correlation of edges at every shift of infrared down and right, modulo `padded`, and the pixels both see there.

    The energies of the overlap at every shift are correlations, too (Padfield, CVPR 2010), or sums over rectangles.
    """
    right, down = (torch.fft.rfft2(part, still.padded).conj() for part in (felt.real, felt.imag))
    product = torch.fft.irfft2(still.right * right + still.down * down, still.padded)
    energy = torch.fft.irfft2(still.power * torch.fft.rfft2(there, still.padded).conj(), still.padded)
    other, area = _inside(felt.real.square() + felt.imag.square(), still), _inside(there, still)
    bound = (energy * other).clamp_min(1e-6 * max(float(energy.max() * other.max()), 1e-9)).sqrt()
    return product / bound, area


def offsets(padded: int, side: int) -> Tensor:
    """The shifts that the places of a correlation stand for; `side`: of the visible image."""
    steps = torch.arange(padded)
    return torch.where(steps < side, steps, steps - padded)


def _inside(values: Tensor, still: Spectra) -> Tensor:
    """The sum, at every shift, of what lies inside the visible image."""
    total = pad(values.cumsum(0).cumsum(1), (1, 0, 1, 0))
    for axis in (0, 1):
        shift, side = offsets(still.padded[axis], still.size[axis]), values.shape[axis]
        first, last = (-shift).clamp(0, side), (still.size[axis] - shift).clamp(0, side)
        total = total.index_select(axis, torch.maximum(first, last)) - total.index_select(axis, first)
    return total.to(values)


def _best_shift(still: Spectra, felt: Tensor, there: Tensor) -> tuple[float, tuple[int, int]]:
    """How far right and down the infrared edges go; the score is the correlation where both see, times √(that area)."""
    score, area = correlated(still, felt, there)
    whole = still.size[0] * still.size[1]
    score = score * (area.clamp_min(0) / whole).sqrt()
    score = torch.where(area >= LEAST * min(whole, float(there.sum())), score, -1.0)
    row, column = divmod(int(score.argmax()), still.padded[1])
    y, x = (int(offsets(still.padded[n], still.size[n])[place]) for n, place in enumerate((row, column)))
    return float(score.max()), (x, y)


def _turned(field: Tensor, there: Tensor, angle: float) -> tuple[Tensor, Tensor]:
    """Edges of the image turned about its middle, and where it was seen; an edge that turns by t turns twice as far."""
    if angle == 0:
        return field, there
    size, twice = _sizes(field), 2 * math.radians(angle)
    places = sampled_at(_turn(size, angle), size, size).to(there)
    x, y, seen = grid_sample(torch.stack([field.real, field.imag, there])[None], places, align_corners=False)[0]
    return torch.complex(x, y) * complex(math.cos(twice), -math.sin(twice)), seen


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


def _sizes(image: Tensor) -> Size:
    return image.shape[-2], image.shape[-1]


def _even(size: Size, share: float) -> Size:
    """A size that can be halved."""
    return max(8, 2 * round(size[0] * share / 2)), max(8, 2 * round(size[1] * share / 2))
