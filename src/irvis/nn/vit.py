"""Vision transformer in pre-norm form: the encoder and the decoder of a masked autoencoder, for pictures of any size.

Dosovitskiy et al., An image is worth 16x16 words, arXiv:2010.11929; He et al., Masked autoencoders are scalable vision
learners, arXiv:2111.06377. Tokens keep their place: features are (batch, rows, columns, width) maps. No class token.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Features = Float[Tensor, "b rows columns width"]
"""A vector for every patch of a picture."""
Pixels = Float[Tensor, "b rows columns pixels"]
"""The pixels of every patch: row by row, the channels of a pixel side by side."""
Tokens = Float[Tensor, "b n width"]
Start = tuple[int, int]
"""Row and column of a picture's first patch, for the positions by formula."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """Of an encoder, and of a decoder that suits it."""

    width: int
    blocks: int
    heads: int
    patch: int = 16
    decoder_width: int = 512
    decoder_blocks: int = 4
    decoder_heads: int = 16

    def __post_init__(self) -> None:
        for name, count in vars(self).items():
            if count < 1:
                raise ValueError(f"{name} must be 1 or more, not {count}")

    def but(self, **figures: int | None) -> Size:
        """This size with some figures replaced; None keeps one."""
        return replace(self, **{name: count for name, count in figures.items() if count is not None})


SIZES = {
    "tiny": Size(width=192, blocks=12, heads=3, decoder_width=256, decoder_heads=8),
    "small": Size(width=384, blocks=12, heads=6, decoder_width=384, decoder_heads=12),
    "base": Size(width=768, blocks=12, heads=12),
    "large": Size(width=1024, blocks=24, heads=16),
    "huge": Size(width=1280, blocks=32, heads=16, patch=14),
}
"""Encoders of base, large and huge as in MAE (its decoder has 512 channels and 16 heads); tiny and small as in DeiT."""


class Attention(nn.Module):
    """Multi-head attention: softmax(q kᵀ / √(width of a head)) v, each head on its share of the channels."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"{heads} heads cannot share {width} channels: the heads must divide the width")
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.context = nn.Linear(width, 2 * width)
        """Keys, then values."""
        self.output = nn.Linear(width, width)

    def forward(self, query: Tokens, context: Float[Tensor, "b m width"] | None = None) -> Tokens:
        """What `query` finds in `context` (in itself where there is none)."""
        key, value = self.context(query if context is None else context).chunk(2, -1)
        query, key, value = (x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in (self.query(query), key, value))
        found = functional.scaled_dot_product_attention(query, key, value)
        return self.output(found.transpose(1, 2).flatten(-2))

    def alone(self, context: Tensor) -> Tensor:
        """What tokens find that see one token only, that of `context` at their place: the query is without effect."""
        width = self.output.in_features
        value = functional.linear(context, self.context.weight[width:], self.context.bias[width:])
        return self.output(value)


class Perceptron(nn.Module):
    """Two layers with GELU between, four times as wide inside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.narrow(functional.gelu(self.widen(x)))


