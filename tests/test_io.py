import io
import os
import random
import struct
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms

import irvis.io
from irvis.errors import IrvisError
from irvis.io import IrvisWarning, is_complete, read_infrared, read_pair, read_visible, write
from irvis.thermal import Range
from irvis.types import Meta

pytestmark = pytest.mark.filterwarnings("error")
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


# ---------------------------------------------------------------------------------- round trips


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
@settings(max_examples=12, deadline=None)
@given(size=SIZES, seed=st.integers(0, 9))
def test_what_is_written_without_loss_reads_back_to_the_nearest_level(
    tmp_path_factory, suffix, depth, channels, size, seed
):
    path = tmp_path_factory.mktemp("round") / f"fused{suffix}"
    image = noise(*size, channels, seed)
    write(path, image, Meta(depth=depth))
    read, meta = read_visible(path)
    full = 65535 if depth == 16 and suffix != ".bmp" else 255
    assert meta.depth == (16 if full == 65535 else 8)
    assert read.shape == (1, 3, *size)
    np.testing.assert_array_equal(array(read, full), array(image.expand(1, 3, -1, -1), full))


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_smooth_image_survives_a_lossy_format(tmp_path, suffix, channels):
    image = ramp()[:, :channels]
    write(tmp_path / f"fused{suffix}", image, Meta(depth=16))
    read, meta = read_visible(tmp_path / f"fused{suffix}")
    assert meta.depth == 8
    assert (read - image).abs().max() < 0.05


@pytest.mark.parametrize("depth", [8, 16])
def test_levels_are_rounded_to_the_nearest_and_halves_up(tmp_path, depth):
    full = 2**depth - 1
    image = torch.tensor([[0.0, 0.5 / full, 0.49 / full, 1.5 / full, 1.0, 1 - 0.5 / full, -0.1, 1.1]])
    write(tmp_path / "a.png", image.double().float()[None, None], Meta(depth=depth))
    with Pillow.open(tmp_path / "a.png") as written:
        assert np.asarray(written)[0, [0, 2, 4, 6, 7]].tolist() == [0, 0, full, 0, full]
    half = torch.full((1, 1, 1, 1), 0.5)  # exactly between two levels, for both depths
    write(tmp_path / "half.png", half, Meta(depth=depth))
    with Pillow.open(tmp_path / "half.png") as written:
        assert np.asarray(written).item() == (full + 1) // 2


def test_every_16_bit_level_survives_a_round_trip(tmp_path):
    levels = torch.arange(65536).view(1, 1, 256, 256) / 65535
    for name in ("a.png", "a.tif"):
        write(tmp_path / name, levels, Meta(depth=16))
        assert torch.equal(read_visible(tmp_path / name)[0][:, :1], levels)


def test_jpeg_keeps_colour_at_full_resolution(tmp_path):
    write(tmp_path / "a.jpg", noise(16, 16))
    with Pillow.open(tmp_path / "a.jpg") as image:
        assert [component[1:3] for component in image.layer] == [(1, 1)] * 3


def test_other_programs_read_our_16_bit_files_as_we_wrote_them(tmp_path):
    image = noise(5, 7)
    write(tmp_path / "a.tif", image, Meta(depth=16, icc=SRGB))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), array(image, 65535))
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert tiff.pages.first.iccprofile == SRGB
    write(tmp_path / "a.png", image, Meta(depth=16))
    with Pillow.open(tmp_path / "a.png") as png:  # Pillow shows the high bytes
        np.testing.assert_array_equal(np.asarray(png), (array(image, 65535) >> 8).astype(np.uint8))


# -------------------------------------------------------------------------------- modes, depths


MODES = ["1 a.png", "L a.png", "LA a.png", "P a.png", "RGB a.png", "RGBA a.png", "P a.gif", "RGBA a.webp"]
MODES += ["1 a.tif", "L a.tif", "LA a.tif", "P a.tif", "RGB a.tif", "RGBA a.tif", "CMYK a.tif", "YCbCr a.tif"]
MODES += ["LAB a.tif", "L a.bmp", "P a.bmp", "RGB a.bmp", "1 a.pbm", "L a.pgm", "RGB a.ppm"]


