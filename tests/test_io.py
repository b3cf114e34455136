"""Image files in and out: round trips, infrared, pairs, writing."""

import os
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from irvis.errors import IrvisError
from irvis.io import IrvisWarning, read_infrared, read_pair, read_visible, write
from irvis.thermal import Range
from irvis.types import Meta
from pictures import LOSSLESS, SIZES, SRGB, array, message, noise, ramp, save

pytestmark = pytest.mark.filterwarnings("error")


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


def test_white_is_zero_is_turned_round_in_a_visible_file_and_changes_no_counts(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.array([[0, 65535]], np.uint16), photometric="miniswhite")
    assert read_visible(tmp_path / "a.tif")[0][0, 0].flatten().tolist() == [1, 0]
    assert read_infrared(tmp_path / "a.tif", range=Range(0.0, 65535.0)).flatten().tolist() == [0, 1]


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
