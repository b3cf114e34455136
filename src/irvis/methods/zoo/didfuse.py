"""DIDFuse: an auto-encoder that takes images apart into base and detail; both are fused and put together.

Zhao et al., DIDFuse: deep image decomposition for infrared and visible image fusion, IJCAI 2020.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import Named

PUBLISHED = Published(
    title="DIDFuse",
    year=2020,
    source="github.com/Zhaozixiang1228/IVIF-DIDFuse",
    licence="none stated",
    files=(
        File(
            path="Models/Encoder_weight_IJCAI.pkl",
            sha256="4d84a4e64e58469d3d4591f83c6683ead3e422498519db99bb617cb29d268471",
            size=454838,
        ),
        File(
            path="Models/Decoder_weight_IJCAI.pkl",
            sha256="c6974e2a7c66ab579a77bacb086023237a229e769d459783bad8ff43e52e9986",
            size=600772,
        ),
    ),
    marks={"encoder.": "cov4.cov4.0.weight", "decoder.": "cov7.cov7.1.weight"},
)


@register(
    "didfuse",
    spec=parts.luma(reach=7, least=2),
    paper="https://arxiv.org/abs/2003.09210",
    published=PUBLISHED,
    small={"width": 4},
)
class DIDFuse(nn.Module):
    """DIDFuse: images taken apart into base and detail by an auto-encoder (Zhao et al. 2020).

    Parameters
    ----------
    width: channels of every layer (64 in the paper).
    fusion: of the features: their "sum" (the authors' default), "average", or weighted by activity ("l1").
    as_published: give the authors' script's picture: gray, of 8 bits.
    """

    def __init__(
        self, width: int = 64, fusion: Literal["sum", "average", "l1"] = "sum", as_published: bool = False
    ) -> None:
        super().__init__()
        self.fusion, self.as_published = fusion, as_published
        self.encoder = nn.ModuleDict(
            {
                "cov1": _layer("cov1", 1, width, nn.PReLU(), reflected=True),
                "cov2": _layer("cov2", width, width, nn.PReLU()),
                "cov3": _layer("cov3", width, width, nn.Tanh()),
                "cov4": _layer("cov4", width, width, nn.Tanh()),
            }
        )
        self.decoder = nn.ModuleDict(
            {
                "cov5": _layer("cov5", 2 * width, width, nn.PReLU()),
                "cov6": _layer("cov6", 2 * width, width, nn.PReLU()),
                "cov7": _layer("cov7", 2 * width, 1, nn.Sigmoid(), reflected=True),
            }
        )

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        return scripts.threefold(scripts.rounded(self.raw(scripts.pillow_gray(visible), infrared)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, 0 to 1 out."""
        first, second, base, detail = map(self._mixed, self._encoded(visible), self._encoded(infrared))
        fused = self.decoder["cov5"](torch.cat([base, detail], 1))
        fused = self.decoder["cov6"](torch.cat([fused, second], 1))
        return self.decoder["cov7"](torch.cat([fused, first], 1))

    def _encoded(self, image: Gray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features of the first two layers, base, detail."""
        first = self.encoder["cov1"](image)
        second = self.encoder["cov2"](first)
        return first, second, self.encoder["cov3"](second), self.encoder["cov4"](second)

    def _mixed(self, a: Tensor, b: Tensor) -> Tensor:
        if self.fusion == "l1":
            return parts.mixed(a, b, parts.share(parts.activity(a), parts.activity(b)))
        return a + b if self.fusion == "sum" else (a + b) / 2


def _layer(name: str, into: int, out: int, after: nn.Module, reflected: bool = False) -> nn.Module:
    """Convolution, normalisation, `after`; where the border is reflected that is a step of its own."""
    before = [nn.ReflectionPad2d(1)] if reflected else []
    layer = nn.Conv2d(into, out, 3, padding=0 if reflected else 1)
    return Named(name, nn.Sequential(*before, layer, nn.BatchNorm2d(out), after))
