"""A thermal stream as gray that does not pump: the range follows slowly, and jumps with the camera where it jumps.

The state lives in the generator `steady`; nothing else remembers a frame.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..io.normalise import OWN
from ..thermal import Range, Scale, Sensing, scale_of, scaled
from ..thermal.range import Curves, with_curves
from .frame import Frame
from .gain_changes import Line, Thin, line, thin
from .numbers import Numbers, unit_of

SECONDS = 10.0
"""Time constant of the range."""
FROZEN, FEWER = Fraction(3, 25), 3
"""A frame that stays for longer than this many seconds, and this many times the usual, is frozen."""
STILL = 0.1
"""Frames that differ by less than this share of the usual difference are the same: coding leaves traces."""
ALIKE = 0.5
"""Correlation of two frames from which their line is believed, where every one counts."""
SAMPLED = 20_000
"""Pixels from which percentiles are taken, about."""

Event = Literal["", "frozen", "step", "cut"]


@dataclass(frozen=True, kw_only=True)
class Following:
    """How a thermal stream becomes gray.

    range: counts or degrees C stay as they are; percentiles follow the stream. None: 8 bits as they are, counts from
        their 1st to their 99th percentile.
    seconds: time constant; 0: every frame for itself, infinity: as in the first frame.
    level: 8-bit pictures whose camera keeps changing their gray are held level, with the same time constant.
    scale: settled before, for the whole stream.
    """

    range: Range | None = None
    seconds: float = SECONDS
    level: bool = False
    sensing: Sensing = field(default_factory=Sensing)
    scale: Scale | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Shown:
    """A frame of a thermal stream as gray.

    gray: (h, w) in [0, 1], white-hot.
    scale: what is black and white of it; None: 8 bits as they are.
    event: "frozen" while a shutter is closed, "step" where levels jumped, "cut" where another scene begins. Such
        frames tell nothing of flicker.
    """

    frame: Frame
    gray: NDArray[np.float32]
    scale: Scale | None = None
    event: Event = ""


def steady(frames: Iterable[Frame], how: Following) -> Iterator[Shown]:
    """Every frame as gray, in order. A frame that is the very object given before is given back as it was."""
    numbers = Numbers(how.sensing)
    state = _State(how)
    last: Shown | None = None
    for frame in frames:
        if last is not None and frame is last.frame:
            yield replace(last, event="frozen" if last.event == "frozen" else "")
            continue
        last = _one(frame, numbers, state, how)
        yield last


def _one(frame: Frame, numbers: Numbers, state: "_State", how: Following) -> Shown:
    span = how.scale or how.range or (OWN if _needs_range(frame, how) else None)
    values = numbers.of(frame, unit_of(span, how.sensing))
    event = state.look(frame, values)
    if span is None:
        gray = state.levelled(values) if how.level else values.astype(np.float32) / np.float32(255)
        scale = None
    else:
        scale = span if isinstance(span, Scale) else state.follow(values, span, unit_of(span, how.sensing))
        gray = gray_of(values, scale)
    if how.sensing.polarity == "black-hot" and frame.radiometric is None:
        gray = np.where(np.isfinite(values), 1 - gray, 0).astype(np.float32)
    return Shown(frame=frame, gray=gray, scale=scale, event=event)


def _needs_range(frame: Frame, how: Following) -> bool:
    return frame.samples.dtype != np.uint8 or frame.radiometric is not None or how.sensing.unit == "celsius"


def gray_of(values: NDArray[Any], scale: Scale) -> NDArray[np.float32]:
    """`thermal.scaled`, faster where the scale is a straight line."""
    if scale.curve != "linear" or scale.low >= scale.high:
        return scaled(values, scale)
    gray = (values.astype(np.float32) - np.float32(scale.low)) * np.float32(1 / (scale.high - scale.low))
    return np.nan_to_num(gray, copy=False).clip(0, 1, out=gray)


class _State:
    """What `steady` remembers between two frames."""

    def __init__(self, how: Following) -> None:
        self.how = how
        self.before: Thin | None = None
        self.time, self.changed = Fraction(0), Fraction(0)
        self.stir: float | None = None
        self.usual: Fraction | None = None
        self.span: float | None = None
        self.scale: Scale | None = None
        self.move: Line | None = None
        self.event: Event = ""
        self.gain, self.level = 1.0, 0.0
        self.share = 1.0

    def look(self, frame: Frame, values: NDArray[Any]) -> Event:
        """What happened since the frame before."""
        now, step = thin(values), frame.time - self.time
        self.share = 1 - _kept(step, self.how.seconds)
        before, self.time, self.move = self.before, frame.time, None
        if before is None or before.shape != now.shape:
            self.before, self.changed, self.event = now, frame.time, "" if before is None else "cut"
            self.scale = None
            return self.event
        difference = float(np.nanmean(np.abs(now - before)))
        if difference <= STILL * (self.stir or 0.0):
            self.event = "frozen" if frame.time - self.changed > self._patience() else ""
            self.share = 0.0 if self.event else self.share
            return self.event
        self.move, self.before = line(before, now), now
        self.event = self._event(self.move)
        if not self.event:
            self.stir = difference if self.stir is None else 0.8 * self.stir + 0.2 * difference
            since = frame.time - self.changed
            self.usual = since if self.usual is None else min(since, 2 * self.usual)
        self.changed = frame.time
        return self.event

    def follow(self, values: NDArray[Any], span: Range, unit: Literal["counts", "celsius"]) -> Scale:
        """The scale of this frame, a step on from that of the frame before."""
        if span.unit != "percent":
            self.scale = self.scale or scale_of(values[:1, :1], span, unit)
        elif self.scale is None or self.event == "cut":
            self.scale = _own(values, span, unit)
        else:
            if self.event == "step" and self.move is not None:
                self.scale = moved(self.scale, self.move)
            if self.share > 0:
                self.scale = mixed(self.scale, _own(values, span, unit), self.share)
        self.span = self.scale.high - self.scale.low
        return self.scale

    def levelled(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """8 bits with the changes of gain and level undone that came since the first frame, and forgotten slowly."""
        if self.move is not None and (self.move.likeness > ALIKE or self.event == "step"):
            gain = min(max(self.move.gain, 0.25), 4.0)
            self.gain, self.level = self.gain / gain, self.level - self.gain * self.move.level / gain
        elif self.event == "cut":
            self.gain, self.level = 1.0, 0.0
        keep = 1 - self.share
        self.gain, self.level = 1 + (self.gain - 1) * keep, self.level * keep
        gray = (values.astype(np.float32) * np.float32(self.gain) + np.float32(self.level)) / np.float32(255)
        return gray.clip(0, 1, out=gray)

    def _patience(self) -> Fraction:
        return max(FROZEN, FEWER * (self.usual or Fraction(0)))

    def _event(self, move: Line) -> Event:
        if move.is_cut:
            return "cut"
        return "step" if move.is_step(self.span if self.span is not None else 255.0) else ""


def _kept(step: Fraction, seconds: float) -> float:
    """Share of what is remembered that is left after `step` seconds."""
    return math.exp(-float(step) / seconds) if seconds > 0 else 0.0


def _own(values: NDArray[Any], span: Range, unit: Literal["counts", "celsius"]) -> Scale:
    """Of one frame alone, from a regular sample of its pixels."""
    step = max(1, int(np.sqrt(values.size / SAMPLED)))
    scale = scale_of(values[::step, ::step], span, unit)
    return with_curves(scale, [values]) if scale.curve == "contrast-limited" else scale


def mixed(old: Scale, new: Scale, share: float) -> Scale:
    """`share` of the new scale and the rest of the old one, in all their numbers."""
    curves = None
    if old.curves is not None and new.curves is not None:
        curves = Curves((1 - share) * old.curves.values + share * new.curves.values)
    return replace(
        old,
        low=(1 - share) * old.low + share * new.low,
        high=(1 - share) * old.high + share * new.high,
        levels=tuple((1 - share) * a + share * b for a, b in zip(old.levels, new.levels, strict=True)),
        curves=curves,
    )


def moved(scale: Scale, move: Line) -> Scale:
    """The scale under which things look as before, after levels jumped."""

    def to(value: float) -> float:
        return move.gain * value + move.level

    return replace(scale, low=to(scale.low), high=to(scale.high), levels=tuple(to(one) for one in scale.levels))
