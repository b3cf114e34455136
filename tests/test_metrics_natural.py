"""NIQE and BRISQUE: numbers of other codes, those that MATLAB printed, and pictures that have nothing to judge."""

import importlib.resources
import math
import warnings

import numpy as np
import pytest
import torch
from safetensors import safe_open

import irvis
from irvis import io
from irvis.metrics import METRICS, natural
from irvis.metrics.natural import brisque, niqe

BOTH = pytest.mark.parametrize("metric", [niqe, brisque])
PRINTED = {
    52.521: """
        2.187000 0.305119 0.731000 0.046159 0.078954 0.124348 0.735000 0.032419 0.086307 0.118338 0.733000 -0.020298
        0.112611 0.092477 0.730000 -0.022557 0.114732 0.092231 2.103000 0.360946 0.731000 -0.055774 0.183185 0.116578
        0.734000 -0.046589 0.179101 0.123198 0.730000 -0.037948 0.168773 0.123828 0.725000 -0.033253 0.165621 0.126170
        """,
    123.74: """
        0.4610000 0.1652788 0.3410000 -0.1192659 0.2319912 0.0417499 0.3370000 -0.1010206 0.2127568 0.0502738
        0.3410000 -0.1070136 0.1971343 0.0380880 0.3390000 -0.0978340 0.1865236 0.0413579 0.4860000 0.1888571
        0.3480000 -0.0518405 0.1354198 0.0621431 0.3500000 -0.0487347 0.1329318 0.0642503 0.3420000 -0.0046308
        0.0917469 0.0853537 0.3410000 -0.0035089 0.0918414 0.0869626
        """,
}
"""Score → features, both printed by the authors' MATLAB code (from the tests of pybrisque 1.0)."""


