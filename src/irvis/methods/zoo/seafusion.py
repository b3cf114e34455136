"""SeAFusion: dense blocks beside learned gradients, trained together with a segmentation network.

Tang, Yuan & Ma, Image fusion in the loop of high-level vision tasks, Information Fusion 82, 2022.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import convolution

PUBLISHED = Published(
    title="SeAFusion",
    year=2022,
    source="github.com/Linfeng-Tang/VIF-Benchmark",
    licence="MIT (the licence file of the collection; the network's own repository has none)",
    files=(
        File(
            path="Checkpoint/SeAFusion/SeAFusion.pth",
            sha256="8d65a7f9a50f36349803368cf9920f40420776995e7e8cc8a56d8d30e499431d",
            size=682043,
        ),
    ),
    marks={"": "vis_rgbd1.sobelconv.convx.weight"},
    unused=r"^decode\d\.bn\.",
)


@register(
    "seafusion",
    spec=parts.luma(reach=9),
    paper="https://doi.org/10.1016/j.inffus.2021.12.004",
    published=PUBLISHED,
    small={"width": 4},
)
class SeAFusion(nn.Module):
    """SeAFusion: gradient residual dense blocks, trained for segmentation (Tang et al. 2022).

    Parameters
    ----------
    width: channels of the first layer (16 in the paper).
    as_published: give the authors' script's picture: its colours, stretched from black to white, cut to 8 bits.
    """

    def __init__(self, width: int = 16, as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        for side in ("vis", "inf"):
            self.add_module(f"{side}_conv", convolution(1, width, name="conv"))
            self.add_module(f"{side}_rgbd1", Block(width, 2 * width))
            self.add_module(f"{side}_rgbd2", Block(2 * width, 3 * width))
        channels = (6 * width, 4 * width, 2 * width, width)
        self.decode4, self.decode3, self.decode2 = (
            convolution(into, out, name="conv") for into, out in pairwise(channels)
        )
        self.decode1 = convolution(width, 1, name="conv")

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        y, cr, cb = scripts.split(visible)
        return scripts.truncated(scripts.stretched(scripts.joined(self.raw(y, infrared), cr, cb)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, 0 to 1 out."""
        fused = torch.cat([self._encoded(visible, "vis"), self._encoded(infrared, "inf")], 1)
        for layer in (self.decode4, self.decode3, self.decode2):
            fused = leaky_relu(layer(fused), 0.2)
        return self.decode1(fused).tanh() / 2 + 0.5

    def _encoded(self, image: Gray, side: str) -> Tensor:
        first = leaky_relu(self.get_submodule(f"{side}_conv")(image), 0.2)
        return self.get_submodule(f"{side}_rgbd2")(self.get_submodule(f"{side}_rgbd1")(first))


class Block(nn.Module):
    """Gradient residual dense block: two dense layers beside the magnitude of a learned gradient."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        dense = {f"conv{n}": convolution(n * into, into, name="conv") for n in (1, 2)}
        self.dense = nn.ModuleDict(dense)
        self.convdown, self.convup = (convolution(n * into, out, 1, name="conv") for n in (3, 1))
        slopes = {name: convolution(into, into, groups=into, bias=False) for name in ("convx", "convy")}
        self.sobelconv = nn.ModuleDict(slopes)

    def forward(self, x: Tensor) -> Tensor:
        dense = x
        for name in ("conv1", "conv2"):
            dense = torch.cat([dense, leaky_relu(self.dense[name](dense), 0.2)], 1)
        gradient = self.sobelconv["convx"](x).abs() + self.sobelconv["convy"](x).abs()
        return leaky_relu(self.convdown(dense) + self.convup(gradient), 0.1)
