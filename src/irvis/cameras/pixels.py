"""The counts inside a FLIR block: 16-bit samples as they are, as PNG, or as JPEG-LS."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ..errors import IrvisError
from .jpeg import segments
from .radiometric import MAX_COUNTS, checked

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_JPEG_LS, _JPEG_END = 0xF7, b"\xff\xd9"
_HEADER = 32


def decoded(block: bytes, order: str) -> NDArray[np.uint16]:
    """Counts (h, w) of a block: 16-bit width and height after a 16-bit mark, 32 bytes, then the samples."""
    if len(block) < _HEADER:
        raise IrvisError(f"the thermal image inside is cut short: {len(block)} bytes.")
    width, height = struct.unpack_from(order + "HH", block, 2)
    if not 0 < width * height <= MAX_COUNTS:
        raise IrvisError(f"the thermal image inside claims {width} x {height} pixels, which is impossible.")
    data = block[_HEADER:]
    if data.startswith(_PNG):
        return checked(_from_png(data, width, height))
    if data.startswith(_JPEG):
        return checked(_from_jpeg_ls(data, width, height))
    return checked(raw(data, width, height, order))


def raw(data: bytes, width: int, height: int, order: str) -> NDArray[np.uint16]:
    """Bare samples, row by row; `order` is < for the low byte first. Bytes after the last are padding."""
    needed = 2 * width * height
    if len(data) < needed:
        raise IrvisError(f"{width} x {height} thermal counts take {needed} bytes, and only {len(data)} are there.")
    return np.frombuffer(data, order + "u2", width * height).reshape(height, width).astype(np.uint16)


def _from_png(data: bytes, width: int, height: int) -> NDArray[np.uint16]:
    """FLIR writes the low byte of a sample first, which PNG does not: most files must be swapped.

    Which ones no field says. The order with the smaller steps between neighbours is the right one: the
    other makes 256 counts of every single one. Swapped, if both are alike.
    """
    shape = struct.unpack_from(">IIBB", data, 16) if len(data) >= 26 else None
    if shape != (width, height, 16, 0):
        raise IrvisError(f"the PNG of thermal counts is not {width} x {height} 16-bit gray, as its record says.")
    try:
        with Pillow.open(BytesIO(data), formats=("PNG",)) as image:
            as_stored = np.asarray(image).astype(np.uint16)
    except Exception as error:  # decoders raise anything on damaged bytes
        raise IrvisError("the PNG of thermal counts is damaged.") from error
    swapped = as_stored.byteswap()
    return as_stored if _roughness(as_stored) < _roughness(swapped) else swapped


def _roughness(counts: NDArray[np.uint16]) -> int:
    """The sum of the steps between neighbours in a row."""
    return int(np.abs(np.diff(counts.astype(np.int32), axis=1)).sum())


def _from_jpeg_ls(data: bytes, width: int, height: int) -> NDArray[np.uint16]:
    frame = next((part.payload for part in segments(data) if part.marker == _JPEG_LS), b"")
    if len(frame) < 6 or not 8 < frame[0] <= 16 or struct.unpack_from(">HHB", frame, 1) != (height, width, 1):
        raise IrvisError(f"the thermal image inside is no JPEG-LS of {width} x {height} samples of 9 to 16 bits.")
    end = data.rfind(_JPEG_END) + 2
    if end < 2:  # decoders would read on for many seconds
        raise IrvisError("the JPEG-LS image of thermal counts is cut short.")
    try:
        import imagecodecs  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as missing:
        raise IrvisError("JPEG-LS counts (CSQ files) need an extra: pip install 'irvis[thermal]'") from missing
    try:
        samples: NDArray[Any] = imagecodecs.jpegls_decode(data[:end])
    except Exception as error:  # decoders raise anything on damaged bytes
        raise IrvisError("the JPEG-LS image of thermal counts is damaged.") from error
    if samples.shape != (height, width):
        raise IrvisError(f"the JPEG-LS image of thermal counts decodes to {samples.shape}.")
    return samples.astype(np.uint16)
