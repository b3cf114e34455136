"""Blocks of the visible image looked for in the infrared image, near where a matrix says they are."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..types import Gray, Scaled
from .edges import edges, fitted, laid
from .geometry import Matrix, Points, Size, resizing

ENLARGED = 4.0
"""Small images are enlarged to the same size, but no further than by this."""
LEAST_SEEN = 0.7
"""Of a block's area that infrared must have seen."""

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


def look(visible: Gray, infrared: Scaled, matrix: Matrix, how: Look) -> Found | None:
    """Look for all blocks; None where infrared sees nearly nothing of the visible image."""
    full: Size = (visible.shape[-2], visible.shape[-1])
    share = min(ENLARGED, how.long / max(full))
    size = (max(1, round(full[0] * share)), max(1, round(full[1] * share)))
    shrunk = resizing(full, size)
    side = min(how.size, size[0] // 2, size[1] // 2)
    warm, there = laid(infrared, matrix @ np.linalg.inv(shrunk), size)
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


def _cut(image: Tensor, corners: Tensor, side: int) -> Tensor:
    """(n, side, side)."""
    rows, columns = (corners[:, n, None] + torch.arange(side) for n in (0, 1))
    return image[rows[:, :, None], columns[:, None, :]]


def _correlated(seen: Tensor, felt: Tensor, corners: Tensor, side: int, reach: int) -> tuple[Tensor, Tensor]:
    """(n, 2·reach+1, 2·reach+1): correlation of each block at each move; (n,): mean energy of the visible block."""
    bow = torch.hann_window(side + 2, periodic=False)[1:-1]
    window, wide = bow[:, None] * bow, side + 2 * reach
    block = _cut(seen, corners, side)
    around = _cut(torch.nn.functional.pad(felt, (reach,) * 4), corners, wide)
    spectrum = torch.fft.fft2(block * window, (wide, wide)).conj()
    product = torch.fft.ifft2(torch.fft.fft2(around) * spectrum).real
    power = torch.fft.rfft2(around.abs().square())
    other = torch.fft.irfft2(power * torch.fft.rfft2(window, (wide, wide)).conj(), (wide, wide))
    energy = (block.abs().square() * window).sum((1, 2))
    part = (..., slice(2 * reach + 1), slice(2 * reach + 1))
    bound = (energy[:, None, None] * other[part].clamp_min(0)).sqrt()
    return product[part] / (bound + 0.03 * window.sum() ** 0.5), energy / window.sum()


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
