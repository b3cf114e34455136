"""Thermal files through `irvis fuse`: what becomes gray, and that temperature survives."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageOps, PngImagePlugin

import irvis
import thermal_files as files
from irvis import IrvisError, cameras, io
from irvis.align.warp import window
from irvis.cli import main
from irvis.io.infrared import measure
from irvis.io.notes import read_shown
from irvis.io.photo import refuse_far
from irvis.thermal import Drawing, Range, Sensing, scale_of, scaled, to_unit
from irvis.thermal.asked import parse_crop, parse_spot
from irvis.thermal.overlay import round_numbers
from irvis.thermal.palette import EDGE_MOST, PALETTES, colours, thermal_colours
from irvis.types import Meta

HEIGHT, WIDTH = 24, 32
COUNTS = files.scene(HEIGHT, WIDTH)
RANDOM = np.random.default_rng(0)
PHOTO = RANDOM.integers(0, 256, (48, 64, 3), dtype=np.uint8)
REAL = "cameras/radiometric/raw"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6" drone-dji:GimbalYaw="12.5"/></x:xmpmeta>'


def fuse(*words: object) -> int:
    """Run `irvis fuse`, with the method average if none is given; returns the exit status."""
    method = [] if "-m" in words or "--msx" in words else ["-m", "average"]
    try:
        main(["fuse", *method, *map(str, words)])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def camera_file(path: Path, counts=COUNTS, photo=None, aligned=None, camera=None, segments=()) -> Path:
    """A FLIR radiometric JPEG; `aligned`: (scale, x, y)."""
    extra = []
    if photo is not None:
        buffer = BytesIO()
        Image.fromarray(photo).save(buffer, "JPEG", quality=100, subsampling=0)
        extra.append((0x0E, files.photo_block(buffer.getvalue())))
    if aligned is not None:
        extra.append((0x2A, files.alignment_block(*aligned)))
    data = files.flir_record(counts, extra=tuple(extra), camera=camera)
    path.write_bytes(files.jpeg([*segments, *files.flir_segments(data)], counts.shape[::-1]))
    return path


def visible_file(path: Path, size=(WIDTH, HEIGHT), **options) -> Path:
    width, height = size
    Image.fromarray(RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path, **options)
    return path


@pytest.fixture
def pair(tmp_path):
    return visible_file(tmp_path / "v.png"), camera_file(tmp_path / "t.jpg")


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def known_celsius(path: Path, **conditions) -> np.ndarray:
    return cameras.celsius(cameras.required(path), **conditions)


def gray(path: Path, **options) -> np.ndarray:
    return io.read_infrared(path, **options)[0, 0].numpy()


# ------------------------------------------------------------------------------------------ readers


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


# -------------------------------------------------------------------------------------- temperature


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


# --------------------------------------------------------------------------------- range, polarity


def test_equalised_grays_are_equally_frequent():
    counts = np.exp(RANDOM.normal(8, 0.4, (200, 200)))
    unit = to_unit(counts, Range.parse("equalised"))
    share = np.histogram(unit, 16, (0, 1))[0] / unit.size
    np.testing.assert_allclose(share, 1 / 16, atol=0.003)
    order = np.argsort(counts.ravel())
    assert (np.diff(unit.ravel()[order]) >= 0).all()


def test_equalised_constant_images_are_mid_gray():
    assert (to_unit(np.full((5, 6), 700, np.uint16), Range.parse("equalised")) == 0.5).all()


def test_contrast_limited_raises_local_contrast_and_bounds_noise():
    columns = np.linspace(0, 1, 256)[None].repeat(256, axis=0)
    detail = 0.01 * np.sin(np.arange(256) / 3)[:, None]
    counts = 10000 + 20000 * columns + 2000 * detail
    plain, limited = (to_unit(counts, Range.parse(text)) for text in ("0%,100%", "0%,100%,contrast-limited"))
    assert limited[:, 100:150].std(axis=0).mean() > 1.2 * plain[:, 100:150].std(axis=0).mean()
    slope = np.abs(np.diff(limited, axis=1)).max() / np.abs(np.diff(plain, axis=1)).max()
    assert slope < 8
    noise = 10000 + RANDOM.normal(0, 1, (128, 128))
    noise[0, 0], noise[0, 1] = 9000, 11000
    flat = to_unit(noise, Range.parse("0%,100%,contrast-limited"))
    assert flat.std() < 5 * to_unit(noise, Range.parse("0%,100%")).std()


@pytest.mark.parametrize("curve", ["linear", "equalised"])
def test_the_same_count_has_the_same_gray_under_a_settled_scale(curve):
    scale = scale_of(RANDOM.integers(9000, 12000, (40, 50)), Range(9500, 11500, "counts", curve))
    for counts in (files.scene(), RANDOM.integers(8000, 13000, (20, 20)).astype(np.uint16)):
        unit = scaled(counts, scale)
        known = scaled(np.arange(65536, dtype=np.uint16)[None], scale)[0]
        np.testing.assert_array_equal(unit, known[counts])


def sequence(tmp_path: Path, brightness=(0, 400, 800)) -> list[np.ndarray]:
    for side in ("vis", "ir"):
        (tmp_path / side).mkdir()
    scenes = [files.scene(seed=n) + np.uint16(more) for n, more in enumerate(brightness)]
    for n, scene in enumerate(scenes):
        Image.new("L", (WIDTH, HEIGHT), 100).save(tmp_path / f"vis/{n}.png")
        camera_file(tmp_path / f"ir/{n}.jpg", scene)
    return scenes


@pytest.mark.parametrize("span", ["1%,99%", "equalised", "14000,15500", "20C,60C", None])
def test_the_same_counts_give_the_same_gray_within_a_sequence(tmp_path, span):
    scenes = sequence(tmp_path)
    words = [tmp_path / "vis", tmp_path / "ir", "-o", tmp_path / "out", "-m", "infrared", "--range-per", "sequence"]
    assert fuse(*words, *(["--infrared-range", span] if span else [])) == 0
    gray_of: dict[int, int] = {}
    for n, scene in enumerate(scenes):
        levels = pixels(tmp_path / f"out/{n}.png").ravel().tolist()
        assert all(gray_of.setdefault(count, level) == level for count, level in zip(scene.flat, levels, strict=True))
    facts = [read_shown(tmp_path / f"out/{n}.png") for n in range(3)]
    assert facts[0] == facts[1] == facts[2]
    if span == "1%,99%":
        expected = np.percentile(np.concatenate(scenes), (1, 99))
        assert (facts[0]["low"], facts[0]["high"]) == pytest.approx(tuple(expected))


@pytest.mark.parametrize("span", ["1%,99%", "contrast-limited"])
def test_a_bad_file_of_a_sequence_fails_alone(tmp_path, capsys, span):
    sequence(tmp_path)
    (tmp_path / "ir/1.jpg").write_bytes((tmp_path / "ir/1.jpg").read_bytes()[:600])
    words = [tmp_path / "vis", tmp_path / "ir", "-o", tmp_path / "out", "--range-per", "sequence", "--infrared-range"]
    assert fuse(*words, span) == 1
    assert "failed: 1:" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "2.png"]


def test_black_hot_files_are_inverted_and_radiometric_ones_refuse_the_word(pair, tmp_path, capsys):
    picture = RANDOM.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "i.png")
    Image.new("L", (WIDTH, HEIGHT)).save(tmp_path / "v.png")
    words = ["-o", tmp_path / "o.png", "-m", "infrared", "--polarity", "black-hot"]
    assert fuse(tmp_path / "v.png", tmp_path / "i.png", *words) == 0
    np.testing.assert_array_equal(pixels(tmp_path / "o.png"), 255 - picture)
    assert read_shown(tmp_path / "o.png")["polarity"] == "black-hot"
    assert fuse(*pair, *words, "--if-exists", "overwrite") == 1
    assert "white-hot" in capsys.readouterr().err


def test_polarity_is_estimated_and_not_guessed(tmp_path, real_data, capsys):
    files_of = sorted((real_data / "test/MSRS27/ir").iterdir())[:4]
    flipped = 0
    for path in files_of:
        picture = np.asarray(Image.open(path).convert("L"))
        Image.fromarray(255 - picture).save(tmp_path / "black.png")
        auto = gray(tmp_path / "black.png", sensing=Sensing(polarity="auto"))
        same, turned = (255 - picture) / np.float32(255), picture / np.float32(255)
        flipped += bool(np.abs(auto - turned).max() < 1e-6)
        assert min(np.abs(auto - same).max(), np.abs(auto - turned).max()) < 1e-6
    assert flipped >= 2
    noise = RANDOM.integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    visible = visible_file(tmp_path / "v.png", (64, 64))
    assert fuse(visible, tmp_path / "noise.png", "-o", tmp_path / "o.png", "--polarity", "auto") == 0
    assert "cannot be told" in capsys.readouterr().err


# --------------------------------------------------------------------------------- photo and metadata


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


# ------------------------------------------------------------------------------------------ real files


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
