"""Pairs drawn by rule, each with the one picture that is right: what a fusion must never do, as training data.

Gratings and textures that one camera alone shows must stay; steps must not overshoot; smooth pairs must stay smooth and
keep the visible brightness; black must stay black under plain infrared; infrared must show in saturated light.
"""

import torch
from numpy.random import Generator, default_rng
from torch import Tensor

from ..filters import gaussian
from ..types import RGB, Gray

SIDE = 256


class Patterns:
    """`count` drawn pairs: (visible, infrared, target), each SIDE × SIDE."""

    def __init__(self, count: int, *, seed: int = 0) -> None:
        self.count, self.seed = count, seed

    def __len__(self) -> int:
        return self.count

    def name(self, index: int) -> str:
        return f"pattern{self.seed + index}"

    def __getitem__(self, index: int) -> tuple[RGB, Gray, Gray]:
        random = default_rng((self.seed, index, 5))
        kind = (_texture, _texture, _step, _smooth, _light)[int(random.integers(5))]
        visible, infrared, target = (image.clamp(0, 1) for image in kind(random))
        return visible.expand(-1, 3, -1, -1), infrared, target


def _texture(random: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """A grating or checkerboard in a part of one image; the other one is plain there."""
    base, other = _plain(random, 0.2, 0.75), _plain(random, 0.1, 0.8)
    pattern = _window(random) * random.uniform(0.03, 0.18) * _waves(random)
    if random.random() < 0.5:
        return base + pattern, other, base + pattern
    return base, other + pattern, base + pattern


def _step(random: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """A figure with sharp edges that is brighter in infrared: it is brighter by as much in the fused image, or warm."""
    figure = gaussian((_blob(random, random.uniform(8, 30)) > 0.25).float(), random.uniform(0.5, 1.5))
    base, other = _plain(random, 0.1, 0.6), _plain(random, 0.1, 0.4)
    height = random.uniform(0.15, 0.5)
    if random.random() < 0.3:
        return base + height * figure, other, base + height * figure
    infrared = other + height * figure
    return base, infrared, base + figure * (0.9 * infrared - base).clamp_min(0.7 * height).clamp_max(0.8)


def _smooth(random: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Nothing but slow changes: the visible image is right. Black ones often."""
    low, high = (0.0, 0.06) if random.random() < 0.4 else (0.1, 1.0)
    visible = _plain(random, low, high)
    return visible, _plain(random, 0.0, 0.9), visible


def _light(random: Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Saturated light in front of things that infrared shows: they show, and the light stays light."""
    light = (random.uniform(1.0, 1.6) * _blob(random, random.uniform(20, 50))).clamp(0, 1)
    dark = _plain(random, 0.05, 0.4)
    visible = (dark + (1.3 - dark) * light).clamp(0, 1)
    things = (_blob(random, random.uniform(4, 14)) - 0.35) * random.uniform(0.3, 0.9)
    infrared = 0.4 + things
    room = gaussian(0.16 * ((visible - 0.75) / 0.25).clamp(0, 1), 8.0)
    share = 0.9 * ((visible - 0.6) / 0.4).clamp(0, 1)
    rest = (1 - share) * 0.6
    return visible, infrared, visible - room + (share + rest) * (things - gaussian(things, 24.0))


def _plain(random: Generator, low: float, high: float) -> Tensor:
    """A slow change between two values of [low, high]."""
    first, second = sorted(random.uniform(low, high, 2))
    return first + (second - first) * _blob(random, random.uniform(30, 90))


def _blob(random: Generator, sigma: float) -> Tensor:
    """A random smooth field, stretched to [0, 1]."""
    step = max(int(sigma / 3), 1)
    coarse = torch.from_numpy(random.standard_normal((1, 1, SIDE // step + 8, SIDE // step + 8), dtype="float32"))
    field = gaussian(coarse, sigma / step)
    field = torch.nn.functional.interpolate(field, size=(SIDE, SIDE), mode="bicubic", align_corners=False)
    return (field - field.amin()) / (field.amax() - field.amin()).clamp_min(1e-6)


def _window(random: Generator) -> Tensor:
    """Where a pattern is: everywhere, or in a part with soft edges."""
    if random.random() < 0.4:
        return torch.ones(1, 1, SIDE, SIDE)
    return gaussian((_blob(random, 25) > 0.5).float(), 2.0)


def _waves(random: Generator) -> Tensor:
    """A grating of any direction, mostly fine, or the product of two."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    waves = torch.ones(1, 1, SIDE, SIDE)
    for _ in range(1 + int(random.random() < 0.3)):
        frequency, angle = random.uniform(0.02, 0.5), random.choice([0, torch.pi / 2, random.uniform(0, torch.pi)])
        along = float(torch.cos(torch.tensor(angle))) * columns + float(torch.sin(torch.tensor(angle))) * rows
        waves = waves * (2 * torch.pi * frequency * along + random.uniform(0, 2 * torch.pi)).sin()
    return waves
