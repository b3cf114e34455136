"""Samples of more than 8 bits, at full depth where Pillow would cut them: TIFF and 16-bit colour PNG."""

import logging
import struct
import zlib
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow

Samples = NDArray[Any]
"""(h, w, channels) of uint8, uint16 or float32; 1 or 3 channels."""

_LIBTIFF_CODECS = (5, 8, 32773, 32946, 34925, 50000)  # LZW, Deflate, PackBits, LZMA and Zstandard
_TIFF_KINDS = (0, 1, 2)  # photometric: white is zero, black is zero, RGB
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {2: 3, 4: 2, 6: 4}  # by colour type: RGB, gray with alpha, RGBA
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it logs comes as an IrvisError


# -------------------------------------------------------------------------------------------- TIFF


def deep_tiff_samples(page: Any, file: BinaryIO, counts: bool = False) -> Samples:
    """Integers over 8 bits as uint16, where they are that, and all others as float32; `counts`: as they are stored."""
    if page.photometric not in _TIFF_KINDS or page.imagedepth != 1 or page.dtype.kind not in "uif":
        raise ValueError(f"it holds {page.dtype} {page.photometric.name}; save it as gray or RGB")
    try:
        samples = page.asarray()
    except (ValueError, ImportError, NotImplementedError) as error:
        if isinstance(error, ValueError) and "imagecodecs" not in str(error):
            raise
        samples = _through_libtiff(page, file)
    samples = samples.transpose(1, 2, 0) if page.axes == "SYX" else np.atleast_3d(samples)
    samples = samples[..., : 3 if samples.shape[2] > 2 else 1]
    if page.photometric == 0 and page.dtype.kind == "u" and not counts:
        samples = np.iinfo(page.dtype).max - samples
    return samples.astype(np.uint16 if page.dtype == np.uint16 else np.float32)


def _through_libtiff(page: Any, file: BinaryIO) -> Samples:
    """Samples of any width through the codecs of Pillow's libtiff (LZW and others that tifffile lacks).

    libtiff is shown the file as 8-bit gray, one pixel per byte; the bytes are read as samples afterwards.
    """
    width, height, channels = page.imagewidth, page.imagelength, page.samplesperpixel
    known = page.compression in _LIBTIFF_CODECS and page.predictor in (1, 2)
    if not known or page.planarconfig != 1 or page.bitspersample != 8 * page.dtype.itemsize:
        raise ValueError(f"{page.compression.name} samples of this kind need pip install imagecodecs")
    tile = page.tilewidth if page.is_tiled else width
    with Pillow.open(_as_byte_pixels(page, file, tile), formats=("TIFF",)) as image:
        image.seek(page.index)
        samples = np.array(image).view(page.dtype.newbyteorder(page.parent.byteorder))
    samples = samples.reshape(height, width, channels)
    for left in range(0, width if page.predictor == 2 else 0, tile):
        block = samples[:, left : left + tile]
        block[:] = np.cumsum(block, axis=1, dtype=page.dtype)
    return np.asarray(samples)


def _as_byte_pixels(page: Any, file: BinaryIO, tile: int) -> BytesIO:
    """A copy of the file whose tags say 8-bit gray, as wide as a line has bytes."""
    pixel = page.samplesperpixel * page.dtype.itemsize
    as_bytes = {256: page.imagewidth * pixel, 322: tile * pixel, 258: 8, 262: 1, 277: 1, 317: 1, 338: 1, 339: 1}
    file.seek(0)
    copy = BytesIO(file.read())
    with tifffile.TiffFile(copy, mode="r+") as tiff:
        tags: Any = tiff.pages[page.index].aspage().tags
        for code, value in as_bytes.items():
            if code in tags:
                tags[code].overwrite(value)
        if 338 in tags:  # gray has no extra samples: the entry becomes a harmless one, NumberOfInks
            copy.seek(tags[338].offset)
            copy.write(struct.pack(f"{tiff.byteorder}H", 334))
    return copy


# --------------------------------------------------------------------------------------------- PNG


def is_deep_png(head: bytes) -> bool:
    """True of the first 32 bytes of a PNG that Pillow cuts to 8 bits: 16-bit colour, or gray with alpha."""
    return head.startswith(_PNG) and head[24] == 16 and head[25] in _PNG_CHANNELS


def png16_samples(data: bytes) -> Samples:
    """16-bit colour PNG at full depth.

    PNG filters never mix the high and the low bytes of samples. So the high bytes alone, each line with
    its filter type, are an 8-bit PNG that Pillow decodes, and so are the low bytes.
    """
    width, height, _, kind, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
    lines = _line_lengths(width, height, 2 * _PNG_CHANNELS[kind], interlace)
    unpacked = zlib.decompressobj().decompress(_png_pixels(data), sum(lines))
    if len(unpacked) != sum(lines):
        raise ValueError("its last pixels are missing")
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, interlace)
    high, low = (
        np.asarray(Pillow.open(BytesIO(png_file((b"IHDR", header), (b"IDAT", half)))))
        for half in _split_bytes(unpacked, lines)
    )
    samples: Samples = high.astype(np.uint16) << 8 | low
    return samples[..., : 1 if kind == 4 else 3]


def _line_lengths(width: int, height: int, pixel: int, interlace: int) -> list[int]:
    """Bytes of each line as PNG stores them, its filter type included; `pixel` is the bytes of a pixel."""
    steps = _ADAM7 if interlace else ((0, 0, 1, 1),)
    return [
        1 + len(range(x, width, across)) * pixel
        for x, y, across, down in steps
        for _ in range(y, height, down)
        if x < width
    ]


def _split_bytes(unpacked: bytes, lines: list[int]) -> tuple[bytes, bytes]:
    """The high and the low bytes of filtered lines of the given lengths, each packed for a PNG."""
    high, low, start = [], [], 0
    for length in lines:
        line = unpacked[start : start + length]
        high.append(line[:1] + line[1::2])
        low.append(line[:1] + line[2::2])
        start += length
    return zlib.compress(b"".join(high), 0), zlib.compress(b"".join(low), 0)


def _png_pixels(data: bytes) -> bytes:
    position, parts = len(_PNG), []
    while position + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[position : position + 8])
        if name == b"IDAT":
            parts.append(data[position + 8 : position + 8 + length])
        position += length + 12
    return b"".join(parts)


def png_file(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of chunks (name, body); the last, IEND, comes by itself."""
    return _PNG + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in (*chunks, (b"IEND", b""))
    )
