"""DeFusion: images taken apart into what they have in common and what each has of its own; trained by itself.

Liang, Jiang, Liu & Ma, Fusion from decomposition: a self-supervised decomposition approach for image fusion, ECCV 2022.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, pad, relu

from ...color import gray
from ...registry import Spec, register
from ...spec import File, Published
from ...types import RGB, Gray, Image
from . import parts, scripts
from .parts import Named, convolution

BORDER = 16
"""What the authors' script puts around images."""
PUBLISHED = Published(
    title="DeFusion",
    year=2022,
    source="Google Drive, linked from github.com/erfect2020/DecompositionForFusion",
    licence="MIT (its line of copyright is a template's)",
    files=(File(path=""),),
    marks={"": "upper_encoder_layer3.layer.0.conv2.fc2.weight"},
    unused=r"^encoder_lower|^lower_|^decoder_lower|^decoder_common_projection_layer",
)


def _spec(as_published: bool = False, **_: object) -> Spec:
    return parts.spec(Spec(domain="luma", least=17 if as_published else 4, budget=parts.BUDGET), as_published)


@register(
    "defusion", spec=_spec, paper="https://arxiv.org/abs/2203.10014", published=PUBLISHED,
    small={"width": 4, "depth": 1},
)  # fmt: skip
class DeFusion(nn.Module):
    """DeFusion: what images have in common and what each has of its own (Liang et al. 2022).

    Parameters
    ----------
    width: channels of a block of the first group (8 in the paper); a multiple of 4.
    depth: blocks of the short groups (2 in the paper).
    as_published: give the authors' script's picture: three fused channels of gray images, with a border of 16 pixels
        around while it is made, cut to 8 bits.
    """

    def __init__(self, width: int = 8, depth: int = 2, as_published: bool = False) -> None:
        super().__init__()
        if width < 4 or width % 4:
            raise ValueError(f"width must be a multiple of 4, not {width}")
        self.as_published = as_published
        n, half, two, three = width, width // 2, 2 * depth, 3 * depth
        first = Group(2 * n, n, three, pooled=1, padded=True)
        self.encoder_upper = nn.Sequential(convolution(3, 2 * n), nn.ReLU(), first)
        self.upper_encoder_layer1 = Group(4 * n, 2 * n, three, padded=True)
        self.upper_encoder_layer2 = Group(8 * n, 4 * n, two, pooled=2, padded=True)
        self.upper_encoder_layer3 = Group(16 * n, 8 * n, two, pooled=2, padded=True)
        self.common_encoder = nn.Sequential(Group(64 * n, 32 * n, two, padded=True))
        common = (Group(192 * n, 8 * n, depth), Group(64 * n, 2 * n, depth), Group(24 * n, half, depth))
        own = (Group(160 * n, 12 * n, two), Group(64 * n, 4 * n, two), Group(24 * n, 2 * n, three))
        for kind, groups, before, blocks in (("common", common, 4 * half, depth), ("upper", own, 8 * n, three)):
            for level, group in enumerate(groups, start=1):
                self.add_module(f"decoder_{kind}_layer{level}", group)
            self.add_module(f"decoder_{kind}_layer4", nn.Sequential(Group(before, half, blocks)))
        self.fusion_rule, self.decoder_upper_projection_layer = (
            nn.Sequential(convolution(4 * half, 3), nn.ReLU()) for _ in range(2)
        )

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return gray(self.raw(scripts.threefold(visible), scripts.threefold(infrared)))
        images = (scripts.threefold(x) for x in (scripts.pillow_gray(visible), infrared))
        of_visible, of_infrared = (pad(x, (BORDER,) * 4, mode="reflect") for x in images)
        return scripts.truncated(self.raw(of_visible, of_infrared)[..., BORDER:-BORDER, BORDER:-BORDER])

    def raw(self, visible: RGB, infrared: RGB) -> RGB:
        """The authors' network: 0 to 1 in, 0 to values of no fixed limit out."""
        return self.decomposed(visible, infrared)[3]

    def decomposed(self, visible: RGB, infrared: RGB) -> tuple[RGB, RGB, RGB, RGB]:
        """What both images show, what only infrared shows, what only the visible image shows, and all of it fused."""
        of_infrared, of_visible = self._encoded(infrared), self._encoded(visible)
        both = self.common_encoder(torch.cat([of_infrared[3], of_visible[3]], 1))
        pairs = [torch.cat(pair, 1) for pair in zip(of_infrared, of_visible, strict=True)]
        parts = [
            self._decoded("common", both, [pairs[3], pairs[2], pairs[1]], of_infrared),
            *(self._decoded("upper", both, [own[3], own[2], own[1]], of_infrared) for own in (of_infrared, of_visible)),
        ]
        common, upper, lower = (self.decoder_upper_projection_layer(part) for part in parts)
        return common, upper, lower, self.fusion_rule(parts[1] + parts[2] + parts[0])

    def _encoded(self, image: RGB) -> list[Tensor]:
        """Features at 1, 1/2, 1/4 and 1/8 of the size."""
        found = [self.encoder_upper(image)]
        found.append(self.upper_encoder_layer1(max_pool2d(found[0], 3, stride=2, padding=1)))
        found.append(self.upper_encoder_layer2(found[1]))
        return [*found, self.upper_encoder_layer3(found[2])]

    def _decoded(self, kind: str, x: Tensor, skips: list[Tensor], sizes: list[Tensor]) -> Tensor:
        for level, (skip, like) in enumerate(zip(skips, sizes[2::-1], strict=True), start=1):
            x = self.get_submodule(f"decoder_{kind}_layer{level}")(torch.cat([x, skip], 1))
            x = interpolate(interpolate(x, scale_factor=2.0, mode="bilinear"), like.shape[-2:], mode="nearest")
        return self.get_submodule(f"decoder_{kind}_layer4")(x)


