"""How counts become grays: curves, sequences and polarity."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import thermal_files as files
from irvis.io.notes import read_shown
from irvis.thermal import Range, Sensing, scale_of, scaled, to_unit
from thermal_pairs import HEIGHT, RANDOM, WIDTH, camera_file, fuse, gray, pixels, visible_file


@pytest.fixture
def pair(tmp_path):
    return visible_file(tmp_path / "v.png"), camera_file(tmp_path / "t.jpg")


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
