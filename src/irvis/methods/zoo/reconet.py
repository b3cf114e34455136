"""ReCoNet: three passes of one small network, each correcting the fused image of the pass before.

Huang et al., ReCoNet: recurrent correction network for fast and efficient multi-modality image fusion, ECCV 2022.
"""

import torch
from torch import nn

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import convolution

PUBLISHED = Published(
    title="ReCoNet",
    year=2022,
    source="github.com/dlut-dimt/ReCoNet",
    licence="MIT",
    files=(
        File(
            path="archive/params.pth",
            sha256="d4f013c85e48d10d4f6c8b6574f16e4fe9cb5df48c77fc17c1e524f04bb3c290",
            size=40395,
        ),
    ),
    marks={"": "dil_conv_3.0.weight"},
)


@register(
    "reconet",
    spec=parts.luma(reach=15),
    paper="https://doi.org/10.1007/978-3-031-19797-0_31",
    published=PUBLISHED,
    small={"width": 4},
)
class ReCoNet(nn.Module):
    """ReCoNet: one small network corrects its own fused image three times (Huang et al. 2022).

    The part that registers the images is not used here: pairs are registered.

    Parameters
    ----------
    width: channels of a branch (64 in the paper).
    steps: passes of the network (3 in the paper).
    as_published: give the authors' script's picture: gray, rounded to 8 bits.
    """

    def __init__(self, width: int = 64, steps: int = 3, as_published: bool = False) -> None:
        super().__init__()
        self.steps, self.as_published = steps, as_published
        self.att_a_conv, self.att_b_conv = (convolution(2, 1, bias=False) for _ in range(2))
        self.dil_conv_1, self.dil_conv_2, self.dil_conv_3 = (
            nn.Sequential(convolution(3, width, dilation=n), nn.BatchNorm2d(width), nn.ReLU()) for n in (1, 2, 3)
        )
        self.fus_conv = nn.Sequential(convolution(3 * width, 1), nn.BatchNorm2d(1), nn.Tanh())

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        return scripts.threefold(scripts.rounded(self.raw(scripts.read_gray(visible), infrared)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, -1 to 1 out."""
        fused = torch.maximum(infrared, visible)
        for _ in range(self.steps):
            of_infrared = infrared * _attention(self.att_a_conv, infrared, fused)
            of_visible = visible * _attention(self.att_b_conv, visible, fused)
            three = torch.cat([of_infrared, fused, of_visible], 1)
            branches = [branch(three) for branch in (self.dil_conv_1, self.dil_conv_2, self.dil_conv_3)]
            fused = self.fus_conv(torch.cat(branches, 1))
        return fused


def _attention(layer: nn.Module, image: Gray, fused: Gray) -> Gray:
    both = torch.cat([image, fused], 1)
    return layer(torch.cat([both.amax(1, keepdim=True), both.mean(1, keepdim=True)], 1)).sigmoid()
