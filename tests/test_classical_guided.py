"""Guided and hybrid fusion, and the filters under them: by hand, by their laws, against the authors' pictures."""

import io
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn.functional import avg_pool2d

import irvis
from irvis.filters import bilateral, box, extended, gaussian, guided
from irvis.methods.guided import guided_fusion
from irvis.methods.hybrid import _automatic, _decomposed, _gaussian, _guided, hybrid, hybrid_guided, saliency
from irvis.metrics.structure import ssim

PUBLISHED = [
    ("GFF", guided_fusion, {}, 0.995),
    ("Hybrid_MSD", hybrid, {}, 0.999),
    ("HMSD_GF", hybrid_guided, {}, 0.9999),
    ("GFCE", hybrid_guided, {"enhance": True}, 0.99),
]
PAIRS = ("carWhite", "peopleshadow", "snow", "walking")


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), radius=st.integers(1, 50))
def test_a_box_is_the_mean_of_what_lies_in_the_picture(height, width, radius):
    image = noise(2, 1, height, width)
    radius_inside = min(radius, max(height, width))
    side = 2 * radius_inside + 1
    mean = avg_pool2d(image, side, stride=1, padding=radius_inside, count_include_pad=False)
    torch.testing.assert_close(box(image, radius), mean)


def test_a_replicated_box_is_the_mean_with_the_border_repeated():
    ndimage = pytest.importorskip("scipy.ndimage", reason="the oracle needs scipy")
    image = noise(1, 1, 17, 30)
    wanted = ndimage.uniform_filter(image[0, 0].numpy(), 31, mode="nearest")
    np.testing.assert_allclose(box(image, 15, "replicate")[0, 0].numpy(), wanted, atol=1e-12)


@pytest.mark.parametrize(("border", "mode"), [("symmetric", "reflect"), ("replicate", "nearest")])
@pytest.mark.parametrize("size", [(1, 5), (40, 23)])
def test_a_gaussian_is_that_of_scipy_on_pictures_smaller_than_itself_too(border, mode, size):
    ndimage = pytest.importorskip("scipy.ndimage", reason="the oracle needs scipy")
    image = noise(1, 1, *size)
    wanted = ndimage.gaussian_filter(image[0, 0].numpy(), 7.0, mode=mode, radius=21)
    np.testing.assert_allclose(gaussian(image, 7.0, border=border)[0, 0].numpy(), wanted, atol=1e-12)


def test_a_picture_is_continued_by_mirrors_of_mirrors():
    line = torch.tensor([1.0, 2, 3]).view(1, 1, 1, 3)
    assert extended(line, 4, "symmetric").flatten().tolist() == [3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1]
    assert extended(line, 2, "replicate").flatten().tolist() == [1, 1, 1, 2, 3, 3, 3]


def test_a_guided_filter_is_the_mean_of_the_lines_that_least_squares_fit():
    guide, image = noise(1, 1, 12, 15), noise(1, 1, 12, 15, seed=1)
    radius, epsilon = 2, 0.01
    lines = np.zeros((2, 12, 15))
    for row, column in np.ndindex(12, 15):
        seen = np.s_[0, 0, max(row - radius, 0) : row + radius + 1, max(column - radius, 0) : column + radius + 1]
        x, y = guide[seen].numpy().ravel(), image[seen].numpy().ravel()
        # The ridge: one more equation, slope · sqrt(n · epsilon) = 0.
        rows = np.vstack([np.column_stack([x, np.ones_like(x)]), [math.sqrt(x.size * epsilon), 0]])
        lines[:, row, column] = np.linalg.lstsq(rows, np.append(y, 0), rcond=None)[0]
    slope, offset = box(torch.from_numpy(lines).unsqueeze(1), radius)
    torch.testing.assert_close(guided(guide, image, radius, epsilon), (slope * guide[0] + offset)[None])


def test_a_guided_filter_without_edges_to_keep_is_a_box_of_boxes_and_one_that_keeps_all_changes_nothing():
    image = noise(1, 1, 30, 40)
    torch.testing.assert_close(guided(image, image, 3, 1e9), box(box(image, 3), 3))
    torch.testing.assert_close(guided(image, image, 3, 1e-12), image)


