"""A transform between a pair, and how far it can be trusted."""

import math
from dataclasses import dataclass

import numpy as np

from .fitting import Model
from .geometry import Matrix, Size, moved

SURE = 2.0
"""Confidence from which a transform is believed: so many parts agree by chance with odds of 1 to 100 or less."""
LOOSE = 0.03
"""Of the longer side of the visible image: a transform that may be further off is not used."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Alignment:
    """A transform and how good it is.

    matrix: (x, y, 1) of visible pixels to infrared pixels; the centre of the first pixel is (0, 0).
    visible, infrared: the sizes (height, width) it holds for.
    confidence: -log10 of the odds that so many parts agree by chance; from `SURE` on it is believed.
    agreeing, looked_at: parts that are found within 4 pixels (of the visible image at 640 wide) of where they
        should be, of all that were looked for.
    residual: pixels of the visible image by which two estimates from halves of the parts differ, halved.
    error: pixels of the visible image (root mean square over it) that the transform may be off by, estimated from how
        far the parts leave it open; None where that is not known. Of pairs of known shifts, 19 of 20 or more were off
        by no more (docs/results/align_error.md).
    rival: the move right and down, in visible pixels, at which infrared would fit about as well; None where nowhere.
    """

    matrix: Matrix
    visible: Size
    infrared: Size
    model: Model
    confidence: float
    agreeing: int
    looked_at: int
    residual: float
    error: float | None = None
    rival: tuple[float, float] | None = None

    @property
    def sure(self) -> bool:
        """Whether it should be used."""
        return self.confidence >= SURE and self.rival is None and not self._loose

    @property
    def _loose(self) -> bool:
        return self.error is not None and self.error > LOOSE * max(self.visible)

    @property
    def problem(self) -> str:
        """Why it should not be used; empty where it should."""
        if self.sure:
            return ""
        if not self.looked_at:
            return "no alignment found: nowhere do both images show enough to compare. Give points or a rig file."
        agree = f"{self.agreeing} of {self.looked_at} parts of the images agree"
        if self.confidence < SURE:
            return (
                f"no alignment found: {agree}, which chance explains (confidence {max(0.0, self.confidence):.1f}, "
                f"needed {SURE:g}). Do they show one scene? If so, give points or a rig file."
            )
        if self.rival is not None:
            right, down = self.rival
            return (
                f"no alignment found: infrared would fit about as well ({right:+.0f}, {down:+.0f}) px from the best "
                "place, as on a fence or a facade that repeats itself. Give points or a rig file."
            )
        return (
            f"no alignment found: {agree} (confidence {self.confidence:.1f}), but it may be {self.error:.0f} px off. "
            "Give points or a rig file."
        )

    @property
    def shift(self) -> tuple[float, float]:
        """By how many visible pixels infrared, stretched over the visible image, has to move right and down."""
        middle = np.array([[self.visible[1] - 1, self.visible[0] - 1]]) / 2
        there = (moved(self.matrix, middle)[0] + 0.5) / np.array(self.infrared[::-1]) * np.array(self.visible[::-1])
        x, y = middle[0] + 0.5 - there
        return float(x), float(y)

    @property
    def scale(self) -> float:
        """Of infrared; 1 is the least size at which it covers the visible image."""
        (a, b), (c, d) = self.matrix[0, :2], self.matrix[1, :2]
        cover = max(full / other for full, other in zip(self.visible, self.infrared, strict=True))
        scale = math.sqrt(abs(a * d - b * c)) * cover
        return 1 / scale if scale else 0.0

    @property
    def turn(self) -> float:
        """Degrees."""
        (a, b), (c, d) = self.matrix[0, :2], self.matrix[1, :2]
        return math.degrees(math.atan2(c - b, a + d))

    @property
    def told(self) -> str:
        """What it does, and what is to be thought of it, in one line."""
        right, down = self.shift
        agree = "by points"
        if math.isfinite(self.confidence):
            agree = f"{self.agreeing} of {self.looked_at} parts agree, confidence {self.confidence:.0f}"
        error = "" if not math.isfinite(self.residual) else f", error about {self.residual:.1f} px"
        if self.error is not None:
            error = f", error up to about {self.error:.0f} px"
        return (
            f"infrared moves by ({right:+.1f}, {down:+.1f}) px, scale {self.scale:.3f}, turn {self.turn:+.1f}°; "
            f"{agree}{error}"
        )
