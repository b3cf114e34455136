"""SwinFusion: shifted windows of attention within each image, and across both.

Ma, Tang, Fan, Huang, Mei & Ma, SwinFusion: cross-domain long-range learning for general image fusion via Swin
transformer, IEEE/CAA J. Automatica Sinica 9(7), 2022.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, leaky_relu, pad

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import convolution

WINDOW, SHIFT, HEADS = 8, 4, 6
PUBLISHED = Published(
    title="SwinFusion",
    year=2022,
    source="github.com/Linfeng-Tang/SwinFusion",
    licence="none stated; the collection VIF-Benchmark, which has the file too, is under the MIT licence",
    files=tuple(
        File(path=f"Model/Infrared_Visible_Fusion/Infrared_Visible_Fusion/models/10000_{kind}.pth") for kind in "EG"
    ),
    marks={"": "layers_Fusion.0.residual_group.blocks.0.attn_A.kv.weight"},
    unused=r"^conv_first\d_B\.|\.attn_mask$|\.relative_position_index$",
)


@register(
    "swinfusion",
    spec=parts.luma(reach=72, multiple=WINDOW),
    paper="https://doi.org/10.1109/JAS.2022.105686",
    published=PUBLISHED,
    small={"width": 12},
)
class SwinFusion(nn.Module):
    """SwinFusion: windows of attention within each image and across both (Ma et al. 2022).

    Parameters
    ----------
    width: channels of every layer (60 in the paper); a multiple of 12.
    as_published: give the authors' script's picture: gray, with 1 to 8 mirrored pixels at the right and the bottom
        while it is made, rounded to 8 bits.
    """

    def __init__(self, width: int = 60, as_published: bool = False) -> None:
        super().__init__()
        if width < 12 or width % 12:
            raise ValueError(f"width must be a multiple of 12, not {width}")
        self.as_published = as_published
        self.conv_first1_A, self.conv_first2_A = convolution(1, width // 2), convolution(width // 2, width)
        self.patch_embed = nn.ModuleDict({"norm": nn.LayerNorm(width)})
        for name in ("Ex_A", "Ex_B", "Re"):
            group = nn.ModuleDict({"residual_group": _blocks(Block, width, 4)})
            self.add_module(f"layers_{name}", nn.ModuleList([group]))
        names = {"residual_group_A": Block, "residual_group_B": Block, "residual_group": Cross}
        self.layers_Fusion: Any = nn.ModuleList(
            nn.ModuleDict({name: _blocks(kind, width, 2) for name, kind in names.items()}) for _ in range(2)
        )
        for name in ("Ex_A", "Ex_B", "Fusion_A", "Fusion_B", "Re"):
            self.add_module(f"norm_{name}", nn.LayerNorm(width))
        self.conv_after_body_Fusion = convolution(2 * width, width)
        self.conv_last1, self.conv_last2 = convolution(width, width // 2), convolution(width // 2, width // 4)
        self.conv_last3 = convolution(width // 4, 1)

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return self.raw(visible, infrared)
        return scripts.threefold(scripts.rounded(self.mirrored(scripts.read_gray(visible), infrared)))

    def mirrored(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network with the border that their script adds."""
        height, width = visible.shape[-2:]
        right, below = WINDOW - width % WINDOW, WINDOW - height % WINDOW
        return self.raw(*(_mirrored(x, right, below) for x in (visible, infrared)))[..., :height, :width]

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: 0 to 1 in, values of no fixed range out."""
        height, width = visible.shape[-2:]
        border = (0, -width % WINDOW, 0, -height % WINDOW)
        of_infrared, of_visible = (self._tokens(pad(image, border, mode="reflect")) for image in (infrared, visible))
        of_infrared, of_visible = self._attended("Ex_A", of_infrared), self._attended("Ex_B", of_visible)
        norm = self.patch_embed["norm"]
        of_infrared, of_visible = norm(of_infrared), norm(of_visible)
        for unit in self.layers_Fusion:
            of_infrared, of_visible = (
                unit["residual_group_A"]["blocks"](of_infrared),
                unit["residual_group_B"]["blocks"](of_visible),
            )
            for block in unit["residual_group"]["blocks"]:
                of_infrared, of_visible = block(of_infrared, of_visible)
        both = torch.cat(
            [self.get_submodule("norm_Fusion_A")(of_infrared), self.get_submodule("norm_Fusion_B")(of_visible)], -1
        )
        x = leaky_relu(self.conv_after_body_Fusion(both.permute(0, 3, 1, 2)), 0.2)
        x = self._attended("Re", norm(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        for layer in (self.conv_last1, self.conv_last2):
            x = leaky_relu(layer(x), 0.2)
        return self.conv_last3(x)[..., :height, :width]

    def _tokens(self, image: Gray) -> Tensor:
        """(b, h, w, c)."""
        for layer in (self.conv_first1_A, self.conv_first2_A):
            image = leaky_relu(layer(image), 0.2)
        return self.patch_embed["norm"](image.permute(0, 2, 3, 1))

    def _attended(self, name: str, x: Tensor) -> Tensor:
        return self.get_submodule(f"norm_{name}")(self.get_submodule(f"layers_{name}.0.residual_group.blocks")(x))


class Block(nn.Module):
    """Attention in windows and a feed-forward part."""

    def __init__(self, width: int, shift: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width, shift, {"qkv": 3})
        self.mlp = Ahead(width)

    def forward(self, x: Tensor) -> Tensor:
        found = self.norm1(x)
        x = x + self.attn(found, found)
        return x + self.mlp(self.norm2(x))


class Cross(nn.Module):
    """Each image asks the other."""

    def __init__(self, width: int, shift: int) -> None:
        super().__init__()
        for side in ("A", "B"):
            self.add_module(f"norm1_{side}", nn.LayerNorm(width))
            self.add_module(f"attn_{side}", Attention(width, shift, {"q": 1, "kv": 2}))
            self.add_module(f"norm2_{side}", nn.LayerNorm(width))
            self.add_module(f"mlp_{side}", Ahead(width))

    def forward(self, *images: Tensor) -> list[Tensor]:
        of, sides = self.get_submodule, ("A", "B")
        normed = [of(f"norm1_{side}")(x) for side, x in zip(sides, images, strict=True)]
        asked = [of("attn_A")(*normed), of("attn_B")(*reversed(normed))]
        found = [x + more for x, more in zip(images, asked, strict=True)]
        return [x + of(f"mlp_{side}")(of(f"norm2_{side}")(x)) for side, x in zip(sides, found, strict=True)]


class Ahead(nn.Module):
    """The feed-forward part."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(gelu(self.fc1(x)))


