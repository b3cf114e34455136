"""Colour fidelity: how far the colours of the fused image have moved from the visible image's.

CIELAB (D65, sRGB), whose units are just noticeable steps, about. "No absurd colour changes in too dark or bright parts"
(arXiv:2412.08073) made measurable: the same errors in the darkest and in the brightest tenth of the visible image.
"""

import math
from typing import Literal

import torch
from torch import Tensor

from ..types import Picture
from .maps import Values, levels, shared
from .record import metric

PAPER = "CIE 15:2018, colour differences ΔC*ab and ΔH*ab"
Part = Literal["all", "dark", "bright"]


@shared
def lab(image: Picture) -> Tensor:
    """CIELAB of the 8-bit sRGB image: (b, 3, h, w), L in 0..100."""
    rgb = ((image.double() * 255 + 0.5).floor() / 255).clamp(0, 1).expand(-1, 3, -1, -1)
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = torch.tensor(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
        dtype=torch.float64, device=image.device,
    )  # fmt: skip
    xyz = torch.einsum("oc,bchw->bohw", to_xyz / to_xyz.sum(1, keepdim=True), linear)
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp_min(1e-12) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f.split(1, dim=1)
    return torch.cat([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def _part(visible: Picture, part: Part) -> Tensor:
    """Weights (b, 1, h, w): 1 for the pixels that count. Ties at the edge of a tenth all count."""
    luma = levels(visible)
    if part == "all":
        return torch.ones_like(luma)
    flat = luma.flatten(1)
    if part == "dark":
        return (luma <= flat.quantile(0.1, dim=1).view(-1, 1, 1, 1)).double()
    return (luma >= flat.quantile(0.9, dim=1).view(-1, 1, 1, 1)).double()


def _chroma(image: Tensor) -> Tensor:
    return image[:, 1:].square().sum(1, keepdim=True).sqrt()


@metric("CHROMA", better="low", bounds=(0, math.inf), unit="CIELAB", paper=PAPER, symmetric=False)
def chroma_error(fused: Picture, visible: Picture, infrared: Picture, *, part: Part = "all") -> Values:
    """Chroma error: mean |C*(fused) - C*(visible)|.

    `part`: all pixels, or the darkest ("dark") or brightest ("bright") tenth of the visible image. Gray images: 0.
    Putting new luma under old chroma changes C* a little even where nothing is clipped.
    """
    weight = _part(visible, part)
    change = (_chroma(lab(fused)) - _chroma(lab(visible))).abs()
    return (weight * change).flatten(1).sum(1) / weight.flatten(1).sum(1)


@metric("HUE", better="low", bounds=(0, math.inf), unit="CIELAB", paper=PAPER, symmetric=False)
def hue_error(fused: Picture, visible: Picture, infrared: Picture, *, part: Part = "all") -> Values:
    """Hue error: mean ΔH*, the difference in colour that is neither lightness nor chroma.

    ΔH* = √(Δa² + Δb² - ΔC*²): a change of hue counts by how colourful the pixel is. `part` as for CHROMA.
    Gray images: 0.
    """
    weight, f, v = _part(visible, part), lab(fused), lab(visible)
    both = (f[:, 1:] - v[:, 1:]).square().sum(1, keepdim=True) - (_chroma(f) - _chroma(v)).square()
    return (weight * both.clamp_min(0).sqrt()).flatten(1).sum(1) / weight.flatten(1).sum(1)
