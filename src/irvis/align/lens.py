"""One camera's lens: a pinhole and its distortion in OpenCV's model, so that calibrations can be taken as they are.

A direction (x, y) of the ideal pinhole, in focal lengths from the axis, r² = x² + y², is seen at

    x (1 + k1 r² + k2 r⁴ + k3 r⁶) + 2 p1 x y + p2 (r² + 2 x²)
    y (1 + k1 r² + k2 r⁴ + k3 r⁶) + p1 (r² + 2 y²) + 2 p2 x y

(Brown, Photogrammetric Engineering 1966). Far from the axis the polynomial may turn back, which no lens does: such
directions are not seen, and their places are not finite.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import IrvisError
from .geometry import Matrix, Points

STEPS = 20
"""Of Newton's method; it needs about four."""
MOST = 1000.0
"""No lens bends that much."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Lens:
    """Focal lengths and middle in pixels as a matrix [fx s cx; 0 fy cy; 0 0 1], and (k1, k2, p1, p2, k3)."""

    intrinsics: Matrix
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        matrix = self.intrinsics
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or not (np.abs(self.distortion) < MOST).all():
            raise IrvisError("the intrinsics of a camera are 3x3 numbers, its distortion is five below 1000.")
        if min(matrix[0, 0], matrix[1, 1]) < 1e-6 or matrix[1, 0] != 0 or not (matrix[2] == [0, 0, 1]).all():
            raise IrvisError("the intrinsics of a camera are [fx s cx; 0 fy cy; 0 0 1] with fx and fy above 0.")


def straight(lens: Lens, points: Points) -> Points:
    """Pixels as the lens shows them to pixels as its pinhole would."""
    if not any(lens.distortion):
        return points
    seen = _directions(lens, points)
    found, widest = seen.copy(), _widest(lens)
    for _ in range(STEPS):
        there, slope = _bent(lens, found)
        step = _solved(slope, there - seen)
        long = np.linalg.norm(step, axis=1, keepdims=True)
        found = found - step * np.minimum(1, 0.3 / np.maximum(long, 1e-12))
    off = np.linalg.norm(_bent(lens, found)[0] - seen, axis=1)
    return _pixels(lens, np.where(((off < 1e-9) & ((found**2).sum(1) < widest))[:, None], found, np.nan))


def bent(lens: Lens, points: Points) -> Points:
    """Pixels as the pinhole would show them to pixels as the lens does."""
    if not any(lens.distortion):
        return points
    ideal = _directions(lens, points)
    seen = ((ideal**2).sum(1) < _widest(lens))[:, None]
    return _pixels(lens, np.where(seen, _bent(lens, np.where(seen, ideal, 0))[0], np.nan))


def _bent(lens: Lens, ideal: Points) -> tuple[Points, Matrix]:
    """Where directions are seen, and (n, 2, 2) how that changes with them."""
    k1, k2, p1, p2, k3 = lens.distortion
    x, y = ideal.T
    square = x * x + y * y
    radial = 1 + square * (k1 + square * (k2 + square * k3))
    grows = 2 * (k1 + square * (2 * k2 + 3 * k3 * square))
    right = x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x)
    down = y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y
    both = grows * x * y + 2 * p1 * x + 2 * p2 * y
    across = np.stack([radial + grows * x * x + 2 * p1 * y + 6 * p2 * x, both], 1)
    along = np.stack([both, radial + grows * y * y + 6 * p1 * y + 2 * p2 * x], 1)
    return np.stack([right, down], 1), np.stack([across, along], 1)


def _solved(slope: Matrix, off: Points) -> Points:
    """(n, 2): the step that brings each by `off`, also where the slope leaves one way open."""
    (a, b), (c, d) = slope.transpose(1, 2, 0)
    area = a * d - b * c
    area = np.where(np.abs(area) < 1e-12, 1e-12, area)
    x, y = off.T
    return np.stack([(d * x - b * y) / area, (a * y - c * x) / area], 1)


def _widest(lens: Lens) -> float:
    """The r² from which on the radial polynomial falls; infinite where it never does."""
    k1, k2, _, _, k3 = lens.distortion
    roots = np.roots([1.0, 3 * k1, 5 * k2, 7 * k3])  # of its slope, in 1 / r²
    real = roots.real[(abs(roots.imag) <= 1e-9 * abs(roots)) & (roots.real > 1e-9)]
    return float(1 / real.max()) if len(real) else np.inf


def _directions(lens: Lens, points: Points) -> Points:
    result: Points = np.c_[points, np.ones(len(points))] @ np.linalg.inv(lens.intrinsics).T[:, :2]
    return result


def _pixels(lens: Lens, directions: Points) -> Points:
    result: Points = np.c_[directions, np.ones(len(directions))] @ lens.intrinsics.T[:, :2]
    return result
