"""Contrast-limited curves of a whole sequence: the same count has the same gray at the same pixel of every frame."""

import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from irvis.cli import main
from irvis.io import read_shown
from irvis.thermal import Range, scale_of, scaled, to_unit
from irvis.thermal.clahe import LEAST
from irvis.thermal.range import with_curves

HEIGHT, WIDTH = 48, 80
SPAN = Range.parse("contrast-limited")
Counts = NDArray[np.uint16]


def frame(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Counts:
    """A warm body before a wall, in steps of 50 counts so that frames share them; each frame is warmer."""
    rows, columns = np.mgrid[:height, :width]
    random = np.random.default_rng(seed)
    body = 900 * np.exp(-((rows - height / 2) ** 2 + (columns - 20 - 15 * seed) ** 2) / 120)
    counts = 14000 + 300 * seed + 6 * columns + body + random.normal(0, 40, (height, width))
    return (np.round(counts / 50) * 50).astype(np.uint16)


def sequence(folder: Path, frames: list[Counts]) -> list[object]:
    """The words that fuse these frames into `folder / "out"`, whose pixels are the infrared's gray."""
    for side in ("vis", "ir"):
        (folder / side).mkdir()
    for n, counts in enumerate(frames):
        Image.new("L", counts.shape[::-1], 100).save(folder / f"vis/{n}.png")
        tifffile.imwrite(folder / f"ir/{n}.tif", counts)
    return [folder / "vis", folder / "ir", "-o", folder / "out", "-m", "infrared", "--infrared-range"]


def fuse(*words: object) -> int:
    try:
        main(["fuse", *map(str, words)])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def fused(folder: Path, count: int) -> list[NDArray[np.uint8]]:
    return [np.asarray(Image.open(folder / f"out/{n}.png")) for n in range(count)]


def grays(frames: list[Counts], pictures: list[NDArray[np.uint8]]) -> dict[tuple[int, int], set[int]]:
    """All grays of a (pixel, count)."""
    found: dict[tuple[int, int], set[int]] = {}
    for counts, picture in zip(frames, pictures, strict=True):
        for pixel, (count, gray) in enumerate(zip(counts.ravel().tolist(), picture.ravel().tolist(), strict=True)):
            found.setdefault((pixel, count), set()).add(gray)
    return found


@pytest.mark.parametrize("span", ["contrast-limited", "13000,16000,contrast-limited"])
def test_the_same_count_at_the_same_pixel_has_the_same_gray_in_every_frame(tmp_path, span):
    frames = [frame(seed) for seed in range(4)]
    words = [*sequence(tmp_path, frames), span]
    assert fuse(*words, "--range-per", "sequence") == 0
    pictures = fused(tmp_path, 4)
    assert all(len(levels) == 1 for levels in grays(frames, pictures).values())
    assert len({gray for picture in pictures for gray in picture.ravel().tolist()}) > 100
    told = [read_shown(tmp_path / f"out/{n}.png") for n in range(4)]
    assert all(facts == told[0] for facts in told)
    assert told[0]["curve"] == "contrast-limited"
    assert fuse(*words, "--range-per", "image", "--if-exists", "overwrite") == 0
    assert any(len(levels) > 1 for levels in grays(frames, fused(tmp_path, 4)).values())


def test_one_frame_repeated_is_that_frame_alone(tmp_path):
    words = [*sequence(tmp_path, [frame(0)] * 3), "contrast-limited"]
    assert fuse(*words, "--range-per", "sequence") == 0
    alone = np.floor(to_unit(frame(0), SPAN) * 255 + 0.5)
    for picture in fused(tmp_path, 3):
        assert np.abs(picture - alone).max() <= 1  # sums of three histograms, rounded elsewhere
        assert (picture == alone).mean() > 0.999


def test_frames_of_a_single_part_have_the_curve_of_the_frames_put_together():
    """Pictures below twice `LEAST` have one curve, also where they are laid side by side below that size."""
    size = LEAST // 2
    frames = [frame(seed, size, 2 * size) for seed in range(3)]
    both = np.concatenate(frames)
    limits = scale_of(both, SPAN)
    settled = with_curves(limits, frames)
    apart = np.concatenate([scaled(counts, settled) for counts in frames])
    np.testing.assert_allclose(apart, scaled(both, limits), atol=1e-6)


def test_pixels_without_a_measurement_count_in_no_frame():
    holed = [frame(seed).astype(np.float32) for seed in range(2)]
    whole = [counts.copy() for counts in holed]
    holed[1][:, :40], whole[1][:, 40:] = np.nan, np.nan
    scale = scale_of(np.stack(whole), SPAN)
    there = with_curves(scale, [whole[0], holed[1]])
    np.testing.assert_array_equal(scaled(holed[1], there)[:, :40], 0)
    parts = with_curves(scale, [whole[0], holed[1], whole[1]]), with_curves(scale, [whole[0], frame(1)])
    np.testing.assert_allclose(scaled(whole[0], parts[0]), scaled(whole[0], parts[1]), atol=1e-6)


def test_one_picture_is_in_memory_at_a_time():
    alive: list[weakref.ref[Counts]] = []

    def pictures() -> Iterator[Counts]:
        for seed in range(5):
            assert not any(known() is not None for known in alive[:-1])
            counts = frame(seed)
            alive.append(weakref.ref(counts))
            yield counts
            del counts

    assert with_curves(scale_of(frame(0), SPAN), pictures()).curves is not None


def test_frames_of_several_sizes_are_one_line_that_says_what_to_do(tmp_path, capsys):
    words = sequence(tmp_path, [frame(0), frame(1, 50, 80), frame(2)])
    assert fuse(*words, "contrast-limited", "--range-per", "sequence") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "80x48" in said
    assert "80x50" in said
    assert "equalised" in said
    assert not (tmp_path / "out").exists()
    assert fuse(*words, "equalised", "--range-per", "sequence") == 0


def test_constant_frames_are_mid_gray(tmp_path):
    words = sequence(tmp_path, [np.full((HEIGHT, WIDTH), 7, np.uint16)] * 2)
    assert fuse(*words, "contrast-limited", "--range-per", "sequence") == 0
    assert all((picture == 128).all() for picture in fused(tmp_path, 2))


@pytest.mark.parametrize("span", ["1%,99%", "equalised", "contrast-limited"])
def test_frames_with_and_without_nodata_are_of_one_kind(tmp_path, span):
    frames = [frame(seed) for seed in range(3)]
    frames[1][10:20] = 0
    words = [*sequence(tmp_path, frames), span]
    for n, counts in enumerate(frames):
        tifffile.imwrite(tmp_path / f"ir/{n}.tif", counts, extratags=[(42113, 2, 2, "0", True)])
    assert fuse(*words, "--range-per", "sequence") == 0
    told = read_shown(tmp_path / "out/1.png")
    if span == "1%,99%":
        measured = np.concatenate([counts[counts > 0] for counts in frames])
        assert (told["low"], told["high"]) == pytest.approx(tuple(np.percentile(measured, (1, 99))))
    pictures = fused(tmp_path, 3)
    kept = [np.where(counts > 0, picture, 0) for counts, picture in zip(frames, pictures, strict=True)]
    away = np.ones((HEIGHT, WIDTH), bool)
    away[:40] = False  # near the border of what was measured the visible image is blended in
    frames, kept = ([array[away] for array in arrays] for arrays in (frames, kept))
    assert all(len(levels) == 1 for levels in grays(frames, kept).values())
