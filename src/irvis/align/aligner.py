"""What `irvis fuse --align` and `--rig` do to each pair: a record that can be sent to another machine."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from ..color import luma
from ..errors import IrvisError
from ..steps import step
from ..types import RGB, Gray, Scaled
from .alignment import Alignment
from .estimate import checked, estimate, near
from .fitting import Model
from .geometry import Size, resizing
from .overlays import overlays
from .rig import Rig, places
from .rivals import shifts
from .warp import Placement, laid_over

FAR = 6.0
"""Pixels of the visible image, at 640 wide: a registered pair that is shifted by more is warned of."""
NEAR, BETTER, MORE = 3.0, 1.1, 0.06
"""A pair looks shifted where edges correlate BETTER times as well, and by MORE, further than NEAR pixels (at 320 wide)
away."""
ALONE = 0.85
"""Of the height of that peak: where another one reaches it, nothing can be said."""
LEAST, CHANCE = 0.22, 24.0
"""Where edges correlate less at the best place, nothing can be said: unlike pictures reach .18, registered ones .26.
In n pixels chance alone reaches about 20 / √n, which is more in pictures below 100 pixels."""
REACH = 0.15
"""Of each side: longer shifts are not looked for."""


_accepted: ContextVar[list[Alignment] | None] = ContextVar("accepted", default=None)


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

    @property
    def estimates(self) -> bool:
        """Whether it looks at what a pair shows; a rig alone does not."""
        return self.rig is None or self.refine

    def __call__(self, visible: RGB, infrared: Scaled, focal: float | None = None) -> Placement:
        """The placement of infrared over visible; an IrvisError where none can be trusted."""
        step("aligning")
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


def align(
    visible: RGB, infrared: Scaled, *, model: Model = "auto", rig: Rig | None = None, distance: float | None = None
) -> tuple[Scaled, Scaled]:
    """Bring one infrared image onto a visible one.

    Parameters
    ----------
    visible: (1, 3, h, w) in [0, 1].
    infrared: (1, 1, any, any) in [0, 1], at least 32 pixels a side.
    model: what the transform may be; "auto" prefers a similarity.
    rig: the transform of both cameras, which is applied as it is; None: it is estimated from the pair.
    distance: of the scene in metres, for a rig that was made from several.

    Returns
    -------
    Infrared as the visible camera would see it, (1, 1, h, w), and where it saw anything, (1, 1, h, w) of 0 and 1: what
    a `Fuser` takes as `infrared` and `valid`.

    Raises
    ------
    IrvisError: the estimate is not sure, or the rig is not for images of these sizes.
    """
    placement = Aligner(model=model, rig=rig, distance=distance)(visible, infrared)
    return laid_over(infrared, placement, (visible.shape[-2], visible.shape[-1]))


def trusted(alignment: Alignment) -> Placement:
    """The matrix, or an IrvisError that says why not."""
    if alignment.problem:
        raise IrvisError(alignment.problem)
    accepted = _accepted.get()
    if accepted is not None:
        accepted.append(alignment)
    return alignment.matrix


@contextmanager
def accepting() -> Iterator[list[Alignment]]:
    """Every estimate that this thread's aligners accept meanwhile is put into the list, to be told."""
    accepted: list[Alignment] = []
    token = _accepted.set(accepted)
    try:
        yield accepted
    finally:
        _accepted.reset(token)


def misalignment(visible: Gray, infrared: Scaled) -> tuple[float, float] | None:
    """How far infrared has to move right and down, in visible pixels, for a pair that is said to be registered.

    None where it fits to about `FAR` pixels, or where nothing can be said. Shifts up to `REACH` of each side are seen,
    to a few pixels.
    """
    size: Size = (visible.shape[-2], visible.shape[-1])
    start = resizing(size, (infrared.shape[-2], infrared.shape[-1]))
    try:
        checked(visible, "visible")
        checked(infrared, "infrared")
    except IrvisError:
        return None
    found = shifts(visible, infrared, start, overlays(visible, infrared), REACH)
    here, *_ = found.best(within=NEAR)
    there, right, down = found.best(outside=NEAR)
    least = max(LEAST, CHANCE * found.step / math.sqrt(size[0] * size[1]))
    if there < max(least, BETTER * here, here + MORE) or found.beside(right, down, NEAR) > ALONE * there:
        return None
    return right * found.step, down * found.step
