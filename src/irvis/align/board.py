"""A rig from pictures of a board that both cameras see: a checkerboard, or a grid of circles.

Each camera is calibrated by itself (Zhang, PAMI 2000), then both together, as they see the same boards (OpenCV's
calibrateCamera and stereoCalibrate). A board for infrared is often heated, so that black is bright there, and its
contrast is low: each picture is tried as it is and inverted, plain and with local contrast.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import IrvisError
from .corners import Board, alike, corners, named, parse
from .geometry import Matrix, Points, Size, magnification
from .joint import Read
from .lens import Lens
from .rig import Calibration, Rig, plane

LEAST = 3
"""Pairs in which both cameras see the board."""
THIRD = 10
"""Pictures from which the third radial term k3 is estimated; before, it follows noise."""
ODD = 3.0
"""Times the median error of all pictures: one that is worse, and over a pixel, is left out."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Seen:
    """A board in a picture of each camera, (n, 2), in one order."""

    visible: Points
    infrared: Points


def calibrated(text: str, names: Sequence[str], read: Read, *, focal: float | None = None) -> Rig:
    """The rig that pictures of a board show; it holds at the median distance of the board, and knows all others.

    Parameters
    ----------
    text: the board, as `parse` has it.
    names, read: pairs, which are read one at a time. Both cameras must look the same way up, to less than 45 degrees.
    focal: millimetres, from the visible pictures' EXIF.

    Returns
    -------
    A Rig with `calibration`; `refused` names the pairs in which the board was not found in both pictures, or where it
    fits much worse than in the others. `residual` is the reprojection of both cameras as one, in pixels of visible.

    Raises
    ------
    IrvisError: OpenCV is not installed, sizes differ, or fewer than 3 pairs are usable.
    """
    opencv, board = _opencv(), parse(text)
    seen, sizes = _found(opencv, names, read, board)
    seen, lenses, errors = _cameras(opencv, seen, sizes, board)
    order = list(seen.values())
    found = _together(opencv, order, lenses, errors, board)
    distance = float(np.median([_distance(opencv, one, found.visible, board) for one in order]))
    matrix = plane(found, distance)
    return Rig(
        visible=sizes[0], infrared=sizes[1], matrix=matrix, distance=distance, model=named(board),
        residual=_residual(opencv, order, found, board) / magnification(matrix, sizes[0]), used=tuple(seen),
        refused=tuple(name for name in names if name not in seen), made=date.today().isoformat(), focal=focal,
        calibration=found,
    )  # fmt: skip


def _found(opencv: Any, names: Sequence[str], read: Read, board: Board) -> tuple[dict[str, Seen], tuple[Size, Size]]:
    """The board in every pair where both cameras see it, and the sizes of the pictures."""
    seen, sizes = dict[str, Seen](), set[tuple[Size, Size]]()
    for name in names:
        visible, infrared = read(name)
        sizes.add(((visible.shape[-2], visible.shape[-1]), (infrared.shape[-2], infrared.shape[-1])))
        if len(sizes) > 1:
            raise IrvisError(f"{name} has another size than the pairs before: pairs of one rig have the same sizes.")
        one = corners(opencv, visible, board)
        other = None if one is None else corners(opencv, infrared, board)
        if one is not None and other is not None:
            seen[name] = Seen(visible=one, infrared=alike(other, one, board))
    if len(seen) < LEAST:
        raise IrvisError(_too_few(len(seen), len(names), board))
    return seen, sizes.pop()


def _too_few(usable: int, count: int, board: Board) -> str:
    return (
        f"the board ({named(board)}) was found by both cameras in {usable} of {count} pairs, {LEAST} are needed: "
        "check its numbers, show it whole, at different tilts, and warm it so that infrared sees it."
    )


# ----------------------------------------------------------------------------------------------- the cameras


def _cameras(
    opencv: Any, seen: Mapping[str, Seen], sizes: tuple[Size, Size], board: Board
) -> tuple[dict[str, Seen], tuple[Lens, Lens], tuple[float, float]]:
    """Both lenses, their errors in pixels, and the pairs that are left: twice, the second time without odd pictures."""
    kept = dict(seen)
    both: Sequence[tuple[Lens, float, NDArray[np.float64]]] = ()
    views: tuple[Callable[[Seen], Points], ...] = (lambda one: one.visible, lambda one: one.infrared)
    for last in (False, True):
        both = [
            _camera(opencv, [view(one) for one in kept.values()], size, board)
            for view, size in zip(views, sizes, strict=True)
        ]
        odd = np.any([errors > max(1.0, ODD * float(np.median(errors))) for _, _, errors in both], axis=0)
        if last or not odd.any():
            break
        kept = {name: one for (name, one), out in zip(kept.items(), odd, strict=True) if not out}
        if len(kept) < LEAST:
            raise IrvisError(_too_few(len(kept), len(seen), board))
    return kept, (both[0][0], both[1][0]), (both[0][1], both[1][1])