@pytest.mark.parametrize(
    ("mode", "name"),
    [entry.split() for entry in MODES],
)
def test_every_mode_reads_as_what_pillow_shows_in_rgb(tmp_path, mode, name):
    rgb = Pillow.fromarray(array(ramp()))
    image = Pillow.merge("LAB", rgb.split()) if mode == "LAB" else rgb.convert(mode)
    image.save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
    read, meta = read_visible(tmp_path / name)
    with Pillow.open(tmp_path / name) as shown:
        np.testing.assert_array_equal(array(read), np.asarray(shown.convert("RGBA").convert("RGB")))
    assert meta.depth == 8


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_16_bit_gray_reads_at_full_depth(tmp_path, name):
    gray = array(ramp(), 65535)[..., 0]
    read, meta = read_visible(save(tmp_path / name, gray))
    assert meta.depth == 16
    np.testing.assert_array_equal(array(read, 65535), np.broadcast_to(gray[..., None], (24, 32, 3)))


@pytest.mark.parametrize("transparency", [3, bytes(range(0, 250, 10))])
def test_a_palette_with_transparency_keeps_its_colours(tmp_path, transparency):
    palette = Pillow.fromarray(array(ramp())).quantize(25)
    palette.save(tmp_path / "a.png", transparency=transparency)
    np.testing.assert_array_equal(array(read_visible(tmp_path / "a.png")[0]), np.asarray(palette.convert("RGB")))


def test_colour_below_full_transparency_is_kept(tmp_path):
    pixels = np.full((2, 3, 4), 200, np.uint8)
    pixels[..., 3] = 0
    assert (array(read_visible(save(tmp_path / "a.png", pixels))[0]) == 200).all()


def test_a_cmyk_jpeg_becomes_rgb_and_drops_its_profile(tmp_path):
    cmyk = Pillow.fromarray(array(ramp())).convert("CMYK")
    cmyk.save(tmp_path / "a.jpg", quality=100, icc_profile=SRGB[:16] + b"CMYK" + SRGB[20:])
    read, meta = read_visible(tmp_path / "a.jpg")
    assert (read - ramp()).abs().max() < 0.06
    assert meta.icc == b""


@pytest.mark.parametrize("kind", [2, 4, 6])
@pytest.mark.parametrize("interlaced", [0, 1])
@settings(max_examples=15, deadline=None)
@given(size=SIZES, seed=st.integers(0, 99))
def test_16_bit_colour_png_reads_at_full_depth(tmp_path_factory, kind, interlaced, size, seed):
    channels = {2: 3, 4: 2, 6: 4}[kind]
    pixels = np.random.default_rng(seed).integers(0, 65536, (*size, channels), np.uint16)
    path = tmp_path_factory.mktemp("png") / "a.png"
    path.write_bytes(png16(pixels, kind, interlaced, seed))
    visible = pixels[..., : 1 if kind == 4 else 3]
    read, meta = read_visible(path)
    assert meta.depth == 16
    np.testing.assert_array_equal(array(read, 65535), np.broadcast_to(visible, (*size, 3)))


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


DEEP_TIFFS = [
    {"compression": None},
    {"compression": "zlib", "predictor": True},
    {"compression": "zlib", "tile": (16, 16)},
    {"compression": "lzma"},
    {"bigtiff": True},
    {"byteorder": ">"},
    {"planarconfig": "separate"},
]


@pytest.mark.parametrize("options", DEEP_TIFFS, ids=str)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bit_tiff_reads_at_full_depth(tmp_path, options, channels):
    pixels = np.random.default_rng(0).integers(0, 65536, (21, 37, channels), np.uint16)
    stored = pixels[..., 0] if channels == 1 else pixels
    photometric = "minisblack" if channels == 1 else "rgb"
    if "planarconfig" in options and channels > 1:
        stored = pixels.transpose(2, 0, 1)
    elif "planarconfig" in options:
        options = {}  # one plane has no order of planes
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=photometric, **options, **extra)
    read, meta = read_visible(tmp_path / "a.tif")
    assert meta.depth == 16
    np.testing.assert_array_equal(array(read, 65535), np.broadcast_to(pixels[..., :3], (21, 37, 3)))


@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_lzw_tiff_reads_at_full_depth(tmp_path, predictor, channels, order):
    pixels = np.random.default_rng(0).integers(0, 65536, (9, 37, channels), np.uint16)
    (tmp_path / "a.tif").write_bytes(lzw_tiff(pixels, predictor, order))
    read, _ = read_visible(tmp_path / "a.tif")
    np.testing.assert_array_equal(array(read, 65535), np.broadcast_to(pixels[..., :3], (9, 37, 3)))


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_a_float_visible_in_the_unit_interval_is_taken_and_any_other_refused(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.linspace(0, 1, 12, dtype=dtype).reshape(3, 4))
    read, meta = read_visible(tmp_path / "a.tif")
    assert meta.depth == 16
    np.testing.assert_allclose(read[0, 1].numpy().ravel(), np.linspace(0, 1, 12), atol=1e-3)
    tifffile.imwrite(tmp_path / "b.tif", np.array([[0, 2], [np.nan, 1]], dtype))
    assert "0 to 2" in message(read_visible, tmp_path / "b.tif")


