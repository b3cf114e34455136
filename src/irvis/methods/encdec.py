"""Encoder-decoder network: two convolutional encoders, 1×1 fusion at five scales, a decoder with skip connections.

Ataman & Bozdagi Akar, Visible and infrared image fusion using encoder-decoder network, arXiv:2412.08073.
As the paper has it there is no activation before the last tanh: the network is one linear filter of its inputs.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .. import weights
from ..registry import Spec, register
from ..types import Gray, Image, Scaled
from .gains import REACH, GainNetwork

LEVELS = 5
GRID = 2**LEVELS

Activation = Literal["none", "relu", "leaky_relu", "gelu", "silu"]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": nn.Identity(),
    "relu": functional.relu,
    "leaky_relu": partial(functional.leaky_relu, negative_slope=0.1),
    "gelu": functional.gelu,
    "silu": functional.silu,
}


def _spec(
    domain: Literal["luma", "value", "rgb"] = "luma",
    padding: Literal["replicate", "zero"] = "replicate",
    scale: int = 1,
    output: Literal["pixels", "gains"] = "pixels",
    **_: object,
) -> Spec:
    if output == "gains":
        if domain == "rgb" or scale != 1:
            raise ValueError('output "gains" takes one plane (domain "luma" or "value") and scale 1')
        return Spec(domain=domain, multiple=GRID, reach=REACH)
    # The paper pads with zeros in [-1, 1]; that is middle gray here.
    fill = 0.5 if padding == "zero" else None
    return Spec(domain=domain, multiple=GRID, fill=fill, reach=reach(scale), scale=scale)


@register(
    "encdec",
    spec=_spec,
    paper="https://arxiv.org/abs/2412.08073",
    weights=weights.shipped("encdec"),
    small={"width": 4},
)
class EncoderDecoder(nn.Module):
    """Encoder-decoder network with 1×1 fusion layers (Ataman & Bozdagi Akar).

    Parameters
    ----------
    width: channels of the first layer, doubled at every level (64 in the paper); even.
    activation: "none" in the paper; otherwise after every layer but the last.
    domain: what is fused: "luma" (Y of YCbCr), "value" (V of HSV) or "rgb" (three channels in and out).
    padding: "zero" in the paper; "replicate" repeats the border inside every layer and leaves no trace there.
    encoders: "separate" weights for the two images, as in the paper, or "shared".
    fusion: "conv1x1" (the paper), or "mean", "sum", "max" of the two features.
    skip: whether the decoder sees the fused features of every level or only of the deepest.
    scale: 1, or 2 for one more upsampling stage: fusion with super-resolution.
    output: what the decoder gives: "pixels" of the fused image, as in the paper, or "gains" for every band of a
        Laplacian pyramid of both images, from which the fused image is made (see `gains.py`; ReLU, one plane, scale 1).
    """

    def __init__(
        self,
        width: int = 64,
        activation: Activation = "none",
        domain: Literal["luma", "value", "rgb"] = "luma",
        padding: Literal["replicate", "zero"] = "replicate",
        encoders: Literal["separate", "shared"] = "separate",
        fusion: Literal["conv1x1", "mean", "sum", "max"] = "conv1x1",
        skip: bool = True,
        scale: Literal[1, 2] = 1,
        output: Literal["pixels", "gains"] = "pixels",
    ) -> None:
        super().__init__()
        if width < 2 or width % 2:
            raise ValueError(f"width must be an even number, not {width}")
        self.gains = GainNetwork(width) if output == "gains" else None
        if self.gains is not None:
            if (activation, padding, encoders, fusion, skip) != ("none", "replicate", "separate", "conv1x1", True):
                raise ValueError('output "gains" takes width and domain only, no other option of encdec')
            return
        planes = 3 if domain == "rgb" else 1
        shared = encoders == "shared"
        self.visible_encoder = Encoder(planes, width, activation, padding)
        self.infrared_encoder = None if shared else Encoder(1, width, activation, padding)
        self.planes, self.scale = planes if shared else 1, scale
        levels = range(LEVELS) if skip else range(LEVELS - 1, LEVELS)
        self.fusion = nn.ModuleDict({str(n): _fusion(fusion, width << n, activation) for n in levels})
        self.decoder = Decoder(planes, width, activation, padding, skip, scale)

    def forward(self, visible: Image, infrared: Gray) -> Scaled:
        """Fuse images in [0, 1] whose sides are multiples of 32; the result is in (0, 1), of "gains" near [0, 1]."""
        if self.gains is not None:
            return self.gains(visible, infrared)
        return (self.response(visible, infrared).tanh() + 1) / 2

    def response(self, visible: Image, infrared: Gray) -> Scaled:
        """The output before tanh: a linear function of the inputs where there is no activation."""
        return self.decoder(self.fused(visible, infrared))

    def fused(self, visible: Image, infrared: Gray) -> list[Tensor | None]:
        """The fused features of each level, finest first; None where the decoder takes none."""
        of_visible = self.visible_encoder(2 * visible - 1)
        encoder = self.infrared_encoder or self.visible_encoder
        of_infrared = encoder((2 * infrared - 1).expand(-1, self.planes, -1, -1))
        return [
            self.fusion[str(n)](of_infrared[n], of_visible[n]) if str(n) in self.fusion else None for n in range(LEVELS)
        ]


class Encoder(nn.Module):
    """Five times 3×3 convolution and 2×2 mean: features at 1/2 … 1/32 of the size."""

    def __init__(self, planes: int, width: int, activation: Activation, padding: str) -> None:
        super().__init__()
        channels = [planes, *(width << n for n in range(LEVELS))]
        self.layers = nn.ModuleList(nn.Conv2d(below, above, 3, bias=False) for below, above in pairwise(channels))
        self.activation, self.padding = ACTIVATIONS[activation], padding

    def forward(self, image: Tensor) -> list[Tensor]:
        features = []
        layer: Any
        for layer in self.layers:
            image = self.activation(pooled_convolution(image, layer.weight, self.padding))
            features.append(image)
        return features


class Fusion(nn.Module):
    """A 1×1 convolution of both features, infrared first: a fixed mixture of channels, the same at every pixel."""

    def __init__(self, channels: int, activation: Activation) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * channels, channels, 1)
        self.activation = ACTIVATIONS[activation]

    def forward(self, infrared: Tensor, visible: Tensor) -> Tensor:
        return self.activation(self.mix(torch.cat([infrared, visible], 1)))


class Rule(nn.Module):
    """A fusion without parameters: the mean, sum or maximum of the two features."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, infrared: Tensor, visible: Tensor) -> Tensor:
        if self.name == "max":
            return torch.maximum(infrared, visible)
        return (infrared + visible) / (2 if self.name == "mean" else 1)


