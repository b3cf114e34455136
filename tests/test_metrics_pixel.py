"""Metrics of pixel values and of colour, by hand and by their laws."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irvis import color
from irvis.metrics.colours import chroma_error, hue_error, lab
from irvis.metrics.maps import levels, sharing
from irvis.metrics.pixel import cc, cc_share, mse, psnr, rmse, scd, scd_share, sd


def images(seed: int = 0, batch: int = 2, size: tuple[int, int] = (12, 15)) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [(torch.rand(batch, 1, *size, generator=generator) * 255).round() / 255 for _ in range(3)]


def test_half_the_pixels_white_has_a_deviation_of_half_the_range():
    fused = torch.zeros(1, 1, 8, 8)
    fused[..., :4] = 1
    assert sd(fused, fused, fused).item() == 127.5


def test_errors_of_a_constant_offset_by_hand():
    """Visible 10 levels below, infrared 20 above."""
    fused = torch.full((1, 1, 8, 8), 100 / 255)
    visible, infrared = fused - 10 / 255, fused + 20 / 255
    assert mse(fused, visible, infrared).item() == pytest.approx((100 + 400) / 2)
    assert mse(fused, visible, infrared, peak=1).item() == pytest.approx(250 / 65025)
    assert rmse(fused, visible, infrared).item() == pytest.approx(15)
    assert rmse(fused, visible, infrared, form="vifb").item() == pytest.approx(15 / 8)
    assert psnr(fused, visible, infrared).item() == pytest.approx(10 * math.log10(65025 / 250))
    assert psnr(fused, visible, infrared, form="tang").item() == pytest.approx(
        10 * math.log10(65025 / 250) + 20 * math.log10(255)
    )
    assert psnr(fused, visible, infrared, form="cddfuse").item() == pytest.approx(10 * math.log10(100**2 / 250))


def test_identical_images_are_ideal():
    image = images()[0]
    assert mse(image, image, image).tolist() == [0, 0]
    assert psnr(image, image, image).tolist() == [math.inf, math.inf]
    torch.testing.assert_close(cc(image, image, image), torch.ones(2, dtype=torch.float64))


def test_the_sum_of_both_sources_has_the_largest_scd():
    _, visible, infrared = images()
    half = [(x / 2 * 255).floor() / 255 for x in (visible, infrared)]
    torch.testing.assert_close(scd(half[0] + half[1], *half), torch.full((2,), 2.0, dtype=torch.float64))
    torch.testing.assert_close(scd_share(half[0] + half[1], *half), torch.ones(2, dtype=torch.float64))


def test_cc_reaches_its_ceiling_with_the_sum_of_normalised_sources_only():
    _, visible, infrared = images(size=(60, 60))
    v, i = (x - x.mean((2, 3), keepdim=True) for x in (visible, infrared))
    best = 0.5 + 0.1 * (v / v.std((2, 3), keepdim=True) + i / i.std((2, 3), keepdim=True))
    assert (cc_share(best, visible, infrared) > 0.999).all()
    assert (cc_share(visible, visible, infrared) < 0.9).all()


@pytest.mark.parametrize("metric", [cc, cc_share, scd])
def test_constant_images_have_no_correlation(metric):
    flat, image = torch.full((2, 1, 9, 9), 0.5), images(size=(9, 9))[0]
    for triple in ((flat, image, image), (image, flat, image), (flat, flat, flat)):
        assert not torch.isfinite(metric(*triple)).any() or metric is scd


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_pixel_metrics_are_symmetric_and_bounded_and_batched(seed):
    fused, visible, infrared = images(seed)
    for metric in (sd, cc, cc_share, scd, mse, rmse, psnr):
        both = metric(fused, visible, infrared)
        torch.testing.assert_close(both, metric(fused, infrared, visible), equal_nan=True)
        alone = torch.cat([metric(fused[n : n + 1], visible[n : n + 1], infrared[n : n + 1]) for n in range(2)])
        torch.testing.assert_close(both, alone, equal_nan=True)
        torch.testing.assert_close(both, metric(fused.double(), visible.double(), infrared.double()), equal_nan=True)
    assert (cc(fused, visible, infrared).abs() <= 1).all()
    assert (cc_share(fused, visible, infrared) <= 1).all()
    assert (scd(fused, visible, infrared).abs() <= 2).all()


def test_lab_of_known_colours():
    """White, black, and sRGB red: L 53.24, a 80.09, b 67.20 (CIE, D65)."""
    colours = torch.tensor([[1.0, 1, 1], [0, 0, 0], [1, 0, 0]])[:, :, None, None].expand(-1, -1, 8, 8)
    got = lab(colours)[:, :, 0, 0]
    expected = torch.tensor([[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]], dtype=torch.float64)
    torch.testing.assert_close(got, expected, rtol=0, atol=0.02)


def test_a_new_luma_under_old_chroma_keeps_the_hue_better_than_a_turn_of_the_colours():
    rgb = 0.3 + 0.4 * torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    brighter = color.with_luma(rgb, (color.luma(rgb) + 0.1).clamp(0, 1))
    infrared = torch.rand(1, 1, 20, 20)
    assert hue_error(rgb, rgb, infrared).item() == 0
    assert chroma_error(rgb, rgb, infrared).item() == 0
    assert hue_error(brighter, rgb, infrared) < 3
    assert hue_error(rgb.roll(1, dims=1), rgb, infrared) > 5 * hue_error(brighter, rgb, infrared)
    gray = color.luma(rgb).expand(-1, 3, -1, -1)
    assert chroma_error(gray, rgb, infrared) > 5


def test_parts_look_at_the_darkest_and_brightest_tenth():
    ramp = torch.linspace(0, 1, 100).view(1, 1, 10, 10).expand(1, 3, 10, 10).clone()
    tinted = ramp.clone()
    tinted[:, 0, 0] = (tinted[:, 0, 0] + 0.3).clamp(0, 1)  # the first row is the darkest tenth
    infrared = torch.rand(1, 1, 10, 10)
    assert chroma_error(tinted, ramp, infrared, part="dark") > 10
    assert chroma_error(tinted, ramp, infrared, part="bright") < 1e-6


def test_gray_levels_are_those_of_the_8_bit_file():
    assert levels(torch.full((1, 1, 8, 8), 0.5)).unique().tolist() == [128]
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    assert levels(red).unique().tolist() == [76]
    with pytest.raises(ValueError, match="at least 8×8"):
        levels(torch.rand(1, 1, 7, 9))


def test_shared_maps_are_computed_once_and_forgotten_with_their_image():
    fused, visible, _ = images()
    with sharing() as memory:
        first = levels(visible)
        assert levels(visible) is first
        sd(fused, visible, visible)
        kept = len(memory.kept)
        memory.forget(fused)
        assert len(memory.kept) < kept
        assert levels(visible) is first
    assert levels(visible) is not first
