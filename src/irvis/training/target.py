"""The picture that `encdec` learns to make: a slow fusion by rules, written for what people prefer, not for a metric.

Both images are taken apart by a chain of guided filters (He, Sun & Tang 2010), edges kept, as in Zhou et al. 2016
(`hmsd-gf`). Detail is taken from the image that has more of it, less its noise. Large structures of infrared stay out
of bright, smooth parts of the visible image (sky, walls). The base is the visible one, moved towards infrared by a few
gray levels, its shadows a little lifted. What is clearly warmer than its surroundings shows infrared's detail and is
lifted to its brightness there, but below white. Saturated light is lowered where infrared shows something in it. Where
the visible image is dark and noisy, infrared leads.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..filters import box, gaussian, guided
from ..types import Gray

CHAIN = ((2, 0.02), (4, 0.05), (10, 0.08), (24, 0.12), (56, 0.16))
"""Radius in pixels (of a picture 480 pixels high) and deviation of each guided filter."""
NOISE_LEFT = (1.0, 0.40, 0.16, 0.06, 0.02)
"""How much of white noise, as a deviation, is left in each layer."""
GAIN = (1.25, 1.25, 1.2, 1.1, 0.9)
"""On the detail of each layer."""
TOWARDS, FARTHEST = 0.4, 0.1
"""How far the base is moved towards infrared: this share of the difference, and never more than that."""


class Source(NamedTuple):
    """One image taken apart."""

    layers: list[Tensor]
    base: Gray
    noise: Tensor
    """(b, 1, 1, 1): deviation of the noise, from the calmest parts."""


class Places(NamedTuple):
    """Where special rules hold, each in [0, 1]."""

    saturated: Gray
    plain: Gray
    """Bright and smooth in the visible image, without structure in infrared."""
    warm: Gray
    """Clearly above the surroundings in infrared."""
    warmish: Gray


def target(luma: Gray, infrared: Gray) -> Gray:
    """The picture to be learnt, (b, 1, h, w) in [0, 1], of a registered pair in [0, 1]."""
    scale = max(luma.shape[-2] / 480, 0.6)
    visible, thermal = _source(luma.double(), scale), _source(infrared.double(), scale)
    places = _places(visible, thermal, luma.double(), infrared.double(), scale)
    detail, from_infrared = _detail(visible, thermal, places, scale)
    base = visible.base + _infrared_leads(visible) * (thermal.base - visible.base)
    move = FARTHEST * torch.tanh(TOWARDS / FARTHEST * (thermal.base - base))
    base = torch.lerp(base, thermal.base, 0.5 * (1 - places.saturated) * places.warm)
    base = (base + (1 - places.saturated) * (1 - places.plain) * move).clamp(0, 1)
    base = base + 0.35 * base * (1 - base).square()
    room = 1.6 * places.saturated * _twice(from_infrared.clamp_min(0), 6, scale)
    fused = base + detail - room
    large = guided(fused, fused, _pixels(10, scale), 0.08)
    warm_level = 0.95 * (thermal.base + thermal.layers[-1] + thermal.layers[-2])
    open_places = 1 - places.saturated
    fused = fused + open_places * places.warm * (warm_level - large).clamp_min(0)
    fused = fused - 0.4 * open_places * places.warmish * (large - 0.74).clamp_min(0)
    return _limited(fused).to(luma.dtype)


def _source(image: Gray, scale: float) -> Source:
    layers, kept = [], image
    for radius, deviation in CHAIN:
        smoother = guided(kept, kept, _pixels(radius, scale), deviation)
        layers.append(kept - smoother)
        kept = smoother
    fine = box((image - gaussian(image, 1.0)).square(), 4).sqrt()
    noise = torch.quantile(fine.flatten(1)[:, ::7], 0.08, dim=1).view(-1, 1, 1, 1)
    return Source(layers, kept, noise)


def _places(visible: Source, thermal: Source, luma: Gray, infrared: Gray, scale: float) -> Places:
    light = guided(luma, luma, _pixels(10, scale), 0.1)
    fine = (thermal.layers[0].abs() + thermal.layers[1].abs() - 1.5 * thermal.noise).clamp_min(0)
    structure = _rise(_twice(fine, 5, scale), 0.006, 0.022)
    far = _twice(infrared, 60, scale)
    spread = _twice((infrared - far).square(), 60, scale).sqrt().clamp_min(0.03)
    excess = (thermal.base + thermal.layers[-1] + thermal.layers[-2] - far) / spread
    return Places(
        saturated=_rise(light, 0.80, 0.97),
        plain=_rise(light, 0.5, 0.75) * (1 - structure),
        warm=_rise(excess, 0.9, 2.2),
        warmish=_rise(excess, 0.6, 1.6),
    )


def _detail(visible: Source, thermal: Source, places: Places, scale: float) -> tuple[Gray, Gray]:
    """All layers fused, and what of it comes from infrared."""
    fused = from_infrared = torch.zeros_like(visible.base)
    for level, (of_visible, of_infrared) in enumerate(zip(visible.layers, thermal.layers, strict=True)):
        radius = _pixels(2 + 2 * level, scale)
        seen, strength_visible = _calmed(of_visible, visible.noise, level, radius, (0.004, 0.02), 1.3, 0.85)
        warm, strength_infrared = _calmed(of_infrared, thermal.noise, level, radius, (0.003, 0.015), 1.6, 0.9)
        kept = 1 - (0.0, 0.5, 0.9, 0.9, 0.9)[level] * places.plain
        strength_visible = (0.5 * strength_visible + seen.square()).sqrt() * 1.15
        favoured = 1 + 0.5 * places.saturated + 1.5 * places.warmish
        strength_infrared = (0.5 * strength_infrared + warm.square()).sqrt() * kept * favoured
        share = box(torch.sigmoid(5 * ((strength_infrared + 0.003).log() - (strength_visible + 0.003).log())), 1)
        from_infrared = from_infrared + share * kept * warm
        fused = fused + GAIN[level] * ((1 - 0.9 * share) * seen + share * kept * warm)
    return fused, from_infrared


def _calmed(
    layer: Tensor, noise: Tensor, level: int, radius: int, seen: tuple[float, float], factor: float, most: float
) -> tuple[Tensor, Tensor]:
    """A layer with its noise shrunk as far as noise can be seen (deviations `seen`), and its local energy."""
    energy = box(layer.square(), radius)
    signal = 1 - (factor * (NOISE_LEFT[level] * noise).square() / energy.clamp_min(1e-9)).clamp(0, 1)
    gain = 1 - most * _rise(noise, *seen) * (1 - signal)
    return gain * layer, gain.square() * energy


def _infrared_leads(visible: Source) -> Gray:
    return 0.3 * _rise(visible.noise, 0.003, 0.008) * (1 - _rise(visible.base, 0.12, 0.35))


def _limited(fused: Gray) -> Gray:
    """Into [0, 1], bent near both ends so that detail is not cut off."""
    high = torch.where(fused > 0.88, 0.88 + 0.12 * torch.tanh((fused - 0.88) / 0.12), fused)
    low = 0.03 * torch.exp((high.clamp_max(0.03) - 0.03) / 0.03)
    return torch.where(high < 0.03, low, high).clamp(0, 1)


def _rise(value: Tensor, low: float, high: float) -> Tensor:
    """0 below `low`, 1 above `high`, smooth between."""
    part = ((value - low) / (high - low)).clamp(0, 1)
    return part.square() * (3 - 2 * part)


def _twice(image: Gray, radius: int, scale: float) -> Gray:
    return box(box(image, _pixels(radius, scale)), _pixels(radius, scale))


def _pixels(length: float, scale: float) -> int:
    return max(1, round(length * scale))
