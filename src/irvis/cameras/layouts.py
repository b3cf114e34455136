"""Frames of camera modules as they come over USB: telemetry rows, stacked pictures, 14 bits in 16.

Each layout is as its maker or those who own the camera published it; which were tried is in docs/learn/thermal.md.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import IrvisError
from .pixels import raw
from .radiometric import Radiometric, checked

Side = Literal["top", "bottom"]


@dataclass(frozen=True)
class Layout:
    """A frame of `width` x `height` 16-bit words. `extra` rows are no counts: telemetry, or the camera's
    own picture in YUYV if `stacked`. `side` is where they are by default; None means: to be found out."""

    name: str
    width: int
    height: int
    extra: int
    side: Side | None = None
    stacked: bool = False
    kelvin_per_count: float | None = None


LAYOUTS = (
    Layout("Boson 640", 640, 514, 2),
    Layout("Boson 320", 320, 258, 2),
    Layout("Lepton 3", 160, 122, 2),
    Layout("Lepton 2", 80, 63, 3),
    Layout("Topdon TC002C Duo", 512, 484, 100, "bottom", kelvin_per_count=1 / 16),
    Layout("InfiRay/Topdon 256", 256, 384, 192, "top", stacked=True, kelvin_per_count=1 / 64),
)


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame taken apart. `telemetry` holds the extra rows; `picture` the camera's own (h, w), where stacked."""

    layout: Layout
    radiometric: Radiometric
    telemetry: NDArray[np.uint16]
    picture: NDArray[np.uint8] | None


def layout_of(width: int, height: int) -> Layout | None:
    """The known layout of this size."""
    return next((known for known in LAYOUTS if (known.width, known.height) == (width, height)), None)


def split(words: NDArray[Any], side: Side | None = None, kelvin_per_count: float | None = None) -> Frame:
    """A frame (h, w) of 16-bit words, or (h, w, 2) of bytes as video libraries give YUYV, taken apart.

    `side` says where the extra rows are, if they are not where the layout or `telemetry_side` has them.
    `kelvin_per_count` says that the camera writes TLinear counts, which no frame says of itself.
    """
    words = _as_words(words)
    layout = layout_of(words.shape[1], words.shape[0])
    if layout is None:
        known = ", ".join(f"{one.width}x{one.height} ({one.name})" for one in LAYOUTS)
        raise IrvisError(f"no known camera writes frames of {words.shape[1]} x {words.shape[0]}; there are {known}.")
    top = (side or layout.side or telemetry_side(words, layout.extra)) == "top"
    telemetry, counts = (
        (words[: layout.extra], words[layout.extra :]) if top else (words[-layout.extra :], words[: -layout.extra])
    )
    picture = (telemetry & 0xFF).astype(np.uint8) if layout.stacked else None
    radiometric = Radiometric(
        checked(counts),
        kelvin_per_count=kelvin_per_count or layout.kelvin_per_count,
        why_no_temperature="a frame does not say whether its counts are linear in kelvin: type --kelvin-per-count",
        model=layout.name,
    )
    return Frame(layout, radiometric, telemetry, picture)


def from_bytes(
    data: bytes, width: int, height: int, order: str = "<", *, frame: int | None = None
) -> NDArray[np.uint16]:
    """Headless counts, row by row, of one frame or (by `frame`, from 0) of several that fill `data` exactly.

    `order` is < for the low byte first.
    """
    size = 2 * width * height
    if width < 1 or height < 1 or not data or len(data) % size:
        raise IrvisError(f"{len(data)} bytes are no {width} x {height} 16-bit counts: those take {size}.")
    count = len(data) // size
    if count > 1 and frame is None:
        raise IrvisError(
            f"it holds {count} frames of {width} x {height}: choose one by --frame (0 to {count - 1}), or fuse them as "
            "a video."
        )
    if frame and count == 1:
        raise IrvisError(f"it holds one frame of {width} x {height}: leave --frame out.")
    if (frame or 0) >= count:
        raise IrvisError(f"it holds {count} frames of {width} x {height}, counted from 0: there is no {frame}.")
    return raw(data[(frame or 0) * size :], width, height, order)


def telemetry_side(words: NDArray[np.uint16], extra: int) -> Side:
    """Where the telemetry is: its words, mostly zeros, fit worse to the next row than counts to counts."""
    values = words.astype(np.int32)
    step = {"top": values[extra] - values[extra - 1], "bottom": values[-extra - 1] - values[-extra]}
    jumps = {side: float(np.median(np.abs(difference))) for side, difference in step.items()}
    return "top" if jumps["top"] > jumps["bottom"] else "bottom"


def right_aligned(counts: NDArray[Any], bits: int = 14) -> NDArray[np.uint16]:
    """Counts of fewer than 16 bits, in [0, 2^bits), whether they fill the low or the high bits of their words.

    They fill the high bits if the low ones are zero in every pixel. Otherwise they stay as they are, and
    counts of 2^bits or more are an IrvisError.
    """
    words, unused = checked(counts), 16 - bits
    if not (words & ((1 << unused) - 1)).any():
        return (words >> unused).astype(np.uint16)
    if int(words.max()) >= 1 << bits:
        raise IrvisError(
            f"counts up to {int(words.max())} whose low {unused} bits are in use are no {bits}-bit counts."
        )
    return words


def _as_words(words: NDArray[Any]) -> NDArray[np.uint16]:
    if words.ndim == 3 and words.shape[2] == 2 and words.dtype == np.uint8:
        return words[..., 0] | words[..., 1].astype(np.uint16) << 8
    if words.ndim != 2 or words.dtype != np.uint16:
        raise IrvisError(f"a camera frame must be (h, w) uint16 or (h, w, 2) uint8, not {words.shape} {words.dtype}.")
    return words