def test_a_guided_filter_of_single_precision_is_that_of_double():
    """A faint ramp on a bright ground: mean squares less squared means leave nothing in single precision."""
    guide = 0.9 + 1e-3 * torch.arange(40.0).div(40).expand(1, 1, 40, 40)
    mask = (noise(1, 1, 40, 40) > 0.5).float()
    double = guided(guide.double(), mask.double(), 7, 1e-6)
    torch.testing.assert_close(guided(guide, mask, 7, 1e-6).double(), double, rtol=0, atol=1e-6)


FILTERS = {
    "box": lambda image: box(image, 4),
    "gaussian": lambda image: gaussian(image, 3.0),
    "guided": lambda image: guided(image, image, 4, 0.01),
    "bilateral": lambda image: bilateral(image, 3.0, 0.05),
}


@pytest.mark.parametrize("name", FILTERS)
@settings(max_examples=10, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), level=st.floats(0, 1))
def test_filters_keep_constant_pictures(name, height, width, level):
    flat = torch.full((2, 1, height, width), level)
    torch.testing.assert_close(FILTERS[name](flat), flat, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_stay_within_the_values_they_see_and_keep_the_type(name):
    image = noise(2, 1, 30, 41).to(torch.bfloat16)
    smooth = FILTERS[name](image)
    assert smooth.dtype == torch.bfloat16
    for one, kept in zip(image, smooth, strict=True):
        assert one.min() - 0.01 <= kept.min()
        assert kept.max() <= one.max() + 0.01


def test_the_bilateral_grid_follows_the_bilateral_filter():
    """Ramps, a step and a little noise: nearer to the sum over all pixels than a tenth of what a Gaussian is off."""
    rows, columns = torch.arange(36.0, dtype=torch.float64), torch.arange(44.0, dtype=torch.float64)
    image = 0.2 + 0.004 * rows[:, None] + 0.5 * (columns > 20) + 0.02 * noise(36, 44)
    down, across = ((-(at[:, None] - at).square() / (2 * 4.0**2)).exp() for at in (rows, columns))
    near = torch.einsum("ij,kl->ikjl", down, across)
    weight = near * (-(image[..., None, None] - image).square() / (2 * 0.1**2)).exp()
    wanted = (weight * image).sum((2, 3)) / weight.sum((2, 3))
    off = (bilateral(image[None, None], 4.0, 0.1)[0, 0] - wanted).abs().mean()
    assert off < (gaussian(image[None, None], 4.0)[0, 0] - wanted).abs().mean() / 10


@pytest.mark.parametrize(
    ("fuse", "options"), [(guided_fusion, {}), (hybrid, {}), (hybrid_guided, {"gain": 1.0})], ids=lambda x: str(x)[:14]
)
def test_a_picture_fused_with_itself_is_itself(fuse, options):
    image = noise(2, 1, 50, 63)
    torch.testing.assert_close(fuse(image, image, **options), image)


def test_layers_add_up_to_the_picture():
    image = noise(2, 1, 50, 63)
    layers = _decomposed(image, [(_gaussian(2.0), _guided(2, 0.1)), (_gaussian(4.0), _guided(4, 0.05))])
    torch.testing.assert_close(layers.base + sum(layers.textures) + sum(layers.edges), image)


def test_detail_comes_from_the_picture_that_has_it():
    """Stripes on the left of one picture, on the right of the other: all of them are in the fused one."""
    stripes = (torch.arange(96) % 4 < 2).double().expand(1, 1, 96, 96)
    left = torch.arange(96) < 48
    visible, infrared = torch.where(left, stripes, 0.5), torch.where(left, 0.5, stripes)
    for fuse in (guided_fusion, hybrid, hybrid_guided):
        fused = fuse(visible, infrared)
        for side in (fused[..., 24:72, 8:40], fused[..., 24:72, 56:88]):
            assert side.std() > 0.9 * stripes.std()


def test_saliency_is_the_energy_that_an_eye_sees_block_by_block():
    image = noise(1, 1, 60, 93)
    plane = image[0, 0].numpy()
    across = plane[:, 2:] - plane[:, :-2]
    down = plane[2:] - plane[:-2]
    squares = (across[:-2] + 2 * across[1:-1] + across[2:]) ** 2 + (down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]) ** 2
    inner, energies, weights = plane[1:-1, 1:-1], [], []
    for row, column in np.ndindex(2, 3):
        at = np.s_[40 * row : 40 * row + 40, 40 * column : 40 * column + 40]
        height, width = inner[at].shape
        cycles = 32 * np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
        seen = np.fft.fft2(inner[at]) * 2.6 * (0.0192 + 0.114 * cycles) * np.exp(-((0.114 * cycles) ** 1.1))
        energies.append(np.linalg.norm(seen) / (height * width))
        weights.append(squares[at].sum())
    assert saliency(image).item() == pytest.approx(np.average(energies, weights=weights))


