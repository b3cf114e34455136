"""ResNet-ZCA: whitened features of an ImageNet network weigh the images.

Li, Wu & Durrani, Infrared and visible image fusion with ResNet and zero-phase component analysis, Infrared Physics &
Technology 102, 2019. Written from the paper; the authors' MATLAB code was not run. It takes ResNet-50 of another
conversion, whose activities differ somewhat.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, relu

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts

EPSILON = 1e-5
PUBLISHED = Published(
    title="ResNet-ZCA",
    year=2019,
    source="download.pytorch.org (torchvision's ResNet-50, trained on ImageNet)",
    licence="none stated for the method; torchvision is under the BSD 3-Clause licence",
    files=(File(path="models/resnet50-0676ba61.pth"), File(path="models/resnet50-11ad3fa6.pth")),
    marks={"": "layer3.5.bn3.running_var"},
    unused=r"^fc\.",
)


@register(
    "resnet-zca",
    spec=parts.luma(least=64),
    paper="https://arxiv.org/abs/1806.07119",
    published=PUBLISHED,
    small={"width": 4},
)
class ResNetZCA(nn.Module):
    """ResNet-ZCA: whitened features of ResNet-50 weigh the images (Li et al. 2019).

    The weights are computed without gradients; those of the result are the images' own.

    Parameters
    ----------
    width: channels of the first layer (64 in ResNet-50).
    stage: whose features are looked at, 4 or 5; the paper has both.
    as_published: as the authors' code: gray, rounded to 8 bits.
    """

    def __init__(self, width: int = 64, stage: Literal[4, 5] = 5, as_published: bool = False) -> None:
        super().__init__()
        self.stage, self.as_published = stage, as_published
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(width)
        into = width
        for n, depth in enumerate((3, 4, 6, 3)):
            inside = width << n
            first = Bottleneck(into, inside, 1 if n == 0 else 2)
            into = 4 * inside
            more = (Bottleneck(into, inside) for _ in range(depth - 1))
            self.add_module(f"layer{n + 1}", nn.Sequential(first, *more))

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        return scripts.threefold(scripts.rounded(self.raw(scripts.pillow_gray(visible), infrared)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The method: 0 to 1 in, 0 to 1 out."""
        with torch.no_grad():
            weight = parts.share(self._activity(visible), self._activity(infrared))
        return parts.mixed(visible, infrared, weight)

    def _activity(self, image: Gray) -> Tensor:
        x = max_pool2d(relu(self.bn1(self.conv1(scripts.threefold(image)))), 3, stride=2, padding=1)
        for n in range(1, self.stage):
            x = self.get_submodule(f"layer{n}")(x)
        total = whitened(x).abs().sum(1, keepdim=True)
        activity = avg_pool2d(total, 5, stride=1, padding=2)
        # The antialiased kernel is the cubic of MATLAB; enlarging, nothing is averaged.
        large = interpolate(activity.float(), image.shape[-2:], mode="bicubic", antialias=True)
        return large.clamp_min(0).to(image.dtype)


def whitened(features: Tensor) -> Tensor:
    """Each channel with its rows decorrelated (zero-phase component analysis); those of mean 0 as they are."""
    x = features.double()
    mean = x.mean((2, 3), keepdim=True)
    centred = x - mean
    values, vectors = torch.linalg.eigh(centred @ centred.transpose(-2, -1))
    scale = (values.clamp_min(0) + EPSILON).rsqrt()[..., None]
    white = vectors @ (scale * (vectors.transpose(-2, -1) @ centred))
    return torch.where(mean == 0, x, white)


class Bottleneck(nn.Module):
    """Three convolutions, normalised, and a way around; the second has the stride."""

    def __init__(self, into: int, inside: int, stride: int = 1) -> None:
        super().__init__()
        out = 4 * inside
        self.conv1, self.bn1 = nn.Conv2d(into, inside, 1, bias=False), nn.BatchNorm2d(inside)
        self.conv2 = nn.Conv2d(inside, inside, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inside)
        self.conv3, self.bn3 = nn.Conv2d(inside, out, 1, bias=False), nn.BatchNorm2d(out)
        around = (nn.Conv2d(into, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))
        self.downsample: Any = nn.Sequential(*around) if into != out or stride != 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        found = relu(self.bn1(self.conv1(x)))
        found = self.bn3(self.conv3(relu(self.bn2(self.conv2(found)))))
        return relu(found + self.downsample(x))
