"""What several networks of the zoo share: their Spec, and layers that occur in more than one of them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...spec import Spec

BUDGET = 1 << 21
"""Pixels; larger pictures are tiled."""


def luma(reach: int | None = None, **facts: Any) -> Callable[..., Spec]:
    """The Spec of a network that fuses luma; `as_published` gives it whole pictures in RGB, as the script gets them."""
    return partial(spec, Spec(domain="luma", reach=reach, budget=BUDGET, **facts))


def spec(usual: Spec, as_published: bool = False, **_: object) -> Spec:
    """`usual`, or what a script needs that makes a whole picture."""
    return Spec(domain="rgb", least=usual.least) if as_published else usual


class Named(nn.Module):
    """A layer under the name that it has in the authors' file, as in "conv1.conv2d.weight"."""

    def __init__(self, name: str, layer: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.get_submodule(self.name)(x)


def convolution(into: int, out: int, size: int = 3, *, name: str = "", **facts: Any) -> nn.Module:
    """A convolution that keeps the size, zero-padded unless `padding_mode` says more; called `name` in the file."""
    dilation = facts.get("dilation", 1)
    layer = nn.Conv2d(into, out, size, padding=dilation * (size // 2), **facts)
    return Named(name, layer) if name else layer


def share(a: Tensor, b: Tensor) -> Tensor:
    """a / (a + b) of activities; a half where both are 0."""
    total = a + b
    return torch.where(total == 0, torch.full_like(a, 0.5), a / torch.where(total == 0, torch.ones_like(a), total))


def mixed(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Features of both, `weight` of the first."""
    return weight * a + (1 - weight) * b


def activity(features: Tensor) -> Tensor:
    """Magnitude summed over channels, averaged over 3×3 pixels with zeros outside: (b, 1, h, w)."""
    return functional.avg_pool2d(features.abs().sum(1, keepdim=True), 3, stride=1, padding=1)


class ChannelNorm(nn.Module):
    """Normalises the channels of each pixel; its parameters are called `body` in the files."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def channel_attention(query: Tensor, key: Tensor, value: Tensor, scale: Tensor) -> Tensor:
    """Attention between channels, over all pixels (Restormer); `scale` (heads, 1, 1)."""
    batch, channels, height, width = query.shape
    shape = batch, len(scale), channels // len(scale), height * width
    query, key = (functional.normalize(x.reshape(shape), dim=-1) for x in (query, key))
    weights = (query @ key.transpose(-2, -1) * scale).softmax(-1)
    return (weights @ value.reshape(shape)).reshape(batch, channels, height, width)


class Gated(nn.Module):
    """Feed-forward part of Restormer: one half of the widened features gates the other."""

    def __init__(self, channels: int, hidden: int, groups: int | None = None) -> None:
        super().__init__()
        self.project_in = nn.Conv2d(channels, 2 * hidden, 1, bias=False)
        self.dwconv = nn.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=groups or 2 * hidden, bias=False)
        self.project_out = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, kept = self.dwconv(self.project_in(x)).chunk(2, dim=1)
        return self.project_out(functional.gelu(gate) * kept)
