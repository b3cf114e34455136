"""Cross-attention between the features of two images: the two fusion modules of MaeFuse, arXiv:2404.11016."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .vit import Attention, Features, Perceptron, initialise

Seen = Literal["token", "pointwise", "batch"]
"""What a place attends to: all places, the same place only, or the same place of all pairs of the batch."""
Both = Float[Tensor, "both rows columns width"]
"""Features of one image of every pair, then those of the other."""


class Comparing(nn.Module):
    """Comparative fusion module: each image asks the other. ΦD = A(ΦI, ΦV) + A(ΦV, ΦI), with one A (query, context)."""

    def __init__(self, width: int, heads: int, sees: Seen) -> None:
        super().__init__()
        self.attention, self.sees = Attention(width, heads), sees
        initialise(self)

    def forward(self, seen: Features, warm: Features) -> Features:
        return found(self.attention, torch.cat([warm, seen]), torch.cat([seen, warm]), self.sees)


class Merging(nn.Module):
    """Merging fusion module: a guide asks both. F = A(ΦD, ΦV) + A(ΦD, ΦI); ΦF = norm(perceptron(F) + F)."""

    def __init__(self, width: int, heads: int, sees: Seen) -> None:
        super().__init__()
        self.attention, self.sees = Attention(width, heads), sees
        self.perceptron = Perceptron(width)
        self.norm = nn.LayerNorm(width)
        initialise(self)

    def forward(self, guide: Features, seen: Features, warm: Features) -> Features:
        merged = found(self.attention, torch.cat([guide, guide]), torch.cat([seen, warm]), self.sees)
        return self.norm(self.perceptron(merged) + merged)


def found(attention: Attention, queries: Both, contexts: Both, sees: Seen) -> Features:
    """The sum of what two queries find in two contexts."""
    if sees == "pointwise":
        answers = attention.alone(contexts)
    else:
        turned = _across if sees == "batch" else _as_they_are
        tokens = attention(*(turned(x.flatten(1, 2)) for x in (queries, contexts)))
        answers = turned(tokens).unflatten(1, queries.shape[1:3])
    return answers.unflatten(0, (2, -1)).sum(0)


def _as_they_are(tokens: Tensor) -> Tensor:
    return tokens


def _across(tokens: Tensor) -> Tensor:
    """(2 images · pairs, tokens, width) as (2 images · tokens, pairs, width), and back."""
    return tokens.unflatten(0, (2, -1)).transpose(1, 2).flatten(0, 1)
