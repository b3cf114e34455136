"""A smooth flow on top of a matrix: what parallax and lenses leave, as far as blocks of the images show it.

Blocks are looked for twice, the second time smaller and where the first says they are. Their moves are taken for
samples of a smooth random field of mean zero (kriging, or Gaussian process regression: Rasmussen & Williams 2006,
section 2.2): it follows many blocks that agree, and fades to nothing where there are none.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import grid_sample, interpolate

from ..types import Gray, Scaled
from .blocks import Look, look, weights_of
from .fitting import Numbers
from .geometry import Matrix, Points, Size, moved

BOUND = 16.0
"""Pixels, of a visible image whose longer side has 640: no flow is longer."""
DEVIATION = 2.0
"""Pixels: how far such flows are from zero, usually."""
LOOKS = (Look(long=640, size=96, stride=48, reach=14), Look(long=640, size=64, stride=32, reach=8))
LENGTHS = (110.0, 70.0)
"""Pixels over which moves resemble each other, of either look."""
ROBUST = (4.0, 2.0)
"""Pixels: blocks that fit worse count less and less (Geman & McClure)."""
STEP = 16
"""Pixels between the nodes at which the field is worked out."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Flow:
    """A matrix and what it leaves.

    field: (h, w, 2) in pixels of visible, to the right and down: what is at p in visible is in infrared where the
        matrix takes p + field[p].
    residual: half the difference (root mean square, in pixels of visible) between fields from every other block, as on
        a chessboard; infinite where there are too few blocks.
    """

    matrix: Matrix
    field: Numbers
    residual: float

    @property
    def places(self) -> Numbers:
        """(h, w, 2): the pixel of infrared where each pixel of visible lies; not finite where nowhere."""
        height, width = self.field.shape[:2]
        there: Points = np.add(_pixels((height, width)), self.field.reshape(-1, 2), dtype=np.float64)
        return moved(self.matrix, there).reshape(height, width, 2)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Samples:
    """Moves of blocks, in pixels of the shrunk visible image, and how much each counts in each direction."""

    places: Points
    moves: Points
    weights: Numbers
    stiffness: Numbers
    length: float
    robust: float


def flow(visible: Gray, infrared: Scaled, matrix: Matrix) -> Flow:
    """Follow the blocks of a pair that a matrix aligns to about 14 pixels (of visible at 640).

    Without blocks the field is zero.
    """
    full: Size = (visible.shape[-2], visible.shape[-1])
    field, residual = np.zeros((*full, 2)), math.inf
    for how, length, robust in zip(LOOKS, LENGTHS, ROBUST, strict=True):
        found = look(visible, _laid_back(infrared, matrix, field), matrix, how)
        if found is None:
            break
        unit = float(found.shrunk[0, 0])
        before = _at(field, moved(_inverse(found.shrunk), found.places)) * unit
        samples = _Samples(
            places=found.places, moves=found.moves + before, weights=weights_of(found), stiffness=found.stiffness,
            length=length, robust=robust,
        )  # fmt: skip
        nodes, count = _nodes(full, unit)
        there = moved(found.shrunk, nodes)
        residual = _between_halves(samples, there) / unit
        field = _between(_field(samples, there), count, full) / unit
    return Flow(matrix=matrix, field=field, residual=residual)


def _field(samples: _Samples, nodes: Points) -> Numbers:
    """(n, 2): the likeliest moves at nodes, by a Geman-McClure estimate whose width shrinks; at most `BOUND` long."""
    cov = _alike(samples.places, samples.places, samples.length)
    count, solved, width = len(samples.places), np.zeros_like(samples.moves), 3 * samples.robust
    for _ in range(12):
        left = samples.moves - solved
        share = samples.weights / (1 + np.einsum("ni,nij,nj->n", left, samples.stiffness, left) / width**2) ** 2
        told = share[:, None, None] * samples.stiffness
        # (I + Λ C)⁻¹ Λ y, with x and y of each block side by side
        blocks = np.einsum("nij,nm->nimj", told, cov).reshape(2 * count, 2 * count)
        right = np.einsum("nij,nj->ni", told, samples.moves).reshape(-1)
        pull = np.linalg.solve(np.eye(2 * count) + blocks, right).reshape(count, 2)
        solved, width = cov @ pull, max(samples.robust, 0.8 * width)
    result = _alike(nodes, samples.places, samples.length) @ pull
    long = np.linalg.norm(result, axis=1, keepdims=True)
    return np.asarray(result * np.minimum(1, BOUND / np.maximum(long, 1e-9)), np.float64)


