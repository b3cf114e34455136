"""Bytes to an upright raster and what the file says beside its pixels; whatever is wrong is an IrvisError."""

import math
import os
import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from ..cameras.unread import FOREIGN
from ..errors import SMALLER, IrvisError
from .deep import Samples, deep_tiff_samples, is_deep_png, png16_samples

READABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".pgm", ".ppm", ".pnm")
"""Suffixes, lower case, that a folder scan takes for images."""
MAX_PIXELS = 512_000_000
"""A file whose header claims more pixels is refused before memory is taken for them."""

StrPath = str | os.PathLike[str]

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "PPM")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG_DENSITY = 1000  # pixels per byte; one bit a block would be 512. libjpeg fills what is missing with gray

EXIF, GPS = 0x8769, 0x8825
"""The tags whose values are directories of their own."""
_ORIENTATION, _INTEROPERABILITY = 0x0112, 0xA005
# Of the first directory of an EXIF block or TIFF file, the tags that describe the scene and not how one
# file stores its pixels: description, make, model, resolution, software, date, artist, copyright, the
# texts of Windows, and where a GeoTIFF lies on earth.
_KEPT = (270, 271, 272, _ORIENTATION, 282, 283, 296, 305, 306, 315, 33432, *range(0x9C9B, 0x9CA0))
_KEPT_GEO = (33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113)


_LOUD = r"(PIL|tifffile|imagecodecs|numpy|irvis\.io\.de(code|ep))\b"
"""Modules whose warnings tell of a file's metadata or samples."""


@dataclass(frozen=True)
class Raster:
    """A decoded file, upright."""

    path: Path
    samples: Samples
    exif: bytes
    icc: bytes


_Decoded = tuple[Samples, bytes, tuple[int, bytes]]
"""Samples as stored, ICC profile, (orientation, EXIF block)."""


def read_raster(path: Path, *, frame: int | None = None, counts: bool = False) -> Raster:
    """The picture of a file.

    Parameters
    ----------
    frame: of a file that holds several, from 0; of others it means nothing.
    counts: take numbers of more than 8 bits as they are stored, also where zero is to be shown white.

    Raises
    ------
    IrvisError: no image, damaged, too large; several pictures and no `frame`, or none of that number.
    """
    with _as_irvis_errors(path), _quiet():
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ValueError("it is a folder" if stat.S_ISDIR(mode) else "it is no regular file")
        with path.open("rb") as file:
            head = file.read(32)
            if not head:
                raise ValueError("it is empty (0 bytes)")
            file.seek(0)
            decode = partial(_decode_tiff, counts=counts) if head[:4] in _TIFF else _decode_with_pillow
            samples, icc, (orientation, exif) = decode(file, frame)
            return Raster(path, _upright(samples, orientation), exif, icc)


# ------------------------------------------------------------------------------------------ errors


@contextmanager
def _as_irvis_errors(path: Path) -> Iterator[None]:
    """Decoders raise anything on a hostile file (struct.error, zlib.error, RecursionError, ...)."""
    try:
        yield
    except FileNotFoundError as error:
        raise IrvisError(f"{path}: no such file.") from error
    except UnidentifiedImageError as error:
        if maker := FOREIGN.get(path.suffix.lower()):
            raise IrvisError(
                f"{path} is a {maker} file, which irvis does not read: export it as 16-bit TIFF or as radiometric JPEG."
            ) from error
        formats = ", ".join(_FORMATS)
        raise IrvisError(f"{path} is not an image file ({formats}), or its start is damaged.") from error
    except Exception as error:
        raise IrvisError(f"{path} cannot be read: {reason(error)}.") from error


