"""Blocks of the visible image looked for in the infrared image, near where a matrix says they are."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..types import Gray, Scaled
from .edges import edges, fitted, laid
from .geometry import Matrix, Points, Size, quick, resizing
from .overlays import Masks

ENLARGED = 4.0
"""Small images are enlarged to the same size, but no further than by this."""
LEAST_SEEN = 0.7
"""Of a block's area that infrared must have seen."""

DULL = 0.15
"""Correlation that any two blocks reach."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How blocks are looked for: all in pixels, of the visible image resized to `long` on its longer side."""

    long: int
    size: int
    stride: int
    reach: int
    """So far off in each direction."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Found:
    """Blocks, in pixels of the shrunk visible image."""

    size: Size
    """Of that image."""
    shrunk: Matrix
    """Pixels of the whole visible image to those of the shrunk one."""
    places: Points
    """Middles of the blocks."""
    moves: Points
    """How much further right and down each is best found than the matrix says."""
    likeness: Numbers
    """(n,): correlation of edges there, up to 1."""
    texture: Numbers
    """(n,): how much there is to be seen, the most textured block 1."""
    stiffness: NDArray[np.float64]
    """(n, 2, 2): how much worse other moves are: small along an edge, large across it. Of trace 2."""
    reach: int


def look(visible: Gray, infrared: Scaled, matrix: Matrix, how: Look, masks: Masks | None = None) -> Found | None:
    """Look for all blocks; None where infrared sees nearly nothing of the visible image.

    masks: 1 where each picture shows the scene; None = everywhere.
    """
    full: Size = (visible.shape[-2], visible.shape[-1])
    share = min(ENLARGED, how.long / max(full))
    size = (max(1, round(full[0] * share)), max(1, round(full[1] * share)))
    shrunk = resizing(full, size)
    side = min(how.size, size[0] // 2, size[1] // 2)
    onto = matrix @ np.linalg.inv(shrunk)
    warm, there = laid(infrared, onto, size)
    if masks is not None:
        there = there * (fitted(masks[0], *size)[0, 0] > 0.99) * (laid(masks[1], onto, size)[0][0, 0] > 0.99)
    if side < 8 or float(there.mean()) < 0.05:
        return None
    corners = _corners(size, side, how.stride)
    seen = _cut(there, corners, side).mean((1, 2)) > LEAST_SEEN
    if not bool(seen.any()):
        return None
    corners = corners[seen]
    surfaces, energy = _correlated(edges(fitted(visible, *size)) * there, edges(warm) * there, corners, side, how.reach)
    moves, likeness, stiffness = _peaks(surfaces.double().numpy(), how.reach)
    return Found(
        size=size, shrunk=shrunk, places=corners.numpy()[:, ::-1] + (side - 1) / 2, moves=moves, likeness=likeness,
        texture=energy.double().numpy() / max(float(energy.max()), 1e-12), stiffness=stiffness, reach=how.reach,
    )  # fmt: skip


def _corners(size: Size, side: int, stride: int) -> Tensor:
    """(n, 2): first row and column of blocks that cover the image evenly."""
    rows, columns = (
        torch.linspace(0, whole - side, max(2, round((whole - side) / stride) + 1)).long().unique() for whole in size
    )
    return torch.cartesian_prod(rows, columns)


def _cut(plane: Tensor, corners: Tensor, side: int) -> Tensor:
    """(n, side, side): squares of a plane (h, w)."""
    squares = plane.unfold(0, side, 1).unfold(1, side, 1)
    return squares[corners[:, 0], corners[:, 1]]


def _correlated(seen: Tensor, felt: Tensor, corners: Tensor, side: int, reach: int) -> tuple[Tensor, Tensor]:
    """(n, 2·reach+1, 2·reach+1): correlation of each block at each move; (n,): mean energy of the visible block."""
    bow = torch.hann_window(side + 2, periodic=False)[1:-1]
    window, wide = bow[:, None] * bow, side + 2 * reach
    padded = (quick(wide), quick(wide))
    felt = torch.nn.functional.pad(felt, (reach,) * 4)
    product = sum(
        torch.fft.rfft2(_cut(there, corners, wide), padded)
        * torch.fft.rfft2(_cut(here, corners, side) * window, padded).conj()
        for there, here in ((felt.real, seen.real), (felt.imag, seen.imag))
    )
    power = torch.fft.rfft2(_cut(_squares(felt), corners, wide), padded)
    other = torch.fft.irfft2(power.mul_(torch.fft.rfft2(window, padded).conj()), padded)
    energy = (_cut(_squares(seen), corners, side) * window).sum((1, 2))
    part = (..., slice(2 * reach + 1), slice(2 * reach + 1))
    bound = (energy[:, None, None] * other[part].clamp_min(0)).sqrt()
    return torch.fft.irfft2(product, padded)[part] / (bound + 0.03 * window.sum() ** 0.5), energy / window.sum()


def _squares(field: Tensor) -> Tensor:
    return field.real.square() + field.imag.square()


def _peaks(surfaces: Numbers, reach: int) -> tuple[Points, Numbers, NDArray[np.float64]]:
    """The best move of each block (the top of the parabola there), its correlation, and its stiffness."""
    count, side = len(surfaces), 2 * reach + 1
    row, column = np.divmod(surfaces.reshape(count, -1).argmax(1), side)
    row, column = np.clip(row, 1, side - 2), np.clip(column, 1, side - 2)
    block = np.arange(count)

    def at(down: int, right: int) -> Numbers:
        value: Numbers = surfaces[block, row + down, column + right]
        return value

    middle = at(0, 0)
    across, along = at(0, 1) + at(0, -1) - 2 * middle, at(1, 0) + at(-1, 0) - 2 * middle
    mixed = (at(1, 1) + at(-1, -1) - at(1, -1) - at(-1, 1)) / 4
    slope = np.stack([at(0, 1) - at(0, -1), at(1, 0) - at(-1, 0)], 1) / 2
    curvature = -np.stack([np.stack([across, mixed], 1), np.stack([mixed, along], 1)], 1)
    values, vectors = np.linalg.eigh(curvature)
    stiffness = np.einsum("nij,nj,nkj->nik", vectors, np.maximum(values, 1e-4), vectors)
    part = np.clip(np.linalg.solve(stiffness, slope[..., None])[..., 0], -1, 1)
    trace = np.trace(stiffness, axis1=1, axis2=2)[:, None, None]
    return np.stack([column - reach, row - reach], 1) + part, middle, 2 * stiffness / trace


def weights_of(found: Found) -> Numbers:
    """(n,): how much each block counts."""
    weights: Numbers = 4 * found.texture * np.maximum(found.likeness - DULL, 0) ** 2
    return weights
