"""Small pictures, and what the tests of image files do with them."""

import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms

from irvis.errors import IrvisError

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GRAY_PROFILE = SRGB[:16] + b"GRAY" + SRGB[20:]
LOSSLESS = [".png", ".tif", ".tiff", ".bmp"]
SIZES = st.tuples(st.integers(1, 23), st.integers(1, 23))


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


def ramp(height: int = 24, width: int = 32) -> torch.Tensor:
    """A smooth colour image that lossy formats keep closely."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([x, y, (x + y) / 2])[None]


def array(image: torch.Tensor, full: int = 255) -> np.ndarray:
    dtype = np.uint8 if full == 255 else np.uint16
    return (image[0].permute(1, 2, 0).double() * full + 0.5).floor().numpy().astype(dtype)


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Pillow.fromarray(pixels).save(path, **options)
    return path


def message(call: object, *arguments: object, **options: object) -> str:
    """The text of the IrvisError that the call must raise: one line that ends in a full stop."""
    with pytest.raises(IrvisError) as caught:
        call(*arguments, **options)  # type: ignore[operator]
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def png16(pixels: np.ndarray, kind: int, interlaced: int, seed: int) -> bytes:
    """A PNG made from the specification: every line has a filter of its own, drawn by chance."""
    height, width, channels = pixels.shape
    step = 2 * channels
    chance = random.Random(seed)
    starts = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]
    packed = b""
    for x, y, across, down in starts if interlaced else [(0, 0, 1, 1)]:
        part = pixels[y::down, x::across]
        before = [0] * (part.shape[1] * step)
        for line in part if part.size else []:
            values = list(line.astype(">u2").tobytes())
            method = chance.randrange(5)
            packed += bytes([method])
            for i, value in enumerate(values):
                left = values[i - step] if i >= step else 0
                corner = before[i - step] if i >= step else 0
                packed += bytes([(value - predicted(method, left, before[i], corner)) % 256])
            before = values
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(name, body) for name, body in [(b"IHDR", header), (b"IDAT", zlib.compress(packed)), (b"IEND", b"")]
    )


def predicted(method: int, left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    paeth = min((left, up, corner), key=lambda value: abs(estimate - value))
    return (0, left, up, (left + up) // 2, paeth)[method]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def lzw_tiff(pixels: np.ndarray, predictor: int, order: str) -> bytes:
    """LZW that never refers back: 9-bit codes, cleared before they would grow."""
    height, width, channels = pixels.shape
    samples = pixels.copy()
    if predictor == 2:
        samples[:, 1:] -= pixels[:, :-1]
    raw = samples.astype(f"{order}u2").tobytes()
    codes = [code for i, value in enumerate(raw) for code in ([256, value] if i % 250 == 0 else [value])]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, 16), (259, 3, 1, 5)]
    entries += [(262, 3, 1, 2 if channels > 1 else 1), (273, 4, 1, 0), (277, 3, 1, channels)]
    entries += [(278, 4, 1, height), (279, 4, 1, len(data)), (317, 3, 1, predictor)]
    entries += [(338, 3, 1, 2)] if channels == 4 else []
    start = 8 + 2 + 12 * len(entries) + 4
    table = b""
    for tag, kind, count, value in entries:
        value = {258: start if count > 1 else value, 273: start + 2 * channels}.get(tag, value)
        short = kind == 3 and count == 1
        table += struct.pack(f"{order}HHI", tag, kind, count)
        table += struct.pack(f"{order}HH", value, 0) if short else struct.pack(f"{order}I", value)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(entries))
    return head + table + bytes(4) + struct.pack(f"{order}H", 16) * channels + data


def photo_exif(orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.5), 3: "E", 4: (13.0, 24.0, 18.0)}
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09", 0x829A: 0.01}
    return exif.tobytes()
