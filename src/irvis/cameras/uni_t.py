"""UNI-T BMP (UTi260B and its kin): behind the coloured picture, one byte per pixel without writing on it.

The camera stretches these bytes for contrast before it writes them, so they are gray and no temperature: between the
coldest and the hottest pixel, which the file states, the scale is not linear.
"""

import struct

import numpy as np

from ..errors import IrvisError
from .radiometric import MAX_COUNTS, Radiometric, Stated, checked

_BMP, _PALETTE, _FACTS = 54, 512, 26  # bytes: headers of the picture, colours of 16 bits, what is stated


def parse(data: bytes) -> Radiometric | None:
    """The bytes behind a BMP as counts; None if nothing of their length follows the picture."""
    if len(data) < _BMP:
        return None
    (end,), (width, height) = struct.unpack_from("<I", data, 2), struct.unpack_from("<2i", data, 18)
    behind, height = len(data) - end, abs(height)
    if behind <= 0 or width <= 0 or not 0 < width * height <= MAX_COUNTS or behind < width * height:
        return None
    if behind < width * height + _PALETTE + _FACTS:
        raise IrvisError(f"this is a UNI-T file whose counts cannot be read: it is cut short, {len(data)} bytes.")
    counts = np.frombuffer(data, np.uint8, width * height, end).reshape(height, width)
    unit, most, least = struct.unpack_from("<B2h", data, end + width * height + _PALETTE)
    low, high = least / 10, most / 10
    return Radiometric(
        checked(counts),
        why_no_temperature="UNI-T files hold brightness that the camera stretched for contrast; they state only "
        f"the coldest and the hottest, {low:g} and {high:g} {'F' if unit else 'C'}",
        model="UNI-T",
        stated=Stated(low, high),
    )
