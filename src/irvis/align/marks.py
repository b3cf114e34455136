"""The transform that fits points, and how well it does.

Distances are pixels of the visible image; `CLOSE` is for one whose longer side has 640.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import IrvisError
from .draws import drawn, ordered
from .fitting import Model
from .geometry import Matrix, Points, Size, magnification, moved, similarity

NEED: Mapping[Model, int] = {"shift": 1, "similarity": 2, "affine": 3, "homography": 4}
"""Points that a transform takes at least."""
AUTO: Mapping[Model, int] = {"similarity": 3, "affine": 5, "homography": 6}
"""Points from which "auto" considers a transform: before, leaving one out says too little."""
BETTER = 0.9
"""Of the error of points left out, what a richer transform must at most leave to be preferred."""
CLOSE = 5.0
"""Pixels from which points count less and less, and within which a marked one agrees."""
ROUNDS = 30
"""Of least squares."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Marks:
    """Points of both images in pixels, (n, 2), how exact each is, (n,) from 0, and the sizes of the images."""

    before: Points
    after: Points
    weights: Numbers
    visible: Size
    infrared: Size

    def part(self, which: NDArray[np.bool_]) -> "Marks":
        """Some of them."""
        return replace(self, before=self.before[which], after=self.after[which], weights=self.weights[which])

    @property
    def close(self) -> float:
        """`CLOSE` in pixels of this visible image."""
        return CLOSE * max(self.visible) / 640


def chosen_model(marks: Marks) -> Model:
    """What "auto" is for these points."""
    count = len(marks.before)
    if count < min(AUTO.values()):
        return "shift" if count == 1 else "similarity"
    best: Model = "similarity"
    least = math.inf
    for model, needed in AUTO.items():
        if count >= needed:
            left = np.minimum(left_out(marks, model, start(marks, model)), 4 * marks.close)
            error = math.sqrt(float((left**2).mean()))
            if error < BETTER * least - 1e-6:
                best, least = model, error
    return best


def transform(marks: Marks, model: Model, first: Matrix) -> Matrix:
    """The matrix of a model, by least squares that count far points less and less (Geman & McClure)."""
    matrix = first
    for _ in range(ROUNDS):
        share = marks.weights / (1 + np.minimum(distances(matrix, marks) / marks.close, 1e6) ** 2) ** 2
        before, matrix = matrix, _solved(marks, share, model, matrix)
        if np.allclose(matrix, before, rtol=1e-12, atol=1e-12):
            break
    with np.errstate(all="ignore"):
        view = np.isfinite(matrix).all() and magnification(matrix, marks.visible) > 0
    if not view:
        raise IrvisError("these points describe no view: mirrored, or their columns are in another order.")
    return matrix


def start(marks: Marks, model: Model) -> Matrix:
    """A first matrix: of few points from all; of more from the few that leave the least median error.

    (Rousseeuw, JASA 1984.) Nearly half of many points may then be wrong.
    """
    everything = _solved(marks, marks.weights, model)
    count, need = len(marks.before), NEED[model]
    if count < 2 * need + 2:
        return everything
    least = float(np.median(distances(everything, marks)))
    step = 1 / _enlarged(marks)
    for matrix, error in zip(
        *ordered(drawn(marks.before, marks.after, need, model, step), marks.before, marks.after), strict=True
    ):
        view = magnification(matrix, marks.visible)
        if view:
            return matrix if error / view < least else everything
    return everything


def left_out(marks: Marks, model: Model, first: Matrix) -> Numbers:
    """(n,): by how much each point is off when the others decide; infinite where they cannot.

    Points are left out one at a time, of more than 20 a tenth at a time.
    """
    count = len(marks.before)
    result, folds = np.full(count, math.inf), np.arange(count) % (count if count <= 20 else 10)
    for fold in range(int(folds.max()) + 1):
        rest = marks.part(folds != fold)
        if len(rest.before) < NEED[model]:
            continue
        try:
            matrix = transform(rest, model, first)
        except IrvisError:
            continue
        result[folds == fold] = distances(matrix, marks.part(folds == fold))
    return result


