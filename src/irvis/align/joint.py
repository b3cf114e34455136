"""One transform from many pairs of two cameras that do not move.

Each pair is aligned for itself; those that are sure and agree are then followed together, block by block, as if they
were one large pair. Pairs are read again for each look: only their blocks are kept.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import IrvisError
from ..steps import step
from ..types import Gray
from .alignment import Alignment
from .blocks import Found, Look, look, weights_of
from .estimate import FINE, estimate
from .fitting import Model, Numbers, fit, improved
from .geometry import Matrix, basis, grid, magnification, moved
from .judging import JUDGED, confidence_of, residual_of
from .overlays import overlays
from .search import Range

Read = Callable[[str], tuple[Gray, Gray]]
"""The visible and the infrared image of a pair, by its name; asked several times."""

LEAST, MOST = 4.0, 16.0
"""Pixels of visible at 640 wide by which a pair's own transform may always, and may never, differ from the others'."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Joint:
    """A transform that several pairs share.

    alignment: its `confidence` is the median of what the pairs say of it one by one (frames of one scene are no
        independent witnesses), its `residual` half the difference between estimates from the first and the last half of
        the pairs. Of a single pair both are that pair's.
    used: names of the pairs it was made from.
    refused: names of the others, and why.
    each: for each used pair, pixels of visible (root mean square) between what its blocks say and what all others say.
    """

    alignment: Alignment
    used: tuple[str, ...]
    refused: Mapping[str, str]
    each: tuple[float, ...]


def together(names: Sequence[str], read: Read, model: Model = "auto", span: Range = Range()) -> Joint:  # noqa: B008
    """Align several pairs of one rig by one transform.

    A pair is left out where it cannot be read, its own transform is not sure, or is further from the one that most
    agree with than median + 3 · 1.4826 · MAD of these distances, which counts as at least 4 and at most 16 pixels (at
    640 wide).

    Raises
    ------
    IrvisError: sizes differ between pairs; no pair is sure; no more than half of the sure ones agree.
    """
    sure, refused = _own(names, read, model, span)
    start, used, others = _agreeing(sure)
    matrix = sure[start].matrix
    for how in FINE:
        matrix = _followed(matrix, _looked(used, read, matrix, how), model)
    found = _looked(used, read, matrix, JUDGED)
    judged = _judged(replace(sure[start], matrix=matrix), found)
    return Joint(alignment=judged, used=used, refused=refused | others, each=_each(found, model))


def _own(names: Sequence[str], read: Read, model: Model, span: Range) -> tuple[dict[str, Alignment], dict[str, str]]:
    """What each pair says for itself, and why some do not."""
    sure, refused, sizes = dict[str, Alignment](), dict[str, str](), dict[tuple[int, ...], str]()
    for number, name in enumerate(names):
        step("aligning", number, len(names))
        try:
            visible, infrared = read(name)
        except IrvisError as error:
            refused[name] = str(error)
            continue
        sizes.setdefault((*visible.shape[-2:], *infrared.shape[-2:]), name)
        if len(sizes) > 1:
            raise IrvisError(f"pairs of one rig have the same sizes: {_told(sizes)}.")
        try:
            own = estimate(visible, infrared, model, span)
        except IrvisError as error:
            refused[name] = str(error)
            continue
        if own.problem:
            refused[name] = own.problem
        else:
            sure[name] = own
    if not sure:
        raise IrvisError(
            f"none of the {len(names)} pairs can be aligned for sure: give points, a board or other pairs. "
            f"{names[0]}: {refused[names[0]]}"
        )
    return sure, refused


def _told(sizes: Mapping[tuple[int, ...], str]) -> str:
    return ", ".join(f"{name} is {wide}x{high} with {w}x{h}" for (high, wide, h, w), name in sizes.items())


