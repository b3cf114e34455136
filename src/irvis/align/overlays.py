"""What belongs to a picture, not to the scene: borders of one colour, and text or frames burnt into both pictures.

It stays where it is when the scene moves, so that an alignment that followed it would find no move at all.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from ..types import Gray, Scaled
from .edges import fitted

FLAT = 5 / 255
"""Levels by which a row of a border differs in itself and from the outermost one."""
LONG = 320
"""Pixels of the longer side at which both pictures are compared."""
ALIKE, STRONG = 0.03, 0.25
"""Two pictures show one overlay where they differ by less, at lines that are this much brighter or darker."""
THIN, RIM = 17, 6
"""Pixels, at LONG: lines are thinner; what lies so near is not looked at either."""
MOST = 0.4
"""Of the lines of a picture: where both share more, they are one picture and not two of one overlay."""
MOSTLY = 0.85
"""Of the lines around a place: where fewer are alike, it is chance."""
FEW = 90
"""Pixels, at LONG: fewer are no overlay."""

Masks = tuple[Gray, Scaled]
"""(1, 1, h, w) of each picture, 1 where it shows the scene."""


def overlays(visible: Gray, infrared: Scaled) -> Masks | None:
    """Where each picture shows the scene; None where both do everywhere."""
    seen, felt = _inside(visible), _inside(infrared)
    drawn = _drawn(visible, infrared)
    if drawn is not None:
        seen, felt = (mask * (1 - interpolate(drawn, mask.shape[-2:])) for mask in (seen, felt))
    return None if bool(seen.all()) and bool(felt.all()) else (seen, felt)


def _inside(image: Gray) -> Gray:
    """0 on borders of one colour, such as the bars of a letterbox, and close to them."""
    mask = torch.ones_like(image)
    for axis in (2, 3):
        side = image.shape[axis]
        first, last = _border(image, axis), _border(image.flip(axis), axis)
        if first:
            mask.narrow(axis, 0, min(first + _rim(image), side)).zero_()
        if last:
            mask.narrow(axis, max(side - last - _rim(image), 0), min(last + _rim(image), side)).zero_()
    return mask


def _border(image: Gray, axis: int) -> int:
    """Rows from the start of an axis that are one flat colour; 0 where they go on to the middle."""
    across = 5 - axis
    low, high = image.amin((0, 1, across)), image.amax((0, 1, across))
    flat = ((high - low) <= FLAT) & ((low - low[0]).abs() <= FLAT)
    rows = int(flat.long().cumprod(0).sum())
    return rows if 2 <= rows < 0.4 * len(flat) else 0


def _rim(image: Gray) -> int:
    return max(2, round(RIM * max(image.shape[-2:]) / LONG))


def _drawn(visible: Gray, infrared: Scaled) -> Tensor | None:
    """1 where both pictures, one laid on the other, show the same lines in the same brightness; None for nowhere."""
    share = min(1.0, LONG / max(visible.shape[-2:]))
    size = (max(1, round(visible.shape[-2] * share)), max(1, round(visible.shape[-1] * share)))
    one, other = fitted(visible, *size), fitted(infrared, *size)
    lines = [torch.maximum(_tops(image), _tops(1 - image)) > STRONG for image in (one, other)]
    drawn = (lines[0] | lines[1]).float()
    same = drawn * ((one - other).abs() < ALIKE)
    sure = (_mean(same) > MOSTLY * _mean(drawn)) * same
    count = float(sure.sum())
    if count < FEW or count > MOST * float(drawn.sum()):
        return None
    return (_mean(sure) > 0).float()


def _mean(image: Tensor) -> Tensor:
    return avg_pool2d(image, 2 * RIM + 1, 1, RIM)


def _tops(image: Gray) -> Tensor:
    """By how much a pixel is brighter than any wide thing there: a morphological top-hat."""
    return image - _highest(-_highest(-image))


def _highest(image: Tensor) -> Tensor:
    return max_pool2d(max_pool2d(image, (1, THIN), 1, (0, THIN // 2)), (THIN, 1), 1, (THIN // 2, 0))
