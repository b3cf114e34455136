"""What a picture file carries beside its picture, and makers' files that are not read."""

from .jpeg import Segment

FOREIGN = {
    ".is2": "Fluke",
    ".is3": "Fluke",
    ".bmt": "Testo",
    ".irb": "InfraTec",
    ".ravi": "Optris",
    ".ats": "FLIR Research Studio",
    ".ptw": "FLIR Cedip",
    ".hcc": "Telops",
    ".svt": "NEC Avio",
}
"""Suffixes, lower case, of thermal cameras' files that irvis does not read, and who writes them."""
LEAST = 9600
"""Bytes: the counts of the smallest sensor known, 80 x 60."""

_KNOWN = (*range(0xC0, 0xE0), 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xFE)
"""Markers of segments of the picture itself, of EXIF, XMP, colour, several pictures, provenance, Photoshop, Adobe and comments."""
_SCAN, _END = b"\xff\xda", b"\xff\xd9"


def unknown_bytes(data: bytes, parts: list[Segment]) -> int:
    """How many bytes of a JPEG lie in segments of no known use, or behind the picture and are no picture or video."""
    aside = sum(len(part.payload) for part in parts if part.marker not in _KNOWN)
    start = data.find(_SCAN, sum(len(part.payload) + 4 for part in parts))
    end = data.find(_END, start) + 2 if start >= 0 else 0
    behind = data[end:] if end >= 2 else b""
    known = behind.lstrip(b"\0")[:2] == b"\xff\xd8" or behind[4:8] == b"ftyp" or b"MotionPhoto" in behind[:64]
    return aside + (0 if known else len(behind.strip(b"\0")))
