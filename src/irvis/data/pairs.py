"""Training data: decoded pairs kept in memory, and batches of crops that are a pure function of seed and step."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Protocol, runtime_checkable

import torch
from numpy.random import Generator, default_rng
from torch import Tensor
from torch.nn.functional import interpolate, pad
from torch.utils.data import Dataset

from ..color import luma
from ..errors import IrvisError
from ..io import READABLE, read_infrared, read_pair, read_visible
from ..thermal import Range
from ..types import RGB, Gray
from .catalog import Register
from .matching import Match


@runtime_checkable
class Source(Protocol):
    """Anything that holds pairs: (1, 3, h, w) and (1, 1, h, w) in [0, 1], the same every time it is asked."""

    def __len__(self) -> int: ...
    def name(self, index: int) -> str: ...
    def __getitem__(self, index: int) -> tuple[Tensor, ...]: ...


class Kept:
    """Decoded files of a source, kept as bytes while they fit into `room` bytes; threads may share it."""

    def __init__(self, room: int) -> None:
        self.room, self.lock = room, Lock()
        self.images: dict[int, tuple[Tensor, ...]] = {}

    def keep(self, index: int, *images: Tensor) -> None:
        size = sum(image.numel() for image in images)
        with self.lock:
            if index not in self.images and self.room >= size:
                self.room -= size
                self.images[index] = images

    def without(self, lost: Collection[int]) -> None:
        """Forget the numbers that are lost; those that follow move up."""
        left = [index for index in range(max(self.images, default=-1) + 1) if index not in lost]
        self.images = {new: self.images[old] for new, old in enumerate(left) if old in self.images}


class PairFolder:
    """Matched files, decoded once and kept as bytes while they fit into `cache` bytes of memory."""

    def __init__(
        self,
        pairs: Sequence[Match],
        *,
        range: Range | None = None,
        register: Register | None = None,
        cache: int = 2 << 30,
    ) -> None:
        if not pairs:
            raise IrvisError("there are no pairs to read")
        self.pairs, self.range, self.register = tuple(pairs), range, register
        self.kept = Kept(cache)

    def __len__(self) -> int:
        return len(self.pairs)

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def __getitem__(self, index: int) -> tuple[RGB, Gray]:
        if index in self.kept.images:
            visible, infrared = self.kept.images[index]
            return visible / 255, infrared / 255
        visible, infrared = (_bytes(image) for image in self._read(self.pairs[index]))
        self.kept.keep(index, visible, infrared)
        return visible / 255, infrared / 255

    def leave_out(self, lost: Collection[int]) -> None:
        """Go on without the pairs of these numbers."""
        self.pairs = tuple(pair for index, pair in enumerate(self.pairs) if index not in lost)
        self.kept.without(lost)

    def _read(self, files: Match) -> tuple[RGB, Gray]:
        if self.register is not None:
            return self.register(read_visible(files.visible)[0], read_infrared(files.infrared, range=self.range))
        pair = read_pair(files.visible, files.infrared, name=files.name, range=self.range)
        return pair.visible, pair.infrared


class ImageFolder:
    """Images without a partner, each as both sources: (colour, its luma). For autoencoders; kept as in `PairFolder`."""

    def __init__(self, folder: Path, *, range: Range | None = None, cache: int = 2 << 30) -> None:
        self.files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READABLE)
        if not self.files:
            raise IrvisError(f"{folder} holds no images")
        self.range, self.kept = range, Kept(cache)

    def __len__(self) -> int:
        return len(self.files)

    def name(self, index: int) -> str:
        return self.files[index].stem

    def __getitem__(self, index: int) -> tuple[RGB, Gray]:
        if index in self.kept.images:
            return self._both(self.kept.images[index][0])
        image = _bytes(self._read(self.files[index]))
        self.kept.keep(index, image)
        return self._both(image)

    def leave_out(self, lost: Collection[int]) -> None:
        """Go on without the images of these numbers."""
        self.files = [file for index, file in enumerate(self.files) if index not in lost]
        self.kept.without(lost)

    def _read(self, path: Path) -> RGB:
        image, meta = read_visible(path)
        if self.range is not None and meta.gray and meta.depth == 16:  # counts of an infrared camera
            return read_infrared(path, range=self.range).expand(-1, 3, -1, -1)
        return image

    @staticmethod
    def _both(image: Tensor) -> tuple[RGB, Gray]:
        return image / 255, luma(image / 255)


class SceneFolder:
    """`count` synthetic scenes of random weather and light, drawn on first use and kept as bytes."""

    def __init__(self, count: int, *, size: tuple[int, int] = (256, 320), seed: int = 0) -> None:
        self.count, self.size, self.seed = count, size, seed
        self.kept: dict[int, tuple[Tensor, Tensor]] = {}
        self.cleaned: dict[int, tuple[Tensor, Tensor]] = {}

    def __len__(self) -> int:
        return self.count

    def name(self, index: int) -> str:
        return f"scene{self.seed + index}"

    def __getitem__(self, index: int) -> tuple[RGB, Gray]:
        if index not in self.kept:
            from .scene import random_conditions, scene

            number = self.seed + index
            visible, infrared = scene(number, self.size, random_conditions(number)).tensors()
            self.kept[index] = _bytes(visible), _bytes(infrared)
        visible, infrared = self.kept[index]
        return visible / 255, infrared / 255

    def clean(self, index: int) -> tuple[RGB, Gray]:
        """The same scene by cameras without noise and with little glare."""
        if index not in self.cleaned:
            from .scene import random_conditions, scene

            number = self.seed + index
            seen = random_conditions(number)
            clean = scene(number, self.size, replace(seen, noise=0.0, glare=0.3 * seen.glare)).tensors()
            self.cleaned[index] = _bytes(clean[0]), _bytes(clean[1])
        visible, infrared = self.cleaned[index]
        return visible / 255, infrared / 255


class Taught:
    """A source with the picture that a network should learn to make of each pair: (visible, infrared, target).

    `variants` of every pair: as it is, and with the contrast curves bent by exponents drawn from [1/gamma, gamma],
    the visible one further towards darkness. The first half of a scene's noise and glare is not in its target.
    Kept as bytes once made.
    """

    def __init__(self, source: Source, teach: Callable[[Gray, Gray], Gray], variants: int, gamma: float) -> None:
        self.source, self.teach, self.variants, self.gamma = source, teach, variants, gamma
        self.kept: dict[int, tuple[Tensor, ...]] = {}

    def __len__(self) -> int:
        return len(self.source) * self.variants

    def name(self, index: int) -> str:
        return self.source.name(index // self.variants)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        if index not in self.kept:
            number, variant = divmod(index, self.variants)
            clean = getattr(self.source, "clean", self.source.__getitem__)(number)
            pairs = [self.source[number], clean]
            if variant:
                random = default_rng((index, 11))
                exponents = self.gamma ** random.uniform(-1, 1.5), self.gamma ** random.uniform(-1, 1)
                pairs = [tuple(x.clamp_min(1e-4) ** e for x, e in zip(pair, exponents, strict=True)) for pair in pairs]
            target = self.teach(luma(pairs[1][0]), pairs[1][1])
            self.kept[index] = tuple(_bytes(image) for image in (*pairs[0], target))
        visible, infrared, target = self.kept[index]
        return visible / 255, infrared / 255, target / 255


class Joined:
    """Several sources as one."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.places = [(source, index) for source in sources for index in range(len(source))]

    def __len__(self) -> int:
        return len(self.places)

    def name(self, index: int) -> str:
        source, at = self.places[index]
        return source.name(at)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        source, at = self.places[index]
        return source[at]


