"""A user's ONNX detector: how pictures are given to it, what it finds."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from ...errors import IrvisError
from ...types import RGB
from .boxes import Array, Boxes, boxes, without_doubles
from .classes import COCO, COCO_PLACES
from .layouts import LAYOUTS, Listed, recognise

SURE = 0.01
"""Finds below this score are left out."""
GRAY = 114
"""What the rest of a letterboxed input is filled with."""
DEFAULT = 640
How = TypeVar("How")


@dataclass(frozen=True, kw_only=True)
class Feeding:
    """How a picture is given to a detector; what is empty or 0 is taken from the network and its layout."""

    layout: str = ""
    colour: str = ""
    """rgb or bgr."""
    white: float = 0.0
    """The number of white: 1 or 255."""
    fit: str = ""
    """corner or centre: whole, with gray beside it; stretch: to the input's size."""
    size: int = 0
    """Side of the input, where the network leaves it open."""
    overlap: float = 0.65
    """Finds of one class that overlap by more are one."""
    classes: str = ""
    """File with the class names, one per line."""


CHOICES = {"layout": tuple(LAYOUTS), "colour": ("rgb", "bgr"), "fit": ("corner", "centre", "stretch")}
USUAL = {
    "yolox": Feeding(colour="bgr", white=255, fit="corner"),
    **dict.fromkeys(("yolov5", "yolov8", "corners", "batched"), Feeding(colour="rgb", white=1, fit="centre")),
    **dict.fromkeys(("queries", "detr", "lists"), Feeding(colour="rgb", white=1, fit="stretch")),
}


def feeding(text: str) -> Feeding:
    """ "layout=yolox,colour=bgr,white=255,fit=corner,size=640,overlap=0.65,classes=FILE", any of them."""
    return options(text, Feeding(), CHOICES, "--detector")


def options(text: str, usual: How, choices: Mapping[str, Sequence[str]], word: str) -> How:
    """`usual` with what "name=value,name=value" says; IrvisError, which names the `word`, for what it does not know."""
    given: dict[str, Any] = {}
    kinds = {name: type(value) for name, value in asdict(cast(Any, usual)).items()}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        if name not in kinds:
            raise IrvisError(f"{word} {part}: there is no {name}; there are {', '.join(kinds)}")
        if value not in choices.get(name, (value,)):
            raise IrvisError(f"{word} {part}: {name} is one of {', '.join(choices[name])}")
        try:
            given[name] = kinds[name](value)
        except ValueError:
            raise IrvisError(f"{word} {part}: {name} is a number") from None
    return cast(How, replace(cast(Any, usual), **given))


@dataclass(frozen=True, eq=False, kw_only=True)
class Detector:
    """A network that is ready to run."""

    session: Any
    feeding: Feeding
    size: tuple[int, int] | None
    """Height and width of its input; None: each picture's own."""
    classes: Sequence[str]
    places: Sequence[int] = field(default=())
    """Of a network that counts classes otherwise: its number → place in `classes`, -1 for none."""

    def __call__(self, image: RGB) -> Boxes:
        """What is found on a picture (1, 3, h, w) in [0, 1], surest first, in its pixels."""
        size = self.size or (int(image.shape[-2]), int(image.shape[-1]))
        pixels, scale, offset = fitted(image, size, self.feeding)
        found = LAYOUTS[self.feeding.layout](run(self.session, pixels), size)
        edges = found.corners
        if edges.size and np.abs(edges).max() <= 2:  # shares of the input
            edges = edges * [*size[::-1], *size[::-1]]
        edges = np.clip((edges - [*offset, *offset]) / [*scale, *scale], 0, [*image.shape[:1:-1]] * 2)
        return self._settled(edges, found)

    def _settled(self, edges: Array, found: Any) -> Boxes:
        if isinstance(found, Listed):
            all_found, overlap = boxes(edges, found.classes, found.scores), 1.0
        else:
            rows, columns = np.nonzero(found.scores >= SURE)
            all_found = boxes(edges[rows], columns, found.scores[rows, columns])
            overlap = self.feeding.overlap
        if len(self.places):
            known = all_found.classes < len(self.places)
            places = np.where(known, np.asarray(self.places)[np.where(known, all_found.classes, 0)], -1)
            all_found = replace(all_found, classes=places)
        fair = (all_found.scores >= SURE) & (all_found.areas > 0) & (all_found.classes >= 0)
        return without_doubles(all_found[fair & (all_found.classes < len(self.classes))], overlap)


