"""Which files form pairs. The files are empty: nothing here may open one."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irvis.data.matching import Matches, match, natural, split_by_scene
from irvis.errors import IrvisError
from irvis.io import READABLE

WV = ("{id}_W", "{id}_T")
STEMS = st.text("abcXYZ0123456789-_", min_size=1, max_size=8)


@pytest.fixture
def folder(tmp_path: Path):
    """Makes empty files below one folder: folder("vi/a.png", …) -> the folder."""

    def make(*paths: str) -> Path:
        fill(tmp_path, *paths)
        return tmp_path

    return make


def fill(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def names(matches: Matches) -> list[str]:
    return [pair.name for pair in matches.pairs]


def files(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


@given(visible=st.sets(STEMS, min_size=1, max_size=6), infrared=st.sets(STEMS, max_size=6), shared=STEMS)
def test_two_folders_pair_exactly_the_stems_that_both_hold(visible, infrared, shared):
    visible, infrared = visible | {shared}, infrared | {shared}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        fill(root, *(f"a/{stem}.png" for stem in visible), *(f"b/{stem}.tiff" for stem in infrared))
        found = match(root / "a", root / "b")
    assert names(found) == sorted(visible & infrared, key=natural)
    assert {path.stem for path in found.only_visible} == visible - infrared
    assert {path.stem for path in found.only_infrared} == infrared - visible
    assert all(pair.visible.stem == pair.infrared.stem == pair.name for pair in found.pairs)
    assert all(pair.visible.parent.name == "a" and pair.infrared.parent.name == "b" for pair in found.pairs)


@given(stems=st.sets(STEMS, min_size=1, max_size=6))
def test_patterns_pair_two_files_of_one_folder(stems: set[str]):
    with tempfile.TemporaryDirectory() as place:
        fill(Path(place), *(f"{stem}{end}.jpg" for stem in stems for end in ("_W", "_T")), "notes.jpg")
        found = match(place, patterns=WV)
    assert names(found) == sorted(stems, key=natural)
    assert found.only_visible == found.only_infrared == ()
    assert all(pair.visible.stem == f"{pair.name}_W" for pair in found.pairs)
    assert all(pair.infrared.stem == f"{pair.name}_T" for pair in found.pairs)


def test_two_files_are_one_pair_named_after_the_visible_file(folder):
    root = folder("day.jpg", "heat.tiff")
    found = match(root / "day.jpg", root / "heat.tiff")
    assert [(p.name, p.visible.name, p.infrared.name) for p in found.pairs] == [("day", "day.jpg", "heat.tiff")]


def test_pairs_come_in_natural_order(folder):
    root = folder(*(f"{side}/img{number}.png" for side in ("vi", "ir") for number in (10, 2, 1, 33)))
    assert names(match(root)) == ["img1", "img2", "img10", "img33"]


def test_stems_match_by_case(folder):
    root = folder("vi/A.png", "vi/b.png", "ir/a.png", "ir/b.png")
    assert names(match(root / "vi", root / "ir")) == ["b"]


def test_sub_folders_pair_by_their_place(folder):
    root = folder("vi/day/1.png", "vi/night/1.png", "ir/night/1.png", "ir/day/1.png", "ir/1.png")
    found = match(root / "vi", root / "ir")
    assert names(found) == ["day/1", "night/1"]
    assert all(pair.visible.parent.name == pair.infrared.parent.name for pair in found.pairs)
    assert files(found.only_infrared) == ["1.png"]


def test_without_recursion_sub_folders_take_no_part(folder):
    root = folder("vi/1.png", "vi/old/2.png", "ir/1.png", "ir/old/2.png")
    assert names(match(root, recursive=False)) == ["1"]


@pytest.mark.parametrize("visible", ["vi", "VIS", "visible", "RGB", "visual", "eo", "Color"])
@pytest.mark.parametrize("infrared", ["ir", "INF", "infrared", "thermal", "lwir", "TIR", "FLIR"])
def test_one_folder_is_enough_when_its_sub_folders_say_what_they_hold(folder, visible: str, infrared: str):
    root = folder(f"{visible}/1.png", f"{infrared}/1.png", "labels/1.png")
    pair = match(root).pairs[0]
    assert (pair.visible.parent.name, pair.infrared.parent.name) == (visible, infrared)


def test_the_named_sub_folders_may_lie_one_level_lower(folder):
    assert names(match(folder("train/vi/1.png", "train/ir/1.png", "docs/figure.png"))) == ["1"]


def test_patterns_work_inside_named_sub_folders(folder):
    assert names(match(folder("vi/1_W.png", "ir/1_T.png"), patterns=WV)) == ["1"]


def test_patterns_work_across_two_folders_and_report_strangers(folder):
    root = folder("a/1_W.png", "a/odd.png", "b/1_T.png", "b/2_T.png")
    found = match(root / "a", root / "b", patterns=WV)
    assert (names(found), files(found.only_visible), files(found.only_infrared)) == (
        ["1"],
        ["odd.png"],
        ["2_T.png"],
    )


def test_a_file_that_fits_both_patterns_belongs_to_the_longer_one(folder):
    found = match(folder("1.jpg", "1_T.jpg", "2.jpg"), patterns=("{id}", "{id}_T"))
    assert (names(found), files(found.only_visible)) == (["1"], ["2.jpg"])


@pytest.mark.parametrize(
    ("paths", "globs", "expected"),
    [
        (("a/1.png", "b/1.jpg", "b/2.jpg"), ("a/*.png", "b/*.*"), ["1"]),
        (("a/1_vis.png", "a/1_ir.png", "a/2_vis.png"), ("a/*_vis.png", "a/*_ir.png"), ["1"]),
        (("s1/vis.png", "s1/ir.png", "s2/vis.png", "s2/ir.png"), ("s*/vis.png", "s*/ir.png"), ["1", "2"]),
        (("a/x/1_v.png", "b/x/1_i.png"), ("a/**/*_v.png", "b/**/*_i.png"), ["x/1"]),
        (("v[1]/7.png", "i/7.png"), ("v[[]1]/*", "i/*"), ["7"]),
        (("a.b/v_1.0.png", "a.b/i_1.0.png"), ("a.b/v_*", "a.b/i_*"), ["1.0"]),
        (("a/v7.png", "a/w7.png"), ("a/v?.png", "a/w[0-9].png"), ["7"]),
    ],
)
def test_globs_pair_by_stem_or_else_by_what_the_star_stood_for(folder, paths, globs, expected):
    root = folder(*paths)
    assert names(match(root / globs[0], root / globs[1])) == expected


def test_globs_may_be_relative_and_take_patterns(folder, monkeypatch):
    monkeypatch.chdir(folder("a/1_W.png", "a/1_T.png"))
    assert names(match("a/*_W.png", "a/*_T.png")) == names(match("a/*", patterns=WV)) == ["1"]


def test_a_glob_may_name_hidden_folders_and_go_upwards(folder, monkeypatch):
    root = folder(".cache/v/1_v.png", ".cache/i/1_i.png", ".cache/v/.2_v.png", "x/y.png")
    monkeypatch.chdir(root / "x")
    found = match("../.cache/v/*_v.png", root / ".cache/i/*_i.png")
    assert (names(found), found.only_visible) == (["1"], ())


def test_a_folder_whose_name_looks_like_a_glob_is_a_folder(folder):
    root = folder("set[1]/vi/1.png", "set[1]/ir/1.png")
    assert names(match(root / "set[1]")) == ["1"]


def test_hidden_files_and_files_that_are_no_images_are_not_seen(folder):
    root = folder("vi/1.png", "vi/._1.png", "vi/.hidden/2.png", "vi/Thumbs.db", "ir/1.PNG", "ir/.DS_Store")
    found = match(root)
    assert (names(found), found.only_visible, found.only_infrared) == (["1"], (), ())


@pytest.mark.parametrize("suffix", READABLE)
def test_every_readable_suffix_is_seen_in_both_cases(folder, suffix: str):
    assert names(match(folder(f"vi/1{suffix}", f"ir/1{suffix.upper()}"))) == ["1"]


@pytest.mark.parametrize(
    ("paths", "given_paths", "patterns", "says"),
    [
        ((), ("nowhere",), None, "no such file"),
        (("vi/1.txt", "ir/1.png"), ("vi", "ir"), None, "vi: no image there"),
        (("a/1.png",), ("a/**.png", "a/*.png"), None, "must stand alone"),
        (("a/1.png",), ("a/*.png",), None, "both sides"),
        (("a/1.png",), ("b*.png", "a/*.png"), None, "b\\*.png: no image"),
        (("vi/1.png",), ("vi", "ir/*.png"), None, "vi is a folder but .* is a glob"),
        (("vi/1.png", "ir/1.png"), ("vi/1.png", "ir"), None, "a file but .* is a folder"),
        (("vi/1.png", "ir/1.png"), ("vi/1.png",), None, "give its infrared file"),
        (("vi/1.png", "ir/1.png"), ("vi", "vi"), None, "for both sides.*--match"),
        (
            ("vi/1.png", "vi/1.jpg", "ir/1.png"),
            ("vi", "ir"),
            None,
            "1.jpg and .*1.png would both be called 1",
        ),
        (("vi/c.png", "ir/d.png"), ("vi", "ir"), None, "visible: c.png; infrared: d.png.*--match"),
        (("a/x.png",), (".",), None, "no visible and infrared sub-folder.*--match"),
        (
            ("train/vi/1.png", "train/ir/1.png", "test/vi/1.png", "test/ir/1.png"),
            (".",),
            None,
            "test/vi.*train/vi",
        ),
        (("vi/1.png", "rgb/1.png", "ir/1.png"), (".",), None, "rgb \\+ ir, vi \\+ ir"),
        (("1_W.png", "1_T.png"), (".",), ("{id}_W", "_T"), "{id} exactly once"),
        (("1_W.png", "1_T.png"), (".",), ("{id}_{id}", "{id}_T"), "{id} exactly once"),
        (("1_W.png", "1_T.png"), (".",), ("{id}_W.png", "{id}_T"), "leave out .png"),
        (("1_W.png", "1_T.png"), (".",), ("{id}_W", "{id}_W"), "must differ"),
        (("a_b.png", "a.png"), (".",), ("{id}_b", "a_{id}"), "fits both"),
        (("1_W.png", "1_T.png"), ("1_W.png", "1_T.png"), WV, "two files are a pair"),
    ],
)
def test_every_other_reading_is_an_error_of_one_line(folder, monkeypatch, paths, given_paths, patterns, says):
    monkeypatch.chdir(folder(*paths))
    if "ir/*.png" in given_paths:
        fill(Path(), "ir/1.png")
    with pytest.raises(IrvisError) as error:
        match(*given_paths, patterns=patterns)
    assert re.search(says, str(error.value)), str(error.value)
    assert "\n" not in str(error.value)


def test_the_error_without_pairs_shows_no_more_than_three_names(folder):
    root = folder(*(f"vi/a{number}.png" for number in range(9)), "ir/b.png")
    with pytest.raises(IrvisError, match=r"visible: a0.png, a1.png, a2.png; infrared: b.png"):
        match(root)


def test_a_star_in_a_pattern_stands_for_any_text(tmp_path):
    for side, folder in (("A", "v"), ("B", "t")):
        (tmp_path / folder).mkdir()
        for number in ("000018", "000019"):
            (tmp_path / folder / f"video-{side}-frame-{number}-{side}h{number}Q.jpg").touch()
    found = match(tmp_path / "v", tmp_path / "t", patterns=("video-A-frame-{id}-*", "video-B-frame-{id}-*"))
    assert [pair.name for pair in found.pairs] == ["000018", "000019"]
    assert (found.only_visible, found.only_infrared) == ((), ())


@given(names=st.sets(STEMS, max_size=30), share=st.floats(0.01, 0.99))
def test_validation_is_the_end_of_the_natural_order(names: set[str], share: float):
    train, validation = split_by_scene(names, share)
    assert train + validation == sorted(names, key=natural)
    assert split_by_scene(sorted(names), share) == (train, validation)
    if len(names) >= 2:
        assert train
        assert validation
        assert abs(len(validation) - share * len(names)) <= 1


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 2.0])
def test_a_share_outside_0_to_1_is_an_error(share: float):
    with pytest.raises(IrvisError, match="between 0 and 1"):
        split_by_scene(["a", "b"], share)


def test_a_name_given_twice_is_an_error():
    with pytest.raises(IrvisError, match="twice"):
        split_by_scene(["a", "b", "a"], 0.5)


def test_a_drones_thermal_shots_find_the_wide_ones_beside_them(folder):
    shots = ("20260101120000_0001_T", "20260101120000_0001_W", "20260101120000_0001_Z", "20260101120005_0002_T")
    root = folder(*(f"DJI_{shot}.JPG" for shot in shots), "DJI_0003_V.JPG", "DJI_0003_T.JPG", "DJI_0004_W.JPG")
    found = match(root, both=lambda path: True)
    assert {(pair.visible.name, pair.infrared.name) for pair in found.pairs} == {
        ("DJI_20260101120000_0001_W.JPG", "DJI_20260101120000_0001_T.JPG"),
        ("DJI_0003_V.JPG", "DJI_0003_T.JPG"),
    }
    assert files(found.only_visible) == ["DJI_0004_W.JPG"]
    assert files(found.only_infrared) == ["DJI_20260101120005_0002_T.JPG"]
