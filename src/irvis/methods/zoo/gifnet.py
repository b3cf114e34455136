"""GIFNet: two branches, one for several sensors and one for several foci, that look into each other.

Cheng et al., One model for ALL: low-level task interaction is a key to task-agnostic image fusion, CVPR 2025.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import Named, convolution

HEADS, WINDOW, SHIFT = 2, 8, 4
BRANCHES = ("", "_mfif")
PUBLISHED = Published(
    title="GIFNet",
    year=2025,
    source="github.com/AWCXV/GIFNet",
    licence="none stated",
    files=(
        File(
            path="model/Final.model",
            sha256="bfc1dfef0d5b386b0c04f172daf8f6af52ba395f26dc3dd5757425fd32eb1038",
            size=3408450,
        ),
    ),
    marks={"": "extractor_multask.SwinTransformerSpecific.patch_embed_mfif.proj.weight"},
    unused=r"^decoder_rec\.|relative_positions$",
)


@register("gifnet", spec=parts.luma(least=8), published=PUBLISHED, small={"width": 4})
class GIFNet(nn.Module):
    """GIFNet: a branch for sensors and one for foci that look into each other (Cheng et al. 2025).

    Parameters
    ----------
    width: channels of a shared layer (32 in the paper); even.
    as_published: give the authors' script's picture: luma cut to 8 bits, its colours, rounded.
    """

    def __init__(self, width: int = 32, as_published: bool = False) -> None:
        super().__init__()
        if width < 2 or width % 2:
            raise ValueError(f"width must be an even number, not {width}")
        self.as_published = as_published
        channels = 2 + 3 * width
        shared = {f"conv_{n + 1}": _layer(2 + n * width, width, name="conv2d") for n in range(3)}
        self.getSharedFeatures = nn.ModuleDict(shared)
        self.extractor_multask = Named("SwinTransformerSpecific", Branches(channels))
        mix = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 1, bias=False), nn.ReLU(), nn.Conv2d(channels, 4 * width, 1, bias=False)
        )
        steps: list[nn.Module] = []
        for n, (into, out) in enumerate(((4, 2), (2, 1), (1, 0.5), (0.5, 0))):
            steps += [nn.ReflectionPad2d(1), nn.Conv2d(int(into * width), int(out * width) or 1, 3)]
            steps += [nn.ReLU() if n < 3 else nn.Tanh()]
        self.cnnDecoder = nn.ModuleDict({"fuseComplementFeatures": Named("mlp", mix), "decoder": nn.Sequential(*steps)})

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        red, green, blue = scripts.levels(visible).split(1, dim=1)
        y = (0.299 * red.double() + 0.587 * green.double() + 0.114 * blue.double()).clamp(0, 255).floor().to(red)
        cb = -0.169 * red - 0.331 * green + 0.5 * blue
        cr = 0.5 * red - 0.419 * green - 0.081 * blue
        y = 255 * self.raw(y / 255, infrared)
        return scripts.rounded(torch.cat([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], 1) / 255)

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, 0 to 1 out."""
        shared = torch.cat([infrared, visible], 1)
        for layer in self.getSharedFeatures.values():
            shared = torch.cat([shared, relu(layer(shared))], 1)
        mixed = self.cnnDecoder["fuseComplementFeatures"](torch.cat([shared, self.extractor_multask(shared)], 1))
        return self.cnnDecoder["decoder"](mixed) / 2 + 0.5


