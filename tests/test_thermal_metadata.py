"""The photo inside a radiometric file, and what metadata a fused file keeps."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, PngImagePlugin

import irvis
import thermal_files as files
from irvis import IrvisError, cameras, io
from irvis.align.warp import window
from irvis.io.infrared import measure
from irvis.io.notes import read_shown
from irvis.io.photo import refuse_far
from irvis.thermal import Drawing, Sensing
from irvis.types import Meta
from thermal_pairs import COUNTS, HEIGHT, PHOTO, RANDOM, WIDTH, camera_file, fuse, known_celsius, pixels, visible_file

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6" drone-dji:GimbalYaw="12.5"/></x:xmpmeta>'


@pytest.fixture
def pair(tmp_path):
    return visible_file(tmp_path / "v.png"), camera_file(tmp_path / "t.jpg")


def test_a_radiometric_file_alone_is_fused_with_its_photo_where_the_camera_says(tmp_path):
    path = camera_file(tmp_path / "t.jpg", photo=PHOTO, aligned=(2.0, 6, -4))
    assert fuse(path, "-o", tmp_path / "o.png", "-m", "visible", "--temperature-sidecar") == 0
    window = pixels(tmp_path / "o.png")
    assert window.shape == (24, 32, 3)  # half as wide as the photo, 6 right of and 4 above its middle
    assert np.abs(window.astype(int) - PHOTO[8:32, 22:54]).mean() < 3  # JPEG
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "o.celsius.tiff"), known_celsius(path))


def test_an_estimate_is_held_against_the_cameras_own_alignment(tmp_path):
    path = camera_file(tmp_path / "t.jpg", photo=PHOTO, aligned=(2.0, 6, -4))
    with pytest.raises(IrvisError, match="leave --align out: the file holds the camera's own"):
        io.read_pair(path, path, laying=io.Laying(where=refusing))
    own = np.array([[1, 0, -22.0], [0, 1, -8.0], [0, 0, 1]])  # half as wide as the photo, 6 right of and 4 above
    for off, said in ((0, ""), (2, ""), (20, "20 px from the camera's own alignment")):
        moved = own @ np.array([[1, 0, off], [0, 1, 0], [0, 0, 1.0]])
        laying = io.Laying(where=lambda *_, moved=moved: moved)
        if said:
            with pytest.raises(IrvisError, match=said):
                io.read_pair(path, path, laying=laying)
        else:
            assert io.read_pair(path, path, laying=laying).infrared.shape == (1, 1, 48, 64)


def refusing(*_):
    raise IrvisError("seen by nobody.")


@pytest.mark.parametrize(("name", "far"), [("ax8", 64), ("T640", 100)])
def test_a_real_file_refuses_estimates_that_are_far_from_its_own_alignment(real_data, name, far):
    measured = measure(real_data / f"cameras/radiometric/raw/{name}.jpg", Sensing())
    size = measured.radiometric.photo.shape[:2]
    own = window(cameras.thermal_window(measured.radiometric), measured.raster.samples.shape)
    refuse_far(measured, own, size)
    off = own @ np.array([[1, 0, far * size[1] / 640], [0, 1, 0], [0, 0, 1.0]])
    with pytest.raises(IrvisError, match="from the camera's own alignment"):
        refuse_far(measured, off, size)


def test_a_crop_of_the_thermal_image_takes_its_part_of_the_photo(tmp_path):
    path = camera_file(tmp_path / "t.jpg", photo=PHOTO, aligned=(2.0, 6, -4))
    assert fuse(path, "-o", tmp_path / "o.png", "-m", "visible", "--infrared-crop", "8,4,16,12") == 0
    assert np.abs(pixels(tmp_path / "o.png").astype(int) - PHOTO[12:24, 30:46]).mean() < 3


def test_without_alignment_there_is_one_line_and_a_way_out(tmp_path, capsys):
    path = camera_file(tmp_path / "t.jpg", photo=PHOTO)
    assert fuse(path, "-o", tmp_path / "o.png") == 1
    said = capsys.readouterr().err
    assert "not aligned" in said
    assert "--resize-infrared" in said
    assert fuse(path, "-o", tmp_path / "o.png", "--resize-infrared") == 0
    assert pixels(tmp_path / "o.png").shape == PHOTO.shape


def test_files_alone_that_cannot_be_fused_say_why(pair, tmp_path, capsys):
    for path, words in ((pair[1], "holds no photo"), (pair[0], "give its infrared file too")):
        assert fuse(path, "-o", tmp_path / "o.png") == 1
        said = capsys.readouterr().err
        assert words in said


def test_a_folder_of_radiometric_files_is_fused_and_goes_on_past_bad_ones(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for n, aligned in enumerate(((2.0, 0, 0), None, (1.5, 2, 2))):
        camera_file(tmp_path / f"in/{n}.jpg", photo=PHOTO, aligned=aligned)
    assert fuse(tmp_path / "in", "-o", tmp_path / "out") == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "2.png"]
    assert "1 of 3 pairs failed" in capsys.readouterr().err


def test_python_fuses_a_path_of_a_radiometric_file(pair):
    fused = irvis.fuse(pair[0], pair[1], method="average")
    assert fused.size == (WIDTH, HEIGHT)
    same = irvis.fuse(pixels(pair[0]), COUNTS, method="average", infrared_range="1%,99%")
    np.testing.assert_array_equal(np.asarray(fused), same)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
def test_range_and_xmp_and_exif_are_in_the_fused_file(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    exif[0x8769] = {0x9286: b"ASCII\0\0\0a comment"}
    visible_file(tmp_path / "v.jpg", (HEIGHT, WIDTH), exif=exif.tobytes(), quality=95)  # to be turned, says the XMP
    data = (tmp_path / "v.jpg").read_bytes()
    (tmp_path / "v.jpg").write_bytes(data[:2] + files.xmp(XMP) + data[2:])
    path, out = camera_file(tmp_path / "t.jpg"), tmp_path / f"o{suffix}"
    assert fuse(tmp_path / "v.jpg", path, "-o", out, "--infrared-range", "14000,15500,equalised") == 0
    told = read_shown(out)
    assert told == {"low": 14000, "high": 15500, "unit": "counts", "curve": "equalised", "polarity": "white-hot"}
    image = Image.open(out)
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or image.tag_v2[700]
    found = found.encode() if isinstance(found, str) else found
    assert found == XMP.replace(b'Orientation="6"', b'Orientation="1"')
    assert image.getexif()[0x010F] == "Camera"
    assert b"a comment" in image.getexif().get_ifd(0x8769)[0x9286]


def test_xmp_of_png_and_tiff_comes_through_too(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    visible_file(tmp_path / "v.png", pnginfo=text)
    tifffile.imwrite(tmp_path / "v.tif", pixels(tmp_path / "v.png"), extratags=[(700, 1, len(XMP), XMP, True)])
    for name in ("v.png", "v.tif"):
        assert b"GimbalYaw" in io.read_visible(tmp_path / name)[1].xmp


def test_deep_png_has_range_and_xmp(tmp_path):
    io.write(tmp_path / "a.png", torch.rand(1, 3, 5, 6), Meta(depth=16, xmp=XMP, shown='{"infrared": {"low": 1}}'))
    assert read_shown(tmp_path / "a.png") == {"low": 1}
    assert Image.open(tmp_path / "a.png").info["XML:com.adobe.xmp"].encode() == XMP


GEO = [(33550, 12, 3, (0.5, 0.5, 0.0), True), (33922, 12, 6, (0.0, 0.0, 0.0, 4e5, 5e6, 0.0), True)]


def geotiff(path: Path, samples: np.ndarray, nodata: str) -> Path:
    tifffile.imwrite(path, samples, extratags=[*GEO, (42113, 2, len(nodata) + 1, nodata, True)])
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_nodata_of_the_visible_file_stays_nodata_and_nothing_else_becomes_it(tmp_path, dtype):
    full = np.iinfo(dtype).max
    samples = RANDOM.integers(1, full, (HEIGHT, WIDTH, 3)).astype(dtype)
    samples[:6], samples[10, 10] = 0, (1, 1, 1)
    visible = geotiff(tmp_path / "v.tif", samples, "0")
    Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint8)).save(tmp_path / "i.png")
    assert fuse(visible, tmp_path / "i.png", "-o", tmp_path / "o.tif", "-m", "infrared") == 0
    fused = tifffile.imread(tmp_path / "o.tif")
    assert (fused[:6] == 0).all()
    assert (fused[6:] > 0).any(axis=-1).all()
    tags = tifffile.TiffFile(tmp_path / "o.tif").pages[0].tags
    assert tags[42113].value == "0"
    assert tags[33550].value == GEO[0][3]
    assert tags[33922].value == GEO[1][3]


def test_nodata_of_the_infrared_file_is_no_measurement_and_shows_the_visible_image(tmp_path):
    degrees = RANDOM.uniform(10, 30, (80, 80)).astype(np.float32)
    degrees[:40] = -9999
    geotiff(tmp_path / "t.tif", degrees, "-9999")
    visible = visible_file(tmp_path / "v.png", (80, 80))
    words = [visible, tmp_path / "t.tif", "-o", tmp_path / "o.png", "-m", "infrared", "--temperature-sidecar"]
    assert fuse(*words, "--infrared-range", "0%,100%", "--infrared-unit", "celsius") == 0
    facts = read_shown(tmp_path / "o.png")
    assert (facts["low"], facts["high"]) == pytest.approx((degrees[40:].min(), degrees[40:].max()))
    np.testing.assert_array_equal(pixels(tmp_path / "o.png")[:30], pixels(visible)[:30])
    laid = tifffile.imread(tmp_path / "o.celsius.tiff")
    assert np.isnan(laid[:40]).all()
    np.testing.assert_array_equal(laid[40:], degrees[40:])


def test_the_aligned_sidecar_lies_on_earth_where_the_visible_file_does(tmp_path):
    visible = geotiff(tmp_path / "v.tif", pixels(visible_file(tmp_path / "v.png")), "0")
    assert fuse(visible, camera_file(tmp_path / "t.jpg"), "-o", tmp_path / "o.tif", "--temperature-sidecar") == 0
    tags = tifffile.TiffFile(tmp_path / "o.celsius.tiff").pages[0].tags
    assert tags[33922].value == GEO[1][3]
    assert tags[42113].value == "nan"
    assert 33922 not in tifffile.TiffFile(tmp_path / "o.native.celsius.tiff").pages[0].tags


def test_a_cluster_refuses_what_it_cannot_write(pair, tmp_path, capsys):
    assert fuse(*pair, "-o", tmp_path / "out", "--hottest", 1, "--ray", "none") == 1
    assert "--ray goes without" in capsys.readouterr().err


def test_thermal_options_are_a_group_of_their_own(capsys):
    assert fuse("--help") == 0
    said = capsys.readouterr().out
    assert said.index("─ Thermal ─") < said.index("--emissivity") < said.index("How it is computed")


def test_a_sequence_whose_polarity_cannot_be_told_stays_as_it_is(tmp_path, capsys):
    for side, mode in (("vis", "RGB"), ("ir", "L")):
        (tmp_path / side).mkdir()
        for n in range(2):
            noise = Image.fromarray(RANDOM.integers(0, 256, (64, 64), dtype=np.uint8))
            noise.convert(mode).save(tmp_path / side / f"{n}.png")
    words = [tmp_path / "vis", tmp_path / "ir", "-o", tmp_path / "out", "-m", "infrared"]
    assert fuse(*words, "--range-per", "sequence", "--polarity", "auto") == 0
    assert capsys.readouterr().err.startswith("warning: white-hot or black-hot cannot be told")
    np.testing.assert_array_equal(pixels(tmp_path / "out/1.png")[..., 0], pixels(tmp_path / "ir/1.png"))


def test_drawing_nothing_keeps_nothing():
    assert not Drawing().any
    assert all(Drawing(**{name: value}).any for name, value in (("sidecar", True), ("hottest", 1), ("msx", True)))
