"""Where a training's pairs come from: folders, split by scene for validation, and synthetic scenes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data import catalog
from ..data.matching import split_by_scene
from ..data.pairs import Joined, PairFolder, SceneFolder, Source
from ..errors import IrvisError
from ..thermal import Range
from .recipe import Data

VALIDATION_SCENES = 8
"""Synthetic scenes kept for validation where nothing real is."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What is trained on, how often each is drawn from, and the pairs kept for validation."""

    train: Sequence[Source]
    share: Sequence[float]
    validation: Source
    names: Sequence[str]
    """One line each: what was found."""


def gather(data: Data, folders: Sequence[Path], *, seed: int = 0, range: Range | None = None) -> Sources:
    """Pairs of every folder and the recipe's synthetic scenes.

    Each folder gives its own contiguous share of pairs to validation: neighbours often show one scene.
    """
    if not folders and data.synthetic < 1:
        raise IrvisError("nothing to train on: name a folder with --data (or a recipe whose data are synthetic = 1)")
    real = [] if data.synthetic >= 1 else folders
    train: list[Source] = []
    validation: list[Source] = []
    lines = []
    for folder in real:
        learn, check = _folder(folder, data, range)
        lines.append(f"{folder}: {len(learn)} pairs to train on, {len(check) if check else 0} to validate")
        train.append(learn)
        if check:
            validation.append(check)
    synthetic = data.synthetic if real else 1.0
    if synthetic > 0:
        train.append(SceneFolder(data.scenes, seed=seed * 100_000))
        lines.append(f"{data.scenes} synthetic scenes, {synthetic:.0%} of the crops")
    if not validation:
        validation.append(SceneFolder(VALIDATION_SCENES, seed=seed * 100_000 + data.scenes))
    share = _shares([len(source) for source in train], synthetic)
    return Sources(train=train, share=share, validation=Joined(validation), names=lines)


def _folder(folder: Path, data: Data, range: Range | None) -> tuple[PairFolder, PairFolder | None]:
    """What of a folder is trained on, and what validates; a public set is known by its layout."""
    layout = catalog.detect(folder) if folder.is_dir() else None
    pairs = {pair.name: pair for pair in catalog.find(folder).pairs}
    if layout is not None and not layout.registered and layout.register is None:
        raise IrvisError(f"{folder} is {layout.name}, whose pairs are not registered: align them first")
    register = layout.register if layout else None
    parts = [[pairs[name] for name in names] for names in split_by_scene(pairs, data.validation)]
    learn, check = (PairFolder(part, range=range, register=register) if part else None for part in parts)
    if learn is None:
        raise IrvisError(f"{folder} has too few pairs to train on")
    return learn, check


def _shares(sizes: Sequence[int], synthetic: float) -> list[float]:
    """Real sources by their number of pairs; the last one, if synthetic, as told."""
    if synthetic >= 1:
        return [1.0]
    real = sizes[:-1] if synthetic > 0 else sizes
    drawn = [size / sum(real) * (1 - synthetic) for size in real]
    return [*drawn, synthetic] if synthetic > 0 else drawn
