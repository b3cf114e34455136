"""A learned matcher that the user brings: (visible, infrared) -> points of visible, points of infrared[, weights]."""

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..errors import IrvisError
from ..own_code import load, told
from .alignment import Alignment
from .fitting import Model
from .geometry import Size
from .judging import meaningful
from .marks import NEED, Marks, Numbers, chosen_model, distances, left_out, start, transform, typical, within

Matcher = Callable[[Tensor, Tensor], Any]
CLOSE = 3.0
"""Pixels, of a visible image whose longer side has 640, within which a match agrees."""
ROUNDS, CERTAIN = 10_000, 0.9999


def load_matcher(text: str) -> Matcher:
    """The callable that `package.module:function` or `file.py:function` names."""
    return load(text, "matcher")


def from_matcher(matcher: Matcher, visible: Tensor, infrared: Tensor, model: Model = "auto") -> Alignment:
    """The transform that most of a matcher's points agree with; up to about 70 % of them may be wrong.

    Points that agree are found by MAGSAC++ (Barath et al., CVPR 2020), for shifts and similarities by RANSAC, both
    OpenCV's; the transform is then fitted to these (`points.transform`).

    Parameters
    ----------
    matcher: takes the two images as they are given here, (1, c, h, w), and gives (n, 2) x and y in pixels, (0, 0) the
        centre of the first, of visible and of infrared, and optionally (n,) weights from 0; arrays or tensors.

    Returns
    -------
    An Alignment whose confidence is -log10 of the number of transforms that would have this many points within 3
    pixels (at 640) by chance, of all that the points can make (Moisan & Stival, IJCV 2004): points thrown at random
    give 0 or less. Its residual is the error of agreeing points that are left out, a tenth at a time. Without points
    that agree it is not sure.

    Raises
    ------
    IrvisError: OpenCV is not installed, the matcher fails, or it gives something else.
    """
    opencv, size, other = _opencv(), _size(visible), _size(infrared)
    try:
        given = matcher(visible, infrared)
    except Exception as error:  # the user's own code
        raise IrvisError(f"the matcher failed: {told(error)}") from error
    marks = _given(given, size, other)
    count = len(marks.before)
    agreeing = marks.part(_agreeing(opencv, marks, model))
    try:
        if len(agreeing.before) <= NEED.get(model, 2):
            raise IrvisError("too few points agree.")
        chosen = chosen_model(agreeing) if model == "auto" else model
        first = start(agreeing, chosen)
        matrix, residual = transform(agreeing, chosen, first), typical(left_out(agreeing, chosen, first))
    except IrvisError:
        return Alignment(
            matrix=np.eye(3), visible=size, infrared=other, model=model, confidence=0.0, agreeing=0, looked_at=count,
            residual=math.inf,
        )  # fmt: skip
    close = CLOSE * max(size) / 640
    fit = int((distances(matrix, marks) <= close).sum())
    chance = min(1.0, math.pi * close**2 / (size[0] * size[1]))
    return Alignment(
        matrix=matrix, visible=size, infrared=other, model=chosen, agreeing=fit, looked_at=count, residual=residual,
        confidence=meaningful(fit, count, NEED[chosen], chance),
    )  # fmt: skip


def _agreeing(opencv: Any, marks: Marks, model: Model) -> NDArray[np.bool_]:
    """(n,): which points agree; looked for from infrared to visible, so that distances are pixels of visible."""
    none, before, after = np.zeros(len(marks.before), bool), marks.before, marks.after
    if len(before) <= NEED.get(model, 4):
        return none
    how = {"ransacReprojThreshold": CLOSE * max(marks.visible) / 640, "maxIters": ROUNDS, "confidence": CERTAIN}
    if model in ("shift", "similarity"):
        found = opencv.estimateAffinePartial2D(after, before, method=opencv.RANSAC, **how)[1]
    elif model == "affine":
        found = opencv.estimateAffine2D(after, before, method=opencv.USAC_MAGSAC, **how)[1]
    else:
        found = opencv.findHomography(after, before, method=opencv.USAC_MAGSAC, **how)[1]
    return none if found is None else np.asarray(found).ravel().astype(bool)


def _given(result: Any, visible: Size, infrared: Size) -> Marks:
    """What a matcher gave, as arrays; points that are not finite or outside the images are left out."""
    if not isinstance(result, tuple | list) or len(result) not in (2, 3):
        raise IrvisError("a matcher gives two arrays of points, or these and weights, as a tuple.")
    before, after = (_array(part) for part in result[:2])
    if before.ndim == 3 and len(before) == 1 == len(after):
        before, after = before[0], after[0]
    weights = _array(result[2]).ravel() if len(result) == 3 else np.ones(before.shape[:1])
    if before.ndim != 2 or before.shape[1] != 2 or before.shape != after.shape or weights.shape != before.shape[:1]:
        shapes = ", ".join(str(part.shape) for part in (before, after, weights))
        raise IrvisError(f"a matcher gives points (n, 2) of both images and weights (n,), not {shapes}.")
    marks = Marks(before=before, after=after, weights=weights, visible=visible, infrared=infrared)
    seen = within(before, visible) & within(after, infrared) & np.isfinite(weights) & (weights > 0)
    return marks.part(seen)


def _array(values: Any) -> Numbers:
    try:
        return np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values, np.float64)
    except (TypeError, ValueError) as error:
        raise IrvisError(f"a matcher gives arrays of numbers, not {type(values).__name__}.") from error


def _size(image: Tensor) -> Size:
    return image.shape[-2], image.shape[-1]


def _opencv() -> Any:
    try:
        return import_module("cv2")
    except ImportError as error:
        raise IrvisError("a matcher's points are sorted out by OpenCV: pip install 'irvis[align]'") from error
