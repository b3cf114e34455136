"""Two-scale and wavelet fusion: against the authors' pictures and another implementation, by hand, by their laws."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import irvis
from irvis.methods.two_scale import _median, tif
from irvis.methods.wavelet import analyse, directions, synthesise, undirected, wavelet
from irvis.metrics.structure import ssim

BORDER = 36
"""Pixels that the border can reach: half of the mean filter's window, and a JPEG block of halved chroma."""

DTCWT = {
    (0, 0, 0): "-0.106045651-0.042316431j -0.121342829-0.101623033j -0.233402263+0.006724846j "
    "-0.020349686+0.11613903j 0.097706656+8.1173e-05j -0.069012155+0.011596388j",
    (0, -1, 12): "0.232937918-0.123711101j 0.143288335-0.288118956j 0.124248763-0.261882047j "
    "0.031567267+0.013384521j 0.279893428-0.007062049j 0.219708178+0.103255512j",
    (1, 0, 0): "0.119785251-0.139711821j 0.177526605-0.032878823j -0.105793807-0.209978552j "
    "0.02050674-0.073645071j -0.254656156+0.057330034j -0.148751707+0.176170031j",
    (1, -1, 6): "0.09716836-0.064172659j 0.193660302-0.062835246j 0.247452523-0.137579949j "
    "-0.079779968-0.134216316j 0.078999016-0.05691421j -0.084265002+0.282806694j",
    (2, 0, 0): "-0.352416516+0.11824447j 0.21816564-0.01919884j 0.027267302-0.024445668j "
    "0.042128209-0.169251231j 0.043347939+0.034414514j -0.012260742-0.300193276j",
    (2, -1, 3): "0.046576707-0.155709596j -0.060932249+0.17029964j 0.106202762-0.207273962j "
    "-0.246533936-0.041294336j -0.019721758+0.193546099j 0.073585847-0.192205135j",
    (3, 0, 0): "0.074211147+0.201953056j 0.085723986+0.039807433j 0.049109041-0.217434559j "
    "-0.07728169-0.011098301j -0.226289916+0.005654581j 0.376675203-0.072982071j",
    (3, -1, 1): "-0.122200335+0.036728876j 0.109752495-0.057351354j 0.128332359+0.033962774j "
    "0.015472427-0.308737933j -0.020276565+0.083185531j 0.005534227+0.067302055j",
}
"""(scale, row, column) -> the six directions of `picture()`, by the package dtcwt 0.14, near_sym_a and qshift_a."""
REST = """
3.532314972 3.68254623 3.643349534 3.540810862 3.603113652 3.761242827
3.814607932 3.706966746 3.694553626 3.837055227 3.8547824 3.705956067
3.920373805 3.760231998 3.73706962 3.932361177 3.96854625 3.785421876
3.914554 3.832054384 3.772132559 3.910167298 4.01172392 3.957095257
"""
"""Its low-pass after four scales."""
ORDER = (2, 3, 0, 5, 1, 4)
"""Where dtcwt has our directions: edges across columns, rows and both, two each."""


def picture() -> torch.Tensor:
    row, column = torch.arange(32.0, dtype=torch.float64)[:, None], torch.arange(48.0, dtype=torch.float64)
    return ((7 * row**2 + 13 * column + 3 * row * column) % 31 / 31)[None, None]


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def planes(image: Image.Image) -> torch.Tensor:
    """The channels as a batch, in [0, 1]."""
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[:, None].double() / 255


def compressed(fused: torch.Tensor, like: Image.Image) -> torch.Tensor:
    """As a JPEG file with the quantisation and the halved chroma of another."""
    file = io.BytesIO()
    pixels = (fused.clamp(0, 1) * 255).round().byte()[:, 0].permute(1, 2, 0)
    Image.fromarray(pixels.numpy()).save(file, "JPEG", qtables=like.quantization, subsampling="4:2:0")
    return planes(Image.open(file))


def test_tif_is_the_authors_picture_but_for_the_border(real_data):
    """VIFB's pictures: each channel fused on its own. The border differs, for they wrap the picture around there."""
    files = sorted((real_data / "peers" / "VIFB" / "TIF").glob("*.jpg"))
    assert len(files) == 21
    for file in files:
        theirs = Image.open(file)
        sources = [planes(Image.open(real_data / "test" / "VIFB" / side / file.name)) for side in ("vi", "ir")]
        ours, published = compressed(tif(*sources), theirs), planes(theirs)
        assert ssim(*(image.transpose(0, 1) for image in (ours, published, published))).item() > 0.95, file.stem
        apart = (255 * (ours - published)).abs()[..., BORDER:-BORDER, BORDER:-BORDER]
        assert (apart == 0).double().mean() > 0.999, file.stem
        assert apart.max().item() == pytest.approx(0, abs=2.001), file.stem  # where a value lies between two levels


@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_the_median_is_the_fifth_of_nine_sorted_pixels(height, width, seed):
    image = noise(2, 1, height, width, seed=seed)
    wide = torch.nn.functional.pad(image, (1, 1, 1, 1), mode="replicate")
    nine = wide.unfold(2, 3, 1).unfold(3, 3, 1).flatten(-2)
    assert torch.equal(_median(image), nine.sort(-1).values[..., 4])


