"""What a training is judged by while it runs: losses on whole pairs, and a picture."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..color import luma, value
from ..data.pairs import Source
from ..fuser import Fuser
from ..io import write
from ..types import RGB, Gray, Image, Picture
from .records import Stage
from .steps import STEPS, Outcome


@dataclass(frozen=True, kw_only=True)
class Validated:
    """An epoch of a stage: the validation loss, the least so far, and that before the stage's first step."""

    stage: int
    stages: int
    epoch: int
    epochs: int
    score: float
    best: float
    began: float | None
    """None where a run was resumed that did not note it."""
    pairs: int
    """How many are held back."""
    picture: Path
    """The first of them: visible, infrared, fused."""

    @property
    def line(self) -> str:
        """For the screen."""
        stage = f"stage {self.stage} of {self.stages}, " if self.stages > 1 else ""
        began = "" if self.began is None else f", {self.began:.4f} at the start"
        return f"{stage}epoch {self.epoch} of {self.epochs}: validation loss {self.score:.4f}{began}; {self.picture}"

    @property
    def verdict(self) -> str:
        """What the stage brought; empty where nobody knows."""
        if self.began is None:
            return ""
        on = f"on {self.pairs} held-back pairs"
        if self.best < self.began:
            share = f" ({1 - self.best / self.began:.0%})" if self.began > 0 else ""
            return (
                f"better than where you began: validation loss {self.best:.4f} instead of {self.began:.4f}{share}, {on}"
            )
        return f"not better than where you began: validation loss {self.best:.4f}, {self.began:.4f} at the start, {on}"


def in_domain(domain: str, visible: RGB) -> Image:
    """The plane of the visible image that the core fuses."""
    if domain == "rgb":
        return visible
    return luma(visible) if domain == "luma" else value(visible)


@torch.no_grad()
def validation_losses(fuser: Fuser, pairs: Source, stage: Stage) -> dict[str, float]:
    """The stage's losses over whole pairs, mean."""
    sums: dict[str, float] = {}
    for index in range(len(pairs)):
        for name, term in _outcome(fuser, pairs, index, stage)[1].terms.items():
            sums[name] = sums.get(name, 0.0) + float(term) / len(pairs)
    return sums


@torch.no_grad()
def draw(fuser: Fuser, pairs: Source, stage: Stage, path: Path) -> Tensor:
    """The first validation pair and what the stage makes of it, side by side: written to `path` and returned."""
    (plane, infrared), outcome = _outcome(fuser, pairs, 0, stage)
    row = torch.cat([image.cpu().expand(-1, 3, -1, -1) for image in (plane, infrared, outcome.picture)], dim=3)
    write(path, row.clamp(0, 1))
    return row[0]


def _outcome(fuser: Fuser, pairs: Source, index: int, stage: Stage) -> tuple[tuple[Image, Gray], Outcome]:
    """The stage's step on a clean, whole pair, without chance."""
    fuser.eval()
    visible, infrared, *target = (_filled(image.to(_device(fuser)), fuser) for image in pairs[index])
    plane = in_domain(fuser.spec.domain, visible)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(index)
        outcome = STEPS[stage.step](fuser.core, plane, infrared, replace(stage, blur=0.0, noise=0.0), *target)
    fuser.train()
    return (plane, infrared), outcome


def _filled(image: Picture, fuser: Fuser) -> Tensor:
    """The image up to the next multiple, its border repeated."""
    multiple = fuser.spec.multiple * fuser.spec.scale
    below, right = (-side % multiple for side in image.shape[-2:])
    return pad(image, (0, right, 0, below), mode="replicate")


def _device(fuser: Fuser) -> torch.device:
    return next(fuser.parameters()).device