@dataclass(frozen=True, kw_only=True)
class Crops(Dataset[tuple[Tensor, ...]]):
    """Batches of random crops. Item `step` is the batch of that step: it depends on nothing but the fields here.

    share: how often each source is drawn from. zoom: crops are taken at a scale drawn from [1/zoom, 1].
    gamma: each image's contrast curve is bent by an exponent drawn from [1/gamma, gamma].
    rank, world: this process gets every `world`-th pair of the batch, so that all together see the same batch.
    """

    sources: Sequence[Source]
    share: Sequence[float]
    batch: int
    crop: int
    steps: int
    seed: int
    zoom: float = 1.0
    gamma: float = 1.0
    rank: int = 0
    world: int = 1

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[Tensor, ...]:
        pairs = [self._one(default_rng((self.seed, step, n))) for n in range(self.rank, self.batch, self.world)]
        return tuple(torch.cat(images) for images in zip(*pairs, strict=True))

    def _one(self, random: Generator) -> tuple[Tensor, ...]:
        source = self.sources[random.choice(len(self.sources), p=self.share)]
        images = source[int(random.integers(len(source)))]
        all_ = _cropped(torch.cat(images, 1), self.crop, self.zoom, random)
        visible, infrared, *target = _turned(all_, random).split([image.shape[1] for image in images], 1)
        if target:  # the target is of these very images
            return visible, infrared, *target
        return _bent(visible, self.gamma, random), _bent(infrared, self.gamma, random)


def _cropped(image: Tensor, crop: int, zoom: float, random: Generator) -> Tensor:
    side = round(crop * zoom ** random.uniform(0, 1))
    height, width = image.shape[-2:]
    side = max(min(side, height, width), min(crop, height, width))
    top, left = (int(random.integers(length - side + 1)) for length in (height, width))
    image = image[..., top : top + side, left : left + side]
    if side > crop:
        return interpolate(image, size=(crop, crop), mode="bilinear", antialias=True).clamp(0, 1)
    return pad(image, (0, crop - side, 0, crop - side), mode="replicate")


def _turned(image: Tensor, random: Generator) -> Tensor:
    if random.random() < 0.5:
        image = image.flip(-1)
    return image.rot90(int(random.integers(4)), (-2, -1))


def _bent(image: Tensor, gamma: float, random: Generator) -> Tensor:
    exponent = gamma ** random.uniform(-1, 1)
    return image.clamp_min(1e-4) ** exponent if gamma != 1 else image


def _bytes(image: Tensor) -> Tensor:
    return (image * 255).round().to(torch.uint8)