class Attention(nn.Module):
    """Within windows of 8×8 tokens, moved by `shift`; one image's tokens ask another's, or their own."""

    def __init__(self, width: int, shift: int, made: dict[str, int]) -> None:
        super().__init__()
        self.shift, self.made = shift, tuple(made)
        for name, times in made.items():
            self.add_module(name, nn.Linear(width, times * width))
        self.proj = nn.Linear(width, width)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, HEADS))

    def forward(self, asking: Tensor, asked: Tensor) -> Tensor:
        whole = [self.get_submodule(name)(x) for name, x in zip(self.made, (asking, asked), strict=False)]
        height, width = asking.shape[1:3]
        query, key, value = self._windows(torch.cat(whole, -1))
        scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5 + self._bias()
        if self.shift:
            scores = scores + _apart(height, width, scores)
        return self.proj(self._whole(scores.softmax(-1) @ value, height, width))

    def _windows(self, x: Tensor) -> Tensor:
        """(3, b, windows, heads, tokens, channels of a head)."""
        batch, height, width, _ = x.shape
        x = torch.roll(x, (-self.shift, -self.shift), (1, 2))
        x = x.view(batch, height // WINDOW, WINDOW, width // WINDOW, WINDOW, 3, HEADS, -1)
        return x.permute(5, 0, 1, 3, 6, 2, 4, 7).flatten(5, 6).flatten(2, 3)

    def _whole(self, x: Tensor, height: int, width: int) -> Tensor:
        shape = -1, height // WINDOW, width // WINDOW, HEADS, WINDOW, WINDOW, x.shape[-1]
        x = x.reshape(shape).permute(0, 1, 4, 2, 5, 3, 6).reshape(x.shape[0], height, width, -1)
        return torch.roll(x, (self.shift, self.shift), (1, 2))

    def _bias(self) -> Tensor:
        """(heads, tokens, tokens), from a table of the distances between tokens."""
        table = self.relative_position_bias_table
        steps = torch.arange(WINDOW, device=table.device)
        places = torch.cartesian_prod(steps, steps)
        far = places[:, None] - places[None] + WINDOW - 1
        return table[far[..., 0] * (2 * WINDOW - 1) + far[..., 1]].permute(2, 0, 1)


def _apart(height: int, width: int, like: Tensor) -> Tensor:
    """-100 between tokens that a shift brought together from opposite borders: (windows, 1, tokens, tokens)."""
    places = (torch.arange(n, device=like.device) - n for n in (height, width))
    rows, columns = ((at >= -WINDOW).to(like.dtype) + (at >= -SHIFT).to(like.dtype) for at in places)
    region = (3 * rows[:, None] + columns).view(height // WINDOW, WINDOW, width // WINDOW, WINDOW)
    region = region.transpose(1, 2).reshape(-1, 1, WINDOW**2)
    return -100 * (region[..., None] != region[..., None, :]).to(like.dtype)


def _mirrored(image: Tensor, right: int, below: int) -> Tensor:
    """The last columns and rows once more, in reverse; repeated where the image is smaller."""
    while right or below:
        columns, rows = min(right, image.shape[-1]), min(below, image.shape[-2])
        if columns:
            image = torch.cat([image, image[..., -columns:].flip(-1)], -1)
        if rows:
            image = torch.cat([image, image[..., -rows:, :].flip(-2)], -2)
        right, below = right - columns, below - rows
    return image


def _blocks(kind: Any, width: int, depth: int) -> nn.ModuleDict:
    return nn.ModuleDict({"blocks": nn.Sequential(*(kind(width, SHIFT * (n % 2)) for n in range(depth)))})
