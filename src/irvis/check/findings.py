"""The kinds of finding, and the records that a check is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..data.matching import Match
from ..thermal import Range, Sensing

Array = NDArray[Any]
Level = Literal["serious", "warning"]


@dataclass(frozen=True)
class Kind:
    """One kind of finding. Serious: `irvis fuse` refuses such a pair when it gets the same words."""

    level: Level
    title: str
    advice: str
    """What to do, in one line."""


KINDS: Mapping[str, Kind] = {
    "unreadable": Kind(
        "serious", "file cannot be read", "-v tells why; copy it again from its source, or take the pair out"
    ),
    "size": Kind("serious", "sizes differ", "align the pair; if both show the same view, type --resize-infrared"),
    "pseudo-colour": Kind(
        "serious", "coloured infrared", "use the camera's gray or radiometric output, or type --infrared-color gray"
    ),
    "range": Kind("serious", "infrared needs a range", "type --infrared-range 1%,99%"),
    "range-beside": Kind("serious", "range beside all numbers", "choose a range that holds some of them, or 1%,99%"),
    "visible-range": Kind("serious", "visible outside [0, 1]", "save the visible file with 8 or 16 bits"),
    "unmatched": Kind("warning", "no partner", 'rename, or say how stems differ: --match "{id}_W" "{id}_T"'),
    "swapped": Kind("warning", "swapped sides", "give the other file or folder first"),
    "same-picture": Kind("warning", "one picture on both sides", "replace the copy by the picture that belongs there"),
    "duplicate": Kind("warning", "duplicate files", "take one pair out, unless its other file differs for a reason"),
    "aspect": Kind("warning", "proportions differ", "crop both to the same view: resizing would distort the infrared"),
    "turned": Kind("warning", "turned on one side", "if one side lies down, take the orientation out of its EXIF data"),
    "polarity": Kind(
        "warning", "wrong polarity", "say what the files are: --polarity black-hot inverts them, white-hot does not"
    ),
    "polarity-differs": Kind(
        "warning",
        "polarity unlike the rest",
        "look at the pair; where it is so, invert infrared, or type --polarity auto",
    ),
    "polarity-switches": Kind("warning", "polarity switches", "invert the frames in between; fix it on the camera"),
    "dark": Kind("warning", "few of 16 bits in use", "multiply the samples to use 16 bits, or save 8 bits"),
    "levels": Kind("warning", "few levels in use", "type --infrared-range 1%,99%, or take the camera's 16-bit files"),
    "saturated": Kind("warning", "saturated", "choose a wider range or exposure: what is cut off cannot come back"),
    "empty": Kind("warning", "empty frame", "take the pair out: there is nothing to fuse"),
    "missing": Kind("warning", "pixels without a number", "fill them in where it matters: visible shows there"),
    "dead-lines": Kind("warning", "dead rows or columns", "correct them on the camera, or fill them from beside"),
    "dead-pixels": Kind("warning", "dead pixels", "correct them on the camera, or fill them from beside"),
    "mixed": Kind("warning", "mixed depths", "fuse one kind at a time, or save all files alike"),
    "misaligned": Kind("warning", "looks shifted", "type --align"),
}


@dataclass(frozen=True)
class Finding:
    """`pair` is empty for what is true of the whole folder."""

    kind: str
    pair: str
    text: str

    @property
    def serious(self) -> bool:
        """Whether `irvis fuse` refuses the pair."""
        return KINDS[self.kind].level == "serious"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The words of `irvis fuse` that change what is a finding."""

    range: Range | None = None
    color: Literal["refuse", "gray"] = "refuse"
    resize: bool = False
    sensing: Sensing = field(default_factory=Sensing)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pixels:
    """What is kept of a decoded file. Levels are samples as stored, shares lie in [0, 1]."""

    width: int
    height: int
    channels: int
    samples: str
    """uint8, uint16 or float32."""
    turned: int
    """EXIF orientation, 1 (upright) to 8."""
    coloured: bool
    own_colours: float
    """Share of the chroma's variance that brightness does not explain: see `colours`."""
    low: float
    high: float
    """1st and 99th percentile."""
    constant: bool
    levels: int
    """Different values, of an evenly spaced sample of pixels."""
    contrast: float | None
    """From the 0.5th to the 99.5th percentile after the range, 1 = black to white; None without a range."""
    black: float
    white: float
    """Share of pixels at (or beyond) either end of the range."""
    missing: float
    """Share of samples that are not finite."""
    outside: bool
    """Float samples below 0, above 1, or not finite."""
    bits: int | None
    """How many of 16 bits are in use, where these are few: see `io.samples.shallow`."""
    coarse: NDArray[np.float32]
    """16×16 means, less their mean, of length 1 (0 for a constant image)."""
    hot: float | None = None
    """Infrared only: evidence for white-hot: see `polarity`; of a thermal camera's own counts `polarity.SURE`."""
    lines: tuple[int, int] = (0, 0)
    """Infrared only: dead rows and columns."""
    spikes: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    """Infrared only: places (row × width + column) that differ from all neighbours: see `defects`."""

    @property
    def size(self) -> str:
        """WIDTHxHEIGHT."""
        return f"{self.width}x{self.height}"

    @property
    def deep(self) -> bool:
        """More than 8 bits."""
        return self.samples != "uint8"


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One file of a pair."""

    path: Path
    problem: str = ""
    pixels: Pixels | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """One pair, looked at."""

    match: Match
    visible: Side
    infrared: Side
    likeness: float = 0.0
    """Correlation of both files' brightness, from -1 to 1; 0 where sizes differ."""
    shift: tuple[float, float] | None = None
    """By how many pixels (right, down) infrared has to move; None where it fits or that cannot be told."""

    @property
    def both(self) -> tuple[Pixels, Pixels] | None:
        """Both sides where both were read."""
        if self.visible.pixels is None or self.infrared.pixels is None:
            return None
        return self.visible.pixels, self.infrared.pixels
