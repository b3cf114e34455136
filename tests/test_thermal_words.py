"""Words about thermal files that mean nothing, contradict each other or change nothing are told, not passed over."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

import thermal_files as files
from irvis import cameras
from irvis.cli import main
from irvis.errors import IrvisError
from irvis.io import read_shown
from irvis.live import palette as live_palette
from irvis.thermal import Sensing, palette
from irvis.thermal.overlay import annotated, round_numbers
from irvis.thermal.spots import Spot
from irvis.types import Thermal

HEIGHT, WIDTH = 96, 128
COUNTS = files.scene(HEIGHT, WIDTH)


def irvis(verb: str, *words: object) -> int:
    try:
        main([verb, *map(str, words)])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture
def fuse(tmp_path: Path):
    """Run `irvis fuse` on a visible and an infrared file."""
    Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 50)).save(tmp_path / "v.png")

    def run(infrared: Path, *words: object) -> int:
        method = [] if "-m" in words else ["-m", "average"]
        out = ["-o", tmp_path / "o.png", "--if-exists", "overwrite"]
        return irvis("fuse", tmp_path / "v.png", infrared, *out, *method, *words)

    return run


@pytest.fixture
def camera(tmp_path: Path) -> Path:
    path = tmp_path / "t.jpg"
    path.write_bytes(files.jpeg(files.flir_segments(files.flir_record(COUNTS)), (WIDTH, HEIGHT)))
    return path


IMPOSSIBLE = {
    "emissivity": 3, "distance": -1, "humidity": 50, "window_transmission": 0, "kelvin_per_count": 0,
}  # fmt: skip


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_no_measurement_can_be_is_refused_whatever_the_file_holds(name, camera, fuse, capsys):
    words = (f"--{name.replace('_', '-')}", IMPOSSIBLE[name])
    assert fuse(camera, *words) == 1
    assert re.match(r"^error: [^\n]*" + name.split("_")[0], capsys.readouterr().err)
    assert irvis("check", camera.parent / "v.png", camera, *words) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_record_of_what_is_impossible_cannot_be_made(value):
    with pytest.raises(IrvisError, match="distance"):
        Sensing(conditions=(("distance", value),))
    with pytest.raises(IrvisError, match="kelvin per count"):
        Sensing(kelvin_per_count=value)


MADE = [["--infrared-range", "20C,40C"], ["--infrared-unit", "celsius"], ["--palette", "dusk"], ["--hottest", "1"]]


def test_words_about_temperatures_that_change_nothing_are_told(camera, fuse, capsys):
    assert fuse(camera, "--emissivity", 0.5) == 1
    assert "--emissivity is about temperatures" in capsys.readouterr().err
    for words in MADE:
        assert fuse(camera, "--emissivity", 0.5, *words) == 0
    assert irvis("check", camera.parent / "v.png", camera, "--emissivity", 0.5) == 0  # the words of fuse


def test_a_palette_does_not_fall_back_to_counts_where_words_ask_for_temperatures(tmp_path, camera, fuse, capsys):
    assert fuse(camera, "--palette", "dusk", "--kelvin-per-count", 0.01) == 1
    assert "Planck constants" in capsys.readouterr().err
    (tmp_path / "d.jpg").write_bytes(files.dji_jpeg(COUNTS))
    assert fuse(tmp_path / "d.jpg", "--palette", "dusk") == 0
    assert fuse(tmp_path / "d.jpg", "--palette", "dusk", "--emissivity", 0.9) == 1
    assert "Planck constants" in capsys.readouterr().err


def test_a_range_beside_nearly_all_counts_leaves_the_temperatures_what_they_are(camera, fuse, capsys):
    hottest = cameras.celsius(cameras.required(camera)).max()
    counts = cameras.required(camera).counts
    for span in (f"0,{counts.min()}", f"{counts.max()},65535"):
        assert fuse(camera, "--infrared-range", span, "--hottest", 1, "--palette", "dusk") == 0
        assert f"{hottest:.1f} °C" in capsys.readouterr().out


def test_a_file_alone_is_not_fused_with_its_own_picture(tmp_path, capsys):
    photo = BytesIO()
    Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), (1, 2, 3)).save(photo, "JPEG")
    extra = ((0x0E, files.photo_block(photo.getvalue())), (0x2A, files.alignment_block(2.0, 0, 0)))
    record = files.flir_record(COUNTS, extra=extra)
    (tmp_path / "t.jpg").write_bytes(files.jpeg(files.flir_segments(record), (WIDTH, HEIGHT)))
    words = [tmp_path / "t.jpg", "--infrared-unit", "picture", "--infrared-color", "gray"]
    assert irvis("fuse", *words, "-o", tmp_path / "o.png", "-m", "average") == 1
    assert "leave --infrared-unit picture out" in capsys.readouterr().err
    assert irvis("check", *words) == 1
    assert irvis("check", words[0]) == 0


def test_frames_and_pictures_are_told_where_there_are_none(tmp_path, camera, fuse, capsys):
    (tmp_path / "t.raw").write_bytes(COUNTS.tobytes())
    tifffile.imwrite(tmp_path / "t.tif", COUNTS)
    (tmp_path / "t.seq").write_bytes(files.flir_record(COUNTS))
    span = ("--infrared-range", "1%,99%")
    for path, words in (
        (tmp_path / "t.raw", ("--infrared-raw", f"{WIDTH}x{HEIGHT}")),
        (tmp_path / "t.tif", ()),
        (camera, ()),
        (camera, ("--infrared-unit", "picture", "--infrared-color", "gray")),
    ):
        assert fuse(path, *span, *words) == 0
        assert fuse(path, *span, *words, "--frame", 1) == 1
        assert "leave --frame out" in capsys.readouterr().err
    assert fuse(tmp_path / "t.seq", "--infrared-unit", "picture") == 1
    assert "no picture" in capsys.readouterr().err


def test_a_fused_file_fused_again_says_the_range_of_the_last_time(tmp_path, camera, fuse):
    out = tmp_path / "first.jpg"
    assert irvis("fuse", tmp_path / "v.png", camera, "-o", out, "-m", "average", "--infrared-range", "14000,15000") == 0
    second = tmp_path / "second.jpg"
    assert irvis("fuse", out, camera, "-o", second, "-m", "average", "--infrared-range", "14100,15100") == 0
    assert (read_shown(second)["low"], read_shown(second)["high"]) == (14100, 15100)


def thermal() -> Thermal:
    return Thermal(
        values=np.zeros((150, 200), np.float32),
        unit="celsius",
        problem="",
        low=20.0,
        high=40.0,
        placement=np.eye(3),
    )


@pytest.mark.parametrize(("x", "side"), [(190, "left"), (10, "right"), (100, "right")])
def test_a_legend_makes_room_for_the_spots(x, side):
    picture = torch.full((1, 3, 150, 200), 0.5)
    spot = Spot(x, 75, 30.0, hottest=True)
    alone, drawn = annotated(picture, [spot], None, thermal()), annotated(picture, [spot], "ironbow", thermal())
    columns = (alone != drawn).any(dim=1)[0].any(dim=0).nonzero().flatten()
    assert (columns.max() < 100) if side == "left" else (columns.min() > 100)
    assert torch.equal(alone[..., x - 6 : x + 7], drawn[..., x - 6 : x + 7])


def test_a_legend_has_two_to_seven_numbers_and_more_than_two_where_they_fit():
    assert round_numbers(20.3, 25.4) == [21, 22, 23, 24, 25]
    for low, width in np.random.default_rng(0).uniform((-50, 0.01), (50, 500), (500, 2)):
        assert 2 <= len(round_numbers(low, low + width)) <= 7


@pytest.mark.parametrize("name", ["ironbow", "rainbow", "dusk"])
def test_the_cold_end_of_a_palette_has_a_hue_on_a_bright_picture(name):
    bright = torch.full((1, 3, 4, 5), 0.7)
    values = np.full((4, 5), 10.0, np.float32)
    for tinted in (
        palette.tinted(bright, values, 10.0, 40.0, name),
        live_palette.tinted(bright, bright[:, :1] * 0, None, name),
    ):
        red, _, blue = tinted[0, :, 0, 0].tolist()
        assert blue > red + 0.1


def test_palettes_of_grays_stay_gray():
    bright = torch.full((1, 3, 4, 5), 0.7)
    tinted = palette.tinted(bright, np.full((4, 5), 10.0, np.float32), 10.0, 40.0, "whitehot")
    torch.testing.assert_close(tinted, bright, rtol=0, atol=1e-5)
