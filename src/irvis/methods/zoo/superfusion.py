"""SuperFusion's fusion network: features of both images mixed by a mask from recurrences in four directions.

Tang, Deng, Ma, Huang & Ma, SuperFusion: a versatile image registration and fusion network with semantic awareness,
IEEE/CAA J. Automatica Sinica 9(12), 2022. The part of the file that registers the images is not used: pairs are
registered.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import Named, convolution

DIRECTIONS = ("up", "right", "down", "left")
PUBLISHED = Published(
    title="SuperFusion",
    year=2022,
    source="github.com/Linfeng-Tang/SuperFusion",
    licence="MIT",
    files=(File(path="checkpoint/MSRS.pth"), File(path="checkpoint/RoadScene.pth")),
    marks={"": "SAM.irnn1.up_weight.weight"},
    unused=r"^SAM\.attention_layer\.",
)


@register(
    "superfusion",
    spec=parts.luma(),
    paper="https://doi.org/10.1109/JAS.2022.106082",
    published=PUBLISHED,
    small={"width": 2},
)
class SuperFusion(nn.Module):
    """SuperFusion: a mask from recurrences in four directions mixes the features (Tang et al. 2022).

    Parameters
    ----------
    width: channels of the first layer (8 in the paper).
    as_published: give the authors' script's picture: its colours, rounded to 8 bits.
    """

    def __init__(self, width: int = 8, as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        self.encoder_ir, self.encoder_vi = (_layers(1, width, 2 * width, 2 * width, 4 * width) for _ in range(2))
        self.SAM = Mask(4 * width)
        self.decoder = _layers(4 * width, 2 * width, 2 * width, width, 1)

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        y, cr, cb = scripts.split(visible, clip=True)
        return scripts.rounded(scripts.joined(self.raw(y, infrared), cr, cb))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, 0 to 1 out."""
        of_infrared, of_visible = infrared, visible
        for layer_infrared, layer_visible in zip(self.encoder_ir, self.encoder_vi, strict=True):
            of_infrared, of_visible = leaky_relu(layer_infrared(of_infrared)), leaky_relu(layer_visible(of_visible))
        x = parts.mixed(of_infrared, of_visible, self.SAM(torch.cat([of_infrared, of_visible], 1)))
        for layer in self.decoder[:-1]:
            x = leaky_relu(layer(x))
        return self.decoder[-1](x).tanh() / 2 + 0.5


class Mask(nn.Module):
    """How much of infrared's features is kept; in no fixed range, as the authors' code leaves a sigmoid out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_in, self.conv2, self.conv3, self.conv_out = (
            _layer(into, width) for into in (2 * width, 4 * width, 4 * width, width)
        )
        self.irnn1, self.irnn2 = Recurrence(width), Recurrence(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.irnn2(self.conv2(self.irnn1(self.conv_in(x))))
        return self.conv_out(leaky_relu(self.conv3(x)))


class Recurrence(nn.Module):
    """Along columns and rows, both ways: max(0, weight × the pixel before + bias + the pixel)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        for name in DIRECTIONS:
            self.add_module(f"{name}_weight", nn.Conv2d(width, width, 1, groups=width))

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, 4c, h, w)."""
        return torch.cat([self.along(name, x) for name in DIRECTIONS], 1)

    def along(self, name: str, x: Tensor) -> Tensor:
        """One direction."""
        dim = -2 if name in ("up", "down") else -1
        lines = list(x.unbind(dim))
        factors = dict(self.get_submodule(f"{name}_weight").named_parameters())
        weight, bias = factors["weight"].view(-1, 1), factors["bias"].view(-1, 1)
        backwards = name in ("up", "left")
        found = [relu(lines[-1 if backwards else 0])]
        for line in lines[-2::-1] if backwards else lines[1:]:
            found.append(relu(weight * found[-1] + bias + line))
        return torch.stack(found[::-1] if backwards else found, dim)


def _layers(*channels: int) -> nn.ModuleList:
    return nn.ModuleList(_layer(into, out) for into, out in pairwise(channels))


def _layer(into: int, out: int) -> nn.Module:
    return Named("model", nn.Sequential(convolution(into, out)))
