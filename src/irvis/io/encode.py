"""Images to files: the suffix decides the format, and a file appears whole or not at all."""

import struct
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from ..errors import IrvisError
from ..files import whole
from ..types import Image, Meta
from .decode import EXIF, GPS, StrPath, reason, within_memory
from .deep import Samples, png_file
from .notes import KEYWORD, MADE, XMP_KEYWORD, comment, with_comment

WRITABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")

PNG_LEVEL = 3
"""Of zlib: a third of the time of its default 6, for files about an eighth larger (640×480 photographs)."""

_PILLOW_NAME = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}
_MAX_SIDE = {".jpg": 65500, ".jpeg": 65500, ".webp": 16383}
_JPEG_EXIF = 65533  # bytes of one marker segment, the two of its length left out
_XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"


def write(path: StrPath, image: Image, meta: Meta = Meta(), *, quality: int = 95) -> None:  # noqa: B008
    """Write `image`, shape (1, 1 or 3, h, w), in the format of the suffix: whole, or not at all.

    `meta.depth` 16 gives 16 bits in PNG and TIFF; the other formats have 8. EXIF, ICC, XMP and the range of the
    infrared (see `notes`) are kept except in BMP, which has no place for them. Where the visible file held no data,
    pixels get its nodata value, and no other pixel has it. `quality` is for JPEG (4:4:4) and WebP (lossy, 4:2:0 by
    nature).
    """
    path = Path(path)
    suffix = path.suffix.lower()
    with within_memory(path):
        _refuse_unwritable(path, image, meta, quality)
    depth = 16 if meta.depth == 16 and suffix in (".png", ".tif", ".tiff") else 8
    try:
        data = _encode(_with_nodata(_quantise(image, depth), meta), suffix, meta, quality)
        with whole(path) as unfinished:
            unfinished.write_bytes(data)
    except Exception as error:
        raise IrvisError(f"{path} cannot be written: {reason(error)}.") from error


def _refuse_unwritable(path: Path, image: Image, meta: Meta, quality: int) -> None:
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise IrvisError(f"{path}: irvis writes {' '.join(WRITABLE)}; end the name in one of these.")
    if not 1 <= quality <= 100:
        raise IrvisError(f"Quality runs from 1 to 100, not {quality}.")
    if image.ndim != 4 or image.shape[0] != 1 or image.shape[1] not in (1, 3):
        raise IrvisError(f"{path}: an image to write has shape (1, 1 or 3, h, w), not {tuple(image.shape)}.")
    if max(image.shape[2:]) > (side := _MAX_SIDE.get(suffix, 2**31 - 1)):
        raise IrvisError(f"{path}: {suffix} holds at most {side} pixels a side; use .png or .tif.")
    if suffix in (".jpg", ".jpeg") and len(meta.exif) > _JPEG_EXIF:
        raise IrvisError(
            f"{path}: {suffix} holds at most {_JPEG_EXIF} bytes of EXIF, not {len(meta.exif)}; use .png or .tif."
        )
    if suffix in (".jpg", ".jpeg") and len(meta.xmp) > (most := _JPEG_EXIF - len(_XMP_HEAD)):
        raise IrvisError(f"{path}: {suffix} holds at most {most} bytes of XMP, not {len(meta.xmp)}; use .png or .tif.")
    if not image.isfinite().all():
        raise IrvisError(f"{path}: the image to write holds NaN or infinite pixels.")


def _quantise(image: Image, depth: int) -> Samples:
    """The nearest of 2^depth levels, halves up; shape (h, w, channels)."""
    pixels = image[0].detach().cpu().double().clamp(0, 1)
    levels = pixels.mul_(2**depth - 1).add_(0.5).int().permute(1, 2, 0)
    return np.ascontiguousarray(levels.numpy(), np.uint8 if depth == 8 else np.uint16)


def _with_nodata(levels: Samples, meta: Meta) -> Samples:
    """Lossless formats keep it; a picture of another size or depth than the visible file has none to keep."""
    full = np.iinfo(levels.dtype).max
    if meta.missing is None or meta.nodata is None or meta.missing.shape[2:] != levels.shape[:2]:
        return levels
    if not 0 <= meta.nodata <= full or (meta.depth == 16) != (full > 255):
        return levels
    value, missing = round(meta.nodata), meta.missing[0, 0].cpu().numpy() > 0
    levels[(levels == value).all(axis=2) & ~missing] = value + 1 if value < full else value - 1
    levels[missing] = value
    return levels


