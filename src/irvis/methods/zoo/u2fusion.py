"""U2Fusion: a dense network trained to keep of each source what carries information, for several kinds of fusion.

Xu, Ma, Jiang, Guo & Ling, U2Fusion: a unified unsupervised image fusion network, IEEE TPAMI 44(1), 2022. The file
is an unofficial PyTorch version, trained on exposures only.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import leaky_relu

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import Named, convolution

PUBLISHED = Published(
    title="U2Fusion",
    year=2022,
    source="github.com/ytZhang99/U2Fusion-pytorch",
    licence="none stated",
    files=(
        File(
            path="model/model.pth",
            sha256="05e8fc40ba96055178a76880ec89a079bd4ad1e93db5d711457baba61cfcd77e",
            size=2669170,
        ),
    ),
    marks={"": "dense_layers.4.conv.0.weight"},
)


@register(
    "u2fusion",
    spec=parts.luma(reach=10),
    paper="https://doi.org/10.1109/TPAMI.2020.3012548",
    published=PUBLISHED,
    small={"width": 4},
)
class U2Fusion(nn.Module):
    """U2Fusion: one dense network for several kinds of fusion (Xu et al. 2022; unofficial PyTorch version).

    Parameters
    ----------
    width: channels of a dense layer (44 in the paper).
    as_published: give the script's picture: colours of both images mixed in OpenCV's YCrCb, cut to 8 bits.
    """

    def __init__(self, width: int = 44, as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        self.conv_1 = nn.Sequential(convolution(2, width))
        dense = (Named("conv", nn.Sequential(convolution(n * width, width))) for n in range(1, 6))
        self.dense_layers = nn.ModuleList(dense)
        channels = (6 * width, 3 * width - 4, 3 * width // 2 - 2, 3 * width // 4 - 1)  # 264, 128, 64, 32
        steps = (nn.Sequential(convolution(a, b)) for a, b in pairwise(channels))
        self.sub = nn.ModuleList([*steps, convolution(channels[-1], 1)])

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return (self.raw(2 * visible - 1, 2 * infrared - 1) + 1) / 2
        of_visible, of_infrared = (
            [2 * part - 1 for part in scripts.opencv_ycrcb(x)] for x in (visible, scripts.threefold(infrared))
        )
        weights = [[x.abs() + 1e-8 for x in of[1:]] for of in (of_visible, of_infrared)]
        chroma = [
            (a * x + b * y).div(a + b).clamp(-1, 1)
            for x, y, a, b in zip(of_visible[1:], of_infrared[1:], *weights, strict=True)
        ]
        fused = [scripts.truncated((x + 1) / 2) for x in (self.raw(of_visible[0], of_infrared[0]), *chroma)]
        return scripts.opencv_rgb(fused[0], fused[1], fused[2])

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: -1 to 1 in and out; the order matters."""
        x = leaky_relu(self.conv_1(torch.cat([visible, infrared], 1)), 0.2)
        for layer in self.dense_layers:
            x = torch.cat([x, leaky_relu(layer(x), 0.2)], 1)
        for layer in self.sub[:-1]:
            x = leaky_relu(layer(x), 0.2)
        return self.sub[-1](x).tanh()
