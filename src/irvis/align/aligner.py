"""What `irvis fuse --align` and `--rig` do to each pair: a record that can be sent to another machine."""

from dataclasses import dataclass

import numpy as np

from ..color import luma
from ..errors import IrvisError
from ..types import RGB, Gray, Scaled
from .estimate import Alignment, estimate, near, shifted
from .fitting import Model
from .geometry import Size, resizing
from .rig import Rig, places
from .warp import Placement

FAR = 5.0
"""Pixels of the visible image: a registered pair that is shifted by more is warned of."""


@dataclass(frozen=True, kw_only=True)
class Aligner:
    """How the pairs of a batch are aligned: each for itself, or by a rig; by both, the estimate starts at the rig."""

    model: Model = "auto"
    rig: Rig | None = None
    distance: float | None = None
    """Metres, for a rig."""
    refine: bool = False
    """Start from the rig and follow each pair."""
    flow: bool = False
    """Follow with a smooth flow what the transform leaves (parallax, lenses); not on top of a rig alone."""

    def __call__(self, visible: RGB, infrared: Scaled, focal: float | None = None) -> Placement:
        """The placement of infrared over visible; an IrvisError where none can be trusted."""
        if self.rig is None:
            return self._followed(visible, infrared, trusted(estimate(luma(visible), infrared, self.model)))
        size: tuple[Size, Size] = (visible.shape[-2], visible.shape[-1]), (infrared.shape[-2], infrared.shape[-1])
        self.rig.fits(*size, focal)
        if self.refine and self.rig.calibration is not None:
            raise IrvisError("a rig of a board knows how its lenses bend, an estimate does not: leave --align out.")
        if self.refine:
            start = self.rig.matrix_at(self.distance)
            return self._followed(visible, infrared, trusted(near(luma(visible), infrared, start, self.model)))
        if self.rig.calibration is None:
            return self.rig.matrix_at(self.distance)
        return places(self.rig, self.distance)

    def _followed(self, visible: RGB, infrared: Scaled, matrix: Placement) -> Placement:
        if not self.flow:
            return matrix
        from .flow import flow

        return flow(luma(visible), infrared, matrix).places


def trusted(alignment: Alignment) -> Placement:
    """The matrix, or an IrvisError that says why not."""
    if alignment.problem:
        raise IrvisError(alignment.problem)
    return alignment.matrix


def misalignment(visible: Gray, infrared: Scaled) -> tuple[float, float] | None:
    """How far infrared has to move right and down, in visible pixels, for a pair that is said to be registered.

    None where it fits to `FAR` pixels, or where nothing can be said. Shifts up to about 40 pixels (at 640
    wide) are seen.
    """
    size: Size = (visible.shape[-2], visible.shape[-1])
    start = resizing(size, (infrared.shape[-2], infrared.shape[-1]))
    try:
        if not _is_far(shifted(visible, infrared, start)):
            return None
        found = near(visible, infrared, start)  # what looks far at a glance is looked at closely
    except IrvisError:
        return None
    return found.shift if _is_far(found) else None


def _is_far(found: Alignment) -> bool:
    return found.sure and float(np.hypot(*found.shift)) > FAR