def write_map(path: Path, values: NDArray[np.float32], meta: Meta, about: str) -> None:
    """Write numbers (h, w) as a float32 TIFF, NaN where there is none, with `about` as its description.

    EXIF and GeoTIFF tags are those of `meta`.
    """
    try:
        data = _encode_tiff(np.ascontiguousarray(values[..., None], np.float32), meta, about)
        with whole(path) as unfinished:
            unfinished.write_bytes(data)
    except Exception as error:
        raise IrvisError(f"{path} cannot be written: {reason(error)}.") from error


# ----------------------------------------------------------------------------------------- formats


def _encode(pixels: Samples, suffix: str, meta: Meta, quality: int) -> bytes:
    colours = b"RGB " if pixels.shape[2] == 3 else b"GRAY"
    meta = meta if meta.icc[16:20] == colours else replace(meta, icc=b"")  # a profile of the other kind
    if suffix in (".tif", ".tiff"):
        return _encode_tiff(pixels, meta)
    if pixels.dtype == np.uint16:
        return _encode_png16(pixels, meta)
    exif = meta.exif if suffix == ".png" else with_comment(meta.exif, comment(meta))
    options: dict[str, Any] = {"exif": exif} if exif else {}
    if meta.icc:
        options["icc_profile"] = meta.icc
    if suffix in (".jpg", ".jpeg"):
        options |= {"quality": quality, "subsampling": "4:4:4"}
    if suffix == ".webp":
        options |= {"quality": quality, "xmp": meta.xmp}
    if suffix == ".png":
        options |= {"compress_level": PNG_LEVEL, "pnginfo": _png_texts(meta)}
    buffer = BytesIO()
    image = Pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.save(buffer, _PILLOW_NAME[suffix], **options)
    data = buffer.getvalue()
    return _with_xmp(data, meta.xmp) if suffix in (".jpg", ".jpeg") else data


def _with_xmp(jpeg: bytes, xmp: bytes) -> bytes:
    """The packet in a segment of its own, behind the first (JFIF)."""
    if not xmp:
        return jpeg
    head = 4 + struct.unpack(">H", jpeg[4:6])[0]
    return jpeg[:head] + b"\xff\xe1" + struct.pack(">H", len(_XMP_HEAD) + len(xmp) + 2) + _XMP_HEAD + xmp + jpeg[head:]


def _png_texts(meta: Meta) -> PngInfo:
    texts = PngInfo()
    if meta.xmp:
        texts.add_itxt(XMP_KEYWORD, meta.xmp.decode("utf-8", "replace"))
    for keyword, text in ((MADE, meta.made), (KEYWORD, meta.shown)):
        if text:
            texts.add_text(keyword, text)
    return texts


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
    chunks += [(name, body) for name, body, *_ in _png_texts(meta).chunks]
    return png_file(*chunks, (b"IDAT", zlib.compress(filtered.tobytes(), PNG_LEVEL)))


def _encode_tiff(pixels: Samples, meta: Meta, about: str = "") -> bytes:
    """One strip, Deflate, of integers over differences along the lines, with the EXIF directories of the visible file.

    `about` replaces the description.
    """
    height, width, channels = pixels.shape
    little, is_float = pixels.astype(pixels.dtype.newbyteorder("<")), pixels.dtype.kind == "f"
    if not is_float:
        little[:, 1:] -= pixels[:, :-1]
    data = zlib.compress(little.tobytes())
    exif, tags = Pillow.Exif(), ImageFileDirectory_v2()
    exif.load(with_comment(meta.exif, comment(meta)))
    for tag in exif:
        tags[tag] = exif.get_ifd(tag) if tag in (EXIF, GPS) else exif[tag]
    tags[256], tags[257], tags[258] = width, height, (8 * pixels.itemsize,) * channels
    tags[259], tags[262], tags[277], tags[317] = 8, 2 if channels == 3 else 1, channels, 1 if is_float else 2
    tags[339] = (3 if is_float else 1,) * channels
    tags[273], tags[278], tags[279] = 0, height, len(data)  # Pillow adds the length of the directories to 273
    if is_float:
        tags[42113] = "nan"
    if about:
        tags[270] = about
    if meta.icc:
        tags[34675] = meta.icc
    if meta.xmp:
        tags.tagtype[700] = 1
        tags[700] = meta.xmp
    buffer = BytesIO()
    tags.save(buffer)
    return buffer.getvalue() + data
