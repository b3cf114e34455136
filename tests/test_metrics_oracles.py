"""Metrics against torchmetrics, scikit-image and NumPy, wherever those define the same quantity.

They judge an image against one other, so ours are called with one source twice: (fused, source, source). All are given
the gray levels 0..255 in double precision, and agree to 1e-9 unless a test says why they cannot.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irvis.metrics import measure, replicas
from irvis.metrics.colours import chroma_error, hue_error
from irvis.metrics.fidelity import vif
from irvis.metrics.gradient import ag, ei
from irvis.metrics.information import cross_entropy, entropy, mutual_information, normalised_mutual_information
from irvis.metrics.maps import levels
from irvis.metrics.pixel import cc, mse, psnr, rmse, scd, sd
from irvis.metrics.structure import q0, q_c, q_y, qw, ssim

torchmetrics = pytest.importorskip("torchmetrics.functional", reason="needs pip install torchmetrics")
clustering = pytest.importorskip("torchmetrics.functional.clustering", reason="needs pip install torchmetrics")
image_metrics = pytest.importorskip("torchmetrics.functional.image", reason="needs pip install torchmetrics")
skimage = pytest.importorskip("skimage.metrics", reason="needs pip install scikit-image")
color = pytest.importorskip("skimage.color", reason="needs pip install scikit-image")
filters = pytest.importorskip("skimage.filters", reason="needs pip install scikit-image")
measures = pytest.importorskip("skimage.measure", reason="needs pip install scikit-image")

SAME = 1e-9
EXAMPLES = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}


class Pair(NamedTuple):
    """Two textured images that have something in common, in [0, 1]; every level of theirs spans at least 32."""

    fused: torch.Tensor
    source: torch.Tensor

    def __repr__(self) -> str:
        return f"Pair({tuple(self.fused.shape)}, {self.fused.dtype}, {self.fused.min():.3f} to {self.fused.max():.3f})"

    @property
    def levels(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Their gray levels, as the oracles take them."""
        return levels(self.fused), levels(self.source)

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """The same as NumPy arrays (h, w)."""
        return self.levels[0][0, 0].numpy(), self.levels[1][0, 0].numpy()


