"""What is found in one pair, by what is known of its two files."""

import math
from collections.abc import Iterator

from ..data.matching import told_by_folder
from ..thermal import Range
from .colours import PHOTOGRAPH
from .findings import Asked, Finding, Look, Pixels

SAME = 0.98
"""Correlation of two files that show the same picture. Measured on real pairs: at most 0.72."""
ASPECT = 0.02
"""Proportions that differ by more of each other would distort a resized image visibly."""
CONTRAST = 32 / 255
"""Infrared that spans less, of black to white, uses few levels. Measured on real pairs: at least 0.19."""
LEVELS = {"uint8": 16, "uint16": 64}
"""Infrared with fewer different values has few levels."""
BLACK, WHITE = 1 / 3, 1 / 5
"""Share of pixels at black and at white (in black-hot files at white and at black) from which a file is saturated."""
EMPTY = {"uint8": 4, "uint16": 8}
"""A file whose middle 98 % spans less is nearly empty."""


def findings(look: Look, asked: Asked) -> Iterator[Finding]:
    """Everything there is to say of one pair."""
    name = look.match.name
    problems = dict.fromkeys((look.visible.problem, look.infrared.problem))
    yield from (Finding("unreadable", name, problem) for problem in problems if problem)
    if (both := look.both) is None:
        return
    visible, infrared = both
    for found in (_geometry(look, visible, infrared, asked), _colours(look, visible, infrared, asked)):
        yield from (Finding(kind, name, text) for kind, text in found)
    cut = (WHITE, BLACK) if asked.sensing.polarity == "black-hot" else (BLACK, WHITE)
    for word, pixels, limits in (("visible", visible, (BLACK, WHITE)), ("infrared", infrared, cut)):
        yield from (Finding(kind, name, f"{word} {text}") for kind, text in _levels(pixels, *limits))
    yield from (Finding(kind, name, text) for kind, text in _samples(visible, infrared, asked))


Told = Iterator[tuple[str, str]]
"""(kind, text)."""


def _geometry(look: Look, visible: Pixels, infrared: Pixels, asked: Asked) -> Told:
    if visible.size != infrared.size and look.match.visible != look.match.infrared:
        sizes = f"visible {visible.size}, infrared {infrared.size}"
        if not asked.resize:
            yield "size", sizes
        if abs(math.log(visible.width * infrared.height / (visible.height * infrared.width))) > ASPECT:
            yield "aspect", sizes
    if visible.turned != infrared.turned:
        yield "turned", f"EXIF orientation: visible {visible.turned}, infrared {infrared.turned} (1 is upright)"
    if look.shift is not None:
        right, down = look.shift
        yield "misaligned", f"infrared should move by about ({right:+.0f}, {down:+.0f}) px"


def _colours(look: Look, visible: Pixels, infrared: Pixels, asked: Asked) -> Told:
    photograph = infrared.coloured and infrared.own_colours > PHOTOGRAPH
    if infrared.coloured and asked.color == "refuse":
        yield "pseudo-colour", "infrared has the colours of a photograph" if photograph else "infrared has colours"
    names = told_by_folder(look.match.visible), told_by_folder(look.match.infrared)
    if photograph and not visible.coloured:
        yield "swapped", "infrared has the colours of a photograph, visible is gray"
    elif names == ("infrared", "visible"):
        yield "swapped", f"the visible file lies in {look.match.visible.parent}"
    if look.likeness > SAME:
        yield "same-picture", f"both files correlate to {look.likeness:.3f}"


def _levels(pixels: Pixels, black: float, white: float) -> Told:
    """What is said of either side."""
    spread = pixels.high - pixels.low
    if pixels.constant:
        yield "empty", "is constant" if pixels.missing < 1 else "holds no number at all"
        return
    if spread < EMPTY.get(pixels.samples, 0) or (pixels.samples == "float32" and not spread > 0):
        yield "empty", f"is nearly constant: 98% of its pixels lie between {pixels.low:g} and {pixels.high:g}"
        return
    if pixels.black > black:
        yield "saturated", f"is black in {pixels.black:.0%} of its pixels"
    if pixels.white > white:
        yield "saturated", f"is white in {pixels.white:.0%} of its pixels"


def _beside(infrared: Pixels, span: Range) -> bool:
    """Whether all pixels lie on one side of a range."""
    return max(infrared.black, infrared.white) == 1 and (infrared.high < span.low or infrared.low > span.high)


def _samples(visible: Pixels, infrared: Pixels, asked: Asked) -> Told:
    counts = f"1% to 99% of its pixels: {infrared.low:g} to {infrared.high:g}"
    if visible.outside:
        yield "visible-range", "visible holds float samples that are not between 0 and 1"
    if visible.bits is not None:
        yield "dark", f"visible uses {visible.bits} of 16 bits: it is shown nearly black"
    if (span := asked.range) is not None and span.unit != "percent" and _beside(infrared, span):
        yield "range-beside", f"infrared has no pixel from {span.low:g} to {span.high:g} ({counts})"
    if infrared.contrast is None:
        yield "range", f"infrared holds {infrared.samples} ({counts})"
    if infrared.missing:
        yield "missing", f"infrared is not finite in {infrared.missing:.2%} of its pixels"
    if not infrared.constant:
        if infrared.contrast is not None and infrared.contrast < CONTRAST:
            yield "levels", f"infrared spans {255 * infrared.contrast:.0f} of 255 levels ({counts})"
        elif infrared.levels < LEVELS.get(infrared.samples, 0):
            yield "levels", f"infrared has {infrared.levels} different values in {infrared.samples}"
    rows, columns = infrared.lines
    if rows or columns:
        yield "dead-lines", f"infrared has {rows} rows and {columns} columns of one value"