@pytest.mark.parametrize("maximum", [4095, 65535])
def test_a_pgm_is_read_count_by_count_or_refused(tmp_path, maximum):
    counts = np.array([[0, 1000, 4095]], ">u2")
    (tmp_path / "a.pgm").write_bytes(b"P5 3 1 %d\n" % maximum + counts.tobytes())
    if maximum == 65535:
        unit = read_infrared(tmp_path / "a.pgm", range=Range(0.0, 4095.0))
        torch.testing.assert_close(unit, torch.tensor([[[[0, 1000 / 4095, 1]]]]))
    else:
        assert "4095" in message(read_infrared, tmp_path / "a.pgm", range=Range(0.0, 4095.0))


def test_a_16_bit_colour_ppm_is_refused_and_not_cut_to_8_bits(tmp_path):
    (tmp_path / "a.ppm").write_bytes(b"P6 1 1 65535\n" + bytes(6))
    assert "16-bit PNG or TIFF" in message(read_visible, tmp_path / "a.ppm")


def test_of_several_frames_the_first_is_read(tmp_path):
    frames = [Pillow.fromarray(np.full((4, 5, 3), value, np.uint8)) for value in (10, 200)]
    for name in ("a.gif", "a.tif", "a.webp", "a.png"):
        options = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        assert (array(read_visible(tmp_path / name)[0]) == 10).all()
    tifffile.imwrite(tmp_path / "deep.tif", np.stack([np.full((4, 5), v, np.uint16) for v in (10, 200)]))
    assert (array(read_visible(tmp_path / "deep.tif")[0], 65535) == 10).all()


def test_the_content_decides_the_format_and_not_the_suffix(tmp_path):
    save(tmp_path / "a.png", array(ramp())).rename(tmp_path / "a.jpg")
    assert torch.equal(
        read_visible(tmp_path / "a.jpg")[0],
        torch.from_numpy(array(ramp()) / 255).float().permute(2, 0, 1)[None],
    )


# ----------------------------------------------------------------------------------- EXIF, ICC

CORNERS = np.zeros((16, 32, 3), np.uint8)  # JPEG keeps it, because its borders lie between blocks
CORNERS[:8, :16], CORNERS[:8, 16:], CORNERS[8:, :16] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
# How a camera stores the upright picture CORNERS for each orientation of the EXIF standard: where the first
# stored row and the first stored column lie in the upright picture.
STORED = {
    1: CORNERS,  # row 0 top, column 0 left
    2: CORNERS[:, ::-1],  # top, right
    3: CORNERS[::-1, ::-1],  # bottom, right
    4: CORNERS[::-1],  # bottom, left
    5: CORNERS.transpose(1, 0, 2),  # left, top
    6: CORNERS[:, ::-1].transpose(1, 0, 2),  # right, top
    7: CORNERS[::-1, ::-1].transpose(1, 0, 2),  # right, bottom
    8: CORNERS[::-1].transpose(1, 0, 2),  # left, bottom
}


def photo_exif(orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.5), 3: "E", 4: (13.0, 24.0, 18.0)}
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09", 0x829A: 0.01}
    return exif.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("source", ["jpg", "png", "webp", "tif"])
