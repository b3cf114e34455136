"""Dual-branch network: an auto-encoder with a branch for detail and one, three times halved, for meaning.

Fu & Wu, A dual-branch network for infrared and visible image fusion, ICPR 2020.
"""

from math import log
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, softplus

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import convolution

PUBLISHED = Published(
    title="Dual-branch",
    year=2020,
    source="github.com/thfylsty/ImageFusion_Dualbranch_Fusion",
    licence="none stated",
    files=(
        File(
            path="weights/best.pkl",
            sha256="4c20ef2b2c70f38c3d6564eb1015bc9ad8ace819c2cfcbd1160b960abea68788",
            size=1132432,
        ),
    ),
    marks={"": "encoder.Conv_d.weight"},
)


@register(
    "dualbranch",
    spec=parts.luma(),
    paper="https://arxiv.org/abs/2101.09643",
    published=PUBLISHED,
    small={"width": 16},
)
class DualBranch(nn.Module):
    """Dual-branch network: an auto-encoder with a branch for detail and one for meaning (Fu & Wu 2020).

    Parameters
    ----------
    width: channels of a dense layer (16 in the paper).
    fusion: of the features: weighted by activity ("l1"), added ("add"), or weighted per "channel", which leaves [0, 1]
        far behind where means have opposite signs.
    as_published: give the authors' script's picture: gray, cast to 8 bits, so that values below black become white.
    """

    def __init__(
        self, width: int = 16, fusion: Literal["l1", "add", "channel"] = "l1", as_published: bool = False
    ) -> None:
        super().__init__()
        self.fusion, self.as_published = fusion, as_published
        dense = {f"DenseConv{n}": convolution(n * width, width) for n in (1, 2, 3)}
        halving = ((2, 4), (4, 8), (8, 4))
        self.encoder = nn.ModuleDict(
            {
                "Conv1": convolution(1, 2 * width),
                "Conv_d": convolution(2 * width, width),
                "layers": nn.ModuleDict(dense),
                **{
                    f"Conv{n}": convolution(a * width, b * width, stride=2) for n, (a, b) in enumerate(halving, start=2)
                },
            }
        )
        ways = (8, 4, 2, 1)
        layers = {f"Conv{n + 2}": convolution(ways[n] * width, ways[n + 1] * width) for n in range(3)}
        self.decoder = nn.ModuleDict({"layers": nn.ModuleDict({**layers, "Conv5": convolution(width, 1)})})

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        return scripts.threefold(scripts.wrapped(self.raw(scripts.pillow_gray(visible), infrared)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, values of no fixed range out."""
        x = self._mixed(self._encoded(infrared), self._encoded(visible))
        layers = self.decoder["layers"]
        for name in ("Conv2", "Conv3", "Conv4"):
            x = _bent(layers.get_submodule(name)(x))
        return layers.get_submodule("Conv5")(x)

    def _encoded(self, image: Gray) -> Tensor:
        of = self.encoder
        x = _bent(of["Conv1"](image))
        detail = _bent(of["Conv_d"](x))
        for name in ("DenseConv1", "DenseConv2", "DenseConv3"):
            detail = torch.cat([detail, _bent(of["layers"].get_submodule(name)(detail))], 1)
        meaning = x
        for name in ("Conv2", "Conv3", "Conv4"):
            meaning = _bent(of[name](meaning))
        eightfold = [8 * length for length in meaning.shape[-2:]]
        for size in (eightfold, list(image.shape[-2:])):
            meaning = interpolate(meaning, size, mode="bilinear", align_corners=True)
        return torch.cat([detail, meaning], 1)

    def _mixed(self, a: Tensor, b: Tensor) -> Tensor:
        if self.fusion == "add":
            return (a + b) / 2
        of = parts.activity if self.fusion == "l1" else _mean
        return parts.mixed(a, b, parts.share(of(a), of(b)))


def _mean(features: Tensor) -> Tensor:
    return features.mean((2, 3), keepdim=True)


def _bent(x: Tensor) -> Tensor:
    """The network's activation: a soft ReLU through 0."""
    return (softplus(2 * x) - log(2)) / 2
