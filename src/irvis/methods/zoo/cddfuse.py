"""CDDFuse: transformers and invertible layers take images apart into base and detail, and fuse each.

Zhao et al., CDDFuse: correlation-driven dual-branch feature decomposition for multi-modality image fusion, CVPR 2023.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import ChannelNorm, Gated, Named, convolution

HEADS = 8
PUBLISHED = Published(
    title="CDDFuse",
    year=2023,
    source="github.com/Zhaozixiang1228/MMIF-CDDFuse",
    licence="none stated",
    files=(File(path="models/CDDFuse_IVF.pth"), File(path="models/CDDFuse_MIF.pth")),
    marks={"": "DIDF_Encoder.detailFeature.net.0.theta_phi.bottleneckBlock.0.weight"},
    unused=r"^(?!DIDF_|BaseFuseLayer|DetailFuseLayer)",
)


@register(
    "cddfuse",
    spec=parts.luma(least=4),
    paper="https://arxiv.org/abs/2211.14461",
    published=PUBLISHED,
    small={"width": 16},
)
class CDDFuse(nn.Module):
    """CDDFuse: base by transformers, detail by invertible layers (Zhao et al. 2023).

    Parameters
    ----------
    width: channels of every layer (64 in the paper); a multiple of 16.
    as_published: give the authors' script's picture: gray, stretched from black to white, of 8 bits.
    """

    def __init__(self, width: int = 64, as_published: bool = False) -> None:
        super().__init__()
        if width < 16 or width % 16:
            raise ValueError(f"width must be a multiple of 16, not {width}")
        self.as_published = as_published
        self.DIDF_Encoder = nn.ModuleDict(
            {
                "patch_embed": convolution(1, width, name="proj", bias=False),
                "encoder_level1": nn.Sequential(*(Restormer(width) for _ in range(4))),
                "baseFeature": Base(width),
                "detailFeature": Detail(width, 3),
            }
        )
        self.BaseFuseLayer, self.DetailFuseLayer = Base(width), Detail(width, 1)
        self.DIDF_Decoder = nn.ModuleDict(
            {
                "reduce_channel": nn.Conv2d(2 * width, width, 1, bias=False),
                "encoder_level2": nn.Sequential(*(Restormer(width) for _ in range(4))),
                "output": nn.Sequential(
                    convolution(width, width // 2, bias=False),
                    nn.LeakyReLU(0.01),
                    convolution(width // 2, 1, bias=False),
                ),
            }
        )

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        fused = self.raw(scripts.opencv_gray(visible), infrared)
        return scripts.threefold(scripts.rounded(scripts.stretched(fused)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, 0 to 1 out."""
        (base, detail), (warm_base, warm_detail) = self._encoded(visible), self._encoded(infrared)
        base, detail = self.BaseFuseLayer(base + warm_base), self.DetailFuseLayer(detail + warm_detail)
        x = self.DIDF_Decoder["reduce_channel"](torch.cat([base, detail], 1))
        return (self.DIDF_Decoder["output"](self.DIDF_Decoder["encoder_level2"](x)) + visible).sigmoid()

    def _encoded(self, image: Gray) -> tuple[Tensor, Tensor]:
        of = self.DIDF_Encoder
        x = of["encoder_level1"](of["patch_embed"](image))
        return of["baseFeature"](x), of["detailFeature"](x)


class Restormer(nn.Module):
    """Attention between channels, then a gated part."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ChannelNorm(width), ChannelNorm(width)
        self.attn: Any = nn.Module()
        self.attn.temperature = nn.Parameter(torch.ones(HEADS, 1, 1))
        self.attn.qkv = nn.Conv2d(width, 3 * width, 1, bias=False)
        self.attn.qkv_dwconv = convolution(3 * width, 3 * width, groups=3 * width, bias=False)
        self.attn.project_out = nn.Conv2d(width, width, 1, bias=False)
        self.ffn = Gated(width, 2 * width)

    def forward(self, x: Tensor) -> Tensor:
        of = self.attn
        query, key, value = of.qkv_dwconv(of.qkv(self.norm1(x))).chunk(3, dim=1)
        x = x + of.project_out(parts.channel_attention(query, key, value, of.temperature))
        return x + self.ffn(self.norm2(x))


class Base(nn.Module):
    """The same with full convolutions: what extracts the base, and what fuses it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ChannelNorm(width), ChannelNorm(width)
        self.attn: Any = nn.Module()
        self.attn.scale = nn.Parameter(torch.ones(HEADS, 1, 1))
        self.attn.qkv1 = nn.Conv2d(width, 3 * width, 1, bias=False)
        self.attn.qkv2 = convolution(3 * width, 3 * width, bias=False)
        self.attn.proj = nn.Conv2d(width, width, 1, bias=False)
        self.mlp = Gated(width, width, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        of = self.attn
        query, key, value = of.qkv2(of.qkv1(self.norm1(x))).chunk(3, dim=1)
        x = x + of.proj(parts.channel_attention(query, key, value, of.scale))
        return x + self.mlp(self.norm2(x))


class Detail(nn.Module):
    """Layers that can be inverted: each half of the channels corrects the other."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        names = ("theta_phi", "theta_rho", "theta_eta")
        self.net = nn.ModuleList(
            nn.ModuleDict({"shffleconv": nn.Conv2d(width, width, 1)} | {name: _bottleneck(width) for name in names})
            for _ in range(depth)
        )

    def forward(self, x: Tensor) -> Tensor:
        layer: Any
        for layer in self.net:
            first, second = layer["shffleconv"](x).chunk(2, dim=1)
            second = second + layer["theta_phi"](first)
            first = first * layer["theta_rho"](second).exp() + layer["theta_eta"](second)
            x = torch.cat([first, second], 1)
        return x


def _bottleneck(width: int) -> nn.Module:
    layers = (
        nn.Conv2d(width // 2, width, 1, bias=False),
        nn.ReLU6(),
        nn.ReflectionPad2d(1),
        nn.Conv2d(width, width, 3, groups=width, bias=False),
        nn.ReLU6(),
        nn.Conv2d(width, width // 2, 1, bias=False),
    )
    return Named("bottleneckBlock", nn.Sequential(*layers))
