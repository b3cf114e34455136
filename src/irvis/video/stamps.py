"""Time stamps of decoded pictures, and what is wrong with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from .library import av

LEAP = Fraction(2)
"""Seconds by which a stamp must leap ahead to be doubted: it is damaged if the next picture comes before it."""
_SHORT = 3
"""Steps that may lie between two frames, or the last one and the end that the file claims."""


def rising(
    pictures: Iterable[av.VideoFrame], rate: Fraction | None, zero: Fraction, trouble: list[str]
) -> Iterator[tuple[av.VideoFrame, Fraction]]:
    """Pictures with their times, seconds after `zero`. Those whose time does not rise are left out, and told."""
    last: Fraction | None = None
    doubted: tuple[av.VideoFrame, Fraction] | None = None
    back, since = 0, Fraction(0)
    for picture in pictures:
        time = _time(picture, rate, last, zero)
        if doubted is not None and time > doubted[1]:
            yield doubted
            last = doubted[1]
        elif doubted is not None or (last is not None and time < last):
            back, since = back + 1, since if back else last or since
        doubted = None
        if last is not None and time <= last:
            continue
        if last is not None and time > last + LEAP:
            doubted = picture, time
            continue
        yield picture, time
        last = time
    if doubted is not None:
        yield doubted
    if back:
        trouble.append(f"time stamps go back: {back} frame(s) left out, the first after {float(since):.2f} s")


def _time(picture: av.VideoFrame, rate: Fraction | None, last: Fraction | None, zero: Fraction) -> Fraction:
    """Seconds; one step after the last frame where the picture has no time stamp."""
    stamp = picture.pts if picture.pts is not None else picture.dts
    if stamp is not None:
        return _exact(stamp, picture.time_base or Fraction(1, av.time_base), rate, zero)
    return Fraction(0) if last is None else last + 1 / (rate or Fraction(25))


def _exact(stamp: int, unit: Fraction, rate: Fraction | None, zero: Fraction) -> Fraction:
    """Seconds of a time stamp; where a container rounds (Matroska to 1 ms), the multiple of 1 / rate it stands for."""
    time = stamp * unit - zero
    near = round(time * rate) / rate if rate else time
    rounded = unit if zero else unit / 2  # zero is rounded, too
    return near if abs(near - time) <= rounded else time


@dataclass(frozen=True)
class Told:
    """Lines about a source, see `Source`."""

    trouble: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class Steps:
    """The time stamps of a pass over a file, and what is wrong with them."""

    def __init__(self, rate: Fraction | None) -> None:
        self.rate, self.last = rate, Fraction(-1)
        self.lasts = self.hole = Fraction(0)
        self.steps = self.missing = self.longest = 0

    def add(self, time: Fraction, lasts: Fraction) -> None:
        """A frame, and how long it is said to be shown."""
        count = round((time - self.last) * self.rate) if self.rate and self.last >= 0 else 1
        if count > 1:
            self.missing, self.hole = self.missing + count - 1, self.hole if self.missing else self.last
        self.longest = max(self.longest, count)
        self.steps, self.last, self.lasts = self.steps + 1, time, lasts

    def tell(self, told: Told, duration: Fraction | None) -> None:
        """Frames are missed only in a stream that is regular but for a few holes; short ones may be meant."""
        if self.missing > 0 and 10 * self.missing <= 3 * self.steps:
            line = f"{self.missing} frames are missing, the first after {float(self.hole):.2f} s"
            if self.longest > _SHORT:
                told.trouble.append(line)
            else:
                told.remarks.append(f"{line}, or its rate varies")
        if duration is None or not self.rate:
            return
        if self.last + max(_SHORT / self.rate, self.lasts + 1 / self.rate) < duration:
            told.trouble.append(f"it is cut short: it ends at {float(self.last):.2f} s of {float(duration):.2f} s")