class Group(nn.Module):
    """Residual blocks; `pooled` is the stride of the first, which then averages, `padded` how the encoder calls it."""

    def __init__(self, into: int, width: int, blocks: int, pooled: int = 0, padded: bool = False) -> None:
        super().__init__()
        first = Block(into, width, pooled, padded)
        self.layer = nn.Sequential(first, *(Block(4 * width, width) for _ in range(blocks - 1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class Block(nn.Module):
    """1×1, attention between two convolutions, 1×1, and a way around."""

    def __init__(self, into: int, width: int, pooled: int = 0, padded: bool = False) -> None:
        super().__init__()
        self.pooled = pooled
        self.conv1 = nn.Conv2d(into, width, 1, bias=False)
        self.conv2 = Split(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        around = nn.Conv2d(into, 4 * width, 1, bias=False)
        name = "1" if padded else "0"
        self.downsample = Named(name, around) if into != 4 * width or pooled == 2 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        found = self.conv2(relu(self.conv1(x)))
        if self.pooled:
            found = avg_pool2d(found, 3, stride=self.pooled, padding=1)
        if self.pooled == 2:
            x = avg_pool2d(x, 2, stride=2, ceil_mode=True, count_include_pad=False)
        return relu(self.conv3(found) + self.downsample(x))


class Split(nn.Module):
    """Two convolutions, mixed for each channel by their means over the picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        few = max(width // 2, 32)
        self.conv = convolution(width, 2 * width, groups=2, bias=False)
        self.fc1, self.fc2 = nn.Conv2d(width, few, 1), nn.Conv2d(few, 2 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        first, second = relu(self.conv(x)).chunk(2, dim=1)
        asked = self.fc2(relu(self.fc1((first + second).mean((2, 3), keepdim=True))))
        weights = asked.unflatten(1, (2, -1)).softmax(1)
        return weights[:, 0] * first + weights[:, 1] * second
