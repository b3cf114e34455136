"""What a file says beside its pixels: orientation, EXIF, GPS, colour profile, place."""

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from irvis.io import is_complete, read_infrared, read_visible, write
from irvis.thermal import Range
from irvis.types import Meta
from pictures import GRAY_PROFILE, SRGB, array, noise, photo_exif, ramp, save

pytestmark = pytest.mark.filterwarnings("error")


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