class Branches(nn.Module):
    """Two branches from the same features; the one for foci is given back."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.patch_embed_ivif, self.patch_embed_mfif = (_layer(channels, channels, name="proj") for _ in range(2))
        self.layer1: Any = nn.Module()
        self.layer1.blocks = nn.ModuleList(Block(channels, shift) for shift in (0, SHIFT))
        for name in ("weights", "weights_mfif"):
            self.layer1.add_module(name, nn.ParameterList(nn.Parameter(torch.zeros(1)) for _ in range(2)))
        self.patch_unembed = Named("proj", nn.Sequential(_layer(channels, channels)))

    def forward(self, shared: Tensor) -> Tensor:
        height, width = shared.shape[-2:]
        x = pad(shared, (0, -width % 4, 0, -height % 4), mode="reflect")
        sensors, foci = self.patch_embed_ivif(x), self.patch_embed_mfif(x)
        sensors, foci = self.layer1.blocks[0](sensors, foci)
        foci = foci + self.layer1.weights_mfif[0] * sensors
        sensors, foci = self.layer1.blocks[1](sensors, foci)
        return self.patch_unembed(foci)[..., :height, :width]


class Block(nn.Module):
    """Attention in windows and a feed-forward part, for both branches; unshifted, one asks with the other's query."""

    def __init__(self, channels: int, shift: int) -> None:
        super().__init__()
        self.shift = shift
        self.attn: Any = nn.Module()
        for end in BRANCHES:
            self.add_module(f"norm1{end}", Norm(channels))
            self.attn.add_module(f"conv{end}", _layer(channels, channels, 5, groups=channels))
            self.attn.add_module(f"V{end}", nn.Conv2d(channels, channels, 1))
            self.attn.add_module(f"QK{end}", nn.Conv2d(channels, 2 * channels, 1))
            self.attn.add_module(f"proj{end}", nn.Conv2d(channels, channels, 1))
            ahead = nn.Sequential(nn.Conv2d(channels, 2 * channels, 1), nn.ReLU(), nn.Conv2d(2 * channels, channels, 1))
            self.add_module(f"mlp{end}", Named("mlp", ahead))
        bias = nn.Sequential(nn.Linear(2, 256), nn.ReLU(), nn.Linear(256, HEADS))
        self.attn.attn = nn.ModuleDict({"meta": bias})

    def forward(self, *images: Tensor) -> list[Tensor]:
        scales, values, threes = [], [], []
        for x, end in zip(images, BRANCHES, strict=True):
            x, scale, offset = self.get_submodule(f"norm1{end}")(x)
            value = self.attn.get_submodule(f"V{end}")(x)
            scales.append((scale, offset))
            values.append(value)
            threes.append(self._windows(torch.cat([self.attn.get_submodule(f"QK{end}")(x), value], 1)))
        asking = threes[0 if self.shift else 1][0], threes[1][0]
        bias = self.attn.attn["meta"](_distances(images[0])).permute(2, 0, 1)
        done = []
        for n, end in enumerate(BRANCHES):
            _, key, value = threes[n]
            weights = (asking[n] * key.shape[-1] ** -0.5 @ key.transpose(-2, -1) + bias).softmax(-1)
            found = self._whole(weights @ value, images[n])
            y = self.attn.get_submodule(f"proj{end}")(self.attn.get_submodule(f"conv{end}")(values[n]) + found)
            x = images[n] + y * scales[n][0] + scales[n][1]
            done.append(x + self.get_submodule(f"mlp{end}")(x))
        return done

    def _windows(self, x: Tensor) -> Tensor:
        """(3, b × windows, heads, tokens, channels of a head): queries, keys, values."""
        x = pad(x, _border(x, self.shift), mode="reflect")
        batch, channels, height, width = x.shape
        shape = batch, 3, HEADS, channels // (3 * HEADS), height // WINDOW, WINDOW, width // WINDOW, WINDOW
        return x.view(shape).permute(1, 0, 4, 6, 2, 5, 7, 3).reshape(3, -1, HEADS, WINDOW**2, shape[3])

    def _whole(self, tokens: Tensor, like: Tensor) -> Tensor:
        """Windows put together again, as large as `like`."""
        left, right, above, below = _border(like, self.shift)
        batch, channels, height, width = like.shape
        rows, columns = (height + above + below) // WINDOW, (width + left + right) // WINDOW
        x = tokens.view(batch, rows, columns, HEADS, WINDOW, WINDOW, -1).permute(0, 3, 6, 1, 4, 2, 5)
        x = x.reshape(batch, channels, rows * WINDOW, columns * WINDOW)
        return x[..., above : above + height, left : left + width]


class Norm(nn.Module):
    """Normalises whole pictures, and tells what undoes it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.meta1, self.meta2 = nn.Conv2d(1, channels, 1), nn.Conv2d(1, channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean = x.mean((1, 2, 3), keepdim=True)
        spread = ((x - mean).square().mean((1, 2, 3), keepdim=True) + 1e-5).sqrt()
        return (x - mean) / spread * self.weight + self.bias, self.meta1(spread), self.meta2(mean)


def _border(x: Tensor, shift: int) -> tuple[int, int, int, int]:
    """Left, right, above, below."""
    height, width = x.shape[-2:]
    right, below = ((shift + -length % WINDOW) % WINDOW for length in (width, height))
    return shift, right, shift, below


def _distances(like: Tensor) -> Tensor:
    """Between the pixels of a window, (tokens, tokens, 2), on a logarithmic scale."""
    steps = torch.arange(WINDOW, device=like.device)
    places = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1).view(-1, 2).to(like.dtype)
    far = places[:, None] - places[None]
    return far.sign() * (1 + far.abs()).log()


def _layer(into: int, out: int, size: int = 3, **facts: Any) -> nn.Module:
    return convolution(into, out, size, padding_mode="reflect", **facts)
