"""Temperatures: ranges in degrees, sidecars, spots and palettes."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

import thermal_files as files
from irvis import IrvisError
from irvis.thermal import Range, Sensing
from irvis.thermal.overlay import round_numbers
from irvis.thermal.palette import EDGE_MOST, PALETTES, colours, thermal_colours
from thermal_pairs import COUNTS, HEIGHT, RANDOM, WIDTH, camera_file, fuse, gray, known_celsius, pixels, visible_file


@pytest.fixture
def pair(tmp_path):
    return visible_file(tmp_path / "v.png"), camera_file(tmp_path / "t.jpg")


# --------------------------------------------------------------------------------------- temperature


def test_a_range_in_degrees_is_applied_to_temperatures(pair):
    celsius = known_celsius(pair[1])
    low, high = np.percentile(celsius, (10, 90))
    shown = gray(pair[1], range=Range(float(low), float(high), "celsius"))
    np.testing.assert_allclose(shown, np.clip((celsius - low) / (high - low), 0, 1), atol=1e-5)
    same = gray(pair[1], range=Range(float(low), float(high)), sensing=Sensing(unit="celsius"))
    np.testing.assert_array_equal(same, shown)
    with pytest.raises(IrvisError, match="exclude each other"):
        gray(pair[1], range=Range(20, 40, "celsius"), sensing=Sensing(unit="counts"))


OPTIONS = {
    "emissivity": 0.8, "distance": 9.0, "reflected": 33.0, "atmospheric": 5.0, "humidity": 0.9,
    "window_temperature": 40.0, "window_transmission": 0.7,
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_every_condition_reaches_the_formula(pair, tmp_path, name):
    option = f"--{name.replace('_', '-')}"
    words = [*pair, "-o", tmp_path / "o.png", "--temperature-sidecar", option, OPTIONS[name]]
    assert fuse(*words) == 0
    told = tifffile.imread(tmp_path / "o.native.celsius.tiff")
    np.testing.assert_array_equal(told, known_celsius(pair[1], **{name: OPTIONS[name]}))
    assert np.abs(told - known_celsius(pair[1])).max() > 0.01
    assert json.loads(tifffile.TiffFile(tmp_path / "o.celsius.tiff").pages[0].description)[name] == OPTIONS[name]


def test_linear_counts_are_degrees_by_their_step(tmp_path, capsys):
    tifffile.imwrite(tmp_path / "t.tif", (COUNTS.astype(int) + 15500).astype(np.uint16))
    visible = visible_file(tmp_path / "v.png")
    words = [visible, tmp_path / "t.tif", "-o", tmp_path / "o.png", "--infrared-range", "20C,40C"]
    assert fuse(*words) == 1
    assert "--kelvin-per-count" in capsys.readouterr().err
    assert fuse(*words, "--kelvin-per-count", "0.01", "--temperature-sidecar") == 0
    expected = (COUNTS.astype(np.float64) + 15500) / 100 - 273.15
    np.testing.assert_allclose(tifffile.imread(tmp_path / "o.celsius.tiff"), expected, atol=1e-4)


def test_a_sidecar_can_be_fused_again_as_degrees(pair, tmp_path):
    assert fuse(*pair, "-o", tmp_path / "o.png", "--temperature-sidecar") == 0
    again = gray(tmp_path / "o.celsius.tiff", range=Range(12, 20, "celsius"))
    np.testing.assert_array_equal(again, gray(pair[1], range=Range(12, 20, "celsius")))


def test_sidecars_are_part_of_what_is_skipped_or_refused(pair, tmp_path, capsys):
    words = [*pair, "-o", tmp_path / "o.png", "--temperature-sidecar"]
    assert fuse(*words) == 0
    (tmp_path / "o.png").unlink()
    assert fuse(*words) == 1
    assert "o.celsius.tiff exists" in capsys.readouterr().err
    assert fuse(*words, "--if-exists", "skip") == 0
    (tmp_path / "o.native.celsius.tiff").unlink()
    assert fuse(*words, "--if-exists", "skip") == 0
    assert (tmp_path / "o.native.celsius.tiff").is_file()


def test_the_aligned_map_lies_on_the_picture_and_the_native_one_keeps_the_hottest_pixel(tmp_path):
    counts = COUNTS.copy()
    counts[5, 7] = 20000
    path, visible = camera_file(tmp_path / "t.jpg", counts), visible_file(tmp_path / "v.png", (3 * WIDTH, 3 * HEIGHT))
    assert fuse(visible, path, "-o", tmp_path / "o.png", "--resize-infrared", "--temperature-sidecar") == 0
    laid, native = (tifffile.imread(tmp_path / f"o{kind}celsius.tiff") for kind in (".", ".native."))
    assert laid.dtype == native.dtype == np.float32
    assert laid.shape == (3 * HEIGHT, 3 * WIDTH)
    np.testing.assert_array_equal(native, known_celsius(path))
    np.testing.assert_allclose(laid[1::3, 1::3], native, atol=1e-4)  # the middle of three lies on a native pixel
    small = visible_file(tmp_path / "s.png", (WIDTH // 2, HEIGHT // 2))
    assert fuse(small, path, "-o", tmp_path / "p.png", "--resize-infrared", "--temperature-sidecar") == 0
    assert tifffile.imread(tmp_path / "p.native.celsius.tiff").max() == known_celsius(path).max()


# --------------------------------------------------------------------------------- spots and colours


def test_spots_print_the_native_pixel_below_them(tmp_path, capsys):
    path, visible = camera_file(tmp_path / "t.jpg"), visible_file(tmp_path / "v.png", (2 * WIDTH, 2 * HEIGHT))
    words = [visible, path, "-o", tmp_path / "o.png", "--resize-infrared", "--spot", "10,20", "--spot", "63,47"]
    assert fuse(*words, "--hottest", 2) == 0
    said, celsius = capsys.readouterr().out, known_celsius(path)
    assert f"spot 10,20: {celsius[10, 5]:.1f} °C" in said
    assert f"spot 63,47: {celsius[23, 31]:.1f} °C" in said
    row, column = np.unravel_index(celsius.argmax(), celsius.shape)
    assert f"hottest {2 * column + 1},{2 * row + 1}: {celsius.max():.1f} °C" in said
    assert said.count("hottest") == 2
    assert fuse(visible, path, "-o", tmp_path / "p.png", "--resize-infrared", "--spot", "64,0") == 1
    assert "outside" in capsys.readouterr().err


def test_marks_leave_all_other_pixels_as_they_are(pair, tmp_path):
    assert fuse(*pair, "-o", tmp_path / "o.png") == 0
    assert fuse(*pair, "-o", tmp_path / "p.png", "--spot", "16,12") == 0
    differs = (pixels(tmp_path / "o.png") != pixels(tmp_path / "p.png")).any(axis=2)
    rows, columns = np.nonzero(differs)
    assert 0 < len(rows) < 0.3 * differs.size
    assert np.abs(rows - 12).max() <= 8
    assert np.abs(columns - 16).max() <= 8


@pytest.mark.parametrize("name", PALETTES)
def test_palettes_run_through_their_anchors_and_stop_at_their_ends(name):
    anchors = PALETTES[name]
    places = np.linspace(0, 1, len(anchors), dtype=np.float32)
    np.testing.assert_allclose(colours(name, places) * 255, anchors, atol=0.01)
    np.testing.assert_allclose(colours(name, np.float32([-3, 7])) * 255, [anchors[0], anchors[-1]], atol=0.01)


@pytest.mark.parametrize("name", ["ironbow", "whitehot", "dusk"])
def test_hotter_is_brighter(name):
    luma = colours(name, np.linspace(0, 1, 500, dtype=np.float32)) @ np.float32([0.299, 0.587, 0.114])
    assert (np.diff(luma) > 0).all()
    if name == "dusk":
        np.testing.assert_allclose(luma, np.linspace(luma[0], luma[-1], 500), atol=0.004)


def test_a_palette_keeps_the_brightness_of_the_fused_picture(tmp_path):
    path = camera_file(tmp_path / "t.jpg")
    visible = visible_file(tmp_path / "v.png")
    assert fuse(visible, path, "-o", tmp_path / "o.png") == 0
    assert fuse(visible, path, "-o", tmp_path / "p.png", "--palette", "rainbow") == 0  # too small for a legend
    plain, tinted = (pixels(tmp_path / name).astype(float) @ [0.299, 0.587, 0.114] for name in ("o.png", "p.png"))
    np.testing.assert_allclose(tinted, plain, atol=1.01)


def test_a_file_without_temperatures_is_coloured_by_its_counts(tmp_path):
    """Whichever end is hot: the hot end of the picture has the hot end of the palette."""
    Image.new("RGB", (200, 150), (128, 128, 128)).save(tmp_path / "v.png")
    ramp = np.linspace(0, 255, 200).round().astype(np.uint8)[None].repeat(150, axis=0)
    Image.fromarray(ramp).save(tmp_path / "i.png")
    words = [tmp_path / "v.png", tmp_path / "i.png", "-m", "visible", "--palette", "rainbow"]
    assert fuse(*words, "-o", tmp_path / "o.png") == 0
    assert fuse(*words, "-o", tmp_path / "p.png", "--polarity", "black-hot") == 0
    for name, cold in (("o.png", 0), ("p.png", 199)):
        blue_over_red = pixels(tmp_path / name)[145].astype(int) @ [-1, 0, 1]
        assert blue_over_red[cold] > 60
        assert blue_over_red[199 - cold] < -60


def test_gray_pairs_become_coloured_by_a_palette(tmp_path, capsys):
    Image.fromarray(RANDOM.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)).save(tmp_path / "v.png")
    path = camera_file(tmp_path / "t.jpg")
    assert fuse(tmp_path / "v.png", path, "-o", tmp_path / "o.png", "--palette", "ironbow") == 0
    assert Image.open(tmp_path / "o.png").mode == "RGB"
    assert fuse(tmp_path / "v.png", path, "-o", tmp_path / "p.png", "--msx", "--color", "gray") == 1
    assert "--color gray" in capsys.readouterr().err


def test_the_thermal_part_of_msx_comes_exactly_out_of_the_sidecar(tmp_path):
    """Over a visible image without edges the picture is the palette of the sidecar; edges add the same everywhere."""
    path = camera_file(tmp_path / "t.jpg")
    Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 50)).save(tmp_path / "flat.png")
    words = ["--msx", "--temperature-sidecar", "-m", "visible"]
    assert fuse(tmp_path / "flat.png", path, "-o", tmp_path / "o.png", *words) == 0
    with tifffile.TiffFile(tmp_path / "o.celsius.tiff") as tiff:
        values, facts = tiff.asarray(), json.loads(tiff.pages[0].description)
    thermal = thermal_colours(values, facts["low"], facts["high"], "ironbow")
    np.testing.assert_array_equal(pixels(tmp_path / "o.png"), np.floor(thermal * 255 + 0.5).astype(np.uint8))
    visible = visible_file(tmp_path / "v.png")
    assert fuse(visible, path, "-o", tmp_path / "p.png", *words) == 0
    edges = pixels(tmp_path / "p.png") / 255 - thermal
    assert 0.05 < np.abs(edges).max() <= EDGE_MOST + 0.003
    inside = ((pixels(tmp_path / "p.png") > 0) & (pixels(tmp_path / "p.png") < 255)).all(axis=2)
    assert inside.any()
    assert np.ptp(edges[inside], axis=1).max() < 0.005


def test_msx_needs_no_method(pair, tmp_path):
    assert fuse(*pair, "-o", tmp_path / "o.png", "--msx") == 0
    assert fuse(*pair, "-o", tmp_path / "p.png", "--msx", "-m", "visible") == 0
    np.testing.assert_array_equal(pixels(tmp_path / "o.png"), pixels(tmp_path / "p.png"))


def test_a_legend_has_round_numbers_within_the_range():
    assert round_numbers(18.3, 41.9) == [20, 25, 30, 35, 40]
    assert round_numbers(-0.4, 0.4) == pytest.approx([-0.4, -0.2, 0, 0.2, 0.4])
    for low, high in RANDOM.normal(0, 300, (200, 2)):
        low, high = sorted((low, high))
        ticks = round_numbers(low, high)
        assert 2 <= len(ticks) <= 7
        assert low - 1e-6 * (high - low) <= ticks[0] < ticks[-1] <= high + 1e-6 * (high - low)


def test_a_legend_is_drawn_at_the_right_of_a_picture_with_room(tmp_path):
    counts = files.scene(150, 200)
    path, visible = camera_file(tmp_path / "t.jpg", counts), visible_file(tmp_path / "v.png", (200, 150))
    assert fuse(visible, path, "-o", tmp_path / "o.png", "--palette", "whitehot") == 0
    assert fuse(visible, path, "-o", tmp_path / "p.png", "--palette", "whitehot", "--spot", "5,5") == 0
    plain = np.asarray(Image.open(visible).convert("L"), float)
    shown = pixels(tmp_path / "o.png").astype(float)
    bar = [column for column in range(120, 200) if (np.diff(shown[40:115, column, 0]) <= 0).all()]
    assert len(bar) >= 8  # a bar that is nowhere brighter below
    assert plain.shape == shown.shape[:2]
