"""A moment of both sides as a picture, with all that is remembered from one moment to the next."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch

from ..fuser import Fuser
from ..types import RGB, Gray
from ..video.range_following import Shown
from ..video.registration import Lay
from ..video.stabilise import Moment as Still
from ..video.stabilise import stabilise
from .capture import Shot
from .fed import Fed
from .joining import Joining, image_of, part_of, pixels_of, visible_of
from .pairing import Moment, Seen
from .palette import tinted
from .thermal import Graying
from .views import Picture, Pixels
from .wanted import Wanted


class Fusing:
    """Called with one moment after another.

    paired: whether a moment had both sides, and it was known where infrared lies.
    tell: gets lines for the user.
    """

    def __init__(self, wanted: Wanted, fuser: Fuser, device: str, tell: Callable[[str], None]) -> None:
        self.fuser, self.device, self.tell = fuser, device, tell
        self.palette = wanted.palette
        self.graying = Graying(wanted.following)
        self.joining = Joining(wanted.laying, wanted.resize, device, tell)
        self.holding = Fed(stabilise) if wanted.steady else None
        self.paired = False
        self._last: tuple[Moment, Picture] | None = None

    @torch.inference_mode()
    def __call__(self, moment: Moment) -> Picture:
        """The picture of a moment: of both sides, or of the one that is there."""
        picture = self._picture(moment)
        self._last = moment, picture
        return picture

    def _picture(self, moment: Moment) -> Picture:
        marks = _marks(moment)
        if self._last is not None and not moment.fresh and _sides(moment) == _sides(self._last[0]):
            return replace(self._last[1], marks=marks, fresh=False)
        made = partial(Picture, taken=moment.taken, fresh=moment.fresh)
        first, second = moment.visible.shot, moment.infrared.shot
        visible = None if first is None else visible_of(first.frame)
        shown = None if second is None else self._gray(second)
        if visible is None or shown is None:
            alone = visible if visible is not None else pixels_of(_tensor(shown))
            return made(fused=alone, visible=visible, infrared=None if visible is not None else alone, marks=marks)
        image, thermal = image_of(visible, self.device), _tensor(shown).to(self.device)
        lay = self.joining(image, thermal)
        if lay is None:
            return made(fused=visible, visible=visible, infrared=None, marks=(*marks, "infrared is being aligned"))
        self.paired = True
        over, visible = lay.over(thermal), part_of(visible, lay)
        infrared = pixels_of(over)
        fused = infrared if moment.infrared.there else visible
        if moment.visible.there and moment.infrared.there:
            fused = self._fuse(lay, lay.seen(image), over, shown.event == "cut")
        return made(fused=fused, visible=visible, infrared=infrared, marks=marks)

    def _gray(self, shot: Shot) -> Shown:
        noted = self.graying.note
        shown = self.graying(shot.frame)
        if self.graying.note != noted:
            self.tell(self.graying.note)
        return shown

    def _fuse(self, lay: Lay, visible: RGB, infrared: Gray, cut: bool) -> Pixels:
        fused = self.fuser(visible, infrared, lay.rim)
        if self.holding is not None:
            [fused] = self.holding(Still(visible=visible, infrared=infrared, fused=(fused,), cut=cut))
        if self.palette is not None:
            fused = tinted(fused, infrared, lay.valid, self.palette)
        return pixels_of(fused)


def _tensor(shown: Shown | None) -> Gray:
    assert shown is not None
    return torch.from_numpy(shown.gray)[None, None]


def _sides(moment: Moment) -> tuple[bool, bool]:
    return moment.visible.there, moment.infrared.there


def _marks(moment: Moment) -> tuple[str, ...]:
    """What is amiss, in words."""
    return tuple(mark for name in ("visible", "infrared") if (mark := _mark(name, getattr(moment, name))))


def _mark(name: str, side: Seen) -> str:
    if side.condition == "missing":
        return f"waiting for {name}"
    if side.condition == "lost":
        return f"{name} lost"
    return f"{name} held for {side.age:.0f} s" if side.condition == "stale" else ""