class Block(nn.Module):
    """x + attention(norm(x)), then x + perceptron(norm(x))."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=1e-6)
        self.attention = Attention(width, heads)
        self.perceptron_norm = nn.LayerNorm(width, eps=1e-6)
        self.perceptron = Perceptron(width)

    def forward(self, x: Tokens) -> Tokens:
        x = x + self.attention(self.attention_norm(x))
        return x + self.perceptron(self.perceptron_norm(x))


class Encoder(nn.Module):
    """Patches of a normalised RGB picture to features.

    Parameters
    ----------
    width, blocks, heads, patch: channels of a token, blocks, attention heads, side of a patch in pixels.
    grid: 0 for sin-cos positions by formula; else positions are learned, on a square of so many tokens a side, and
        interpolated (bicubic) to the grid of the picture.
    """

    def __init__(self, width: int, blocks: int, heads: int, patch: int, grid: int = 0) -> None:
        super().__init__()
        _check_width(width)
        if grid < 0:
            raise ValueError(f"grid must be 0 (positions by formula) or the side of a square of tokens, not {grid}")
        self.patches = nn.Conv2d(3, width, patch, stride=patch)
        self.positions = nn.Parameter(0.02 * torch.randn(grid, grid, width)) if grid else None
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        initialise(self)

    def forward(self, image: Tensor, start: Start = (0, 0)) -> Features:
        """The features of a picture whose sides are multiples of the patch."""
        features = self.placed(image, start)
        return self.encoded(features.flatten(1, 2)).unflatten(1, features.shape[1:3])

    def placed(self, image: Tensor, start: Start = (0, 0)) -> Features:
        """Patches with their positions, before any block; a masked autoencoder drops some here."""
        features = self.patches(image).permute(0, 2, 3, 1)
        if self.positions is None:
            return features + sincos(features, start)
        return features + resampled(self.positions, features)

    def encoded(self, tokens: Tokens) -> Tokens:
        """The blocks and the last norm, on any choice of tokens in any order."""
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)


class Decoder(nn.Module):
    """Features to a normalised RGB picture: narrowed to `width`, sin-cos positions, blocks, pixels of each patch."""

    def __init__(self, features: int, width: int, blocks: int, heads: int, patch: int) -> None:
        super().__init__()
        _check_width(width)
        self.patch = patch
        self.embed = nn.Linear(features, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pixels = nn.Linear(width, 3 * patch**2)
        initialise(self)

    def forward(self, features: Features, start: Start = (0, 0)) -> Tensor:
        """The picture (b, 3, rows · patch, columns · patch)."""
        return unpatchified(self.decoded(self.embed(features), start), self.patch)

    def decoded(self, narrow: Features, start: Start = (0, 0)) -> Pixels:
        """Pixels of each patch from narrowed features; a masked autoencoder fills in its masked ones before."""
        tokens = (narrow + sincos(narrow, start)).flatten(1, 2)
        for block in self.blocks:
            tokens = block(tokens)
        return self.pixels(self.norm(tokens)).unflatten(1, narrow.shape[1:3])


class Smoothing(nn.Module):
    """Takes the borders of patches off a picture: two 3×3 convolutions beside it, which at first add nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.wide, self.back = nn.Conv2d(3, channels, 3), nn.Conv2d(channels, 3, 3)
        for parameter in self.back.parameters():
            nn.init.zeros_(parameter)

    def forward(self, picture: Tensor) -> Tensor:
        around = functional.pad(picture, (2, 2, 2, 2), mode="replicate")
        return picture + self.back(functional.gelu(self.wide(around)))


def sincos(like: Features, start: Start = (0, 0)) -> Tensor:
    """Fixed positions (rows, columns, width) for a grid: sin(p ω), cos(p ω) with ω = 10000^(-k / (width / 4)).

    The first half of the channels tells the column p, the second the row, both counted from `start`, for any grid.
    """
    rows, columns, width = like.shape[1:]
    rate = 10000 ** (torch.arange(width // 4, device=like.device, dtype=torch.float32) * (-4 / width))
    down, right = (
        (first + torch.arange(count, device=like.device, dtype=torch.float32))[:, None] * rate
        for first, count in zip(start, (rows, columns), strict=True)
    )
    down, right = (torch.cat([angle.sin(), angle.cos()], 1) for angle in (down, right))
    places = torch.cat([right[None].expand(rows, -1, -1), down[:, None].expand(-1, columns, -1)], -1)
    return places.to(like.dtype)


def resampled(positions: Tensor, like: Features) -> Tensor:
    """Learned positions (side, side, width) on the grid of `like`, bicubic; as they are on their own grid."""
    plane = positions.permute(2, 0, 1)[None].float()
    resized = functional.interpolate(plane, size=like.shape[1:3], mode="bicubic", align_corners=False)
    return resized[0].permute(1, 2, 0).to(like.dtype)


def patchified(image: Tensor, patch: int) -> Pixels:
    """A picture (b, 3, h, w) cut into patches."""
    split = image.unflatten(3, (-1, patch)).unflatten(2, (-1, patch))
    return split.permute(0, 2, 4, 3, 5, 1).flatten(3)


def unpatchified(pixels: Pixels, patch: int) -> Tensor:
    """The picture (b, 3, rows · patch, columns · patch) whose patches these are."""
    split = pixels.unflatten(3, (patch, patch, 3))
    return split.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)


def initialise(network: nn.Module) -> None:
    """Xavier-uniform weights and zero biases in every layer, the patch convolution as the linear layer it is."""
    for part in network.modules():
        if isinstance(part, (nn.Linear, nn.Conv2d)):
            nn.init.xavier_uniform_(part.weight.data.flatten(1))
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def _check_width(width: int) -> None:
    if width < 4 or width % 4:
        raise ValueError(f"a width must be a multiple of 4 (sin and cos of two coordinates), not {width}")
