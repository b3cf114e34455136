"""Picture strips: the pairs that tell most, every method beside its sources, and where they differ most enlarged."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ..color import luma
from ..data.matching import Match
from ..sheet import Box, sheet
from ..types import RGB
from .compute import Plan, read
from .entries import fused
from .statistics import Table, disagreement, standing

Mark = Callable[[Tensor, str, str], Tensor]
SHOWN = 7
"""Entries on a strip, best first."""


def telling(table: Table, reference: int) -> dict[str, int]:
    """Caption → pair: where the reference does best, where worst, and where the metrics disagree most."""
    place = standing(table.values, reference, table.metrics)
    disputed = disagreement(table.values, table.metrics)
    name = table.entries[reference]
    chosen: dict[str, int] = {}
    for caption, scores in (
        (f"best for {name}", -place),
        (f"worst for {name}", place),
        ("most disputed: the metrics order the results most differently", disputed),
    ):
        there = np.isfinite(scores)
        pair = int(np.argmax(np.where(there, scores, -np.inf))) if there.any() else -1
        if pair >= 0 and pair not in chosen.values() and (scores is not disputed or scores[pair] > 0):
            chosen[caption] = pair
    return chosen


@torch.inference_mode()
def strip(match: Match, plan: Plan, names: Sequence[str], mark: Mark | None = None) -> Pillow.Image:
    """One pair: the sources, the entries in the order of `names`, two details of each.

    mark: draws on a picture what is known of it, given the names of the pair and of the entry.
    """
    pair = read(match, plan.reading)
    entries = {entry.name: entry for entry in plan.entries}
    results: dict[str, RGB] = {}
    for name in names:
        try:
            results[name] = fused(entries[name], pair, plan.stems[match.name], plan.device)
        except Exception:  # its absence was reported when the pair was judged
            continue
    pictures: Mapping[str, Tensor] = {
        "visible": pair.visible,
        "infrared": pair.infrared.expand_as(pair.visible),
        **results,
    }
    if mark:
        pictures = {name: mark(image, match.name, name) for name, image in pictures.items()}
    return sheet(pictures, differing(list(results.values())), columns=3, width=420)


def differing(images: Sequence[RGB], count: int = 2) -> list[Box]:
    """Where the images differ most: boxes of a quarter of the picture's width that do not overlap."""
    if len(images) < 2:
        return []
    spread = torch.cat([luma(image) for image in images]).std(0, keepdim=True)
    height, width = spread.shape[-2:]
    wide, tall = max(width // 4, 1), max(min(width // 6, height), 1)
    sums = avg_pool2d(spread, (tall, wide), stride=1)[0, 0]
    boxes = []
    for _ in range(count):
        if sums.max() < 0:
            break
        top, left = divmod(int(sums.argmax()), sums.shape[1])
        boxes.append(Box(left, top, left + wide, top + tall))
        sums[max(top - tall + 1, 0) : top + tall, max(left - wide + 1, 0) : left + wide] = -1
    return boxes


def shown(table: Table, mean_rank: Sequence[float], reference: int) -> list[str]:
    """The entries on a strip: the reference, then the best; the sources stand there anyway."""
    order = [reference, *(int(n) for n in np.argsort(mean_rank) if n != reference)]
    names = [table.entries[n] for n in order]
    return [name for name in names if name not in ("visible", "infrared")][:SHOWN]
