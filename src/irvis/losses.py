"""Losses and the quality indices behind them: `(fused, visible, infrared, **options) -> (B,)`, one value per pair.

All are differentiable with respect to every argument, colour included: an RGB image enters the indices
through its BT.601 luma. Images are in [0, 1] (values outside are allowed). Sources:
Wang & Bovik, A universal image quality index, IEEE SPL 2002 (Q0); Piella & Heijmans, A new quality metric for
image fusion, ICIP 2003 (Qw, Qe); Ataman & Bozdagi Akar, arXiv:2412.08073 (the weighted sum as a loss).
"""

from collections.abc import Callable
from functools import wraps
from typing import Literal, ParamSpec

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad

from .color import gray
from .filters import box, expand, reduce
from .types import Gray, Picture

P = ParamSpec("P")
Saliency = Literal["variance", "deviation"]
Weighting = Literal["saliency", "mean"]

FLAT = 1e-10
"""A window whose variance is below this (a deviation of 0.003 gray levels of 255) counts as constant."""


def windows(image: Gray, size: int = 8, stride: int = 8) -> Tensor:
    """(B, N, size²): all square windows; rows and columns that fill no window are left out, as Table 1 has it."""
    if min(image.shape[-2:]) < size:
        raise ValueError(f"images must be at least {size}×{size} pixels, these are {tuple(image.shape[-2:])}")
    patches = image[:, 0].unfold(1, size, stride).unfold(2, size, stride)
    return patches.flatten(3).flatten(1, 2)


def q0(a: Tensor, b: Tensor) -> Tensor:
    """Universal image quality index of windows: (…, n) x (…, n) -> (…), in [-1, 1].

    4·cov·mean_a·mean_b / ((var_a + var_b)·(mean_a² + mean_b²)). Where both windows are constant the index
    is its luminance term alone; where both means are 0 the luminance term is 1 (the limits of the definition).
    """
    mean_a, mean_b = a.mean(-1), b.mean(-1)
    covariance = ((a - mean_a[..., None]) * (b - mean_b[..., None])).sum(-1) / (a.shape[-1] - 1)
    structure = _ratio(2 * covariance, a.var(-1) + b.var(-1))
    luminance = _ratio(2 * mean_a * mean_b, mean_a.square() + mean_b.square())
    return structure * luminance


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """The quotient, and 1 where the denominator vanishes; the gradient is finite everywhere."""
    vanishes = denominator <= FLAT
    quotient = numerator / denominator.masked_fill(vanishes, 1)
    return quotient.masked_fill(vanishes, 1)


def qw_index(
    fused: Picture,
    visible: Picture,
    infrared: Picture,
    *,
    saliency: Saliency = "variance",
    weighting: Weighting = "saliency",
    size: int = 8,
    stride: int = 8,
) -> Tensor:
    """Weighted fusion quality index Qw, in [-1, 1], 1 is best.

    Each window scores λ·Q0(visible, fused) + (1 - λ)·Q0(infrared, fused) with λ the share of the visible
    window in the two saliencies (1/2 where both are 0). `weighting="saliency"` weights a window by the larger
    of its two saliencies (Piella & Heijmans, and the code behind the paper's Table 1); "mean" counts all
    windows alike (the paper's eq. 2 as printed). `saliency="deviation"` is the paper's text, "variance" its code.
    """
    f, v, i = (windows(gray(image).float(), size, stride) for image in (fused, visible, infrared))
    sal_v, sal_i = (w.var(-1) if saliency == "variance" else _deviation(w) for w in (v, i))
    share = torch.where(sal_v + sal_i > FLAT, sal_v / (sal_v + sal_i).clamp_min(FLAT), 0.5)
    local = share * q0(v, f) + (1 - share) * q0(i, f)
    if weighting == "mean":
        return local.mean(1)
    weight = torch.maximum(sal_v, sal_i) + FLAT / local.shape[1]
    return (weight * local).sum(1) / weight.sum(1)


def qe_index(
    fused: Picture,
    visible: Picture,
    infrared: Picture,
    *,
    normalise: bool = True,
    power: float = 1.0,
    saliency: Saliency = "variance",
    weighting: Weighting = "saliency",
    size: int = 8,
    stride: int = 8,
) -> Tensor:
    """Qw of the edge images (Sobel magnitude), in [-1, 1]; options as in `qw_index`, and:

    normalise: stretch each edge image to [0, 1] first, as the paper's code does.
    power: 0.7 in the paper's loss; negative values count as 0 then.
    """
    edges = [sobel(gray(image).float()) for image in (fused, visible, infrared)]
    if normalise:
        edges = [_stretched(edge) for edge in edges]
    index = qw_index(edges[0], edges[1], edges[2], saliency=saliency, weighting=weighting, size=size, stride=stride)
    return index if power == 1 else index.clamp_min(1e-6) ** power


