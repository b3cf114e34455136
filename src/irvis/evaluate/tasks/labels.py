"""The truth: boxes of every pair from YOLO's text files, a COCO JSON, or Pascal VOC's XML (as LLVIP has them)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from ...errors import IrvisError
from .boxes import Boxes, boxes
from .detector import lines

NAMES = ("classes.txt", "obj.names")
"""Files of class names beside YOLO's labels; without one, the numbers are the detector's own."""


Size = tuple[int, int] | None
"""Height and width of a pair; None where the labels are only looked through."""


def read(place: Path, pairs: Mapping[str, Size], names: Sequence[str]) -> dict[str, Boxes]:
    """The labels of each pair, their classes as places in `names`, those of the detector.

    place: a folder of .txt or .xml files that are called as the pairs, or one COCO .json (or a folder with only that).
    pairs: name → (height, width).

    Raises IrvisError for labels that are missing, of another size, or of classes that the detector does not know.
    """
    if place.is_dir() and len(found := list(place.glob("*.json"))) == 1 and not any(place.glob("*.txt")):
        place = found[0]
    if place.is_file():
        return _coco(place, pairs, names)
    if not place.is_dir():
        raise IrvisError(f"--labels {place}: there is no such folder or file")
    files = {name: _file(place, name) for name in pairs}
    if missing := [name for name, file in files.items() if file is None]:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise IrvisError(
            f"{place} holds no labels (.txt, .xml) of {', '.join(missing[:3])}{more}; a picture without objects has an "
            f"empty file"
        )
    own = next((lines(place / name) for name in NAMES if (place / name).is_file()), list(names))
    readers = {".txt": lambda path, size: _yolo(path, size, own, names), ".xml": lambda p, size: _voc(p, size, names)}
    return {name: readers[file.suffix](file, pairs[name]) for name, file in files.items() if file}


def _file(folder: Path, name: str) -> Path | None:
    """The labels of a pair, called by its name or by the last part of it."""
    stems = dict.fromkeys([name, Path(name).name])
    return next((path for s in stems for end in (".txt", ".xml") if (path := folder / f"{s}{end}").is_file()), None)


def _yolo(path: Path, size: Size, own: Sequence[str], names: Sequence[str]) -> Boxes:
    """A line per box: class, centre and size as shares of the picture."""
    try:
        rows = np.array([[float(word) for word in line.split()[:5]] for line in lines(path)]).reshape(-1, 5)
    except ValueError:
        raise IrvisError(f"{path}: a line is not CLASS X Y WIDTH HEIGHT, five numbers") from None
    if rows.size and (rows[:, 1:].max() > 1.01 or rows.min() < -0.01):
        raise IrvisError(f"{path}: boxes are shares of the picture from 0 to 1; these are not YOLO's, or in pixels")
    height, width = size or (1, 1)
    edges = np.concatenate([rows[:, 1:3] - rows[:, 3:] / 2, rows[:, 1:3] + rows[:, 3:] / 2], 1)
    numbers = rows[:, 0].astype(int)
    if numbers.size and numbers.max() >= len(own):
        raise IrvisError(f"{path}: class {numbers.max()}, and only {len(own)} classes are named")
    return boxes(edges * [width, height, width, height], [_place(own[n], names, path) for n in numbers])


def _voc(path: Path, size: Size, names: Sequence[str]) -> Boxes:
    """Objects with a name and corners in pixels; difficult ones do not count."""
    try:
        tree = ElementTree.parse(path).getroot()
        if (stated := tree.find("size")) is not None:
            _same_size((_number(stated, "height"), _number(stated, "width")), size, path)
        objects = tree.findall("object")
        edges = [[_number(one, f"bndbox/{edge}") for edge in ("xmin", "ymin", "xmax", "ymax")] for one in objects]
    except (ElementTree.ParseError, TypeError, ValueError) as problem:
        raise IrvisError(f"{path} is no Pascal VOC label file: {problem}") from None
    kinds = [_place((one.findtext("name") or "").strip(), names, path) for one in objects]
    return boxes(edges, kinds, [float((one.findtext("difficult") or "0").strip() != "1") for one in objects])


def _number(tree: ElementTree.Element, name: str) -> float:
    text = tree.findtext(name)
    if text is None:
        raise ValueError(f"{tree.tag} has no {name}")
    return float(text)


def _coco(path: Path, pairs: Mapping[str, Size], names: Sequence[str]) -> dict[str, Boxes]:
    """One file of all pictures: images, categories, annotations; crowds do not count."""
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        kinds = {one["id"]: one["name"] for one in tree["categories"]}
        images = {Path(one["file_name"]).with_suffix("").as_posix(): one for one in tree["images"]}
        marked: dict[Any, list[dict[str, Any]]] = {one["id"]: [] for one in tree["images"]}
        for one in tree["annotations"]:
            marked[one["image_id"]].append({**one, "corners": _corners(*map(float, one["bbox"]))})
        used = {one["category_id"] for of in marked.values() for one in of}
        places = {number: _place(kinds[number], names, path) for number in used}
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise IrvisError(f"{path} is no COCO label file: {type(problem).__name__} {problem}") from None
    last = {Path(name).name: image for name, image in images.items()}
    found = {}
    for name, size in pairs.items():
        image = images.get(name) or last.get(Path(name).name)
        if image is None:
            raise IrvisError(f"{path} has no picture {name}")
        if "height" in image and "width" in image:
            _same_size((image["height"], image["width"]), size, path)
        of = marked[image["id"]]
        found[name] = boxes([one["corners"] for one in of], [places[one["category_id"]] for one in of],
                            [float(not one.get("iscrowd")) for one in of])  # fmt: skip
    return found


def _corners(left: float, top: float, width: float, height: float) -> list[float]:
    return [left, top, left + width, top + height]


def _same_size(stated: tuple[float, float], size: Size, path: Path) -> None:
    if size and tuple(map(int, stated)) != size:
        raise IrvisError(
            f"{path} labels a picture of {stated[1]:.0f}×{stated[0]:.0f}, and the pair is {size[1]}×{size[0]}"
        )


def _place(kind: str, names: Sequence[str], path: Path) -> int:
    known = [name.lower() for name in names]
    if kind.lower() not in known:
        some = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        raise IrvisError(
            f"{path} labels {kind!r}, which the detector does not know ({len(names)} classes: {some}); --detector "
            f"classes=FILE names its classes, one a line"
        )
    return known.index(kind.lower())
