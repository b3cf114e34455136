"""NestFuse and RFN-Nest: an auto-encoder of four scales with nested connections; one fuses by rules, one by a network.

Li, Wu & Durrani, NestFuse: an infrared and visible image fusion architecture based on nest connection and
spatial/channel attention models, IEEE Trans. Instrumentation and Measurement 69(12), 2020; Li, Wu & Kittler, RFN-Nest:
an end-to-end residual fusion network for infrared and visible images, Information Fusion 73, 2021.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d, pad

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import Named, convolution

MARK = "DB1_3.denseblock.1.conv2d.weight"


def _options(state: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"deep": "conv3.conv2d.weight" in state}


NESTFUSE = Published(
    title="NestFuse",
    year=2020,
    source="github.com/hli1221/imagefusion-nestfuse",
    licence="none stated",
    files=(File(path="models/nestfuse_1e2.model"), File(path="models/nestfuse_1e2_deep_super.model")),
    marks={"": MARK},
    options=_options,
)
RFN_NEST = Published(
    title="RFN-Nest",
    year=2021,
    source="github.com/hli1221/imagefusion-rfn-nest",
    licence="none stated",
    files=(
        File(path="models/nestfuse.zip/nestfuse_gray_1e2.model"),
        File(path="models/rfn_twostage.zip/Final_epoch_2_alpha_700_wir_6.0_wvi_3.0_ssim_vi.model"),
    ),
    marks={"nestfuse.": MARK, "rfn.": "fusion_block4.bottelblock.2.conv2d.weight"},
)


class Nest(nn.Module):
    """The auto-encoder; `deep` has three outputs, of which the last is used."""

    def __init__(self, width: int, deep: bool = False) -> None:
        super().__init__()
        self.deep = deep
        sizes = channels(width)
        self.conv0 = _layer(1, width, 1)
        for n, (into, out) in enumerate(zip((width, *sizes), sizes, strict=False)):
            self.add_module(f"DB{n + 1}_0", _block(into, out))
        for column in (1, 2, 3):
            for row in range(1, 5 - column):
                into, below = column * sizes[row - 1], sizes[row]
                self.add_module(f"DB{row}_{column}", _block(into + below, sizes[row - 1]))
        for name in ("conv1", "conv2", "conv3") if deep else ("conv_out",):
            self.add_module(name, _layer(sizes[0], 1, 1))

    def encoded(self, image: Gray) -> list[Tensor]:
        """Features of four scales, finest first."""
        found = [self.get_submodule("DB1_0")(self.conv0(image))]
        for n in (2, 3, 4):
            found.append(self.get_submodule(f"DB{n}_0")(max_pool2d(found[-1], 2)))
        return found

    def decoded(self, features: list[Tensor]) -> Gray:
        """The image of features of four scales."""
        rows = [[x] for x in features]
        for column in (1, 2, 3):
            for row in range(4 - column):
                seen = [*rows[row], _enlarged(rows[row + 1][column - 1], features[row])]
                rows[row].append(self.get_submodule(f"DB{row + 1}_{column}")(torch.cat(seen, 1)))
        return self.get_submodule("conv3" if self.deep else "conv_out")(rows[0][3])


@register(
    "nestfuse", spec=parts.luma(least=16), paper="https://arxiv.org/abs/2007.00328", published=NESTFUSE,
    small={"width": 4},
)  # fmt: skip
class NestFuse(Nest):
    """NestFuse: nested connections; features weighted by channel and by place (Li et al. 2020).

    Parameters
    ----------
    width: channels of the first layer (16 in the paper).
    deep: whether the file is the one trained with three outputs; the file tells.
    pooling: what weighs a channel: its mean ("average"), its "maximum", or the sum of its singular values ("nuclear").
    as_published: give the authors' script's picture: gray, stretched from black to white, cut to 8 bits.
    """

    def __init__(
        self,
        width: int = 16,
        deep: bool = False,
        pooling: Literal["average", "maximum", "nuclear"] = "average",
        as_published: bool = False,
    ) -> None:
        super().__init__(width, deep)
        self.pooling, self.as_published = pooling, as_published

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(255 * visible, 255 * infrared) / 255
        fused = quartered(self.raw, 255 * scripts.pillow_gray(visible), 255 * infrared)
        return scripts.threefold(scripts.truncated(scripts.stretched(fused)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 255 in and out."""
        pairs = zip(self.encoded(infrared), self.encoded(visible), strict=True)
        return self.decoded([self._mixed(a, b) for a, b in pairs])

    def _mixed(self, a: Tensor, b: Tensor) -> Tensor:
        first, second = self._pooled(a), self._pooled(b)
        by_channel = (first * a + second * b) / (first + second + 1e-5)
        by_place = parts.mixed(a, b, (a.mean(1, keepdim=True) - b.mean(1, keepdim=True)).sigmoid())
        return (by_channel + by_place) / 2

    def _pooled(self, x: Tensor) -> Tensor:
        if self.pooling == "nuclear":
            return torch.linalg.svdvals(x + 1e-5).sum(-1)[..., None, None]
        return x.mean((2, 3), keepdim=True) if self.pooling == "average" else x.amax((2, 3), keepdim=True)


