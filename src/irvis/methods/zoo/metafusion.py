"""MetaFusion: a network of weights for the brightness of both images, trained with features of a detector.

Zhao, Xie, Zhao, He & Lu, MetaFusion: infrared and visible image fusion via meta-feature embedding from object
detection, CVPR 2023.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ...color import value, with_value
from ...registry import Spec, register
from ...spec import File, Published
from ...types import RGB, Gray
from . import parts, scripts
from .parts import convolution

SIZE = [384, 512]
"""Height and width of every picture that the script makes."""
PUBLISHED = Published(
    title="MetaFusion",
    year=2023,
    source="github.com/wdzhao123/MetaFusion",
    licence="none stated",
    files=(File(path="weight/model_weight.pth"),),
    marks={"": "block1.0.conv1_0_00.weight"},
)


def _spec(as_published: bool = False, **_: object) -> Spec:
    return Spec(domain="rgb") if as_published else Spec(domain="rgb", reach=14, budget=parts.BUDGET)


@register(
    "metafusion",
    spec=_spec,
    paper="https://openaccess.thecvf.com/content/CVPR2023/html/"
    "Zhao_MetaFusion_Infrared_and_Visible_Image_Fusion_via_Meta-Feature_Embedding_From_CVPR_2023_paper.html",
    published=PUBLISHED,
    small={"width": 4},
)
class MetaFusion(nn.Module):
    """MetaFusion: weights for the brightness of both images, trained with a detector (Zhao et al. 2023).

    Parameters
    ----------
    width: channels of the first layer (64 in the paper).
    as_published: give the authors' script's picture, made at 512×384 (here brought back to its size), of 8 bits; the
        script also rounds hue and saturation, and saves JPEG files.
    """

    def __init__(self, width: int = 64, as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        sizes = ((4, width), (2 * width, 2 * width), (4 * width, 2 * width))
        self.block1 = nn.ModuleList(_block(into, out) for into, out in sizes)
        ways = (4 * width, *([2 * width] * 4), width)
        layers = [layer for n in range(5) for layer in (convolution(ways[n], ways[n + 1]), nn.ReLU())]
        self.block2 = nn.Sequential(*layers, nn.Conv2d(width, 2, 1), nn.Sigmoid())

    def forward(self, visible: RGB, infrared: Gray) -> RGB:
        """Fuse RGB and infrared in [0, 1]."""
        if not self.as_published:
            return with_value(visible, self.brightness(visible, infrared).clamp(0, 1))
        of_visible, of_infrared = (scripts.resized(image, SIZE) for image in (visible, infrared))
        coloured = scripts.resized(visible, SIZE, antialias=False)
        fused = scripts.truncated(_sum(self.raw(of_visible, of_infrared), value(coloured), of_infrared))
        return scripts.resized(scripts.rounded(with_value(coloured, fused)), list(visible.shape[-2:]))

    def brightness(self, visible: RGB, infrared: Gray) -> Gray:
        """The fused brightness: the largest of the colours of a pixel, and infrared, each times its weight."""
        return _sum(self.raw(visible, infrared), value(visible), infrared)

    def raw(self, visible: RGB, infrared: Gray) -> Tensor:
        """The authors' network: 0 to 1 in, weights of infrared and of visible brightness out: (b, 2, h, w)."""
        x = torch.cat([infrared, visible], 1)
        block: Any
        for block in self.block1:
            x = relu(block["conv1_2"](relu(block["conv1_1"](x))))
            x = torch.cat([relu(block[name](x)) for name in ("conv1_0_00", "conv1_0_01")], 1)
        return self.block2(x)


def _sum(weights: Tensor, brightness: Gray, infrared: Gray) -> Gray:
    return weights[:, :1] * infrared + weights[:, 1:] * brightness


def _block(into: int, out: int) -> nn.ModuleDict:
    after = {name: convolution(out, out) for name in ("conv1_2", "conv1_0_00", "conv1_0_01")}
    return nn.ModuleDict({"conv1_1": convolution(into, out), **after})
