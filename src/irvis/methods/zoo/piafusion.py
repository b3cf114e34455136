"""PIAFusion: two streams that exchange their differences, trained with weights from the illumination.

Tang, Yuan, Zhang, Jiang & Ma, PIAFusion: a progressive infrared and visible image fusion network based on illumination
aware, Information Fusion 83-84, 2022. The file is an unofficial PyTorch version; the classifier of illumination serves
training only.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import Named

PUBLISHED = Published(
    title="PIAFusion",
    year=2022,
    source="github.com/linklist2/PIAFusion_pytorch",
    licence="none stated",
    files=(File(path="pretrained/fusion_model_epoch_29.pth"),),
    marks={"": "encoder.vi_conv5.conv.1.weight"},
)


@register(
    "piafusion",
    spec=parts.luma(least=2),
    paper="https://doi.org/10.1016/j.inffus.2022.03.007",
    published=PUBLISHED,
    small={"width": 4},
)
class PIAFusion(nn.Module):
    """PIAFusion: two streams that exchange differences (Tang et al. 2022; unofficial PyTorch version).

    Parameters
    ----------
    width: channels of the first layer (16 in the paper).
    as_published: give the script's picture: its colours, cut to 8 bits.
    """

    def __init__(self, width: int = 16, as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        ways = (width, width, 2 * width, 4 * width, 8 * width)
        self.encoder = nn.ModuleDict({f"{side}_conv1": nn.Conv2d(1, width, 1) for side in ("vi", "ir")})
        for n in (2, 3, 4, 5):
            for side in ("vi", "ir"):
                self.encoder[f"{side}_conv{n}"] = _layer(ways[n - 2], ways[n - 1])
        ways = (16 * width, 16 * width, 8 * width, 4 * width, 2 * width)
        self.decoder = nn.ModuleDict({f"conv{n}": _layer(ways[n - 1], ways[n]) for n in (1, 2, 3, 4)})
        self.decoder["conv5"] = nn.Conv2d(2 * width, 1, 1)

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        y, cr, cb = scripts.split(visible, clip=True)
        return scripts.truncated(scripts.joined(self.raw(y, infrared), cr, cb))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, 0 to 1 out."""
        of_visible, of_infrared = visible, infrared
        for n in (1, 2, 3, 4, 5):
            of_visible, of_infrared = (
                leaky_relu(self.encoder[f"{side}_conv{n}"](x)) for side, x in (("vi", of_visible), ("ir", of_infrared))
            )
            if n in (2, 3, 4):
                of_visible, of_infrared = (
                    of_visible + _attended(of_infrared - of_visible),
                    of_infrared + _attended(of_visible - of_infrared),
                )
        x = torch.cat([of_visible, of_infrared], 1)
        for n in (1, 2, 3, 4):
            x = leaky_relu(self.decoder[f"conv{n}"](x))
        return self.decoder["conv5"](x).tanh() / 2 + 0.5


def _attended(difference: Tensor) -> Tensor:
    return difference * difference.mean((2, 3), keepdim=True).sigmoid()


def _layer(into: int, out: int) -> nn.Module:
    return Named("conv", nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(into, out, 3)))
