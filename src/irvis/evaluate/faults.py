"""Faults that people name when they look at fused pictures, each as a number, on pictures with known truth.

Every function takes a fuser (or any callable of RGB and infrared) and gives plain numbers; gray levels are of 255.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ..color import luma
from ..filters import gaussian
from ..types import RGB, Gray

Fusion = Callable[[RGB, Gray], RGB]

SIZE = 192
FREQUENCIES = (0.25, 0.34, 0.40, 0.46, 0.50)
"""Cycles per pixel."""


def grid(fuse: Fusion) -> float:
    """Largest pattern in gray levels (peak to peak, folded to 32×32) on constant and on smoothly graded pairs."""
    ramp = torch.linspace(0, 1, SIZE).expand(1, 1, SIZE, SIZE)
    levels = (0.02, 0.25, 0.5, 0.75, 0.98)
    constant = [(torch.full_like(ramp, v), torch.full_like(ramp, i)) for v in levels for i in levels]
    graded = [(ramp, 1 - ramp), (ramp, ramp.mT), (ramp.mT, ramp), (0.5 * ramp + 0.2, 0.3 * ramp.mT + 0.3)]
    return max(_folded(_fused(fuse, *pair)) for pair in (*constant, *graded))


def _folded(plane: Gray) -> float:
    fine = (plane - gaussian(plane, 8.0))[0, 0, 32:-32, 32:-32]
    folded = fine.unfold(0, 32, 32).unfold(1, 32, 32).mean((0, 1))
    return 255 * float(folded.amax() - folded.amin())


def softness(fuse: Fusion) -> dict[str, list[float]]:
    """Gain of a grating that one source alone shows, the other is flat: per source, for every one of `FREQUENCIES`."""
    at = torch.arange(SIZE, dtype=torch.float32)
    flat = torch.full((1, 1, SIZE, SIZE), 0.45)
    gains: dict[str, list[float]] = {"visible": [], "infrared": []}
    for frequency in FREQUENCIES:
        wave = (2 * torch.pi * frequency * at + torch.pi / 4).sin().expand(1, 1, SIZE, SIZE)
        grating = 0.45 + 0.12 * wave
        for name, pair in (("visible", (grating, flat)), ("infrared", (flat, grating))):
            inner = _fused(fuse, *pair)[..., 32:-32, 32:-32]
            of_wave = wave[..., 32:-32, 32:-32] - wave[..., 32:-32, 32:-32].mean()  # no share of the brightness
            gains[name].append(float((inner * of_wave).sum() / (0.12 * of_wave.square().sum())))
    return gains


def clouds(fuse: Fusion, count: int = 6) -> float:
    """How far the picture of two smooth sources is from any smooth blend of them: gray levels, 95th percentile.

    At low frequencies the fused picture is explained by the best quadratic function of both sources, so a tone that is
    changed alike everywhere is no cloud; what is left is: what depends on the place.
    """
    worst = []
    for seed in range(count):
        chance = torch.Generator().manual_seed(seed)
        visible, infrared = (
            _stretched(gaussian(torch.randn(1, 1, SIZE, SIZE, generator=chance), 24.0), low, high)
            for low, high in ((0.45, 0.95), (0.05, 0.6))
        )
        fused, *sources = (
            gaussian(image, 6.0)[0, 0, 16:-16, 16:-16].flatten().double()
            for image in (_fused(fuse, visible, infrared), visible, infrared)
        )
        v, i = (source - source.mean() for source in sources)
        blends = torch.stack([torch.ones_like(v), v, i, v * v, v * i, i * i], 1)
        left = fused - blends @ torch.linalg.lstsq(blends, fused[:, None]).solution[:, 0]
        worst.append(left.abs().quantile(0.95))
    return 255 * float(torch.stack(worst).mean())


def veil(fuse: Fusion) -> float:
    """Gray levels that are laid over a black visible image (5 levels) by a plain, mid-gray infrared one."""
    black = torch.full((1, 1, SIZE, SIZE), 5 / 255)
    return 255 * float(_fused(fuse, black, torch.full_like(black, 0.5)).mean()) - 5


def plateau(fuse: Fusion) -> tuple[float, float]:
    """In a saturated light: the share that is kept of infrared's contrast, and the mean gray level of the light."""
    far = torch.arange(SIZE, dtype=torch.float32) - SIZE / 2
    distance = (far[:, None].square() + far.square()).sqrt()[None, None]
    light = 0.25 + 0.75 * torch.sigmoid((56 - distance) / 3)
    checks = ((torch.arange(SIZE) // 16)[:, None] + torch.arange(SIZE) // 16) % 2
    infrared = gaussian(0.3 + 0.3 * checks.float()[None, None], 1.0)
    fused, inside = _fused(fuse, light, infrared), distance < 44
    high, low = inside & (checks[None, None] == 1), inside & (checks[None, None] == 0)
    kept, there = (float(image[high].mean() - image[low].mean()) for image in (fused, infrared))
    return kept / there, 255 * float(fused[inside].mean())


def noise(fuse: Fusion, deviation: float = 0.04) -> float:
    """Noise of the fused picture over that of the visible one: a dark, noisy visible image, a clean infrared one."""
    chance = torch.Generator().manual_seed(0)
    steps = torch.linspace(0.08, 0.25, 4).repeat_interleave(SIZE // 4).expand(1, 1, SIZE, SIZE)
    blobs = _stretched(gaussian(torch.randn(1, 1, SIZE, SIZE, generator=chance), 12.0), 0.2, 0.7)
    noisy = (steps + deviation * torch.randn(1, 1, SIZE, SIZE, generator=chance)).clamp(0, 1)
    difference = _fused(fuse, noisy, blobs) - _fused(fuse, steps, blobs)
    return float((difference - gaussian(difference, 4.0)).std() / (noisy - gaussian(noisy, 4.0)).std())


def halo(fuse: Fusion) -> float:
    """Overshoot at the rim of a bright disc that one source alone shows, as a share of its step; the worse source.

    The mean of two numbers: how far the ground falls below itself close to the disc, and the disc rises above its own
    middle close to its rim.
    """
    step, radius = 0.5, 20
    at = torch.arange(SIZE, dtype=torch.float32) - SIZE / 2
    far = (at[:, None].square() + at.square()).sqrt()
    disc = 0.2 + step * gaussian((far < radius).float()[None, None], 0.7)
    flat, found = torch.full_like(disc, 0.4), []
    rings = [(far >= n) & (far < n + 1) for n in range(80)]
    for pair in ((disc, flat), (flat, disc)):
        fused = _fused(fuse, *pair)[0, 0]
        profile = torch.stack([fused[ring].mean() for ring in rings])
        below = profile[60:].mean() - profile[radius : radius + 30].min()
        above = profile[:radius].max() - profile[:8].mean()
        found.append(float(below.clamp_min(0) + above.clamp_min(0)) / (2 * step))
    return max(found)


def _stretched(image: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * (image - image.amin()) / (image.amax() - image.amin())


@torch.inference_mode()
def _fused(fuse: Fusion, visible: Gray, infrared: Gray) -> Gray:
    return luma(fuse(visible.expand(-1, 3, -1, -1).contiguous(), infrared.contiguous()))