def test_orientation_turns_the_pixels_upright_and_gps_reaches_the_fused_file(tmp_path, orientation, source):
    path = tmp_path / f"visible.{source}"
    options = {"lossless": True} if source == "webp" else {"quality": 95, "subsampling": 0} if source == "jpg" else {}
    save(path, np.ascontiguousarray(STORED[orientation]), exif=photo_exif(orientation), **options)
    visible, meta = read_visible(path)
    assert np.abs(array(visible).astype(int) - CORNERS).max() < 4
    for name in ("a.jpg", "a.png", "a.webp", "a.tif"):
        for depth in (8, 16):
            write(tmp_path / name, visible, Meta(exif=meta.exif, depth=depth))
            with Pillow.open(tmp_path / name) as fused:
                exif = fused.getexif()
                assert exif.get(0x0112, 1) == 1
                assert exif[0x010F] == "Maker"
                assert exif.get_ifd(0x8825)[2] == (52.0, 31.0, 12.5)
                assert exif.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
                assert fused.size == (32, 16)
            assert read_visible(tmp_path / name)[1].exif == meta.exif


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_also_turns_infrared_and_16_bit_files(tmp_path, orientation):
    upright = array(ramp(6, 9), 65535)
    turned = {1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1]}
    turned |= {5: upright, 6: upright[:, ::-1], 7: upright[::-1, ::-1], 8: upright[::-1]}
    stored = turned[orientation].transpose(1, 0, 2) if orientation > 4 else turned[orientation]
    for name, extra in (("a.tif", {}), ("big.tif", {"bigtiff": True})):
        tags = [(274, 3, 1, orientation, True)]
        tifffile.imwrite(tmp_path / name, stored[..., 0], extratags=tags, photometric="minisblack", **extra)
        read = read_infrared(tmp_path / name, range=Range(0.0, 65535.0))
        np.testing.assert_array_equal(array(read, 65535)[..., 0], upright[..., 0])
        tifffile.imwrite(tmp_path / name, stored, extratags=tags, photometric="rgb", **extra)
        np.testing.assert_array_equal(array(read_visible(tmp_path / name)[0], 65535), upright)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_outside_the_standard_turns_nothing(tmp_path, orientation):
    save(tmp_path / "a.png", CORNERS, exif=photo_exif(orientation))
    np.testing.assert_array_equal(array(read_visible(tmp_path / "a.png")[0]), CORNERS)


@pytest.mark.parametrize(
    "damage", [b"Exif\0\0II*\0", b"Exif\0\0garbage!", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 60]
)
def test_a_damaged_exif_block_does_not_cost_the_picture(tmp_path, damage):
    save(tmp_path / "a.jpg", array(ramp()), exif=damage)
    read, meta = read_visible(tmp_path / "a.jpg")
    write(tmp_path / "b.jpg", read, meta)
    assert is_complete(tmp_path / "b.jpg")


@pytest.mark.parametrize("source", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("fused", ["b.jpg", "b.png", "b.webp", "b.tif"])
@pytest.mark.parametrize("depth", [8, 16])
def test_the_colour_profile_reaches_the_fused_file(tmp_path, source, fused, depth):
    image, meta = read_visible(save(tmp_path / source, array(ramp()), icc_profile=SRGB))
    write(tmp_path / fused, image, Meta(icc=meta.icc, depth=depth))
    with Pillow.open(tmp_path / fused) as written:
        assert written.info["icc_profile"] == SRGB
    assert read_visible(tmp_path / fused)[1].icc == SRGB


def test_a_gray_profile_stays_out_of_a_colour_file_and_the_other_way_round(tmp_path):
    for channels, profile, kept in ((1, GRAY_PROFILE, True), (3, GRAY_PROFILE, False), (1, SRGB, False)):
        write(tmp_path / "a.png", noise(3, 4, channels), Meta(icc=profile))
        with Pillow.open(tmp_path / "a.png") as written:
            assert ("icc_profile" in written.info) == kept


def test_the_place_of_a_geotiff_reaches_the_fused_tiff(tmp_path):
    tags = [(33550, 12, 3, (0.5, 0.5, 0.0), True), (34735, 3, 4, (1, 1, 0, 0), True)]
    tifffile.imwrite(tmp_path / "a.tif", array(ramp(), 65535), photometric="rgb", extratags=tags)
    image, meta = read_visible(tmp_path / "a.tif")
    write(tmp_path / "b.tif", image, meta)
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.pages.first.tags[33550].value == (0.5, 0.5, 0.0)
        assert tiff.pages.first.tags[34735].value == (1, 1, 0, 0)


# ------------------------------------------------------------------------------------- infrared


def test_gray_with_a_little_chroma_is_gray(tmp_path):
    base = np.random.default_rng(0).integers(20, 235, (40, 50, 1))
    chroma = np.random.default_rng(1).integers(-4, 5, (40, 50, 3))
    save(tmp_path / "a.jpg", (base + chroma).astype(np.uint8), quality=75)
    read = read_infrared(tmp_path / "a.jpg")
    assert read.shape == (1, 1, 40, 50)


@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "RGBA", "P"])
def test_gray_in_any_mode_gives_the_same_infrared(tmp_path, mode):
    gray = array(ramp()[:, :1])[..., 0]
    Pillow.fromarray(gray).convert(mode).save(tmp_path / "a.png")
    np.testing.assert_array_equal(array(read_infrared(tmp_path / "a.png"))[..., 0], gray)


