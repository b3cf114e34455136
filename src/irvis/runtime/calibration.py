"""Pairs that show a network's ranges, for int8."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .. import color, tiling
from ..data import matching
from ..data.pairs import PairFolder, SceneFolder, Source
from ..fuser import Fuser

COUNT, SIZE = 16, (256, 320)


@torch.no_grad()
def pairs(fuser: Fuser, folder: Path | None = None) -> list[tuple[Tensor, Tensor]]:
    """Up to `COUNT` pairs (plane, infrared) as the core sees them, their middle at most `SIZE`.

    folder: of pairs, evenly drawn from; None = synthetic scenes of all weathers.
    """
    source = SceneFolder(COUNT) if folder is None else _read(folder)
    found = [source[n] for n in range(len(source))]
    split = {"luma": color.luma, "value": color.value}.get(fuser.spec.domain, lambda visible: visible)
    return [_fitting(fuser, split(_middle(visible)), _middle(infrared)) for visible, infrared in found]


def _read(folder: Path) -> Source:
    found = matching.match(str(folder)).pairs
    return PairFolder([found[n] for n in sorted({round(n) for n in np.linspace(0, len(found) - 1, COUNT)})])


def _middle(image: Tensor) -> Tensor:
    """The central part of an image, not larger than `SIZE`."""
    top, left = (max(length - most, 0) // 2 for length, most in zip(image.shape[2:], SIZE, strict=True))
    return image[:, :, top : top + SIZE[0], left : left + SIZE[1]]


def _fitting(fuser: Fuser, plane: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
    """Both padded to the core's multiple."""
    seen: list[Tensor] = []

    def core(visible: Tensor, infrared: Tensor) -> Tensor:
        seen.extend([visible, infrared])
        return visible

    tiling.padded(core, plane, infrared, fuser.spec)
    return seen[0].contiguous(), seen[1].contiguous()
