"""Segmentation of every row of an evaluation: a user's ONNX network, label pictures, mean intersection over union."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch.nn.functional import interpolate

from ... import files
from ...data.matching import Match
from ...errors import IrvisError
from ...imports import digest_of
from ...types import RGB
from ..compute import Plan
from . import scoring
from .boxes import Array
from .detector import DEFAULT, lines, open_network, options, run, side
from .looking import look
from .sections import DRAWS, HOW, Section, compared

MSRS = ("unlabelled", "car", "person", "bike", "curve", "car stop", "guardrail", "colour cone", "bump")
"""Of label pictures as MSRS has them, by number."""
IGNORED = 255
"""Pixels of this number in label pictures do not count."""
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LEGEND = (
    "Intersection over union of each class, from the pixels of all pictures, and its mean over the classes that the "
    "labels hold (mIoU). {how} Truth: {note}."
)
Counts = NDArray[np.int64]
"""(classes, classes): how many pixels of the class of a row were taken for that of a column."""


@dataclass(frozen=True, kw_only=True)
class Feeding:
    """How a picture is given to a segmenter."""

    colour: str = "rgb"
    """rgb or bgr."""
    mean: str = "imagenet"
    """imagenet: less its mean, over its deviation; none: as it is."""
    white: float = 1.0
    """The number of white, before that."""
    size: int = 0
    """Side of the input, where the network leaves it open."""
    classes: str = ""
    """File with the class names, one per line."""


CHOICES = {"colour": ("rgb", "bgr"), "mean": ("imagenet", "none")}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The segmenter and the folder of label pictures."""

    network: Path
    masks: Path
    feeding: Feeding = field(default_factory=Feeding)


@dataclass(frozen=True, eq=False, kw_only=True)
class Segmenter:
    """A network that is ready to run."""

    session: Any
    feeding: Feeding
    size: tuple[int, int]
    classes: Sequence[str]

    def __call__(self, image: RGB) -> NDArray[np.int64]:
        """The class of every pixel, (h, w), of a picture (1, 3, h, w) in [0, 1]."""
        return _classified(self._run(image), (int(image.shape[-2]), int(image.shape[-1])))

    def _run(self, image: RGB) -> NDArray[np.generic]:
        found = run(self.session, fitted(image, self.size, self.feeding))
        return next(iter(found.values()))


def feeding(text: str) -> Feeding:
    """ "colour=bgr,mean=none,white=255,size=512,classes=FILE", any of them."""
    return options(text, Feeding(), CHOICES, "--segmenter")


@cache
def network(asked: Asked) -> Segmenter:
    """The segmenter, loaded once, its output looked at.

    Raises IrvisError for what is no segmenter: (1, classes, h, w), (1, 1, h, w) or (1, h, w) are known.
    """
    session = open_network(asked.network, "--segment")
    size = side(session.get_inputs()[0], asked.feeding.size) or (DEFAULT, DEFAULT)
    output = next(iter(run(session, fitted(torch.full((1, 3, *size), 0.5), size, asked.feeding)).values()))
    shape = "×".join(map(str, output.shape))
    if output.ndim not in (3, 4) or output.shape[0] != 1:
        raise IrvisError(
            f"{asked.network}: its output ({shape}) is none of a segmenter: 1×classes×height×width, or 1×height×width"
        )
    count = output.shape[1] if output.ndim == 4 and output.shape[1] > 1 else 0
    names = lines(Path(asked.feeding.classes)) if asked.feeding.classes else _names(count)
    if count and len(names) != count:
        raise IrvisError(f"{asked.network} has {count} classes, and {asked.feeding.classes} names {len(names)}")
    return Segmenter(session=session, feeding=asked.feeding, size=size, classes=names)


def _names(count: int) -> Sequence[str]:
    return MSRS if count in (0, len(MSRS)) else [str(number) for number in range(count)]


def fitted(image: RGB, size: tuple[int, int], how: Feeding) -> NDArray[np.float32]:
    """The picture as the network's input, stretched to its size."""
    same = image.shape[-2:] == size
    small = image if same else interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)
    mean, deviation = (torch.tensor(of).view(1, 3, 1, 1) for of in IMAGENET)
    given = (small - mean) / deviation if how.mean == "imagenet" else small
    given = how.white * given
    return np.ascontiguousarray((given.flip(1) if how.colour == "bgr" else given).numpy(), np.float32)


def _classified(output: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.int64]:
    found = torch.from_numpy(output.astype(np.float32))
    if found.ndim == 3 or found.shape[1] == 1:  # classes already
        plane = interpolate(found.reshape(1, 1, *found.shape[-2:]), size, mode="nearest-exact")
        return plane[0, 0].numpy().round().astype(np.int64)
    whole = interpolate(found, size, mode="bilinear", align_corners=False)
    answer: NDArray[np.int64] = whole[0].argmax(0).numpy()
    return answer


