"""SIBA: each image, and its negative, is the query of attention over the other image's channels.

Wang et al., The source image is the best attention for infrared and visible image fusion, ICCV 2025.
"""

from typing import Any

import torch
from torch import Tensor, nn

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import ChannelNorm, Gated, convolution

HEADS = 8
PUBLISHED = Published(
    title="SIBA",
    year=2025,
    source="github.com/Afreshbird/SIBA",
    licence="none stated",
    files=(
        File(
            path="checkpoint/SIBA_epoch60.pth",
            sha256="c93d70653eddbbaa7ad4b53ccb9034e02e4fb39434e8f7187a06a5d8ee43ba54",
            size=2311919,
        ),
    ),
    marks={"": "ir2vi_ca.0.attn.qkv1.weight"},
)


@register("siba", spec=parts.luma(), published=PUBLISHED, small={"width": 16})
class SIBA(nn.Module):
    """SIBA: the images themselves, and their negatives, as queries of channel attention (Wang et al. 2025).

    Parameters
    ----------
    width: channels of every layer (48 in the paper); a multiple of 16.
    as_published: give the authors' script's picture: its colours, cut to 8 bits.
    """

    def __init__(self, width: int = 48, as_published: bool = False) -> None:
        super().__init__()
        if width < 16 or width % 16:
            raise ValueError(f"width must be a multiple of 16, not {width}")
        self.as_published = as_published
        self.ir_conv, self.vi_conv = Residual(1, width), Residual(1, width)
        self.ir_sa, self.vi_sa = (nn.Sequential(Attention(width, 3)) for _ in range(2))
        self.weight_ir, self.weight_irI, self.weight_vi, self.weight_viI = (Query(width) for _ in range(4))
        self.ir2vi_ca, self.irI2vi_ca, self.vi2ir_ca, self.viI2ir_ca = (
            nn.ModuleList([Attention(width, 2)]) for _ in range(4)
        )
        self.fuse_conv = nn.Sequential(Residual(4 * width, 2 * width), Residual(2 * width, width))
        self.out_conv = Residual(width, 1, squeezed=False)

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        y, cr, cb = scripts.split(visible, clip=True)
        return scripts.truncated(scripts.joined(self.raw(y, infrared).clamp(0, 1), cr, cb))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, values of no fixed range out."""
        of_infrared, of_visible = self.ir_sa(self.ir_conv(infrared)), self.vi_sa(self.vi_conv(visible))
        crossed = [
            self.ir2vi_ca[0](of_visible, self.weight_ir(infrared)),
            self.vi2ir_ca[0](of_infrared, self.weight_vi(visible)),
            self.irI2vi_ca[0](of_visible, self.weight_irI(1 - infrared)),
            self.viI2ir_ca[0](of_infrared, self.weight_viI(1 - visible)),
        ]
        return self.out_conv(self.fuse_conv(torch.cat(crossed, 1)))


class Squeeze(nn.Module):
    """Weighs channels by their means over the picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few = channels // 16
        self.fc = nn.Sequential(
            nn.Linear(channels, few, bias=False), nn.ReLU(), nn.Linear(few, channels, bias=False), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean((2, 3)))[..., None, None]


class Residual(nn.Module):
    """Two convolutions, weighed channels, and a way around them."""

    def __init__(self, into: int, out: int, squeezed: bool = True) -> None:
        super().__init__()
        self.res_conv = nn.Conv2d(into, out, 1)
        self.conv1, self.conv2 = convolution(into, out), convolution(out, out)
        self.act = nn.PReLU()
        self.se = Squeeze(out) if squeezed else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.se(self.conv2(self.act(self.conv1(x)))) + self.res_conv(x))


class Query(nn.Module):
    """An image as a query: two convolutions and weighed channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = convolution(1, width), convolution(width, width)
        self.act, self.se = nn.PReLU(), Squeeze(width)

    def forward(self, image: Gray) -> Tensor:
        return self.act(self.se(self.conv2(self.act(self.conv1(image)))))


class Attention(nn.Module):
    """Attention between channels, and the gated part; the query comes from the features or from outside."""

    def __init__(self, width: int, made: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ChannelNorm(width), ChannelNorm(width)
        self.attn: Any = nn.Module()
        self.attn.scale = nn.Parameter(torch.ones(HEADS, 1, 1))
        self.attn.qkv1 = nn.Conv2d(width, made * width, 1, bias=False)
        self.attn.qkv2 = convolution(made * width, made * width, groups=made * width, bias=False)
        self.attn.proj = nn.Conv2d(width, width, 1, bias=False)
        self.mlp = Gated(width, width)
        self.width = width

    def forward(self, x: Tensor, query: Tensor | None = None) -> Tensor:
        of = self.attn
        made = of.qkv2(of.qkv1(self.norm1(x))).split(self.width, dim=1)
        query, key, value = made if query is None else (query, *made)
        x = x + of.proj(parts.channel_attention(query, key, value, of.scale))
        return x + self.mlp(self.norm2(x))
