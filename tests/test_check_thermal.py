"""Thermal files through `irvis check`: the words that say how they are read are those of `irvis fuse`."""

import re
from dataclasses import fields
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import thermal_files as files
from irvis import cameras
from irvis.options import InfraredOptions
from irvis.thermal import Range, Sensing
from test_check import HEIGHT, PAIRS, PROVOKED, WIDTH, change, every, inverted, irvis, kinds, report, save, scene

COUNTS = files.scene(HEIGHT, WIDTH)
PHOTO = np.random.default_rng(0).integers(0, 256, (2 * HEIGHT, 2 * WIDTH, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(PAIRS):
        for side, pixels in zip(("vi", "ir"), scene(n), strict=True):
            save(tmp_path / side / f"{n}.png", pixels)
    return tmp_path


def pair(folder: Path, name: str, data: bytes, size=(WIDTH, HEIGHT)) -> Path:
    """One pair whose infrared file holds these bytes."""
    save(folder / "vi/a.png", scene(0, size[1], size[0])[0])
    (folder / "ir").mkdir()
    (folder / "ir" / name).write_bytes(data)
    return folder


def radiometric(counts=COUNTS, aligned=None, photo=False) -> bytes:
    extra = []
    if photo:
        buffer = BytesIO()
        Image.fromarray(PHOTO).save(buffer, "JPEG", quality=95)
        extra.append((0x0E, files.photo_block(buffer.getvalue())))
    if aligned is not None:
        extra.append((0x2A, files.alignment_block(*aligned)))
    return files.jpeg(files.flir_segments(files.flir_record(counts, extra=tuple(extra))), counts.shape[::-1])


def test_fuse_and_check_have_every_word_of_reading(capsys):
    for verb in ("fuse", "check"):
        irvis(verb, "--help")
        said = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
        assert {f"--{field.name.replace('_', '-')}" for field in fields(InfraredOptions)} <= said


@pytest.mark.parametrize(("order", "words"), [("<", f"{WIDTH}x{HEIGHT}"), (">", f"{WIDTH}x{HEIGHT}:big")])
def test_counts_without_a_header_are_looked_at_once_their_size_is_said(folder, capsys, order, words):
    for n in range(PAIRS):
        counts = np.asarray(Image.open(folder / f"ir/{n}.png")).astype(np.uint16) * 40 + 7000
        (folder / f"ir/{n}.png").unlink()
        (folder / f"ir/{n}.raw").write_bytes(counts.astype(f"{order}u2").tobytes())
    assert irvis("check", folder, "-v") == 1
    assert "--infrared-raw 640x512" in capsys.readouterr().out
    assert irvis("check", folder, "--infrared-raw", words, "--infrared-range", "1%,99%", "--strict") == 0
    assert kinds(folder, sensing=Sensing(raw=(WIDTH, HEIGHT, order))) == {"range"}
    assert irvis("check", folder, "--infrared-raw", "wide") == 1
    assert "no size of raw counts" in capsys.readouterr().err


def test_the_finding_of_polarity_is_turned_around_by_the_word(folder):
    black = Sensing(polarity="black-hot")
    assert kinds(folder, sensing=black) == {"polarity"}
    assert report(folder, sensing=black).polarity == "white-hot"
    every(inverted)(folder)
    assert kinds(folder) == {"polarity"}
    assert kinds(folder, sensing=black) == set()
    assert report(folder, sensing=black).polarity == "black-hot"
    assert irvis("check", folder, "--polarity", "black-hot", "--strict") == 0


def test_files_that_auto_turns_are_no_finding(folder):
    change(folder, inverted)
    assert kinds(folder) == {"polarity-differs"}
    assert kinds(folder, sensing=Sensing(polarity="auto")) == set()


ALIKE = ("levels", "saturated", "empty", "dead-lines", "dead-pixels", "polarity-differs", "polarity-switches")


@pytest.mark.parametrize("kind", ALIKE)
def test_inverted_files_have_the_same_findings_once_they_are_said_to_be_black_hot(kind, folder):
    PROVOKED[kind][0](folder)
    seen = kinds(folder)
    every(inverted)(folder)
    assert kinds(folder, sensing=Sensing(polarity="black-hot")) == seen


def test_a_camera_s_own_file_needs_no_range_and_refuses_to_be_black_hot(tmp_path):
    pair(tmp_path, "a.jpg", radiometric())
    assert "range" not in kinds(tmp_path)
    assert report(tmp_path).refused == ()
    assert report(tmp_path, sensing=Sensing(polarity="black-hot")).refused == ("a",)
    assert irvis("fuse", tmp_path, "-o", tmp_path / "out", "-m", "average") == 0
    words = ["-o", tmp_path / "other", "-m", "average", "--polarity", "black-hot"]
    assert irvis("fuse", tmp_path, *words) == 1


def test_the_camera_s_picture_and_its_counts_are_looked_at_as_asked(tmp_path):
    pair(tmp_path, "a.jpg", radiometric())
    assert "pseudo-colour" not in kinds(tmp_path)
    assert "pseudo-colour" in kinds(tmp_path, sensing=Sensing(unit="picture"))


def test_a_crop_takes_the_frame_off(tmp_path):
    framed = np.pad(scene(0)[1], ((3, 5), (2, 7)))
    save(tmp_path / "vi/a.png", scene(0)[0])
    save(tmp_path / "ir/a.png", framed)
    assert irvis("check", tmp_path) == 1
    assert irvis("check", tmp_path, "--infrared-crop", f"2,3,{WIDTH},{HEIGHT}") == 0
    assert irvis("check", tmp_path, "--infrared-crop", f"20,3,{WIDTH},{HEIGHT}") == 1


def test_a_frame_of_a_sequence_is_looked_at(tmp_path):
    data = files.flir_record(files.scene(HEIGHT, WIDTH)) + files.flir_record(files.scene(HEIGHT // 2, WIDTH // 2))
    pair(tmp_path, "a.seq", data)
    assert report(tmp_path).looks[0].infrared.pixels.size == f"{WIDTH}x{HEIGHT}"
    assert kinds(tmp_path, sensing=Sensing(frame=1)) >= {"size"}
    assert irvis("check", tmp_path, "--frame", 2) == 1
    assert irvis("check", tmp_path, "--frame", -1) == 1


def test_degrees_are_looked_at_by_the_step_and_the_conditions_given(tmp_path):
    counts = (COUNTS.astype(int) + 15500).astype(np.uint16)
    pair(tmp_path, "a.tif", b"")
    tifffile.imwrite(tmp_path / "ir/a.tif", counts)
    span = Range(20.0, 60.0, "celsius")
    assert report(tmp_path, range=span).refused == ("a",)
    step = Sensing(kelvin_per_count=0.01)
    pixels = report(tmp_path, range=span, sensing=step).looks[0].infrared.pixels
    assert (pixels.low, pixels.high) == pytest.approx(np.percentile(counts / 100 - 273.15, (1, 99)), abs=0.01)
    assert "range" not in kinds(tmp_path, sensing=Sensing(kelvin_per_count=0.01, unit="celsius"))
    (tmp_path / "ir/a.tif").unlink()
    (tmp_path / "ir/a.jpg").write_bytes(radiometric())
    for conditions in ({}, {"emissivity": 0.5}):
        sensing = Sensing(unit="celsius", conditions=tuple(conditions.items()))
        known = np.percentile(cameras.celsius(cameras.parse(radiometric()), **conditions), 1)
        assert report(tmp_path, sensing=sensing).looks[0].infrared.pixels.low == pytest.approx(known, abs=0.01)


def test_radiometric_files_that_hold_their_photo_are_pairs_here_too(tmp_path):
    for n, aligned in enumerate(((2.0, 0, 0), None, (1.5, 2, 2))):
        (tmp_path / f"{n}.jpg").write_bytes(radiometric(files.scene(HEIGHT, WIDTH, n), aligned, photo=True))
    (tmp_path / "3.jpg").write_bytes(radiometric())
    assert irvis("check", tmp_path) == 1
    assert irvis("check", tmp_path / "0.jpg") == 0
    irvis("fuse", tmp_path, "-o", tmp_path / "out", "-m", "average")
    assert sorted(path.name for path in (tmp_path / "out").glob("*")) == ["0.png", "2.png"]
    assert irvis("check", tmp_path, "--resize-infrared") == 1
    for name in ("1", "3"):
        (tmp_path / f"{name}.jpg").unlink()
    assert irvis("check", tmp_path) == 0


def test_counts_of_a_thermal_camera_are_white_hot_whatever_they_show(tmp_path):
    """Files of which `irvis fuse` refuses to be told that they are black-hot."""
    for n in range(PAIRS):
        visible, infrared = scene(n)
        counts = (30000 - 40 * infrared.astype(int)).astype(np.uint16)
        save(tmp_path / f"vi/{n}.png", visible)
        (tmp_path / "ir").mkdir(exist_ok=True)
        (tmp_path / f"ir/{n}.jpg").write_bytes(radiometric(counts))
    assert not kinds(tmp_path) & {"polarity", "polarity-differs"}
    assert report(tmp_path).polarity == "white-hot"
