"""What is to be thought of a transform: how many parts agree, how far they leave it open, and whether it is alone."""

import math

import numpy as np

from ..types import Gray, Scaled
from .alignment import Alignment
from .blocks import Found, Look, look, weights_of
from .fitting import Model, fit, uncertainty
from .geometry import Matrix, Size, basis, grid
from .overlays import Masks
from .rivals import rival

JUDGED = Look(long=640, size=96, stride=96, reach=20)
CLOSE = 4.0 / 640
"""Of the longer side: parts found within agree."""
FREE = 2
"""Parts that a transform can always be made to fit: two places make a similarity."""
FLOOR, OPEN = 4.0, 2.0
"""The stated error: FLOOR pixels at 640 wide for what no fit sees (parallax), and OPEN times what a fit leaves open."""


def judged(visible: Gray, infrared: Scaled, matrix: Matrix | None, model: Model, masks: Masks | None) -> Alignment:
    """The record of a transform; None is one that was not found."""
    size: Size = (visible.shape[-2], visible.shape[-1])
    other: Size = (infrared.shape[-2], infrared.shape[-1])
    found = None if matrix is None else look(visible, infrared, matrix, JUDGED, masks)
    if matrix is None or found is None:
        return Alignment(
            matrix=np.eye(3), visible=size, infrared=other, model=model, confidence=0.0, agreeing=0, looked_at=0,
            residual=math.inf,
        )  # fmt: skip
    confidence, agreeing = confidence_of(found)
    return Alignment(
        matrix=matrix, visible=size, infrared=other, model=model, confidence=confidence, agreeing=agreeing,
        looked_at=len(found.places), residual=residual_of(found, model), error=error_of(found, model),
        rival=rival(visible, infrared, matrix, masks),
    )  # fmt: skip


def confidence_of(found: Found) -> tuple[float, int]:
    """-log10 of the odds that so many blocks agree by chance (two always can be made to), and how many do.

    By chance a block is best found anywhere within its reach alike, and each for itself: blocks do not overlap.
    """
    close = CLOSE * max(found.size)
    agreeing = int((np.linalg.norm(found.moves, axis=1) <= close).sum())
    chance = min(1.0, math.pi * (close + 0.5) ** 2 / (2 * found.reach + 1) ** 2)
    return -log10_of_at_least(agreeing - FREE, len(found.places) - FREE, chance), agreeing


def meaningful(agreeing: int, count: int, need: int, chance: float) -> float:
    """-log10 of the number of false alarms: C(n, need) · (n - need) · P(at least so many of the rest agree)."""
    if agreeing <= need:
        return 0.0
    tests = math.log10(math.comb(count, need)) + math.log10(count - need)
    return -tests - log10_of_at_least(agreeing - need, count - need, chance)


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


def spread_of(found: Found, model: Model) -> float:
    """Pixels of visible (root mean square over it) that the blocks leave open, by how well they fit."""
    covariance = uncertainty(found.places, found.moves, weights_of(found), found.stiffness, found.size, model)
    steps = basis(grid(found.size), found.size)
    return float(np.sqrt(np.einsum("nia,ab,nib->n", steps, covariance, steps).mean())) / float(found.shrunk[0, 0])


def error_of(found: Found, model: Model) -> float:
    """Pixels of visible that a transform may be off by."""
    floor = FLOOR * max(found.size) / 640 / float(found.shrunk[0, 0])
    return floor + OPEN * spread_of(found, model)
