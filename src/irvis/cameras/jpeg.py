"""The segments of a JPEG file, and the few facts that its EXIF and XMP blocks say of a thermal camera.

A damaged EXIF or XMP block says nothing.
"""

import re
import struct
from dataclasses import dataclass

from .radiometric import Stated

APP1, APP2, APP3 = 0xE1, 0xE2, 0xE3

_ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length
_END = (0xD9, 0xDA)  # end of image, start of scan
_SIZE = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
_EXIF_DIRECTORY, _MAKER_NOTE, _MODEL, _ZOOM = 0x8769, 0x927C, 0x0110, 0xA404
_MOST_ZOOM = 8  # times; FLIR's cameras go up to it
_RATIONAL = (5, 10)  # unsigned, signed: FLIR writes both as signed numbers


@dataclass(frozen=True)
class Segment:
    marker: int
    payload: bytes


def segments(data: bytes) -> list[Segment]:
    """All segments before the pixels, in order. In a file cut short the last one is shorter than it says."""
    found, position = [], 2
    while position + 2 <= len(data) and data[position] == 0xFF and data[position + 1] not in _END:
        marker = data[position + 1]
        position += 1 if marker == 0xFF else 2  # a fill byte
        if marker == 0xFF or marker in _ALONE:
            continue
        if position + 2 > len(data):
            break
        length = int.from_bytes(data[position : position + 2], "big")
        if length < 2:
            break
        found.append(Segment(marker, data[position + 2 : position + length]))
        position += length
    return found


def picture_size(parts: list[Segment]) -> tuple[int, int] | None:
    """(width, height) of the JPEG's own picture."""
    for part in parts:
        if part.marker in _SIZE and len(part.payload) >= 5:
            height, width = struct.unpack(">HH", part.payload[1:5])
            return width, height
    return None


def model(parts: list[Segment]) -> str:
    """The camera's name, from XMP or else EXIF; empty if neither says it."""
    if found := re.search(rb'tiff:Model="([ !#-~]{1,32})"', _xmp(parts)):
        return found[1].decode("ascii").strip()
    tiff = _tiff(parts)
    try:
        order, first = _start(tiff)
        start = _directory(tiff, first, order)[_MODEL][1]
    except (struct.error, KeyError):
        return ""
    text = tiff[start : start + 32].split(b"\0")[0].decode("ascii", "replace")
    return text.strip() if text.isascii() and text.isprintable() else ""


def is_dji(parts: list[Segment]) -> bool:
    return b"DJI" in _tiff(parts) or b"drone-dji" in _xmp(parts)


def stated(parts: list[Segment]) -> Stated:
    """What the camera says of its temperatures in FLIR's maker note and XMP."""
    found = re.search(rb'FLIR:CentralTemperature="(-?[0-9.]{1,12})"', _xmp(parts))
    try:
        centre = float(found[1]) if found else None
        maximum, minimum = _maker_note_extremes(_tiff(parts))
    except (struct.error, ValueError):
        return Stated()
    return Stated(minimum, maximum, centre)


def zoom(parts: list[Segment]) -> float:
    """How many times the view was zoomed when the picture was taken, 1 to 8; 1 where the file says nothing or nonsense.

    The sensor's counts are whole all the same. An AX8 writes 0.2 and means nothing by it.
    """
    tiff = _tiff(parts)
    try:
        order, first = _start(tiff)
        exif = _directory(tiff, first, order)[_EXIF_DIRECTORY]
        found = _rational(tiff, _directory(tiff, exif[1], order)[_ZOOM], order)
    except (struct.error, KeyError):
        return 1.0
    return found if found is not None and 1 <= found <= _MOST_ZOOM else 1.0


def _xmp(parts: list[Segment]) -> bytes:
    return _after(parts, b"http://ns.adobe.com/xap/1.0/\0")


def _tiff(parts: list[Segment]) -> bytes:
    """The EXIF block: a TIFF file of its own, whose offsets count from its start."""
    return _after(parts, b"Exif\0\0")


def _after(parts: list[Segment], name: bytes) -> bytes:
    named = (part.payload for part in parts if part.marker == APP1 and part.payload.startswith(name))
    return next(named, b"").removeprefix(name)


def _maker_note_extremes(tiff: bytes) -> tuple[float | None, float | None]:
    """Tags 1 and 2 of FLIR's maker note; its offsets, too, count from the start of the EXIF block."""
    if not tiff:
        return None, None
    order, first = _start(tiff)
    exif = _directory(tiff, first, order).get(_EXIF_DIRECTORY)
    note = _directory(tiff, exif[1], order).get(_MAKER_NOTE) if exif else None
    tags = _directory(tiff, note[1], order) if note else {}
    return _rational(tiff, tags.get(1), order), _rational(tiff, tags.get(2), order)


def _start(tiff: bytes) -> tuple[str, int]:
    """(byte order, offset of the first directory)."""
    order = "<" if tiff[:2] == b"II" else ">"
    return order, struct.unpack_from(order + "I", tiff, 4)[0]


def _directory(tiff: bytes, start: int, order: str) -> dict[int, tuple[int, int]]:
    """Tag to (type, value or offset)."""
    (count,) = struct.unpack_from(order + "H", tiff, start)
    entries = (struct.unpack_from(order + "HHII", tiff, start + 2 + 12 * n) for n in range(count))
    return {tag: (kind, value) for tag, kind, _, value in entries}


def _rational(tiff: bytes, entry: tuple[int, int] | None, order: str) -> float | None:
    if entry is None or entry[0] not in _RATIONAL:
        return None
    top, bottom = struct.unpack_from(order + "ii", tiff, entry[1])
    return top / bottom if bottom else None
