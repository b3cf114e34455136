"""Infrared as gray, frame by frame: `video.range_following`, given one frame at a time."""

from dataclasses import replace
from functools import partial

from ..video.aligning import gray_image
from ..video.frame import Frame
from ..video.modules import shaped
from ..video.range_following import Following, Shown, steady
from .fed import Fed


class Graying:
    """A thermal stream as gray, with the state that `steady` keeps.

    Polarity "auto" is decided on the first frame; `note` says how.
    """

    def __init__(self, how: Following) -> None:
        self.how, self.note = how, ""
        self._before: tuple[Frame, Frame] | None = None
        self._steady: Fed[Frame, Shown] | None = None

    def __call__(self, frame: Frame) -> Shown:
        """The frame as gray; the very frame before is as it was."""
        if self._before is None or self._before[0] is not frame:
            self._before = frame, shaped(frame, self.how.sensing)
        if self._steady is None:
            self.how = self._settled(self._before[1])
            self._steady = Fed(partial(steady, how=self.how))
        return self._steady(self._before[1])

    def _settled(self, frame: Frame) -> Following:
        if self.how.sensing.polarity != "auto":
            return self.how
        from ..thermal import polarity

        plain = replace(self.how, sensing=replace(self.how.sensing, polarity="white-hot"))
        found, note = polarity.decided(polarity.evidence(gray_image(frame, plain)))
        self.note = note or f"infrared is taken for {found}"
        return replace(plain, sensing=replace(plain.sensing, polarity=found))
