"""3×3 matrices between pixels: a matrix takes (x, y, 1) of the visible image to the infrared image.

The centre of the first pixel is (0, 0), x runs to the right and y down, as in OpenCV.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ..errors import IrvisError

Matrix = NDArray[np.float64]
Points = NDArray[np.float64]
"""(n, 2): x and y in pixels."""
Size = tuple[int, int]
"""Height and width."""


def moved(matrix: Matrix, points: Points) -> Points:
    """Where a matrix takes points; not finite where that is behind the camera or at infinity."""
    ends = np.c_[points, np.ones(len(points))] @ matrix.T
    depth = np.where(ends[:, 2:] > 1e-9, ends[:, 2:], np.nan)
    result: Points = ends[:, :2] / depth
    return result


def resizing(before: Size, after: Size) -> Matrix:
    """Pixels of an image to those of the same image at another size."""
    y, x = (new / old for new, old in zip(after, before, strict=True))
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def grid(size: Size, count: int = 9) -> Points:
    """count² places from corner to corner."""
    height, width = size
    x, y = np.meshgrid(np.linspace(0, width - 1, count), np.linspace(0, height - 1, count))
    return np.stack([x.ravel(), y.ravel()], 1)


def radius(size: Size) -> float:
    """Half the diagonal."""
    return math.hypot(*size) / 2


def basis(points: Points, size: Size) -> NDArray[np.float64]:
    """(n, 2, 8): how eight small changes move each point, each by about a pixel at the image's corners.

    To the right, down, larger, turned, wider but lower, slanted, and the two tilts of a homography.
    """
    height, width = size
    x = (points[:, 0] - (width - 1) / 2) / radius(size)
    y = (points[:, 1] - (height - 1) / 2) / radius(size)
    one, none = np.ones_like(x), np.zeros_like(x)
    right = [one, none, x, -y, x, y, x * x, x * y]
    down = [none, one, y, x, -y, x, x * y, y * y]
    return np.stack([np.stack(right, 1), np.stack(down, 1)], 1)


def change(parameters: NDArray[np.float64], size: Size) -> Matrix:
    """The matrix that moves the corners of an image by the small changes of `basis`."""
    corners = grid(size, 2)
    return through(corners, corners + basis(corners, size) @ parameters)


def changes(matrix: Matrix, size: Size) -> NDArray[np.float64]:
    """What a matrix does beyond a similarity, in the small changes of `basis`."""
    points = grid(size)
    beyond = moved(np.linalg.inv(similarity(points, moved(matrix, points))) @ matrix, points) - points
    return np.asarray(np.linalg.lstsq(basis(points, size).reshape(-1, 8), beyond.ravel(), rcond=None)[0], np.float64)


def similarity(before: Points, after: Points, weights: NDArray[np.float64] | None = None) -> Matrix:
    """Shift, scale and turn between two points or more, by least squares."""
    one, none = np.ones(len(before)), np.zeros(len(before))
    rows = np.r_[np.c_[before[:, 0], -before[:, 1], one, none], np.c_[before[:, 1], before[:, 0], none, one]]
    share = np.sqrt(np.tile(one if weights is None else weights, 2))
    a, b, x, y = np.linalg.lstsq(rows * share[:, None], np.r_[after[:, 0], after[:, 1]] * share, rcond=None)[0]
    return np.array([[a, -b, x], [b, a, y], [0, 0, 1]])


def through(before: Points, after: Points) -> Matrix:
    """The homography through four points."""
    rows = []
    for (x, y), (u, v) in zip(before, after, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    try:
        solved = np.linalg.solve(np.array(rows, np.float64), after.ravel())
    except np.linalg.LinAlgError as error:
        raise IrvisError("no transform goes through these four points: three of them lie on one line.") from error
    return np.append(solved, 1).reshape(3, 3)


def magnification(matrix: Matrix, size: Size) -> float:
    """Infrared pixels per visible pixel in the middle of the visible image; 0 where the matrix is no view at all."""
    height, width = size
    middle = np.array([[width - 1, height - 1]]) / 2 + np.array([[0, 0], [1, 0], [0, 1.0]])
    ends = moved(matrix, middle)
    area = np.linalg.det(ends[1:] - ends[:1])
    return math.sqrt(area) if np.isfinite(area) and area > 0 else 0.0


def quick(length: int) -> int:
    """The next number with factors 2, 3 and 5 only, of which Fourier transforms are quick."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1