class Decoder(nn.Module):
    """Five grouped transposed convolutions, each doubling the size, then a 3×3 convolution to the output planes."""

    def __init__(self, planes: int, width: int, activation: Activation, padding: str, skip: bool, scale: int) -> None:
        super().__init__()
        groups = width // 2
        out = [width << n for n in reversed(range(LEVELS - 1))] + [width]
        into = [width << LEVELS - 1, *((2 if skip else 1) * channels for channels in out[:-1])]
        if scale == 2:
            into, out = [*into, width], [*out, width]
        self.layers = nn.ModuleList(
            nn.ConvTranspose2d(below, above, 4, stride=2, padding=1, groups=groups, bias=False)
            for below, above in zip(into, out, strict=True)
        )
        self.output = nn.Conv2d(width, planes, 3, bias=False)
        self.activation, self.padding = ACTIVATIONS[activation], padding

    def forward(self, fused: list[Tensor | None]) -> Tensor:
        layer: Any
        x = fused[-1]
        assert x is not None, "the deepest level always has features"
        skips = [None, *reversed(fused[:-1]), None]
        for layer, skip in zip(self.layers, skips, strict=False):
            x = x if skip is None else torch.cat([skip, x], 1)
            x = self.activation(doubled(x, layer.weight, layer.groups, self.padding))
        return functional.conv2d(_padded(x, self.padding), self.output.weight)


def pooled_convolution(image: Tensor, weight: Tensor, padding: str) -> Tensor:
    """A 3×3 convolution followed by a 2×2 mean, as the one 4×4 convolution of stride 2 that equals them."""
    shifted = [functional.pad(weight, (left, 1 - left, top, 1 - top)) for left in (0, 1) for top in (0, 1)]
    return functional.conv2d(_padded(image, padding), torch.stack(shifted).mean(0), stride=2)


def doubled(image: Tensor, weight: Tensor, groups: int, padding: str) -> Tensor:
    """A transposed 4×4 convolution of stride 2; "replicate" repeats the border first, so that none shows."""
    if padding == "zero":
        return functional.conv_transpose2d(image, weight, stride=2, padding=1, groups=groups)
    return functional.conv_transpose2d(_padded(image, padding), weight, stride=2, padding=3, groups=groups)


def _padded(image: Tensor, padding: str) -> Tensor:
    return functional.pad(image, (1, 1, 1, 1), mode="constant" if padding == "zero" else padding)


def _fusion(name: str, channels: int, activation: Activation) -> nn.Module:
    return Fusion(channels, activation) if name == "conv1x1" else Rule(name)


def reach(scale: int = 1) -> int:
    """How far, in input pixels, one input pixel can influence the output: the support traced back, layer by layer."""
    far = 0
    for phase in range(GRID * scale):
        first, last = phase - 1, phase + 1  # the 3×3 output layer
        for _ in range(LEVELS + (scale == 2)):  # transposed 4×4 of stride 2: output o sees inputs (o-2)/2 … (o+1)/2
            first, last = -((2 - first) // 2), (last + 1) // 2
        for _ in range(LEVELS):  # 3×3 and 2×2 mean: output o sees inputs 2o-1 … 2o+2
            first, last = 2 * first - 1, 2 * last + 2
        here = phase // scale
        far = max(far, here - first, last - here)
    return far
