"""The transform that brings infrared onto visible, with what is to be thought of it.

Coarse: scale, turn and shift by correlation of edges (`search`). Fine: blocks are looked for near where they should be,
and the transform follows them (`blocks`, `fitting`). Judged: other blocks are looked for, further around, and counted
where they agree: chance lets few of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ..errors import IrvisError
from ..types import Gray, Picture, Scaled
from .blocks import Found, Look, look
from .fitting import Model, fit, improved
from .geometry import Matrix, Size, basis, grid, magnification, moved
from .search import Range, candidates

SURE = 2.0
"""Confidence from which a transform is believed: agreement by chance has odds of 1 to 100 or less."""
COUNT = 4
"""Candidates of the coarse search that are looked at closely."""

ROUGH = (Look(long=320, size=64, stride=32, reach=12), Look(long=320, size=64, stride=32, reach=8))
FINE = (ROUGH[1], Look(long=640, size=96, stride=48, reach=10), Look(long=640, size=96, stride=48, reach=6))
TRIED, JUDGED = Look(long=320, size=48, stride=48, reach=12), Look(long=640, size=96, stride=96, reach=20)
CLOSE = {TRIED.long: 2.0, JUDGED.long: 4.0}
_DULL = 0.15  # correlation that any two blocks reach


@dataclass(frozen=True, eq=False, kw_only=True)
class Alignment:
    """A transform and how good it is.

    matrix: (x, y, 1) of visible pixels to infrared pixels; the centre of the first pixel is (0, 0).
    visible, infrared: the sizes (height, width) it holds for.
    confidence: -log10 of the odds that so many blocks agree by chance; from `SURE` on it is believed.
    agreeing, looked_at: blocks that are found within 4 pixels (of the visible image at 640 wide) of where they
        should be, of all that were looked for.
    residual: pixels of the visible image by which two estimates from halves of the blocks differ, halved: the error
        that follows from the blocks' scatter. What all blocks have in common (parallax of the scene) is not in it.
    """

    matrix: Matrix
    visible: Size
    infrared: Size
    model: Model
    confidence: float
    agreeing: int
    looked_at: int
    residual: float

    @property
    def sure(self) -> bool:
        """Whether it should be used."""
        return self.confidence >= SURE

    @property
    def problem(self) -> str:
        """Why it should not be used; empty where it should."""
        if self.sure:
            return ""
        if not self.looked_at:
            return "no alignment found: nowhere do both images show enough to compare. Give points or a rig file."
        return (
            f"no alignment found: {self.agreeing} of {self.looked_at} parts of the images agree, which chance "
            f"explains (confidence {max(0.0, self.confidence):.1f}, needed {SURE:g}). Do they show one "
            "scene? If so, give points or a rig file."
        )

    @property
    def shift(self) -> tuple[float, float]:
        """By how many visible pixels infrared, stretched over the visible image, has to move right and down."""
        middle = np.array([[self.visible[1] - 1, self.visible[0] - 1]]) / 2
        there = (moved(self.matrix, middle)[0] + 0.5) / np.array(self.infrared[::-1]) * np.array(self.visible[::-1])
        x, y = middle[0] + 0.5 - there
        return float(x), float(y)


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
    size, other = _checked(visible, "visible"), _checked(infrared, "infrared")
    if matcher is not None:
        from .matching import from_matcher

        return from_matcher(matcher, visible, infrared, model)
    best, odds = None, -math.inf
    for start in candidates(visible, infrared, span, COUNT):
        matrix = refined(visible, infrared, start, "shift" if model == "shift" else "similarity", ROUGH)
        found = None if matrix is None else look(visible, infrared, matrix, TRIED)
        confidence = -math.inf if found is None else confidence_of(found, CLOSE[TRIED.long])[0]
        if matrix is not None and confidence > odds:
            best, odds = matrix, confidence
    if best is None:
        return _judged(visible, infrared, None, model, size, other)
    return _judged(visible, infrared, refined(visible, infrared, best, model, FINE), model, size, other)


def near(visible: Gray, infrared: Scaled, start: Matrix, model: Model = "auto") -> Alignment:
    """Refine a transform that is known to about 30 pixels (of the visible image at 640 wide): no search."""
    size, other = _checked(visible, "visible"), _checked(infrared, "infrared")
    matrix = refined(visible, infrared, start, model, (*ROUGH, *FINE[1:]))
    return _judged(visible, infrared, matrix, model, size, other)


def shifted(visible: Gray, infrared: Scaled, start: Matrix) -> Alignment:
    """By how much a transform is off as a whole: a quick look, for pairs that should fit."""
    size, other = _checked(visible, "visible"), _checked(infrared, "infrared")
    return _judged(visible, infrared, refined(visible, infrared, start, "shift", ROUGH), "shift", size, other, TRIED)


def refined(visible: Gray, infrared: Scaled, matrix: Matrix, model: Model, looks: tuple[Look, ...]) -> Matrix | None:
    """A matrix that follows the blocks, look by look; None where they lead astray."""
    for how in looks:
        found = look(visible, infrared, matrix, how)
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


def _judged(
    visible: Gray, infrared: Scaled, matrix: Matrix | None, model: Model, size: Size, other: Size, how: Look = JUDGED
) -> Alignment:
    found = None if matrix is None else look(visible, infrared, matrix, how)
    if matrix is None or found is None:
        return Alignment(
            matrix=np.eye(3), visible=size, infrared=other, model=model, confidence=0.0, agreeing=0, looked_at=0,
            residual=math.inf,
        )  # fmt: skip
    confidence, agreeing = confidence_of(found, CLOSE[how.long])
    return Alignment(
        matrix=matrix, visible=size, infrared=other, model=model, confidence=confidence, agreeing=agreeing,
        looked_at=len(found.places), residual=residual_of(found, model),
    )  # fmt: skip


def confidence_of(found: Found, close: float) -> tuple[float, int]:
    """-log10 of the odds that so many blocks are found this close by chance, and their number.

    By chance a block is best found anywhere within its reach alike, and each for itself: blocks do not overlap.
    """
    agreeing = int((np.linalg.norm(found.moves, axis=1) <= close).sum())
    chance = min(1.0, math.pi * (close + 0.5) ** 2 / (2 * found.reach + 1) ** 2)
    return -log10_of_at_least(agreeing, len(found.places), chance), agreeing


def log10_of_at_least(least: int, count: int, chance: float) -> float:
    """Of the binomial distribution."""
    if least <= 0:
        return 0.0
    logs = [
        math.lgamma(count + 1) - math.lgamma(n + 1) - math.lgamma(count - n + 1)
        + n * math.log(chance) + (count - n) * math.log1p(-chance)
        for n in range(least, count + 1)
    ]  # fmt: skip
    most = max(logs)
    return (most + math.log(sum(math.exp(log - most) for log in logs))) / math.log(10)


def residual_of(found: Found, model: Model) -> float:
    """Estimates from every other block, as on a chessboard, compared over the image; in visible pixels."""
    rows, columns = (np.unique(found.places[:, n], return_inverse=True)[1] for n in (1, 0))
    half = (rows + columns) % 2 == 0
    if min(half.sum(), (~half).sum()) < 4:
        return math.inf
    first, second = (
        fit(found.places[part], found.moves[part], weights_of(found)[part], found.stiffness[part], found.size, model)
        for part in (half, ~half)
    )
    apart = basis(grid(found.size), found.size) @ (first - second)
    return float(np.sqrt((apart**2).sum(1).mean())) / 2 / float(found.shrunk[0, 0])


def weights_of(found: Found) -> np.ndarray:
    weights: np.ndarray = 4 * found.texture * np.maximum(found.likeness - _DULL, 0) ** 2
    return weights


def _checked(image: Picture, name: str) -> Size:
    size = (image.shape[-2], image.shape[-1])
    if min(size) < 32:
        raise IrvisError(f"the {name} image is {size[1]}x{size[0]}: too small to align, it needs 32 pixels a side.")
    if not bool(image.isfinite().all()):
        raise IrvisError(f"the {name} image holds pixels that are no numbers.")
    if float(image.max() - image.min()) < 1e-3:
        raise IrvisError(f"the {name} image is blank: there is nothing to align by.")
    return size
