"""Metrics of structure: against the reference codes, by hand, and by their laws."""

import inspect
import math
import warnings
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import golden
from irvis.metrics import replicas
from irvis.metrics.maps import levels, sharing
from irvis.metrics.moments import FLAT, Window, mean_in, variance_in
from irvis.metrics.multiscale import STABLE, ms_ssim
from irvis.metrics.record import METRICS
from irvis.metrics.structure import q0, q_c, q_y, qe, qe_paper, qw, qw_paper, ssim

ALL = [ssim, ms_ssim, q0, qw, qe, qw_paper, qe_paper, q_c, q_y]
paper_edges = partial(replicas.pyfusionsr_qw, edges=True, power=0.7)

REFERENCES = [
    ("vifb_matlab", "Ssim", partial(ssim, combine="sum")),
    ("tang_matlab", "SSIM_double255_L1", partial(ssim, span=1.0, border="replicate")),
    ("tang_matlab", "SSIM_uint8_L255", partial(ssim, border="replicate")),
    ("tang_matlab", "SSIM_double01_L1", partial(ssim, border="replicate")),
    ("topanxal_python", "SSIM", partial(ssim, border="zero", deviation=math.inf, combine="sum")),
    ("cddfuse_python_pinned", "SSIM", replicas.cddfuse_ssim),
    ("ivif_zoo_python", "SSIM", replicas.zoo_ssim),
    ("ivif_zoo_python", "MS_SSIM", replicas.zoo_ms_ssim),
    ("ivif_zoo_python", "Qy", replicas.zoo_qy),
    ("liu_matlab", "Q_W_piella", qw),
    ("pyfusionsr_matlab", "Q_E_piella_fixed", qe),
    ("thfylsty_matlab", "Q_E_QwxQw_thfylsty", partial(qe, form="edges squared")),
    ("pyfusionsr_torch", "Qw_8x8_blocks", replicas.pyfusionsr_qw),
    ("pyfusionsr_torch", "Qw_8x8_blocks_viaLoss(-1,1)", replicas.pyfusionsr_qw),
    ("pyfusionsr_torch", "Qedge_pow0.7_viaLoss(0,1)", paper_edges),
    ("pyfusionsr_torch", "Qedge_pow0.7_viaLoss(-1,1)", partial(paper_edges, signed=True)),
]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def images(seed: int = 0, batch: int = 2, size: tuple[int, int] = (16, 19)) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(0, 256, (batch, 1, *size), generator=generator) / 255 for _ in range(3)]


def flat(level: int, size: int = 24) -> torch.Tensor:
    return torch.full((1, 1, size, size), level / 255)


def test_the_reference_codes_return_the_same_numbers(golden_data):
    assert not golden.differences(golden_data, REFERENCES)


def test_q0_is_lius_where_no_neighbourhood_is_flat_and_gray_in_both_sources(golden_data):
    """There Liu's code takes the quotient of two rounding errors for the share of the visible image."""

    def noise(_, entry):
        _, visible, infrared = map(levels, golden.images(golden_data, entry))
        flat = variance_in(visible, window=Window()) + variance_in(infrared, window=Window()) < FLAT
        black = mean_in(visible, Window()) + mean_in(infrared, Window()) == 0
        return (flat & ~black).any()

    assert not golden.differences(golden_data, [("liu_matlab", "Q_S_piella", q0)], left_out=noise)


def test_q_c_and_q_y_are_lius_where_no_neighbourhood_is_flat(golden_data):
    """There Liu's code returns rounding errors divided by each other."""
    rows = [("liu_matlab", "Q_C", partial(q_c, clip="quality")), ("liu_matlab", "Q_Y", q_y)]
    assert not golden.differences(golden_data, rows, left_out=lambda _, entry: any(entry["flat7"].values()))


def test_ms_ssim_is_tangs_where_that_is_a_real_number(golden_data):
    def is_complex(triple, _):
        return f"tang_matlab|{triple}|MS_SSIM" in golden.numbers(golden_data)["complex_results"]

    assert not golden.differences(golden_data, [("tang_matlab", "MS_SSIM", ms_ssim)], left_out=is_complex)


def test_the_papers_indices_differ_from_its_code_by_the_guards_of_that_code(golden_data):
    """It adds 1e-8 to denominators that are as small as 1e-4."""
    rows = [
        ("pyfusionsr_torch", "Qw_8x8_blocks", qw_paper),
        ("pyfusionsr_torch", "Qedge_pow0.7_viaLoss(0,1)", lambda *three: qe_paper(*three).clamp_min(0) ** 0.7),
    ]
    for value, reference in golden.differences(golden_data, rows).values():
        assert value == pytest.approx(reference, rel=3e-5, abs=3e-5)


def test_vifb_takes_the_mean_of_the_colour_channels(golden_data):
    for value, reference in golden.by_channel(golden_data, "Ssim", partial(ssim, combine="sum")):
        assert value == pytest.approx(reference, rel=1e-6)


def test_ssim_of_constant_images_is_its_luminance_term():
    def luminance(a, b, c=(0.01 * 255) ** 2):
        return (2 * a * b + c) / (a * a + b * b + c)

    value = ssim(flat(100), flat(50), flat(200)).item()
    assert value == pytest.approx((luminance(100, 50) + luminance(100, 200)) / 2)
    assert ssim(flat(100), flat(50), flat(200), combine="sum").item() == pytest.approx(2 * value)
    assert ssim(flat(0), flat(0), flat(255)).item() == pytest.approx((1 + luminance(0, 255)) / 2)


