"""TarDAL: a dense network trained against two discriminators, one for targets and one for detail.

Liu et al., Target-aware dual adversarial learning and a multi-scenario multi-modality benchmark to fuse infrared and
visible for object detection, CVPR 2022.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...registry import Spec, register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import convolution

Statistics = Literal["running", "picture"]
PUBLISHED = Published(
    title="TarDAL",
    year=2022,
    source="github.com/Linfeng-Tang/VIF-Benchmark",
    licence="MIT (the licence file of the collection); the authors' code is under the GPL 3.0",
    files=(
        File(
            path="Checkpoint/TarDAL/tardal.pt",
            sha256="e0fa61e25cffa9fb14ff17b47ea7ba237a6e8c6f37e1b9b115d63354ff0f13e1",
            size=1203451,
            options={"statistics": "picture"},
        ),
        File(
            path="Checkpoint/TarDAL/tardal+.pt",
            sha256="cff3756548b511e3e415616debc557cdc85b3bb19393ca158cac8d08f232897c",
            size=1201819,
        ),
    ),
    marks={"": "fuse.3.0.weight"},
)


def _spec(statistics: Statistics = "running", as_published: bool = False, **_: object) -> Spec:
    reach = 8 if statistics == "running" else None
    return parts.spec(Spec(domain="luma", reach=reach, budget=parts.BUDGET), as_published)


@register(
    "tardal",
    spec=_spec,
    paper="https://arxiv.org/abs/2203.16220",
    published=PUBLISHED,
    small={"width": 16},
)
class TarDAL(nn.Module):
    """TarDAL: a dense network trained against discriminators of targets and of detail (Liu et al. 2022).

    Parameters
    ----------
    width: channels of a dense layer (32 in the paper).
    statistics: what normalises the features: "running" statistics in the file, or those of each "picture", with which
        the authors run tardal.pt.
    as_published: give the authors' script's picture: gray by OpenCV, its colours, cut to 8 bits.
    """

    def __init__(self, width: int = 32, statistics: Statistics = "running", as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        self.encoder = Normalised(2, width, statistics)
        self.dense = nn.ModuleList(Normalised(n * width, width, statistics) for n in (1, 2, 3))
        self.fuse = nn.Sequential(
            nn.Sequential(convolution(4 * width, 4 * width), nn.ReLU()),
            Normalised(4 * width, 2 * width, statistics),
            Normalised(2 * width, width, statistics),
            nn.Sequential(convolution(width, 1), nn.Tanh()),
        )

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        fused = scripts.truncated(self.raw(scripts.opencv_gray(visible), infrared))
        _, cr, cb = scripts.opencv_ycrcb(visible)
        return scripts.opencv_rgb(fused, cr, cb)

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, -1 to 1 out."""
        stack = self.encoder(torch.cat([infrared, visible], 1))
        for layer in self.dense:
            stack = torch.cat([stack, layer(stack)], 1)
        return self.fuse(stack)


class Normalised(nn.Sequential):
    """Convolution, normalisation, ReLU."""

    def __init__(self, into: int, out: int, statistics: Statistics) -> None:
        super().__init__(convolution(into, out), nn.BatchNorm2d(out))
        self.statistics = statistics

    def forward(self, x: Tensor) -> Tensor:
        norm: Any = self[1]
        x = self[0](x)
        if self.statistics == "running":
            return functional.relu(norm(x))
        return functional.relu(functional.instance_norm(x, weight=norm.weight, bias=norm.bias, eps=norm.eps))
