"""Images to files: the suffix decides the format, and a file appears whole or not at all."""

import struct
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from ..errors import IrvisError
from ..files import whole
from ..types import Image, Meta
from .decode import EXIF, GPS, StrPath, reason, within_memory
from .deep import Samples, png_file

WRITABLE = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")

PNG_LEVEL = 3
"""Of zlib: a third of the time of its default 6, for files about an eighth larger (640×480 photographs)."""

_PILLOW_NAME = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}
_MAX_SIDE = {".jpg": 65500, ".jpeg": 65500, ".webp": 16383}
_JPEG_EXIF = 65533  # bytes of one marker segment, the two of its length left out


def write(path: StrPath, image: Image, meta: Meta = Meta(), *, quality: int = 95) -> None:  # noqa: B008
    """Write `image`, shape (1, 1 or 3, h, w), in the format of the suffix: whole, or not at all.

    `meta.depth` 16 gives 16 bits in PNG and TIFF; the other formats have 8. EXIF and ICC are kept except
    in BMP, which has no place for them. `quality` is for JPEG (4:4:4) and WebP (lossy, 4:2:0 by nature).
    """
    path = Path(path)
    suffix = path.suffix.lower()
    with within_memory(path):
        _refuse_unwritable(path, image, meta, quality)
    depth = 16 if meta.depth == 16 and suffix in (".png", ".tif", ".tiff") else 8
    try:
        data = _encode(_quantise(image, depth), suffix, meta, quality)
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
    if not image.isfinite().all():
        raise IrvisError(f"{path}: the image to write holds NaN or infinite pixels.")


def _quantise(image: Image, depth: int) -> Samples:
    """The nearest of 2^depth levels, halves up; shape (h, w, channels)."""
    pixels = image[0].detach().cpu().double().clamp(0, 1)
    levels = pixels.mul_(2**depth - 1).add_(0.5).int().permute(1, 2, 0)
    return np.ascontiguousarray(levels.numpy(), np.uint8 if depth == 8 else np.uint16)


# ----------------------------------------------------------------------------------------- formats


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
    if suffix == ".png":
        options["compress_level"] = PNG_LEVEL
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
    return png_file(*chunks, (b"IDAT", zlib.compress(filtered.tobytes(), PNG_LEVEL)))


def _encode_tiff(pixels: Samples, meta: Meta) -> bytes:
    """One strip, Deflate over differences along the lines, with the EXIF directories of the visible file."""
    height, width, channels = pixels.shape
    little = pixels.astype(pixels.dtype.newbyteorder("<"))
    little[:, 1:] -= pixels[:, :-1]
    data = zlib.compress(little.tobytes())
    exif, tags = Pillow.Exif(), ImageFileDirectory_v2()
    exif.load(meta.exif)
    for tag in exif:
        tags[tag] = exif.get_ifd(tag) if tag in (EXIF, GPS) else exif[tag]
    tags[256], tags[257], tags[258] = width, height, (8 * pixels.itemsize,) * channels
    tags[259], tags[262], tags[277], tags[317] = 8, 2 if channels == 3 else 1, channels, 2
    tags[273], tags[278], tags[279] = 0, height, len(data)  # Pillow adds the length of the directories to 273
    if meta.icc:
        tags[34675] = meta.icc
    buffer = BytesIO()
    tags.save(buffer)
    return buffer.getvalue() + data