def test_ms_ssim_does_not_see_brightness_but_noise_on_flat_sources():
    sources = [flat(100), flat(50)]
    assert ms_ssim(flat(200), *sources).item() == pytest.approx(1)
    stripes = flat(110, 48)
    stripes[..., ::2] += 20 / 255
    # the stripes have a variance of 100 (to 1e-4: the window is soft) and are gone where pixels are paired
    expected = (STABLE / (100 + STABLE)) ** (0.0448 / (0.0448 + 0.2856 + 0.3001))
    assert ms_ssim(stripes, flat(100, 48), flat(50, 48)).item() == pytest.approx(expected, rel=1e-6)


def test_a_negative_scale_of_ms_ssim_counts_as_0_and_cancelling_sources_have_no_structure():
    image = images(size=(48, 48))[0]
    assert ms_ssim(1 - image, image, image).tolist() == [0, 0]
    assert (ms_ssim(image, image, 1 - image) < 0.5).all()
    assert ms_ssim(torch.full_like(image, 0.5), image, 1 - image) == pytest.approx(1)


def test_weighed_indices_follow_the_source_that_varies():
    textured = images()[0]
    dull = torch.full_like(textured, 0.5)
    for metric in (q0, qw, q_c, q_y):
        assert metric(textured, textured, dull) == pytest.approx(1)
        assert metric(textured, dull, textured) == pytest.approx(1)
    for metric in (ssim, q0, qw):
        assert (metric(dull, textured, textured) < 0.1).all()


def test_q_y_takes_the_better_source_where_they_disagree():
    image = images()[0]
    assert q_y(image, image, 1 - image) == pytest.approx(1)
    assert q_y(1 - image, image, 1 - image) == pytest.approx(1)


def test_q_c_clips_the_share_or_as_liu_the_quality():
    """The fused image is the visible one and the infrared one its inverse: t = c / (c - c') is beyond 1 or below 0."""
    image = images()[0]
    weaker = 0.5 + 0.25 * (0.5 - image)
    assert q_c(image, image, weaker) == pytest.approx(1)
    assert q_c(image, image, weaker, clip="quality") == pytest.approx(1)
    assert q_c(image, weaker, image, clip="quality") == pytest.approx(0)


def test_qe_is_the_product_of_two_qw():
    visible, infrared, _ = images()
    of_edges = qe(visible, visible, infrared, form="edges squared").sqrt()
    torch.testing.assert_close(qe(visible, visible, infrared), qw(visible, visible, infrared) * of_edges)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.__name__)
def test_identical_images_are_ideal_also_where_they_are_constant(metric):
    ramp = torch.linspace(0, 1, 32).expand(1, 1, 32, 32)
    for image in (images()[0], ramp, flat(0), flat(100), flat(255)):
        assert metric(image, image, image) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.__name__)
def test_degenerate_images_have_a_value(metric):
    image = images(batch=1, size=(24, 24))[0]
    shifted, saturated = image.roll(1, 3), (image > 0.5).float()
    for triple in (
        (flat(128), image, shifted),
        (image, flat(100), image),
        (image, flat(0), flat(255)),
        (flat(100), flat(50), flat(200)),
        (shifted, image, image),
        (saturated, image, shifted),
        (1 - image, image, image),
    ):
        low, high = next(m.bounds for m in METRICS.values() if m.function is metric)
        assert low - 1e-6 <= metric(*triple).item() <= high + 1e-6


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.__name__)
@given(seed=st.integers(0, 10_000), height=st.integers(8, 30), width=st.integers(8, 30))
@settings(max_examples=8, deadline=None)
def test_metrics_of_structure_are_symmetric_bounded_and_batched(metric, seed, height, width):
    fused, visible, infrared = images(seed, size=(height, width))
    record = next(m for m in METRICS.values() if m.function is metric)
    both = metric(fused, visible, infrared)
    assert both.shape == (2,)
    assert both.dtype == torch.float64
    assert (both >= record.bounds[0] - 1e-6).all()
    assert (both <= record.bounds[1] + 1e-6).all()
    torch.testing.assert_close(both, metric(fused, infrared, visible), rtol=0, atol=1e-6)
    torch.testing.assert_close(both, metric(fused.double(), visible.double(), infrared.double()))
    alone = torch.cat([metric(fused[n : n + 1], visible[n : n + 1], infrared[n : n + 1]) for n in range(2)])
    torch.testing.assert_close(both, alone, rtol=0, atol=1e-6)
    with sharing() as memory:
        for image in (visible, fused):
            torch.testing.assert_close(metric(image, visible, infrared), metric(image, visible, infrared))
            if image is not visible:
                memory.forget(image)
        torch.testing.assert_close(metric(fused, visible, infrared), both, rtol=0, atol=1e-6)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.__name__)
def test_pictures_below_8_pixels_are_refused(metric):
    with pytest.raises(ValueError, match="at least 8"):
        metric(*images(size=(7, 20)))


def test_replicas_take_batches_and_images_of_every_size():
    for name, function in inspect.getmembers(replicas, inspect.isfunction):
        if function.__module__ == replicas.__name__ and "visible" in inspect.signature(function).parameters:
            together = function(*images())
            alone = torch.cat([function(*(image[n : n + 1] for image in images())) for n in range(2)])
            torch.testing.assert_close(together, alone, equal_nan=True, rtol=1e-5, atol=1e-6, msg=name)
            assert together.dtype == torch.float64


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.__name__)
def test_cuda_returns_the_same(metric):
    torch.testing.assert_close(metric(*(image.cuda() for image in images())).cpu(), metric(*images()))
