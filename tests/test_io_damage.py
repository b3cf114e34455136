"""Files that fail, each in its own words; no mutated file may crash, hang or pass for whole."""

import io
import os
import random
import struct
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image as Pillow

import irvis.io
from irvis.errors import IrvisError
from irvis.io import is_complete, read_infrared, read_pair, read_visible, write
from irvis.thermal import Range
from irvis.types import Meta
from pictures import SRGB, array, chunk, lzw_tiff, message, noise, photo_exif, png16, ramp, save

pytestmark = pytest.mark.filterwarnings("error")


# -------------------------------------------------------------------------------- files that fail


def test_each_way_a_file_can_fail_has_its_own_words(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("a text and no picture\n")
    os.mkfifo(tmp_path / "pipe.png")
    cases = {
        "missing.png": "no such file",
        "empty.png": "empty",
        "text.png": "not an image file",
        ".": "folder",
    }
    for name, words in (cases | {"pipe.png": "no regular file", "nul\0.png": "null"}).items():
        for reader in (read_visible, read_infrared):
            assert words in message(reader, tmp_path / name)
        assert not is_complete(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission_is_refused_in_words(tmp_path):
    save(tmp_path / "a.png", array(ramp())).chmod(0)
    assert "ermission" in message(read_visible, tmp_path / "a.png")


def test_a_denied_file_is_one_line(tmp_path):
    path = save(tmp_path / "a.png", array(ramp()))
    with mock.patch("irvis.io.decode.Path.open", side_effect=PermissionError(13, "Permission denied", str(path))):
        assert "Permission denied" in message(read_visible, path)


def bomb(name: str, width: int, height: int) -> bytes:
    """A small file whose header claims width x height pixels."""
    if name == "png":
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")
    if name == "png16":
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")
    if name == "ppm":
        return b"P6 %d %d 255\n" % (width, height) + bytes(999)
    buffer = io.BytesIO()
    if name == "tif":
        tifffile.imwrite(buffer, np.zeros((8, 8), np.uint16))
        buffer.seek(0)
        with tifffile.TiffFile(buffer, mode="r+") as tiff:
            tiff.pages.first.tags[256].overwrite(width)
            tiff.pages.first.tags[257].overwrite(height)
        return buffer.getvalue()
    Pillow.new("RGB", (8, 8)).save(buffer, {"bmp": "BMP", "jpg": "JPEG"}[name])
    data = bytearray(buffer.getvalue())
    if name == "bmp":
        data[18:26] = struct.pack("<ii", width, height)
    if name == "jpg":
        start = data.index(b"\xff\xc0") + 5
        data[start : start + 4] = struct.pack(">HH", min(height, 65500), min(width, 65500))
    return bytes(data)


@pytest.mark.parametrize("name", ["png", "png16", "ppm", "tif", "bmp", "jpg"])
def test_a_header_that_claims_too_many_pixels_is_refused_with_their_number(tmp_path, name):
    (tmp_path / "a").write_bytes(bomb(name, 50000, 50000))
    start = time.monotonic()
    assert "2500000000" in message(read_visible, tmp_path / "a")
    assert time.monotonic() - start < 1


def test_a_tiff_whose_strips_are_missing_or_short_is_not_complete(tmp_path):
    for pixels in (np.ones((64, 8), np.uint8), np.ones((64, 8), np.uint16), np.ones((64, 8, 3), np.float32)):
        for code, value in ((257, 640), (279, 0), (256, 9), (278, 32)):
            buffer = io.BytesIO()
            photometric = "rgb" if pixels.ndim == 3 else "minisblack"
            tifffile.imwrite(buffer, pixels, photometric=photometric)
            buffer.seek(0)
            with tifffile.TiffFile(buffer, mode="r+") as tiff:
                tiff.pages.first.tags[code].overwrite(value)
            (tmp_path / "a.tif").write_bytes(buffer.getvalue())
            assert not is_complete(tmp_path / "a.tif"), (pixels.dtype, code, value)


def test_a_jpeg_header_that_claims_more_than_its_bytes_can_hold_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(bomb("jpg", 20000, 25000))
    start = time.monotonic()
    assert "cannot hold its 20000 x 25000 pixels" in message(read_visible, tmp_path / "a.jpg")
    assert time.monotonic() - start < 1
    flat = torch.zeros(1, 1, 3000, 3000)  # as dense as a JPEG becomes
    write(tmp_path / "b.jpg", flat, quality=1)
    assert is_complete(tmp_path / "b.jpg")


def test_below_the_limit_a_large_image_is_read_without_a_warning(tmp_path):
    path = tmp_path / "a.png"
    Pillow.new("1", (10000, 9500)).save(path)  # 95 million pixels; Pillow warns at 89 million
    assert is_complete(path)
    with mock.patch("irvis.io.decode.MAX_PIXELS", 90_000_000):
        assert "95000000" in message(read_visible, path)
    assert Pillow.MAX_IMAGE_PIXELS == 1024**3 // 12


def test_a_text_chunk_that_explodes_is_an_error(tmp_path):
    path = save(tmp_path / "a.png", array(ramp()))
    data = path.read_bytes()
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000)))
    path.write_bytes(data[:33] + text + data[33:])
    assert "too large" in message(read_visible, path)