def grain(height: int, width: int, seed: int) -> np.ndarray:
    """Noise of levels 0..255, the same everywhere."""
    y, x = np.mgrid[:height, :width].astype(np.uint64)
    bits = x + np.uint64(4096) * y + np.uint64(7919 * seed)
    for factor in (2654435761, 2246822519):
        bits = ((bits ^ (bits >> np.uint64(15))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return ((bits ^ (bits >> np.uint64(13))) & np.uint64(255)).astype(np.int64)


def texture(height: int, width: int, seed: int) -> torch.Tensor:
    """Grain, fine and coarse, on a slope; without any flat part."""
    sums = np.pad(grain(height + 16, width + 16, seed).cumsum(0).cumsum(1), ((1, 0), (1, 0)))

    def box(n: int) -> np.ndarray:
        return (sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n])[:height, :width]

    levels = 40 + box(3) // 27 + (box(9) - 81 * 127) // 27 + np.arange(width) * 60 // width
    return torch.from_numpy(levels.clip(1, 254) / 255)[None, None]


def test_the_texture_is_the_one_that_the_reference_numbers_are_of():
    assert int((texture(288, 400, 1) * 255).round().sum()) == 12945721


@pytest.mark.parametrize(("size", "theirs"), [((288, 400, 1), 9.09823940220538), ((202, 334, 2), 8.97199859105595)])
def test_niqe_is_what_basicsr_gives(size, theirs):
    """Numbers of basicsr 1.4.2, which gives MATLAB's 5.7296 for its own test picture; it halves in single precision."""
    picture = texture(*size)
    assert niqe(picture, picture, picture).item() == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize(("size", "theirs"), [((288, 400, 1), -9.204169755945486), ((202, 334, 2), -8.70149371427101)])
def test_brisque_is_what_piq_gives(size, theirs):
    """Numbers of piq 0.8.0 with the support vectors of the authors' release."""
    picture = texture(*size)
    assert brisque(picture, picture, picture).item() == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("printed", PRINTED)
def test_the_support_vectors_give_the_scores_that_matlab_printed(printed):
    features = torch.tensor([[float(number) for number in PRINTED[printed].split()]], dtype=torch.float64)
    assert natural.regressed(features).item() == pytest.approx(printed, abs=0.006)


@pytest.mark.parametrize("size", [(8, 8), (9, 12), (13, 31)])
def test_halving_is_imresize(size):
    """Against MATLAB's algorithm written out as weights: a cubic of width 8, mirrored, for each pixel anew."""

    def weights(count: int) -> np.ndarray:
        matrix = np.zeros((math.ceil(count / 2), count))
        for row in range(len(matrix)):
            centre = 2 * (row + 1) - 0.5
            for place in range(math.floor(centre - 4), math.floor(centre - 4) + 10):
                x = abs(centre - place) / 2
                near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
                folded = (place - 1) % (2 * count)
                matrix[row, min(folded, 2 * count - 1 - folded)] += near if x <= 1 else far if x <= 2 else 0
        return matrix / matrix.sum(1, keepdims=True)

    picture = texture(*size, 3)
    wanted = weights(size[0]) @ picture[0, 0].numpy() @ weights(size[1]).T
    torch.testing.assert_close(natural.halved(picture)[0, 0], torch.from_numpy(wanted))


@pytest.mark.parametrize(("shape", "draw"), [(1.0, torch.distributions.Laplace), (2.0, torch.distributions.Normal)])
def test_the_fit_finds_the_shape_and_the_sides_that_were_drawn(shape, draw):
    torch.manual_seed(0)
    values = draw(torch.tensor(0.0).double(), torch.tensor(1.0).double()).sample((1, 1, 1000, 1000))
    rightward = torch.rand_like(values) < 0.75  # as often as a side is wide
    lopsided = torch.where(rightward, 3 * values.abs(), -values.abs())
    deviation = draw(torch.tensor(0.0), torch.tensor(1.0)).stddev.item()
    for given, right in ((values, deviation), (lopsided, 3 * deviation)):
        found = [figure.item() for figure in natural.fitted(given)]
        assert found == pytest.approx([shape, deviation, right], rel=0.01)
    assert natural._symmetric_shape(values).item() == pytest.approx(shape, rel=0.01)


@BOTH
@pytest.mark.parametrize("degrade", ["noise", "blur"])
def test_a_photograph_looks_less_natural_with_noise_or_blur(metric, degrade, real_data):
    photographs = sorted((real_data / "train" / "single" / "BSDS").iterdir())[:8]
    torch.manual_seed(0)
    worse = 0
    for file in photographs:
        picture = io.read_visible(file)[0]
        noise = 0.15 * torch.randn_like(picture)
        blurred = torch.nn.functional.avg_pool2d(picture, 9, 1, 4, count_include_pad=False)
        other = (picture + noise).clamp(0, 1) if degrade == "noise" else blurred
        worse += (metric(other, picture, picture) > metric(picture, picture, picture)).item()
    assert worse >= 7


@BOTH
def test_a_level_more_everywhere_changes_little_or_nothing(metric):
    """Flat parts included, where rounding noise would answer otherwise. To BRISQUE the border changes."""
    picture = texture(288, 288, 4)
    picture[..., 100:220, 60:200] = 80 / 255
    lighter = picture + 1 / 255
    one, other = metric(picture, picture, picture), metric(lighter, picture, picture)
    torch.testing.assert_close(one, other, rtol=1e-9 if metric is niqe else 1e-2, atol=0)


@BOTH
def test_each_picture_is_judged_alone_and_without_its_sources(metric):
    pictures = torch.cat([texture(200, 216, seed) for seed in range(3)])
    sources = torch.rand(2, 3, 1, 200, 216)
    together = metric(pictures, *sources)
    for n, picture in enumerate(pictures.split(1)):
        torch.testing.assert_close(metric(picture, picture, picture), together[n : n + 1])
        torch.testing.assert_close(metric(picture.float(), picture, picture), together[n : n + 1])
        torch.testing.assert_close(metric(picture.expand(-1, 3, -1, -1), picture, picture), together[n : n + 1])


@BOTH
def test_pictures_without_contrast_have_no_value_and_draw_no_warning(metric):
    flat = [torch.full((1, 1, 200, 300), level / 255) for level in (0, 1, 128, 255)]
    ramp = (torch.arange(200) / 255).expand(1, 1, 200, 200).contiguous()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(metric(picture, picture, picture).isnan().all() for picture in flat)
        assert niqe(ramp, ramp, ramp).isnan().all()


def test_niqe_needs_two_blocks():
    for size, enough in (
        ((96, 192), True),
        ((193, 97), True),
        ((95, 500), False),
        ((191, 191), False),
        ((8, 8), False),
    ):
        picture = texture(*size, 5)
        assert niqe(picture, picture, picture).isfinite().item() is enough


def test_a_block_without_contrast_is_left_out():
    features = natural._block_features(texture(192, 288, 6) * 255, 96)
    flat = natural._block_features(torch.full((1, 1, 96, 96), 77.0, dtype=torch.float64), 96)
    assert flat.isnan().all()
    known, more = (torch.cat([rows, rows], -1)[0] for rows in (features, torch.cat([features, flat], 1)))
    torch.testing.assert_close(natural._distance(more), natural._distance(known), rtol=0, atol=0)


@pytest.mark.parametrize("size", [(8, 8), (9, 30), (17, 17)])
def test_brisque_judges_small_pictures(size):
    picture = texture(*size, 7)
    value = brisque(picture, picture, picture)
    assert value.shape == (1,)
    assert value.dtype == torch.float64


def test_damaged_figures_are_refused(monkeypatch):
    monkeypatch.setattr(natural, "SHA256", "0" * 64)
    with pytest.raises(irvis.IrvisError, match="reinstall irvis"):
        natural.model.__wrapped__(torch.device("cpu"))


def test_the_figures_carry_their_notices():
    with (
        importlib.resources.as_file(importlib.resources.files("irvis") / "metrics" / "natural.safetensors") as path,
        safe_open(path, "pt") as file,
    ):
        header = file.metadata()
    for name in ("niqe_notice", "brisque_notice"):
        assert header[name].startswith("Copyright (c) 2011 The University of Texas at Austin")
        assert "provided that the copyright notice in its entirety appear in all copies" in header[name].replace(
            "\n", " "
        )
        assert header[name].rstrip().endswith("OR MODIFICATIONS.")


def test_low_is_better_for_both():
    assert {METRICS[name].better for name in ("NIQE", "BRISQUE")} == {"low"}
