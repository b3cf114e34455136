"""DLF: base and detail by least squares; four layers of an ImageNet network say whose detail is kept.

Li, Wu & Kittler, Infrared and visible image fusion using a deep learning framework, ICPR 2018. Written from the paper;
the authors' MATLAB code was not run. It takes VGG-19 of another conversion, whose activities differ somewhat.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from ...registry import Spec, register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import convolution

SMOOTHNESS, BORDER = 5, 16
TAPS = (1, 6, 11, 20)
"""Layers of VGG-19 whose features are looked at: relu1_1, relu2_1, relu3_1, relu4_1."""
KEPT = r"features\.(0|2|5|7|10|12|14|16|19)\."
PUBLISHED = Published(
    title="DLF",
    year=2018,
    source="download.pytorch.org (torchvision's VGG-19, trained on ImageNet)",
    licence="none stated for the method; torchvision is under the BSD 3-Clause licence",
    files=(File(path="models/vgg19-dcbb9e9d.pth"),),
    marks={"": "features.16.weight"},
    unused=rf"^(?!{KEPT})",
)


def _spec(as_published: bool = False, **_: object) -> Spec:
    return parts.spec(Spec(domain="luma", least=8, budget=parts.BUDGET), as_published)


@register("dlf", spec=_spec, paper="https://arxiv.org/abs/1804.06992", published=PUBLISHED, small={"width": 4})
class DLF(nn.Module):
    """DLF: VGG-19 says whose detail is kept, base images are averaged (Li et al. 2018).

    Parameters
    ----------
    width: channels of the first layer (64 in VGG-19).
    as_published: as the authors' code: gray, no detail at borders that the coarsest layer does not reach, rounded to
        8 bits.
    """

    def __init__(self, width: int = 64, as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        layers: list[nn.Module] = []
        into = 3
        for group, times in enumerate((2, 2, 4, 1)):
            for _ in range(times):
                layers += [convolution(into, width << group), nn.ReLU()]
                into = width << group
            layers += [nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers[:-1])

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        return scripts.threefold(scripts.rounded(self.raw(scripts.pillow_gray(visible), infrared)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The method: 0 to 1 in, values somewhat beyond out."""
        bases = base(visible), base(infrared)
        details = visible - bases[0], infrared - bases[1]
        found = []
        for n, (of_visible, of_infrared) in enumerate(zip(*map(self._activities, details), strict=True)):
            weight = parts.share(of_visible, of_infrared)
            for_visible, for_infrared = (self._enlarged(x, 2**n, visible) for x in (weight, 1 - weight))
            found.append(for_visible * details[0] + for_infrared * details[1])
        return (bases[0] + bases[1]) / 2 + torch.stack(found).amax(0)

    def _activities(self, detail: Gray) -> list[Tensor]:
        """Of the four layers, at 1, 1/2, 1/4 and 1/8 of the size."""
        x, found = scripts.threefold(detail), []
        for n, layer in enumerate(self.features):
            x = layer(x)
            if n in TAPS:
                found.append(parts.activity(x))
        return found

    def _enlarged(self, weight: Tensor, times: int, like: Gray) -> Tensor:
        """In blocks; where they end before the image does, the last is continued, or 0 as in the authors' code."""
        weight = interpolate(weight, scale_factor=float(times), mode="nearest")
        below, right = (max(a - b, 0) for a, b in zip(like.shape[-2:], weight.shape[-2:], strict=True))
        return pad(weight, (0, right, 0, below), mode="constant" if self.as_published else "replicate")


def base(image: Gray) -> Gray:
    """What is left of an image when its slopes cost: least squares, solved by a Fourier transform."""
    height, width = image.shape[-2:]
    rows, columns = (_mirrored(n, image.device) for n in (height, width))
    spectrum = torch.fft.rfft2(image.float()[..., rows, :][..., columns])
    turns = (torch.fft.fftfreq(len(rows)), torch.fft.rfftfreq(len(columns)))
    down, across = (2 - 2 * (2 * torch.pi * x.to(image.device)).cos() for x in turns)
    spectrum = spectrum / (1 + SMOOTHNESS * (down[:, None] + across))
    smooth = torch.fft.irfft2(spectrum, (len(rows), len(columns)))
    return smooth[..., BORDER : BORDER + height, BORDER : BORDER + width].to(image.dtype)


def _mirrored(length: int, device: torch.device) -> Tensor:
    """Indices with a mirrored border, the outermost pixel twice."""
    at = torch.arange(-BORDER, length + BORDER, device=device) % (2 * length)
    return torch.minimum(at, 2 * length - 1 - at)
