"""Two streams on their way through all stages: decoding, fusing and coding overlap, and little is in memory.

One thread decodes, pairs by time and makes thermal numbers gray; one fuses; the caller's own codes and writes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..color import gray
from ..errors import IrvisError
from ..fuser import Fuser
from ..types import Thermal
from .aligning import image_of
from .frame import Frame, Samples
from .made import COMMENT
from .pairing import HOLE, Both, blended, paired
from .plan import Coding, Film
from .prefetch import abreast, ahead, beside
from .prepare import Prepared
from .range_following import Shown, steady
from .stabilise import Moment, stabilise
from .temperatures import Readings, Sidecars, measured, painted
from .writer import PictureWriter, Writer

AHEAD = 4
"""Frames that are decoded and not yet fused, and that are fused and not yet coded, at most."""

Show = Callable[[int, int | None], object]
"""Told after each frame: how many are done, and of how many, where that is known."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Taken:
    """A moment of both streams."""

    both: Both
    shown: Shown


@dataclass(frozen=True, eq=False, kw_only=True)
class _Fused:
    """Its pictures, one for each method, ready to be coded."""

    time: Fraction
    since: Fraction
    pictures: tuple[Samples, ...]
    event: str
    ranged: bool
    """Whether its gray has a range that follows."""
    thermal: Thermal | None


class Run:
    """One video on its way through all stages. `made`: what each file says of what made it."""

    def __init__(
        self, ready: Prepared, fusers: Mapping[str, Fuser], paths: Mapping[str, Path], coding: Coding, device: str,
        batch: int, abreast: int, made: Sequence[str],
    ) -> None:  # fmt: skip
        self.ready, self.fusers, self.paths, self.coding = ready, fusers, paths, coding
        self.made = made
        self.device, self.batch, self.abreast, self.lay = device, batch, abreast, ready.lay.to(device)
        self.rate = coding.rate or ready.visible.facts.rate or Fraction(25)
        self.done, self.problem, self.film = 0, "", Film()
        self.trouble: list[str] = []
        self.event, self.events, self.jumps = "", list[tuple[Fraction, str]](), list[Fraction]()
        self.readings = Readings(coding.drawing)
        self.writers: list[Writer | PictureWriter] = []
        self.kept: Sidecars | None = None

    @property
    def total(self) -> int | None:
        """Frames to expect."""
        asked, length = self.ready.asked, self.ready.visible.facts.duration
        if length is None:
            return None
        left = max(length - asked.start, Fraction(0))
        return max(1, round(self.rate * (left if asked.duration is None else min(left, asked.duration))))

    def to_the_end(self, show: Show) -> None:
        """Write all frames; `film` says what became of them, whatever ends this."""
        try:
            with ExitStack() as files:
                self._write_all(files, show)
        finally:
            self._tell()
        if not self.done:
            raise IrvisError(f"no moment was fused: {self.film.problem or 'the streams do not overlap'}.")

    def _write_all(self, files: ExitStack, show: Show) -> None:
        stream = files.enter_context(closing(ahead(self._fused(), AHEAD)))
        while True:
            try:
                one = next(stream)
            except StopIteration:
                return
            except IrvisError as error:  # of the streams: what came before it is a whole video
                if not self.done:
                    raise
                self.problem = str(error)
                return
            if not self.done:
                self.writers = self._new_writers(one)
                for writer in self.writers:
                    files.enter_context(writer)
                self.kept = files.enter_context(self._sidecars(one)) if self.coding.drawing.sidecar else None
            self._write(one)
            self.done += 1
            show(self.done, self.total)

    # ------------------------------------------------------------------------------------- stages

    def _taken(self) -> Iterator[_Taken]:
        """Decoded, paired, and infrared as gray."""
        ready, asked = self.ready, self.ready.asked
        visible = ready.visible.frames(asked.start)
        if asked.duration is not None:
            end = asked.start + asked.duration
            visible = takewhile(lambda frame: frame.time < end, visible)
        infrared = ready.infrared.frames(max((asked.start - ready.offset) / (1 + ready.drift) - 2, Fraction(0)))
        pairs = paired(
            visible, infrared, offset=ready.offset, drift=ready.drift, match=asked.match, rate=self.coding.rate,
            trouble=self.trouble,
        )  # fmt: skip
        last: Both | None = None
        for both, shown in beside(pairs, _frame, lambda frames: steady(frames, ready.following)):
            yield _Taken(both=both, shown=shown)
            last = both
        if last is not None and asked.duration is None and not any("ends first" in line for line in self.trouble):
            self.trouble += _unused(last.visible.time, ready)

    def _fused(self) -> Iterator[_Fused]:
        """Fused, held still, and as numbers of 8 bits."""
        with closing(ahead(self._taken(), AHEAD)) as taken:
            hold = stabilise if self.coding.hold else _as_they_are
            for (one, moment), pictures in beside(self._moments(taken), lambda both: both[1], hold):
                yield self._ready(one, moment, pictures)

    def _moments(self, taken: Iterator[_Taken]) -> Iterator[tuple[_Taken, Moment]]:
        batches = iter(lambda: list(islice(taken, self.batch)), [])
        for several, moments in abreast(batches, lambda several: (several, self._fuse(several)), self.abreast):
            yield from zip(several, moments, strict=True)

    @torch.inference_mode()
    def _fuse(self, several: Sequence[_Taken]) -> list[Moment]:
        lay = self.lay
        visible = lay.seen(torch.cat([image_of(one.both.visible, self.device) for one in several]))
        infrared = torch.cat([torch.from_numpy(one.shown.gray)[None, None] for one in several]).to(self.device)
        infrared = lay.over(infrared)
        colour = visible.expand(-1, 3, -1, -1)
        fused = [fuser(colour, infrared, lay.rim) for fuser in self.fusers.values()]
        return [
            Moment(
                visible=visible[n : n + 1], infrared=infrared[n : n + 1], cut=one.shown.event == "cut",
                fused=tuple(pictures[n : n + 1] for pictures in fused),
            )
            for n, one in enumerate(several)
        ]  # fmt: skip

    @torch.inference_mode()
    def _ready(self, one: _Taken, moment: Moment, pictures: tuple[Tensor, ...]) -> _Fused:
        coding, ready, found = self.coding, self.ready, None
        mono = coding.color == "gray" or (moment.visible.shape[1] == 1 and not coding.drawing.any)
        if coding.drawing.any:
            name = ready.infrared.facts.name
            found = measured(one.shown, name, ready.following.sensing, ready.lay, coding.drawing)
            visible = moment.visible.expand(-1, 3, -1, -1).cpu()
            pictures = tuple(
                painted(picture.cpu(), visible, moment.infrared.cpu(), found, coding.drawing) for picture in pictures
            )
        return _Fused(
            time=one.both.time,
            since=one.both.visible.time,
            pictures=tuple(_bytes(gray(picture) if mono else picture) for picture in pictures),
            event=one.shown.event,
            ranged=one.shown.scale is not None,
            thermal=found,
        )

    # ------------------------------------------------------------------------------------ writing

    def _new_writers(self, first: _Fused) -> list[Writer | PictureWriter]:
        coding, facts = self.coding, self.ready.visible.facts
        if not coding.is_file:
            return [
                PictureWriter(path, format=coding.format, quality=coding.quality, made=made)
                for path, made in zip(self.paths.values(), self.made, strict=True)
            ]
        return [
            Writer(
                path, rate=self.rate, size=_size(picture), codec=coding.codec, crf=coding.crf,
                pixel_format=coding.pixel_format, aspect=facts.aspect,
                audio_from=facts.name if coding.audio and facts.audio else None, audio_start=first.since,
                about={COMMENT: made},
            )
            for path, picture, made in zip(self.paths.values(), first.pictures, self.made, strict=True)
        ]  # fmt: skip

    def _sidecars(self, first: _Fused) -> Sidecars:
        path = next(iter(self.paths.values()))
        return Sidecars(path, rate=self.rate, size=_size(first.pictures[0]), lay=self.ready.lay)

    def _write(self, one: _Fused) -> None:
        for writer, picture in zip(self.writers, one.pictures, strict=True):
            writer.write(picture, one.time)
        if one.thermal is not None:
            if self.coding.drawing.measures:
                self.readings.add(one.thermal, _size(one.pictures[0]), one.time)
            if self.kept is not None:
                self.kept.write(one.thermal, one.time)
        if one.event == "step" and not one.ranged:
            self.jumps.append(one.time)
        elif one.event and (one.event != self.event or one.event == "step"):
            self.events.append((one.time, one.event if one.ranged or one.event == "frozen" else "scene"))
        self.event = one.event

    def _jumps(self) -> list[str]:
        """A line where the camera's gain moves 8 bits, which have no range that could follow."""
        if not self.jumps or self.ready.following.level:
            return []
        more = f" and {len(self.jumps) - 1} more time(s)" if len(self.jumps) > 1 else ""
        told = f"infrared's gray jumps at {float(self.jumps[0]):.2f} s{more}"
        return [f"{told}: 8 bits are taken as they are; --level-infrared undoes it"]

    def _tell(self) -> None:
        sources = self.ready.visible, self.ready.infrared
        damage, remarks = (
            [f"{one.facts.name}: {line}" for one in sources for line in _few(getattr(one, what))]
            for what in ("trouble", "remarks")
        )
        files = (*self.writers, *([self.kept] if self.kept else []))
        coded = dict.fromkeys(note for file in files for note in file.notes)
        self.film = Film(
            files=tuple(writer.path for writer in self.writers if not writer.part),
            parts=tuple(writer.part for writer in self.writers if writer.part),
            frames=self.done,
            notes=(*self.ready.notes, *remarks, *self.trouble, *self._jumps(), *coded),
            told=self.readings.told,
            events=tuple(self.events),
            problem="; ".join([*damage, *([self.problem] if self.problem else [])]),
        )


