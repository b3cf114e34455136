"""Words as people type them and names as files have them, on every verb."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from irvis.cli import _bound, main
from irvis.cli.common import errors, printable


def irvis(*words):
    """The exit status."""
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    return stop.value.code or 0


@pytest.fixture
def pair(tmp_path):
    Image.new("RGB", (40, 32), (30, 60, 90)).save(tmp_path / "v.png")
    tifffile.imwrite(tmp_path / "t.tif", np.linspace(-20, 5, 1280, dtype=np.float32).reshape(32, 40))
    return tmp_path / "v.png", tmp_path / "t.tif"


@pytest.mark.parametrize("words", [["-13C,1C"], ["-20.5,5"], ["=-13C,1C"], ["-.5,4"]])
def test_a_range_may_begin_below_zero(tmp_path, pair, words, capsys):
    option = [f"--infrared-range{words[0]}"] if words[0].startswith("=") else ["--infrared-range", *words]
    more = ["--infrared-unit", "celsius"] if "C" in words[0] else []
    assert irvis("fuse", *pair, "-o", tmp_path / "o.png", "-m", "average", *option, *more) == 0, capsys.readouterr().err


def test_negative_values_belong_to_the_option_before_them_and_nothing_else_changes():
    given = [
        "fuse",
        "a",
        "-o",
        "-1.png",
        "--reflected",
        "-10",
        "--nodata",
        "-9999",
        "--hottest",
        "3",
        "-13C",
        "--offset=-2",
    ]
    bound = ["fuse", "a", "-o", "-1.png", "--reflected=-10", "--nodata=-9999", "--hottest", "3", "-13C", "--offset=-2"]
    assert _bound(given) == bound
    assert _bound(["-5"]) == ["-5"]


def test_control_characters_in_names_reach_no_terminal(tmp_path, capsys):
    name = "a\x1b[31m\rb\x9b\u202e.png"
    assert irvis("fuse", tmp_path / name, tmp_path / name, "-o", tmp_path / "o.png") == 1
    told = capsys.readouterr().err
    assert "a\\x1b[31m\\rb\\x9b\\u202e.png" in told
    assert not set(told) & set("\x1b\r\x9b\u202e")
    assert printable("\u00e9 \u00b0C\u00a0\u4e2d\n\t") == "\u00e9 \u00b0C\u00a0\u4e2d\n\t"
    assert printable("\udc80\x7f\x00") == "\\udc80\\x7f\\x00"
    with errors.capture() as shown:
        errors.print("bad \udc80 name")
    assert "\\udc80" in shown.get()


def test_the_pages_of_a_tiff_are_the_frames_of_a_video(tmp_path):
    from irvis.thermal import Sensing
    from irvis.video.source import open_source

    stack = np.stack([np.linspace(n, n + 900, 1280).reshape(32, 40).astype(np.uint16) for n in (7000, 8000, 9000)])
    tifffile.imwrite(tmp_path / "stack.tif", stack, photometric="minisblack")
    source = open_source(str(tmp_path / "stack.tif"), gray=True, sensing=Sensing())
    np.testing.assert_array_equal([frame.samples for frame in source.frames()], stack)
    colours = [Image.new("RGB", (40, 32), (level, 9, 99)) for level in (10, 120, 230)]
    colours[0].save(tmp_path / "v.webp", save_all=True, append_images=colours[1:], lossless=True)
    reds = [frame.samples[0, 0, 0] for frame in open_source(str(tmp_path / "v.webp")).frames()]
    assert reds == [10, 120, 230]
