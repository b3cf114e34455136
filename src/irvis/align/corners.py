"""A board in a picture: its corners or circles, in the same order for two cameras that look the same way up."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import IrvisError
from ..types import Gray
from .geometry import Points

Levels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Board:
    """What is looked for."""

    kind: Literal["chess", "circles"]
    columns: int
    """Of inner corners, or of circles in a row."""
    rows: int
    step: float
    """Millimetres: the side of a square; of circles, from one row to the next (half of that to the next in a row)."""

    @property
    def places(self) -> NDArray[np.float64]:
        """(n, 3) in metres on the board, row by row; every other row of circles stands half a gap to the right."""
        row, column = np.divmod(np.arange(self.rows * self.columns), self.columns)
        across = 2 * column + row % 2 if self.kind == "circles" else column
        return np.stack([across, row, np.zeros_like(row)], 1) * self.step / 1000


def parse(text: str) -> Board:
    """`9x6:25`: 9x6 inner corners of squares of 25 mm; `circles:4x11:20`: 11 rows of 4 circles, 20 mm apart."""
    found = re.fullmatch(r"(circles:)?(\d{1,3})x(\d{1,3}):(\d{1,6}(?:\.\d{1,6})?)", text.strip())
    first, second, step = (int(found[2]), int(found[3]), float(found[4])) if found else (0, 0, 0.0)
    if min(first, second) < 3 or step <= 0:
        raise IrvisError(
            f"{text!r} is no board: type 9x6:25 (9x6 inner corners of a checkerboard, squares of 25 mm) or "
            "circles:4x11:20 (11 rows of 4 circles, 20 mm apart); 3 or more each way."
        )
    if found and found[1]:
        return Board(kind="circles", columns=min(first, second), rows=max(first, second), step=step)
    return Board(kind="chess", columns=first, rows=second, step=step)


def named(board: Board) -> str:
    """What `parse` reads."""
    return f"{'circles:' * (board.kind == 'circles')}{board.columns}x{board.rows}:{board.step:g}"


def corners(opencv: Any, image: Gray, board: Board) -> Points | None:
    """(n, 2) corners or circles, row by row; None where the board is not found whole."""
    levels = _levels(image)
    contrast = opencv.createCLAHE(clipLimit=4.0, tileGridSize=(8, 8))
    find = _chess if board.kind == "chess" else _circles
    for picture in (levels, opencv.GaussianBlur(contrast.apply(levels), (0, 0), 1.0)):
        for shown in (picture, 255 - picture):
            found = find(opencv, shown, board)
            if found is not None:
                return _facing(np.asarray(found, np.float64).reshape(-1, 2), board)
    return None


def _levels(image: Gray) -> Levels:
    """Gray levels from the darkest 1 % to the brightest 1 %."""
    plane = image[0, 0].double().cpu().numpy()
    low, high = np.percentile(plane, (1, 99))
    return np.asarray(np.clip((plane - low) / max(high - low, 1e-9), 0, 1) * 255, np.uint8)


def _chess(opencv: Any, levels: Levels, board: Board) -> Any:
    """By sectors (Duda & Frese, BMVC 2018), then by squares; both to parts of a pixel."""
    size = (board.columns, board.rows)
    sure, found = opencv.findChessboardCornersSB(levels, size, flags=opencv.CALIB_CB_ACCURACY)
    if sure:
        return found
    flags = opencv.CALIB_CB_ADAPTIVE_THRESH | opencv.CALIB_CB_NORMALIZE_IMAGE | opencv.CALIB_CB_FAST_CHECK
    sure, found = opencv.findChessboardCorners(levels, size, flags=flags)
    if not sure:
        return None
    gap = np.linalg.norm(np.diff(found.reshape(board.rows, board.columns, 2), axis=1), axis=-1).min()
    reach = int(min(max(gap / 3, 2), 11))
    return opencv.cornerSubPix(levels, found, (reach, reach), (-1, -1), (3, 30, 0.01))


def _circles(opencv: Any, levels: Levels, board: Board) -> Any:
    parameters = opencv.SimpleBlobDetector_Params()
    parameters.minArea, parameters.maxArea = 12.0, levels.size / 20
    parameters.minDistBetweenBlobs = 3.0
    detector = opencv.SimpleBlobDetector_create(parameters)
    flags = opencv.CALIB_CB_ASYMMETRIC_GRID | opencv.CALIB_CB_CLUSTERING
    for more in (flags, opencv.CALIB_CB_ASYMMETRIC_GRID):
        sure, found = opencv.findCirclesGrid(levels, (board.columns, board.rows), flags=more, blobDetector=detector)
        if sure:
            return found
    return None


def _facing(points: Points, board: Board) -> Points:
    """The order in which rows go down when columns go right, as a board is seen from the front."""
    if board.kind == "circles":
        return points
    table = points.reshape(board.rows, board.columns, 2)
    right, down = (table[:, -1] - table[:, 0]).mean(0), (table[-1] - table[0]).mean(0)
    return points if right[0] * down[1] - right[1] * down[0] > 0 else table[:, ::-1].reshape(-1, 2)


def alike(points: Points, like: Points, board: Board) -> Points:
    """The order of `points` that runs over the picture as `like` does: a checkerboard looks the same upside down."""
    if board.kind == "circles":
        return points
    table = points.reshape(board.rows, board.columns, 2)
    turns = range(4) if board.rows == board.columns else (0, 2)
    wanted = _direction(like.reshape(table.shape))
    ways = [np.rot90(table, turn) for turn in turns]
    return max(ways, key=lambda way: float((_direction(way) * wanted).sum())).reshape(-1, 2)


def _direction(table: Points) -> Points:
    """(2, 2): the unit ways along rows and along columns."""
    ways = np.stack([(table[:, -1] - table[:, 0]).mean(0), (table[-1] - table[0]).mean(0)])
    return ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-9)
