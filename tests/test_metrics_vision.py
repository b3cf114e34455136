"""Metrics with a model of vision: against the reference codes, by hand, and by their laws."""

import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import golden
from irvis.metrics import replicas
from irvis.metrics.maps import sharing
from irvis.metrics.vision import blocks, difference_of_gaussians, mannos_sakrison, perceived, q_cb, q_cv, seen

REFERENCES = [
    ("vifb_matlab", "Qcb", q_cb),
    ("liu_matlab", "Q_CB", q_cb),
    ("ivif_zoo_python", "Qcb", replicas.zoo_qcb),
    ("vifb_matlab", "Qcv", q_cv),
    ("liu_matlab", "Q_CV", q_cv),
]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def images(seed: int = 0, batch: int = 2, size: tuple[int, int] = (20, 35)) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(0, 256, (batch, 1, *size), generator=generator) / 255 for _ in range(3)]


def flat(level: int) -> torch.Tensor:
    return torch.full((1, 1, 20, 35), level / 255)


def test_the_reference_codes_return_the_same_numbers(golden_data):
    assert not golden.differences(golden_data, REFERENCES)


@pytest.mark.parametrize(("name", "metric"), [("Qcb", q_cb), ("Qcv", q_cv)])
def test_vifb_takes_the_mean_of_the_colour_channels(golden_data, name, metric):
    for value, reference in golden.by_channel(golden_data, name, metric):
        assert value == pytest.approx(reference, rel=1e-6)


@pytest.mark.parametrize("width", [32, 33])
@pytest.mark.parametrize(("sensitivity", "scale"), [(difference_of_gaussians, 15), (mannos_sakrison, 4)])
def test_a_wave_is_seen_with_the_sensitivity_of_its_frequency(width, sensitivity, scale):
    for cycles in (0, 1, 5):
        wave = torch.cos(2 * math.pi * cycles * torch.arange(width, dtype=torch.float64) / width)
        wave = wave.expand(1, 1, 24, width)
        gain = sensitivity(torch.tensor(cycles / scale, dtype=torch.float64))
        torch.testing.assert_close(seen(wave, sensitivity, scale), gain * wave)


def test_sensitivities_have_their_published_values():
    zero = torch.zeros((), dtype=torch.float64)
    assert difference_of_gaussians(zero).item() == pytest.approx(1 - 0.7622)
    assert mannos_sakrison(zero).item() == pytest.approx(2.6 * 0.0192)
    assert mannos_sakrison(zero + 10).item() == pytest.approx(2.6 * (0.0192 + 1.44) * math.exp(-(1.44**1.1)))


def test_contrast_of_a_point_by_hand():
    """Narrow over wide: (1 / 4) / (1 / 16) at the point itself, so C = 3 there."""
    point = torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    point[..., 4, 4] = 1
    assert perceived(point)[0, 0, 4, 4].item() == pytest.approx(27 / (9 + 1e-4))


def test_regions_are_filled_up_with_zeros():
    assert blocks(torch.ones(1, 1, 17, 17)).tolist() == [[[[256, 16], [16, 1]]]]


def test_q_cv_by_hand_where_one_region_is_salient():
    """One edge, in the visible image; infrared is constant, so it does not count."""
    visible, infrared = torch.zeros(1, 1, 16, 32), torch.full((1, 1, 16, 32), 0.5)
    visible[..., 4:8, 4:8] = 1
    fused = visible.clone()
    fused[..., 3] = 1
    difference = seen(255 * (visible - fused).double(), mannos_sakrison, 4).square()
    assert q_cv(fused, visible, infrared).item() == pytest.approx(difference[..., :16].mean().item())


def test_brightness_and_contrast_of_a_whole_image_do_not_count():
    dim = torch.randint(0, 101, (1, 1, 24, 24), generator=torch.Generator().manual_seed(3))
    dim[..., 0, 0], dim[..., 0, 1] = 0, 100
    bright = (2 * dim + 30) / 255
    assert q_cb(bright, dim / 255, dim / 255).item() == pytest.approx(1)
    assert q_cv(bright, dim / 255, dim / 255).item() == pytest.approx(0)


@pytest.mark.parametrize(("metric", "ideal"), [(q_cb, 1), (q_cv, 0)])
def test_identical_images_are_ideal_also_where_they_are_constant(metric, ideal):
    for image in (images()[0], flat(0), flat(100), flat(255)):
        assert metric(image, image, image) == pytest.approx(ideal)


def test_constant_images_have_the_documented_values():
    image, other, _ = images(batch=1)
    for level in (0, 100, 255):
        assert q_cb(flat(level), image, other).item() == 0
        assert q_cb(image, flat(level), image).item() == pytest.approx(1)
        assert q_cv(image, flat(level), image).item() == pytest.approx(0)
        assert 0 < q_cv(flat(level), image, other).item() < math.inf
    assert q_cv(image, flat(10), flat(200)).item() > 0


@pytest.mark.parametrize("metric", [q_cb, q_cv])
@given(seed=st.integers(0, 10_000), height=st.integers(8, 40), width=st.integers(8, 40))
@settings(max_examples=15, deadline=None)
def test_metrics_of_vision_are_symmetric_bounded_batched_and_shared(metric, seed, height, width):
    fused, visible, infrared = images(seed, size=(height, width))
    both = metric(fused, visible, infrared)
    assert both.shape == (2,)
    assert both.dtype == torch.float64
    assert (both >= 0).all()
    assert metric is q_cv or (both <= 1 + 1e-12).all()
    torch.testing.assert_close(both, metric(fused, infrared, visible))
    torch.testing.assert_close(both, metric(fused.double(), visible.double(), infrared.double()))
    alone = torch.cat([metric(fused[n : n + 1], visible[n : n + 1], infrared[n : n + 1]) for n in range(2)])
    torch.testing.assert_close(both, alone)
    with sharing() as memory:
        first = metric(visible.clone(), visible, infrared)
        kept = len(memory.kept)
        torch.testing.assert_close(metric(fused, visible, infrared), both)
        memory.forget(fused)
        assert len(memory.kept) == kept
        torch.testing.assert_close(metric(visible, visible, infrared), first)


@pytest.mark.parametrize("metric", [q_cb, q_cv])
def test_one_pixel_of_shift_costs(metric):
    image = images()[0]
    shifted = image.roll(1, 3)
    assert ((metric(shifted, image, image) - metric(image, image, image)).abs() > 0.1).all()


@pytest.mark.parametrize("metric", [q_cb, q_cv])
def test_pictures_below_8_pixels_are_refused(metric):
    with pytest.raises(ValueError, match="at least 8"):
        metric(*images(size=(7, 20)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("metric", [q_cb, q_cv])
def test_cuda_returns_the_same(metric):
    torch.testing.assert_close(metric(*(image.cuda() for image in images())).cpu(), metric(*images()))
