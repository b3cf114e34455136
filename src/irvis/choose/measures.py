"""What is looked at in one fused picture: plain numbers, cheap enough for every pair and every candidate.

Gray levels are of 255. Lengths are pixels of a picture 480 pixels high, and grow with it.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..color import luma
from ..filters import gaussian
from ..metrics import measure
from ..types import RGB, Gray

METRICS = ("Qw",)
NEAR, FAR = 2.0, 30.0
"""Deviations of the blur that leaves things, and of the one that leaves surroundings."""
WARM = 0.08
"""A thing that is brighter in infrared than its surroundings by more counts as a target."""


@torch.inference_mode()
def measured(fused: RGB, visible: RGB, infrared: Gray, metrics: Sequence[str] = METRICS) -> dict[str, float]:
    """Metrics and laws of one fused picture; `targets` is NaN where infrared shows none."""
    found = measure(fused, visible, infrared.expand_as(visible).contiguous(), metrics=list(metrics))
    planes = (luma(fused), luma(visible), infrared)
    scale = max(fused.shape[-2] / 480, 0.25)
    return {**{name: float(value) for name, value in found.items()}, **laws(*planes, scale)}


def laws(fused: Gray, visible: Gray, infrared: Gray, scale: float = 1.0) -> Mapping[str, float]:
    """Targets kept, fine detail, noise, and how the brightness moved."""
    near = [gaussian(image, NEAR * scale) for image in (fused, visible, infrared)]
    far = [gaussian(image, FAR * scale) for image in (fused, visible, infrared)]
    fine = [image - gaussian(image, 1.5) for image in (fused, visible, infrared)]
    move = gaussian(fused - visible, 8 * scale)
    return {
        "targets": targets(near[0] - far[0], near[2] - far[2]),
        "detail": detail(*fine),
        "noise": noise(*fine),
        "tone": 255 * float(move.abs().mean()),
        "darker": 255 * float((-move).clamp_min(0).mean()),
        "brighter": 255 * float(move.clamp_min(0).mean()),
        "veil": 255 * max(float(_share(near[0], 0.02) - _share(near[1], 0.02)), 0.0),
        "blown": 100 * max(float((fused > 0.97).float().mean() - (visible > 0.97).float().mean()), 0.0),
        "contrast": 255 * float(fused.std()),
        "overshoot": 255 * float(_outside(*near).mean()),
    }


def targets(fused: Gray, infrared: Gray) -> float:
    """The share that is kept of how far warm things stand out from their surroundings in infrared."""
    weight = (infrared - WARM).clamp_min(0)
    there = float((weight * infrared).sum())
    return float((weight * fused).sum()) / there if float((weight > 0).float().mean()) > 1e-3 else float("nan")


def detail(fused: Gray, visible: Gray, infrared: Gray) -> float:
    """The share that is kept of the finest structure of whichever source has more of it there, in [0, 1]."""
    strong = gaussian(visible.square(), 4.0) >= gaussian(infrared.square(), 4.0)
    source = torch.where(strong, visible, infrared)
    return min(max(float((fused * source).sum() / source.square().sum().clamp_min(1e-9)), 0.0), 1.0)


def noise(fused: Gray, visible: Gray, infrared: Gray) -> float:
    """How many times the deviation of the calmer source is left in the calmest tenth of the picture, in octaves."""
    left, *sources = (255 * float(_share(gaussian(x.square(), 4.0), 0.1).clamp_min(0).sqrt()) for x in
                      (fused, visible, infrared))  # fmt: skip
    return float(torch.tensor((left + 0.5) / (min(sources) + 0.5)).log2())


def _outside(fused: Gray, visible: Gray, infrared: Gray) -> Tensor:
    """How far the picture leaves the span of both sources."""
    high, low = torch.maximum(visible, infrared), torch.minimum(visible, infrared)
    return (fused - high).clamp_min(0) + (low - fused).clamp_min(0)


def _share(image: Gray, share: float) -> Tensor:
    return torch.quantile(image.flatten()[:: max(image.numel() // 100_000, 1)], share)
