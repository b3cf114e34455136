"""Picture sheets: every picture and every detail is on them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import irvis
from irvis.cli import main
from irvis.sheet import Box, around, largest, save, sheet, to_pillow


def test_a_sheet_holds_its_pictures_side_by_side(tmp_path):
    pictures = {name: torch.full((1, 3, 60, 80), level) for name, level in (("a", 0.2), ("b", 0.6), ("c", 1.0))}
    page = sheet(pictures, [Box(10, 10, 30, 25), Box(40, 20, 70, 50)], columns=2, width=160)
    save(page, tmp_path / "new" / "sheet.png")
    assert (tmp_path / "new" / "sheet.png").is_file()
    assert page.width > 2 * 160
    shades = {colour for _, colour in page.getcolors(maxcolors=1 << 20)}
    assert {(51, 51, 51), (153, 153, 153), (255, 255, 255)} <= shades


def test_gray_pictures_are_drawn_gray():
    assert to_pillow(torch.full((1, 1, 4, 5), 0.5)).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("mask", [(0, 5, 0, 5), (50, 60, 70, 80), (20, 40, 10, 70), (0, 60, 0, 80)])
def test_a_box_around_a_mask_lies_in_the_picture_and_holds_the_mask(mask):
    top, bottom, left, right = mask
    shape = torch.zeros(60, 80, dtype=torch.bool)
    shape[top:bottom, left:right] = True
    box = around(shape)
    assert 0 <= box.left <= left
    assert right <= box.right <= 80
    assert 0 <= box.top <= top
    assert bottom <= box.bottom <= 60


def test_an_empty_mask_gives_the_whole_picture():
    assert around(torch.zeros(6, 8, dtype=torch.bool)) == Box(0, 0, 8, 6)


def test_the_largest_part_of_a_mask_is_its_biggest_run_of_columns():
    mask = torch.zeros(6, 12, dtype=torch.bool)
    mask[2, 0:3], mask[1:5, 5:8], mask[0, 10] = True, True, True
    assert largest(mask).nonzero().amin(0).tolist() == [1, 5]
    assert largest(mask).sum() == 12


# ------------------------------------------------------------------------------------- a pair beside its results


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for folder, shape in (("vi", (33, 40, 3)), ("ir", (33, 40))):
        (tmp_path / folder).mkdir()
        for name in "ab":
            samples = np.random.default_rng(ord(name)).integers(0, 255, shape, np.uint8)
            Pillow.fromarray(samples).save(tmp_path / folder / f"{name}.png")
    return tmp_path


def run(text: str) -> int:
    try:
        main(["fuse", *text.split()])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.png")}


def test_a_pair_gets_one_sheet_of_all_its_methods(place, capsys):
    assert run("vi/a.png ir/a.png -o out -m average,max,visible --sheet") == 0
    assert names(place / "out") == {"average/a.png", "max/a.png", "visible/a.png", "a.sheet.png"}
    assert "sheet out/a.sheet.png" in capsys.readouterr().out
    page = Pillow.open(place / "out" / "a.sheet.png")
    assert page.width == 3 * 320 + 4 * 8  # five pictures in two rows
    assert page.height == 2 * (26 + 320 * 33 // 40) + 3 * 8


def test_one_file_gets_its_sheet_beside_it(place):
    assert run("vi/a.png ir/a.png -o out/fused.jpg -m average --sheet") == 0
    assert {path.name for path in (place / "out").iterdir()} == {"fused.jpg", "fused.sheet.png"}


def test_a_sheet_shows_what_was_written(place):
    assert run("vi ir -o out -m visible,infrared --sheet --color gray") == 0
    page = np.asarray(Pillow.open(place / "out" / "b.sheet.png")).astype(int)
    left, right = page[:, : page.shape[1] // 2], page[:, page.shape[1] // 2 :]
    assert np.ptp(left[26 + 8 : 200], 2).max() > 50  # the visible image has its colours
    assert np.ptp(page[350:500], 2).max() < 20  # its fused pictures are gray
    assert np.ptp(right[26 + 8 : 200], 2).max() < 20


def test_a_sheet_is_made_anew_when_a_method_is_added_and_kept_when_all_is_there(place, capsys):
    assert run("vi ir -o out -m average,max --sheet") == 0
    before = (place / "out" / "a.sheet.png").read_bytes()
    assert run("vi ir -o out -m average,max --sheet") != 0
    assert "exists" in capsys.readouterr().err
    assert run("vi ir -o out -m average,max,visible --sheet --if-exists skip") == 0
    assert (place / "out" / "a.sheet.png").read_bytes() != before
    capsys.readouterr()
    assert run("vi ir -o out -m average,max,visible --sheet --if-exists skip") == 0
    assert "2 were there already" in capsys.readouterr().out


def test_a_sheet_never_replaces_an_input(place, capsys):
    Pillow.fromarray(np.zeros((4, 4), np.uint8)).save(place / "vi" / "a.sheet.png")
    assert run("vi/a.sheet.png vi/a.sheet.png -o vi/a.png -m average --sheet --if-exists overwrite") != 0
    assert "is an input" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["--memory 1GB", "--ray"])
def test_what_never_holds_a_whole_picture_says_that_there_is_no_sheet(place, capsys, words):
    assert run(f"vi ir -o out -m average --sheet {words}") != 0
    assert f"leave out {words.split()[0]}" in capsys.readouterr().err.replace("\n", " ")
    assert not (place / "out").exists()


def test_videos_say_that_they_get_no_sheet(place, capsys):
    assert run("vi.mp4 ir.mp4 -o out.mp4 --sheet") != 0
    assert "--sheet is for pictures" in capsys.readouterr().err.replace("\n", " ")


def test_python_draws_the_sheet_that_the_command_writes(place):
    assert run("vi/a.png ir/a.png -o out -m average,max --sheet") == 0
    page = irvis.compare("vi/a.png", "ir/a.png", "average,max")
    assert np.array_equal(np.asarray(page), np.asarray(Pillow.open(place / "out" / "a.sheet.png")))
