"""Colour goes out of a picture and comes back."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irvis import color

seeds = st.integers(0, 10_000)


def picture(seed: int, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(2, channels, 9, 7, generator=generator, dtype=torch.float64)
    return torch.where(torch.rand(2, 1, 9, 7, generator=generator) < 0.2, image.round(), image)


@given(seed=seeds)
@settings(max_examples=50, deadline=None)
def test_luma_of_the_output_is_the_fused_luma_and_no_channel_leaves_the_gamut(seed):
    rgb, fused = picture(seed), picture(seed + 1, 1)
    merged = color.with_luma(rgb, fused)
    torch.testing.assert_close(color.luma(merged), fused, rtol=0, atol=1e-12)
    assert merged.min() >= -1e-12
    assert merged.max() <= 1 + 1e-12


@given(seed=seeds)
@settings(max_examples=50, deadline=None)
def test_an_unchanged_luma_gives_the_picture_back(seed):
    rgb = picture(seed)
    torch.testing.assert_close(color.with_luma(rgb, color.luma(rgb)), rgb, rtol=0, atol=1e-12)


@given(seed=seeds)
@settings(max_examples=50, deadline=None)
def test_an_unchanged_value_gives_the_picture_back(seed):
    rgb = picture(seed).clamp_min(1e-3)
    torch.testing.assert_close(color.with_value(rgb, color.value(rgb)), rgb, rtol=0, atol=1e-12)


@given(seed=seeds)
@settings(max_examples=50, deadline=None)
def test_value_of_the_output_is_the_fused_value(seed):
    rgb, fused = picture(seed), picture(seed + 1, 1)
    merged = color.with_value(rgb, fused)
    torch.testing.assert_close(color.value(merged), fused, rtol=0, atol=1e-12)


def test_chroma_is_scaled_and_its_direction_kept():
    rgb = torch.tensor([0.9, 0.2, 0.1], dtype=torch.float64).view(1, 3, 1, 1)
    merged = color.with_luma(rgb, torch.full((1, 1, 1, 1), 0.8, dtype=torch.float64))
    before, after = ((x - color.luma(x)).flatten() for x in (rgb, merged))
    torch.testing.assert_close(after / after.norm(), before / before.norm(), rtol=0, atol=1e-9)
    assert after.norm() < before.norm()


def test_luma_has_the_weights_of_bt601():
    primaries = torch.eye(3, dtype=torch.float64)[:, :, None, None]
    torch.testing.assert_close(
        color.luma(primaries).flatten(), torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)
    )


def test_gray_pictures_pass_exactly():
    gray = torch.rand(1, 1, 8, 8).expand(1, 3, 8, 8)
    assert torch.equal(color.luma(gray), gray[:, :1])


def test_gradients_flow_through_both_ways():
    rgb, fused = picture(3).requires_grad_(), picture(4, 1).requires_grad_()
    for merge in (color.with_luma, color.with_value):
        grads = torch.autograd.grad(merge(rgb, fused).square().sum(), (rgb, fused))
        assert all(torch.isfinite(g).all() and g.abs().sum() > 0 for g in grads)