def _complement(index: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """1 - index, with the options of the index: what a training minimises."""

    @wraps(index)
    def loss(*images: P.args, **options: P.kwargs) -> Tensor:
        return 1 - index(*images, **options)

    return loss


qw = _complement(qw_index)
qe = _complement(qe_index)


def mse(
    fused: Picture,
    visible: Picture,
    infrared: Picture,
    *,
    visible_weight: float = 0.5,
    infrared_weight: float = 0.5,
) -> Tensor:
    """visible_weight·MSE(visible, fused) + infrared_weight·MSE(infrared, fused), pixels in [0, 1].

    On pixels in [-1, 1] the same errors would be four times as large. The paper's text has 0.5 and 0.5,
    its code 0 and 1. A source with fewer channels than the fused image is compared with each of its channels.
    """
    if visible.shape[1] > fused.shape[1]:
        visible = gray(visible)
    return sum(  # type: ignore[return-value]
        weight * (fused - source).square().mean((1, 2, 3))
        for weight, source in ((visible_weight, visible), (infrared_weight, infrared))
    )


def intensity(fused: Picture, visible: Picture, infrared: Picture) -> Tensor:
    """Mean distance to the brighter of the two sources (MaeFuse, eq. 4, first term)."""
    return (gray(fused) - torch.maximum(gray(visible), infrared)).abs().mean((1, 2, 3))


def gradient(fused: Picture, visible: Picture, infrared: Picture) -> Tensor:
    """Mean distance of |gx| + |gy| (Sobel) to the stronger of the sources' (MaeFuse, eq. 4, second term)."""
    f, v, i = (_slopes(gray(image)).abs().sum(1, keepdim=True) for image in (fused, visible, infrared))
    return (f - torch.maximum(v, i)).abs().mean((1, 2, 3))


def correlation(fused: Picture, visible: Picture, infrared: Picture) -> Tensor:
    """1 - CC as a share of what is possible, in [0, 2]; 0 for the sum of the sources, each over its deviation.

    CC is the mean of the fused image's correlations with the sources; with ρ theirs, no image exceeds √((1 + ρ) / 2).
    An image that is constant correlates with nothing.
    """
    f, v, i = (_standardised(gray(image).float()) for image in (fused, visible, infrared))
    possible = ((1 + (v * i).sum(1)) / 2).clamp_min(1e-4).sqrt()
    return 1 - ((f * v).sum(1) + (f * i).sum(1)) / (2 * possible)


def _standardised(image: Gray) -> Tensor:
    """Pixels (b, h·w) with mean 0 and sum of squares 1; zeros for a constant image."""
    pixels = image.flatten(1) - image.flatten(1).mean(1, keepdim=True)
    length = pixels.square().sum(1, keepdim=True)
    flat = length <= FLAT * pixels.shape[1]
    return (pixels / length.masked_fill(flat, 1).sqrt()).masked_fill(flat, 0)


def laplacian(fused: Picture, visible: Picture, infrared: Picture) -> Tensor:
    """Mean distance of the 8-neighbour Laplacian to the larger of the sources' (MaeFuse's code, beside `gradient`)."""
    f, v, i = (_curvature(gray(image)) for image in (fused, visible, infrared))
    return (f - torch.maximum(v, i)).abs().mean((1, 2, 3))


def blocks(fused: Picture, visible: Picture, infrared: Picture, size: int = 8, window: int = 32) -> Tensor:
    """How much the borders of patches show: |log of r(fused) / r(sources)|, the mean over windows, from 0 (not at all).

    r is the energy of steps between neighbouring pixels across the borders of patches of `size` pixels over that of
    steps inside patches; that of the sources is of the energies of both together.
    """
    f, v, i = (_border_share(gray(image), size, window) for image in (fused, visible, infrared))
    own, theirs = f[0] / f[1], (v[0] + i[0]) / (v[1] + i[1])
    return (own / theirs).log().abs().mean((1, 2, 3))


def _border_share(image: Gray, size: int, window: int) -> tuple[Tensor, Tensor]:
    """Mean energy of steps across borders and inside patches, in windows, both directions beside each other."""
    shares: tuple[list[Tensor], list[Tensor]] = ([], [])
    for plane in (image, image.transpose(2, 3)):
        energy = (plane[..., 1:] - plane[..., :-1]).square()
        border = (torch.arange(1, energy.shape[3] + 1, device=image.device) % size == 0).to(image.dtype)
        side = min(window, *energy.shape[2:])
        for kept, share in zip((border, 1 - border), shares, strict=True):
            count = avg_pool2d(kept.expand(1, 1, *energy.shape[2:]), side)
            mean = avg_pool2d(energy * kept, side) / count.clamp_min(1e-6) + 1e-5
            share.append(mean if plane is image else mean.transpose(2, 3))
    across, inside = (torch.cat([each.flatten(1) for each in both], 1)[:, None, None] for both in shares)
    return across, inside


def detail(
    fused: Picture,
    visible: Picture,
    infrared: Picture,
    *,
    levels: int = 6,
    gain: float = 1.1,
    fine: float = 1.0,
    regional: float = 0.3,
    window: int = 21,
    prefer: float = 1.5,
) -> Tensor:
    """Distance to the best detail of every scale: mean |difference| of each band of a Laplacian pyramid, summed.

    The aim of a band is gain·(the stronger of the sources' details, pixel by pixel); the share `regional` of it is
    the detail of the source that is livelier around there (mean |high pass| over `window` pixels; the visible image
    counts `prefer` times), and what is left below the bands is that source's too: neither contrast nor brightness is
    averaged away. The finest band counts `fine` times, the next half of that, but none less than once: fine detail is
    faint, and a plain sum would let it go. The choice of coefficients is that of pyramid fusion (Burt & Kolczynski,
    Enhanced image capture through fusion, ICCV 1993). A picture too small for `levels` has as many as fit; rows and
    columns beyond a multiple of 2^levels are left out.
    """
    levels = min(levels, min(fused.shape[-2:]).bit_length() - 1)
    f, v, i = (_multiple(gray(image).float(), 2**levels) for image in (fused, visible, infrared))
    share = _livelier(v, i, window, prefer)
    distance = torch.zeros(len(f), device=f.device)
    for level in range(levels):
        below = [reduce(image) for image in (f, v, i)]
        of_f, of_v, of_i = (image - expand(low) for image, low in zip((f, v, i), below, strict=True))
        stronger = torch.where(of_v.abs() >= of_i.abs(), of_v, of_i)
        aim = gain * ((1 - regional) * stronger + regional * (share * of_v + (1 - share) * of_i))
        distance = distance + max(fine / 2**level, 1.0) * (of_f - aim).abs().mean((1, 2, 3))
        (f, v, i), share = below, reduce(share)
    return distance + (f - share * v - (1 - share) * i).abs().mean((1, 2, 3))


def bands(fused: Picture, visible: Picture, infrared: Picture, *, levels: int = 6, fine: float = 2.0) -> Tensor:
    """Mean |difference| to the mean of two images, band by band of a Laplacian pyramid, summed: supervised training.

    The finest band counts `fine` times, the next half of that, none less than once. A picture too small for `levels`
    has as many as fit; rows and columns beyond a multiple of 2^levels are left out.
    """
    levels = min(levels, min(fused.shape[-2:]).bit_length() - 1)
    rest = _multiple(gray(fused).float() - (gray(visible).float() + gray(infrared).float()) / 2, 2**levels)
    distance = torch.zeros(len(rest), device=rest.device)
    for level in range(levels):
        below = reduce(rest)
        distance = distance + max(fine / 2**level, 1.0) * (rest - expand(below)).abs().mean((1, 2, 3))
        rest = below
    return distance + rest.abs().mean((1, 2, 3))


def _livelier(visible: Gray, infrared: Gray, window: int, prefer: float) -> Gray:
    """1 where the visible image has more detail around a pixel than infrared has, 0 elsewhere; islands are removed."""
    lively = [box((image - box(box(image, 4), 4)).abs(), window // 2) for image in (visible, infrared)]
    return (box((prefer * lively[0] >= lively[1]).float(), window // 2) > 0.5).float()


def _multiple(image: Gray, of: int) -> Tensor:
    height, width = (side - side % of for side in image.shape[-2:])
    return image[..., :height, :width]


def sobel(image: Gray) -> Gray:
    """Sobel gradient magnitude, kernel / 8, border repeated."""
    return (_slopes(image).square().sum(1, keepdim=True) + 1e-6).sqrt()


def _slopes(image: Gray) -> Tensor:
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=image.device, dtype=image.dtype) / 8
    return conv2d(pad(image, (1, 1, 1, 1), mode="replicate"), torch.stack([kernel, kernel.T])[:, None])


def _curvature(image: Gray) -> Gray:
    kernel = torch.ones(1, 1, 3, 3, device=image.device, dtype=image.dtype)
    kernel[0, 0, 1, 1] = -8
    return conv2d(pad(image, (1, 1, 1, 1), mode="replicate"), kernel)


def _stretched(image: Gray) -> Gray:
    low, high = image.amin((2, 3), keepdim=True), image.amax((2, 3), keepdim=True)
    return (image - low) / (high - low).clamp_min(1e-6)


def _deviation(window: Tensor) -> Tensor:
    return window.var(-1).clamp_min(FLAT).sqrt()


LOSSES: dict[str, Callable[..., Tensor]] = {
    "qw": qw,
    "qe": qe,
    "mse": mse,
    "intensity": intensity,
    "gradient": gradient,
    "laplacian": laplacian,
    "correlation": correlation,
    "detail": detail,
    "bands": bands,
    "blocks": blocks,
}
"""What a recipe may name."""
