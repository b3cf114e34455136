"""Transforms through a few points drawn from many, all at once, and the one that leaves the least median error."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .fitting import Model
from .geometry import Points

Numbers = NDArray[np.float64]

DRAWS = 300
"""Of a few points to start from."""

_PARTS: Mapping[Model, list[list[int]]] = {
    "shift": [[2], [5]],
    "similarity": [[0, 4], [3, -1], [2], [5]],
    "affine": [[0], [1], [2], [3], [4], [5]],
    "homography": [[0], [1], [2], [3], [4], [5], [6], [7]],
}
"""The entries of a matrix, row by row, that each unknown stands at; -1: at entry 1, negated."""


def through_few(before: Numbers, after: Numbers, model: Model, step: float) -> Numbers:
    """(m, 3, 3): the matrices that take points (m, n, 2), as many as the model needs, to others, where there is one.

    step: infrared pixels per visible pixel, of a shift.
    """
    unknowns = _PARTS[model]
    share, fixed = np.zeros((9, len(unknowns))), np.zeros(9)
    for number, entries in enumerate(unknowns):
        for entry in entries:
            share[abs(entry), number] = 1 if entry >= 0 else -1
    fixed[8] = 1
    if model == "shift":
        fixed[[0, 4]] = step
    rows = _rows(before, after)
    system, right = rows @ share, -(rows @ fixed)
    solvable = np.abs(np.linalg.det(system)) > 0
    found = np.linalg.solve(system[solvable], right[solvable][..., None])[..., 0] @ share.T + fixed
    return found[np.isfinite(found).all(1)].reshape(-1, 3, 3)


def _rows(before: Numbers, after: Numbers) -> Numbers:
    """(m, 2 n, 9): what the entries of a matrix, times this, are 0 for."""
    one = np.concatenate([before, np.ones_like(before[..., :1])], -1)
    none = np.zeros_like(one)
    sides = [[one, none, -after[..., :1] * one], [none, one, -after[..., 1:] * one]]
    return np.concatenate([np.concatenate(parts, -1) for parts in sides], 1)


def drawn(before: Points, after: Points, need: int, model: Model, step: float) -> Numbers:
    """(m, 3, 3): matrices through `need` points each, of `DRAWS` draws."""
    few = np.random.default_rng(0).random((DRAWS, len(before))).argpartition(need, axis=1)[:, :need]
    return through_few(before[few], after[few], model, step)


def ordered(matrices: Numbers, before: Points, after: Points) -> tuple[Numbers, Numbers]:
    """Matrices and their median distances in pixels of infrared, the smallest first."""
    ends = np.c_[before, np.ones(len(before))] @ matrices.transpose(0, 2, 1)
    depth = np.where(ends[..., 2:] > 1e-9, ends[..., 2:], np.nan)
    off = np.nan_to_num(np.linalg.norm(ends[..., :2] / depth - after, axis=-1), nan=np.inf)
    median = np.median(off, axis=1)
    order = np.argsort(median, kind="stable")
    return matrices[order], median[order]
