"""TIFF files that do not fit into memory, read from top to bottom.

Read are classic TIFF and BigTIFF in strips or tiles, bands interleaved or apart, uncompressed or through Deflate, LZW,
PackBits, LZMA or Zstandard, with any predictor. Samples come out as those of the whole-file reader: uint8 and uint16 as
they are, others as float32, alpha dropped. What cannot be read row by row is decoded whole where that fits.
"""

import math
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image as Pillow
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from ..types import Meta
from .decode import _TIFF, _as_irvis_errors, _exif, _quiet, _tiff_directory, chosen, pages_of, read_raster
from .deep import _LIBTIFF_CODECS, _TIFF_KINDS, Samples
from .notes import nodata_of, read_xmp

PIECE = 4 * 2**20
"""Strips that can be read in part are read so many bytes at a time."""

_DEFLATE = (8, 32946)
_WHOLE_COPIES = 3  # a decoder's picture, its array and an upright or converted copy of it


@dataclass(frozen=True, kw_only=True)
class Source:
    """An image file whose rows can be had again and again, from top to bottom."""

    path: Path
    height: int
    width: int
    channels: int
    """Of its blocks: 1 or 3."""
    dtype: np.dtype[Any]
    """Of its blocks: uint8, uint16 or float32."""
    row: int
    """Bytes that a row takes at most while it is decoded and kept."""
    block: int
    """Rows of its largest block."""
    held: int
    """Bytes that it takes all the time."""
    meta: Meta
    blocks: Callable[[], Iterator[Samples]]
    """Blocks (rows, width, channels) from top to bottom."""


class Rows:
    """A band of rows that moves down a source; every block is read once."""

    def __init__(self, source: Source) -> None:
        self._blocks, self._read = source.blocks(), 0
        self._held: deque[tuple[int, Samples]] = deque()

    def window(self, rows: slice, columns: slice) -> Samples:
        """A part of the picture, none of it above what was forgotten."""
        while self._read < rows.stop:
            block = next(self._blocks)
            self._held.append((self._read, block))
            self._read += len(block)
        parts = [
            block[max(rows.start - top, 0) : rows.stop - top, columns]
            for top, block in self._held
            if top < rows.stop and top + len(block) > rows.start
        ]
        return np.concatenate(parts)

    def forget(self, above: int) -> None:
        """Rows above this one are not asked for again."""
        while self._held and self._held[0][0] + len(self._held[0][1]) <= above:
            self._held.popleft()


# ------------------------------------------------------------------------------------------ reading


def opened(path: Path, room: int, *, counts: bool = False) -> Source:
    """The file as a source; one that has to be decoded whole may take `room` bytes.

    `counts`: numbers of more than 8 bits as they are stored, also where zero is to be shown white.

    Raises
    ------
    IrvisError: no image, damaged or cut off, more than four bands, or not to be read in parts and over `room`.
    """
    with _as_irvis_errors(path):
        if not _is_tiff(path):
            problem, needed = "it is no TIFF file", _size_of_picture(path)
        else:
            with path.open("rb") as file, tifffile.TiffFile(path) as tiff:
                chosen(len(pages_of(tiff)), None, "pages")
                page: Any = tiff.pages.first
                _refuse_incomplete(page, path.stat().st_size)
                orientation, exif = _exif(lambda: _tiff_directory(file))
                problem = _why_not_in_parts(page, orientation)
                if not problem:
                    return _tiff_source(path, page, exif, counts)
                needed = page.size * page.dtype.itemsize if page.dtype is not None else page.size
        if needed * _WHOLE_COPIES > room:
            raise ValueError(
                f"{problem}, so it is decoded whole; that takes {_megabytes(needed * _WHOLE_COPIES)}, and "
                f"{_megabytes(room)} are for it: save it as an uncompressed, Deflate or LZW TIFF, or raise --memory"
            )
    return _decoded(path, counts)


def size(path: Path) -> tuple[int, int]:
    """Height and width by the header alone; those of a rotated photograph as they are stored."""
    with _as_irvis_errors(path):
        if _is_tiff(path):
            with tifffile.TiffFile(path) as tiff:
                page: Any = tiff.pages.first
                return page.imagelength, page.imagewidth
        with _quiet(), Pillow.open(path) as image:
            return image.height, image.width


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _TIFF


