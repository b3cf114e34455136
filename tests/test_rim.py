"""Where infrared ends inside the picture, its frame does not show."""

import pytest
import torch
from torch import Tensor

import irvis
from irvis.color import luma
from irvis.rim import CELL, FEATHER, depth_of, reach_of, rim_of

HEIGHT, WIDTH = 192, 256
TOP, BOTTOM, LEFT, RIGHT = 40, 160, 60, 200


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor, Tensor]:
    """A dim textured view, and infrared that is much brighter, of a part of it."""
    random = torch.Generator().manual_seed(1)
    texture = torch.rand(1, 1, HEIGHT, WIDTH, generator=random)
    visible = (0.2 + 0.1 * texture).expand(-1, 3, -1, -1)
    infrared = 0.7 + 0.2 * torch.rand(1, 1, HEIGHT, WIDTH, generator=random)
    valid = torch.zeros(1, 1, HEIGHT, WIDTH)
    valid[..., TOP:BOTTOM, LEFT:RIGHT] = 1
    return visible, infrared, valid


def across_the_rim(fused: Tensor) -> list[float]:
    """Levels of 255 between the means of strips just inside and just outside, at the four sides; 8 pixels deep."""
    gray = 255 * luma(fused)[0, 0]
    inside_y, inside_x = slice(TOP, BOTTOM), slice(LEFT, RIGHT)
    strips = [
        (gray[TOP : TOP + 8, inside_x], gray[TOP - 8 : TOP, inside_x]),
        (gray[BOTTOM - 8 : BOTTOM, inside_x], gray[BOTTOM : BOTTOM + 8, inside_x]),
        (gray[inside_y, LEFT : LEFT + 8], gray[inside_y, LEFT - 8 : LEFT]),
        (gray[inside_y, RIGHT - 8 : RIGHT], gray[inside_y, RIGHT : RIGHT + 8]),
    ]
    return [float((inner.mean() - outer.mean()).abs()) for inner, outer in strips]


@pytest.mark.parametrize("method", ["average", "max", "infrared", "laplacian", "encdec:tiny"])
def test_there_is_no_step_at_the_rim_of_infrared(method, pair):
    with torch.inference_mode():
        fused = irvis.create(method)(*pair)
    assert max(across_the_rim(fused)) < 5


@pytest.mark.parametrize("method", ["average", "infrared"])
def test_nothing_rises_fast_from_the_rim_inwards(method, pair):
    visible, infrared, valid = pair
    fused = 255 * luma(irvis.create(method)(visible, infrared, valid))[0, 0]
    column = fused[TOP - 8 : HEIGHT // 2, LEFT + 30 : RIGHT - 30].mean(1)
    steps = column[4:] - column[:-4]
    assert float(steps.max()) < 0.35 * float(column.max() - column.min())


def test_far_from_the_rim_infrared_stays_as_it_is(pair):
    visible, infrared, valid = pair
    far = rim_of(valid).fitted == 0
    assert far[0, 0, HEIGHT // 2, WIDTH // 2]
    assert torch.equal(rim_of(valid).fit(infrared, luma(visible))[far], infrared[far])


def test_outside_the_visible_image_is_untouched(pair):
    visible, infrared, valid = pair
    fused = irvis.create("average")(visible, infrared, valid)
    torch.testing.assert_close(fused * (1 - valid), visible * (1 - valid), rtol=0, atol=1e-6)


def test_infrared_that_ends_with_the_picture_has_no_rim_there():
    valid = torch.ones(1, 1, HEIGHT, WIDTH)
    assert rim_of(valid).fitted.abs().max() == 0
    valid[..., :, WIDTH // 2 :] = 0
    assert rim_of(valid).fitted[..., : WIDTH // 2 - depth_of(HEIGHT, WIDTH) - 2 * CELL].abs().max() == 0


def test_a_part_with_its_surroundings_is_fitted_as_the_whole_is(pair):
    """What windows of a large picture rest on."""
    visible, infrared, valid = pair
    plane, depth = luma(visible), 16
    whole = rim_of(valid, depth)
    part = (..., slice(0, 2 * CELL + reach_of(depth)), slice(0, 4 * CELL + reach_of(depth)))
    kept = (..., slice(0, 2 * CELL), slice(0, 4 * CELL))
    small = rim_of(valid[part], depth)
    torch.testing.assert_close(
        small.fit(infrared[part], plane[part])[kept], whole.fit(infrared, plane)[kept], rtol=0, atol=1e-6
    )
    start = 5 * CELL
    part, kept = (
        (..., slice(start, None), slice(start, None)),
        (..., slice(reach_of(depth), None), slice(reach_of(depth), None)),
    )
    there = (..., slice(start + reach_of(depth), None), slice(start + reach_of(depth), None))
    small = rim_of(valid[part], depth)
    torch.testing.assert_close(
        small.fit(infrared[part], plane[part])[kept], whole.fit(infrared, plane)[there], rtol=0, atol=1e-6
    )


def test_one_rim_serves_a_batch(pair):
    visible, infrared, valid = pair
    fuser = irvis.create("laplacian")
    alone = fuser(visible, infrared, valid)
    both = fuser(visible.expand(2, -1, -1, -1), infrared.expand(2, -1, -1, -1), rim_of(valid))
    torch.testing.assert_close(both[1:], alone, rtol=0, atol=1e-6)


def test_the_last_pixels_are_feathered(pair):
    share = rim_of(pair[2]).share[0, 0, HEIGHT // 2]
    assert share[LEFT - 1] == 0
    assert share[LEFT + FEATHER + 1] == 1
    assert (share.diff()[: WIDTH // 2] >= 0).all()