def no_memory_of_torch(*_: object) -> torch.Tensor:
    return torch.empty(10**15)


@pytest.mark.parametrize("failure", [MemoryError("Unable to allocate 1. TiB"), no_memory_of_torch])
@pytest.mark.parametrize("place", ["_tensor", "_is_coloured"])
def test_running_out_of_memory_is_refused_with_advice(tmp_path, failure, place):
    visible = save(tmp_path / "v.png", array(ramp()))
    infrared = save(tmp_path / "i.png", array(ramp()[:, :1])[..., 0])
    with mock.patch(f"irvis.io.{place}", side_effect=failure):
        texts = {visible: message(read_pair, visible, infrared), infrared: message(read_infrared, infrared)}
        if place == "_tensor":
            texts |= {tmp_path: message(read_visible, visible)}
    with mock.patch("irvis.io.decode._upright", side_effect=failure):
        texts |= {tmp_path / "v": message(read_visible, visible)}
    with mock.patch("irvis.io.encode._quantise", side_effect=failure):
        texts |= {tmp_path / "a": message(write, tmp_path / "a.png", ramp())}
    for path, text in texts.items():
        assert str(path) in text
        assert "memory" in text
        assert "make the image smaller" in text


def test_an_error_of_our_own_code_is_not_taken_for_a_lack_of_memory(tmp_path):
    path = save(tmp_path / "v.png", array(ramp()))
    with mock.patch("irvis.io._tensor", side_effect=RuntimeError("shapes differ")), pytest.raises(RuntimeError):
        read_visible(path)


# ------------------------------------------------------------------------------------- mutations


def samples_of_every_format() -> dict[str, bytes]:
    pixels, deep = array(ramp(13, 17)), array(ramp(13, 17), 65535)
    files = {}
    for name, options in {
        "png": {"format": "PNG", "exif": photo_exif(6), "icc_profile": SRGB},
        "jpg": {"format": "JPEG", "exif": photo_exif(6)},
        "progressive.jpg": {"format": "JPEG", "progressive": True},
        "tif": {"format": "TIFF", "exif": photo_exif(6)},
        "lzw.tif": {"format": "TIFF", "compression": "tiff_lzw"},
        "webp": {"format": "WEBP", "exif": photo_exif(6)},
        "lossless.webp": {"format": "WEBP", "lossless": True},
        "bmp": {"format": "BMP"},
        "gif": {"format": "GIF"},
        "ppm": {"format": "PPM"},
    }.items():
        buffer = io.BytesIO()
        Pillow.fromarray(pixels).save(buffer, **options)
        files[name] = buffer.getvalue()
    files["16.png"] = png16(deep, 2, 0, 1)
    files["interlaced16.png"] = png16(deep, 2, 1, 1)
    buffer = io.BytesIO()
    Pillow.fromarray(deep[..., 0]).save(buffer, "PNG")
    files["gray16.png"] = buffer.getvalue()
    for name, options in {"16.tif": {"compression": "zlib", "predictor": True}, "float.tif": {}}.items():
        buffer = io.BytesIO()
        stored = deep if name == "16.tif" else deep.astype(np.float32)
        tifffile.imwrite(buffer, stored, photometric="rgb", **options)
        files[name] = buffer.getvalue()
    files["lzw16.tif"] = lzw_tiff(deep, 2, "<")
    return files


