"""Two cameras that are fixed to each other: what brings their pictures together, for as long as nobody moves them.

How far apart the two see a thing depends on its distance Z. A calibrated rig knows the way of every plane Z metres in
front of the visible camera (Hartley & Zisserman, Multiple View Geometry, 2nd ed., section 13.1, plane nᵀX = Z with
n = (0, 0, 1), infrared camera X' = R X + t):

    matrix(Z) = K_infrared (R + t nᵀ / Z) K_visible⁻¹

Any other rig has a matrix for one distance Z0; with its parallax f·B (pixels of infrared × metres), which two such
rigs give, infrared shifts by f·B (1/Z - 1/Z0), which is the same for cameras that look the same way.
"""

import math
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from ..errors import IrvisError
from .alignment import Alignment
from .geometry import Matrix, Points, Size, grid, magnification, moved, resizing
from .lens import Lens, bent, straight

ZOOM = 0.02
"""Focal lengths that differ by a smaller share are the same: EXIF rounds them."""
LONGEST = 100_000
"""Pixels of a picture's side."""
HOW = "make a rig of a board (checkerboard), or of two rigs made at two known distances"


@dataclass(frozen=True, eq=False, kw_only=True)
class Calibration:
    """Both cameras, as a board seen by both shows them."""

    visible: Lens
    infrared: Lens
    rotation: Matrix
    """With `translation` in metres: what is at X for the visible camera is at R X + t for the infrared one."""
    translation: tuple[float, float, float]
    reprojection: tuple[float, float, float]
    """Pixels (root mean square) by which corners are off: of visible, of infrared, and of both as one rig."""

    def __post_init__(self) -> None:
        turn = self.rotation
        if turn.shape != (3, 3) or not np.allclose(turn @ turn.T, np.eye(3), atol=1e-4) or np.linalg.det(turn) < 0:
            raise IrvisError("the rotation of a calibration is no rotation.")
        if not np.isfinite([*self.translation, *self.reprojection]).all() or min(self.reprojection) < 0:
            raise IrvisError("a calibration's translation is three numbers, its reprojection three from 0.")


@dataclass(frozen=True, eq=False, kw_only=True)
class Rig:
    """Two fixed cameras, and how that was found out."""

    visible: Size
    infrared: Size
    matrix: Matrix
    """Pixels of visible to pixels of infrared at `distance`; of a calibrated rig, both without distortion."""
    distance: float | None
    """Metres; None = that of the scenes it was made from, which nobody knows."""
    residual: float | None
    """Pixels of visible; None where there was too little to tell."""
    model: str
    """The transforms that were tried, or the board."""
    used: tuple[str, ...]
    """Names of the pairs it was made from."""
    refused: tuple[str, ...] = ()
    """Names of pairs that did not serve."""
    made: str
    """The day, as 2025-12-31."""
    focal: float | None = None
    """Millimetres, as the visible pictures' EXIF has it: another one is another zoom."""
    parallax: tuple[float, float] | None = None
    """f·B to the right and down: pixels of infrared × metres."""
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise IrvisError(problem)

    def fits(self, visible: Size, infrared: Size, focal: float | None = None) -> None:
        """Refuse pictures of other sizes than it was made for, or of another zoom where both are known.

        focal: millimetres, from the visible picture's EXIF.
        """
        for name, made, came in (("visible", self.visible, visible), ("infrared", self.infrared, infrared)):
            if made != tuple(came):
                raise IrvisError(
                    f"the rig was made for {name} pictures of {made[1]}x{made[0]}, this one is {came[1]}x{came[0]}: "
                    "make a rig for this size."
                )
        if self.focal and focal and abs(focal / self.focal - 1) > ZOOM:
            raise IrvisError(
                f"the rig was made at a focal length of {self.focal:g} mm, this visible picture was taken at "
                f"{focal:g} mm: make a rig for this zoom."
            )

    def matrix_at(self, distance: float | None = None) -> Matrix:
        """The matrix for what is `distance` metres in front of the cameras: infinity is far away, None the rig's own.

        Of a calibrated rig it takes pixels without distortion to such; `places` goes all the way.
        """
        if distance is None or distance == self.distance:
            return self.matrix
        if not distance > 0:
            raise IrvisError(f"a distance of {distance:g} m is impossible: give metres in front of the cameras.")
        if self.calibration:
            return plane(self.calibration, distance)
        if self.parallax is None or self.distance is None:
            made = "an unknown distance" if self.distance is None else f"{self.distance:g} m"
            raise IrvisError(f"the rig holds for {made} and does not know how {distance:g} m differs: {HOW}.")
        shift = np.eye(3)
        shift[:2, 2] = np.array(self.parallax) * (1 / distance - 1 / self.distance)
        return shift @ self.matrix


