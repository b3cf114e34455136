"""DenseFuse: a densely connected auto-encoder; the features of both images are added.

Li & Wu, DenseFuse: a fusion approach to infrared and visible images, IEEE Trans. Image Processing 28(5), 2019.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ...color import gray
from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import Named, convolution


def _options(state: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"planes": state["conv1.conv2d.weight"].shape[1]}


PUBLISHED = Published(
    title="DenseFuse",
    year=2019,
    source="github.com/hli1221/densefuse-pytorch",
    licence="none stated",
    files=(
        File(
            path="models/densefuse_gray.model",
            sha256="b34cf3650f04161b31ac2467decfeedf7eba39165b7618f846e0f298ecd2ac65",
            size=300413,
        ),
        File(
            path="models/densefuse_rgb.model",
            sha256="d1829f47c0ff02ecfc294907655384eebc911a00deb89b91e354ae47c8728ea5",
            size=302727,
        ),
    ),
    marks={"": "DB1.denseblock.2.dense_conv.conv2d.weight"},
    options=_options,
)


@register(
    "densefuse",
    spec=parts.luma(reach=9, least=2),
    paper="https://arxiv.org/abs/1804.08361",
    published=PUBLISHED,
    small={"width": 4},
)
class DenseFuse(nn.Module):
    """DenseFuse: a densely connected auto-encoder whose features are added (Li & Wu 2019).

    Parameters
    ----------
    width: channels of a dense layer (16 in the paper).
    planes: channels of the images, 1 or 3; the file tells.
    fusion: of the features: their "mean" (what the authors' PyTorch code does), weighted by the "l1" norm of each
        pixel, or by its "softmax", for features of images in [0, 1].
    as_published: give the authors' script's picture: gray, or the fused channels where there are three, cut to 8 bits.
    """

    def __init__(
        self,
        width: int = 16,
        planes: Literal[1, 3] = 1,
        fusion: Literal["mean", "l1", "softmax"] = "mean",
        as_published: bool = False,
    ) -> None:
        super().__init__()
        self.planes, self.fusion, self.as_published = planes, fusion, as_published
        self.conv1 = _layer(planes, width)
        dense = (Named("dense_conv", _layer(n * width, width)) for n in (1, 2, 3))
        self.DB1 = Named("denseblock", nn.ModuleList(dense))
        self.conv2, self.conv3 = _layer(4 * width, 4 * width), _layer(4 * width, 2 * width)
        self.conv4, self.conv5 = _layer(2 * width, width), _layer(width, planes)

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if self.as_published and self.planes == 1:
            visible = scripts.pillow_gray(visible)
        fused = self.raw(*(255 * image.expand(-1, self.planes, -1, -1) for image in (visible, infrared))) / 255
        if not self.as_published:
            return gray(fused)
        return scripts.truncated(fused).expand(-1, 3, -1, -1)

    def raw(self, visible: Image, infrared: Image) -> Image:
        """The authors' network: 0 to 255 in and out."""
        fused = self._mixed(self._encoded(visible), self._encoded(infrared))
        for layer in (self.conv2, self.conv3, self.conv4, self.conv5):
            fused = relu(layer(fused))
        return fused

    def _encoded(self, image: Image) -> Tensor:
        stack = relu(self.conv1(image))
        layer: Any
        for layer in self.DB1.get_submodule("denseblock").children():
            stack = torch.cat([stack, relu(layer(stack))], 1)
        return stack

    def _mixed(self, a: Tensor, b: Tensor) -> Tensor:
        if self.fusion == "mean":
            return (a + b) / 2
        if self.fusion == "l1":
            return parts.mixed(a, b, parts.share(*(x.abs().sum(1, keepdim=True) for x in (a, b))))
        return parts.mixed(a, b, (a.sum(1, keepdim=True) - b.sum(1, keepdim=True)).sigmoid())


def _layer(into: int, out: int) -> nn.Module:
    return convolution(into, out, name="conv2d", padding_mode="reflect")
