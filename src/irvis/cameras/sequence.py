"""Frames of SEQ and CSQ files, one after the other, as FLIR records; only one is in memory at a time."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import IrvisError
from . import record
from .flir import parse_record
from .radiometric import Radiometric

MAX_RECORD = 1 << 28
"""Bytes. A frame, or a whole JPEG, that claims more is refused before memory is taken for it."""

_MARK = re.compile(rb"[AF]FF\0")


def frames(path: Path) -> Iterator[Radiometric]:
    """Every frame in order, with its time; FFF files hold one. `path` must begin with a FLIR record.

    The directory of a frame says where it ends: the four bytes that begin a frame also occur among counts.
    Padding of up to half a frame is skipped. More bytes that are no frame, a frame cut short and damaged
    counts are an IrvisError that names the frame, after the frames before it.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        position = number = length = 0
        while position < size:
            padding = _padding(file, position, length // 2)
            if padding is None:
                if number and size - position <= length // 2:
                    _refuse_a_beginning(file, position, size, number)
                    return
                raise IrvisError(f"frame {number} has a damaged header, at byte {position}.")
            position += padding
            length = _length(file, position, size, number)
            file.seek(position)
            try:
                yield parse_record(file.read(length))
            except IrvisError as error:
                raise IrvisError(f"frame {number}: {error}") from error
            position, number = position + length, number + 1


def _refuse_a_beginning(file: BinaryIO, position: int, size: int, number: int) -> None:
    """What is left is padding, unless a frame begins there and even its header is not whole."""
    file.seek(position)
    if _MARK.match(file.read(record.HEADER)):
        raise IrvisError(f"frame {number} is cut short: {size - position} bytes of it are there.")


def _padding(file: BinaryIO, position: int, most: int) -> int | None:
    """How many bytes, at most `most`, lie between `position` and the next frame; None if there is no frame."""
    file.seek(position)
    near = file.read(most + record.HEADER)
    starts = (mark.start() for mark in _MARK.finditer(near))
    return next((at for at in starts if record.directory_place(near[at : at + record.HEADER])), None)


def _length(file: BinaryIO, start: int, size: int, number: int) -> int:
    """Bytes of the frame at `start`, up to the end of its last block."""
    file.seek(start)
    place = record.directory_place(file.read(record.HEADER))
    assert place is not None
    order, offset, count = place
    end = offset + record.ENTRY * count
    if end <= min(size - start, MAX_RECORD):
        file.seek(start + offset)
        listed = record.entries(file.read(record.ENTRY * count), order)
        end = max([end, *(entry.start + entry.length for entry in listed)])
    if end > size - start:
        raise IrvisError(f"frame {number} is cut short: {size - start} of {end} bytes are there.")
    if end > MAX_RECORD:
        raise IrvisError(f"frame {number} claims {end} bytes, over the limit of {MAX_RECORD}.")
    return end