@contextmanager
def within_memory(files: object) -> Iterator[None]:
    """Running out of memory is an IrvisError that names `files`; any other error stays what it is."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            raise
        raise IrvisError(f"{files}: no memory is left for the pixels as 32-bit numbers; {SMALLER}.") from error


def reason(error: Exception) -> str:
    """One line: what a library says about the file, but not what it says about its own code."""
    if _out_of_memory(error):
        return f"it does not fit into memory; {SMALLER}"
    told = isinstance(error, (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError, zlib.error))
    text = (isinstance(error, OSError) and error.strerror) or (told and str(error)) or "it is damaged"
    return " ".join(text.split()).rstrip(".")


def _out_of_memory(error: Exception) -> bool:
    """torch has no class of its own for it on the CPU."""
    torch_says = isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    return isinstance(error, MemoryError) or torch_says


class _Readers:
    """How many threads read now. What is global is changed by the first of them and put back by the last."""

    lock, count, changed = threading.Lock(), 0, ExitStack()


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns from 89 million pixels on, and about odd metadata: fail at MAX_PIXELS, silent below."""
    with _Readers.lock:
        if not _Readers.count:
            _Readers.changed.enter_context(_other_settings())
        _Readers.count += 1
    try:
        yield
    finally:
        with _Readers.lock:
            _Readers.count -= 1
            if not _Readers.count:
                _Readers.changed.close()


