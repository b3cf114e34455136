"""The FLIR record: a header, a directory and blocks. It fills JPEG segments, and frame after frame a SEQ or CSQ file.

Layout as published by FLIR (ThermoVision streaming format) and in ExifTool's documentation of FLIR tags.
"""

import struct
from dataclasses import dataclass

from ..errors import IrvisError
from .jpeg import APP1, Segment

MAGICS = (b"FFF\0", b"AFF\0")
HEADER = 64
ENTRY = 32
RAW, PHOTO, CAMERA, TOOLS, PALETTE, ALIGNMENT = 0x01, 0x0E, 0x20, 0x21, 0x22, 0x2A
"""Kinds of blocks that are read."""

_KNOWN = {RAW: "thermal image", PHOTO: "photo", CAMERA: "camera", TOOLS: "tools", PALETTE: "palette", ALIGNMENT: "pip"}
_CHUNK = b"FLIR\0"


@dataclass(frozen=True)
class Entry:
    """Where a block lies, counted from the start of its record."""

    kind: int
    start: int
    length: int


def directory_place(header: bytes) -> tuple[str, int, int] | None:
    """(byte order, offset of the directory, number of entries), or None if this is no FLIR header."""
    if len(header) < HEADER or header[:4] not in MAGICS:
        return None
    for order in "><":
        version, offset, count = struct.unpack_from(order + "3I", header, 0x14)
        if 100 <= version < 200:
            return (order, offset, count) if offset >= HEADER else None
    return None


def entries(directory: bytes, order: str) -> list[Entry]:
    """What the directory lists; free places are left out."""
    rows = (struct.unpack_from(order + "HHIIIIIII", directory, at) for at in range(0, len(directory) - 31, ENTRY))
    return [Entry(row[0], row[4], row[5]) for row in rows if row[0]]


def blocks(record: bytes) -> dict[int, bytes]:
    """The bytes of each known block, the first of its kind; one that reaches beyond the record is an IrvisError."""
    place = directory_place(record[:HEADER])
    if place is None:
        raise IrvisError("the FLIR record inside has a damaged header.")
    order, offset, count = place
    if offset + ENTRY * count > len(record):
        raise IrvisError(f"the FLIR record is cut short: its directory of {count} entries is not all there.")
    found: dict[int, bytes] = {}
    for entry in entries(record[offset : offset + ENTRY * count], order):
        if entry.kind not in _KNOWN or entry.kind in found:
            continue
        end = entry.start + entry.length
        if end > len(record):
            name = _KNOWN[entry.kind]
            raise IrvisError(
                f"the FLIR record is cut short: its {name} block should end at byte {end} of {len(record)}."
            )
        found[entry.kind] = record[entry.start : end]
    return found


def block_order(block: bytes) -> str:
    """Each block has a byte order of its own: its first 16-bit number is small in the right one."""
    return "<" if int.from_bytes(block[:2], "little") < 0x100 else ">"


def joined(parts: list[Segment]) -> bytes:
    """The record spread over APP1 segments, in whatever order they come; empty if there is none.

    A segment starts with FLIR, a zero, a 1, its number and the last number.
    """
    chunks: dict[int, bytes] = {}
    last = -1
    for part in parts:
        if part.marker == APP1 and part.payload.startswith(_CHUNK) and len(part.payload) >= 8:
            number, end = part.payload[6:8]
            if number in chunks or last not in (-1, end) or number > end:
                raise IrvisError(f"the FLIR record's pieces contradict each other: piece {number} of 0 to {end}.")
            chunks[number], last = part.payload[8:], end
    missing = [number for number in range(last + 1) if number not in chunks]
    if missing:
        raise IrvisError(f"the FLIR record is cut short: piece {missing[0]} of 0 to {last} is missing.")
    return b"".join(chunks[number] for number in range(last + 1))