def plane(calibration: Calibration, distance: float) -> Matrix:
    """The way of a plane at `distance` metres across the visible camera's axis, between pictures without distortion."""
    facing = np.outer(calibration.translation, [0, 0, 1 / distance])
    back = np.linalg.inv(calibration.visible.intrinsics)
    matrix = calibration.infrared.intrinsics @ (calibration.rotation + facing) @ back
    if not abs(matrix[2, 2]) > 1e-9:
        raise IrvisError(f"the infrared camera does not see what is {distance:g} m in front of the visible one.")
    return matrix / matrix[2, 2]


def places(rig: Rig, distance: float | None = None, size: Size | None = None) -> Points:
    """(h, w, 2): the pixel (x, y) of infrared where each pixel of visible lies, through both lenses.

    size: of the visible picture, which may have been resized; None: the rig's own.
    Not finite where infrared cannot see; may lie outside its picture.
    """
    height, width = size or rig.visible
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    points = moved(resizing((height, width), rig.visible), np.stack([x.ravel(), y.ravel()], 1))
    matrix = rig.matrix_at(distance)
    if rig.calibration:
        points = bent(rig.calibration.infrared, moved(matrix, straight(rig.calibration.visible, points)))
    else:
        points = moved(matrix, points)
    return points.reshape(height, width, 2)


def from_alignment(
    alignment: Alignment, *, used: tuple[str, ...], refused: tuple[str, ...] = (),
    distance: float | None = None, focal: float | None = None,
) -> Rig:  # fmt: skip
    """The rig that one alignment shows; one that is not sure is refused."""
    if alignment.problem:
        raise IrvisError(alignment.problem)
    return Rig(
        visible=alignment.visible, infrared=alignment.infrared, matrix=alignment.matrix, distance=distance,
        residual=alignment.residual if math.isfinite(alignment.residual) else None, model=alignment.model, used=used,
        refused=refused, made=date.today().isoformat(), focal=focal,
    )  # fmt: skip


def from_two(near: Rig, far: Rig) -> Rig:
    """The rig that holds at all distances, of two made at two known ones: their difference is the parallax.

    f·B is the mean, over the picture, of how much further the near one moves, divided by 1/Z_near - 1/Z_far. What the
    two differ by beyond a shift goes into the residual.
    """
    if near.distance is None or far.distance is None or not near.distance < far.distance:
        raise IrvisError("parallax needs two rigs made at two known distances, the nearer one first.")
    far.fits(near.visible, near.infrared, near.focal)
    there = grid(far.visible)
    apart = moved(near.matrix, there) - moved(far.matrix, there)
    shift = apart.mean(0)
    parallax = shift / (1 / near.distance - 1 / far.distance)
    rest = math.sqrt(((apart - shift) ** 2).sum(1).mean()) / magnification(far.matrix, far.visible)
    known = [rig.residual for rig in (near, far) if rig.residual is not None]
    return replace(
        far, parallax=(float(parallax[0]), float(parallax[1])), residual=max(rest, *known) if known else rest,
        used=near.used + far.used, refused=near.refused + far.refused, made=max(near.made, far.made), calibration=None,
    )  # fmt: skip


def _problem(rig: Rig) -> str:
    """What is impossible about it; empty where nothing is."""
    if not all(0 < side <= LONGEST for side in (*rig.visible, *rig.infrared)):
        return "the sizes of a rig's pictures are height and width in pixels."
    if rig.matrix.shape != (3, 3) or not np.isfinite(rig.matrix).all():
        return "the matrix of a rig is 3x3 finite numbers."
    with np.errstate(all="ignore"):
        view = abs(np.linalg.det(rig.matrix)) > 1e-12 and magnification(rig.matrix, rig.visible) > 0
    if not view:
        return "the matrix of a rig is no view: it is singular, mirrored, or looks away."
    for name, value in (("distance", rig.distance), ("focal length", rig.focal)):
        if value is not None and not 0 < value < math.inf:
            return f"the {name} of a rig is above 0."
    if rig.residual is not None and not 0 <= rig.residual < math.inf:
        return "the residual of a rig is 0 or more pixels."
    if rig.parallax is not None and (rig.distance is None or not np.isfinite(rig.parallax).all()):
        return "the parallax of a rig is two numbers, and needs the distance its matrix holds for."
    if rig.calibration and (rig.distance is None or rig.parallax is not None or not _agrees(rig, rig.calibration)):
        return (
            "a calibrated rig has the distance and the matrix that follow from its lenses, and no parallax of its own."
        )
    return "" if _is_day(rig.made) else f"the day a rig was made is like 2025-12-31, not {rig.made!r}."


def _agrees(rig: Rig, calibration: Calibration) -> bool:
    there = grid(rig.visible, 3)
    off = moved(plane(calibration, rig.distance or math.inf), there) - moved(rig.matrix, there)
    return bool(np.abs(off).max() < 0.01)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