def test_a_small_coloured_overlay_does_not_make_an_image_coloured(tmp_path):
    pixels = np.full((100, 100, 3), 90, np.uint8)
    pixels[:9, :11] = (255, 0, 0)  # 0.99% of the pixels
    assert read_infrared(save(tmp_path / "a.png", pixels)).shape == (1, 1, 100, 100)
    pixels[:11, :11] = (255, 0, 0)  # 1.21%
    assert "pseudo-coloured" in message(read_infrared, save(tmp_path / "b.png", pixels))


def test_pseudo_colour_is_refused_with_advice_and_gray_takes_its_luma(tmp_path):
    path = save(tmp_path / "a.png", np.full((4, 5, 3), (255, 128, 0), np.uint8))
    text = message(read_infrared, path)
    assert "radiometric" in text
    assert "--infrared-color gray" in text
    luma = (0.299 * 255 + 0.587 * 128) / 255
    torch.testing.assert_close(read_infrared(path, color="gray"), torch.full((1, 1, 4, 5), luma))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_counts_without_a_range_are_refused_and_the_text_names_them(tmp_path, name):
    counts = np.arange(7000, 7101, dtype=np.uint16)[None]
    tifffile.imwrite(tmp_path / name, counts) if name == "a.tif" else save(tmp_path / name, counts)
    text = message(read_infrared, tmp_path / name)
    for part in ("7000", "7100", "7001", "7099", "uint16", "--infrared-range 1%,99%"):
        assert part in text
    unit = read_infrared(tmp_path / name, range=Range(7000.0, 7100.0))
    torch.testing.assert_close(unit[0, 0, 0], torch.linspace(0, 1, 101))


def test_a_16_bit_file_of_small_counts_is_still_16_bit(tmp_path):
    assert "0 to 255" in message(read_infrared, save(tmp_path / "a.png", np.array([[0, 255]], np.uint16)))


def test_kelvin_and_signed_counts_are_read_with_a_range(tmp_path):
    for dtype in (np.float32, np.float64, np.int16, np.int32, np.uint32):
        tifffile.imwrite(tmp_path / "a.tif", np.array([[290, 300, 310]], dtype))
        assert "290 to 310" in message(read_infrared, tmp_path / "a.tif")
        unit = read_infrared(tmp_path / "a.tif", range=Range(290.0, 310.0))
        assert unit.flatten().tolist() == [0, 0.5, 1]


def test_an_image_without_a_number_is_refused_in_words(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((2, 2), np.nan, np.float32))
    assert "--infrared-range" in message(read_infrared, tmp_path / "a.tif")


def test_white_is_zero_is_turned_round(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 65535]], np.uint16), photometric="miniswhite")
    assert read_infrared(tmp_path / "a.tif", range=Range(0.0, 65535.0)).flatten().tolist() == [1, 0]


# ---------------------------------------------------------------------------------------- pairs


def test_a_pair_is_named_after_its_visible_file_and_keeps_its_meta(tmp_path):
    visible = save(tmp_path / "scene.png", array(ramp()), icc_profile=SRGB)
    infrared = save(tmp_path / "thermal.png", array(ramp()[:, :1])[..., 0])
    pair = read_pair(visible, infrared)
    assert (pair.name, pair.valid, pair.meta.icc) == ("scene", None, SRGB)
    assert read_pair(visible, infrared, name="x").name == "x"
    assert (pair.visible.shape, pair.infrared.shape) == ((1, 3, 24, 32), (1, 1, 24, 32))


def test_sizes_that_differ_are_named_and_resized_on_request(tmp_path):
    visible = save(tmp_path / "v.png", array(ramp(24, 32)))
    infrared = save(tmp_path / "i.png", array(ramp(12, 16)[:, :1])[..., 0])
    text = message(read_pair, visible, infrared)
    for part in ("32x24", "16x12", "--resize-infrared", "align"):
        assert part in text
    pair = read_pair(visible, infrared, resize=True)
    assert pair.infrared.shape == (1, 1, 24, 32)
    assert (pair.infrared - ramp()[:, :1]).abs().max() < 0.05
    assert pair.infrared.min() >= 0
    assert pair.infrared.max() <= 1


