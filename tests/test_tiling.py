"""Tiles of cores that see everything: budgets, narrow pictures, precision."""

import pytest
import torch

from irvis import tiling
from irvis.registry import Spec


@pytest.mark.parametrize(
    ("size", "windows"),
    [((64, 64), [(64, 64)]), ((30, 136), [(32, 144)]), ((65, 64), [(64, 64)] * 2), ((40, 200), [(48, 64)] * 4)],
)
def test_pictures_are_tiled_beyond_the_budget_and_tiles_are_no_larger_than_the_picture(size, windows):
    seen = []

    def core(luma, infrared):
        seen.append(tuple(luma.shape[-2:]))
        return luma + infrared

    image = torch.rand(1, 1, *size)
    fused = tiling.run(core, image, image, Spec(domain="luma", multiple=16, budget=64 * 64), None)
    torch.testing.assert_close(fused, 2 * image)
    assert seen == windows


def test_a_tile_that_is_asked_for_goes_before_the_budget():
    seen = []

    def core(luma, infrared):
        seen.append(tuple(luma.shape[-2:]))
        return luma

    image = torch.rand(1, 1, 100, 100)
    tiling.run(core, image, image, Spec(domain="luma", budget=10), 100)
    assert seen == [(100, 100)]


def test_wide_seams_are_blended_in_half_precision():
    image = torch.rand(1, 1, 1400, 1300).half()
    fused = tiling.run(lambda luma, infrared: luma, image, image, Spec(domain="luma", budget=1280**2), None)
    torch.testing.assert_close(fused, image, rtol=0, atol=0)
