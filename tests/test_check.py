"""What `irvis check` finds: every kind once, none of it in a clean folder, no crash whatever the files hold."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image

from irvis import check, io
from irvis.check import colours, defects, measure
from irvis.check import findings as found
from irvis.check.tables import table
from irvis.cli import main
from irvis.data import matching
from irvis.thermal import Range, polarity

HEIGHT, WIDTH, PAIRS = 96, 128, 6
KINDS = set(found.KINDS)


def irvis(*words: object) -> int:
    """Run the command line in this process; returns the exit status."""
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def smooth(random: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    """Blotches of some pixels, from 0 to 1."""
    rows, columns = shape[0] // 8 + 1, shape[1] // 8 + 1
    coarse = random.random((rows, columns, *shape[2:]))
    fine = np.repeat(np.repeat(coarse, 8, 0), 8, 1)[: shape[0], : shape[1]]
    for axis in (0, 1):
        for _ in range(3):
            fine = (np.roll(fine, 1, axis) + fine + np.roll(fine, -1, axis)) / 3
    return (fine - fine.min()) / np.ptp(fine)


@cache
def scene(seed: int, height: int = HEIGHT, width: int = WIDTH) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(visible, infrared): colours; a cold smooth sky over warm ground with a few small hot things."""
    random = np.random.default_rng(seed)
    visible = 20 + 200 * smooth(random, height, width, 3)
    ground = smooth(random, height, width) * 0.25 + 0.35
    infrared = np.where(np.arange(height)[:, None] < 0.4 * height, 0.1 + 0.02 * ground, ground)
    for _ in range(6):
        y, x = random.integers(int(0.5 * height), height - 12), random.integers(8, width - 12)
        infrared[y : y + 6, x : x + 3] = 0.9
    noise = random.normal(0, 0.004, infrared.shape)
    return visible.astype(np.uint8), (255 * (infrared + noise).clip(0.02, 0.98)).astype(np.uint8)


