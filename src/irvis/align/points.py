"""Points instead of a search: marked by someone, or found by a matcher that the user brings."""

import math

import numpy as np

from ..errors import IrvisError
from .alignment import Alignment
from .fitting import Model
from .geometry import Points, Size
from .marks import NEED, Marks, Numbers, chosen_model, distances, left_out, start, transform, typical, within
from .matching import from_matcher, load_matcher
from .points_file import read

__all__ = ["from_matcher", "from_points", "load_matcher", "read"]

SHARE = 2 / 3
"""Of the marked points, what must agree."""


def from_points(
    before: Points, after: Points, weights: Numbers | None, visible: Size, infrared: Size, model: Model = "auto"
) -> Alignment:
    """The transform that takes marked points of visible to those of infrared.

    Parameters
    ----------
    before, after: (n, 2) in pixels of visible and of infrared.
    weights: (n,) from 0: how exact each is; None: all alike.
    visible, infrared: sizes of the images.
    model: "auto" is a shift by 1 point and a similarity by 2; by more it is what leaves the smallest error of points
        left out, of a similarity, an affine (from 5 points) and a homography (from 6), the simpler unless a richer one
        leaves a tenth less.

    Returns
    -------
    An Alignment whose residual is the root mean square of the error of agreeing points, each left out in turn (infinite
    where there are too few to leave one out), and whose confidence is infinite: points vouch for themselves as long as
    they agree.

    Raises
    ------
    IrvisError: too few points, on one line, outside the images, or a third of them disagrees.
    """
    share = np.ones(len(before)) if weights is None else weights
    marks = Marks(before=before, after=after, weights=share, visible=visible, infrared=infrared)
    if problem := _problem(marks, NEED.get(model, 1)):
        raise IrvisError(problem)
    chosen = chosen_model(marks) if model == "auto" else model
    first = start(marks, chosen)
    matrix = transform(marks, chosen, first)
    error, left = distances(matrix, marks), left_out(marks, chosen, first)
    agreeing = error <= marks.close
    residual = typical(left[agreeing])
    if agreeing.sum() < SHARE * len(before) or 2 * marks.close < residual < math.inf:
        worst = int(np.argmax(np.where(np.isfinite(left), left, error)))
        x, y = before[worst]
        raise IrvisError(
            f"the points do not agree: {int(agreeing.sum())} of {len(before)} fit a {chosen} within "
            f"{marks.close:.0f} px; the worst is number {worst + 1}, visible ({x:g}, {y:g}). Mark it anew, or leave it "
            "out."
        )
    return Alignment(
        matrix=matrix, visible=visible, infrared=infrared, model=chosen, confidence=math.inf,
        agreeing=int(agreeing.sum()), looked_at=len(before), residual=residual,
    )  # fmt: skip


def _problem(marks: Marks, need: int) -> str:
    """Why these points cannot be used; empty where they can."""
    count = len(marks.before)
    if count != len(marks.after) or count < need:
        return f"it takes {need} point{'s' * (need > 1)} or more, marked in both images, not {count}."
    sides = (("visible", marks.before, marks.visible), ("infrared", marks.after, marks.infrared))
    for name, points, (height, width) in sides:
        outside = ~within(points, (height, width))
        if outside.any():
            number = int(np.argmax(outside))
            x, y = points[number]
            return f"point {number + 1}: ({x:g}, {y:g}) is outside the {name} image, {width}x{height}."
    share = marks.weights
    if share.shape != (count,) or not np.isfinite(share).all() or (share < 0).any() or not share.any():
        return "the weights of points are one number from 0 each, not all 0."
    return ""
