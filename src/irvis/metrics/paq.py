"""PaQ-2-PiQ: the quality that people would give a picture, as a network learned it from 40,000 rated photographs.

Ying et al., From Patches to Pictures (PaQ-2-PiQ): Mapping the Perceptual Space of Picture Quality, CVPR 2020; network
and weights: github.com/baidut/PaQ-2-PiQ. The weights are the authors' and do not come with irvis: `load(path)` reads
them and gives the metric. It knows visible photographs only: it has seen no infrared and no fused image.
"""

import codecs
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..convert import read
from ..errors import IrvisError
from ..types import RGB, Picture
from .maps import SMALLEST, Values

STRIDE = 32
"""Pixels per feature of ResNet-18."""
CELLS = 2
"""The features of a box become CELLS × CELLS."""
SOURCE = "the authors publish RoIPoolModel-fit.10.bs.120.pth at https://github.com/baidut/PaQ-2-PiQ/releases"
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


def load(path: str | Path) -> Callable[[Picture, Picture, Picture], Values]:
    """PaQ-2-PiQ with the authors' weights in `path`: a function (fused, visible, infrared) → (b,).

    It gives the score of the whole fused picture, about 0 (bad) to 100 (excellent), not clipped, in float64 from a
    float32 network; the sources are not looked at. The picture is rounded to 8 bits, gray becomes three equal channels,
    size and values stay as they are (the authors take no mean and deviation off). A flat picture has a score, too.

    Raises
    ------
    IrvisError: no such file, not a checkpoint of tensors, or one of another network.
    """
    network = RoIPoolModel()
    _fill(network, Path(path))
    network.eval().requires_grad_(False)

    def paq2piq(fused: Picture, visible: Picture, infrared: Picture) -> Values:
        if min(fused.shape[-2:]) < SMALLEST:
            raise ValueError(f"PaQ-2-PiQ needs at least {SMALLEST}×{SMALLEST} pixels, not {tuple(fused.shape[-2:])}")
        whole = (fused.double() * 255 + 0.5).floor().clamp(0, 255).float() / 255
        network.to(fused.device)
        with torch.no_grad():
            scores: Tensor = network(whole.expand(-1, 3, -1, -1)).double()
        return scores

    return paq2piq


def _fill(network: nn.Module, path: Path) -> None:
    """Load the authors' checkpoint; beside its tensors only NumPy numbers (learning rates) may be in it."""
    if not path.is_file():
        raise IrvisError(f"{path}: no such file; {SOURCE}")
    number: Any = type(np.float64(0).dtype)
    allowed = [
        (np.float64(0).__reduce__()[0], "numpy.core.multiarray.scalar"),
        np.float64(0).__reduce__()[0],
        np.dtype,
        number,
        codecs.encode,
    ]
    with torch.serialization.safe_globals(allowed):
        state = read(path)
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as problem:
        what = " ".join(line.strip() for line in str(problem).split("\n")[1:])
        raise IrvisError(f"{path}: not the weights of PaQ-2-PiQ; {SOURCE} ({what[:200]})") from problem


class RoIPoolModel(nn.Module):
    """ResNet-18 without its classifier, the largest features of the picture's quarters, and two layers on those.

    Names and order of the parts are those of the published checkpoint (body.0 … body.7, head.0 … head.8).
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = resnet18()
        self.head = nn.Sequential(
            LargestAndMean(),
            nn.Flatten(),
            nn.BatchNorm1d(1024),
            nn.Dropout(0.25),
            nn.Linear(1024, 512),
            nn.ReLU(),
            nn.BatchNorm1d(512),
            nn.Dropout(0.5),
            nn.Linear(512, 1),
        )

    def forward(self, image: RGB) -> Tensor:
        """Scores of whole pictures, (b,)."""
        height, width = image.shape[-2:]
        pooled = pool_box(self.body(image), (0, 0, width, height))
        return self.head(pooled).squeeze(1)


class LargestAndMean(nn.Module):
    """(b, c, h, w) → (b, 2c, 1, 1): the largest of each channel, then its mean."""

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([features.amax((2, 3), keepdim=True), features.mean((2, 3), keepdim=True)], dim=1)


class Residual(nn.Module):
    """Two 3×3 convolutions beside a shortcut (He et al., 2016)."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.downsample: nn.Sequential | None = None
        if stride > 1:
            shortcut = nn.Conv2d(inside, outside, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outside))

    def forward(self, features: Tensor) -> Tensor:
        residue = self.bn2(self.conv2(self.bn1(self.conv1(features)).relu()))
        shortcut = features if self.downsample is None else self.downsample(features)
        return (residue + shortcut).relu()


def resnet18() -> nn.Sequential:
    """(b, 3, h, w) → (b, 512, ⌈h/32⌉, ⌈w/32⌉)."""
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    stages = [
        nn.Sequential(Residual(inside, outside, stride), Residual(outside, outside, 1))
        for inside, outside, stride in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2))
    ]
    return nn.Sequential(*stem, *stages)


def pool_box(features: Tensor, box: Box) -> Tensor:
    """RoIPool (Girshick, Fast R-CNN, 2015) of one box: (b, c, h, w) → (b, c, CELLS, CELLS), the largest of each cell.

    The box is rounded to whole features, both ends included, and cut into cells that may overlap by one feature; cells
    end where the features end, and a cell without any is 0.
    """
    left, top, right, bottom = (math.floor(side / STRIDE + 0.5) for side in box)
    rows = _cells(top, bottom, features.shape[-2])
    columns = _cells(left, right, features.shape[-1])
    cells = [features[..., row, column] for row in rows for column in columns]
    largest = [cell.amax((2, 3)) if cell.numel() else features.new_zeros(features.shape[:2]) for cell in cells]
    return torch.stack(largest, dim=-1).unflatten(-1, (CELLS, CELLS))


def _cells(first: int, last: int, count: int) -> list[slice]:
    size = max(last - first + 1, 1) / CELLS
    ends = [(math.floor(n * size), math.ceil((n + 1) * size)) for n in range(CELLS)]
    return [slice(min(max(first + a, 0), count), min(max(first + b, 0), count)) for a, b in ends]
