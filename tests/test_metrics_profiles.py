"""Profiles give the numbers of the codes they are named after; `measure` is the one way to ask for them."""

import csv
import math
import warnings

import pytest
import torch

import irvis
from golden import CANCELS, finite, images, numbers
from irvis import io
from irvis.metrics import METRICS, PROFILES, measure, sharing

SUITES = {
    "vifb": ("vifb_matlab", {
        "CE": "Cross_entropy", "EN": "Entropy", "MI": "Mutinf", "PSNR": "Psnr", "AG": "Avg_gradient",
        "EI": "Edge_intensity", "Qabf": "Qabf", "SD": "Variance", "SF": "Spatial_frequency", "RMSE": "Rmse",
        "SSIM": "Ssim", "Q_CB": "Qcb", "Q_CV": "Qcv",
    }),
    "tang": ("tang_matlab", {
        "EN": "EN", "MI": "MI", "PSNR": "PSNR", "MSE": "MSE", "SF": "SF", "SD": "SD", "VIF": "VIF", "AG": "AG",
        "CC": "CC", "SCD": "SCD", "Qabf": "Qabf", "SSIM": "SSIM_double255_L1", "MS_SSIM": "MS_SSIM",
        "Nabf": "Nabf_current_argorder",
    }),
    "cddfuse": ("cddfuse_python_pinned", {
        "EN": "EN", "SD": "SD", "SF": "SF", "AG": "AG", "MI": "MI", "MSE": "MSE", "PSNR": "PSNR", "CC": "CC",
        "SCD": "SCD", "VIF": "VIFF", "Qabf": "Qabf", "SSIM": "SSIM",
    }),
    "zoo": ("ivif_zoo_python", {
        "EN": "EN", "SD": "SD", "SF": "SF", "AG": "AG", "EI": "EI", "MI": "MI", "NMI": "NMI", "CE": "CE", "CC": "CC",
        "SCD": "SCD", "MSE": "MSE", "PSNR": "PSNR", "SSIM": "SSIM", "MS_SSIM": "MS_SSIM", "VIF": "VIF",
        "Qabf": "Qabf", "Nabf": "Nabf", "Q_CB": "Qcb", "Q_Y": "Qy", "Q_NCIE": "QNCIE", "Q_TE": "TE",
    }),
    "pyfusionsr": ("pyfusionsr_torch", {"Qw": "Qw_8x8_blocks", "Qe": "Qedge_pow0.7_viaLoss(0,1)"}),
    "liu": ("liu_matlab", {
        "NMI": "Q_MI", "Q_TE": "Q_TE_cvejic_q1.85", "Q_TE_nava": "Q_TE_nava_q0.43137", "Q_NCIE": "Q_NCIE",
        "Q_G": "Q_G_xydeas_liu", "Q_M": "Q_M", "Q_SF": "Q_SF_zheng", "Q_P": "Q_P", "Qw": "Q_W_piella",
        "Q_CV": "Q_CV", "Q_CB": "Q_CB",
    }),
}  # fmt: skip
LOOSE = {"cddfuse": 2e-6, "zoo": 2e-6}
"""These codes compute in float32: their own rounding is what is left."""
POWERS = {("pyfusionsr", "Qe"), ("zoo", "MS_SSIM")}
"""These codes take a broken power of a number that may be negative, as it is for noise: they give NaN then."""
BLOCKS = {"NIQE": (96, 192)}
"""These need pictures of at least this size."""
ORDINARY = ("vifb/", "tno/")
"""Pictures of the world; what each metric does with degenerate ones is tested with the metric."""


@pytest.mark.parametrize("profile", sorted(SUITES))
def test_a_profile_gives_the_numbers_of_its_code(profile, golden_data):
    suite, names = SUITES[profile]
    references = {name: finite(golden_data, suite, theirs) for name, theirs in names.items()}
    wrong, compared = {}, 0
    for triple, entry in numbers(golden_data)["triples"].items():
        wanted = [name for name in names if triple in references[name]]
        if not triple.startswith(ORDINARY) or not wanted:
            continue
        got = measure(*images(golden_data, entry), metrics=wanted, profile=profile)
        for name in wanted:
            compared += 1
            near = CANCELS.get((suite, names[name]), LOOSE.get(profile, 1e-6))
            if not math.isclose(got[name].item(), references[name][triple], rel_tol=near, abs_tol=1e-9):
                wrong[triple, name] = got[name].item(), references[name][triple]
    assert compared
    assert wrong == {}


