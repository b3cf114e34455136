"""A palette's hues on the fused picture, by the gray of infrared."""

import numpy as np
import torch
from torch import Tensor

from ..color import gray, with_luma
from ..thermal.palette import hues
from ..types import RGB, Gray

STEPS = 1024


def tinted(picture: RGB, infrared: Gray, valid: Tensor | None, name: str) -> RGB:
    """`thermal.palette.tinted` for gray in [0, 1], by a table; nothing changes outside `valid`."""
    table = torch.from_numpy(hues(name, np.linspace(0, 1, STEPS, dtype=np.float32))).to(picture.device)
    hued = table[(infrared[0, 0] * (STEPS - 1)).round().long()].permute(2, 0, 1)[None]
    coloured = with_luma(hued, gray(picture))
    return coloured if valid is None else torch.where(valid > 0.5, coloured, picture)
