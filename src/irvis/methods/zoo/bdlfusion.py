"""BDLFusion: dilated dense blocks, trained at two levels with the tasks that come after fusion.

Liu et al., Bi-level dynamic learning for jointly multi-modality image fusion and beyond, IJCAI 2023.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import convolution

PUBLISHED = Published(
    title="BDLFusion",
    year=2023,
    source="Google Drive, linked from github.com/LiuZhu-CV/BDLFusion",
    licence="MIT",
    files=(File(path="model_meta_50.pth"),),
    marks={"": "DRDB2.Dcov5.weight"},
)


@register(
    "bdlfusion",
    spec=parts.luma(reach=23),
    paper="https://arxiv.org/abs/2305.06720",
    published=PUBLISHED,
    small={"width": 4},
)
class BDLFusion(nn.Module):
    """BDLFusion: dilated dense blocks, trained at two levels (Liu et al. 2023).

    Parameters
    ----------
    width: channels of a dense layer (32 in the paper).
    as_published: give the authors' script's picture: its colours, stretched from black to white, cut to 8 bits.
    """

    def __init__(self, width: int = 32, as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        self.conv1 = convolution(2, 2 * width)
        self.DRDB1, self.DRDB2 = Block(width), Block(width)
        self.conv2, self.conv21 = convolution(2 * width, width), convolution(width, 1)
        self.relu = nn.PReLU()

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        y, cr, cb = scripts.split(visible)
        return scripts.truncated(scripts.stretched(scripts.joined(self.raw(y, infrared), cr, cb)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, values of no fixed range out."""
        x = self.relu(self.conv1(torch.cat([infrared, visible], 1)))
        for layer in (self.DRDB1, self.DRDB2):
            x = layer(x)
        return self.relu(self.conv21(self.relu(self.conv2(x))))


class Block(nn.ModuleDict):
    """Five dense layers with gaps between their taps, and a way around them."""

    def __init__(self, width: int) -> None:
        dense = {f"Dcov{n}": convolution((n + 1) * width, width, dilation=2) for n in range(1, 6)}
        super().__init__({**dense, "conv": nn.Conv2d(7 * width, 2 * width, 1)})

    def forward(self, x: Tensor) -> Tensor:
        stack = x
        for n in range(1, 6):
            stack = torch.cat([stack, relu(self[f"Dcov{n}"](stack))], 1)
        return x + relu(self["conv"](stack))