def load(path: Path, asked: Feeding = Feeding(), threads: int = 0) -> Detector:
    """The detector of an ONNX file, its layout recognised from what it returns for a gray picture.

    Raises IrvisError for files that are no such network, and for outputs that are not known.
    """
    session = open_network(path, "--detect", threads)
    size = side(session.get_inputs()[0], asked.size)
    shape = size or (DEFAULT, DEFAULT)
    layout = asked.layout
    trial = run(session, fitted(torch.full((1, 3, *shape), 0.5), shape, asked)[0])
    layout = layout or recognise(trial, shape)
    usual = USUAL[layout]
    chosen = {name: getattr(asked, name) or getattr(usual, name) for name in ("colour", "white", "fit")}
    full = replace(asked, layout=layout, **chosen)
    try:
        raw = LAYOUTS[layout](trial, shape)
    except (IndexError, ValueError, StopIteration) as problem:
        told = ", ".join("×".join(map(str, output.shape)) for output in trial.values())
        raise IrvisError(f"{path}: its output ({told}) is not that of layout {layout}") from problem
    count = 0 if isinstance(raw, Listed) else raw.scores.shape[1]
    names, places = _classes(session, full, count, layout)
    return Detector(session=session, feeding=full, size=size, classes=names, places=places)


def run(session: Any, pixels: NDArray[np.float32]) -> dict[str, NDArray[np.generic]]:
    """Output → array for an input (1, 3, h, w); networks that want the picture's size are told the input's."""
    first, *others = session.get_inputs()
    shape = first.shape
    last = len(shape) == 4 and shape[3] == 3 and shape[1] != 3
    given = pixels.transpose(0, 2, 3, 1) if last else pixels
    kinds = {"tensor(uint8)": np.uint8, "tensor(float16)": np.float16}
    feed = {first.name: given.astype(kinds.get(first.type, np.float32))}
    feed |= {other.name: np.array([pixels.shape[:1:-1]], np.int64 if "int64" in other.type else np.float32)
             for other in others}  # fmt: skip
    try:
        found = session.run(None, feed)
    except Exception as problem:
        raise IrvisError(f"the network does not run: {str(problem).splitlines()[0][:200]}") from problem
    return {output.name: np.asarray(one) for output, one in zip(session.get_outputs(), found, strict=True)}


def fitted(
    image: RGB, size: tuple[int, int], how: Feeding
) -> tuple[NDArray[np.float32], tuple[float, float], tuple[float, float]]:
    """The picture as the network's input, and the scale and offset (x, y) that lead there."""
    height, width = image.shape[-2:]
    scale = size[1] / width, size[0] / height
    if how.fit != "stretch":
        scale = (min(scale),) * 2
    inner = max(round(height * scale[1]), 1), max(round(width * scale[0]), 1)
    small = image if inner == (height, width) else interpolate(image, inner, mode="bilinear", align_corners=False)
    top, left = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2) if how.fit == "centre" else (0, 0)
    page = np.full((1, 3, *size), GRAY, np.float32)
    page[..., top : top + inner[0], left : left + inner[1]] = (small * 255).numpy()
    if how.colour == "bgr":
        page = page[:, ::-1]
    return np.ascontiguousarray(page * ((how.white or 1) / 255), np.float32), scale, (left, top)


def open_network(path: Path, word: str, threads: int = 0) -> Any:
    """A session of an ONNX file that was given with the option `word`."""
    try:
        import onnxruntime
    except ImportError as problem:
        raise IrvisError(f"{word} needs an extra: pip install 'irvis[onnx]'") from problem
    if not path.is_file():
        raise IrvisError(f"{word} {path}: there is no such file")
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads, chosen.log_severity_level = threads or torch.get_num_threads(), 3
    try:
        return onnxruntime.InferenceSession(str(path), chosen, providers=["CPUExecutionProvider"])
    except Exception as problem:
        raise IrvisError(f"{path} is no ONNX network that runs here: {str(problem).splitlines()[0][:200]}") from problem


def side(first: Any, asked: int) -> tuple[int, int] | None:
    """Height and width of an input, where the network fixes it or the user says it."""
    if len(first.shape) != 4 or 3 not in (first.shape[1], first.shape[3]):
        raise IrvisError(f"the network's input is {first.shape}, not one colour picture (1×3×height×width)")
    height, width = first.shape[2:] if first.shape[1] == 3 else first.shape[1:3]
    if isinstance(height, int) and isinstance(width, int) and height > 0:
        return height, width
    if first.type == "tensor(uint8)" and not asked:
        return None
    return (asked or DEFAULT,) * 2


def _classes(session: Any, asked: Feeding, count: int, layout: str) -> tuple[Sequence[str], Sequence[int]]:
    """Names of the classes, from the user's file, the network or COCO; and their places where it counts otherwise."""
    told = session.get_modelmeta().custom_metadata_map.get("names", "")
    if asked.classes:
        names: Sequence[str] = lines(Path(asked.classes))
    elif told.startswith(("{", "[")):
        known = ast.literal_eval(told)
        names = list(known.values()) if isinstance(known, dict) else known
    elif count in (91, 92) or (not count and layout == "lists" and len(session.get_inputs()) == 1):
        return COCO, COCO_PLACES
    else:
        names = COCO if count in (0, 80) else [str(n) for n in range(count)]
    if count and len(names) != count:
        raise IrvisError(f"the detector has {count} classes, and {asked.classes or 'its file'} names {len(names)}")
    return names, ()


def lines(path: Path) -> list[str]:
    """The lines of a text file that hold anything."""
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as problem:
        raise IrvisError(f"{path} cannot be read as a list of names: {problem}") from problem