def _together(
    opencv: Any, seen: Sequence[Seen], lenses: tuple[Lens, Lens], errors: tuple[float, float], board: Board
) -> Calibration:
    """Both cameras as one rig. On rendered boards this errs half as much as with the lenses kept as they are."""
    one, other = lenses
    flags = opencv.CALIB_USE_INTRINSIC_GUESS | _fixed(opencv, len(seen))
    error, *parts = opencv.stereoCalibrate(
        _float([board.places] * len(seen)), _float([each.visible for each in seen]),
        _float([each.infrared for each in seen]), one.intrinsics, np.array(one.distortion), other.intrinsics,
        np.array(other.distortion), (0, 0), flags=flags,
    )  # fmt: skip
    shift = np.asarray(parts[5], np.float64).ravel()
    return Calibration(
        visible=_lens(parts[0], parts[1]), infrared=_lens(parts[2], parts[3]),
        rotation=np.asarray(parts[4], np.float64),
        translation=(float(shift[0]), float(shift[1]), float(shift[2])), reprojection=(*errors, float(error)),
    )  # fmt: skip


def _camera(opencv: Any, points: Sequence[Points], size: Size, board: Board) -> tuple[Lens, float, NDArray[np.float64]]:
    """The lens, its error in pixels (root mean square), and that of each picture."""
    try:
        error, matrix, distortion, *_, single = opencv.calibrateCameraExtended(
            _float([board.places] * len(points)),
            _float(points),
            size[::-1],
            None,
            None,
            flags=_fixed(opencv, len(points)),
        )
    except opencv.error as problem:
        raise IrvisError("the pictures of the board do not tell the lens: show it at different tilts.") from problem
    return _lens(matrix, distortion), float(error), np.asarray(single, np.float64).ravel()


def _fixed(opencv: Any, pictures: int) -> int:
    return 0 if pictures >= THIRD else int(opencv.CALIB_FIX_K3)


def _lens(matrix: Any, distortion: Any) -> Lens:
    k = [float(one) for one in np.ravel(distortion)[:5]]
    return Lens(intrinsics=np.asarray(matrix, np.float64), distortion=(k[0], k[1], k[2], k[3], k[4]))


def _distance(opencv: Any, one: Seen, lens: Lens, board: Board) -> float:
    """Metres from the visible camera to the plane of the board's middle, along the camera's axis."""
    turn, shift = _pose(opencv, one, lens, board)
    return float((board.places.mean(0) @ turn.T + shift)[2])


def _pose(opencv: Any, one: Seen, lens: Lens, board: Board) -> tuple[Matrix, NDArray[np.float64]]:
    _, turn, shift = opencv.solvePnP(board.places, one.visible, lens.intrinsics, np.array(lens.distortion))
    return opencv.Rodrigues(turn)[0], shift.ravel()


def _residual(opencv: Any, seen: Sequence[Seen], found: Calibration, board: Board) -> float:
    """Pixels of infrared (root mean square) between corners and where the visible picture and the rig expect them."""
    squares = list[float]()
    for one in seen:
        turn, shift = _pose(opencv, one, found.visible, board)
        there = (board.places @ turn.T + shift) @ found.rotation.T + np.array(found.translation)
        off = (
            opencv.projectPoints(
                there, np.zeros(3), np.zeros(3), found.infrared.intrinsics, np.array(found.infrared.distortion)
            )[0].reshape(-1, 2)
            - one.infrared
        )
        squares += (off**2).sum(1).tolist()
    return float(np.sqrt(np.mean(squares)))


def _float(points: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float32]]:
    return [np.ascontiguousarray(one, np.float32).reshape(-1, 1, one.shape[-1]) for one in points]


def _opencv() -> Any:
    try:
        return import_module("cv2")
    except ImportError as error:
        raise IrvisError("finding a board needs OpenCV: pip install 'irvis[align]'") from error
