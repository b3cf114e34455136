"""One picture of a stream, and what a stream is, as plain records."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cameras import Radiometric

Samples = NDArray[Any]
"""(h, w, 3) uint8, RGB; or (h, w), uint8 or uint16, gray or counts."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame:
    """One picture of a stream.

    time: seconds since the stream's file began (for live streams: on the clock of the source).
    samples: upright; whatever matrix and range the file used, RGB and 8-bit gray are full range.
    bits: of the samples that count: 8, or 9 to 16 in uint16. White is 2**bits - 1 where samples are a picture.
    lasts: seconds that it is shown, where the stream says so.
    radiometric: of a thermal camera's own recording, with its constants.
    """

    time: Fraction
    samples: Samples
    bits: int = 8
    lasts: Fraction = Fraction(0)
    radiometric: Radiometric | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.samples.shape[0], self.samples.shape[1]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a stream is, upright: as its first frame is shown."""

    name: str
    width: int
    height: int
    rate: Fraction | None = None
    """Frames a second, on average; None where nobody knows."""
    duration: Fraction | None = None
    """Seconds; None where nobody knows."""
    counts: bool = False
    """Whether samples are 16-bit counts (or 9 to 16 bits of gray) rather than a picture of 8 bits."""
    pixels: str = "rgb24"
    """FFmpeg's name for how they are stored."""
    turned: int = 0
    """Degrees, counter-clockwise, by which stored pictures were turned upright."""
    aspect: Fraction = Fraction(1)
    """Width of a pixel over its height."""
    audio: bool = False
    notes: tuple[str, ...] = ()
    """What the user should know before anything is read."""

    @property
    def frames(self) -> int | None:
        """How many there should be."""
        return None if self.rate is None or self.duration is None else max(1, round(self.rate * self.duration))


@dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """A stream that can be read, several times where it is a file.

    read: frames from a time on, in order of time; what is damaged is left out and told in `trouble`.
    trouble: one line for each thing that went wrong while reading.
    remarks: what may be as it should be, as holes in a stream of variable rate.
    """

    facts: Facts
    read: Callable[[Fraction], Iterator[Frame]]
    trouble: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    close: Callable[[], None] = lambda: None

    def frames(self, start: Fraction = Fraction(0)) -> Iterator[Frame]:
        """Frames whose time is `start` or later."""
        return self.read(start)

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def full_range(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """8-bit luma from 16 (black) to 235 (white) as 0 to 255; beyond, clipped."""
    table: NDArray[np.uint8] = _FULL_RANGE[luma]
    return table


_FULL_RANGE = np.clip(np.round((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8)