def test_tif_of_a_warm_point_by_hand():
    """The infrared image alone is salient, where the window sees the point: the mean is 1/81 there, the median 0."""
    visible, infrared = torch.full((1, 1, 41, 41), 0.25, dtype=torch.float64), torch.zeros(1, 1, 41, 41).double()
    infrared[..., 20, 20] = 1
    fused = tif(visible, infrared, window=9)[0, 0]
    mean = 1 / 81
    assert fused[20, 20].item() == pytest.approx((0.25 + mean) / 2 + 1 - mean)
    assert fused[20, 24].item() == pytest.approx((0.25 + mean) / 2 - mean)
    assert fused[20, 25].item() == pytest.approx(0.125)


@pytest.mark.parametrize("method", [tif, wavelet])
def test_a_picture_fused_with_itself_stays(method):
    image = noise(2, 1, 48, 64)
    torch.testing.assert_close(method(image, image), image)


@pytest.mark.parametrize("method", [tif, wavelet])
def test_the_sources_may_change_places(method):
    first, second = noise(1, 1, 48, 64), noise(1, 1, 48, 64, seed=1)
    torch.testing.assert_close(method(first, second), method(second, first))


@pytest.mark.parametrize("method", [tif, wavelet])
def test_texture_that_one_picture_has_keeps_its_contrast_beside_a_flat_one(method):
    flat = torch.full((1, 1, 128, 128), 0.5, dtype=torch.float64)
    stripes = flat.clone()
    stripes[..., ::2] += 0.1
    stripes[..., 1::2] -= 0.1
    torch.testing.assert_close(method(flat, stripes)[..., 32:-32, 32:-32].std(), stripes.std(), rtol=0.02, atol=0)


def test_the_level_of_a_flat_picture_counts_by_half():
    image, dark, bright = noise(1, 1, 32, 32), torch.full((1, 1, 32, 32), 0.2), torch.full((1, 1, 32, 32), 0.6)
    difference = wavelet(image, bright.double()) - wavelet(image, dark.double())
    torch.testing.assert_close(difference, torch.full_like(difference, 0.2), rtol=0, atol=1e-7)


def test_coefficients_are_those_of_another_implementation():
    low, details = picture(), []
    for level in range(4):
        low, bands = analyse(low, level)
        found = directions(bands)[0]
        details.append(torch.complex(found[:, :, 0], found[:, :, 1]).flatten(0, 1))
    rest = torch.tensor([[float(x) for x in line.split()] for line in REST.strip().split("\n")]).double()
    torch.testing.assert_close(low[0, 0], rest, rtol=0, atol=1e-6)
    for (level, row, column), values in DTCWT.items():
        theirs = torch.tensor([complex(value) for value in values.split()], dtype=torch.complex128)
        torch.testing.assert_close(details[level][:, row, column], theirs[list(ORDER)], rtol=0, atol=1e-8)


@given(rows=st.integers(1, 4), columns=st.integers(1, 4), levels=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_transform_can_be_undone_however_small_the_picture(rows, columns, levels, seed):
    image = noise(2, 1, rows * 2**levels, columns * 2**levels, seed=seed)
    low, details = image, []
    for level in range(levels):
        low, bands = analyse(low, level)
        details.append(directions(bands))
    for level in reversed(range(levels)):
        low = synthesise(low, undirected(details[level]), level)
    torch.testing.assert_close(low, image, rtol=0, atol=1e-12)


def test_an_edge_has_the_same_energy_wherever_it_is():
    """To 10% at the third scale; that of a wavelet transform with one tree depends on it several times over."""
    energies = []
    for at in range(100, 108):
        low = torch.zeros(1, 1, 64, 256, dtype=torch.float64)
        low[..., at:] = 1
        for level in range(4):
            low, bands = analyse(low, level)
        energies.append(directions(bands).square().sum().item())
    assert max(energies) < 1.1 * min(energies)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_the_reach_holds_for_every_number_of_scales(levels):
    reach = irvis.create("wavelet", levels=levels).spec.reach
    images = [noise(1, 1, 192, 192), noise(1, 1, 192, 192, seed=1)]
    before = wavelet(*images, levels=levels)
    for at in range(96, 96 + 2**levels):
        changed = [image.clone() for image in images]
        changed[0][..., at, at] += 9
        moved = ((wavelet(*changed, levels=levels) - before).abs()[0, 0] > 1e-12).nonzero()
        assert (moved - at).abs().max() <= reach


def test_options_out_of_range_are_refused():
    for window in (2, 34, 257):
        with pytest.raises(irvis.IrvisError, match="window must be an odd number"):
            irvis.create("tif", window=window)
    for levels in (0, 7):
        with pytest.raises(irvis.IrvisError, match="levels must be 1 to 6"):
            irvis.create("wavelet", levels=levels)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("method", [tif, wavelet])
def test_cuda_gives_the_same_picture(method):
    images = noise(1, 1, 64, 96), noise(1, 1, 64, 96, seed=1)
    torch.testing.assert_close(method(*(image.cuda() for image in images)).cpu(), method(*images))