def save(path: Path, pixels: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if pixels.dtype == np.float32:
        tifffile.imwrite(path.with_suffix(".tif"), pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack")
        path.unlink(missing_ok=True)
    else:
        Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs without a fault, to be copied."""
    place = tmp_path_factory.mktemp("clean")
    for n in range(PAIRS):
        for side, pixels in zip(("vi", "ir"), scene(n), strict=True):
            save(place / side / f"{n}.png", pixels)
    return place


@pytest.fixture
def folder(clean: Path, tmp_path: Path) -> Path:
    return shutil.copytree(clean, tmp_path, dirs_exist_ok=True)


def report(folder: Path, *, most: int = 1000, **asked: object) -> check.Report:
    """Of the pairs of a folder; of more than `most`, of some that are evenly spread."""
    matches, words = matching.match(folder), check.Asked(**asked)  # type: ignore[arg-type]
    matches = replace(matches, pairs=matches.pairs[:: -(-len(matches.pairs) // most) or 1])
    return check.judge(matches, list(check.look_at(matches.pairs, words)), words)


def kinds(folder: Path, **asked: object) -> set[str]:
    return {finding.kind for finding in report(folder, **asked).findings}


def refused_by_fuse(folder: Path, *words: str) -> set[str]:
    """The pairs that fusing gives no picture of."""
    irvis("fuse", folder, "-o", folder / "out", "-m", "average", *words)
    return {str(n) for n in range(PAIRS)} - {path.stem for path in (folder / "out").glob("*.png")}


def change(
    folder: Path, how: Callable[[NDArray[np.uint8]], NDArray[np.generic]], side: str = "ir", n: str = "2"
) -> None:
    path = folder / side / f"{n}.png"
    save(path, how(np.asarray(Image.open(path))))


# ------------------------------------------------------------------------------ one of every kind


def palette(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    levels = np.arange(256)
    return np.stack([levels, levels // 2, 255 - levels], 1).astype(np.uint8)[gray]


def inverted(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return 255 - gray


def with_dead_rows(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    gray = gray.copy()
    gray[40], gray[:, 70] = 200, 3
    return gray


def with_dead_pixel(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    gray = gray.copy()
    gray[60, 50] = 255
    return gray


def some_missing(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    counts = gray.astype(np.float32)
    counts[:5, :5] = np.nan
    return counts


def unreadable(folder: Path) -> None:
    path = folder / "ir/2.png"
    path.write_bytes(path.read_bytes()[:-2000])


def unmatched(folder: Path) -> None:
    save(folder / "vi/alone.png", scene(9)[0])


def swapped(folder: Path) -> None:
    for n in range(PAIRS):
        (folder / f"vi/{n}.png").rename(folder / "other.png")
        (folder / f"ir/{n}.png").rename(folder / f"vi/{n}.png")
        (folder / "other.png").rename(folder / f"ir/{n}.png")


def duplicate(folder: Path) -> None:
    (folder / "ir/4.png").write_bytes((folder / "ir/1.png").read_bytes())


def turned(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(folder / "vi/2.png").save(folder / "vi/2.jpg", exif=exif, quality=95)
    (folder / "vi/2.png").unlink()


def switching(folder: Path) -> None:
    """One scene; from frame 2 on black is hot."""
    visible, infrared = scene(0)
    for n in range(PAIRS):
        save(folder / f"vi/{n}.png", np.roll(visible, n, 1))
        save(folder / f"ir/{n}.png", np.roll(infrared if n < 2 else 255 - infrared, n, 1))


def every(how: Callable[[NDArray[np.uint8]], NDArray[np.generic]]) -> Callable[[Path], None]:
    return lambda folder: [change(folder, how, n=str(n)) for n in range(PAIRS)] and None


def one(how: Callable[[NDArray[np.uint8]], NDArray[np.generic]], side: str = "ir") -> Callable[[Path], None]:
    return lambda folder: change(folder, how, side)


HALVES = (slice(None, None, 2),) * 2
PROVOKED: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "unreadable": (unreadable, set()),
    "size": (one(lambda gray: gray[HALVES]), set()),
    "pseudo-colour": (one(palette), set()),
    "range": (every(lambda gray: gray.astype(np.uint16) * 40 + 7000), set()),
    "visible-range": (one(lambda colour: colour.astype(np.float32), "vi"), {"mixed"}),
    "unmatched": (unmatched, set()),
    "swapped": (swapped, {"pseudo-colour"}),
    "same-picture": (one(lambda _: np.asarray(Image.fromarray(scene(2)[0]).convert("L"))), set()),
    "duplicate": (duplicate, set()),
    "aspect": (one(lambda gray: gray[:, :100]), {"size"}),
    "turned": (turned, set()),
    "polarity": (every(inverted), set()),
    "polarity-differs": (one(inverted), set()),
    "polarity-switches": (switching, {"polarity-differs", "polarity"}),
    "levels": (one(lambda gray: gray // 12 + 90), set()),
    "saturated": (one(lambda gray: np.where(gray < 80, 0, gray)), set()),
    "empty": (one(lambda gray: np.full_like(gray, 7), "vi"), set()),
    "missing": (every(some_missing), {"range"}),
    "dark": (one(lambda colour: colour[..., 0].astype(np.uint16) * 16, "vi"), {"mixed"}),
    "dead-lines": (one(with_dead_rows), set()),
    "dead-pixels": (every(with_dead_pixel), set()),
    "mixed": (one(lambda gray: gray.astype(np.uint16) * 40), {"range"}),
}


def test_a_clean_folder_has_no_finding_and_exits_with_0(folder, capsys):
    assert kinds(folder) == set()
    assert irvis("check", folder, "--strict") == 0
    assert "white-hot" in capsys.readouterr().out


@pytest.mark.parametrize("kind", PROVOKED)
def test_each_kind_is_found_where_it_is_and_nothing_else_and_refused_is_what_fuse_refuses(kind, folder):
    provoke, with_it = PROVOKED[kind]
    provoke(folder)
    found = report(folder)
    seen = {finding.kind for finding in found.findings}
    assert kind in seen
    assert seen <= {kind} | with_it
    assert set(found.refused) == refused_by_fuse(folder)


def test_every_kind_is_provoked_here():
    assert set(PROVOKED) | {"misaligned", "range-beside"} == KINDS


def test_a_range_beside_all_counts_is_found_as_fusing_refuses_it(folder):
    every(lambda gray: gray.astype(np.uint16) * 8 + 7000)(folder)
    assert "range-beside" not in kinds(folder, range=Range(7000, 9000))
    assert "range-beside" not in kinds(folder, range=Range(8500, 30000))
    assert len(report(folder, range=Range(20000, 30000)).refused) == PAIRS


def test_a_pair_with_the_same_finding_on_both_sides_counts_once(folder, capsys):
    for n in range(PAIRS):
        change(folder, lambda gray: np.full_like(gray, 7), n=str(n))
    change(folder, lambda colour: np.full_like(colour, 7), "vi")
    assert irvis("check", folder) == 0
    told = capsys.readouterr().out
    assert re.search(rf"empty frame +{PAIRS} ", told)
    rows = sum(int(cell) for cell in table(report(folder)).columns[2].cells)
    assert f"; {rows} findings;" in told


def test_a_shift_that_is_seen_is_told(folder, monkeypatch):
    monkeypatch.setattr(measure, "misalignment", lambda visible, infrared: (-4.0, 0.0))
    assert kinds(folder) == {"misaligned"}
    monkeypatch.setattr(measure, "misalignment", lambda visible, infrared: None)
    assert kinds(folder) == set()


def test_folders_given_the_wrong_way_round_are_told_by_their_names(folder):
    for n in range(PAIRS):
        change(folder, lambda colour: colour[..., 1], "vi", str(n))
    assert kinds(folder) == set()
    matches = matching.match(folder / "ir", folder / "vi")
    words = check.Asked()
    findings = check.judge(matches, list(check.look_at(matches.pairs, words)), words).findings
    assert {finding.kind for finding in findings} >= {"swapped"}
    assert any(finding.kind == "swapped" and not finding.pair for finding in findings)


def test_a_frame_and_a_saturated_sky_are_no_dead_lines():
    gray = np.random.default_rng(0).integers(50, 200, (40, 50), dtype=np.uint8)
    gray[:6], gray[-3:], gray[:, :2] = 0, 0, 0
    assert defects.dead_lines(gray) == (0, 0)
    gray[20:22] = 90
    assert defects.dead_lines(gray) == (2, 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_pixel_stands_out_whether_bright_or_dark_and_only_a_single_one(dtype):
    gray = np.full((20, 30), 100, dtype)
    gray[5, 7], gray[9, 20], gray[15, 4:6] = 140, 50, 140
    assert defects.spikes(gray, 255).tolist() == [5 * 30 + 7, 9 * 30 + 20]


# --------------------------------------------------------------------------- agreement with fusing


WORDS = {
    "size": (["--resize-infrared"], {"resize": True}),
    "pseudo-colour": (["--infrared-color", "gray"], {"color": "gray"}),
    "range": (["--infrared-range", "1%,99%"], {"range": io.Range(1, 99, "percent")}),
}


MENDED = {*WORDS, "unreadable", "swapped", "aspect", "empty", "missing", "mixed"}
"""Kinds that the words mend, or that come near them; the others go the same way and are for slow runs."""


@pytest.mark.parametrize("kind", WORDS)
def test_the_words_an_advice_names_answer_the_finding(kind, folder):
    PROVOKED[kind][0](folder)
    words, asked = WORDS[kind]
    assert irvis("check", folder) == 1
    assert irvis("check", folder, *words) == 0
    assert kind not in kinds(folder, **asked)


@pytest.mark.parametrize(
    "kind", [kind if kind in MENDED else pytest.param(kind, marks=pytest.mark.slow) for kind in PROVOKED]
)
def test_with_the_words_too_refused_are_the_pairs_that_fuse_refuses(kind, folder):
    PROVOKED[kind][0](folder)
    words = [word for words, _ in WORDS.values() for word in words]
    asked = {key: value for _, asked in WORDS.values() for key, value in asked.items()}
    assert refused_by_fuse(folder, *words) == set(report(folder, **asked).refused)


def test_advice_names_only_options_that_fuse_has(capsys):
    irvis("fuse", "--help")
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    for kind in found.KINDS.values():
        assert set(re.findall(r"--[a-z-]+", kind.advice)) <= options


# -------------------------------------------------------------------------------------- the verb


def test_serious_findings_exit_with_1_and_warnings_only_when_strict(folder):
    PROVOKED["levels"][0](folder)
    assert irvis("check", folder) == 0
    assert irvis("check", folder, "--strict") == 1
    PROVOKED["unreadable"][0](folder)
    assert irvis("check", folder) == 1


def test_json_has_the_same_keys_whatever_is_found(folder, capsys):
    irvis("check", folder, "--json")
    clean = json.loads(capsys.readouterr().out)
    unreadable(folder)
    unmatched(folder)
    assert irvis("check", folder, "--json") == 1
    broken = json.loads(capsys.readouterr().out)
    assert clean.keys() == broken.keys() == {"pairs", "refused", "polarity", "findings", "files"}
    assert clean["findings"] == []
    assert broken["refused"] == ["2"]
    for finding in broken["findings"]:
        assert finding.keys() == {"kind", "level", "pair", "text", "advice"}
    assert [file["infrared"]["problem"] is None for file in broken["files"]] == [n != 2 for n in range(PAIRS)]
    assert broken["files"][0]["visible"]["samples"] == "uint8"


def test_json_is_json_also_without_any_number(folder, capsys):
    change(folder, lambda gray: np.full(gray.shape, np.nan, np.float32))
    irvis("check", folder, "--json")
    text = capsys.readouterr().out
    assert "NaN" not in text
    assert json.loads(text)["pairs"] == PAIRS


def test_the_table_says_how_many_and_what_to_do_and_verbose_names_every_pair(folder, capsys):
    PROVOKED["range"][0](folder)
    irvis("check", folder, "--verbose")
    text = " ".join(capsys.readouterr().out.split())
    assert "--infrared-range" in text
    for n in range(PAIRS):
        assert f"{n}: visible {WIDTH}x{HEIGHT} uint8 colour" in text


def test_stems_that_differ_are_matched_by_patterns_here_too(tmp_path):
    for side, pixels in zip("WT", scene(0), strict=True):
        save(tmp_path / f"1_{side}.png", pixels)
    assert irvis("check", tmp_path, "--match", "{id}_W", "{id}_T") == 0


def test_nothing_that_matches_is_an_error(tmp_path):
    save(tmp_path / "vi/a.png", scene(0)[0])
    save(tmp_path / "ir/b.png", scene(0)[1])
    assert irvis("check", tmp_path) == 1


def test_how_many_threads_look_changes_nothing(folder):
    matches, words = matching.match(folder), check.Asked()
    texts = [
        [str(look.infrared.pixels.hot) for look in check.look_at(matches.pairs, words, n) if look.infrared.pixels]
        for n in (1, 3)
    ]
    assert texts[0] == texts[1]


# ------------------------------------------------------------------------------------- estimators


@pytest.mark.parametrize("seed", range(5))
def test_evidence_turns_its_sign_with_the_image_and_ignores_gain_and_offset(seed):
    image = torch.from_numpy(scene(seed)[1] / np.float32(255))[None, None]
    evidence = polarity.evidence(image)
    assert polarity.evidence(1 - image) == pytest.approx(-evidence, abs=1e-3)
    assert polarity.evidence(0.3 * image + 0.4) == pytest.approx(evidence, abs=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (31, 400), (33, 34)])
def test_images_of_any_size_have_evidence(shape):
    assert abs(polarity.evidence(torch.rand(1, 1, *shape))) < 10
    assert polarity.evidence(torch.full((1, 1, *shape), 0.5)) == 0


def test_own_colours_are_none_in_a_palette_and_all_where_colour_ignores_brightness():
    gray = np.arange(256, dtype=np.uint8).repeat(64).reshape(128, 128, 1)
    steps = palette(gray[..., 0] // 4 * 4)
    assert colours.own_colours(gray) == 0
    assert colours.own_colours(np.repeat(gray, 3, 2)) == 0
    random = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    assert colours.own_colours(steps) < 0.2
    assert colours.own_colours(random) > 0.8


# ------------------------------------------------------------------------------------- bad input


def test_images_of_one_pixel_and_one_row_are_looked_at(tmp_path):
    for name, shape in (("a", (1, 1)), ("b", (1, 300)), ("c", (300, 1)), ("d", (2, 2))):
        save(tmp_path / f"vi/{name}.png", np.zeros((*shape, 3), np.uint8))
        save(tmp_path / f"ir/{name}.png", np.zeros(shape, np.uint8))
    assert kinds(tmp_path) <= {"empty", "duplicate"}


def test_damaged_files_are_one_line_each_and_the_rest_goes_on(folder, tmp_path):
    random = np.random.default_rng(0)
    originals = {suffix: tmp_path / f"original{suffix}" for suffix in (".png", ".jpg", ".tif", ".bmp")}
    for path in originals.values():
        Image.fromarray(scene(0, 32, 40)[1]).save(path)
    for n in range(80):
        suffix = list(originals)[n % 4]
        data = bytearray(originals[suffix].read_bytes())
        for place in random.integers(0, len(data), random.integers(1, 20)):
            data[place] = random.integers(256)
        data = data[: random.integers(len(data))] if n % 3 == 0 else data
        (folder / f"ir/fuzz{n}{suffix}").write_bytes(data)
        save(folder / f"vi/fuzz{n}.png", scene(0, 32, 40)[0])
    result = report(folder)
    assert len(result.looks) == PAIRS + 80
    problems = [finding.text for finding in result.findings if finding.kind == "unreadable"]
    assert len(problems) > 20
    assert all("\n" not in text for text in problems)
    assert not set(result.refused) & {str(n) for n in range(PAIRS)}


# -------------------------------------------------------------------------------------- real pairs


@pytest.mark.parametrize("most", [8, pytest.param(1000, marks=pytest.mark.slow)], ids=["some pairs", "every pair"])
@pytest.mark.parametrize(
    "name", ["test/TNO21", "test/VIFB", "test/MSRS27", "test/LLVIP15", "test/RoadScene19", "test/video/TNO_Duine"]
)
def test_registered_public_sets_are_white_hot_and_have_no_serious_finding(name, most, real_data):
    result = report(real_data / name, most=most)
    assert result.refused == ()
    assert result.polarity == "white-hot"
    assert {finding.kind for finding in result.findings} <= {"saturated", "misaligned"}
    assert sum(finding.kind == "misaligned" for finding in result.findings) <= 2  # the sets are not perfect


def test_an_inverted_public_set_is_black_hot(real_data, tmp_path):
    for path in sorted((real_data / "test/MSRS27/ir").iterdir())[:8]:
        save(tmp_path / "ir" / path.name, 255 - np.asarray(Image.open(path)))
        (tmp_path / "vi").mkdir(exist_ok=True)
        (tmp_path / "vi" / path.name).symlink_to((real_data / "test/MSRS27/vi" / path.name).resolve())
    result = report(tmp_path)
    assert result.polarity == "black-hot"
    assert {finding.kind for finding in result.findings} == {"polarity"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("FLIR_ADAS_raw_pairs", {"size", "aspect", "pseudo-colour"}),
        ("RoadScene_raw", {"size", "aspect"}),
        ("FLIR_radiometric_pairs", {"size", "range", "saturated"}),
        ("Matching_VIS_IR", {"misaligned"}),
    ],
)
def test_raw_cameras_have_the_findings_that_are_known_of_them(name, expected, real_data):
    assert kinds(real_data / "cameras" / name) == expected
