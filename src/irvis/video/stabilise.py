"""Fused pictures that keep still where nothing moves.

A fusion makes the noise of its inputs stronger where it makes detail stronger, and what it gives to either input may
change from frame to frame. Where both inputs change by no more than their noise, the fused picture is mixed with the
one before; where anything moves it is left alone, so that nothing drags behind. The state lives in the generator.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from ..types import Gray, Scaled

HELD = 0.65
"""Share of the picture before that is kept where nothing moves."""
CELL = 4
"""Pixels of a side of the cells in which motion is looked for."""
NOISE, MOTION = 1.3, 2.2
"""Mean change of a cell over the noise, up to which it is noise and from which it is motion; between, in proportion."""
LEAST = 0.5 / 255
"""Noise is taken for no less: coding leaves none where nothing moves."""
AMPLIFIED = 4.0
"""No pixel is changed by more than the noise (standard deviation of its change) times this."""
_FLAT = 0.25
_THIN = 6


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """Inputs of a fusion, (1, c, h, w) in [0, 1], and what became of them: a picture for each method.

    cut: another scene begins: nothing is kept.
    """

    visible: Tensor
    infrared: Tensor
    fused: tuple[Tensor, ...]
    cut: bool = False


def stabilise(moments: Iterable[Moment], held: float = HELD) -> Iterator[tuple[Tensor, ...]]:
    """The fused pictures of each moment, steadied; the first, and those after a cut, as they are."""
    before: Moment | None = None
    kept: tuple[Tensor, ...] = ()
    for now in moments:
        seen = now.visible[:, now.visible.shape[1] // 2][:, None], now.infrared  # green tells of all that moves
        if before is None or now.cut or before.infrared.shape != now.infrared.shape:
            kept = now.fused
        else:
            still, most = _still((before.visible, before.infrared), seen)
            kept = tuple(_mixed(new, old, held * still, most) for new, old in zip(now.fused, kept, strict=True))
        before = Moment(visible=seen[0], infrared=seen[1], fused=())
        yield kept


@torch.inference_mode()
def _mixed(new: Scaled, old: Scaled, share: Tensor, most: float) -> Scaled:
    """`share` of the old picture, per cell; no pixel is changed by more than `most`."""
    wide = interpolate(share, new.shape[-2:], mode="bilinear", align_corners=False)
    return torch.sub(old, new).mul_(wide).clamp_(-most, most).add_(new)


@torch.inference_mode()
def _still(before: tuple[Gray, Gray], now: tuple[Gray, Gray]) -> tuple[Tensor, float]:
    """1 where neither input moves, 0 where one does, per cell; and what noise can change in the fused picture."""
    changes = [torch.sub(new, old).abs_() for old, new in zip(before, now, strict=True)]
    noises = [noise(change, new) for change, new in zip(changes, now, strict=True)]
    moving = [
        avg_pool2d(change, CELL, stride=CELL, ceil_mode=True) / level
        for change, level in zip(changes, noises, strict=True)
    ]
    near = max_pool2d(torch.maximum(*moving), 3, stride=1, padding=1)
    return ((MOTION - near) / (MOTION - NOISE)).clamp(0, 1), AMPLIFIED * max(noises)


def noise(change: Gray, now: Gray) -> float:
    """Standard deviation of the change by noise alone: of the flattest pixels, where motion changes nothing."""
    few, flat = change[..., ::_THIN, ::_THIN], now[..., ::_THIN, ::_THIN]
    beside = now[..., ::_THIN, 1::_THIN][..., : flat.shape[-1]]
    slope = (flat[..., : beside.shape[-1]] - beside).abs().flatten()
    changes = few[..., : beside.shape[-1]].flatten()
    if not slope.numel():
        return LEAST
    flattest = changes[slope <= slope.kthvalue(max(1, int(_FLAT * slope.numel()))).values]
    return max(1.4826 * float(flattest.median()), LEAST)
