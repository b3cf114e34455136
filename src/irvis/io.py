"""Image files in and out: the only place that knows file formats, channel order, EXIF and alpha.

True of every reader: the content decides the format, not the suffix; EXIF orientation is applied to the
pixels; of several frames the first is read; 16-bit samples keep their 16 bits. Alpha is dropped, never
composited: the colour below it is what the camera measured, and a black background would be structure
that no camera saw. An EXIF block too damaged to read is left out; damaged pixels are an IrvisError.
"""

import logging
import math
import os
import stat
import struct
import threading
import uuid
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from .color import gray
from .errors import IrvisError
from .thermal import Range, to_unit
from .types import RGB, Gray, Image, Meta, Pair

READABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".pgm", ".ppm", ".pnm")
"""Suffixes, lower case, that a folder scan takes for images."""
WRITABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
MAX_PIXELS = 512_000_000
"""A file whose header claims more pixels is refused before memory is taken for them."""
COLOUR_LEVELS = 16
"""Coloured: max(R, G, B) - min(R, G, B) exceeds this many of 255 levels in over 1% of the pixels.

Measured, as the 99th percentile of that spread: gray infrared files of six public sets 0 (a camera's
coloured overlay reaches 47 in 0.1% of the pixels), pseudo-coloured thermal files 240 to 243.
"""

StrPath = str | os.PathLike[str]
Samples = NDArray[Any]
"""(h, w, channels) of uint8, uint16 or float32; 1 or 3 channels."""

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "PPM")
_PILLOW_NAME = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}
_MAX_SIDE = {".jpg": 65500, ".jpeg": 65500, ".webp": 16383}
_FULL = {"uint8": 255, "uint16": 65535}

_ORIENTATION, _EXIF, _GPS, _INTEROPERABILITY = 0x0112, 0x8769, 0x8825, 0xA005
# Of the first directory of an EXIF block or TIFF file, the tags that describe the scene and not how one
# file stores its pixels: description, make, model, resolution, software, date, artist, copyright, the
# texts of Windows, and where a GeoTIFF lies on earth.
_KEPT = (270, 271, 272, _ORIENTATION, 282, 283, 296, 305, 306, 315, 33432, *range(0x9C9B, 0x9CA0))
_KEPT_GEO = (33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113)

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_LIBTIFF_CODECS = (5, 8, 32773, 32946, 34925, 50000)  # LZW, Deflate, PackBits, LZMA and Zstandard
_TIFF_KINDS = (0, 1, 2)  # photometric: white is zero, black is zero, RGB
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {2: 3, 4: 2, 6: 4}  # by colour type: RGB, gray with alpha, RGBA
_JPEG_DENSITY = 1000  # pixels per byte; one bit a block would be 512. libjpeg fills what is missing with gray
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it logs comes as an IrvisError
_global_settings = threading.Lock()


class IrvisWarning(UserWarning):
    """A pair that can be fused but looks like a mistake; the text says what to do."""


@dataclass(frozen=True)
class _Raster:
    """A decoded file, upright."""

    path: Path
    samples: Samples
    exif: bytes
    icc: bytes


# ------------------------------------------------------------------------------------- images in


def read_visible(path: StrPath) -> tuple[RGB, Meta]:
    """The visible image, shape (1, 3, h, w), and what its file says beside its pixels."""
    return _visible(_decode(Path(path)))


def read_infrared(path: StrPath, *, range: Range | None = None, color: Literal["refuse", "gray"] = "refuse") -> Gray:
    """The infrared image, shape (1, 1, h, w).

    8-bit gray (one channel, or three alike) is taken as it is. 16-bit and float files need a `range`; an
    8-bit file follows it too. A pseudo-coloured file is refused: its colours are a palette and no
    temperature. `color="gray"` takes its BT.601 luma all the same.
    """
    return _infrared(_decode(Path(path)), range, color)


