"""Two streams as pairs, by their time stamps: whatever their rates, whenever they begin and end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from .frame import Frame

Match = Literal["nearest", "interpolated"]
HOLE = Fraction(1)
"""Seconds between two infrared frames that are told of, unless it is no more than 3 times the usual."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Both:
    """What both cameras saw at one moment.

    time: of the visible frame (or of the output), seconds since the first pair.
    infrared: the nearest frame, or the last one before;
    later, share: where frames are interpolated, the next one, and how much of it is seen, in [0, 1].
    fresh: whether `infrared` was not in the pair before.
    """

    time: Fraction
    visible: Frame
    infrared: Frame
    later: Frame | None = None
    share: float = 0.0
    fresh: bool = True


def paired(
    visible: Iterable[Frame],
    infrared: Iterable[Frame],
    *,
    offset: Fraction = Fraction(0),
    drift: Fraction = Fraction(0),
    match: Match = "nearest",
    rate: Fraction | None = None,
    trouble: list[str] | None = None,
) -> Iterator[Both]:
    """Every visible frame with the infrared of its time, for as long as both streams run.

    Parameters
    ----------
    offset, drift: infrared's time t is visible's t (1 + drift) + offset, in seconds.
    match: "nearest", or "interpolated" between the frame before and the one after.
    rate: frames a second; None: at the times of the visible frames.
    trouble: gets a line for frames that are without a partner, and for holes.

    A frame counts for as long as its stream's usual step before the first and after the last one. Both iterables are
    read in step; of infrared two frames are held.
    """
    told, left_out, first = [] if trouble is None else trouble, 0, None
    near = _Near((replace(frame, time=frame.time * (1 + drift) + offset) for frame in infrared), told)
    for frame in visible if rate is None else at_rate(visible, rate):
        near.wind(frame.time)
        if not near.covers(frame.time):
            if near.over:
                told.append(f"infrared ends first: visible is left out from {float(frame.time):.2f} s on")
                break
            left_out += 1
            continue
        first = frame.time if first is None else first
        yield near.pair(frame, frame.time - first, match)
    if left_out:
        told.append(f"{left_out} visible frames before infrared begins are left out")


def at_rate(frames: Iterable[Frame], rate: Fraction) -> Iterator[Frame]:
    """The frame nearest to each multiple of 1 / rate after the first one's time; frames repeat or are left out."""
    before: Frame | None = None
    number, begun = 0, Fraction(0)
    for frame in frames:
        if before is None:
            before, begun = frame, frame.time
            continue
        while begun + number / rate < (before.time + frame.time) / 2:
            yield replace(before, time=begun + number / rate)
            number += 1
        before = frame
    if before is not None and begun + number / rate <= before.time + 1 / (2 * rate):
        yield replace(before, time=begun + number / rate)


class _Near:
    """The two infrared frames around a moment that moves on."""

    def __init__(self, frames: Iterator[Frame], trouble: list[str]) -> None:
        self.frames, self.trouble = frames, trouble
        self.before: Frame | None = next(self.frames, None)
        self.after: Frame | None = next(self.frames, None)
        self.step = Fraction(1, 2) if self.before is None or self.after is None else self.after.time - self.before.time
        self.given: Frame | None = None

    @property
    def over(self) -> bool:
        return self.after is None

    def wind(self, time: Fraction) -> None:
        """Until `time` lies between both frames, or before or after all."""
        while self.after is not None and self.after.time <= time:
            self.before, self.after = self.after, next(self.frames, None)
            if self.after is not None:
                self._look_at(self.after.time - self.before.time, self.before.time)

    def covers(self, time: Fraction) -> bool:
        if self.before is None:
            return False
        if time < self.before.time:
            return self.before.time - time <= self.step / 2
        return self.after is not None or time - self.before.time < self.step

    def pair(self, visible: Frame, time: Fraction, match: Match) -> Both:
        before, after = self.before, self.after
        assert before is not None
        part = 0.0 if after is None else float((visible.time - before.time) / (after.time - before.time))
        part = min(max(part, 0.0), 1.0)
        if match == "interpolated" and after is not None and 0 < part < 1 and after.size == before.size:
            return Both(time=time, visible=visible, infrared=before, later=after, share=part, fresh=True)
        chosen = after if after is not None and part > 0.5 else before
        fresh, self.given = chosen is not self.given, chosen
        return Both(time=time, visible=visible, infrared=chosen, fresh=fresh)

    def _look_at(self, step: Fraction, since: Fraction) -> None:
        """Holes are told, and do not count for the usual step."""
        if step > max(HOLE, 3 * self.step):
            self.trouble.append(
                f"infrared pauses for {float(step):.1f} s from {float(since):.2f} s on: the nearest frame is shown"
            )
        else:
            self.step = step


def blended(before: Frame, later: Frame, share: float) -> Frame:
    """Both frames, mixed."""
    mixed = before.samples.astype(np.float32) * np.float32(1 - share) + later.samples * np.float32(share)
    if before.samples.dtype.kind != "f":
        mixed = np.round(mixed)
    return replace(before, samples=mixed.astype(before.samples.dtype))
