"""Thermal cameras' own files: their counts, and what they say of temperature, photo and alignment.

FLIR radiometric JPEG, FFF, SEQ and CSQ; DJI R-JPEG; HIKMICRO and InfiRay JPEG; InfiRay IRG; UNI-T BMP; frames of
camera modules (`layouts`). The content decides, not the suffix. Places and serial numbers are not read.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..errors import IrvisError
from . import dji, hikmicro, infiray, jpeg, record, sequence, uni_t, unread
from .flir import parse_record
from .planck import CONDITIONS, Constants
from .radiometric import Radiometric, celsius, linear_celsius, thermal_window
from .sequence import MAX_RECORD

__all__ = [
    "CONDITIONS",
    "Constants",
    "Radiometric",
    "celsius",
    "frames",
    "linear_celsius",
    "parse",
    "read",
    "required",
    "thermal_window",
    "unread_bytes",
]

_JPEG, _BMP = b"\xff\xd8", b"BM"

_Path = str | os.PathLike[str]


def read(path: _Path) -> Radiometric | None:
    """The counts of a radiometric file, of its first frame if it has several; None for any other file.

    A record that is there and cannot be read is an IrvisError.
    """
    path = Path(path)
    head = _head(path)
    if head[:4] in record.MAGICS:
        return next(frames(path))
    if head[:2] not in (_JPEG, _BMP) and not infiray.is_irg(head):
        return None
    if path.stat().st_size > MAX_RECORD:
        if head[:2] == _BMP:
            return None
        raise IrvisError(f"{path}: a file over {MAX_RECORD} bytes that begins so is no thermal camera's.")
    try:
        return parse(path.read_bytes())
    except IrvisError as error:
        raise IrvisError(f"{path}: {error}") from error


def unread_bytes(path: _Path) -> int:
    """How many bytes of a JPEG, if as many as counts take, are of no known use; 0 for any other file."""
    path = Path(path)
    if _head(path)[:2] != _JPEG or path.stat().st_size > MAX_RECORD:
        return 0
    data = path.read_bytes()
    count = unread.unknown_bytes(data, jpeg.segments(data))
    return count if count >= unread.LEAST else 0


def required(path: _Path) -> Radiometric:
    """The same, for a file that must be radiometric."""
    found = read(path)
    if found is None:
        raise IrvisError(
            f"{path} holds no thermal record: its pixels are a picture, not counts. Use the camera's radiometric "
            "output (R-JPEG, SEQ, CSQ, or 16-bit TIFF)."
        )
    return found


def frames(path: _Path) -> Iterator[Radiometric]:
    """Every frame of a SEQ, CSQ or FFF file, lazily, each with its time in `taken`."""
    path = Path(path)
    if _head(path)[:4] not in record.MAGICS:
        raise IrvisError(f"{path} is no SEQ, CSQ or FFF file: it does not begin with a FLIR record.")
    try:
        yield from sequence.frames(path)
    except IrvisError as error:
        raise IrvisError(f"{path}: {error}") from error


def parse(data: bytes) -> Radiometric | None:
    """Of a file's or of one FLIR record's bytes; None if they are no thermal camera's."""
    if data[:4] in record.MAGICS:
        return parse_record(data)
    if infiray.is_irg(data):
        return infiray.parse_irg(data)
    if data[:2] == _BMP:
        return uni_t.parse(data)
    return _parse_jpeg(data) if data[:2] == _JPEG else None


def _parse_jpeg(data: bytes) -> Radiometric | None:
    parts = jpeg.segments(data)
    joined = record.joined(parts)
    if joined:
        found = parse_record(joined)
        model = found.model or jpeg.model(parts)
        return replace(found, model=model, stated=jpeg.stated(parts), zoom=jpeg.zoom(parts))
    known = infiray.parse_segments(parts) or dji.parse_segments(parts)
    return known or hikmicro.parse(data, 2 + sum(len(part.payload) + 4 for part in parts))


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise IrvisError(f"{path}: no such file.")
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise IrvisError(f"{path} cannot be read: {error.strerror}.") from error