def read_pair(
    visible: StrPath,
    infrared: StrPath,
    *,
    name: str | None = None,
    range: Range | None = None,
    color: Literal["refuse", "gray"] = "refuse",
    resize: bool = False,
) -> Pair:
    """A registered pair; `resize` scales the infrared to the visible's size (bicubic, antialiased)."""
    visible_raster, infrared_raster = _decode(Path(visible)), _decode(Path(infrared))
    swapped = _is_coloured(infrared_raster.samples) and not _is_coloured(visible_raster.samples)
    hint = f"{visible} is gray and {infrared} is coloured: if they are swapped, give {infrared} first."
    try:
        infrared_image = _infrared(infrared_raster, range, color)
    except IrvisError as error:
        if swapped:
            raise IrvisError(f"{error} {hint}") from error
        raise
    if swapped:
        warnings.warn(hint, IrvisWarning, stacklevel=2)
    visible_image, meta = _visible(visible_raster)
    height, width = visible_image.shape[2:]
    if infrared_image.shape[2:] != (height, width):
        if not resize:
            raise IrvisError(
                f"{visible} is {width}x{height} and {infrared} is {infrared_image.shape[3]}x"
                f"{infrared_image.shape[2]}: align them first or, if they show the same view, type "
                "--resize-infrared."
            )
        resized = torch.nn.functional.interpolate(infrared_image, (height, width), mode="bicubic", antialias=True)
        infrared_image = resized.clamp(0, 1)
    return Pair(name or Path(visible).stem, visible_image, infrared_image, meta=meta)


def is_complete(path: StrPath) -> bool:
    """True if `path` is an image file that decodes to its last pixel."""
    try:
        _decode(Path(path))
    except IrvisError:
        return False
    return True


def _visible(raster: _Raster) -> tuple[RGB, Meta]:
    samples = raster.samples
    if samples.dtype == np.float32 and not ((samples >= 0) & (samples <= 1)).all():
        raise IrvisError(
            f"{raster.path}: float samples of a visible file must lie in [0, 1], these run from "
            f"{_extremes(samples)}: save it with 8 or 16 bits."
        )
    image = _tensor(samples) / _FULL.get(samples.dtype.name, 1)
    meta = Meta(exif=raster.exif, icc=raster.icc, depth=8 if samples.dtype == np.uint8 else 16)
    return image.expand(1, 3, -1, -1).contiguous(), meta


def _infrared(raster: _Raster, range: Range | None, color: Literal["refuse", "gray"]) -> Gray:
    samples = raster.samples
    if color == "refuse" and _is_coloured(samples):
        raise IrvisError(
            f"{raster.path} is pseudo-coloured: use the camera's grayscale or radiometric output, or type "
            "--infrared-color gray to take its brightness."
        )
    if range is None and samples.dtype != np.uint8:
        raise IrvisError(
            f"{raster.path} holds {samples.dtype} counts from {_extremes(samples)}: say what is black and "
            "what is white, for example --infrared-range 1%,99%."
        )
    counts = gray(_tensor(samples))
    return counts / 255 if range is None else torch.from_numpy(to_unit(counts.numpy(), range))


def _tensor(samples: Samples) -> Image:
    return torch.from_numpy(np.ascontiguousarray(samples.transpose(2, 0, 1), np.float32))[None]


def _extremes(samples: Samples) -> str:
    finite = samples[np.isfinite(samples)]
    if not finite.size:
        return "NaN to NaN"
    low, inner_low, inner_high, high = np.percentile(finite, (0, 1, 99, 100))
    return f"{low:g} to {high:g} (1%: {inner_low:g}, 99%: {inner_high:g})"


def _is_coloured(samples: Samples) -> bool:
    if samples.shape[2] == 1:
        return False
    full = _FULL.get(samples.dtype.name) or float(np.ptp(samples))
    spread = samples.max(axis=2).astype(np.float32) - samples.min(axis=2)
    return bool((spread > COLOUR_LEVELS / 255 * full).mean() > 0.01)


# ---------------------------------------------------------------------------------- files decoded


def _decode(path: Path) -> _Raster:
    with _as_irvis_errors(path), _quiet():
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ValueError("it is a folder" if stat.S_ISDIR(mode) else "it is no regular file")
        with path.open("rb") as file:
            head = file.read(32)
            if not head:
                raise ValueError("it is empty (0 bytes)")
            file.seek(0)
            decode = _decode_tiff if head[:4] in _TIFF else _decode_with_pillow
            samples, icc, (orientation, exif) = decode(file)
            return _Raster(path, _upright(samples, orientation), exif, icc)