@contextmanager
def _other_settings() -> Iterator[None]:
    """For the whole process, so that warnings of other modules must stay what they are."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=_LOUD)
        before = Pillow.MAX_IMAGE_PIXELS
        Pillow.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow's error comes at twice this number
        try:
            yield
        finally:
            Pillow.MAX_IMAGE_PIXELS = before


def _refuse_bomb(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(f"its {width} x {height} = {width * height} pixels are over the limit of {MAX_PIXELS}")


# ------------------------------------------------------------------------------------------ pixels


def pages_of(tiff: tifffile.TiffFile) -> list[int]:
    """The numbers of the pages that show what the first one shows: of its size and kind, no thumbnails or masks."""
    first: Any = tiff.pages.first
    kind = (first.imagewidth, first.imagelength, first.samplesperpixel, first.dtype)
    others = ((n, tiff.pages[n].aspage()) for n in range(1, len(tiff.pages)))
    same = (
        n for n, one in others
        if (one.imagewidth, one.imagelength, one.samplesperpixel, one.dtype) == kind and not one.subfiletype & 5
    )  # fmt: skip
    return [0, *same]


def chosen(count: int, frame: int | None, what: str = "pictures") -> int:
    """The number of the picture that is meant of `count`; a ValueError where that is not said, or there is none such."""
    if count > 1 and frame is None:
        raise ValueError(f"it holds {count} {what}: choose one by --frame (0 to {count - 1}), or fuse them as a video")
    if count > 1 and frame is not None and frame >= count:
        raise ValueError(f"it holds {count} {what}, counted from 0: there is no {frame}")
    return frame or 0 if count > 1 else 0


def frames_in(path: Path) -> int:
    """How many pictures of one size an image file holds; 1 of anything else."""
    try:
        with _quiet(), path.open("rb") as file:
            if file.read(4) in _TIFF:
                file.seek(0)
                with tifffile.TiffFile(file) as tiff:
                    return len(pages_of(tiff))
            file.seek(0)
            with Pillow.open(file, formats=_FORMATS) as image:
                return _frames(image)
    except Exception:  # what is wrong with it, reading tells
        return 1


def _frames(image: Pillow.Image) -> int:
    return getattr(image, "n_frames", 1) if image.format in ("GIF", "WEBP", "PNG") else 1


def _decode_tiff(file: BinaryIO, frame: int | None, counts: bool) -> _Decoded:
    with tifffile.TiffFile(file) as tiff:
        pages = pages_of(tiff)
        number = pages[chosen(len(pages), frame, "pages")]
        page: Any = tiff.pages[number].aspage()
        _refuse_bomb(page.imagewidth, page.imagelength)
        if page.samplesperpixel > 4:
            raise ValueError(f"it has {page.samplesperpixel} bands; save three of them, or one")
        needed = math.prod(page.chunked)
        if len(page.dataoffsets) < needed or 0 in page.databytecounts[:needed]:  # else filled with black
            raise ValueError(f"some of its {needed} strips or tiles are missing")
        if page.dtype is None or page.dtype.name in ("bool", "uint8"):
            file.seek(0)
            return _decode_with_pillow(file, number)
        samples, icc = deep_tiff_samples(page, file, counts), bytes(page.iccprofile or b"")
    return samples, icc, _exif(lambda: _tiff_directory(file))


def _decode_with_pillow(file: BinaryIO, frame: int | None) -> _Decoded:
    """`frame` of a TIFF is the number of a page that was chosen."""
    size = file.seek(0, os.SEEK_END)
    with Pillow.open(file, formats=_FORMATS) as image:
        _refuse_bomb(*image.size)
        if image.format in ("JPEG", "MPO") and image.width * image.height > _JPEG_DENSITY * size:
            raise ValueError(f"{size} bytes cannot hold its {image.width} x {image.height} pixels")
        exif = _exif(image.getexif)
        number = frame or 0 if image.format == "TIFF" else chosen(_frames(image), frame)
        if number:
            image.seek(number)
        samples, icc = _samples(image)
    file.seek(0)
    head = file.read(32)
    if is_deep_png(head) and not number:
        samples = png16_samples(head + file.read())
    return samples, icc, exif


def _samples(image: Pillow.Image) -> tuple[Samples, bytes]:
    """The pixels without alpha, and the colour profile where it still holds for them."""
    if image.format == "PPM":
        _refuse_rescaled_ppm(image)
    icc = image.info.get("icc_profile") or b""
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        image, icc = image.convert("RGB"), b""
    elif image.mode in ("P", "PA", "RGBa"):
        image = image.convert("RGBA")
    elif image.mode in ("1", "La"):
        image = image.convert("L" if image.mode == "1" else "LA")
    samples = np.atleast_3d(np.asarray(image))
    samples = samples[..., : 3 if samples.shape[2] > 2 else 1]
    return samples.astype(np.uint16) if image.mode.startswith("I") else samples, icc


def _refuse_rescaled_ppm(image: Pillow.Image) -> None:
    """Pillow stretches counts with another maximum to 65535 and cuts 16-bit colour to 8 bits, both unsaid."""
    options = image.tile[0].args  # type: ignore[attr-defined]
    maximum = options[1] if isinstance(options, tuple) and len(options) == 2 else 255
    if maximum > 255 and not (image.mode == "I" and maximum == 65535):
        raise ValueError(f"its samples go up to {maximum}; save it as 16-bit PNG or TIFF")


def _upright(samples: Samples, orientation: int) -> Samples:
    """Undo one of the eight EXIF orientations; the numbers are those of the standard."""
    if orientation in (5, 6, 7, 8):
        samples = samples.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    return np.ascontiguousarray(samples)


# -------------------------------------------------------------------------------------------- EXIF


def _exif(read: Callable[[], Pillow.Exif]) -> tuple[int, bytes]:
    """The orientation, and the block for the fused file with orientation 1."""
    orientation, kept = 1, Pillow.Exif()
    try:
        exif = read()
        orientation = exif.get(_ORIENTATION, 1)
        for tag in (*_KEPT, *_KEPT_GEO):
            if tag in exif:
                kept[tag] = 1 if tag == _ORIENTATION else exif[tag]
        for tag in (EXIF, GPS):
            directory = dict(exif.get_ifd(tag))
            directory.pop(_INTEROPERABILITY, None)
            if directory:
                kept[tag] = directory
        return orientation, kept.tobytes() if len(kept) else b""
    except Exception:
        return orientation, b""


def _tiff_directory(file: BinaryIO) -> Pillow.Exif:
    """The first directory alone: Pillow cannot open every TIFF whose pixels tifffile reads."""
    file.seek(0)
    head = file.read(16)
    exif = Pillow.Exif()
    exif.endian, exif.bigtiff = "<" if head[:2] == b"II" else ">", b"+" in head[2:4]
    wide = struct.unpack(exif.endian + ("8xQ" if exif.bigtiff else "4xL8x"), head)
    exif.load_from_fp(file, *wide)
    return exif