def read(folder: Path, name: str, classes: Sequence[str], size: tuple[int, int] | None = None) -> NDArray[np.int64]:
    """The label picture of a pair, (h, w): each pixel the number of its class.

    Raises IrvisError where it is missing, of another size, in colours, or of numbers that the segmenter lacks.
    """
    path = next((p for stem in (name, Path(name).name) if (p := folder / f"{stem}.png").is_file()), None)
    if path is None:
        raise IrvisError(f"{folder} holds no label picture of {name} ({Path(name).name}.png)")
    with Pillow.open(path) as page:
        if page.mode not in ("L", "P", "I", "I;16", "1"):
            raise IrvisError(f"{path} is in colours; label pictures hold the number of the class in each pixel")
        values = np.asarray(page).astype(np.int64)
    if size and values.shape != size:
        told = f"{values.shape[1]}×{values.shape[0]}, and the pair is {size[1]}×{size[0]}"
        raise IrvisError(f"{path} is {told}")
    most = int(values[values != IGNORED].max(initial=0))
    if most >= len(classes):
        raise IrvisError(
            f"{path} labels class {most}, and the segmenter has {len(classes)} (from 0); labels of another class list?"
        )
    return values


def check(asked: Asked, names: Sequence[str]) -> None:
    """What is wrong with the segmenter or the label pictures, before any work."""
    if not asked.masks.is_dir():
        raise IrvisError(f"--masks {asked.masks}: there is no such folder")
    known = network(asked).classes
    for name in names:
        read(asked.masks, name, known)


def counted(found: NDArray[np.int64], truth: NDArray[np.int64], classes: int) -> Counts:
    """Pixels by what they are and what they were taken for; what was taken for no class counts as a miss."""
    there = truth != IGNORED
    right, taken = truth[there], found[there]
    known = (taken >= 0) & (taken < classes)
    both = np.bincount(right[known] * classes + taken[known], minlength=classes * classes).reshape(classes, classes)
    missed = np.bincount(right[~known], minlength=classes)
    both[:, 0] += missed  # class 0 is what nothing is
    return both


def segment(
    asked: Asked, pairs: Sequence[Match], scenes: Sequence[str], plan: Plan, step: Callable[[], object] = lambda: None
) -> tuple[Section, list[str]]:
    """Every entry's pictures segmented and scored; and what failed."""
    finder = network(asked)
    found: dict[str, list[Counts]] = {entry.name: [] for entry in plan.entries}
    problems: list[str] = []
    code = digest_of("irvis.evaluate.tasks.segmentation")
    for match in pairs:
        truth = read(asked.masks, match.name, finder.classes)
        made = f"{files.digest(asked.network)} {asked.feeding} {crc32(truth.tobytes())} {code}"
        looked = look("segmentation", partial(_scored, finder, asked, match.name), made, match, plan)
        problems += looked.problems
        for name, one in looked.found.items():
            found[name].append(np.array(one))
        step()
    times = np.concatenate([np.ones((1, len(pairs))), scoring.draws(scenes, DRAWS)])
    whole = {name: np.stack(of) for name, of in found.items() if len(of) == len(pairs)}
    if not whole:
        raise IrvisError("the segmenter ran on no entry's pictures of every pair; the lines above say why")
    drawn = {name: measures(of, finder.classes, times) for name, of in whole.items()}
    rows, better = compared(drawn, scenes, "mIoU")
    legend = LEGEND.format(how=HOW.format(better=better), note=f"label pictures of {asked.masks}")
    return Section(name="segmentation", heading="Segmentation", legend=legend, rows=rows, most="mIoU"), problems


def _scored(finder: Segmenter, asked: Asked, name: str, image: RGB) -> list[list[int]]:
    truth = read(asked.masks, name, finder.classes, (int(image.shape[-2]), int(image.shape[-1])))
    table: list[list[int]] = counted(finder(image), truth, len(finder.classes)).tolist()
    return table


def measures(pictures: Counts, classes: Sequence[str], times: Array) -> dict[str, Array]:
    """Measure → its value for each row of `times` (how often each picture counts); pictures: (n, classes, classes)."""
    sums = np.tensordot(times, pictures, 1)
    hit = np.diagonal(sums, axis1=1, axis2=2)
    there, taken = sums.sum(2), sums.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.where(there > 0, hit / (there + taken - hit), np.nan)
    known = [place for place in range(len(classes)) if pictures[:, place].any()]
    return {"mIoU": np.nanmean(each[:, known], 1), **{f"IoU {classes[place]}": each[:, place] for place in known}}
