"""The encoder-decoder network layer by layer, each layer in the form that runs fastest: exact with any activation."""

import copy
from itertools import pairwise, product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, pixel_shuffle

from ..methods.encdec import LEVELS, EncoderDecoder, Fusion
from ..types import Gray, Image, Scaled
from .filter_bank import FIRST, INNER, LAST, PLACES, FilterBank, in_cells, pooled_weight


class LayeredNetwork(nn.Module):
    """An `EncoderDecoder` of any options, rewritten without any loss.

    Convolution and mean are one 4×4 convolution of stride 2, both encoders one grouped pass. A transposed convolution
    is a 3×3 convolution to the four pixels of each 2×2 block, which are put in place only where the next layer needs
    it: the full-size picture is assembled once, from the output planes. Weights lie channels last.

    bound: 0.
    """

    bound = 0.0

    def __init__(self, core: EncoderDecoder) -> None:
        super().__init__()
        decoder: Any = core.decoder
        first = core.visible_encoder
        self.planes, self.activation = core.planes, decoder.activation
        visible, infrared = first.layers, (core.infrared_encoder or first).layers
        pairs: Any = zip(visible, infrared, strict=True)
        self.encoder = nn.ModuleList(
            _together(of_infrared.weight, of_visible.weight, first.padding) for of_visible, of_infrared in pairs
        )
        self.fusion = copy.deepcopy(core.fusion)
        self.decoder = nn.ModuleList(_upward(layer, decoder.padding) for layer in decoder.layers)
        self.output = FilterBank({place: _output(decoder.output.weight, place, decoder.padding) for place in PLACES})

    @property
    def operations(self) -> float:
        """Multiply-adds for each pixel, away from the border."""
        layers: Any = [*self.encoder, *(rule.mix for rule in self.fusion.values() if isinstance(rule, Fusion))]
        levels = [*range(1, LEVELS + 1), *(int(n) + 1 for n, rule in self.fusion.items() if isinstance(rule, Fusion))]
        layers, levels = [*layers, *self.decoder], [*levels, *range(LEVELS, LEVELS - len(self.decoder), -1)]
        last = self.output.kernels["11"].numel() / 4 ** levels[-1]
        return last + sum(layer.weight.numel() / 4**level for layer, level in zip(layers, levels, strict=True))

    def forward(self, visible: Image, infrared: Gray) -> Scaled:
        """Fuse images in [0, 1] whose sides are multiples of 32; the result is in (0, 1)."""
        return (self.response(visible, infrared).tanh() + 1) / 2

    def response(self, visible: Image, infrared: Gray) -> Scaled:
        """The output before tanh."""
        features = self.fused(2 * torch.cat([infrared.expand(-1, self.planes, -1, -1), visible], 1) - 1)
        x = features.pop()
        assert x is not None, "the deepest level always has features"
        for layer, after in pairwise([*self.decoder, None]):
            x = self.activation(layer(x))
            if after is not None:
                x = pixel_shuffle(x, 2)
                skip = features.pop() if features else None
                x = x if skip is None else torch.cat([skip, x], 1)
        return pixel_shuffle(self.output(x), 2)

    def fused(self, images: Tensor) -> list[Tensor | None]:
        """The fused features of each level from both images, infrared first; None where the decoder takes none."""
        found: list[Tensor | None] = []
        x = images
        for number, layer in enumerate(self.encoder):
            x = self.activation(layer(x))
            fusion: Any = dict(self.fusion.items()).get(str(number))
            if isinstance(fusion, Fusion):
                found.append(self.activation(fusion.mix(x)))
            else:
                found.append(fusion(*x.chunk(2, 1)) if fusion else None)
        return found


def _together(infrared: Tensor, visible: Tensor, padding: str) -> nn.Conv2d:
    """A layer of both encoders: in two groups, or with zeros between them where the images differ in planes."""
    weights = [pooled_weight(weight.detach()) for weight in (infrared, visible)]
    if infrared.shape == visible.shape:
        return _convolution(torch.cat(weights), 2, padding, stride=2)
    of_infrared, of_visible = infrared.shape[1], visible.shape[1]
    both = [pad(weights[0], (0, 0, 0, 0, 0, of_visible)), pad(weights[1], (0, 0, 0, 0, of_infrared, 0))]
    return _convolution(torch.cat(both), 1, padding, stride=2)


def _upward(layer: nn.ConvTranspose2d, padding: str) -> nn.Conv2d:
    """A transposed 4×4 convolution of stride 2 as a 3×3 one to (channels × 2 × 2): outputs 2i, 2i+1 see i-1 … i+1."""
    weight = layer.weight.detach().unflatten(0, (layer.groups, -1)).transpose(1, 2).flatten(0, 1)
    phases = [_phase(weight, y, x) for y, x in product(range(2), range(2))]
    return _convolution(torch.stack(phases, 1).flatten(0, 1), layer.groups, padding)


def _phase(weight: Tensor, y: int, x: int) -> Tensor:
    """The taps that make row parity y and column parity x: 3, 1 of inputs -1, 0, or 2, 0 of inputs 0, 1."""
    taps = {0: [3, 1], 1: [2, 0]}
    return pad(weight[:, :, taps[y]][:, :, :, taps[x]], (x, 1 - x, y, 1 - y))


def _convolution(weight: Tensor, groups: int, padding: str, stride: int = 1) -> nn.Conv2d:
    """A convolution with a padding of 1 that repeats the border or is zero."""
    layer = nn.Conv2d(
        weight.shape[1] * groups,
        weight.shape[0],
        tuple(weight.shape[2:]),  # type: ignore[arg-type]
        stride,
        1,
        groups=groups,
        bias=False,
        padding_mode="zeros" if padding == "zero" else "replicate",
    )
    layer.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last), requires_grad=False)
    return layer


def _output(weight: Tensor, place: tuple[int, int], padding: str) -> Tensor:
    """The last 3×3 convolution, from 2×2 blocks (channels × 2 × 2) to 2×2 blocks of the output planes."""
    shifted = [pad(weight.detach(), (1 + x, 2 - x, 1 + y, 2 - y)) for y, x in product(range(2), range(2))]
    pixels = torch.stack(shifted, 1).flatten(0, 1)
    for axis, at in ((2, place[0]), (3, place[1])):
        lines = pixels.movedim(axis, 0)
        outside, border = {FIRST: (slice(0, 2), 2), INNER: (slice(0), 0), LAST: (slice(4, 6), 3)}[at]
        if padding == "replicate" and at != INNER:
            lines[border] += lines[outside].sum(0)
        lines[outside] = 0
    return in_cells(pixels, 2)
