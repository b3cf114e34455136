"""What ONNX detectors return, recognised by shape, and turned into corners in pixels of the network's input."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import IrvisError
from .boxes import Array

STRIDES = (8, 16, 32)
QUERIES = 1000
"""Detectors that return a list of finds, rather than a grid, return at most so many."""

Outputs = Mapping[str, NDArray[np.generic]]


class Raw(NamedTuple):
    """What a layout gives back: (n, 4) corners in pixels of the input, or in [0, 1]; (n, classes) scores."""

    corners: Array
    scores: Array


class Listed(NamedTuple):
    """The same of a detector that has settled what overlaps: a score and a class for each box."""

    corners: Array
    scores: Array
    classes: Array


def grid(size: tuple[int, int]) -> Array:
    """(cells, 3): column, row and stride of every cell of an input of (height, width)."""
    parts = []
    for stride in STRIDES:
        rows, columns = np.mgrid[: size[0] // stride, : size[1] // stride]
        parts.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], 1))
    return np.concatenate(parts).astype(float)


def recognise(outputs: Outputs, size: tuple[int, int]) -> str:
    """The layout of what a detector returned for an input of (height, width); IrvisError where it is none known."""
    shapes = [output.shape for output in outputs.values()]
    if len(shapes) == 1 and (layout := _single(shapes[0], len(grid(size)))):
        return layout
    if len(shapes) >= 2 and sum(shape[-1:] == (4,) for shape in shapes) == 1:
        matrices = [s for s in shapes if len(s) == 3 and s[-1] != 4]
        return "detr" if matrices else "lists"
    told = ", ".join(f"{name} {'×'.join(map(str, output.shape))}" for name, output in outputs.items())
    raise IrvisError(
        f"the detector's output is none that is known ({told}); say what it is with --detector layout=NAME: "
        f"{', '.join(LAYOUTS)}"
    )


def _single(shape: tuple[int, ...], cells: int) -> str:
    """The layout of a single output, empty if unknown."""
    if len(shape) == 2 and shape[1] == 7:
        return "batched"
    if len(shape) != 3 or shape[0] != 1:
        return ""
    _, rows, columns = shape
    if columns == cells and rows > 4:
        return "yolov8"
    if columns > 5 and rows in (cells, 3 * cells):
        return "yolox" if rows == cells else "yolov5"
    if rows <= QUERIES and columns >= 6:
        return "corners" if columns == 6 else "queries"
    return ""


def yolox(outputs: Outputs, size: tuple[int, int]) -> Raw:
    """(1, cells, 5 + classes): offsets and logarithms of sizes in strides, or decoded; objectness; class scores."""
    rows = _only(outputs)
    if np.abs(rows[:, :2]).max(initial=0) < 2 * max(STRIDES):  # offsets within cells; pixels reach much further
        cells = grid(size)
        middle, span = (rows[:, :2] + cells[:, :2]) * cells[:, 2:], np.exp(rows[:, 2:4]) * cells[:, 2:]
        rows = np.concatenate([middle, span, rows[:, 4:]], 1)
    return Raw(_edges(rows[:, :4]), rows[:, 4:5] * rows[:, 5:])


def yolov5(outputs: Outputs, size: tuple[int, int]) -> Raw:
    """(1, 3 · cells, 5 + classes): centre, size, objectness, class scores."""
    rows = _only(outputs)
    return Raw(_edges(rows[:, :4]), rows[:, 4:5] * rows[:, 5:])


def yolov8(outputs: Outputs, size: tuple[int, int]) -> Raw:
    """(1, 4 + classes, cells): centre, size, class scores; so do YOLO11 and those between."""
    rows = _only(outputs).T
    return Raw(_edges(rows[:, :4]), rows[:, 4:])


def queries(outputs: Outputs, size: tuple[int, int]) -> Raw:
    """(1, queries, 4 + classes): centre and size in [0, 1], class scores: RT-DETR as Ultralytics exports it."""
    rows = _only(outputs)
    return Raw(_edges(rows[:, :4]), rows[:, 4:])


def corners(outputs: Outputs, size: tuple[int, int]) -> Listed:
    """(1, finds, 6): corners, score, class: YOLO exported with its suppression, YOLOv10."""
    rows = _only(outputs)
    return Listed(rows[:, :4], rows[:, 4], rows[:, 5])


def batched(outputs: Outputs, size: tuple[int, int]) -> Listed:
    """(finds, 7): picture, corners, class, score: YOLOv7 exported with its suppression."""
    rows = _only(outputs)
    return Listed(rows[:, 1:5], rows[:, 6], rows[:, 5])


def detr(outputs: Outputs, size: tuple[int, int]) -> Raw:
    """Boxes (1, n, 4) and (1, n, classes): RT-DETR's logits with centres and sizes, or SSD's shares with corners."""
    found = _box_output(outputs)
    scores = next(_flat(o) for name, o in outputs.items() if name != found and o.ndim == 3)
    edges = _flat(outputs[found])
    if scores.min() >= 0 and np.allclose(scores.sum(1), 1, atol=1e-3):  # SSD's; its class 0 is nothing
        return Raw(edges, np.where(np.arange(scores.shape[1]) > 0, scores, 0))
    return Raw(_edges(edges), 1 / (1 + np.exp(-scores)))


def lists(outputs: Outputs, size: tuple[int, int]) -> Listed:
    """Boxes, scores and classes apart: SSD, RT-DETR as its authors export it. TensorFlow's have y before x."""
    found = _box_output(outputs)
    rest = {name: o.reshape(-1) for name, o in outputs.items() if name != found and "num" not in name}
    classes = _named(rest, ("label", "class"), lambda o: o.dtype.kind in "iu" or bool((o == o.round()).all()))
    scores = _named({n: o for n, o in rest.items() if n != classes}, ("score", "conf"), lambda o: o.dtype.kind == "f")
    edges = _flat(outputs[found])
    if found.startswith("detection_boxes"):
        edges = edges[:, [1, 0, 3, 2]]
    return Listed(edges, rest[scores].astype(float), rest[classes].astype(float))


def _named(rest: Mapping[str, NDArray[np.generic]], words: Sequence[str], fits: Callable[[NDArray[np.generic]], bool]
) -> str:  # fmt: skip
    """The output whose name holds one of the words, or else fits."""
    told = [name for name in rest if any(word in name.lower() for word in words)]
    found = told or [name for name, output in rest.items() if fits(output)]
    if not found:
        raise IrvisError(f"no output of the detector holds {words[0]}s; its outputs: {', '.join(rest)}")
    return found[0]


def _box_output(outputs: Outputs) -> str:
    found = [name for name, output in outputs.items() if output.shape[-1:] == (4,)]
    if not found:
        raise IrvisError(f"no output of the detector holds boxes (… × 4); its outputs: {', '.join(outputs)}")
    return found[0]


def _flat(output: NDArray[np.generic]) -> Array:
    return output.reshape(-1, output.shape[-1]).astype(float)


def _only(outputs: Outputs) -> Array:
    return _flat(next(iter(outputs.values())))


def _edges(rows: Array) -> Array:
    """Centre and size → corners."""
    return np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], 1)


LAYOUTS: Mapping[str, Callable[[Outputs, tuple[int, int]], Raw | Listed]] = {
    "yolox": yolox, "yolov5": yolov5, "yolov8": yolov8, "queries": queries, "corners": corners, "batched": batched,
    "detr": detr, "lists": lists,
}  # fmt: skip
