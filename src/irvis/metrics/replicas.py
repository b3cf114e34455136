"""What other codes compute under the names of our metrics where no option of ours makes it, for their profiles only.

Quirks included: single precision, guards against division, wrong windows. Documented values for flat images do not
hold here; as in those codes, 0/0 is NaN.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from .. import losses
from ..types import Picture
from .maps import Levels, Values, gaussian, levels, mean, separable, total
from .vision import difference_of_gaussians, perceived, seen

Single = Float[Tensor, "b 1 h w"]


def cddfuse_ssim(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """SSIM of CDDFuse's evaluator: scikit-image 0.19 on float32, which takes 2 for the range of 0..255; sum of two.

    7×7 box, unbiased variances, 3 border pixels left out, single precision after each step. Identical images: 2.
    """

    def box(image: Tensor) -> Tensor:
        for taps in ((7, 1), (1, 7)):
            image = separable(image.double(), torch.ones(taps[0]), torch.ones(taps[1])).div(7).float()
        return image

    def one(a: Single, b: Single) -> Values:
        mean_a, mean_b, unbiased = box(a), box(b), 49 / 48
        var_a, var_b = unbiased * (box(a * a) - mean_a * mean_a), unbiased * (box(b * b) - mean_b * mean_b)
        covariance = unbiased * (box(a * b) - mean_a * mean_b)
        above = (2 * mean_a * mean_b + 0.02**2) * (2 * covariance + 0.06**2)
        return mean((above / ((mean_a**2 + mean_b**2 + 0.02**2) * (var_a + var_b + 0.06**2))).double())

    f, v, i = (levels(image).float() for image in (fused, visible, infrared))
    return one(f, v) + one(f, i)


def pyfusionsr_qw(
    fused: Picture,
    visible: Picture,
    infrared: Picture,
    *,
    edges: bool = False,
    signed: bool = False,
    power: float = 1.0,
) -> Values:
    """Qw of pyFusionSR's loss, with its guards of 1e-8: lower than `Qw_paper` by up to 2e-5 of the value.

    edges: of Sobel magnitudes stretched to 0..1, there with power 0.7. signed: pixels in -1..1, as its training feeds
    the edges. Constant sources: NaN.
    """
    f, v, i = (levels(image) / 255 for image in (fused, visible, infrared))
    if edges:
        f, v, i = (stretch(losses.sobel(2 * image - 1 if signed else image)) for image in (f, v, i))
    f, v, i = (losses.windows(image) for image in (f, v, i))
    deviation_f = f.std(-1)

    def q0(source: Tensor) -> Tensor:
        centred = source - source.mean(-1, keepdim=True), f - f.mean(-1, keepdim=True)
        deviation, means = source.std(-1), (source.mean(-1), f.mean(-1))
        correlation = (centred[0] * centred[1]).sum(-1) / (source.shape[-1] - 1) / (deviation * deviation_f + 1e-8)
        luminance = 2 * means[0] * means[1] / (means[0].square() + means[1].square() + 1e-8)
        return correlation * luminance * 2 * deviation * deviation_f / (deviation**2 + deviation_f**2 + 1e-8)

    share = v.var(-1) / (v.var(-1) + i.var(-1) + 1e-8)
    weight = torch.maximum(v.var(-1), i.var(-1))
    index = (weight * (share * q0(v) + (1 - share) * q0(i))).sum(1) / weight.sum(1)
    return index if power == 1 else index**power


def stretch(image: Levels) -> Levels:
    """Stretched to 0..1 as Kornia has it."""
    low, high = image.amin((2, 3), keepdim=True), image.amax((2, 3), keepdim=True)
    return (image - low) / (high - low + 1e-6)


def zoo_similarity(a: Single, b: Single) -> tuple[Values, Values]:
    """SSIM and its contrast term in single precision, 11-pixel Gaussian, constants of range 255 on 255·(0..255)."""
    taps = torch.exp(-(torch.arange(-5.0, 6).to(a) ** 2) / 4.5)
    taps = taps / taps.sum()

    def smooth(image: Tensor) -> Tensor:
        return conv2d(conv2d(image, taps[None, None, :, None]), taps[None, None, None])

    mean_a, mean_b, small, large = smooth(a), smooth(b), 2.55**2, 7.65**2
    var_a, var_b = smooth(a * a) - mean_a.square(), smooth(b * b) - mean_b.square()
    contrast = (2 * (smooth(a * b) - mean_a * mean_b) + large) / (var_a + var_b + large)
    luminance = (2 * mean_a * mean_b + small) / (mean_a.square() + mean_b.square() + small)
    return mean((luminance * contrast).double()), mean(contrast.double())


def zoo_ssim(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """SSIM of IVIF_ZOO, sum of two: `SSIM` with span 1 but for single precision, which shows in flat areas."""
    f, v, i = (levels(image).float() * 255 for image in (fused, visible, infrared))
    return zoo_similarity(v, f)[0] + zoo_similarity(i, f)[0]


def zoo_ms_ssim(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """MS-SSIM of Wang, Simoncelli and Bovik, 2003, as IVIF_ZOO has it: sum of two, five scales, on 255·(0..255).

    NaN for pictures with a side of 160 pixels or less (that code stops there).
    """
    f, *sources = (levels(image).float() * 255 for image in (fused, visible, infrared))
    if min(f.shape[-2:]) <= 160:
        return torch.full_like(f[:, 0, 0, 0], math.nan, dtype=torch.float64)
    value = torch.zeros_like(f[:, 0, 0, 0], dtype=torch.float64)
    for source in sources:
        a, b, product = source, f, torch.ones_like(value)
        for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
            whole, contrast = zoo_similarity(a, b)
            product *= (contrast if scale < 4 else whole).clamp_min(0) ** weight
            odd = [side % 2 for side in a.shape[2:]]
            a, b = (avg_pool2d(image, 2, padding=odd) for image in (a, b))
        value += product
    return value


def zoo_vif(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """VIF of IVIF_ZOO: zeros beyond the border and a Gaussian half a pixel off its centre; single precision."""
    f, v, i = (levels(image).float() for image in (fused, visible, infrared))
    return zoo_vif_of(v, f) + zoo_vif_of(i, f)


def zoo_vif_of(a: Single, b: Single) -> Values:
    """The share of one source."""
    above = below = torch.zeros_like(a[:, 0, 0, 0], dtype=torch.float64)
    for size in (17, 9, 5, 3):
        x = torch.linspace(-size // 2, size // 2, size, device=a.device)
        window = torch.exp(-(x[:, None].square() + x.square()) / (2 * (size / 5) ** 2))
        window = (window / window.sum())[None, None]
        if size < 17:
            a, b = (conv2d(image, window, padding=size // 2)[..., ::2, ::2] for image in (a, b))
        mean_a, mean_b, m_ab, m_aa, m_bb = (conv2d(x, window, padding=size // 2) for x in (a, b, a * b, a * a, b * b))
        covariance = m_ab - mean_a * mean_b
        var_a, var_b = (m_aa - mean_a.square()).clamp_min(0), (m_bb - mean_b.square()).clamp_min(0)
        gain = (covariance / (var_a + 1e-10)).clamp_min(0).masked_fill((var_a < 1e-10) | (var_b < 1e-10), 0)
        rest = (var_b - gain * covariance).clamp_min(1e-10)
        above = above + total(torch.log10(1 + gain.square() * var_a / (rest + 2)).double())
        below = below + total(torch.log10(1 + var_a / 2).double())
    return above / below


def zoo_qy(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Q_Y of IVIF_ZOO: a window that is Gaussian along rows only and sums to 7, zeros beyond the border."""
    f, v, i = (levels(image) for image in (fused, visible, infrared))

    def smooth(image: Levels) -> Levels:
        return separable(image, torch.ones(7), gaussian(7, 1.5), "zero")

    def similarity(a: Levels, b: Levels) -> Tensor:
        means = smooth(a), smooth(b)
        squares, product = means[0].square() + means[1].square(), means[0] * means[1]
        structure = (2 * (smooth(a * b) - product) + 0.03**2) / (smooth(a * a) + smooth(b * b) - squares + 0.03**2)
        return (2 * product + 0.01**2) / (squares + 0.01**2) * structure

    var_v, var_i = (smooth(x * x) - smooth(x).square() for x in (v, i))
    share, to_visible, to_infrared = var_i / (var_i + var_v + 1e-10), similarity(v, f), similarity(i, f)
    agreed = share * to_infrared + (1 - share) * to_visible
    return mean(torch.where(similarity(i, v) >= 0.75, agreed, torch.maximum(to_visible, to_infrared)))


def zoo_qcb(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Q_CB of IVIF_ZOO: half the frequencies, no rounding after stretching, guards of 1e-10. Constant image: NaN."""
    contrasts = []
    for image in map(levels, (fused, visible, infrared)):
        low, high = image.amin((2, 3), keepdim=True), image.amax((2, 3), keepdim=True)
        contrasts.append(perceived(seen((image - low) / (high - low), difference_of_gaussians, 30), guard=1e-10))
    f, *sources = contrasts
    both = sources[0].square() + sources[1].square() + 1e-10
    return mean(sum(x.square() / both * torch.minimum(x, f) / torch.maximum(x, f) for x in sources))  # type: ignore[arg-type]
