"""Hybrid multi-scale decomposition: at every scale the texture that an edge-preserving filter takes, and the edges.

Zhou, Wang, Li & Dong, Perceptual fusion of infrared and visible images through a hybrid multi-scale decomposition with
Gaussian and bilateral filters, Information Fusion 30, 2016 (`hybrid-msd`); Zhou, Dong, Xie & Gao, Fusion of infrared
and visible images for night-vision context enhancement, Applied Optics 55(23), 2016 (`hmsd-gf`).
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from ..filters import bilateral, box, gaussian, guided, single
from ..registry import Spec, register
from ..types import Gray

Smoother = Callable[[Tensor], Tensor]


def _checked(levels: int, **positive: float) -> Spec:
    if not 2 <= levels <= 6:
        raise ValueError(f"levels must be 2 to 6, not {levels}")
    for name, value in positive.items():
        if value <= 0:
            raise ValueError(f"{name} must be above 0, not {value}")
    return Spec(domain="luma")


def _hybrid_spec(levels: int = 4, sigma: float = 2.0, range_sigma: float = 0.05, injection: float = 30.0) -> Spec:
    if not 1 <= sigma <= 8:
        raise ValueError(f"sigma must be 1 to 8 pixels, not {sigma}")
    if not 0.01 <= range_sigma <= 1:
        raise ValueError(f"range_sigma must be 0.01 to 1, not {range_sigma}")
    return _checked(levels, injection=injection)


@register("hybrid-msd", spec=_hybrid_spec, paper="https://doi.org/10.1016/j.inffus.2015.11.003")
def hybrid(
    luma: Gray,
    infrared: Gray,
    levels: int = 4,
    sigma: float = 2.0,
    range_sigma: float = 0.05,
    injection: float = 30.0,
) -> Gray:
    """Hybrid multi-scale decomposition (Hybrid-MSD), Gaussian and bilateral: infrared where its edges stand out.

    `sigma` (pixels) doubles from scale to scale, `range_sigma` (units of value) halves; `injection` is the paper's λ:
    the larger, the weaker an infrared edge may be to bring its surroundings in.
    """
    steps = [
        (_gaussian(sigma * 2**level), _bilateral(sigma * 2**level, range_sigma / 2**level)) for level in range(levels)
    ]
    layers = _decomposed(torch.cat([single(luma), single(infrared)]), steps)
    fused = _combined(layers, injection, 2 * sigma * 2**levels, 0)
    return fused.to(luma.dtype)


def _guided_spec(
    levels: int = 4,
    radius: int = 2,
    epsilon: float = 0.1,
    injection: float | None = None,
    gain: float = 275 / 255,
    enhance: bool = False,
) -> Spec:
    if not 1 <= radius <= 16:
        raise ValueError(f"radius must be 1 to 16 pixels, not {radius}")
    return _checked(levels, epsilon=epsilon, injection=1.0 if injection is None else injection, gain=gain)


@register("hmsd-gf", spec=_guided_spec, paper="https://doi.org/10.1364/AO.55.006480")
def hybrid_guided(
    luma: Gray,
    infrared: Gray,
    levels: int = 4,
    radius: int = 2,
    epsilon: float = 0.1,
    injection: float | None = None,
    gain: float = 275 / 255,
    enhance: bool = False,
) -> Gray:
    """Hybrid multi-scale decomposition with guided filters (HMSD-GF), for night vision: infrared where it is salient.

    `radius` (pixels) doubles from scale to scale, `epsilon` (units of value) halves. `injection` None: λ from the
    perceptual saliency of infrared over that of luma, 100 where it is below 0.8, 2000 above 1.6, linear between.
    The fused picture is brightened by `gain`. `enhance`: the paper's GFCE, which lifts the dark parts of luma first.
    """
    steps = [(_twice_box(radius * 2**level), _guided(radius * 2**level, epsilon / 2**level)) for level in range(levels)]
    sources = single(luma), single(infrared)
    pictures = torch.cat([_lifted(sources[0]), _stretched(sources[1])] if enhance else sources)
    strength = _automatic(*pictures.chunk(2)) if injection is None else injection
    fused = _combined(_decomposed(pictures, steps), strength, 2 * radius * 2**levels, 1)
    return (gain * fused).to(luma.dtype)


def _gaussian(sigma: float) -> Smoother:
    return lambda image: gaussian(image, sigma)


def _bilateral(sigma: float, range_sigma: float) -> Smoother:
    return lambda image: bilateral(image, sigma, range_sigma)


def _guided(radius: int, epsilon: float) -> Smoother:
    return lambda image: guided(image, image, radius, epsilon**2)


def _twice_box(radius: int) -> Smoother:
    # The guided filter without edges to keep: its slope is 0, and what is left is the mean of means.
    return lambda image: box(box(image, radius), radius)


class Layers(NamedTuple):
    """A stack of pictures, visible ones first, taken apart; `base` and all layers add up to the pictures."""

    base: Tensor
    textures: list[Tensor]
    edges: list[Tensor]
    """Finest first, like the textures."""


def _decomposed(pictures: Tensor, steps: Sequence[tuple[Smoother, Smoother]]) -> Layers:
    """Two chains of ever stronger filters: one smooths everything, one keeps edges; layers are their differences."""
    smooth = kept = pictures
    textures, edges = [], []
    for smoother, keeper in steps:
        below, kept = smoother(smooth), keeper(kept)
        textures.append(smooth - kept)
        edges.append(kept - below)
        smooth = below
    return Layers(smooth, textures, edges)


def _combined(layers: Layers, injection: float | Tensor, spread: float, soften: int) -> Tensor:
    """Infrared where its edges are the stronger ones; the finest layers by the larger magnitude.

    `spread`: deviation in pixels that smooths the weights of the base; `soften`: that of the finest edges' choice.
    """
    fused = _mixed(layers.base, gaussian(_prominence(layers.edges[-1], injection), spread))
    for texture, edge in zip(layers.textures[1:], layers.edges[1:], strict=True):
        share = gaussian(_prominence(edge, injection), 1)
        fused = fused + _mixed(edge, share) + _mixed(texture, share)
    choice = _stronger(layers.edges[0])
    fused = fused + _mixed(layers.edges[0], gaussian(choice, soften) if soften else choice)
    return fused + _mixed(layers.textures[0], _stronger(layers.textures[0]))


def _mixed(layer: Tensor, share: Tensor) -> Tensor:
    visible, infrared = layer.chunk(2)
    return share * infrared + (1 - share) * visible


def _prominence(edges: Tensor, injection: float | Tensor) -> Tensor:
    """In [0, 1]: how far infrared edges exceed the visible ones, over the largest excess, lifted by arctan."""
    visible, infrared = edges.abs().chunk(2)
    excess = (infrared - visible).clamp_min(0)
    ratio = excess / excess.amax((1, 2, 3), keepdim=True).clamp_min(1e-12)
    strength = torch.as_tensor(injection, dtype=ratio.dtype, device=ratio.device)
    return (strength * ratio).atan() / strength.atan()


def _stronger(layer: Tensor) -> Tensor:
    """1 where the infrared layer is the larger one in magnitude, else 0."""
    visible, infrared = layer.abs().chunk(2)
    return (visible < infrared).to(layer.dtype)


def _automatic(luma: Tensor, infrared: Tensor) -> Tensor:
    """λ of each pair, (b, 1, 1, 1)."""
    relative = saliency(infrared) / saliency(luma).clamp_min(1e-12)
    return (2500 * relative - 1900).clamp(100, 2000).view(-1, 1, 1, 1)


def _lifted(luma: Tensor) -> Tensor:
    """Luma whose local means span a factor of 4, the brightest unchanged; ratios to the local mean are kept."""
    light = 255 * _stretched(luma)
    radius = max(int(0.04 * max(luma.shape[-2:])), 1)
    local = (255 * guided(light / 255, light / 255, radius, 0.1**2)).clamp_min(0).log1p()
    top, bottom = local.amax((1, 2, 3), keepdim=True), local.amin((1, 2, 3), keepdim=True)
    compressed = top + math.log(4) / (top - bottom).clamp_min(1e-6) * (local - top)
    return (compressed + light.log1p() - local).exp().clamp_max(255) / 255


def _stretched(image: Tensor) -> Tensor:
    """Each picture from its least to its largest value, in [0, 1]."""
    least = image.amin((1, 2, 3), keepdim=True)
    return (image - least) / (image.amax((1, 2, 3), keepdim=True) - least).clamp_min(1e-6)


def saliency(image: Gray) -> Tensor:
    """Perceptual saliency (b,): contrast that an eye sees in blocks of 40 pixels, weighed by squared gradients."""
    if min(image.shape[-2:]) < 3:
        return image.new_zeros(len(image))
    slope = image.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    gradient = conv2d(image, torch.stack([slope, slope.T])[:, None]).square().sum(1, keepdim=True)
    rows, columns = (_Cut.of(side - 2, image) for side in image.shape[-2:])
    energy = _visible_energy(_blocks(image[..., 1:-1, 1:-1], rows, columns), rows, columns)
    share = _blocks(gradient, rows, columns).sum((-1, -2))
    return (energy * share).sum((1, 2)) / share.sum((1, 2)).clamp_min(1e-12)


_BLOCK = 40


class _Cut(NamedTuple):
    """A side cut into blocks of 40 pixels, the last one shorter; sizes stay open in an exported graph."""

    places: Tensor
    """(blocks, 40): which row or column each is; past the end of the side the last one stands in."""
    inside: Tensor
    """(blocks, 40): 1 where there is a pixel, else 0."""
    sizes: Tensor
    """(blocks, 1): pixels of each block."""

    @staticmethod
    def of(side: int, like: Tensor) -> "_Cut":
        inner = torch.arange(_BLOCK, device=like.device)
        places = _BLOCK * torch.arange((side + _BLOCK - 1) // _BLOCK, device=like.device)[:, None] + inner
        sizes = (side - places[:, :1]).clamp(max=_BLOCK)
        return _Cut(places.clamp(max=side - 1), (inner < sizes).to(like.dtype), sizes)

    def waves(self) -> tuple[Tensor, Tensor]:
        """Cosines and sines of each block's Fourier transform, (blocks, frequency, place)."""
        inner = torch.arange(_BLOCK, device=self.places.device)
        sizes = self.sizes[..., None]
        turns = (inner[:, None] * inner % sizes).to(self.inside.dtype) / sizes
        known = self.inside[:, :, None] * self.inside[:, None]
        return (2 * math.pi * turns).cos() * known, (2 * math.pi * turns).sin() * known

    def cycles(self) -> Tensor:
        """(blocks, 40): cycles per pixel of each frequency, up to one half."""
        share = torch.arange(_BLOCK, device=self.places.device).to(self.inside.dtype) / self.sizes
        return torch.minimum(share, 1 - share)


def _blocks(image: Tensor, rows: _Cut, columns: _Cut) -> Tensor:
    """(b, block rows, block columns, 40, 40), 0 where a block is shorter."""
    found = image[:, 0, rows.places[:, None, :, None], columns.places[None, :, None]]
    return found * rows.inside[:, None, :, None] * columns.inside[:, None]


def _visible_energy(blocks: Tensor, rows: _Cut, columns: _Cut) -> Tensor:
    """Root of the spectral energy per pixel under the contrast sensitivity of Mannos & Sakrison, 32 pixels a degree."""
    cycles = 32 * (rows.cycles()[:, None, :, None].square() + columns.cycles()[:, None].square()).sqrt()
    sensitivity = 2.6 * (0.0192 + 0.114 * cycles) * (-((0.114 * cycles) ** 1.1)).exp()
    even, odd = (wave[:, None] @ blocks for wave in rows.waves())
    cosine, sine = (wave.transpose(1, 2) for wave in columns.waves())
    power = (even @ cosine - odd @ sine).square() + (even @ sine + odd @ cosine).square()
    return (power * sensitivity.square()).sum((-1, -2)).sqrt() / (rows.sizes * columns.sizes[:, 0])
