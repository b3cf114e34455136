"""Each fault is found in a method that was made to have it, and in no other."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

import irvis
from irvis.evaluate import faults
from irvis.filters import gaussian


def visible_only(visible: Tensor, infrared: Tensor) -> Tensor:
    return visible


def average(visible: Tensor, infrared: Tensor) -> Tensor:
    return (visible + infrared) / 2


def detail_added(visible: Tensor, infrared: Tensor) -> Tensor:
    """All detail of both, brightness of the visible image: no fault but where detail goes."""
    return visible + infrared - low(infrared)


def low(image: Tensor, sigma: float = 8.0) -> Tensor:
    return torch.cat([gaussian(plane, sigma) for plane in image.split(1, 1)], 1)


def then(change: Callable[[Tensor], Tensor], fuse: faults.Fusion = average) -> faults.Fusion:
    return lambda visible, infrared: change(fuse(visible, infrared))


def woven(image: Tensor, levels: float = 3.0, period: int = 4) -> Tensor:
    at = (torch.arange(image.shape[-1]) % period == 0).float()
    return image + levels / 255 * at


# ------------------------------------------------------------------------------------------------ grid


@pytest.mark.parametrize("fuse", [visible_only, average, detail_added, irvis.create("laplacian")])
def test_methods_without_strides_draw_no_grid(fuse):
    assert faults.grid(fuse) < 0.2


@pytest.mark.parametrize("period", [2, 4, 8, 16])
def test_a_woven_pattern_is_a_grid_of_its_height(period):
    assert faults.grid(then(lambda image: woven(image, 3.0, period))) == pytest.approx(3.0, abs=0.5)


def test_a_pattern_that_depends_on_the_brightness_is_found():
    assert faults.grid(then(lambda image: image + 0.02 * image * woven(torch.zeros_like(image), 255, 8))) > 3


# -------------------------------------------------------------------------------------------- softness


def test_an_image_that_is_passed_on_keeps_every_frequency_and_the_other_loses_all():
    assert faults.softness(visible_only) == {
        "visible": pytest.approx([1.0] * 5, abs=1e-3), "infrared": pytest.approx([0.0] * 5, abs=1e-3)}  # fmt: skip


def test_an_average_keeps_half_and_added_detail_all_of_both():
    halves, all_ = faults.softness(average), faults.softness(detail_added)
    for name in ("visible", "infrared"):
        assert halves[name] == pytest.approx([0.5] * 5, abs=1e-3)
        assert all_[name] == pytest.approx([1.0] * 5, abs=0.02)


def test_a_blur_loses_the_finest_first():
    gains = faults.softness(then(lambda image: low(image, 0.8), visible_only))["visible"]
    assert all(coarser > finer for coarser, finer in pairwise(gains))
    assert gains[-1] < 0.1


# ------------------------------------------------------------------------------------ clouds, veil, plateau


@pytest.mark.parametrize("fuse", [visible_only, average])
def test_a_picture_between_both_sources_has_no_clouds(fuse):
    assert faults.clouds(fuse) < 0.3


@pytest.mark.parametrize("change", [lambda x: x**0.8, lambda x: 0.1 + 0.8 * x, lambda x: x**1.5])
def test_a_tone_that_is_changed_alike_everywhere_is_no_cloud(change):
    for fuse in (visible_only, average):
        assert faults.clouds(then(change, fuse)) < 1.5


def test_smears_where_both_sources_are_smooth_are_clouds_of_their_depth():
    def smeared(image: Tensor, depth: float = 20 / 255) -> Tensor:
        chance = torch.Generator().manual_seed(5)
        smears = gaussian(torch.randn(1, 1, *image.shape[-2:], generator=chance), 12.0)
        return image - depth * (smears / smears.std() > 1).float()

    assert faults.clouds(then(smeared)) > 5


def test_a_base_that_switches_between_the_sources_by_region_makes_clouds():
    def switched(visible: Tensor, infrared: Tensor) -> Tensor:
        chance = torch.Generator().manual_seed(5)
        where = gaussian(torch.randn(1, 1, *visible.shape[-2:], generator=chance), 10.0) > 0
        return torch.where(where, visible, 0.5 * (visible + infrared))

    assert faults.clouds(switched) > 10


@pytest.mark.parametrize(("fuse", "levels"), [(visible_only, 0), (average, 61.25), (detail_added, 0)])
def test_the_veil_is_what_infrared_lays_over_black(fuse, levels):
    assert faults.veil(fuse) == pytest.approx(levels, abs=0.3)


def test_in_a_light_infrared_shows_or_the_light_stays_light():
    assert faults.plateau(visible_only) == (pytest.approx(0, abs=0.02), pytest.approx(254, abs=2))
    kept, level = faults.plateau(average)
    assert kept == pytest.approx(0.5, abs=0.05)
    assert level < 190
    assert faults.plateau(lambda visible, infrared: infrared.expand(-1, 3, -1, -1))[0] == pytest.approx(1, abs=0.05)


# ------------------------------------------------------------------------------------------ noise, halo


@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
def test_noise_is_told_as_what_a_method_does_to_it(gain):
    def amplified(visible: Tensor, infrared: Tensor) -> Tensor:
        smooth = low(visible, 4.0)
        return smooth + gain * (visible - smooth)

    assert faults.noise(amplified) == pytest.approx(gain, rel=0.1)


def test_a_blur_shrinks_noise():
    assert faults.noise(then(lambda image: low(image, 2.0), visible_only)) < 0.3


@pytest.mark.parametrize("fuse", [visible_only, average, lambda visible, infrared: torch.maximum(visible, infrared)])
def test_what_only_mixes_pixels_has_no_halo(fuse):
    assert faults.halo(fuse) < 0.01


def test_sharpening_makes_a_halo_and_a_stronger_one_a_wider():
    def sharpened(amount: float) -> float:
        return faults.halo(then(lambda image: image + amount * (image - low(image, 3.0))))

    assert sharpened(0.3) > 0.02
    assert sharpened(0.6) > 1.5 * sharpened(0.3)


def test_a_laplacian_pyramid_of_the_larger_detail_overshoots():
    assert faults.halo(irvis.create("laplacian")) > 0.05


# ------------------------------------------------------------------------------------- what is shipped


def test_the_network_that_is_used_by_default_draws_no_grid_and_lays_no_veil():
    default = irvis.create("encdec")
    assert faults.grid(default) <= 0.5
    assert faults.veil(default) < 3


def test_the_network_that_is_used_by_default_keeps_fine_detail_of_either_camera_and_opens_glare():
    default = irvis.create("encdec")
    gains = faults.softness(default)
    below_half = range(faults.FREQUENCIES.index(0.50))
    assert all(gains[side][n] >= 0.945 for side in ("visible", "infrared") for n in below_half)
    kept, light = faults.plateau(default)
    assert kept >= 0.75
    assert light >= 210
    assert faults.noise(default) <= 0.5