@contextmanager
def _as_irvis_errors(path: Path) -> Iterator[None]:
    """Decoders raise anything on a hostile file (struct.error, zlib.error, RecursionError, ...)."""
    try:
        yield
    except FileNotFoundError as error:
        raise IrvisError(f"{path}: no such file.") from error
    except UnidentifiedImageError as error:
        formats = ", ".join(_FORMATS)
        raise IrvisError(f"{path} is not an image file ({formats}), or its start is damaged.") from error
    except Exception as error:
        raise IrvisError(f"{path} cannot be read: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    """One line: what a library says about the file, but not what it says about its own code."""
    if isinstance(error, MemoryError):
        return "it does not fit into memory"
    told = isinstance(error, (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError, zlib.error))
    text = (isinstance(error, OSError) and error.strerror) or (told and str(error)) or "it is damaged"
    return " ".join(text.split()).rstrip(".")


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns from 89 million pixels on, and about odd metadata: fail at MAX_PIXELS, silent below."""
    with _global_settings, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = Pillow.MAX_IMAGE_PIXELS
        Pillow.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow's error comes at twice this number
        try:
            yield
        finally:
            Pillow.MAX_IMAGE_PIXELS = before


_Decoded = tuple[Samples, bytes, tuple[int, bytes]]
"""Samples as stored, ICC profile, (orientation, EXIF block)."""


def _decode_with_pillow(file: BinaryIO) -> _Decoded:
    size = file.seek(0, os.SEEK_END)
    with Pillow.open(file, formats=_FORMATS) as image:
        _refuse_bomb(*image.size)
        if image.format in ("JPEG", "MPO") and image.width * image.height > _JPEG_DENSITY * size:
            raise ValueError(f"{size} bytes cannot hold its {image.width} x {image.height} pixels")
        samples, icc = _samples(image)
        exif = _exif(image.getexif)
    file.seek(0)
    head = file.read(32)
    if head.startswith(_PNG) and head[24] == 16 and head[25] in _PNG_CHANNELS:  # Pillow keeps 8 bits
        samples = _decode_png16(head + file.read())
    return samples, icc, exif


def _refuse_bomb(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(f"its {width} x {height} = {width * height} pixels are over the limit of {MAX_PIXELS}")


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


def _exif(read: Callable[[], Pillow.Exif]) -> tuple[int, bytes]:
    """The orientation, and the block for the fused file with orientation 1."""
    orientation, kept = 1, Pillow.Exif()
    try:
        exif = read()
        orientation = exif.get(_ORIENTATION, 1)
        for tag in (*_KEPT, *_KEPT_GEO):
            if tag in exif:
                kept[tag] = 1 if tag == _ORIENTATION else exif[tag]
        for tag in (_EXIF, _GPS):
            directory = dict(exif.get_ifd(tag))
            directory.pop(_INTEROPERABILITY, None)
            if directory:
                kept[tag] = directory
        return orientation, kept.tobytes() if len(kept) else b""
    except Exception:
        return orientation, b""


# -------------------------------------------------------------------- what Pillow cuts to 8 bits


def _decode_tiff(file: BinaryIO) -> _Decoded:
    with tifffile.TiffFile(file) as tiff:
        page: Any = tiff.pages.first
        _refuse_bomb(page.imagewidth, page.imagelength)
        if page.samplesperpixel > 4:
            raise ValueError(f"it has {page.samplesperpixel} bands; save three of them, or one")
        needed = math.prod(page.chunked)
        if len(page.dataoffsets) < needed or 0 in page.databytecounts[:needed]:  # else filled with black
            raise ValueError(f"some of its {needed} strips or tiles are missing")
        if page.dtype is None or page.dtype.name in ("bool", "uint8"):
            file.seek(0)
            return _decode_with_pillow(file)
        samples, icc = _deep_tiff_samples(page, file), bytes(page.iccprofile or b"")
    return samples, icc, _exif(lambda: _tiff_directory(file))


def _deep_tiff_samples(page: Any, file: BinaryIO) -> Samples:
    """Integers over 8 bits as uint16, where they are that, and all others as float32."""
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
    if page.photometric == 0 and page.dtype.kind == "u":
        samples = np.iinfo(page.dtype).max - samples
    return samples.astype(np.uint16 if page.dtype == np.uint16 else np.float32)


def _through_libtiff(page: Any, file: BinaryIO) -> Samples:
    """Samples of any width through the codecs of Pillow's libtiff (LZW and others that tifffile lacks).

    libtiff is shown the file as 8-bit gray, one pixel per byte; the bytes are read as samples afterwards.
    """
    width, height, channels = page.imagewidth, page.imagelength, page.samplesperpixel
    bits = 8 * page.dtype.itemsize
    known = page.compression in _LIBTIFF_CODECS and page.predictor in (1, 2)
    if not known or page.planarconfig != 1 or page.bitspersample != bits:
        raise ValueError(f"{page.compression.name} samples of this kind need pip install imagecodecs")
    pixel, tile = channels * page.dtype.itemsize, page.tilewidth if page.is_tiled else width
    as_bytes = {256: width * pixel, 322: tile * pixel, 258: 8, 262: 1, 277: 1, 317: 1, 338: 1, 339: 1}
    file.seek(0)
    copy = BytesIO(file.read())
    with tifffile.TiffFile(copy, mode="r+") as tiff:
        tags: Any = tiff.pages.first.tags
        for code, value in as_bytes.items():
            if code in tags:
                tags[code].overwrite(value)
        if 338 in tags:  # gray has no extra samples: the entry becomes a harmless one, NumberOfInks
            copy.seek(tags[338].offset)
            copy.write(struct.pack(f"{tiff.byteorder}H", 334))
    with Pillow.open(copy, formats=("TIFF",)) as image:
        samples = np.array(image).view(page.dtype.newbyteorder(tiff.byteorder))
    samples = samples.reshape(height, width, channels)
    for left in range(0, width if page.predictor == 2 else 0, tile):
        block = samples[:, left : left + tile]
        block[:] = np.cumsum(block, axis=1, dtype=page.dtype)
    return np.asarray(samples)


def _tiff_directory(file: BinaryIO) -> Pillow.Exif:
    """The first directory alone: Pillow cannot open every TIFF whose pixels tifffile reads."""
    file.seek(0)
    head = file.read(16)
    exif = Pillow.Exif()
    exif.endian, exif.bigtiff = "<" if head[:2] == b"II" else ">", b"+" in head[2:4]
    wide = struct.unpack(exif.endian + ("8xQ" if exif.bigtiff else "4xL8x"), head)
    exif.load_from_fp(file, *wide)
    return exif


def _decode_png16(data: bytes) -> Samples:
    """16-bit colour PNG at full depth.

    PNG filters never mix the high and the low bytes of samples. So the high bytes alone, each line with
    its filter type, are an 8-bit PNG that Pillow decodes, and so are the low bytes.
    """
    width, height, _, kind, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
    steps = _ADAM7 if interlace else ((0, 0, 1, 1),)
    lines = [
        1 + len(range(x, width, across)) * 2 * _PNG_CHANNELS[kind]
        for x, y, across, down in steps
        for _ in range(y, height, down)
        if x < width
    ]
    unpacked = zlib.decompressobj().decompress(_png_pixels(data), sum(lines))
    if len(unpacked) != sum(lines):
        raise ValueError("its last pixels are missing")
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, interlace)
    high, low = (
        np.asarray(Pillow.open(BytesIO(_png((b"IHDR", header), (b"IDAT", half)))))
        for half in _split_bytes(unpacked, lines)
    )
    samples: Samples = high.astype(np.uint16) << 8 | low
    return samples[..., : 1 if kind == 4 else 3]


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


# ------------------------------------------------------------------------------------ files out


def write(path: StrPath, image: Image, meta: Meta = Meta(), *, quality: int = 95) -> None:  # noqa: B008
    """Write `image`, shape (1, 1 or 3, h, w), in the format of the suffix: whole, or not at all.

    `meta.depth` 16 gives 16 bits in PNG and TIFF; the other formats have 8. EXIF and ICC are kept except
    in BMP, which has no place for them. `quality` is for JPEG (4:4:4) and WebP (lossy, 4:2:0 by nature).
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise IrvisError(f"{path}: irvis writes {' '.join(WRITABLE)}; end the name in one of these.")
    if not 1 <= quality <= 100:
        raise IrvisError(f"Quality runs from 1 to 100, not {quality}.")
    if image.ndim != 4 or image.shape[0] != 1 or image.shape[1] not in (1, 3):
        raise IrvisError(f"{path}: an image to write has shape (1, 1 or 3, h, w), not {tuple(image.shape)}.")
    if max(image.shape[2:]) > (side := _MAX_SIDE.get(suffix, 2**31 - 1)):
        raise IrvisError(f"{path}: {suffix} holds at most {side} pixels a side; use .png or .tif.")
    if not image.isfinite().all():
        raise IrvisError(f"{path}: the image to write holds NaN or infinite pixels.")
    depth = 16 if meta.depth == 16 and suffix in (".png", ".tif", ".tiff") else 8
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, _encode(_quantise(image, depth), suffix, meta, quality))
    except Exception as error:
        raise IrvisError(f"{path} cannot be written: {_reason(error)}.") from error


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _quantise(image: Image, depth: int) -> Samples:
    """The nearest of 2^depth levels, halves up; shape (h, w, channels)."""
    pixels = image[0].detach().cpu().double().clamp(0, 1)
    levels = pixels.mul_(2**depth - 1).add_(0.5).int().permute(1, 2, 0)
    return np.ascontiguousarray(levels.numpy(), np.uint8 if depth == 8 else np.uint16)


def _encode(pixels: Samples, suffix: str, meta: Meta, quality: int) -> bytes:
    colours = b"RGB " if pixels.shape[2] == 3 else b"GRAY"
    meta = meta if meta.icc[16:20] == colours else replace(meta, icc=b"")  # a profile of the other kind
    if suffix in (".tif", ".tiff"):
        return _encode_tiff(pixels, meta)
    if pixels.dtype == np.uint16:
        return _encode_png16(pixels, meta)
    options: dict[str, Any] = {"exif": meta.exif} if meta.exif else {}
    if meta.icc:
        options["icc_profile"] = meta.icc
    if suffix in (".jpg", ".jpeg"):
        options |= {"quality": quality, "subsampling": "4:4:4"}
    if suffix == ".webp":
        options["quality"] = quality
    buffer = BytesIO()
    image = Pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.save(buffer, _PILLOW_NAME[suffix], **options)
    return buffer.getvalue()


def _encode_png16(pixels: Samples, meta: Meta) -> bytes:
    height, width, channels = pixels.shape
    lines = pixels.astype(">u2").view(np.uint8).reshape(height, -1)
    lines[:, 2 * channels :] -= lines[:, : -2 * channels].copy()
    filtered = np.concatenate([np.ones((height, 1), np.uint8), lines], axis=1)  # 1: the filter Sub
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2 if channels == 3 else 0, 0, 0, 0))]
    if meta.icc:
        chunks.append((b"iCCP", b"ICC\0\0" + zlib.compress(meta.icc)))
    if meta.exif:
        chunks.append((b"eXIf", meta.exif.removeprefix(b"Exif\0\0")))
    return _png(*chunks, (b"IDAT", zlib.compress(filtered.tobytes())))


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    return _PNG + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in (*chunks, (b"IEND", b""))
    )


def _encode_tiff(pixels: Samples, meta: Meta) -> bytes:
    """One strip, Deflate over differences along the lines, with the EXIF directories of the visible file."""
    height, width, channels = pixels.shape
    little = pixels.astype(pixels.dtype.newbyteorder("<"))
    little[:, 1:] -= pixels[:, :-1]
    data = zlib.compress(little.tobytes())
    exif, tags = Pillow.Exif(), ImageFileDirectory_v2()
    exif.load(meta.exif)
    for tag in exif:
        tags[tag] = exif.get_ifd(tag) if tag in (_EXIF, _GPS) else exif[tag]
    tags[256], tags[257], tags[258] = width, height, (8 * pixels.itemsize,) * channels
    tags[259], tags[262], tags[277], tags[317] = 8, 2 if channels == 3 else 1, channels, 2
    tags[273], tags[278], tags[279] = 0, height, len(data)  # Pillow adds the length of the directories to 273
    if meta.icc:
        tags[34675] = meta.icc
    buffer = BytesIO()
    tags.save(buffer)
    return buffer.getvalue() + data
