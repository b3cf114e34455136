"""Picture sheets: every picture and every detail is on them."""

import pytest
import torch

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
