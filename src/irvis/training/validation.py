"""What a training is judged by while it runs: losses on whole pairs, and a picture."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ..color import luma, value
from ..data.pairs import Source
from ..fuser import Fuser
from ..io import write
from ..types import RGB, Image
from .recipe import Stage
from .steps import judged


def in_domain(domain: str, visible: RGB) -> Image:
    """The plane of the visible image that the core fuses."""
    if domain == "rgb":
        return visible
    return luma(visible) if domain == "luma" else value(visible)


@torch.no_grad()
def validation_losses(fuser: Fuser, pairs: Source, stage: Stage) -> dict[str, float]:
    """The stage's losses over whole pairs, mean; colour and padding as in use."""
    fuser.eval()
    sums: dict[str, float] = {}
    for index in range(len(pairs)):
        visible, infrared = (image.to(_device(fuser)) for image in pairs[index])
        plane = in_domain(fuser.spec.domain, visible)
        fused = in_domain(fuser.spec.domain, shrunk(fuser(visible, infrared), fuser.spec.scale))
        for name, term in judged(fused, plane, infrared, stage.losses).items():
            sums[name] = sums.get(name, 0.0) + float(term) / len(pairs)
    fuser.train()
    return sums


@torch.no_grad()
def draw(fuser: Fuser, pairs: Source, path: Path) -> Tensor:
    """Visible, infrared and fused side by side, of the first validation pair: written to `path` and returned."""
    fuser.eval()
    visible, infrared = (image.to(_device(fuser)) for image in pairs[0])
    fused = shrunk(fuser(visible, infrared), fuser.spec.scale)
    row = torch.cat([visible, infrared.expand_as(visible), fused], dim=3).cpu()
    write(path, row)
    fuser.train()
    return row[0]


def shrunk(image: Tensor, scale: int) -> Tensor:
    """An image at 1/`scale` of its size."""
    return nn.functional.avg_pool2d(image, scale) if scale > 1 else image


def _device(fuser: Fuser) -> torch.device:
    return next(fuser.parameters()).device
