"""Where a training's pairs come from: folders, split by scene for validation, and synthetic scenes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data import catalog
from ..data.matching import split_by_scene
from ..data.pairs import ImageFolder, Joined, PairFolder, SceneFolder, Source, Taught
from ..data.patterns import Patterns
from ..errors import IrvisError, SidesUnknownError
from ..thermal import Range
from .looking import Lost, Show, looked_at
from .records import Data
from .target import target

CACHE = 2 << 30
"""Bytes of memory for decoded pairs, of all folders together."""
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
    images: Sequence[Source] = ()
    """Single images, each as both sources."""
    lost: Sequence[Lost] = ()
    """What could not be read and is left out."""

    def drawn(self, images: bool) -> tuple[Sequence[Source], Sequence[float]]:
        """What batches are drawn from, and how often each: pairs, and single images by their number if wanted."""
        if not images or not self.images:
            return self.train, self.share
        pairs, single = (sum(len(source) for source in part) for part in (self.train, self.images))
        share = [part * pairs / (pairs + single) for part in self.share]
        return [*self.train, *self.images], [*share, *(len(source) / (pairs + single) for source in self.images)]


def gather(
    data: Data,
    folders: Sequence[Path],
    *,
    images: Sequence[Path] = (),
    seed: int = 0,
    range: Range | None = None,
    show: Show | None = None,
) -> Sources:
    """Pairs of every folder and the recipe's synthetic scenes; single images of the folders `images`.

    Every file is read once: what cannot be is left out, see `looking`, which tells `show` how far it is.

    Each folder gives its own contiguous share of pairs to validation: neighbours often show one scene.
    """
    if not folders and data.synthetic < 1:
        raise IrvisError("nothing to train on: name a folder with --data (or a recipe whose data are synthetic = 1)")
    if folders and data.synthetic >= 1:
        raise IrvisError("this recipe trains on synthetic scenes alone (synthetic = 1): leave out --data")
    memory = CACHE // max(len(folders), 1)
    found = [_folder(folder, data, range, memory) for folder in folders]
    single = [ImageFolder(folder, range=range, cache=memory) for folder in images]
    read = [part for folder in found for part in (folder.learn, folder.check) if part is not None]
    lost = looked_at([*read, *single], show)
    learned: list[PairFolder | ImageFolder] = [*(folder.learn for folder in found), *single]
    for place, source in zip((*folders, *images), learned, strict=True):
        if not len(source):
            raise IrvisError(f"{place}: nothing there to train on can be read; {lost[0].name}: {lost[0].problem}")
    train: list[Source] = [folder.learn for folder in found]
    validation: list[Source] = [folder.check for folder in found if folder.check is not None and len(folder.check)]
    lines = [folder.line for folder in found]
    synthetic = data.synthetic if folders else 1.0
    if synthetic > 0:
        train.append(SceneFolder(data.scenes, seed=seed * 100_000))
        lines.append(f"{data.scenes} synthetic scenes, {synthetic:.0%} of the crops")
    if not validation:
        validation.append(SceneFolder(VALIDATION_SCENES, seed=seed * 100_000 + data.scenes))
    lines += [f"{folder}: {len(source)} single images" for folder, source in zip(images, single, strict=True)]
    share = _shares([len(source) for source in train], synthetic)
    if data.target:
        train = [*(Taught(source, target, data.variants, data.gamma) for source in train), Patterns(2000)]
        share = [*(part * (1 - data.patterns) for part in share), data.patterns]
        validation = [Taught(source, target, 1, 1.0) for source in validation]
    return Sources(train=train, share=share, validation=Joined(validation), names=lines, images=single, lost=lost)


@dataclass(frozen=True, kw_only=True)
class _Folder:
    """What of a folder is trained on, what validates, and what is said of it."""

    learn: PairFolder
    check: PairFolder | None
    told: str
    alone: int

    @property
    def line(self) -> str:
        kept = 0 if self.check is None else len(self.check)
        lonely = f", {self.alone} files without a partner" if self.alone else ""
        return f"{self.told}: {len(self.learn)} pairs to train on, {kept} to validate{lonely}"


def _folder(folder: Path, data: Data, range: Range | None, memory: int) -> _Folder:
    """Of a public set, its training split."""
    layout = catalog.detect(folder) if folder.is_dir() else None
    if layout is not None and not layout.registered and layout.register is None:
        raise IrvisError(f"{folder} is {layout.name}, whose pairs are not registered: align them first")
    split = "train" if layout is not None and "train" in layout.splits else None
    try:
        found = catalog.find(folder, split=split)
    except SidesUnknownError as problem:  # whose text has a word of other verbs
        raise IrvisError(
            f"{folder} holds no pairs that training can tell: put the files, or links to them, into {folder / 'vi'} "
            f"and {folder / 'ir'}, both of a pair under one name"
        ) from problem
    pairs = {pair.name: pair for pair in found.pairs}
    register = layout.register if layout else None
    names = split_by_scene(pairs, data.validation) if data.validation else (list(pairs), [])
    learn, check = (
        PairFolder([pairs[name] for name in part], range=range, register=register, cache=memory) if part else None
        for part in names
    )
    if learn is None:
        raise IrvisError(f"{folder} has too few pairs to train on")
    alone = len(found.only_visible) + len(found.only_infrared)
    told = f"{folder} ({layout.name}, {split} split)" if layout and split else str(folder)
    return _Folder(learn=learn, check=check, told=told, alone=alone)


def _shares(sizes: Sequence[int], synthetic: float) -> list[float]:
    """Real sources by their number of pairs; the last one, if synthetic, as told."""
    if synthetic >= 1:
        return [1.0]
    real = sizes[:-1] if synthetic > 0 else sizes
    drawn = [size / sum(real) * (1 - synthetic) for size in real]
    return [*drawn, synthetic] if synthetic > 0 else drawn
