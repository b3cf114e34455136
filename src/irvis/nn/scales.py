"""The two fusion modules of MaeFuse, arXiv:2404.11016, at one scale of a pyramid of features.

What a place asks it asks of its neighbourhood in the other image, at the coarsest scale of every place: the work grows
with the picture's area, and shifts of a few pixels are bridged. The learned distances stand for positions, so that any
size will do, and features that are the same everywhere stay so.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad, scaled_dot_product_attention

NEAR = 2
"""Places around its own that a place sees, where it does not see all."""
SIDE = 2 * NEAR
"""Of the squares of places that ask together."""
Sees = Literal["same", "near", "all"]
STEEP = 3.0
"""How much less, before training, a place counts with each place of distance."""


class Crossing(nn.Module):
    """Attention from one image's features to another's, (b, h, w, width) each.

    Before training it gives half of what it finds at its own place.

    Parameters
    ----------
    width, heads: channels and heads.
    sees: the "same" place, those up to `NEAR` rows and columns away ("near"), or "all", which count less with distance.
    """

    def __init__(self, width: int, heads: int, sees: Sees) -> None:
        super().__init__()
        self.heads, self.sees = heads, sees
        self.query, self.context, self.output = (nn.Linear(width, out) for out in (width, 2 * width, width))
        if sees == "all":
            self.distances = nn.Parameter((STEEP * 0.5 ** torch.arange(heads)).log())
        elif sees == "near":
            away = torch.arange(-NEAR, NEAR + 1).square()
            self.distances = nn.Parameter(-STEEP * (away[:, None] + away).sqrt().flatten().expand(heads, -1).clone())
        for layer in (self.query, self.context, self.output):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.context.weight.data[width:] = torch.eye(width)
        self.output.weight.data.copy_(0.5 * torch.eye(width))

    def forward(self, asking: Tensor, asked: Tensor) -> Tensor:
        query, (key, value) = self.query(asking), self.context(asked).chunk(2, -1)
        if self.sees == "same":
            return self.output(value)
        return self.output((self._everywhere if self.sees == "all" else self._near)(query, key, value))

    def _everywhere(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        rows, columns = query.shape[1:3]
        down, right = (torch.arange(n, device=query.device, dtype=query.dtype) for n in (rows, columns))
        square = (down[:, None, None, None] - down[:, None]).square() + (right[:, None, None] - right).square()
        bias = -self.distances.exp()[:, None, None] * square.flatten(2).flatten(0, 1).sqrt()
        query, key, value = (x.flatten(1, 2) for x in (query, key, value))
        found = self._found(query, key, value, bias.to(query.dtype))
        return found.unflatten(1, (rows, columns))

    def _near(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Square by square of `SIDE` places; those asked lie in the square and half a square around it."""
        height, width = query.shape[1:3]
        query, key, value = (
            pad(x.permute(0, 3, 1, 2), (around, around - width % -SIDE, around, around - height % -SIDE), "replicate")
            for x, around in ((query, 0), (key, NEAR), (value, NEAR))
        )
        query, key, value = _squares(query), _around(_squares(key)), _around(_squares(value))
        rows, columns = query.shape[1:3]
        query, key, value = (x.flatten(0, 2) for x in (query, key, value))
        found = self._found(query, key, value, self._bias(query))
        found = found.unflatten(0, (-1, rows, columns)).unflatten(3, (SIDE, SIDE)).transpose(2, 3)
        return found.flatten(3, 4).flatten(1, 2)[:, :height, :width]

    def _bias(self, like: Tensor) -> Tensor:
        """(heads, asking, asked) of a square: the distances, and nothing from beyond `NEAR`."""
        number, near = (x.to(like.device) for x in _offsets())
        return self.distances[:, number].masked_fill(~near, float("-inf")).to(like.dtype)

    def _found(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        query, key, value = (x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in (query, key, value))
        return scaled_dot_product_attention(query, key, value, attn_mask=bias[None]).transpose(1, 2).flatten(2)


class Comparing(nn.Module):
    """Comparative fusion module: each image asks the other. ΦD = A(ΦI, ΦV) + A′(ΦV, ΦI)."""

    def __init__(self, width: int, heads: int, sees: Sees) -> None:
        super().__init__()
        self.infrared_asks, self.visible_asks = (Crossing(width, heads, sees) for _ in range(2))

    def forward(self, seen: Tensor, warm: Tensor) -> Tensor:
        return self.infrared_asks(warm, seen) + self.visible_asks(seen, warm)


class Merging(nn.Module):
    """Merging fusion module: a guide asks both. F = ΦD + B(ΦD, ΦV) + B′(ΦD, ΦI); ΦF = norm(perceptron(F) + F)."""

    def __init__(self, width: int, heads: int, sees: Sees) -> None:
        super().__init__()
        self.of_visible, self.of_infrared = (Crossing(width, heads, sees) for _ in range(2))
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, guide: Tensor, seen: Tensor, warm: Tensor) -> Tensor:
        merged = guide + self.of_visible(guide, seen) + self.of_infrared(guide, warm)
        return self.norm(self.narrow(gelu(self.widen(merged))) + merged)


def _squares(x: Tensor) -> Tensor:
    """(b, width, rows · SIDE, columns · SIDE) -> (b, rows, columns, SIDE², width)."""
    return x.unflatten(3, (-1, SIDE)).unflatten(2, (-1, SIDE)).permute(0, 2, 4, 3, 5, 1).flatten(3, 4)


def _around(squares: Tensor) -> Tensor:
    """Every two by two squares as one: (b, rows - 1, columns - 1, 4 · SIDE², width)."""
    rows = torch.cat([squares[:, :-1], squares[:, 1:]], 3)
    return torch.cat([rows[:, :, :-1], rows[:, :, 1:]], 3)


def _offsets() -> tuple[Tensor, Tensor]:
    """For each place of a square and each that is asked: the number of their offset, and whether it is near enough."""
    row, column = (x.flatten() for x in torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij"))
    below, beside = (torch.tensor(n).repeat_interleave(SIDE**2) * SIDE - NEAR for n in ((0, 1, 0, 1), (0, 0, 1, 1)))
    down, right = below + row.repeat(4) - row[:, None], beside + column.repeat(4) - column[:, None]
    near = (down.abs() <= NEAR) & (right.abs() <= NEAR)
    return torch.where(near, (down + NEAR) * (2 * NEAR + 1) + right + NEAR, 0), near