@st.composite
def pairs(draw, smallest: int = 16, largest: int = 80, multiple: int = 1, whole: bool = False, channels: int = 1):
    """Any size, range and precision; `whole`: every level of 0..255 occurs in both."""
    side = st.integers(-(-smallest // multiple), largest // multiple).map(lambda n: n * multiple)
    height, width, seed = draw(side), draw(side), draw(st.integers(0, 10_000))
    dtype = draw(st.sampled_from([torch.float16, torch.float32, torch.float64]))
    low = 0.0 if whole else draw(st.floats(0, 0.8))
    high = 1.0 if whole else draw(st.floats(low + 0.15, 1))
    share = draw(st.floats(0.1, 0.9))
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(2, 1, channels, height, width, generator=generator, dtype=torch.float64)
    source, fused = noise[0], share * noise[0] + (1 - share) * noise[1]
    images = [(low + (high - low) * image) for image in (fused, source)]
    if whole:
        for image in images:
            image.view(-1)[torch.randperm(image.numel(), generator=generator)[:256]] = torch.arange(256).double() / 255
    return Pair(*(image.clamp(0, 1).to(dtype) for image in images))


def judged(metric, pair: Pair, **options) -> float:
    return metric(pair.fused, pair.source, pair.source, **options).item()


def similarity(pair: Pair, span: float) -> tuple[float, torch.Tensor]:
    """SSIM by torchmetrics, and its map where the window fits."""
    mean, similar = image_metrics.structural_similarity_index_measure(
        *pair.levels, data_range=span, return_full_image=True
    )
    return mean.item(), similar[..., 5:-5, 5:-5]


@EXAMPLES
@given(pair=pairs())
def test_mse_rmse_and_psnr_are_those_of_torchmetrics_and_scikit_image(pair):
    """torchmetrics divides by the logarithm of 10 in single precision: 1e-7 for its PSNR."""
    error = torchmetrics.mean_squared_error(*pair.levels).item()
    assert judged(mse, pair) == pytest.approx(error, rel=SAME)
    assert judged(mse, pair) == pytest.approx(skimage.mean_squared_error(*pair.arrays), rel=SAME)
    assert judged(rmse, pair) == pytest.approx(math.sqrt(error), rel=SAME)
    peak = torchmetrics.image.peak_signal_noise_ratio(*pair.levels, data_range=255.0).item()
    assert judged(psnr, pair) == pytest.approx(peak, rel=1e-7)
    assert judged(psnr, pair) == pytest.approx(skimage.peak_signal_noise_ratio(*pair.arrays, data_range=255), rel=SAME)


@EXAMPLES
@given(pair=pairs())
def test_cc_scd_and_sd_are_those_of_numpy_and_torchmetrics(pair):
    fused, source = pair.arrays
    correlation = np.corrcoef(fused.ravel(), source.ravel())[0, 1]
    assert judged(cc, pair) == pytest.approx(correlation, abs=SAME)
    theirs = torchmetrics.pearson_corrcoef(*(image.ravel() for image in pair.levels)).item()
    assert judged(cc, pair) == pytest.approx(theirs, abs=SAME)
    of_difference = np.corrcoef((fused - source).ravel(), source.ravel())[0, 1]
    assert judged(scd, pair) == pytest.approx(2 * of_difference, abs=SAME)
    assert judged(sd, pair) == pytest.approx(np.std(fused), rel=SAME)


@EXAMPLES
@given(pair=pairs())
def test_ssim_is_that_of_torchmetrics_and_scikit_image(pair):
    """Wang's: 11×11 Gaussian of deviation 1.5, population variances, L = 255, border left out.

    torchmetrics mirrors the border, and gives the map, too.
    """
    theirs, similar = similarity(pair, 255.0)
    assert judged(ssim, pair, border="reflect") == pytest.approx(theirs, abs=SAME)
    assert judged(ssim, pair) == pytest.approx(similar.mean().item(), abs=SAME)
    assert judged(ssim, pair) == pytest.approx(skimage.structural_similarity(*pair.arrays, **WANG), abs=SAME)


@EXAMPLES
@given(pair=pairs())
def test_q0_and_qw_are_means_of_scikit_images_map_plain_and_weighted_by_its_variances(pair):
    fused, source = pair.arrays
    similar = skimage.structural_similarity(fused, source, full=True, **WANG)[1][5:-5, 5:-5]
    smooth = [filters.gaussian(x, 1.5, truncate=3.5, mode="reflect", preserve_range=True) for x in (source, source**2)]
    variance = (smooth[1] - smooth[0] ** 2)[5:-5, 5:-5]
    assert judged(q0, pair) == pytest.approx(similar.mean(), abs=SAME)
    assert judged(qw, pair) == pytest.approx((variance * similar).sum() / variance.sum(), abs=SAME)


@EXAMPLES
@given(pair=pairs())
def test_q_y_and_q_c_are_torchmetrics_universal_index_where_both_sources_are_one(pair):
    """Its guard, the machine's epsilon beside products of variances and squared means, is below 1e-9 of them."""
    theirs = image_metrics.universal_image_quality_index(*pair.levels, kernel_size=(7, 7), sigma=(1.5, 1.5)).item()
    assert judged(q_y, pair) == pytest.approx(theirs, abs=SAME)
    assert judged(q_c, pair) == pytest.approx(theirs, abs=SAME)


@EXAMPLES
@given(pair=pairs(smallest=41))
def test_vif_of_both_sources_is_twice_that_of_torchmetrics(pair):
    theirs = image_metrics.visual_information_fidelity(*pair.levels, sigma_n_sq=2.0).item()
    assert judged(vif, pair) == pytest.approx(2 * theirs, rel=SAME)


@EXAMPLES
@given(pair=pairs())
def test_entropy_is_that_of_scikit_image(pair):
    assert judged(entropy, pair) == pytest.approx(measures.shannon_entropy(pair.arrays[0]), abs=SAME)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@EXAMPLES
@given(pair=pairs())
def test_mutual_information_is_that_of_torchmetrics_levels_as_classes(pair):
    """I in nats and 2·I/(H + H); ours is the sum of two. torchmetrics counts in single precision: 3e-6."""
    classes = [image.flatten().long() for image in pair.levels]
    information = clustering.mutual_info_score(*classes).item()
    assert judged(mutual_information, pair, unit="nat") == pytest.approx(2 * information, rel=3e-6)
    shared = clustering.normalized_mutual_info_score(*classes, average_method="arithmetic").item()
    assert judged(normalised_mutual_information, pair) == pytest.approx(2 * shared, rel=3e-6)


@EXAMPLES
@given(pair=pairs(smallest=24, whole=True))
def test_nmi_follows_from_that_of_scikit_image_which_is_of_studholme(pair):
    """(H + H) / H(both), from 1 to 2; its 256 bins are the levels where both images have 0 and 255."""
    theirs = skimage.normalized_mutual_information(*pair.arrays, bins=256)
    assert judged(normalised_mutual_information, pair) == pytest.approx(4 * (1 - 1 / theirs), abs=SAME)


@EXAMPLES
@given(pair=pairs(smallest=24, whole=True))
def test_cross_entropy_is_torchmetrics_divergence_where_all_levels_occur(pair):
    fused, source = (torch.bincount(image.flatten().long(), minlength=256).double()[None] for image in pair.levels)
    theirs = torchmetrics.kl_divergence(source, fused).item() / math.log(2)
    assert judged(cross_entropy, pair) == pytest.approx(theirs, abs=SAME)


@EXAMPLES
@given(pair=pairs())
def test_ag_and_ei_are_numpys_gradient_and_scikit_images_sobel(pair):
    """Its Sobel masks are divided by 4, its magnitude by √2."""
    fused = pair.arrays[0]
    steps = np.gradient(fused)
    mean = np.sqrt((steps[0] ** 2 + steps[1] ** 2) / 2).mean()
    assert judged(ag, pair, per_pixel=True) == pytest.approx(mean, rel=SAME)
    assert judged(ei, pair) == pytest.approx(4 * math.sqrt(2) * filters.sobel(fused).mean(), rel=SAME)


@EXAMPLES
@given(pair=pairs(channels=3))
def test_errors_of_colour_are_those_of_scikit_images_lab(pair):
    """Its matrix of sRGB and its white have 6 and 5 digits, other ones than ours: 5e-3 of a just noticeable step."""
    rgb = [((x[0].double() * 255 + 0.5).floor() / 255).permute(1, 2, 0).numpy() for x in pair]
    fused, source = (color.rgb2lab(x) for x in rgb)
    chroma = np.abs(np.hypot(*fused[..., 1:].T) - np.hypot(*source[..., 1:].T)).mean()
    assert judged(chroma_error, pair) == pytest.approx(chroma, abs=5e-3)
    plain = color.deltaE_cie76(fused, source) ** 2 - (fused - source)[..., 0] ** 2
    change = (np.hypot(fused[..., 1], fused[..., 2]) - np.hypot(source[..., 1], source[..., 2])) ** 2
    assert judged(hue_error, pair) == pytest.approx(np.sqrt(np.maximum(plain - change, 0)).mean(), abs=5e-3)


@EXAMPLES
@given(pair=pairs())
def test_cddfuses_ssim_is_scikit_images_with_a_range_of_2(pair):
    """A 7×7 box and unbiased variances, sum of two. CDDFuse computes in single precision: 2e-5."""
    theirs = skimage.structural_similarity(*pair.arrays, data_range=2)
    assert judged(replicas.cddfuse_ssim, pair) == pytest.approx(2 * theirs, abs=2e-5)


@EXAMPLES
@given(pair=pairs())
def test_zoos_ssim_is_torchmetrics_with_a_range_of_1(pair):
    """On levels 0..255, sum of two. IVIF_ZOO computes in single precision: 1e-4."""
    theirs = similarity(pair, 1.0)[1].mean().item()
    assert judged(replicas.zoo_ssim, pair) == pytest.approx(2 * theirs, abs=1e-4)


def test_batches_and_both_sources_at_once_are_means_of_what_the_oracles_say_one_by_one():
    generator = torch.Generator().manual_seed(0)
    images = [torch.rand(3, 1, 48, 57, generator=generator) for _ in range(3)]
    ours = measure(*images, metrics=["SSIM", "MSE", "CC", "VIF", "EN"])
    fused, *sources = (levels(image) for image in images)
    for n in range(3):
        one, others = fused[n : n + 1], [source[n : n + 1] for source in sources]
        oracles = {
            "SSIM": lambda a, b: skimage.structural_similarity(a[0, 0].numpy(), b[0, 0].numpy(), **WANG),
            "MSE": lambda a, b: torchmetrics.mean_squared_error(a, b).item(),
            "CC": lambda a, b: torchmetrics.pearson_corrcoef(a.ravel(), b.ravel()).item(),
            "VIF": lambda a, b: 2 * image_metrics.visual_information_fidelity(a, b).item(),
            "EN": lambda a, _: measures.shannon_entropy(a.numpy()),
        }
        for name, oracle in oracles.items():
            assert ours[name][n].item() == pytest.approx(sum(oracle(one, x) for x in others) / 2, rel=SAME), name