def _size_of_picture(path: Path) -> int:
    with _quiet(), Pillow.open(path) as image:
        return image.height * image.width * (4 if image.mode.startswith(("I", "F")) else len(image.getbands()))


def _decoded(path: Path, counts: bool) -> Source:
    """A file that is held in memory."""
    raster = read_raster(path, counts=counts)
    samples = raster.samples
    height, width, channels = samples.shape
    return Source(
        path=path, height=height, width=width, channels=channels, dtype=samples.dtype, row=0, block=0,
        held=samples.nbytes, meta=_meta(path, raster.exif, raster.icc, samples.dtype, channels),
        blocks=lambda: iter([samples]),
    )  # fmt: skip


def _megabytes(count: float) -> str:
    return f"{math.ceil(count / 1e6):,} MB"


def _refuse_incomplete(page: Any, length: int) -> None:
    if page.samplesperpixel > 4:
        raise ValueError(f"it has {page.samplesperpixel} bands; save three of them, or one")
    needed = math.prod(page.chunked)
    offsets, counts = page.dataoffsets[:needed], page.databytecounts[:needed]
    if len(offsets) < needed or 0 in counts:
        raise ValueError(f"some of its {needed} strips or tiles are missing")
    end = max(start + count for start, count in zip(offsets, counts, strict=True))
    if end > length:
        raise ValueError(f"it is cut off: its pixels reach to byte {end}, the file has {length}")


def _why_not_in_parts(page: Any, orientation: int) -> str:
    """What stands against reading a TIFF row by row; empty where nothing does."""
    plain = page.dtype is not None and page.bitspersample == 8 * page.dtype.itemsize and page.imagedepth == 1
    if not plain or page.dtype.kind not in "uif" or page.photometric not in _TIFF_KINDS or page.fillorder != 1:
        return f"it holds {page.bitspersample}-bit {page.photometric.name} samples"
    if page.compression not in (1, *_LIBTIFF_CODECS) or page.predictor not in (1, 2, 3):
        return f"it is compressed by {page.compression.name}"
    if page.dtype == np.uint8 and page.samplesperpixel == 4 and tuple(page.extrasamples) == (1,):
        return "its colours are multiplied by its alpha"
    return f"it is stored turned (orientation {orientation})" if orientation != 1 else ""


