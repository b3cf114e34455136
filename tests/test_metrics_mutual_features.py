"""Feature mutual information: against its definition spelled out, by its laws, and against the authors' code."""

import math
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from golden import Golden, numbers
from irvis.metrics.features import Feature, cosine_matrix, edges, feature_map, gradient, meyer_filter, wavelets
from irvis.metrics.maps import levels, sharing
from irvis.metrics.mutual_features import feature_mutual_information, fmi_dct, fmi_pixel, fmi_wavelet

FEATURES: tuple[Feature, ...] = ("pixel", "gradient", "edge", "dct", "wavelet")
OURS: dict[str, Feature] = {
    "FMI_none": "pixel", "FMI_gradient": "gradient", "FMI_pixel_edge": "edge", "FMI_dct": "dct", "FMI_w": "wavelet",
}  # fmt: skip
"""Tang's suite names the feature of raw pixels `none` and prints that of edges as FMI_pixel."""


def images(seed: int, batch: int = 1, size: tuple[int, int] = (10, 13), steps: int = 9) -> list[torch.Tensor]:
    """Fused, visible and infrared with few gray levels, so that some windows are flat or equal."""
    generator = torch.Generator().manual_seed(seed)
    visible, infrared, choice = ((torch.rand(batch, 1, *size, generator=generator) * steps).floor() for _ in range(3))
    fused = torch.where(choice > steps / 2, visible, infrared)
    return [(one * (255 // steps) / 255).double() for one in (fused, visible, infrared)]


def score_by_definition(a: list[float], f: list[float]) -> float:
    """Of one window's nine values in each picture, step by step as the paper defines it."""
    if a == f or (max(a) == min(a) and max(f) == min(f)):
        return 1.0
    p, q = distribution(a), distribution(f)
    over_p, over_q = [sum(p[: n + 1]) for n in range(9)], [sum(q[: n + 1]) for n in range(9)]
    c = pearson(p, q)

    def bound(i: int, j: int) -> float:
        if i < 0 or j < 0:
            return 0.0
        return min(over_p[i], over_q[j]) if c >= 0 else max(over_p[i] + over_q[j] - 1, 0.0)

    covariance = sum(bound(i, j) - over_p[i] * over_q[j] for i, j in product(range(9), repeat=2))
    spread = deviation(p) * deviation(q)
    phi = c * spread / covariance if spread > 0 else 0.0
    joint = [
        phi * (bound(i, j) - bound(i - 1, j) - bound(i, j - 1) + bound(i - 1, j - 1)) + (1 - phi) * p[i] * q[j]
        for i, j in product(range(9), repeat=2)
    ]
    apart = bits(p) + bits(q)
    return 2 * (apart - bits(joint)) / apart if apart > 0 else 0.0


def distribution(values: list[float]) -> list[float]:
    low, high = min(values), max(values)
    stretched = [(x - low) / (high - low) if high > low else 1.0 for x in values]
    return [x / sum(stretched) for x in stretched]


def pearson(p: list[float], q: list[float]) -> float:
    if max(p) == min(p) or max(q) == min(q):
        return 0.0
    return float(np.corrcoef(p, q)[0, 1])


def deviation(p: list[float]) -> float:
    centre = sum(n * x for n, x in enumerate(p))
    return math.sqrt(sum((n - centre) ** 2 * x for n, x in enumerate(p)))


def bits(p: list[float]) -> float:
    return -sum(x * math.log2(abs(x)) for x in p if x)


def windows(image: torch.Tensor) -> list[list[float]]:
    """Their nine levels, column by column."""
    return image[0, 0].unfold(0, 3, 1).unfold(1, 3, 1).transpose(2, 3).reshape(-1, 9).tolist()


@pytest.mark.parametrize("steps", [2, 4, 200])
def test_every_window_is_judged_by_the_definition(steps: int) -> None:
    fused, visible, infrared = images(5, steps=steps)
    f, v, i = (windows(levels(one)) for one in (fused, visible, infrared))
    each = [(score_by_definition(b, a) + score_by_definition(c, a)) / 2 for a, b, c in zip(f, v, i, strict=True)]
    assert fmi_pixel(fused, visible, infrared).item() == pytest.approx(sum(each) / len(each), rel=1e-9)


@pytest.mark.parametrize("feature", FEATURES)
def test_identical_pictures_share_all_features(feature: Feature) -> None:
    one = images(1)[0]
    assert feature_mutual_information(one, one, one, feature=feature).item() == 1


@pytest.mark.parametrize("feature", FEATURES)
def test_constant_and_black_pictures_give_finite_values_without_a_warning(feature: Feature) -> None:
    flat, black, white, other = *(torch.full((1, 1, 9, 14), x / 255) for x in (77, 0, 255)), images(2, size=(9, 14))[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for fused, visible, infrared in ((flat, flat, flat), (black, black, black), (white, white, white)):
            assert feature_mutual_information(fused, visible, infrared, feature=feature).item() == 1
        for fused, visible, infrared in ((flat, other, other), (other, flat, black), (white, other, black)):
            assert feature_mutual_information(fused, visible, infrared, feature=feature).isfinite().all()


def test_a_flat_fused_picture_shares_no_pixels_with_sources_that_are_not_flat_anywhere() -> None:
    _, visible, infrared = images(3, steps=100)
    assert fmi_pixel(torch.full_like(visible, 0.5), visible, infrared).item() == pytest.approx(0, abs=1e-12)
    assert fmi_pixel(torch.zeros_like(visible), torch.ones_like(visible), torch.ones_like(visible)).item() == 1


def test_a_shift_by_one_pixel_costs_features() -> None:
    fused, visible, infrared = images(4, size=(20, 20), steps=50)
    moved = fused.roll(1, dims=3)
    assert (fmi_pixel(moved, visible, infrared) < fmi_pixel(fused, visible, infrared)).all()


def test_more_contrast_and_brightness_in_a_source_change_nothing() -> None:
    """Windows are stretched to [0, 1]; only windows with a single bright place are judged by equality."""
    fused, visible, infrared = images(6, steps=60)
    darker = (visible * 255 / 2).floor() * 2 / 255
    brighter = (darker * 255 / 2 + 40) / 255
    torch.testing.assert_close(fmi_pixel(fused, darker, infrared), fmi_pixel(fused, brighter, infrared))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_laws_of_feature_mutual_information(seed: int) -> None:
    """Symmetric, in 0..1 for pictures of noise, batch = single, float32 = float64, sharing = not."""
    fused, visible, infrared = images(seed, batch=2)
    for function in (fmi_pixel, fmi_dct, fmi_wavelet):
        value = function(fused, visible, infrared)
        assert value.dtype == torch.float64
        assert ((value > 0) & (value < 1)).all()
        torch.testing.assert_close(function(fused, infrared, visible), value, rtol=1e-12, atol=0)
        singles = [function(*(x[n : n + 1] for x in (fused, visible, infrared))) for n in range(2)]
        torch.testing.assert_close(torch.cat(singles), value, rtol=1e-9, atol=0)
        torch.testing.assert_close(function(*(x.float() for x in (fused, visible, infrared))), value)
        with sharing():
            assert torch.equal(function(fused, visible, infrared), value)


def test_many_windows_at_a_time_are_judged_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = images(7, size=(40, 60))
    value = fmi_pixel(*pictures)
    for together in (1, 500, 10**6):
        monkeypatch.setattr("irvis.metrics.mutual_features.TOGETHER", together)
        torch.testing.assert_close(fmi_pixel(*pictures), value, rtol=1e-12, atol=0)


def test_the_meyer_filter_is_symmetric_and_nearly_orthogonal_to_its_shifts() -> None:
    taps = meyer_filter()
    assert taps[0] == 0
    assert torch.equal(taps[1:], taps[1:].flip(0))
    assert taps.sum().item() == pytest.approx(math.sqrt(2))
    products = [(taps[2 * n :] * taps[: 102 - 2 * n]).sum().item() for n in range(40)]
    assert products == pytest.approx([1] + [0] * 39, abs=3e-6)


@pytest.mark.parametrize("size", [(8, 9), (31, 64)])
def test_a_wavelet_map_is_four_parts_within_0_and_1(size: tuple[int, int]) -> None:
    made = wavelets(levels(images(8, size=size)[0]))
    assert made.shape[-2:] == tuple(2 * ((side + 101) // 2) for side in size)
    assert (made.min().item(), made.max().item()) == (0, 1)


def test_cosines_are_orthonormal_and_a_constant_has_only_the_first() -> None:
    matrix = cosine_matrix(11)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(11, dtype=torch.float64))
    made = feature_map(torch.full((1, 1, 9, 16), 50.0, dtype=torch.float64), feature="dct")
    assert made[0, 0, 0, 0].item() == pytest.approx(50 * 12)
    assert made.flatten()[1:].abs().max() < 1e-11


def test_a_ramp_has_a_constant_gradient_and_a_step_one_line_of_edge() -> None:
    ramp = torch.arange(0, 90, 9, dtype=torch.float64).expand(1, 1, 8, 10)
    assert (gradient(ramp) == 9).all()
    step = torch.zeros(1, 1, 8, 10, dtype=torch.float64)
    step[..., 6:] = 100
    found = edges(step)
    assert found.sum(3).tolist() == [[[1] * 8]]
    assert found[..., 5:7].sum().item() == 8


@pytest.mark.parametrize("name", OURS)
def test_numbers_are_those_of_the_authors_code(golden_data: Golden, name: str) -> None:
    """As Tang calls it. The golden edges and wavelets were made with stand-ins for MATLAB's edge and dwt2."""
    golden = numbers(golden_data)
    compared = 0
    for triple, values in golden["values"]["tang_matlab"].items():
        if name in values:
            pictures = [read(golden_data.folder / golden["triples"][triple][part]) for part in ("fused", "vi", "ir")]
            value = feature_mutual_information(*pictures, feature=OURS[name], reference=True).item()
            assert value == pytest.approx(values[name], rel=1e-6, abs=1e-9), triple
            compared += 1
    assert compared


def read(file: Path) -> torch.Tensor:
    with Image.open(file) as opened:
        return torch.from_numpy(np.array(opened))[None, None].double() / 255
