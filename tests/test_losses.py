"""Quality indices and losses, against cases done by hand and finite differences."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irvis import losses
from irvis.losses import mse, q0, qe, qe_index, qw, qw_index, windows


def images(seed: int = 0, channels: int = 1, size: int = 24) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(2, c, size, size, generator=generator) for c in (channels, channels, 1)]


def test_q0_of_two_windows_by_hand():
    a, b = torch.tensor([1.0, 2, 3, 4]), torch.tensor([2.0, 2, 4, 4])
    # means 2.5 and 3; unbiased variances 5/3 and 4/3; covariance (1.5 + 0.5 + 0.5 + 1.5) / 3 = 4/3
    expected = 4 * (4 / 3) * 2.5 * 3 / ((5 / 3 + 4 / 3) * (2.5**2 + 3**2))
    assert q0(a, b).item() == pytest.approx(expected, rel=1e-6)


def test_q0_is_1_for_identical_windows_and_minus_1_for_mirrored_ones():
    a = torch.rand(5, 64, dtype=torch.float64)
    torch.testing.assert_close(q0(a, a), torch.ones(5, dtype=torch.float64))
    mirrored = 2 * a.mean(-1, keepdim=True) - a
    torch.testing.assert_close(q0(a, mirrored), -torch.ones(5, dtype=torch.float64))


def test_flat_windows_take_the_limits_of_the_definition():
    flat, zero, varied = torch.full((64,), 0.5), torch.zeros(64), torch.linspace(0, 1, 64)
    assert q0(flat, flat / 2).item() == pytest.approx(2 * 0.5 * 0.25 / (0.5**2 + 0.25**2))
    assert q0(zero, zero).item() == 1
    assert q0(zero, flat).item() == 0
    assert q0(flat, varied).item() == 0


def test_qw_of_one_window_by_hand():
    """Two-valued windows of 8×8: variance of k ones in 64 is k(64 - k)/(64·63)."""
    visible, infrared = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    visible[..., :4, :], infrared[..., :, :1] = 1, 1
    var_v, var_i = 32 * 32 / (64 * 63), 8 * 56 / (64 * 63)
    # with fused = visible, Q0(visible) = 1; covariance with infrared is (4 - 32·8/64) / 63 = 0
    for saliency, share in (
        ("variance", var_v / (var_v + var_i)),
        ("deviation", math.sqrt(var_v) / (math.sqrt(var_v) + math.sqrt(var_i))),
    ):
        got = qw_index(visible, visible, infrared, saliency=saliency).item()
        assert got == pytest.approx(share, rel=1e-5)


def test_block_weights_are_the_larger_saliency_or_all_alike():
    """Two windows side by side: a strong one that is kept, a weak one that is turned upside down."""
    wave = torch.sin(torch.arange(8.0)).expand(8, 8) * 0.4
    visible = torch.cat([0.5 + wave, 0.5 + wave / 4], 1)[None, None]
    fused = torch.cat([0.5 + wave, 2 * (0.5 + wave / 4).mean() - (0.5 + wave / 4)], 1)[None, None]
    infrared = torch.full_like(visible, 0.5)
    assert qw_index(fused, visible, infrared, weighting="mean").item() == pytest.approx(0, abs=1e-5)
    assert qw_index(fused, visible, infrared).item() == pytest.approx((16 - 1) / (16 + 1), rel=1e-4)


def test_windows_that_do_not_fill_are_left_out_and_the_stride_counts():
    image = torch.rand(2, 1, 20, 17)
    assert windows(image).shape == (2, 2 * 2, 64)
    assert windows(image, stride=1).shape == (2, 13 * 10, 64)
    with pytest.raises(ValueError, match="at least 8×8"):
        windows(torch.rand(1, 1, 7, 20))


def test_each_pair_has_its_own_value():
    together = qw_index(*images())
    alone = torch.cat([qw_index(*(image[n : n + 1] for image in images())) for n in range(2)])
    torch.testing.assert_close(together, alone)


def test_a_constant_factor_of_the_edges_does_not_count_when_they_are_normalised():
    fused, visible, infrared = images()
    assert qe_index(fused, visible, infrared).shape == (2,)
    dimmed = qe_index(0.5 + 0.25 * fused, visible, infrared)
    torch.testing.assert_close(dimmed, qe_index(fused, visible, infrared), rtol=0, atol=0.02)
    plain = qe_index(0.5 + 0.25 * fused, visible, infrared, normalise=False)
    assert (plain - qe_index(fused, visible, infrared, normalise=False)).abs().max() > 0.02


def test_the_power_is_taken_of_the_index():
    fused, visible, infrared = images()
    visible, infrared = fused + 0.01 * visible, fused[:, :1] + 0.01 * infrared
    torch.testing.assert_close(
        qe_index(fused, visible, infrared, power=0.7),
        qe_index(fused, visible, infrared) ** 0.7,
        rtol=1e-5,
        atol=0,
    )


def test_mse_has_one_weight_per_source():
    fused, visible, infrared = (
        torch.full((1, 1, 8, 8), 0.5),
        torch.zeros(1, 1, 8, 8),
        torch.full((1, 1, 8, 8), 0.9),
    )
    assert mse(fused, visible, infrared).item() == pytest.approx(0.5 * 0.25 + 0.5 * 0.16)
    assert mse(fused, visible, infrared, visible_weight=0, infrared_weight=1).item() == pytest.approx(0.16)


def test_correlation_reaches_its_ceiling_for_the_standardised_sum_and_no_lower():
    visible, infrared = torch.rand(2, 3, 1, 20, 30)
    best = visible / visible.std((2, 3), keepdim=True) + infrared / infrared.std((2, 3), keepdim=True)
    assert losses.correlation(best, visible, infrared) == pytest.approx(torch.zeros(3), abs=1e-5)
    assert (losses.correlation(torch.rand_like(visible), visible, infrared) > 0.5).all()


def test_correlation_is_the_metric_cc_as_a_share():
    from irvis.metrics import measure

    fused, visible, infrared = ((torch.rand(3, 1, 1, 24, 32) * 255).round() / 255).unbind()
    share = measure(fused, visible, infrared, metrics=["CC_share"])["CC_share"]
    assert 1 - losses.correlation(fused, visible, infrared).double() == pytest.approx(share, abs=1e-5)


def test_laplacian_asks_for_the_larger_curvature():
    visible, infrared = torch.zeros(2, 1, 1, 9, 9)
    visible[..., 4, 4] = 1.0
    assert float(losses.laplacian(visible, visible, visible)) == 0
    # the point's own -8 is below the flat image's 0, its eight neighbours' +1 are above
    assert float(losses.laplacian(visible, visible, infrared)) == pytest.approx(8 / 81)


def test_detail_vanishes_where_all_three_images_are_one_and_nothing_is_amplified():
    image = torch.rand(2, 1, 70, 90)
    assert losses.detail(image, image, image, gain=1.0) == pytest.approx(torch.zeros(2), abs=1e-5)
    assert (losses.detail(image, image, image, gain=1.2) > 0.01).all()


def test_detail_asks_for_the_sharper_source_and_not_for_the_mean():
    sharp = torch.rand(1, 1, 64, 64)
    flat = sharp.mean().expand_as(sharp).contiguous()
    near, far = (losses.detail(fused, sharp, flat, gain=1.0) for fused in (sharp, (sharp + flat) / 2))
    assert near < 0.01 < far


def test_fine_detail_may_count_more():
    image = torch.rand(1, 1, 64, 64)
    other = image + 0.1 * (torch.arange(64) % 2 - 0.5)  # the finest stripes there are
    plain, fine = (losses.detail(other, image, image, gain=1.0, fine=weight) for weight in (1.0, 4.0))
    assert float(fine / plain) == pytest.approx(4, rel=0.2)
    dark = (losses.detail(image - 0.5, image, image, gain=1.0, fine=weight) for weight in (1.0, 4.0))
    assert [float(value) for value in dark] == pytest.approx([0.5, 0.5], abs=0.01)


def test_detail_keeps_the_brightness_of_the_livelier_source():
    lively, dull = 0.7 + 0.1 * torch.rand(1, 1, 64, 64), torch.full((1, 1, 64, 64), 0.2)
    kept = losses.detail(lively, lively, dull, gain=1.0)
    lost = losses.detail(lively - 0.5, lively, dull, gain=1.0)
    assert float(lost - kept) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("loss", sorted(losses.LOSSES))
def test_gradients_reach_a_colour_output(loss):
    fused, visible, infrared = images(channels=3)
    fused.requires_grad_()
    losses.LOSSES[loss](fused, visible, infrared).sum().backward()
    assert torch.isfinite(fused.grad).all()
    assert (fused.grad.abs().sum((0, 2, 3)) > 0).all()


@pytest.mark.parametrize("loss", sorted(losses.LOSSES))
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_flat_images_give_finite_values_and_gradients(loss, level):
    fused = torch.full((1, 1, 16, 16), level, requires_grad=True)
    value = losses.LOSSES[loss](fused, torch.full((1, 1, 16, 16), 0.5), torch.zeros(1, 1, 16, 16))
    value.sum().backward()
    assert torch.isfinite(value).all()
    assert torch.isfinite(fused.grad).all()


def test_gradient_of_q0_agrees_with_finite_differences():
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(3, 16, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(q0, (a, b))


@pytest.mark.parametrize("loss", [qw, qe, mse])
def test_gradient_of_a_loss_agrees_with_finite_differences(loss):
    fused, visible, infrared = images(size=16)
    fused = fused[:1].requires_grad_()
    visible, infrared = visible[:1], infrared[:1]
    (slope,) = torch.autograd.grad(loss(fused, visible, infrared).sum(), fused)
    direction = slope / slope.norm()
    with torch.no_grad():
        up, down = (loss(fused + step * direction, visible, infrared).sum() for step in (1e-2, -1e-2))
    assert ((up - down) / 2e-2).item() == pytest.approx(slope.norm().item(), rel=0.02)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_indices_lie_between_minus_1_and_1_and_are_1_for_three_equal_images(seed):
    fused, visible, infrared = images(seed)
    for index in (qw_index, qe_index):
        values = index(fused, visible, infrared)
        assert values.min() >= -1.0001
        assert values.max() <= 1.0001
        torch.testing.assert_close(index(infrared, infrared, infrared), torch.ones(2), rtol=0, atol=1e-4)


def test_qw_of_published_images_is_that_of_table_1(real_data):
    """DLF .67280 and RFN-Nest .66136 in Table 1 of arXiv:2412.08073."""
    from irvis.data.matching import match
    from irvis.io import read_infrared, read_pair

    for method, published in (("DLF", 0.67280), ("RFN-Nest", 0.66136)):
        scores = []
        for files in match(real_data / "test" / "TNO21").pairs:
            pair = read_pair(files.visible, files.infrared)
            fused = read_infrared(real_data / "peers" / "TNO21" / method / f"{files.name}.png")
            scores.append(qw_index(fused, pair.visible, pair.infrared).item())
        assert len(scores) == 21
        assert sum(scores) / 21 == pytest.approx(published, abs=1e-5)


def test_blocks_are_0_for_the_sources_and_grow_with_steps_at_the_borders_of_patches():
    image = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    assert losses.blocks(image, image, image).max() < 1e-5
    stepped = image + 0.2 * torch.arange(8).repeat_interleave(8)
    value = losses.blocks(stepped, image, image)
    assert (value > 0.05).all()
    assert torch.allclose(value, losses.blocks(stepped.transpose(2, 3), *[image.transpose(2, 3)] * 2))
