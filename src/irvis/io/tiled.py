"""TIFF files that do not fit into memory, written tile by tile."""

import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from ..errors import IrvisError
from ..files import whole
from ..types import Meta
from .decode import EXIF, GPS, reason
from .deep import Samples
from .notes import comment, with_comment

TILE = 512
"""Side of the tiles, pixels."""
BIG = 4 * 10**9
"""From so many bytes of pixels on a file is a BigTIFF: 32-bit offsets end at 4.29e9."""

LEVEL = 4
"""Of Deflate: on photographs faster than 3 and 4% larger than 6, which takes four times as long."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a file to write holds."""

    height: int
    width: int
    channels: int
    dtype: np.dtype[Any]
    """uint8 or uint16."""

    @property
    def bytes(self) -> int:
        """Of all pixels."""
        return self.height * self.width * self.channels * self.dtype.itemsize


def write(path: Path, rows: Iterable[Samples], shape: Shape, meta: Meta, *, compressed: bool = True) -> None:
    """Write blocks of rows, from top to bottom, as a tiled TIFF: whole, or not at all.

    `compressed`: Deflate over differences along the lines. The directory stands at the start of the file.
    """
    encode = partial(_deflated, compressed=compressed)
    offsets, counts = [0] * (tiles := -(-shape.height // TILE) * -(-shape.width // TILE)), [0] * tiles
    try:
        with whole(path) as unfinished, unfinished.open("wb") as file, ThreadPoolExecutor() as pool:
            position = file.write(_directory(shape, meta, compressed, offsets, counts))
            n = 0
            for band in _regrouped(rows):
                for data in pool.map(encode, _tiles(band)):
                    offsets[n], counts[n] = position, len(data)
                    position, n = position + file.write(data), n + 1
            file.seek(0)
            file.write(_directory(shape, meta, compressed, offsets, counts))
    except OSError as error:
        raise IrvisError(f"{path} cannot be written: {reason(error)}.") from error


def _regrouped(rows: Iterable[Samples]) -> Iterator[Samples]:
    """Blocks of any height as blocks of TILE rows; the last one may be lower."""
    held: list[Samples] = []
    for block in rows:
        while sum(map(len, held)) + len(block) >= TILE:
            missing = TILE - sum(map(len, held))
            yield np.concatenate([*held, block[:missing]])
            held, block = [], block[missing:]
        held.append(block)
    if sum(map(len, held)):
        yield np.concatenate(held)


def _tiles(band: Samples) -> Iterator[Samples]:
    """Tiles from left to right, filled up below and at the right with the last pixel."""
    for left in range(0, band.shape[1], TILE):
        tile = band[:, left : left + TILE]
        yield np.pad(tile, ((0, TILE - tile.shape[0]), (0, TILE - tile.shape[1]), (0, 0)), mode="edge")


def _deflated(tile: Samples, compressed: bool) -> bytes:
    little = tile.astype(tile.dtype.newbyteorder("<"))
    if not compressed:
        return little.tobytes()
    little[:, 1:] -= tile[:, :-1]
    return zlib.compress(little.tobytes(), LEVEL)


def _directory(shape: Shape, meta: Meta, compressed: bool, offsets: list[int], counts: list[int]) -> bytes:
    """Header and directories; their length does not depend on the offsets and counts."""
    big = shape.bytes > BIG
    tags, exif = ImageFileDirectory_v2(b"II\x2b\0\x08\0\0\0" + bytes(8) if big else b"II\x2a\0\0\0\0\0"), Pillow.Exif()
    exif.load(with_comment(meta.exif, comment(meta)))
    for tag in exif:
        tags[tag] = exif.get_ifd(tag) if tag in (EXIF, GPS) else exif[tag]
    channels = shape.channels
    tags[256], tags[257], tags[258] = shape.width, shape.height, (8 * shape.dtype.itemsize,) * channels
    tags[259], tags[262], tags[277] = 8 if compressed else 1, 2 if channels == 3 else 1, channels
    tags[317], tags[322], tags[323] = 2 if compressed else 1, TILE, TILE
    tags.tagtype[324] = tags.tagtype[325] = 16 if big else 4
    tags[324], tags[325] = tuple(offsets), tuple(counts)
    if meta.icc[16:20] == (b"RGB " if channels == 3 else b"GRAY"):
        tags[34675] = meta.icc
    if meta.xmp:
        tags.tagtype[700] = 1
        tags[700] = meta.xmp
    buffer = BytesIO()
    tags.save(buffer)
    return buffer.getvalue()