@pytest.mark.parametrize("method", ["Hybrid_MSD", "GFF", "DLF"])
def test_the_vifb_profile_gives_the_values_that_the_authors_published(method, golden_data, real_data):
    """All 13 metrics to the five printed digits, on the smaller pairs; benchmarks/vifb.py does all."""
    _, names = SUITES["vifb"]
    with (golden_data.folder / "vifb_published.csv").open() as file:
        published = {(r["pair"], r["metric"]): r["value"] for r in csv.DictReader(file) if r["method"] == method}
    folder = real_data / "test" / "VIFB"
    for pair in ("carWhite", "manCall", "snow"):
        sources = io.read_visible(folder / "vi" / f"{pair}.jpg")[0], io.read_visible(folder / "ir" / f"{pair}.jpg")[0]
        fused = io.read_visible(real_data / "peers" / "VIFB" / method / f"{pair}.jpg")[0]
        got = measure(fused, *sources, profile="vifb")
        for ours, theirs in names.items():
            printed = float(published[pair, theirs])
            assert got[ours].item() == pytest.approx(printed, rel=6e-5, abs=6e-5), (pair, ours)


def pictures(seed: int = 0, channels: int = 1, size: tuple[int, int] = (32, 40)) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(2, c, *size, generator=generator) for c in (channels, channels, 1)]


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("channels", [1, 3])
def test_every_metric_of_a_profile_judges_gray_and_colour(profile, channels):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = measure(*pictures(channels=channels), profile=profile)
    assert list(got) == list(PROFILES[profile].metrics)
    for name, values in got.items():
        assert values.shape == (2,), name
        assert values.dtype == torch.float64, name
        if (profile, name) not in POWERS and name not in BLOCKS:
            assert torch.isfinite(values).all(), name


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_what_is_shared_between_metrics_changes_no_value(profile):
    fused, visible, infrared = pictures(1)
    with sharing() as memory:
        first = measure(pictures(2)[0], visible, infrared, profile=profile)
        memory.forget(fused)
        together = measure(fused, visible, infrared, profile=profile)
    assert first.keys() == together.keys()
    for name, function in PROFILES[profile].metrics.items():
        torch.testing.assert_close(together[name], function(fused, visible, infrared), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("kind", ["black", "white", "constant", "identical", "shifted", "fused is visible"])
def test_degenerate_pictures_draw_no_warning_and_no_error(kind):
    image = pictures()[1][:1]
    three = {
        "black": [torch.zeros_like(image)] * 3,
        "white": [torch.ones_like(image)] * 3,
        "constant": [torch.full_like(image, 0.5), image, image.flip(-1)],
        "identical": [image] * 3,
        "shifted": [image.roll(1, -1), image, image.roll(2, -1)],
        "fused is visible": [image, image, image.flip(-1)],
    }[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for profile in PROFILES:
            for name, values in measure(*three, profile=profile).items():
                assert values.shape == (1,), name


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_says_what_it_is_and_keeps_its_bounds(name):
    record = METRICS[name]
    for part in (record.title, record.paper, record.unit):
        assert part
    low, high = record.bounds
    assert low < high
    for seed in range(3):
        values = record.function(*pictures(seed, size=BLOCKS.get(name, (32, 40))))
        assert (values >= low - 1e-9).all()
        assert (values <= high + 1e-9).all()


@pytest.mark.parametrize("name", sorted(name for name, record in METRICS.items() if record.symmetric))
def test_a_symmetric_metric_does_not_care_which_source_is_which(name):
    fused, visible, infrared = pictures(3, size=BLOCKS.get(name, (32, 40)))
    function, single = METRICS[name].function, name.endswith("_paper")  # these are computed in single precision
    one, other = function(fused, visible, infrared), function(fused, infrared, visible)
    torch.testing.assert_close(one, other, rtol=1e-5 if single else 1e-9, atol=1e-12, equal_nan=True)


def test_unknown_names_and_sizes_that_differ_are_refused():
    with pytest.raises(irvis.IrvisError, match="there is no profile 'matlab'"):
        measure(*pictures(), profile="matlab")
    with pytest.raises(irvis.IrvisError, match="profile vifb has no metric VIF"):
        measure(*pictures(), profile="vifb", metrics=["VIF"])
    fused, visible, infrared = pictures()
    with pytest.raises(Exception, match=r"one size|h"):
        measure(fused[..., :30], visible, infrared)
    with pytest.raises(ValueError, match="at least 8×8"):
        measure(fused[..., :7], visible[..., :7], infrared[..., :7], metrics=["EN"])
