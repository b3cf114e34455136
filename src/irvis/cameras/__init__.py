"""Thermal cameras' own files: their counts, and what they say of temperature, photo and alignment.

FLIR radiometric JPEG, FFF, SEQ and CSQ; DJI R-JPEG; frames of camera modules (`layouts`). Places and serial
numbers are not read.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..errors import IrvisError
from . import dji, jpeg, record, sequence
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
]

_JPEG = b"\xff\xd8"


def read(path: Path) -> Radiometric | None:
    """The counts of a radiometric file, of its first frame if it has several; None for any other file.

    A record that is there and cannot be read is an IrvisError.
    """
    head = _head(path)
    if head[:4] in record.MAGICS:
        return next(frames(path))
    if head[:2] != _JPEG:
        return None
    if path.stat().st_size > MAX_RECORD:
        raise IrvisError(f"{path}: a JPEG over {MAX_RECORD} bytes is no thermal camera's.")
    try:
        return parse(path.read_bytes())
    except IrvisError as error:
        raise IrvisError(f"{path}: {error}") from error


def required(path: Path) -> Radiometric:
    """The same, for a file that must be radiometric."""
    found = read(path)
    if found is None:
        raise IrvisError(
            f"{path} holds no thermal record: its pixels are a picture, not counts. Use the camera's radiometric "
            "output (R-JPEG, SEQ, CSQ, or 16-bit TIFF)."
        )
    return found


def frames(path: Path) -> Iterator[Radiometric]:
    """Every frame of a SEQ, CSQ or FFF file, lazily, each with its time in `taken`."""
    if _head(path)[:4] not in record.MAGICS:
        raise IrvisError(f"{path} is no SEQ, CSQ or FFF file: it does not begin with a FLIR record.")
    try:
        yield from sequence.frames(path)
    except IrvisError as error:
        raise IrvisError(f"{path}: {error}") from error


def parse(data: bytes) -> Radiometric | None:
    """Of a JPEG's or of one FLIR record's bytes; None if they are neither radiometric JPEG nor record."""
    if data[:4] in record.MAGICS:
        return parse_record(data)
    if data[:2] != _JPEG:
        return None
    parts = jpeg.segments(data)
    joined = record.joined(parts)
    if not joined:
        return dji.parse_segments(parts)
    found = parse_record(joined)
    return replace(found, model=found.model or jpeg.model(parts), stated=jpeg.stated(parts))


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise IrvisError(f"{path}: no such file.")
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise IrvisError(f"{path} cannot be read: {error.strerror}.") from error
