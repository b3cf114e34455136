"""YDTR: a dynamic filter and a transformer on each image, and again on their sum.

Tang, He & Liu, YDTR: infrared and visible image fusion via Y-shape dynamic transformer, IEEE Trans. Multimedia 25,
2023.
"""

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import gelu, relu

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import Named, convolution

PUBLISHED = Published(
    title="YDTR",
    year=2023,
    source="github.com/tthinking/YDTR",
    licence="none stated",
    files=(
        File(
            path="models/model_10.pth",
            sha256="183c31a103ada74063e644b300d6708ed567dcc231a9d0f8d52e098c6c2a0d32",
            size=893678,
        ),
    ),
    marks={"": "DDF.spatial_branch.body.0.weight"},
    unused=r"^conv64\.|^conv\.|^patch_embed\.|\.relative_position_|\.attn_mask$",
)


@register(
    "ydtr",
    spec=parts.luma(),
    paper="https://doi.org/10.1109/TMM.2022.3192661",
    published=PUBLISHED,
    small={"width": 8},
)
class YDTR(nn.Module):
    """YDTR: dynamic filters and transformers, Y-shaped (Tang et al. 2023).

    Its transformer takes runs of neighbouring pixels for tokens, so that results depend on the width of the picture.

    Parameters
    ----------
    width: channels of every layer (64 in the paper); a multiple of 8.
    as_published: give the authors' script's picture: gray, cast to 8 bits, so that values below black become white.
    """

    def __init__(self, width: int = 64, as_published: bool = False) -> None:
        super().__init__()
        if width < 8 or width % 8:
            raise ValueError(f"width must be a multiple of 8, not {width}")
        self.as_published = as_published
        first = convolution(1, width, padding_mode="replicate")
        self.convInput = nn.Sequential(OrderedDict(conv=first, bn=nn.BatchNorm2d(width)))
        self.DDF = DynamicFilter(width)
        self.basicLayer = Named("blocks", nn.Sequential(*(Block(width) for _ in range(2))))
        self.convolutional_out = convolution(width, 1, 1, name="conv")

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        return scripts.threefold(scripts.wrapped(self.raw(scripts.pillow_gray(visible), infrared)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, -1 to 1 out."""
        of_infrared, of_visible = (self._filtered(relu(self.convInput(image))) for image in (infrared, visible))
        return self.convolutional_out(self._filtered(of_infrared + of_visible)).tanh()

    def _filtered(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        tokens = self.DDF(x).contiguous().view(batch, height, width, channels)  # values in a row, not a transpose
        return self.basicLayer(tokens).contiguous().view(x.shape)


class DynamicFilter(nn.Module):
    """Features times a factor per pixel, plus features times a factor per channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        few = width // 8
        squeeze = nn.Sequential(nn.Conv2d(width, few, 1), nn.ReLU(), nn.Conv2d(few, width, 1))
        self.channel_branch = Named("fc", squeeze)
        self.spatial_branch = Named("body", nn.Sequential(convolution(width, few), convolution(few, 1)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.spatial_branch(x) + x * self.channel_branch(x.mean((2, 3), keepdim=True))


class Block(nn.Module):
    """A transformer block whose windows hold one token: attention is the projection of its value."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * width), "proj": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})

    def forward(self, x: Tensor) -> Tensor:
        value: Any = self.attn["qkv"](self.norm1(x)).chunk(3, dim=-1)[2]
        x = x + self.attn["proj"](value)
        return x + self.mlp["fc2"](gelu(self.mlp["fc1"](self.norm2(x))))
