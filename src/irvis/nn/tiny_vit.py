"""TinyViT: features at 1/4, 1/8 and 1/16 of a picture, by convolutions first and attention within windows then.

Wu et al., TinyViT: fast pretraining distillation for small vision transformers, arXiv:2207.10666. The form of 5 million
parameters up to its third stage; batch norms are folded into their convolutions.
"""

from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, gelu, linear, pad, scaled_dot_product_attention

from .vit import Perceptron

Padding = Literal["zero", "replicate"]
_MODES = {"zero": "constant", "replicate": "replicate"}


class Shape(NamedTuple):
    """Channels at 1/4, 1/8 and 1/16 of the size; blocks, heads and sides of windows of the two stages of attention."""

    channels: tuple[int, int, int] = (64, 128, 160)
    blocks: tuple[int, int, int] = (2, 2, 6)
    heads: tuple[int, int] = (4, 5)
    windows: tuple[int, int] = (7, 14)


PRETRAINED = Shape()
"""The form of 5 million parameters."""


class Convolution(nn.Module):
    """A convolution with `padding` around the picture: the border repeated leaves no trace of itself."""

    def __init__(self, into: int, out: int, size: int, padding: Padding, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(into, out, size, stride, groups=groups)
        self.around, self.mode = size // 2, _MODES[padding]

    def forward(self, x: Tensor) -> Tensor:
        layer = self.convolution
        if layer.kernel_size == (1, 1) and x.is_contiguous(memory_format=torch.channels_last):
            return linear(x.permute(0, 2, 3, 1), layer.weight[:, :, 0, 0], layer.bias).permute(0, 3, 1, 2)
        if self.around and self.mode == "replicate":
            return layer(pad(x, (self.around,) * 4, self.mode))
        return conv2d(x, layer.weight, layer.bias, layer.stride, self.around, groups=layer.groups)


class Widened(nn.Module):
    """Three convolutions, 1×1, 3×3 for each channel and 1×1, with GELU between."""

    def __init__(self, into: int, inside: int, out: int, padding: Padding, stride: int = 1) -> None:
        super().__init__()
        self.first = Convolution(into, inside, 1, padding)
        self.each = Convolution(inside, inside, 3, padding, stride, groups=inside)
        self.last = Convolution(inside, out, 1, padding)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(gelu(self.each(gelu(self.first(x)))))


class WindowAttention(nn.Module):
    """Attention within squares of `side` places; what distance means is learned, for each head and offset."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads, self.side = heads, side
        self.norm = nn.LayerNorm(width)
        self.stacked = nn.Linear(width, 3 * width)
        """Of each head its queries, keys and values."""
        self.output = nn.Linear(width, width)
        self.distances = nn.Parameter(torch.zeros(heads, side**2))
        """By row and column of the offset, both without sign."""

    def forward(self, windows: Tensor) -> Tensor:
        """(n, side², width) -> the same."""
        query, key, value = self.stacked(self.norm(windows)).unflatten(-1, (self.heads, 3, -1)).unbind(3)
        query, key, value = (x.transpose(1, 2) for x in (query, key, value))
        bias = self.distances[None, :, offsets(self.side).to(windows.device)]
        found = scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        return self.output(found.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention within windows, a 3×3 convolution for each channel, a perceptron."""

    def __init__(self, width: int, heads: int, side: int, padding: Padding) -> None:
        super().__init__()
        self.attention = WindowAttention(width, heads, side)
        self.near = Convolution(width, width, 3, padding, groups=width)
        self.norm = nn.LayerNorm(width)
        self.perceptron = Perceptron(width)
        self.mode = _MODES[padding]

    def forward(self, x: Tensor) -> Tensor:
        x = self.near(x + self._attended(x)).permute(0, 2, 3, 1)
        return (x + self.perceptron(self.norm(x))).permute(0, 3, 1, 2)

    def _attended(self, x: Tensor) -> Tensor:
        """The picture cut into windows, each attending within itself; the last ones are filled up."""
        height, width = x.shape[-2:]
        side = self.attention.side
        x = pad(x, (0, -width % side, 0, -height % side), self.mode)
        rows, columns = (length // side for length in x.shape[-2:])
        windows = x.unflatten(3, (columns, side)).unflatten(2, (rows, side)).permute(0, 2, 4, 3, 5, 1)
        found = self.attention(windows.flatten(3, 4).flatten(0, 2))
        found = found.unflatten(0, (-1, rows, columns)).unflatten(3, (side, side)).permute(0, 5, 1, 3, 2, 4)
        return found.flatten(4, 5).flatten(2, 3)[..., :height, :width]


class TinyViT(nn.Module):
    """From a normalised RGB picture to features at 1/2, 1/4, 1/8 and 1/16 of its size, (b, channels, h, w) each.

    Parameters
    ----------
    shape: channels, blocks, heads and windows.
    padding: "zero", as it was trained, or "replicate", which gives a constant picture constant features.
    """

    def __init__(self, shape: Shape = PRETRAINED, padding: Padding = "replicate") -> None:
        super().__init__()
        first, second, third = shape.channels
        self.stem = Convolution(3, first // 2, 3, padding, stride=2)
        self.patches = Convolution(first // 2, first, 3, padding, stride=2)
        self.convolved = nn.ModuleList(Widened(first, 4 * first, first, padding) for _ in range(shape.blocks[0]))
        self.merged = nn.ModuleList(Widened(a, b, b, padding, stride=2) for a, b in pairwise(shape.channels))
        self.attended = nn.ModuleList(
            nn.ModuleList(Block(width, heads, side, padding) for _ in range(count))
            for width, count, heads, side in zip(
                (second, third), shape.blocks[1:], shape.heads, shape.windows, strict=True
            )
        )
        self.channels = (first // 2, first, second, third)

    def forward(self, image: Tensor) -> list[Tensor]:
        """The picture's sides are multiples of 16."""
        half = gelu(self.stem(image))
        x = self.patches(half)
        for block in self.convolved:
            x = gelu(x + block(x))
        features = [half, x]
        for merging, blocks in zip(self.merged, self.attended, strict=True):
            x = merging(x)
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x)
            features.append(x)
        return features


def offsets(side: int) -> Tensor:
    """(side², side²): the number of the offset between two places of a square, by rows · side + columns, no sign."""
    row, column = (place.flatten() for place in torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij"))
    return (row[:, None] - row).abs() * side + (column[:, None] - column).abs()
