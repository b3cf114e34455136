"""Every mode and depth of image files, read at full depth."""

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from irvis.io import IrvisWarning, read_infrared, read_visible
from irvis.thermal import Range
from pictures import SIZES, SRGB, array, lzw_tiff, message, png16, ramp, save

pytestmark = pytest.mark.filterwarnings("error")


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
    try:
        with Pillow.open(tmp_path / name) as shown:
            wanted = np.asarray(shown.convert("RGBA").convert("RGB"))
    except OSError:
        pytest.skip("this Pillow cannot read what it wrote (12.3: YCbCr in TIFF)")
    read, meta = read_visible(tmp_path / name)
    np.testing.assert_array_equal(array(read), wanted)
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


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_a_float_visible_in_the_unit_interval_is_taken_and_any_other_refused(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.linspace(0, 1, 12, dtype=dtype).reshape(3, 4))
    read, meta = read_visible(tmp_path / "a.tif")
    assert meta.depth == 16
    np.testing.assert_allclose(read[0, 1].numpy().ravel(), np.linspace(0, 1, 12), atol=1e-3)
    tifffile.imwrite(tmp_path / "b.tif", np.array([[0, 2], [0.5, 1]], dtype))
    assert "0 to 2" in message(read_visible, tmp_path / "b.tif")
    tifffile.imwrite(tmp_path / "nan.tif", np.array([[0, 1], [np.nan, 1]], dtype))
    assert "NaN in 25.00%" in message(read_visible, tmp_path / "nan.tif")


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


def test_of_several_frames_one_must_be_chosen(tmp_path):
    frames = [Pillow.fromarray(np.full((4, 5, 3), value, np.uint8)) for value in (10, 200)]
    for name in ("a.gif", "a.tif", "a.webp", "a.png"):
        options = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        assert "holds 2 p" in message(read_visible, tmp_path / name)
        for frame, value in enumerate((10, 200)):
            assert (array(read_visible(tmp_path / name, frame=frame)[0]) == value).all(), name
    for options in ({}, {"compression": "lzw", "predictor": 2}, {"compression": "zlib"}):
        stack = np.stack([np.full((4, 5), v, np.uint16) for v in (17000, 20000, 30000)])
        tifffile.imwrite(tmp_path / "deep.tif", stack, photometric="minisblack", **options)
        assert "holds 3 pages: choose one by --frame (0 to 2)" in message(read_visible, tmp_path / "deep.tif")
        for frame, value in enumerate((17000, 20000, 30000)):
            assert (array(read_visible(tmp_path / "deep.tif", frame=frame)[0], 65535) == value).all()
    assert "there is no 3" in message(read_visible, tmp_path / "deep.tif", frame=3)


def test_thumbnails_behind_a_picture_are_no_frames(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(np.full((8, 8), 20000, np.uint16))
        file.write(np.full((4, 4), 7, np.uint16), subfiletype=1)
        file.write(np.full((8, 8), 7, np.uint16), subfiletype=1)
    assert (array(read_visible(tmp_path / "a.tif")[0], 65535) == 20000).all()


def test_counts_are_taken_as_stored_where_zero_is_shown_white(tmp_path):
    counts = np.arange(29000, 29012, dtype=np.uint16).reshape(3, 4)
    tifffile.imwrite(tmp_path / "a.tif", counts, photometric="miniswhite")
    unit = read_infrared(tmp_path / "a.tif", range=Range(29000, 29011))
    np.testing.assert_allclose(unit[0, 0].numpy(), (counts - 29000.0) / 11, atol=1e-6)
    shown = array(read_visible(tmp_path / "a.tif")[0], 65535)[..., 0]
    np.testing.assert_array_equal(shown, 65535 - counts)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_a_visible_file_that_uses_few_of_its_16_bits_is_told(tmp_path, bits):
    samples = np.linspace(0, 2**bits - 1, 12).astype(np.uint16).reshape(3, 4)
    tifffile.imwrite(tmp_path / "a.tif", samples)
    with pytest.warns(IrvisWarning, match=f"16-bit samples use {bits} bits"):
        read_visible(tmp_path / "a.tif")


def test_the_content_decides_the_format_and_not_the_suffix(tmp_path):
    save(tmp_path / "a.png", array(ramp())).rename(tmp_path / "a.jpg")
    assert torch.equal(
        read_visible(tmp_path / "a.jpg")[0],
        torch.from_numpy(array(ramp()) / 255).float().permute(2, 0, 1)[None],
    )