def _tiff_source(path: Path, page: Any, exif: bytes, counts: bool) -> Source:
    dtype = np.dtype(page.dtype if page.dtype in (np.uint8, np.uint16) else np.float32)
    channels = 3 if page.samplesperpixel > 2 else 1
    row = page.imagewidth * page.samplesperpixel * max(page.dtype.itemsize, dtype.itemsize)
    in_part = not page.is_tiled and page.compression in (1, *_DEFLATE)
    block = page.tilelength if page.is_tiled else min(page.rowsperstrip, page.imagelength)
    return Source(
        path=path, height=page.imagelength, width=page.imagewidth, channels=channels, dtype=dtype, row=row,
        block=min(block, max(PIECE // row, 1)) if in_part else block, held=0,
        meta=_meta(path, exif, bytes(page.iccprofile or b""), dtype, channels),
        blocks=partial(_tiff_blocks, path, counts),
    )  # fmt: skip


def _meta(path: Path, exif: bytes, icc: bytes, dtype: np.dtype[Any], channels: int) -> Meta:
    depth = 8 if dtype == np.uint8 else 16
    return Meta(exif=exif, icc=icc, depth=depth, gray=channels == 1, xmp=read_xmp(path), nodata=nodata_of(exif))


def _tiff_blocks(path: Path, counts: bool) -> Iterator[Samples]:
    with _as_irvis_errors(path), tifffile.TiffFile(path) as tiff:
        page: Any = tiff.pages.first
        wanted = 3 if page.samplesperpixel > 2 else 1
        apart = page.planarconfig == 2
        bands = [_bands(page, tiff.filehandle, n) for n in range(wanted if apart else 1)]
        for parts in zip(*bands, strict=True):
            samples = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
            samples = samples[..., :wanted]
            if page.photometric == 0 and page.dtype.kind == "u" and not (counts and page.dtype.itemsize > 1):
                samples = np.iinfo(page.dtype).max - samples
            keeps = page.dtype in (np.uint8, np.uint16)
            yield np.ascontiguousarray(samples, page.dtype if keeps else np.float32)


def _bands(page: Any, file: Any, plane: int) -> Iterator[Samples]:
    """Blocks of one plane; of all bands where they are interleaved."""
    height, width = page.imagelength, page.imagewidth
    depth = page.samplesperpixel if page.planarconfig != 2 else 1
    tall, wide = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, width)
    down, across = -(-height // tall), -(-width // wide)
    row = wide * depth * page.dtype.itemsize
    for top in range(0, height, tall):
        first = (plane * down + top // tall) * across
        if page.is_tiled:
            block = np.empty((tall, across * wide, depth), page.dtype)
            for n in range(across):
                (data,) = _unpacked(page, file, first + n, tall * row, tall * row)
                block[:, n * wide : (n + 1) * wide] = _samples(data, page, wide, depth)
            yield block[: height - top, :width]
        else:
            rows = min(tall, height - top)
            for data in _unpacked(page, file, first, rows * row, max(PIECE // row, 1) * row):
                yield _samples(data, page, wide, depth)


def _unpacked(page: Any, file: Any, index: int, size: int, step: int) -> Iterator[bytes]:
    """The `size` bytes of a strip or tile, `step` at a time where the compression allows."""
    start, count = page.dataoffsets[index], page.databytecounts[index]
    if page.compression == 1:
        yield from (_bytes(file, start + at, min(step, size - at)) for at in range(0, size, step))
    elif page.compression in _DEFLATE:
        yield from _inflated(file, start, count, size, step)
    else:
        yield _through_libtiff(_bytes(file, start, count), page, size)


def _bytes(file: Any, start: int, count: int) -> bytes:
    file.seek(start)
    data: bytes = file.read(count)
    if len(data) != count:
        raise ValueError("it is cut off")
    return data


def _inflated(file: Any, start: int, count: int, size: int, step: int) -> Iterator[bytes]:
    engine, piece = zlib.decompressobj(), bytearray()
    packed = (_bytes(file, start + at, min(PIECE, count - at)) for at in range(0, count, PIECE))
    while size:
        data = engine.unconsumed_tail or next(packed, b"")
        some = engine.decompress(data, min(step, size) - len(piece))
        if not some and not data:
            raise ValueError("a strip or tile of it is cut off")
        piece += some
        if len(piece) == min(step, size):
            yield bytes(piece)
            size -= len(piece)
            piece.clear()


def _through_libtiff(data: bytes, page: Any, size: int) -> bytes:
    """What Pillow's libtiff makes of one strip or tile, shown to it as a file of 8-bit gray that is one row high."""
    tags, buffer = ImageFileDirectory_v2(), BytesIO()
    tags[256], tags[257], tags[258], tags[259], tags[262] = size, 1, 8, int(page.compression), 1
    tags[273], tags[277], tags[278], tags[279] = 0, 1, 1, len(data)
    tags.save(buffer)
    buffer.write(data)
    with _quiet(), Pillow.open(buffer, formats=("TIFF",)) as image:
        return image.tobytes()


def _samples(data: bytes, page: Any, width: int, depth: int) -> Samples:
    """Bytes to (rows, width, depth) of the page's type, the predictor undone."""
    kind = page.dtype
    stored = kind.newbyteorder(page.parent.byteorder)
    if page.predictor == 1:
        return np.frombuffer(data, stored).reshape(-1, width, depth)
    if page.predictor == 2:  # differences along the row
        unsigned = np.dtype(f"u{kind.itemsize}")
        steps = np.frombuffer(data, unsigned.newbyteorder(page.parent.byteorder)).reshape(-1, width, depth)
        return np.cumsum(steps, axis=1, dtype=unsigned).view(kind)
    # 3: differences of bytes, those of one significance together, the highest first
    steps = np.frombuffer(data, np.uint8).reshape(-1, kind.itemsize * width, depth)
    planes = np.cumsum(steps, axis=1, dtype=np.uint8).reshape(-1, kind.itemsize, width * depth)
    values = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(kind.newbyteorder(">"))
    return values.reshape(-1, width, depth)
