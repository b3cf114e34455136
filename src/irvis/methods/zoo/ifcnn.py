"""IFCNN: one network for any kind of fusion; the features of the sources are combined element by element.

Zhang et al., IFCNN: a general image fusion framework based on convolutional neural network, Information Fusion 54,
2020.
"""

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ...color import gray
from ...registry import register
from ...spec import File, Published
from ...types import RGB, Gray, Image
from . import parts, scripts
from .parts import convolution

Rule = Literal["max", "sum", "mean"]
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's channels."""
FILES = {
    "max": (337094, "6022b44c88a2f0367ba9b08fcdf0d663745d9a966fca0ee1f41867797b6ff53f"),
    "sum": (337107, "a8c1d293f1bf16a93e6244a4bf8f7a7bd300dc10555c8597ad7ef3320b0410cb"),
    "mean": (337079, "fd2ee9361f1d428fc9749e28e8a2c5c5ef6ce6528ab6f5ad8ef5def42e7ffa4b"),
}
PUBLISHED = Published(
    title="IFCNN",
    year=2020,
    source="github.com/uzeful/IFCNN",
    licence="none stated",
    files=tuple(
        File(path=f"Code/snapshots/IFCNN-{rule.upper()}.pth", sha256=digest, size=size, options={"fusion": rule})
        for rule, (size, digest) in FILES.items()
    ),
    marks={"": "conv3.bn.weight"},
)


@register(
    "ifcnn",
    spec=parts.luma(reach=5),
    paper="https://doi.org/10.1016/j.inffus.2019.07.011",
    published=PUBLISHED,
    small={"width": 16},
)
class IFCNN(nn.Module):
    """IFCNN: features of both images combined element by element, one network for any fusion (Zhang et al. 2020).

    Parameters
    ----------
    width: channels of every layer (64 in the paper).
    fusion: how features are combined; each file is trained for one, which its name tells.
    normalised: give the network ImageNet's scale, as the authors do with colour.
    as_published: give the authors' script's picture: gray; with `normalised` the colours of the fused channels.
    """

    def __init__(
        self, width: int = 64, fusion: Rule = "max", normalised: bool = False, as_published: bool = False
    ) -> None:
        super().__init__()
        self.fusion, self.normalised, self.as_published = fusion, normalised, as_published
        same = partial(convolution, bias=False, padding_mode="replicate")
        self.conv1 = same(3, width, 7)
        self.conv2, self.conv3 = (
            nn.ModuleDict({"conv": same(width, width), "bn": nn.BatchNorm2d(width)}) for _ in range(2)
        )
        self.conv4 = nn.Conv2d(width, 3, 1)

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return gray(self._fused(scripts.threefold(visible), scripts.threefold(infrared)))
        if self.normalised:
            return scripts.truncated(self._fused(visible, scripts.threefold(infrared)))
        seen = scripts.threefold(scripts.pillow_gray(visible))
        fused = scripts.truncated(self._fused(seen, scripts.threefold(infrared)))
        return scripts.threefold(scripts.opencv_gray(fused))

    def _fused(self, visible: RGB, infrared: RGB) -> RGB:
        if not self.normalised:
            return self.raw(visible, infrared)
        mean, spread = (visible.new_tensor(x).view(3, 1, 1) for x in (MEAN, SPREAD))
        return self.raw((visible - mean) / spread, (infrared - mean) / spread) * spread + mean

    def raw(self, visible: RGB, infrared: RGB) -> RGB:
        """The authors' network: three channels of one scale in and out."""
        of_visible, of_infrared = self._features(visible), self._features(infrared)
        fused = torch.maximum(of_visible, of_infrared) if self.fusion == "max" else of_visible + of_infrared
        return self.conv4(_block(self.conv3, fused / 2 if self.fusion == "mean" else fused))

    def _features(self, image: RGB) -> Tensor:
        return _block(self.conv2, self.conv1(image))


def _block(layers: nn.ModuleDict, x: Tensor) -> Tensor:
    return relu(layers["bn"](layers["conv"](x)))