def _alike(some: Points, others: Points, length: float) -> Numbers:
    """Covariance of moves at places: a bell over their distance."""
    square = ((some[:, None] - others[None]) ** 2).sum(-1)
    return np.asarray(DEVIATION**2 * np.exp(-square / (2 * length**2)), np.float64)


def _between_halves(samples: _Samples, nodes: Points) -> float:
    rows, columns = (np.unique(samples.places[:, n], return_inverse=True)[1] for n in (1, 0))
    half = (rows + columns) % 2 == 0
    if min(half.sum(), (~half).sum()) < 4:
        return math.inf
    first, second = (
        _field(
            _Samples(
                places=samples.places[part], moves=samples.moves[part], weights=samples.weights[part],
                stiffness=samples.stiffness[part], length=samples.length, robust=samples.robust,
            ),
            nodes,
        )
        for part in (half, ~half)
    )  # fmt: skip
    return float(np.sqrt(((first - second) ** 2).sum(1).mean())) / 2


def _laid_back(infrared: Gray, matrix: Matrix, field: Numbers) -> Scaled:
    """Infrared as it would be if the matrix were all: at q what is now where p + field[p] goes, p what goes to q."""
    if not field.any():
        return infrared
    size: Size = (infrared.shape[-2], infrared.shape[-1])
    back = moved(_inverse(matrix), _pixels(size))
    shown: Points = np.add(back, _at(field, back), dtype=np.float64)
    there = moved(matrix, shown).reshape(*size, 2)
    unit = np.nan_to_num((2 * there + 1) / np.array(size[::-1]) - 1, nan=-9.0).clip(-9, 9)
    at = torch.from_numpy(unit[None]).to(infrared)
    return grid_sample(infrared, at, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)


def _at(field: Numbers, points: Points) -> Numbers:
    """(n, 2): a field between its pixels; of places outside, that of the nearest border."""
    size: Size = (field.shape[0], field.shape[1])
    x, y = (np.clip(np.nan_to_num(points[:, n]), 0, size[1 - n] - 1) for n in (0, 1))
    left, top = (np.minimum(v.astype(int), max(side - 2, 0)) for v, side in ((x, size[1]), (y, size[0])))
    right, below = np.minimum(left + 1, size[1] - 1), np.minimum(top + 1, size[0] - 1)
    across, down = (x - left)[:, None], (y - top)[:, None]
    upper = field[top, left] * (1 - across) + field[top, right] * across
    lower = field[below, left] * (1 - across) + field[below, right] * across
    return np.asarray(upper * (1 - down) + lower * down, np.float64)


def _nodes(size: Size, unit: float) -> tuple[Points, Size]:
    """Places in visible, about every `STEP` pixels from border to border, row by row; how many rows and columns."""
    rows, columns = (max(2, round(side * unit / STEP) + 1) for side in size)
    x, y = np.meshgrid(np.linspace(0, size[1] - 1, columns), np.linspace(0, size[0] - 1, rows))
    return np.stack([x.ravel(), y.ravel()], 1), (rows, columns)


def _between(nodes: Numbers, count: Size, size: Size) -> Numbers:
    """(h, w, 2): the field between its nodes."""
    table = torch.from_numpy(nodes.reshape(*count, 2)).permute(2, 0, 1)[None]
    smooth = interpolate(table, size, mode="bicubic", align_corners=True)
    return np.ascontiguousarray(smooth[0].permute(1, 2, 0).numpy())


def _pixels(size: Size) -> Points:
    x, y = np.meshgrid(np.arange(size[1], dtype=np.float64), np.arange(size[0], dtype=np.float64))
    return np.stack([x.ravel(), y.ravel()], 1)


def _inverse(matrix: Matrix) -> Matrix:
    return np.asarray(np.linalg.inv(matrix), np.float64)
