"""Metrics of histograms: by hand, by their laws, and against the numbers of the reference codes."""

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from golden import Golden, numbers
from irvis.metrics.information import (
    correlation_information_entropy,
    cross_entropy,
    entropy,
    mutual_information,
    normalised_mutual_information,
    tsallis_information,
)
from irvis.metrics.maps import sharing
from irvis.metrics.record import METRICS

NAMES = ("EN", "MI", "NMI", "CE", "Q_NCIE", "Q_TE")


def picture(*levels: int, side: int = 8) -> torch.Tensor:
    """As many pixels of each level, in order."""
    return (torch.tensor(levels, dtype=torch.float64).repeat_interleave(side * side // len(levels)) / 255).view(
        1, 1, side, side
    )


def images(seed: int, batch: int = 2, size: tuple[int, int] = (12, 15)) -> list[torch.Tensor]:
    """Visible, infrared and a fused image that has something of both; coarse levels, so that histograms overlap."""
    generator = torch.Generator().manual_seed(seed)
    visible, infrared, noise = ((torch.rand(batch, 1, *size, generator=generator) * 9).floor() for _ in range(3))
    fused = ((visible + infrared + noise) / 3).floor()
    return [(28 * one / 255).double() for one in (fused, visible, infrared)]


@pytest.mark.parametrize(
    ("levels", "bits"), [((7,), 0), ((0, 255), 1), ((0, 1, 254, 255), 2), ((3, 9, 9, 9), 0.811278)]
)
def test_entropy_counts_the_bits_of_a_pixel(levels: tuple[int, ...], bits: float) -> None:
    fused = picture(*levels)
    assert entropy(fused, fused, fused).item() == pytest.approx(bits, abs=1e-6)


def test_a_fused_picture_equal_to_both_sources_shares_all_its_bits_twice() -> None:
    one = picture(0, 80, 160, 255)
    assert mutual_information(one, one, one).item() == pytest.approx(4)
    assert mutual_information(one, one, one, unit="nat").item() == pytest.approx(4 * math.log(2))
    assert normalised_mutual_information(one, one, one).item() == pytest.approx(2)
    assert cross_entropy(one, one, one).item() == 0


def test_independent_pictures_share_nothing() -> None:
    source = picture(0, 255)
    fused = source.mT.contiguous()
    assert mutual_information(fused, source, source).item() == pytest.approx(0, abs=1e-12)
    assert tsallis_information(fused, source, source).item() == pytest.approx(0, abs=1e-12)
    assert correlation_information_entropy(fused, source, fused).item() == pytest.approx(
        nonlinear_entropy(1.125, 1, 0.875)
    )


def nonlinear_entropy(*eigenvalues: float) -> float:
    return 1 + sum(x / 3 * math.log(x / 3, 256) for x in eigenvalues)


def test_nonlinear_correlation_of_identical_pictures_is_their_entropy_in_eighths() -> None:
    one = picture(0, 80, 160, 255)
    assert correlation_information_entropy(one, one, one).item() == pytest.approx(nonlinear_entropy(1.5, 0.75, 0.75))


def test_cross_entropy_by_hand_leaves_out_levels_that_only_one_has() -> None:
    fused, visible, infrared = picture(0, 255, 255, 255), picture(0, 255), picture(0, 0, 0, 9)
    of_visible = 0.5 * math.log2(0.5 / 0.25) + 0.5 * math.log2(0.5 / 0.75)
    of_infrared = 0.75 * math.log2(0.75 / 0.25)
    assert cross_entropy(fused, visible, infrared).item() == pytest.approx((of_visible + of_infrared) / 2)
    assert cross_entropy(fused, picture(7), picture(8)).item() == 0


def test_tsallis_information_by_hand() -> None:
    one, q = picture(0, 255), 1.85
    assert tsallis_information(one, one, one).item() == pytest.approx(2 * (2 * 0.5 ** (2 - q) - 1) / (q - 1))
    q = 0.43137
    shared, own = (2 * 0.5 ** (2 - q) - 1) / (q - 1), (1 - 2 * 0.5**q) / (q - 1)
    assert tsallis_information(one, one, one, form="nava").item() == pytest.approx(2 * shared / (2 * own - shared))


def test_tsallis_information_of_liu_pairs_levels_with_the_wrong_marginals() -> None:
    fused, source, q = picture(0, 255, 255, 255), picture(255, 0, 0, 0), 1.85
    right = (0.25**q / (1 / 16) ** (q - 1) + 0.75**q / (9 / 16) ** (q - 1) - 1) / (q - 1)
    wrong = (0.25**q / (9 / 16) ** (q - 1) + 0.75**q / (1 / 16) ** (q - 1) - 1) / (q - 1)
    assert tsallis_information(fused, source, source).item() == pytest.approx(2 * right)
    assert tsallis_information(fused, source, source, liu=True).item() == pytest.approx(2 * wrong)


def test_mutual_information_of_tang_is_too_large_where_pixels_are_saturated() -> None:
    one = picture(254, 255)
    assert mutual_information(one, one, one).item() == pytest.approx(2)
    assert mutual_information(one, one, one, joint="saturated").item() == pytest.approx(4)
    clean = picture(0, 253)
    assert mutual_information(clean, clean, clean, joint="saturated").item() == pytest.approx(2)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_constant_pictures_give_the_documented_values_without_a_warning(level: int) -> None:
    flat, other = picture(level), picture(10, 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = {name: METRICS[name].function(flat, flat, flat).item() for name in NAMES}
        lone = {name: METRICS[name].function(flat, other, other).item() for name in NAMES}
        nava = tsallis_information(flat, flat, flat, form="nava").item()
    assert values.pop("Q_NCIE") == pytest.approx(1 - math.log(3, 256))
    assert math.isnan(values.pop("NMI"))
    assert set(values.values()) == {0}
    assert math.isnan(nava)
    assert lone["NMI"] == lone["MI"] == lone["Q_TE"] == 0


def test_a_shift_of_all_gray_levels_changes_no_information() -> None:
    fused, visible, infrared = images(3)
    for name in ("EN", "MI", "NMI", "Q_NCIE", "Q_TE"):
        value = METRICS[name].function(fused, visible, infrared)
        torch.testing.assert_close(METRICS[name].function(fused + 20 / 255, visible, infrared), value)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_laws_of_every_metric_of_histograms(seed: int) -> None:
    """Symmetric, within bounds, batch = single, float32 = float64, sharing = not."""
    fused, visible, infrared = images(seed)
    for name in NAMES:
        fact, function = METRICS[name], METRICS[name].function
        value = function(fused, visible, infrared)
        assert value.dtype == torch.float64
        assert (value >= fact.bounds[0] - 1e-12).all()
        assert (value <= fact.bounds[1] + 1e-12).all()
        torch.testing.assert_close(function(fused, infrared, visible), value, rtol=1e-12, atol=1e-12)
        singles = [function(*(x[n : n + 1] for x in (fused, visible, infrared))) for n in range(2)]
        torch.testing.assert_close(torch.cat(singles), value, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(function(*(x.float() for x in (fused, visible, infrared))), value)
        with sharing():
            assert torch.equal(function(fused, visible, infrared), value)


def test_sharing_forgets_all_that_was_made_of_a_fused_picture() -> None:
    fused, visible, infrared = images(1)
    with sharing() as memory:
        mutual_information(fused, visible, infrared, joint="saturated")
        tsallis_information(fused, visible, infrared, liu=True)
        before = len(memory.kept)
        memory.forget(fused)
        left = len(memory.kept)
        other = fused.clone()
        mutual_information(other, visible, infrared, joint="saturated")
        tsallis_information(other, visible, infrared, liu=True)
        assert left < before == len(memory.kept)


TABLE: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("tang_matlab", "EN", entropy, {}),
    ("vifb_matlab", "Entropy", entropy, {}),
    ("cddfuse_python", "EN", entropy, {}),
    ("cddfuse_python_pinned", "EN", entropy, {}),
    ("hli1221_matlab", "EN_on_double", entropy, {}),
    ("ivif_zoo_python", "EN", entropy, {"guard": 1e-7}),
    ("topanxal_python", "EN", entropy, {"darkest": 1}),
    ("tang_matlab", "MI", mutual_information, {"joint": "saturated"}),
    ("vifb_matlab", "Mutinf", mutual_information, {"unit": "nat"}),
    ("cddfuse_python", "MI", mutual_information, {"unit": "nat"}),
    ("cddfuse_python_pinned", "MI", mutual_information, {"unit": "nat"}),
    ("ivif_zoo_python", "MI", mutual_information, {}),
    ("hli1221_matlab", "MI_rowwise", mutual_information, {"joint": "rows"}),
    ("liu_matlab", "Q_MI", normalised_mutual_information, {}),
    ("ivif_zoo_python", "NMI", normalised_mutual_information, {"by": "sources"}),
    ("vifb_matlab", "Cross_entropy", cross_entropy, {}),
    ("thfylsty_matlab", "CE", cross_entropy, {}),
    ("ivif_zoo_python", "CE", cross_entropy, {"of": "sigmoids"}),
    ("liu_matlab", "Q_NCIE", correlation_information_entropy, {}),
    ("ivif_zoo_python", "QNCIE", correlation_information_entropy, {"correlation": "pearson"}),
    ("liu_matlab", "Q_TE_cvejic_q1.85", tsallis_information, {"liu": True}),
    ("liu_matlab", "Q_TE_nava_q0.43137", tsallis_information, {"form": "nava", "liu": True}),
    ("ivif_zoo_python", "TE", tsallis_information, {"form": "entropies"}),
]
"""Reference code, its name of the metric, our function and options. Nothing is compared where the reference is NaN or
failed: Liu's on constant pictures (0/0), IVIF_ZOO's QNCIE on those and where rounding makes an eigenvalue negative."""


@pytest.mark.parametrize("group", ["vifb", "vifb_rgb", "tno", "degenerate", "fmi"])
def test_numbers_are_those_of_the_reference_codes(golden_data: Golden, group: str) -> None:
    golden = numbers(golden_data)
    wrong, compared = [], 0
    for triple, files in golden["triples"].items():
        if triple.split("/")[0] != group:
            continue
        pictures = [read(golden_data.folder / files[part]) for part in ("fused", "vi", "ir")]
        with sharing():
            for suite, name, function, options in TABLE:
                expected = golden["values"][suite].get(triple, {}).get(name)
                if not isinstance(expected, int | float):
                    continue
                value = sum(function(*one, **options).item() for one in channels(*pictures)) / pictures[0].shape[1]
                compared += 1
                if value != pytest.approx(expected, rel=1e-6, abs=1e-9):
                    wrong.append(f"{triple} {suite} {name}: {value}, not {expected}")
    assert compared
    assert not wrong, "\n".join(wrong)


def read(file: Path) -> torch.Tensor:
    with Image.open(file) as opened:
        pixels = torch.from_numpy(np.atleast_3d(np.array(opened)))
    return pixels.permute(2, 0, 1)[None].double() / 255


def channels(*pictures: torch.Tensor) -> Iterator[list[torch.Tensor]]:
    """Colour as VIFB has it: each channel of the fused picture with the same of the sources (or the gray one)."""
    for n in range(pictures[0].shape[1]):
        yield [one[:, n : n + 1] if one.shape[1] > 1 else one for one in pictures]