@register(
    "rfnnest", spec=parts.luma(least=16), paper="https://arxiv.org/abs/2103.04286", published=RFN_NEST,
    small={"width": 8},
)  # fmt: skip
class RFNNest(nn.Module):
    """RFN-Nest: nested connections; a residual network fuses the features of each scale (Li et al. 2021).

    Parameters
    ----------
    width: channels of the first layer (16 in the paper).
    as_published: give the authors' script's picture: gray, stretched from black to white, cut to 8 bits.
    """

    def __init__(self, width: int = 16, as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        self.nestfuse = Nest(width)
        self.rfn = nn.ModuleDict({f"fusion_block{n}": Residual(c) for n, c in enumerate(channels(width), start=1)})

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(255 * visible, 255 * infrared) / 255
        fused = quartered(self.raw, 255 * scripts.pillow_gray(visible), 255 * infrared)
        return scripts.threefold(scripts.truncated(scripts.stretched(fused, 1e-5)))

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 255 in, values of no fixed range out."""
        pairs = zip(self.nestfuse.encoded(infrared), self.nestfuse.encoded(visible), strict=True)
        return self.nestfuse.decoded([block(*pair) for block, pair in zip(self.rfn.values(), pairs, strict=True)])


class Residual(nn.Module):
    """Fuses the features of one scale."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_fusion = _layer(2 * width, width)
        self.conv_ir, self.conv_vi = _layer(width, width), _layer(width, width)
        self.bottelblock = nn.Sequential(_layer(2 * width, width, 1), _layer(width, width), _layer(width, width))

    def forward(self, infrared: Tensor, visible: Tensor) -> Tensor:
        rest = self.bottelblock(torch.cat([self.conv_ir(infrared), self.conv_vi(visible)], 1))
        return self.conv_fusion(torch.cat([infrared, visible], 1)) + rest


class Rectified(Named):
    """A layer under its name, and a ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu()


def quartered(core: Any, visible: Gray, infrared: Gray) -> Gray:
    """As the scripts fuse pictures with a side over 512: in quarters that overlap, averaged there."""
    height, width = visible.shape[-2:]
    if max(height, width) <= 512:
        return core(visible, infrared)
    fused, times = torch.zeros_like(visible), torch.zeros_like(visible)
    for rows in (slice(0, height // 2 + 3), slice(height // 2 - 2, height)):
        for columns in (slice(0, width // 2 + 3), slice(width // 2 - 2, width)):
            fused[..., rows, columns] += core(visible[..., rows, columns], infrared[..., rows, columns])
            times[..., rows, columns] += 1
    return fused / times


def channels(width: int) -> list[int]:
    """Of the four scales: 64, 112, 160, 208 in the papers."""
    return [4 * width, 7 * width, 10 * width, 13 * width]


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    """Twice as large; what is then missing is reflected."""
    x = interpolate(x, scale_factor=2.0, mode="nearest")
    right, below = like.shape[-1] - x.shape[-1], like.shape[-2] - x.shape[-2]
    left, above = (0 if n == 1 else n // 2 for n in (right, below))
    return pad(x, (left, right - left, above, below - above), mode="reflect")


def _block(into: int, out: int) -> nn.Module:
    return Named("denseblock", nn.Sequential(_layer(into, into // 2), _layer(into // 2, out, 1)))


def _layer(into: int, out: int, size: int = 3) -> nn.Module:
    return Rectified("conv2d", convolution(into, out, size, padding_mode="reflect"))
