"""Legibility: what a text recogniser reads of known texts on every row's pictures.

The recogniser is one of PP-OCR's in ONNX, whose file names its characters. Known texts are lines of a CSV file:
pair, left, top, right, bottom (pixels), text.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from ... import files
from ...data.matching import Match
from ...errors import IrvisError
from ...imports import digest_of
from ...types import RGB
from ..compute import Plan
from . import scoring
from .boxes import Array
from .detector import open_network, run
from .looking import look
from .sections import DRAWS, HOW, Section, compared

HEIGHT, NARROWEST = 48, 160
"""Of a recogniser's input; a narrower line stands on gray."""
COLUMNS = ("pair", "left", "top", "right", "bottom", "text")
LEGEND = (
    "What the recogniser reads of {count} known texts, capitals and spaces left aside. characters: the share that is "
    "right, after the least insertions, deletions and exchanges (1 less the edit distance by length, 0 at least); "
    "texts: the share that is wholly right. {how}"
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A text on a picture, in pixels."""

    box: tuple[int, int, int, int]
    """Left, top, right, bottom."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The recogniser, and the file of known texts."""

    network: Path
    texts: Path


@dataclass(frozen=True, eq=False, kw_only=True)
class Recogniser:
    """A network that is ready to run."""

    session: Any
    characters: Sequence[str]
    """By number; 0 is nothing."""

    def __call__(self, image: RGB) -> str:
        """The text of a picture (1, 3, h, w) in [0, 1] that holds one line."""
        found = next(iter(run(self.session, fitted(image)).values()))
        return decoded(np.asarray(found[0].argmax(-1)), self.characters)


@cache
def network(path: Path) -> Recogniser:
    """The recogniser of an ONNX file. IrvisError where it is none, or does not name its characters."""
    session = open_network(path, "--text")
    told = session.get_modelmeta().custom_metadata_map.get("character", "")
    if not told:
        raise IrvisError(f"{path} does not name its characters: it is no recogniser of PP-OCR as rapidocr packs them")
    output = next(iter(run(session, fitted(torch.full((1, 3, HEIGHT, NARROWEST), 0.5))).values()))
    characters = ["", *told.splitlines(), " "]
    if output.ndim != 3 or output.shape[-1] != len(characters):
        shape = "×".join(map(str, output.shape))
        raise IrvisError(f"{path}: its output ({shape}) is not 1×steps×{len(characters)}, a place for each character")
    return Recogniser(session=session, characters=characters)


def fitted(image: RGB) -> NDArray[np.float32]:
    """A line as the network's input: 48 pixels high, BGR, from -1 to 1."""
    height, width = image.shape[-2:]
    wide = max(round(HEIGHT * width / height), 1)
    scaled = interpolate(image, (HEIGHT, wide), mode="bilinear", align_corners=False, antialias=True).clamp(0, 1)
    page = torch.full((1, 3, HEIGHT, max(wide, NARROWEST)), 0.5)
    page[..., :wide] = scaled
    return np.ascontiguousarray((page.flip(1) * 2 - 1).numpy(), np.float32)


def decoded(numbers: NDArray[np.int64], characters: Sequence[str]) -> str:
    """Of one number a step: repeated ones are one, 0 is none."""
    fresh = np.concatenate([[True], numbers[1:] != numbers[:-1]])
    return "".join(characters[number] for number in numbers[fresh & (numbers > 0)])


def read(path: Path, names: Sequence[str]) -> dict[str, list[Line]]:
    """The texts of each pair. IrvisError for a file that is none, and for pairs that are not there."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise IrvisError(f"--texts {path} cannot be read: {problem}") from None
    if not rows or not {*COLUMNS} <= {*rows[0]}:
        raise IrvisError(f"--texts {path}: the first line names {', '.join(COLUMNS)}, and a line for each text follows")
    last = {Path(name).name: name for name in names}
    found: dict[str, list[Line]] = {}
    for number, row in enumerate(rows, 2):
        name = row["pair"] if row["pair"] in names else last.get(row["pair"])
        if name is None:
            raise IrvisError(f"--texts {path}, line {number}: there is no pair {row['pair']}")
        try:
            left, top, right, bottom = (round(float(row[edge])) for edge in COLUMNS[1:5])
        except (TypeError, ValueError):
            raise IrvisError(f"--texts {path}, line {number}: left, top, right, bottom are numbers of pixels") from None
        if not (0 <= left < right and 0 <= top < bottom) or not _plain(row["text"] or ""):
            raise IrvisError(f"--texts {path}, line {number}: an empty box or text")
        found.setdefault(name, []).append(Line(box=(left, top, right, bottom), text=row["text"]))
    return found


def check(asked: Asked, names: Sequence[str]) -> None:
    """What is wrong with the recogniser or the texts, before any work."""
    network(asked.network)
    read(asked.texts, names)


def score(
    asked: Asked, pairs: Sequence[Match], scenes: Sequence[str], plan: Plan, step: Callable[[], object] = lambda: None
) -> tuple[Section, list[str]]:
    """What is read of every text on every entry's pictures, scored; and what failed."""
    reader, texts = network(asked.network), read(asked.texts, [match.name for match in pairs])
    there = [match for match in pairs if match.name in texts]
    said: dict[str, dict[str, list[str]]] = {entry.name: {} for entry in plan.entries}
    problems: list[str] = []
    code = digest_of("irvis.evaluate.tasks.legibility")
    for match in there:
        made = f"{files.digest(asked.network)} {texts[match.name]} {code}"
        looked = look("texts", partial(_read, reader, texts[match.name], asked), made, match, plan)
        problems += looked.problems
        for name, one in looked.found.items():
            said[name][match.name] = one
        step()
    known = [scene for match, scene in zip(pairs, scenes, strict=True) if match.name in texts]
    times = np.concatenate([np.ones((1, len(there))), scoring.draws(known, DRAWS)])
    whole = {name: of for name, of in said.items() if len(of) == len(there)}
    if not whole:
        raise IrvisError("the recogniser ran on no entry's pictures of every pair; the lines above say why")
    drawn = {name: measures(of, texts, times) for name, of in whole.items()}
    rows, better = compared(drawn, known, "characters")
    count = sum(map(len, texts.values()))
    legend = LEGEND.format(count=count, how=HOW.format(better=better))
    return Section(name="text", heading="Legibility", legend=legend, rows=rows, most="characters"), problems


def _read(reader: Recogniser, texts: Sequence[Line], asked: Asked, image: RGB) -> list[str]:
    height, width = image.shape[-2:]
    found = []
    for line in texts:
        left, top, right, bottom = line.box
        if right > width or bottom > height:
            raise IrvisError(f"{asked.texts}: the box of {line.text!r} leaves the picture of {width}×{height}")
        found.append(reader(image[..., top:bottom, left:right]))
    return found


def measures(said: Mapping[str, list[str]], texts: Mapping[str, list[Line]], times: Array) -> dict[str, Array]:
    """Measure → its value for each row of `times` (how often each picture counts)."""
    right, length, whole, count = [], [], [], []
    for name, found in said.items():
        pairs = [(_plain(line.text), _plain(text)) for line, text in zip(texts[name], found, strict=True)]
        right.append(sum(max(len(true) - distance(true, text), 0) for true, text in pairs))
        length.append(sum(len(true) for true, _ in pairs))
        whole.append(sum(true == text for true, text in pairs))
        count.append(len(pairs))
    with np.errstate(invalid="ignore"):
        return {"characters": times @ right / (times @ length), "texts": times @ whole / (times @ count)}


def _plain(text: str) -> str:
    return "".join(text.upper().split())


def distance(one: str, other: str) -> int:
    """The least number of insertions, deletions and exchanges (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for n, a in enumerate(one, 1):
        before, row[0] = row[0], n
        for m, b in enumerate(other, 1):
            before, row[m] = row[m], min(row[m] + 1, row[m - 1] + 1, before + (a != b))
    return row[-1]
