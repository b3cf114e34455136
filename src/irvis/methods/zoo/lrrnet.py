"""LRRNet: a low-rank and sparse decomposition, unrolled into layers and learned.

Li, Xu, Wu, Lu & Kittler, LRRNet: a novel representation learning guided fusion framework for infrared and visible
images, IEEE TPAMI 45(9), 2023.
"""

import torch
from torch import Tensor, nn

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import convolution

BLOCKS = 4
PUBLISHED = Published(
    title="LRRNet",
    year=2023,
    source="github.com/hli1221/imagefusion-LRRNet",
    licence="none stated",
    files=(
        File(
            path="model/final_lrr_net_lam2_1.5_wir_3.0_lam3_gram_2000_epoch_4_block_4.model",
            sha256="1de9dd8dee9b650ce69c74ea53e3b9a6b749222f1059a689aabf28f68ee63e29",
            size=218515,
        ),
    ),
    marks={"": "get_ls1.lrrblock3.conv_Wdz.conv2d.weight"},
)


@register(
    "lrrnet",
    spec=parts.luma(least=2),
    paper="https://arxiv.org/abs/2304.05172",
    published=PUBLISHED,
    small={"width": 4},
)
class LRRNet(nn.Module):
    """LRRNet: low-rank and sparse parts by an unrolled decomposition (Li et al. 2023).

    What the network gives has no scale: each fused picture is stretched from black to white, as its authors do.

    Parameters
    ----------
    width: channels of the low-rank part, and of the sparse one (128 in the paper).
    as_published: give the authors' script's picture: gray, cut to 8 bits.
    """

    def __init__(self, width: int = 128, as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        self.get_ls1, self.get_ls2 = Decomposition(width), Decomposition(width)
        layers = {f"conv_Re{name}": _layer(width, 1) for name in ("Zx", "Ux", "Zy", "Uy")}
        self.decoder = nn.ModuleDict({**layers, "conv_ReL": _layer(2, 1), "conv_ReH": _layer(2, 1)})

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if self.as_published:
            visible = scripts.read_gray(visible)
        fused = self.raw(*(scripts.stretched(255 * image, 1e-5) for image in (visible, infrared)))
        fused = scripts.stretched(fused, 1e-5)
        return scripts.threefold(scripts.truncated(fused)) if self.as_published else fused

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: stretched to 0 to 1 in, values of no fixed range out."""
        (low_warm, high_warm), (low_seen, high_seen) = self.get_ls1(infrared), self.get_ls2(visible)
        of = self.decoder
        low = torch.cat([of["conv_ReZx"](low_warm), of["conv_ReZy"](low_seen)], 1)
        high = torch.cat([of["conv_ReUx"](high_warm), of["conv_ReUy"](high_seen)], 1)
        return of["conv_ReL"](low) + of["conv_ReH"](high)


class Decomposition(nn.Module):
    """An image as a low-rank and a sparse part: soft thresholds and corrections in turn, all with one threshold."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_W00 = _layer(1, 2 * width)
        self.lamj = nn.Parameter(torch.full((1, 2 * width), 0.01))
        self.lamz = nn.Parameter(torch.ones(1, 1))
        for n in range(BLOCKS):
            block = {"conv_Wdz": _layer(2 * width, 1), "conv_Wdtz": _layer(1, 2 * width)}
            self.add_module(f"lrrblock{n}", nn.ModuleDict(block))

    def forward(self, image: Gray) -> tuple[Tensor, Tensor]:
        code = self._sparse(self.conv_W00(image))
        for n in range(BLOCKS):
            rest = image - self.get_submodule(f"lrrblock{n}.conv_Wdz")(code)
            code = self._sparse(self.lamz * code + self.get_submodule(f"lrrblock{n}.conv_Wdtz")(rest))
        low, high = code.chunk(2, dim=1)
        return low, high

    def _sparse(self, x: Tensor) -> Tensor:
        return x.sign() * (x.abs() - self.lamj[..., None, None]).clamp_min(0)


def _layer(into: int, out: int) -> nn.Module:
    return convolution(into, out, name="conv2d", padding_mode="reflect")