def _unused(end: Fraction, ready: Prepared) -> list[str]:
    """A line where infrared goes on for long after visible."""
    length = ready.infrared.facts.duration
    more = Fraction(0) if length is None else length * (1 + ready.drift) + ready.offset - end
    return [f"visible ends first: {float(more):.1f} s of infrared are left out"] if more > HOLE else []


def _few(lines: Sequence[str], most: int = 4) -> list[str]:
    """Each once, and not too many: a stream may have been read several times, or be full of damage."""
    each = list(dict.fromkeys(lines))
    return each if len(each) <= most else [*each[:most], f"and {len(each) - most} more like these"]


def _as_they_are(moments: Iterator[Moment]) -> Iterator[tuple[Tensor, ...]]:
    return (moment.fused for moment in moments)


def _frame(both: Both) -> Frame:
    return both.infrared if both.later is None else blended(both.infrared, both.later, both.share)


def _bytes(picture: Tensor) -> Samples:
    """(h, w, 3), or (h, w) of one channel."""
    levels = picture[0].mul(255).add_(0.5).to(torch.uint8)
    pixels: Any = (levels[0] if len(levels) == 1 else levels.permute(1, 2, 0)).contiguous().cpu().numpy()
    return np.ascontiguousarray(pixels)


def _size(picture: Samples) -> tuple[int, int]:
    return picture.shape[0], picture.shape[1]
