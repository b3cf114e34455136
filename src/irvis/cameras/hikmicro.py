"""HIKMICRO JPEG: counts in a block named HDRI behind the picture, low byte first.

How they become degrees C is not published, so there are counts and no temperature.
"""

import struct

from ..errors import IrvisError
from . import pixels
from .radiometric import MAX_COUNTS, Radiometric, checked

WHY = "HIKMICRO files hold counts, and how those become degrees is not published; the counts themselves are there"

_MARK, _HEADER = b"HDRI", 44


def parse(data: bytes, start: int) -> Radiometric | None:
    """Counts of a JPEG whose pixels begin at byte `start`; None if it holds no such block."""
    at = data.find(_MARK, start)
    if at < 0:
        return None
    if at + _HEADER > len(data):
        raise IrvisError("this is a HIKMICRO file whose counts cannot be read: it is cut short.")
    width, height = struct.unpack_from("<2I", data, at + 12)
    if not 0 < width * height <= MAX_COUNTS:
        raise IrvisError(f"this is a HIKMICRO file whose counts cannot be read: they claim {width} x {height} pixels.")
    counts = checked(pixels.raw(data[at + _HEADER :], width, height, "<"))
    return Radiometric(counts, why_no_temperature=WHY, model="HIKMICRO")
