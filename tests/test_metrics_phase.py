"""Q_P and phase congruency against the reference code, by hand and by their laws."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from golden import disagreements
from irvis.metrics.congruency import _median, phase
from irvis.metrics.maps import levels, sharing
from irvis.metrics.phase import q_p


def blobs(seed: int, size=(24, 31), batch: int = 1) -> list[torch.Tensor]:
    """A fused image and two sources: rectangles of random levels, a little noise."""
    generator = torch.Generator().manual_seed(seed)
    images = []
    for _ in range(3):
        coarse = torch.rand(batch, 1, 4, 5, generator=generator)
        image = torch.nn.functional.interpolate(coarse, size=size) * 0.9
        images.append(((image + 0.1 * torch.rand(image.shape, generator=generator)) * 255).round() / 255)
    return images


def test_the_reference_code_agrees(golden_data):
    assert disagreements(golden_data, [("liu_matlab", "Q_P")], q_p) == []


def test_phase_congruency_is_largest_at_a_step():
    """The step lies between columns 19 and 20; the picture repeats itself, so that its border is another."""
    image = torch.full((1, 1, 32, 40), 60.0, dtype=torch.float64)
    image[..., 20:] = 160
    congruency, edge, corner = (one[0, 0] for one in phase(image))
    assert congruency[:, 19:21].min() > 0.5
    assert congruency[:, 10].max() < 0.2
    assert edge[:, 19:21].min() > edge[:, 10].max() + 0.2
    assert (edge > corner).all()


def test_phase_congruency_does_not_depend_on_contrast_or_brightness():
    image = levels(blobs(0)[0])
    plain, strong = phase(image), phase(image * 50 + 1000)
    for one, other in zip(plain, strong, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=2e-3)


def test_phase_congruency_turns_with_the_picture():
    """Nearly: the filters see a frequency of half a cycle per pixel from one side only."""
    image = levels(blobs(1, (48, 64))[0])
    for one, other in zip(phase(image), phase(image.mT), strict=True):
        torch.testing.assert_close(one, other.mT, rtol=0, atol=2e-3)


@pytest.mark.parametrize("count", [5, 6, 7, 10])
def test_the_median_is_the_mean_of_the_two_middle_values(count):
    values = torch.randint(0, 4, (50, count), generator=torch.Generator().manual_seed(count)).double()
    np.testing.assert_array_equal(_median(values).numpy(), np.median(values.numpy(), axis=1))


def test_identical_images_are_nearly_one():
    image = blobs(2, (64, 64))[0]
    assert 0.9 < q_p(image, image, image).item() <= 1


def test_constant_images_give_the_documented_values():
    image, flat = blobs(3)[0], torch.full((1, 1, 24, 31), 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert q_p(flat, image, image).item() == 0
        assert math.isnan(q_p(image, flat, flat).item())
        for level in (0.0, 0.5, 1.0):
            same = torch.full_like(flat, level)
            assert math.isnan(q_p(same, same, same).item())
        assert q_p(image, flat, image).isfinite().all()
        assert q_p(image, image, flat).isfinite().all()


def test_a_shift_by_one_pixel_costs_features():
    image = blobs(4, (64, 64))[0]
    assert q_p(image.roll(1, 3), image, image).item() < 0.8 * q_p(image, image, image).item()


@given(seed=st.integers(0, 10_000), size=st.sampled_from([(8, 8), (9, 14), (16, 17)]))
@settings(max_examples=10, deadline=None)
def test_q_p_is_symmetric_bounded_and_batched(seed, size):
    fused, visible, infrared = blobs(seed, size, batch=2)
    both = q_p(fused, visible, infrared)
    torch.testing.assert_close(both, q_p(fused, infrared, visible), equal_nan=True)
    alone = torch.cat([q_p(*(x[n : n + 1] for x in (fused, visible, infrared))) for n in range(2)])
    torch.testing.assert_close(both, alone, equal_nan=True)
    torch.testing.assert_close(both, q_p(fused.double(), visible.double(), infrared.double()), equal_nan=True)
    assert (both.isnan() | (both.abs() <= 1)).all()


def test_sharing_maps_changes_neither_values_nor_images():
    fused, visible, infrared = blobs(5)
    before = q_p(fused, visible, infrared).item()
    with sharing() as memory:
        for _ in range(3):
            assert q_p(fused, visible, infrared).item() == before
            memory.forget(fused)
    assert q_p(fused, visible, infrared).item() == before
