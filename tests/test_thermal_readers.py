"""Radiometric files of all makers are fused by their counts."""

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

import thermal_files as files
from irvis import IrvisError, cameras
from irvis.io.notes import read_shown
from irvis.thermal import Range, Sensing, to_unit
from irvis.thermal.asked import parse_crop, parse_spot
from thermal_pairs import COUNTS, HEIGHT, PHOTO, WIDTH, camera_file, fuse, gray, known_celsius, visible_file

REAL = "cameras/radiometric/raw"


@pytest.fixture
def pair(tmp_path):
    return visible_file(tmp_path / "v.png"), camera_file(tmp_path / "t.jpg")


# ------------------------------------------------------------------------------------------- readers


def test_a_radiometric_file_is_fused_by_its_counts_from_1_to_99_percent(pair, tmp_path):
    assert fuse(*pair, "-o", tmp_path / "o.png") == 0
    expected = to_unit(COUNTS, Range(1.0, 99.0, "percent"))
    np.testing.assert_array_equal(gray(pair[1]), expected)
    told = read_shown(tmp_path / "o.png")
    assert (told["low"], told["high"]) == pytest.approx(tuple(np.percentile(COUNTS, (1, 99))))
    assert told["unit"] == "counts"


def test_the_camera_s_picture_is_still_to_be_had(pair):
    picture = np.asarray(ImageOps.grayscale(Image.open(pair[1])))
    with pytest.raises(IrvisError, match="pseudo-coloured"):
        gray(pair[1], sensing=Sensing(unit="picture"))
    assert gray(pair[1], sensing=Sensing(unit="picture"), color="gray").shape == picture.shape


@pytest.mark.parametrize("frame", [0, 1, 2])
def test_a_frame_of_a_sequence_is_the_one_asked_for(tmp_path, frame, capsys):
    scenes = [files.scene(seed=seed) for seed in range(3)]
    (tmp_path / "s.seq").write_bytes(b"".join(files.flir_record(scene) for scene in scenes))
    shown = gray(tmp_path / "s.seq", range=Range(14000, 15500), sensing=Sensing(frame=frame))
    np.testing.assert_array_equal(shown, to_unit(scenes[frame], Range(14000, 15500)))
    visible = visible_file(tmp_path / "v.png")
    assert fuse(visible, tmp_path / "s.seq", "-o", tmp_path / "o.png", "--frame", frame) == 0
    assert fuse(visible, tmp_path / "s.seq", "-o", tmp_path / "p.png", "--frame", 3) == 1
    assert "holds 3 frames" in capsys.readouterr().err


def test_seq_files_of_a_folder_pair_with_the_visible_files(tmp_path):
    for side in ("vis", "ir"):
        (tmp_path / side).mkdir()
    visible_file(tmp_path / "vis/a.png")
    (tmp_path / "ir/a.seq").write_bytes(files.flir_record(COUNTS))
    assert fuse(tmp_path / "vis", tmp_path / "ir", "-o", tmp_path / "out") == 0
    assert (tmp_path / "out/a.png").is_file()


def test_counts_of_dji_are_fused_and_no_temperature_is_guessed(tmp_path, capsys):
    counts = files.scene(64, 80)
    (tmp_path / "t.jpg").write_bytes(files.dji_jpeg(counts))
    visible = visible_file(tmp_path / "v.png", (80, 64))
    assert fuse(visible, tmp_path / "t.jpg", "-o", tmp_path / "o.png") == 0
    assert fuse(visible, tmp_path / "t.jpg", "-o", tmp_path / "p.png", "--hottest", 1) == 1
    assert "no temperature" in capsys.readouterr().err
    assert not (tmp_path / "p.png").exists()


def test_telemetry_rows_and_stacked_pictures_are_cut_off_by_their_size(tmp_path):
    counts = files.scene(120, 160)
    telemetry = np.zeros((2, 160), np.uint16)
    tifffile.imwrite(tmp_path / "lepton.tif", np.concatenate([counts, telemetry]))
    span = Range(13000, 17000)
    np.testing.assert_array_equal(gray(tmp_path / "lepton.tif", range=span), to_unit(counts, span))
    whole = gray(tmp_path / "lepton.tif", range=span, sensing=Sensing(crop=(0, 0, 160, 122)))
    assert whole.shape == (122, 160)
    stacked = np.concatenate([np.full((192, 256), 0x8050, np.uint16), files.scene(192, 256)])
    tifffile.imwrite(tmp_path / "tc001.tif", stacked)
    assert gray(tmp_path / "tc001.tif").shape == (192, 256)
    tifffile.imwrite(tmp_path / "other.tif", files.scene(384, 256))  # of that size, and no stacked picture
    assert gray(tmp_path / "other.tif", range=span).shape == (384, 256)


def test_an_overlay_is_cropped_away(tmp_path, capsys):
    tifffile.imwrite(tmp_path / "t.tif", np.pad(COUNTS, ((3, 5), (2, 7)), constant_values=65535))
    visible = visible_file(tmp_path / "v.png")
    words = [visible, tmp_path / "t.tif", "-o", tmp_path / "o.png", "--infrared-range", "1%,99%", "--infrared-crop"]
    assert fuse(*words, f"2,3,{WIDTH},{HEIGHT}") == 0
    shown = gray(tmp_path / "t.tif", range=Range(1.0, 99.0, "percent"), sensing=Sensing(crop=(2, 3, WIDTH, HEIGHT)))
    np.testing.assert_array_equal(shown, to_unit(COUNTS, Range(1.0, 99.0, "percent")))
    assert fuse(*words, "30,3,32,24", "--if-exists", "overwrite") == 1
    assert "reaches beyond" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,0", "-1,0,5,5", "a,b,c,d", "1.5,2,3,4"])
