"""Visual information fidelity: against the reference codes, by hand, and by its laws."""

import math
import warnings
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import golden
from irvis.metrics import replicas
from irvis.metrics.fidelity import reduced, scales, vif, viff
from irvis.metrics.maps import levels, sharing

REFERENCES = [
    ("tang_matlab", "VIF", vif),
    ("cddfuse_python", "VIFF", partial(vif, constant=1.0)),
    ("ivif_zoo_python", "VIF", replicas.zoo_vif),
    ("thfylsty_matlab", "VIFF", viff),
    ("thfylsty_matlab", "VIFF_swapped", lambda fused, visible, infrared: viff(fused, infrared, visible)),
]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def images(seed: int = 0, batch: int = 2, size: tuple[int, int] = (45, 43)) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(0, 256, (batch, 1, *size), generator=generator) / 255 for _ in range(3)]


def flat(level: int) -> torch.Tensor:
    return torch.full((1, 1, 45, 43), level / 255)


def test_the_reference_codes_return_the_same_numbers(golden_data):
    assert not golden.differences(golden_data, REFERENCES)


def test_vif_of_one_source_alone_is_tangs(golden_data):
    """A constant source that counts 0 leaves the other."""
    rows = [("tang_matlab", "VIF_ir_only", lambda f, v, i: vif(f, torch.zeros_like(v), i, constant=0.0))]
    small = golden.differences(golden_data, rows, left_out=lambda _, entry: entry["size"][0] > 150)
    assert not small


def test_vif_of_one_neighbourhood_by_hand():
    """A small picture has one scale; there fused = 2·source + 10 has the gain 2 and no rest."""
    generator = torch.Generator().manual_seed(1)
    source = torch.randint(0, 100, (1, 1, 9, 9), generator=generator).double()
    x = torch.arange(9, dtype=torch.float64) - 4
    taps = torch.exp(-x.square() / (2 * (17 / 5) ** 2))
    weights = torch.outer(taps, taps) / taps.sum() ** 2
    mean = (weights * source).sum()
    variance = (weights * (source - mean).square()).sum().item()
    expected = math.log(1 + 4 * variance / 2) / math.log(1 + variance / 2)
    source, fused = source / 255, (2 * source + 10) / 255
    assert vif(fused, source, source).item() == pytest.approx(2 * expected, rel=1e-9)
    noise = 0.005 * 255**2
    expected = math.log(1 + 4 * variance / noise) / math.log(1 + variance / noise)
    assert viff(fused, source, source).item() == pytest.approx(expected, rel=1e-6)


def test_an_inverted_image_keeps_nothing():
    image = images()[0]
    assert vif(1 - image, image, image) == pytest.approx(0, abs=1e-3)
    assert viff(1 - image, image, image) == pytest.approx(0, abs=1e-3)


def test_identical_images_are_kept_whole():
    image = images()[0]
    assert vif(image, image, image) == pytest.approx(2)
    assert viff(image, image, image) == pytest.approx(1)


def test_constant_images_have_the_documented_values():
    image = images(batch=1)[0]
    assert vif(flat(100), image, image).item() == 0
    assert viff(flat(100), image, image).item() == pytest.approx(0, abs=1e-5)
    for level in (0, 100, 255):
        assert math.isnan(vif(image, flat(level), image).item())
        assert vif(image, flat(level), image, constant=1.0).item() == pytest.approx(2)
        assert math.isnan(vif(flat(level), flat(level), flat(level)).item())
        assert viff(flat(level), flat(level), flat(level)).item() == pytest.approx(1)
        assert viff(image, flat(level), image).item() == pytest.approx(1)


def test_viff_lets_the_infrared_image_decide_where_the_gains_are_equal():
    """Both gains are 0 where the fused image is constant: what is unread there is the infrared's alone."""
    textured, fused = images(batch=1)[:2]
    dull = torch.full_like(textured, 0.5)
    fused[..., :30] = 0.5
    assert viff(fused, textured, dull).item() > viff(fused, dull, textured).item() + 0.01


def test_a_picture_has_the_scales_whose_window_fits():
    sizes = {8: 1, 24: 1, 25: 2, 40: 3, 41: 4, 500: 4}
    assert {size: scales(torch.zeros(1, 1, size, 600).double()) for size in sizes} == sizes
    for size, fitting in sizes.items():
        assert min(reduced(torch.zeros(1, 1, size, 600).double(), scale=fitting).shape) >= 1


@pytest.mark.parametrize("metric", [vif, viff])
@given(seed=st.integers(0, 10_000), height=st.integers(8, 60), width=st.integers(8, 60))
@settings(max_examples=5, deadline=None)
def test_fidelity_is_bounded_and_batched_and_shared(metric, seed, height, width):
    fused, visible, infrared = images(seed, size=(height, width))
    both = metric(fused, visible, infrared)
    assert both.shape == (2,)
    assert both.dtype == torch.float64
    assert (both >= 0).all()
    if metric is vif:
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


@pytest.mark.parametrize("metric", [vif, viff])
def test_pictures_below_8_pixels_are_refused(metric):
    with pytest.raises(ValueError, match="at least 8"):
        metric(*images(size=(7, 20)))


def test_colour_counts_as_its_gray_levels():
    fused, visible, infrared = images(batch=1)
    colour = torch.cat([visible, visible.flip(3), visible.flip(2)], 1)
    assert vif(fused, colour, infrared).item() == vif(fused, levels(colour) / 255, infrared).item()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("metric", [vif, viff])
def test_cuda_returns_the_same(metric):
    torch.testing.assert_close(metric(*(image.cuda() for image in images())).cpu(), metric(*images()))
