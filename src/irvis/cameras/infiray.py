"""InfiRay: JPEG files of the P2 Pro and its kin (Thermal Master), and IRG files (C200, P200, Autel EVO II 640T).

Both hold counts that are linear in kelvin.
"""

import struct

from ..errors import IrvisError
from . import pixels
from .jpeg import APP2, APP3, Segment
from .radiometric import MAX_COUNTS, Radiometric, checked

_JPEG_MARK = slice(4, 9), b"IJPEG"
_JPEG_FACTS = 46  # bytes of the header that are read

_IRG = {b"\xca\xac": "InfiRay IRG (C200)", b"\xba\xab": "InfiRay IRG", b"\x04\xa0": "InfiRay IRG (P200)"}
_IRG_HEADER, _IRG_LONGEST = 38, 1024  # bytes of the header that are read, and at most


def parse_segments(parts: list[Segment]) -> Radiometric | None:
    """Counts of a JPEG with an IJPEG header: the second frame in its APP3 segments, kelvin x 64."""
    where, mark = _JPEG_MARK
    header = next((part.payload for part in parts if part.marker == APP2 and part.payload[where] == mark), b"")
    if not header:
        return None
    if len(header) < _JPEG_FACTS:
        raise IrvisError("this is an InfiRay file whose counts cannot be read: it is cut short.")
    frames, width, height = struct.unpack_from("<3H", header, 40)
    if frames < 2 or not 0 < width * height <= MAX_COUNTS:
        raise IrvisError(
            f"this is an InfiRay file whose counts cannot be read: it claims {frames} frames of {width} x {height}."
        )
    data = b"".join(part.payload for part in parts if part.marker == APP3)
    counts = checked(pixels.raw(data[2 * width * height :], width, height, "<"))
    return Radiometric(counts, kelvin_per_count=1 / 64, model="InfiRay P2 Pro")


def is_irg(head: bytes) -> bool:
    """Of the first four bytes of a file: the mark of an IRG file, and a header of a plausible length."""
    return head[:2] in _IRG and _IRG_HEADER <= int.from_bytes(head[2:4], "little") <= _IRG_LONGEST


def parse_irg(data: bytes) -> Radiometric:
    """An IRG file: header, a byte per pixel that is shown, counts of a 16th or a tenth of a kelvin, and a photo."""
    start = int.from_bytes(data[2:4], "little")
    if len(data) < start:
        raise IrvisError("this is an InfiRay IRG file whose counts cannot be read: it is cut short.")
    shown, height, width, flag = struct.unpack_from("<I3H", data, 4)
    if not 0 < width * height <= MAX_COUNTS or shown != width * height:
        raise IrvisError(
            f"this is an InfiRay IRG file whose counts cannot be read: it claims {width} x {height} pixels in {shown}."
        )
    start += shown
    counts = checked(pixels.raw(data[start:], width, height, "<"))
    sixteenths = data[:2] == b"\xca\xac" and flag != 1
    photo = data[start + 2 * shown :] if data[start + 2 * shown :].startswith(b"\xff\xd8") else b""
    return Radiometric(
        counts, kelvin_per_count=1 / 16 if sixteenths else 0.1, model=_IRG[data[:2]], photo_file=photo
    )