def distances(matrix: Matrix, marks: Marks) -> Numbers:
    """(n,): pixels of visible by which a matrix misses points."""
    with np.errstate(all="ignore"):
        step = magnification(matrix, marks.visible) or 1.0
        off = np.linalg.norm(moved(matrix, marks.before) - marks.after, axis=1) / step
    return np.asarray(np.nan_to_num(off, nan=math.inf), np.float64)


def typical(errors: Numbers) -> float:
    """Root mean square of what is finite; infinite of nothing."""
    finite = errors[np.isfinite(errors)]
    return float(np.sqrt((finite**2).mean())) if len(finite) else math.inf


def _solved(marks: Marks, share: Numbers, model: Model, near: Matrix | None = None) -> Matrix:
    """Weighted least squares; of a homography with the depths of `near`."""
    before, after = marks.before, marks.after
    if model == "shift":
        scale = _enlarged(marks)
        shift = np.average(after - before / scale, axis=0, weights=np.maximum(share, 1e-12))
        return np.array([[1 / scale, 0, shift[0]], [0, 1 / scale, shift[1]], [0, 0, 1]])
    apart = _dimensions(before)
    if len(before) < NEED[model] or apart < (1 if model == "similarity" else 2):
        raise IrvisError(f"a {model} takes {NEED[model]} points or more that are apart and not on one line.")
    if model == "similarity":
        return similarity(before, after, share)
    (there, back), (here, _) = _spread(after), _spread(before)
    p, q = moved(here, before), moved(there, after)
    depth = np.ones(len(p)) if near is None else np.c_[before, np.ones(len(before))] @ near[2]
    root = np.sqrt(share)[:, None] / np.maximum(np.abs(depth), 1e-6)[:, None]
    matrix = back @ (_affine(p, q, root) if model == "affine" else _homography(p, q, root)) @ here
    return matrix / (matrix[2, 2] if abs(matrix[2, 2]) > 1e-12 else 1e-12)


def _enlarged(marks: Marks) -> float:
    """Pixels of visible for one of infrared, where it covers the visible image."""
    return max(full / other for full, other in zip(marks.visible, marks.infrared, strict=True))


def _affine(before: Points, after: Points, share: Numbers) -> Matrix:
    solved = np.linalg.lstsq(share * np.c_[before, np.ones(len(before))], share * after, rcond=None)[0]
    return np.vstack([solved.T, [0, 0, 1]])


def _homography(before: Points, after: Points, share: Numbers) -> Matrix:
    """Of spread points (Hartley 1997), by the least singular vector."""
    one, none = np.c_[before, np.ones(len(before))], np.zeros((len(before), 3))
    rows = np.r_[share * np.c_[one, none, -after[:, :1] * one], share * np.c_[none, one, -after[:, 1:] * one]]
    values, vectors = np.linalg.svd(rows, full_matrices=len(rows) < 9)[1:]
    if len(values) < 8 or values[7] < 1e-9 * values[0]:
        raise IrvisError("a homography takes 4 points or more, no three of four on one line.")
    return np.asarray(vectors[8].reshape(3, 3), np.float64)


def _spread(points: Points) -> tuple[Matrix, Matrix]:
    """To points about the origin, about √2 away, and back."""
    middle = points.mean(0)
    size = max(float(np.linalg.norm(points - middle, axis=1).mean()) / math.sqrt(2), 1e-9)
    back = np.array([[size, 0, middle[0]], [0, size, middle[1]], [0, 0, 1]])
    return np.linalg.inv(back), back


def within(points: Points, size: Size) -> NDArray[np.bool_]:
    """(n,): which lie on a pixel of an image of `size`."""
    return np.asarray(((points >= -0.5) & (points <= np.array(size[::-1]) - 0.5)).all(1))


def _dimensions(points: Points) -> int:
    """0 of points in one place, 1 of points on one line, else 2."""
    off = points - points.mean(0)
    return int((np.linalg.eigvalsh(off.T @ off) > 1e-6).sum())
