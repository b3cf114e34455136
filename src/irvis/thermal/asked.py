"""What is asked of thermal files, as plain records: how they are read, and what is drawn of their temperatures."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from ..cameras.planck import refuse_impossible_conditions
from ..errors import IrvisError
from .range import Range, Scale

Polarity = Literal["white-hot", "black-hot", "auto"]
Unit = Literal["counts", "celsius", "picture"]
Crop = tuple[int, int, int, int]
"""Left, top, width, height, in pixels of the infrared file."""
Raw = tuple[int, int, str]
"""Width and height in pixels, and the order of the two bytes of a count, < or >."""


@dataclass(frozen=True, kw_only=True)
class Sensing:
    """How an infrared file becomes numbers, and which of them are hot."""

    unit: Unit | None = None
    """What the range is applied to: the file's counts, degrees C, or, of a radiometric file, the camera's picture.
    None: degrees if the range is in degrees, else counts."""
    frame: int | None = None
    """Of a file that holds several pictures (SEQ, CSQ, raw counts, TIFF pages, animations), from 0."""
    raw: Raw | None = None
    """Of files without a header: width, height, and the order of bytes (< low byte first, > high byte first)."""
    decoder: str | None = None
    """ "file.py:function" of the user's, which gives degrees C (h, w) for the path of an infrared file."""
    crop: Crop | None = None
    """The part that is the image; None: all, without the telemetry rows of known cameras."""
    nodata: float | Literal["none"] | None = None
    """The number of pixels that hold no data; "none": every number was measured. None: what the file says, or usual
    values that stand apart (`io.nodata`)."""
    kelvin_per_count: float | None = None
    """Of counts that are linear in kelvin, where the file does not say."""
    conditions: tuple[tuple[str, float], ...] = ()
    """(name, value) of `cameras.CONDITIONS` that replace those in the file."""
    polarity: Polarity = "white-hot"
    """Of the file: black-hot is inverted, auto is estimated."""
    scale: Scale | None = None
    """Fixed for a whole sequence; a range is then not needed."""
    keep: bool = False
    """Whether the pair keeps what was measured (`Pair.thermal`)."""

    def __post_init__(self) -> None:
        refuse_impossible_conditions(dict(self.conditions))
        step = self.kelvin_per_count
        if step is not None and not 0 < step < math.inf:
            raise IrvisError(f"{step:g} kelvin per count is impossible: type 0.01 (K x 100) or 0.1 (K x 10).")

    @property
    def about_degrees(self) -> tuple[str, ...]:
        """Names of what is said of temperatures alone."""
        step = ("kelvin_per_count",) * (self.kelvin_per_count is not None)
        return (*(name for name, _ in self.conditions), *step)

    def without(self, condition: str) -> "Sensing":
        """The same, but this condition as in the file."""
        return replace(self, conditions=tuple(one for one in self.conditions if one[0] != condition))

    def wants_degrees(self, range: Range | None) -> bool:
        """Whether anything of the file is taken in degrees C."""
        return self.keep or self.unit == "celsius" or (range is not None and range.unit == "celsius")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What is made of the temperatures beside the fused picture, and in it."""

    sidecar: bool = False
    """Two float TIFFs beside the fused file."""
    spots: tuple[tuple[int, int], ...] = ()
    """(x, y) in pixels of the fused picture."""
    hottest: int = 0
    palette: str | None = None
    msx: bool = False
    """Palette and visible edges in place of the fused picture."""

    @property
    def any(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.sidecar or self.coloured or self.measures)

    @property
    def coloured(self) -> bool:
        """Whether the picture gets a palette's colours."""
        return self.msx or self.palette is not None

    @property
    def measures(self) -> bool:
        """Whether temperatures are read off."""
        return bool(self.spots) or self.hottest > 0


def parse_crop(text: str) -> Crop:
    """`left,top,width,height`, whole pixels."""
    numbers = _whole_numbers(text, 4)
    if numbers is None or min(numbers) < 0 or 0 in numbers[2:]:
        raise IrvisError(
            f'{text!r} is no part of a picture: type left,top,width,height in pixels, as in "0,2,160,120".'
        )
    left, top, width, height = numbers
    return left, top, width, height


def parse_raw(text: str) -> Raw:
    """`WIDTHxHEIGHT`, low byte first, or `WIDTHxHEIGHT:big`."""
    size, _, order = text.lower().replace("×", "x").partition(":")
    numbers = _whole_numbers(size.replace("x", ","), 2)
    if numbers is None or min(numbers) < 1 or order not in ("", "little", "big"):
        raise IrvisError(f"{text!r} is no size of raw counts: type 640x512, or 640x512:big for the high byte first.")
    return numbers[0], numbers[1], ">" if order == "big" else "<"


def parse_nodata(text: str) -> float | Literal["none"]:
    """A number, or `none`."""
    if text == "none":
        return "none"
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise IrvisError(f'{text!r} is no nodata value: type a number, as in --nodata -9999, or "none".')
    return number


def parse_spot(text: str) -> tuple[int, int]:
    """`x,y`, whole pixels of the fused picture."""
    numbers = _whole_numbers(text, 2)
    if numbers is None or min(numbers) < 0:
        raise IrvisError(f'{text!r} is no spot: type x,y in pixels of the fused picture, as in "320,240".')
    return numbers[0], numbers[1]


def _whole_numbers(text: str, count: int) -> list[int] | None:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        return None
    return numbers if len(numbers) == count else None