def test_swapped_files_are_pointed_out(tmp_path):
    colour = save(tmp_path / "colour.png", array(ramp()))
    gray = save(tmp_path / "gray.png", array(ramp()[:, :1])[..., 0])
    text = message(read_pair, gray, colour)
    assert f"give {colour} first" in text
    assert "--infrared-color gray" in text
    with pytest.warns(IrvisWarning, match="swapped"):
        read_pair(gray, colour, color="gray")
    read_pair(colour, gray)
    read_pair(gray, gray)
    assert "if they are swapped" not in message(read_pair, colour, colour)


# --------------------------------------------------------------------------------- writing files


@pytest.mark.parametrize("failure", [OSError("disk full"), ValueError("no"), MemoryError(), KeyboardInterrupt()])
@pytest.mark.parametrize("place", ["_encode", "Path.replace", "Path.write_bytes"])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path, failure, place):
    write(tmp_path / "a.png", ramp())
    old = (tmp_path / "a.png").read_bytes()
    expected = KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else IrvisError
    with mock.patch(f"irvis.io.encode.{place}", side_effect=failure), pytest.raises(expected):
        write(tmp_path / "a.png", 1 - ramp())
    assert (tmp_path / "a.png").read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_half_written_file_never_carries_the_final_name(tmp_path):
    def half(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    with mock.patch("irvis.io.encode.Path.write_bytes", half):
        assert "No space left" in message(write, tmp_path / "a.png", ramp())
    assert list(tmp_path.iterdir()) == []


def test_missing_folders_are_made_and_a_file_obeys_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write(tmp_path / "x" / "y" / "a.png", ramp())
    finally:
        os.umask(old)
    assert (tmp_path / "x" / "y" / "a.png").stat().st_mode & 0o777 == 0o640


def test_a_request_that_no_format_can_hold_is_refused_in_words(tmp_path):
    assert ".png .jpg" in message(write, tmp_path / "a.xyz", ramp())
    assert ".png .jpg" in message(write, tmp_path / "a", ramp())
    assert "16383" in message(write, tmp_path / "a.webp", torch.zeros(1, 1, 1, 16384))
    assert "65500" in message(write, tmp_path / "a.jpg", torch.zeros(1, 1, 1, 65501))
    assert "shape" in message(write, tmp_path / "a.png", torch.zeros(2, 3, 4, 4))
    assert "shape" in message(write, tmp_path / "a.png", torch.zeros(1, 2, 4, 4))
    assert "NaN" in message(write, tmp_path / "a.png", torch.full((1, 1, 2, 2), torch.nan))
    assert "Quality" in message(write, tmp_path / "a.jpg", ramp(), quality=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "side"), [(".jpg", 65500), (".webp", 16383)])
def test_the_largest_side_of_a_format_can_be_written(tmp_path, suffix, side):
    write(tmp_path / f"a{suffix}", torch.zeros(1, 1, 1, side))
    assert read_visible(tmp_path / f"a{suffix}")[0].shape[3] == side


def test_an_exif_block_too_long_for_jpeg_is_refused_with_advice_and_kept_elsewhere(tmp_path):
    exif = Pillow.Exif()
    exif[0x010F] = "M" * 65000
    block = exif.tobytes()
    longest = block + bytes(65533 - len(block))
    for name in ("a.jpg", "a.jpeg"):
        text = message(write, tmp_path / name, ramp(), Meta(exif=longest + b"\0"))
        assert "65533" in text
        assert "use .png or .tif" in text
    assert list(tmp_path.iterdir()) == []
    for name, held in {"a.jpg": longest, "a.png": longest + b"\0", "a.tif": longest + b"\0"}.items():
        write(tmp_path / name, ramp(), Meta(exif=held))
        assert read_visible(tmp_path / name)[1].exif == block


def test_a_path_that_cannot_be_a_file_is_refused_in_words(tmp_path):
    (tmp_path / "a.png").mkdir()
    message(write, tmp_path / "a.png", ramp())
    (tmp_path / "file").write_bytes(b"x")
    message(write, tmp_path / "file" / "b.png", ramp())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "file"]


def test_writing_leaves_the_image_untouched_and_takes_half_precision(tmp_path):
    image = (ramp() * 1.5 - 0.2).requires_grad_()
    before = image.detach().clone()
    write(tmp_path / "a.png", image)
    assert torch.equal(image.detach(), before)
    write(tmp_path / "b.png", ramp().half())
    write(tmp_path / "b.png", ramp().bfloat16())


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