FILES = samples_of_every_format()


def mutated(data: bytes, chance: random.Random) -> bytes:
    kind = chance.randrange(6)
    if kind == 0:
        return data[: chance.randrange(len(data))]
    copy = bytearray(data)
    if kind == 1:  # a run of the file is cut out
        start = chance.randrange(len(data))
        del copy[start : start + chance.randrange(1, 40)]
    elif kind == 2:  # a run is replaced by one value
        start = chance.randrange(len(data))
        copy[start : start + 8] = bytes([chance.choice([0, 255, 127])]) * 8
    elif kind == 3:  # the head, where sizes and counts are
        for _ in range(chance.randrange(1, 4)):
            copy[chance.randrange(min(len(copy), 64))] = chance.randrange(256)
    else:
        for _ in range(chance.choice([1, 1, 3, 20])):
            copy[chance.randrange(len(copy))] = chance.randrange(256)
    return bytes(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_an_irvis_error_or_an_image_and_never_slow(tmp_path, name):
    chance, path = random.Random(name), tmp_path / f"a.{chance_suffix(name)}"
    for _ in range(300):
        path.write_bytes(mutated(FILES[name], chance))
        start = time.monotonic()
        try:
            image, _ = read_visible(path)
        except IrvisError as error:
            image, lines = torch.zeros(1, 3, 1, 1), str(error).count("\n")
        else:
            lines = 0
        assert lines == 0
        assert image.shape[:2] == (1, 3)
        assert bool(((image >= 0) & (image <= 1)).all())
        assert time.monotonic() - start < 5


def chance_suffix(name: str) -> str:
    """Every second format carries a suffix that is not its own."""
    return "jpg" if len(name) % 2 else name.split(".")[-1]


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_infrared_file_is_an_irvis_error_or_an_image(tmp_path, name):
    chance, path = random.Random(name), tmp_path / "a.png"
    for _ in range(40):
        path.write_bytes(mutated(FILES[name], chance))
        try:
            image = read_infrared(path, range=Range(1.0, 99.0, "percent"), color="gray")
        except IrvisError:
            continue
        assert image.shape[:2] == (1, 1)
        assert bool(((image >= 0) & (image <= 1)).all())


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_lost_its_second_half_is_not_complete(tmp_path, name):
    path = tmp_path / "a.png"
    path.write_bytes(FILES[name])
    assert is_complete(path)
    for part in (0.5, 0.6, 0.7):
        path.write_bytes(FILES[name][: int(len(FILES[name]) * part)])
        assert not is_complete(path), part


@pytest.mark.parametrize("suffix", irvis.io.WRITABLE)
@pytest.mark.parametrize("depth", [8, 16])
def test_a_file_we_wrote_is_not_complete_when_cut(tmp_path, suffix, depth):
    path = tmp_path / f"a{suffix}"
    write(path, noise(40, 50), Meta(depth=depth))
    data = path.read_bytes()
    assert is_complete(path)
    for length in (0, 1, 20, len(data) // 3, len(data) - 200):
        path.write_bytes(data[:length])
        assert not is_complete(path), length


def test_reading_in_many_threads_leaves_the_global_settings_as_they_were(tmp_path):
    path = save(tmp_path / "a.png", array(ramp()))
    before = list(warnings.filters), Pillow.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(lambda _: read_visible(path)[0], range(64)))
    assert all(torch.equal(image, images[0]) for image in images)
    assert (list(warnings.filters), Pillow.MAX_IMAGE_PIXELS) == before
