"""Moves of many places to one transform: robust least squares with a prior."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .geometry import Matrix, Points, Size, basis, change, changes

Model = Literal["auto", "shift", "similarity", "affine", "homography"]
FREE = 99.0
BEYOND: Mapping[Model, tuple[float, float, float, float]] = {
    "auto": (3, 3, 1.5, 1.5),
    "shift": (0, 0, 0, 0),
    "similarity": (0, 0, 0, 0),
    "affine": (FREE, FREE, 0, 0),
    "homography": (FREE, FREE, FREE, FREE),
}
"""How far, in pixels at the corner of an image 640 wide, a transform may leave a similarity: stretch, slant, two tilts.

Two cameras side by side differ by little more than a similarity, and few pairs show enough to tell; "auto" leaves it
as far as the pair gives reason to.
"""
ROBUST = 2.0
"""Pixels: moves that fit worse count less and less (Geman & McClure)."""

LEAST = 0.25
"""Variance of a block of weight 1: no block is known better than to half a pixel."""

Numbers = NDArray[np.float64]


def improved(
    matrix: Matrix, places: Points, moves: Points, weights: Numbers, stiffness: Numbers, size: Size, model: Model
) -> Matrix:
    """The matrix after a change that follows the moves.

    Parameters
    ----------
    matrix: pixels of an image of `size` to the other image.
    places, moves: (n, 2), in pixels of the image of `size`.
    weights: (n,): 1 = a deviation of a pixel.
    stiffness: (n, 2, 2): how much moves count in each direction.
    """
    mean = np.zeros(8)
    mean[4:] = -changes(matrix, size)[4:]
    rest = moves - basis(places, size) @ mean
    fitted = mean + fit(places, rest, weights, stiffness, size, model)
    return matrix @ change(fitted, size)


def fit(places: Points, moves: Points, weights: Numbers, stiffness: Numbers, size: Size, model: Model) -> Numbers:
    """The eight small changes (`geometry.basis`) that follow the moves best."""
    result, free = np.zeros(8), _spread(size, model) > 0
    result[free] = _solved(places, moves, weights, stiffness, size, model)[0]
    return result


def uncertainty(
    places: Points, moves: Points, weights: Numbers, stiffness: Numbers, size: Size, model: Model
) -> Numbers:  # fmt: skip
    """(8, 8): covariance of what `fit` finds, from how well the moves fit, and no wider than the model allows."""
    spread = _spread(size, model)
    free = spread > 0
    solved, share, normal = _solved(places, moves, weights, stiffness, size, model)
    left = moves - basis(places, size)[..., free] @ solved
    counted = 2 * float((share / np.maximum(weights, 1e-12)).sum()) - float(free.sum())
    noise = np.einsum("n,ni,nij,nj->", share, left, stiffness, left) / max(counted, 1.0)
    result = np.zeros((8, 8))
    result[np.ix_(free, free)] = np.linalg.inv(normal / max(float(noise), LEAST) + np.diag(spread[free] ** -2))
    return result


def _solved(
    places: Points, moves: Points, weights: Numbers, stiffness: Numbers, size: Size, model: Model
) -> tuple[Numbers, Numbers, Numbers]:  # fmt: skip
    """The changes that are free, how much each move counted in the end, and the normal matrix without the prior."""
    spread = _spread(size, model)
    free = spread > 0
    steps = basis(places, size)[..., free]
    tight, solved, width = np.diag(spread[free] ** -2), np.zeros(int(free.sum())), 8.0
    for _ in range(20):
        left = moves - steps @ solved
        share = weights / (1 + np.einsum("ni,nij,nj->n", left, stiffness, left) / width**2) ** 2
        normal = np.einsum("n,nia,nij,njb->ab", share, steps, stiffness, steps)
        solved = np.linalg.solve(normal + tight, np.einsum("n,nia,nij,nj->a", share, steps, stiffness, moves))
        width = max(ROBUST, 0.8 * width)
    return solved, share, normal


def _spread(size: Size, model: Model) -> Numbers:
    """(8,): how far each change may go, in pixels; 0 where it may not."""
    beyond = np.array(BEYOND[model]) * size[1] / 640
    return np.r_[[FREE] * (2 if model == "shift" else 4), [0.0] * (2 if model == "shift" else 0), beyond]
