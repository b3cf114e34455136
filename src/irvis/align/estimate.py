"""The transform that brings infrared onto visible, with what is to be thought of it.

Coarse: scale, turn and shift by correlation of edges (`search`). Fine: blocks are looked for near where they should be,
and the transform follows them (`blocks`, `fitting`). Judged: other blocks are looked for, further around, and counted
where they agree: chance lets few of them.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from ..errors import IrvisError
from ..types import Gray, Picture, Scaled
from .alignment import Alignment
from .blocks import Look, look, weights_of
from .fitting import Model, improved
from .geometry import Matrix, magnification
from .judging import confidence_of, judged
from .overlays import Masks, overlays
from .search import Range, candidates

COUNT = 4
"""Candidates of the coarse search that are looked at closely."""

ROUGH = (Look(long=320, size=64, stride=32, reach=12), Look(long=320, size=64, stride=32, reach=8))
FINE = (ROUGH[1], Look(long=640, size=96, stride=48, reach=10), Look(long=640, size=96, stride=48, reach=6))
TRIED = Look(long=320, size=48, stride=48, reach=12)


def estimate(
    visible: Picture,
    infrared: Scaled,
    model: Model = "auto",
    span: Range = Range(),  # noqa: B008
    matcher: Callable[[Tensor, Tensor], Any] | None = None,
) -> Alignment:
    """Align a pair across modality, whatever the sizes, fields of view and polarity.

    Parameters
    ----------
    visible, infrared: (1, 1, h, w) in [0, 1].
    model: what the transform may be; "auto" is a similarity that leans to a homography as far as the pair shows it.
    span: scales and angles that are tried.
    matcher: finds points itself, as `matching.from_matcher` says (extra "align"); it gets the images as they are, and
        nothing else is looked at. Without it both must be gray.

    Returns
    -------
    The likeliest transform, whether it is `sure` or not.

    Raises
    ------
    IrvisError: an image is blank, or smaller than 32 pixels.
    """
    checked(visible, "visible")
    checked(infrared, "infrared")
    if matcher is not None:
        from .matching import from_matcher

        return from_matcher(matcher, visible, infrared, model)
    best, odds, masks = None, -math.inf, overlays(visible, infrared)
    for start in candidates(visible, infrared, span, COUNT, masks):
        matrix = refined(visible, infrared, start, "shift" if model == "shift" else "similarity", ROUGH, masks)
        found = None if matrix is None else look(visible, infrared, matrix, TRIED, masks)
        confidence = -math.inf if found is None else confidence_of(found)[0]
        if matrix is not None and confidence > odds:
            best, odds = matrix, confidence
    if best is None:
        return judged(visible, infrared, None, model, masks)
    return judged(visible, infrared, refined(visible, infrared, best, model, FINE, masks), model, masks)


def near(visible: Gray, infrared: Scaled, start: Matrix, model: Model = "auto") -> Alignment:
    """Refine a transform that is known to about 30 pixels (of the visible image at 640 wide): no search.

    visible, infrared: gray, (1, 1, any, any) in [0, 1]; start: the matrix from visible to infrared pixels; model: what
    the transform may be. An IrvisError where an image is blank, or smaller than 32 pixels.
    """
    checked(visible, "visible")
    checked(infrared, "infrared")
    masks = overlays(visible, infrared)
    matrix = refined(visible, infrared, start, model, (*ROUGH, *FINE[1:]), masks)
    return judged(visible, infrared, matrix, model, masks)


def refined(
    visible: Gray, infrared: Scaled, matrix: Matrix, model: Model, looks: tuple[Look, ...], masks: Masks | None = None
) -> Matrix | None:  # fmt: skip
    """A matrix that follows the blocks, look by look; None where they lead astray."""
    for how in looks:
        found = look(visible, infrared, matrix, how, masks)
        if found is None:
            return None
        back = np.linalg.inv(found.shrunk)
        try:
            better = improved(
                matrix @ back, found.places, found.moves, weights_of(found), found.stiffness, found.size, model
            )
        except (np.linalg.LinAlgError, IrvisError):
            return None
        matrix = better @ found.shrunk
        if not np.isfinite(matrix).all() or not magnification(matrix, (visible.shape[-2], visible.shape[-1])):
            return None
        matrix = matrix / matrix[2, 2]
    return matrix


def checked(image: Picture, name: str) -> None:
    """An IrvisError where there is nothing to align by."""
    size = (image.shape[-2], image.shape[-1])
    if min(size) < 32:
        raise IrvisError(f"the {name} image is {size[1]}x{size[0]}: too small to align, it needs 32 pixels a side.")
    if not bool(image.isfinite().all()):
        raise IrvisError(f"the {name} image holds pixels that are no numbers.")
    if float(image.max() - image.min()) < 1e-3:
        raise IrvisError(f"the {name} image is blank: there is nothing to align by.")