def test_the_more_salient_infrared_is_the_more_of_it_is_injected():
    image = noise(1, 1, 50, 60)
    by_contrast = [_automatic(image, contrast * image).item() for contrast in (0.5, 1.0, 1.2, 5.0)]
    assert by_contrast == pytest.approx([100, 600, 1100, 2000])
    flat = torch.zeros_like(image)
    assert _automatic(flat, flat).item() == 100


@pytest.mark.parametrize("shape", [(1, 1), (2, 50), (41, 43), (42, 82)])
@pytest.mark.parametrize("level", [0.0, 0.5])
def test_context_enhancement_takes_any_size_and_flat_pictures(shape, level):
    fused = hybrid_guided(torch.full((1, 1, *shape), level), noise(1, 1, *shape).float(), enhance=True)
    assert fused.shape[-2:] == shape
    assert torch.isfinite(fused).all()


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("gff", {"base_radius": 0}, "base_radius must be 1 to 500 pixels"),
        ("gff", {"detail_epsilon": 0.0}, "detail_epsilon must be"),
        ("hybrid-msd", {"levels": 1}, "levels must be 2 to 6"),
        ("hybrid-msd", {"range_sigma": 0.0}, "range_sigma must be"),
        ("hmsd-gf", {"radius": 0}, "radius must be 1 to 16 pixels"),
        ("hmsd-gf", {"gain": 0.0}, "gain must be above 0"),
        ("hmsd-gf", {"injection": -1.0}, "injection must be above 0"),
    ],
)
def test_options_that_mean_nothing_are_named(name, options, text):
    with pytest.raises(irvis.IrvisError, match=text):
        irvis.create(name, **options)


@pytest.mark.parametrize(("folder", "fuse", "options", "least"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
@torch.no_grad()
def test_fused_channel_by_channel_it_is_the_picture_that_vifb_published(folder, fuse, options, least, real_data):
    """VIFB ran the authors' programs on the channels of colour pictures and saved JPEG files."""
    if not (real_data / "peers" / "VIFB" / folder).is_dir():
        pytest.skip(f"{real_data} has no pictures of {folder}")
    scores = []
    for pair in PAIRS:
        visible, infrared = (channels(real_data / "test" / "VIFB" / kind / f"{pair}.jpg") for kind in ("vi", "ir"))
        ours = gray(compressed(fuse(visible, infrared, **options)))
        theirs = gray(channels(real_data / "peers" / "VIFB" / folder / f"{pair}.jpg"))
        scores.append(ssim(ours, theirs, theirs).item())
    assert sum(scores) / len(scores) >= least


def channels(file: Path | io.BytesIO) -> torch.Tensor:
    """The three channels as a batch of planes."""
    return torch.from_numpy(np.array(Image.open(file).convert("RGB"))).permute(2, 0, 1).unsqueeze(1) / 255


def compressed(planes: torch.Tensor) -> torch.Tensor:
    """The same after a JPEG file of quality 75."""
    file = io.BytesIO()
    samples = (planes.clamp(0, 1) * 255).round().byte().squeeze(1).permute(1, 2, 0).numpy()
    Image.fromarray(samples).save(file, "JPEG", quality=75)
    return channels(file)


def gray(planes: torch.Tensor) -> torch.Tensor:
    return (planes * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1, 1)).sum(0, keepdim=True)