def test_nonsense_for_a_crop_or_a_spot_is_one_line(text):
    for parse in (parse_crop, parse_spot):
        with pytest.raises(IrvisError, match=r"^[^\n]+\.$"):
            parse(text)


# ---------------------------------------------------------------------------------------- real files


@pytest.mark.parametrize("name", ["T640.jpg", "ax8.jpg", "flir_example.jpg"])
def test_real_files_that_hold_a_photo_are_fused_alone(real_data, tmp_path, name, capsys):
    left, top, width, height = cameras.thermal_window(cameras.required(real_data / REAL / name))
    size = round(left + width) - round(left), round(top + height) - round(top)
    words = [real_data / REAL / name, "-o", tmp_path / "o.png", "--hottest", 1, "--temperature-sidecar", "--msx"]
    assert fuse(*words) == 0
    assert Image.open(tmp_path / "o.png").size == size
    native = tifffile.imread(tmp_path / "o.native.celsius.tiff")
    np.testing.assert_array_equal(native, known_celsius(real_data / REAL / name))
    assert tifffile.imread(tmp_path / "o.celsius.tiff").shape == size[::-1]
    assert f"{native.max():.1f} °C" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["Flir_E40.jpg", "DJI_XT-2.jpg", "H20T_2.jpg"])
def test_real_files_without_a_photo_say_so(real_data, tmp_path, name, capsys):
    assert fuse(real_data / REAL / name, "-o", tmp_path / "o.png") == 1
    assert "holds no photo" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["DJI_XT-2", "Flir_E40", "H20T_2", "T640", "ax8", "flir_example"])
def test_real_counts_are_what_is_shown(real_data, name):
    truth = tifffile.imread(real_data / f"cameras/radiometric/decoded16/{name}.tiff")
    shown = gray(real_data / REAL / f"{name}.jpg", range=Range(0, 65535))
    np.testing.assert_array_equal(np.round(shown.astype(np.float64) * 65535), truth)


def test_a_real_sequence_gives_its_frames(real_data):
    for frame, name in enumerate(("frame0", "frame2")):  # of the camera's numbering
        truth = tifffile.imread(real_data / f"cameras/radiometric/decoded16/SampleSEQ.seq_{name}.tiff")
        shown = gray(real_data / REAL / "SampleSEQ.seq", range=Range(0, 65535), sensing=Sensing(frame=frame))
        np.testing.assert_array_equal(np.round(shown.astype(np.float64) * 65535), truth)


def test_real_photos_and_counts_in_two_folders_fuse_when_told_that_they_show_the_same(real_data, tmp_path, capsys):
    folder = real_data / "cameras/FLIR_radiometric_pairs"
    words = [folder / "vi", folder / "ir", "-o", tmp_path / "out", "--infrared-range", "1%,99%"]
    assert fuse(*words) == 1
    assert "--resize-infrared" in capsys.readouterr().err
    assert fuse(*words, "--resize-infrared", "--format", "jpg") == 0
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_gps_and_xmp_of_a_real_drone_file_come_through(real_data, tmp_path):
    path = real_data / REAL / "DJI_XT-2.jpg"
    assert fuse(path, path, "-o", tmp_path / "o.jpg") == 1  # it is one file that holds no photo
    Image.open(path).convert("RGB").save(
        tmp_path / "v.jpg", exif=Image.open(path).info["exif"], xmp=Image.open(path).info["xmp"]
    )
    assert fuse(tmp_path / "v.jpg", path, "-o", tmp_path / "o.jpg", "--infrared-range", "10C,50C") == 0
    fused, first = Image.open(tmp_path / "o.jpg"), Image.open(path)
    assert fused.getexif().get_ifd(0x8825)[2] == first.getexif().get_ifd(0x8825)[2]
    assert fused.info["xmp"].strip(b"\0") == first.info["xmp"].strip(b"\0")


@pytest.mark.parametrize(("order", "words"), [("<", "32x24"), (">", "32x24:big"), ("<", "32×24:little")])
def test_counts_without_a_header_are_those_of_the_same_counts_in_a_tiff(tmp_path, order, words):
    counts = np.asarray(COUNTS, np.uint16)
    (tmp_path / "t.raw").write_bytes(counts.astype(f"{order}u2").tobytes())
    tifffile.imwrite(tmp_path / "t.tif", counts)
    Image.fromarray(PHOTO[:24, :32]).save(tmp_path / "v.png")
    span = ("--infrared-range", "1%,99%")
    assert fuse(tmp_path / "v.png", tmp_path / "t.raw", "-o", tmp_path / "a.png", "--infrared-raw", words, *span) == 0
    assert fuse(tmp_path / "v.png", tmp_path / "t.tif", "-o", tmp_path / "b.png", *span) == 0
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "a.png")), np.asarray(Image.open(tmp_path / "b.png"))
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "say their size, as in --infrared-raw 640x512"),
        (("--infrared-raw", "31x24"), "1536 bytes are no 31 x 24 16-bit counts"),
        (("--infrared-raw", "32x12"), "it holds 2 frames of 32 x 12: choose one by --frame (0 to 1)"),
        (("--infrared-raw", "wide"), "no size of raw counts"),
    ],
)
def test_counts_without_a_header_and_without_their_size_are_one_line(tmp_path, capsys, words, problem):
    (tmp_path / "t.raw").write_bytes(np.asarray(COUNTS, np.uint16).tobytes())
    Image.fromarray(PHOTO[:24, :32]).save(tmp_path / "v.png")
    assert fuse(tmp_path / "v.png", tmp_path / "t.raw", "-o", tmp_path / "a.png", *words) == 1
    assert problem in capsys.readouterr().err