def _agreeing(sure: Mapping[str, Alignment]) -> tuple[str, tuple[str, ...], dict[str, str]]:
    """The pair whose transform most others agree with, those that do, and why the others do not."""
    names = list(sure)
    apart = np.array([[_apart(sure[one], sure[other]) for other in names] for one in names])
    if len(names) == 1:
        return names[0], tuple(names), {}
    other = ~np.eye(len(names), dtype=bool)
    typical = [float(np.median(row[mask])) for row, mask in zip(apart, other, strict=True)]
    first = min(range(len(names)), key=lambda n: (typical[n], -sure[names[n]].confidence))
    rest = apart[first][other[first]]
    scale = max(*sure[names[first]].visible) / 640
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    limit = min(max(float(np.median(rest)) + 3 * spread, LEAST * scale), MOST * scale)
    used = tuple(name for name, distance in zip(names, apart[first], strict=True) if distance <= limit)
    if 2 * len(used) <= len(names):
        raise IrvisError(
            f"the pairs contradict each other: only {len(used)} of {len(names)} agree within {limit:.0f} px. "
            "Are they all of one pair of cameras that did not move?"
        )
    why = {
        name: f"its transform is {distance:.1f} px from that of most pairs (limit {limit:.1f} px)"
        for name, distance in zip(names, apart[first], strict=True) if distance > limit
    }  # fmt: skip
    return names[first], used, why


def _apart(one: Alignment, other: Alignment) -> float:
    """Mean distance over the image, in pixels of visible."""
    there = grid(one.visible)
    off = np.linalg.norm(moved(one.matrix, there) - moved(other.matrix, there), axis=1)
    return float(np.nan_to_num(off, nan=1e6).mean()) / magnification(one.matrix, one.visible)


def _looked(names: Sequence[str], read: Read, matrix: Matrix, how: Look) -> list[Found]:
    """The blocks of each pair; pairs that see nearly nothing of each other have none."""
    pairs = (read(name) for name in names)
    found = (look(*pair, matrix, how, overlays(*pair)) for pair in pairs)
    return [blocks for blocks in found if blocks is not None]


def _followed(matrix: Matrix, found: Sequence[Found], model: Model) -> Matrix:
    """A matrix that follows the blocks of all pairs."""
    if not found:
        raise IrvisError("the pairs lead nowhere: infrared sees nearly nothing of the visible image.")
    one, back = found[0], np.linalg.inv(found[0].shrunk)
    places, moves, weights, stiffness = _pooled(found)
    try:
        better = improved(matrix @ back, places, moves, weights, stiffness, one.size, model) @ one.shrunk
    except np.linalg.LinAlgError as error:
        raise IrvisError("the pairs lead nowhere: their blocks say nothing in common.") from error
    return better / better[2, 2]


def _pooled(found: Sequence[Found]) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Places, moves, weights, stiffness of the blocks of several pairs."""
    return (
        np.concatenate([one.places for one in found]), np.concatenate([one.moves for one in found]),
        np.concatenate([weights_of(one) for one in found]), np.concatenate([one.stiffness for one in found]),
    )  # fmt: skip


def _judged(alignment: Alignment, found: Sequence[Found]) -> Alignment:
    single = [confidence_of(one) for one in found]
    half = (len(found) + 1) // 2
    residual = residual_of(found[0], alignment.model) if len(found) == 1 else math.inf
    if len(found) > 1:
        residual = _between(found[:half], found[half:], alignment.model) / 2
    return replace(
        alignment, confidence=float(np.median([confidence for confidence, _ in single])) if single else 0.0,
        agreeing=sum(agreeing for _, agreeing in single), looked_at=sum(len(one.places) for one in found),
        residual=residual, error=alignment.error if len(found) == 1 else None,
    )  # fmt: skip


def _each(found: Sequence[Found], model: Model) -> tuple[float, ...]:
    if len(found) == 1:
        return (residual_of(found[0], model),)
    return tuple(_between([*found[:number], *found[number + 1 :]], [one], model) for number, one in enumerate(found))


def _between(some: Sequence[Found], others: Sequence[Found], model: Model) -> float:
    """Pixels of the whole visible image (root mean square) between two estimates."""
    one = some[0]
    first, second = (fit(*_pooled(part), one.size, model) for part in (some, others))
    apart = basis(grid(one.size), one.size) @ (first - second)
    return float(np.sqrt((apart**2).sum(1).mean())) / float(one.shrunk[0, 0])
