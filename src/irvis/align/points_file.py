"""Points that someone marked in both images, read from a file."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import IrvisError
from .geometry import Points

COLUMNS = ("visible_x", "visible_y", "infrared_x", "infrared_y")
LARGEST = 10_000_000
"""Bytes: no list of points is larger."""

Row = list[float]


def read(path: Path) -> tuple[Points, Points]:
    """Points of visible and of infrared, each (n, 2): x and y in pixels, (0, 0) the centre of the first.

    Text: four numbers a row, visible_x visible_y infrared_x infrared_y, between commas, semicolons, tabs or blanks;
    what follows a # is a comment; a header of these four names may give another order. JSON: a list of such rows, or a
    table with that list under "points".

    Raises
    ------
    IrvisError: no such file, or a row that is not four finite numbers; it names the file and the line.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise IrvisError(f"{path} is too large for a list of points.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise IrvisError(f"{path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise IrvisError(f"{path} is no text: points are rows of {' '.join(COLUMNS)}.") from error
    rows = _from_json(text, path) if text.lstrip()[:1] in ("[", "{") else _from_text(text, path)
    if not rows:
        raise IrvisError(f"{path} holds no points: rows of {' '.join(COLUMNS)}.")
    both = np.array(rows, np.float64)
    return both[:, :2], both[:, 2:]


def _from_text(text: str, path: Path) -> list[Row]:
    rows, order = list[Row](), list(COLUMNS)
    for number, line in enumerate(text.splitlines(), 1):
        words = _words(line.partition("#")[0])
        if not words:
            continue
        names = [word.strip("\"' ").lower() for word in words]
        if not rows and sorted(names) == sorted(COLUMNS):
            order = names
            continue
        row = _numbers(words, f"{path}, line {number}")
        rows.append([row[order.index(name)] for name in COLUMNS])
    return rows


def _words(line: str) -> list[str]:
    for separator in (",", ";", "\t"):
        if separator in line:
            return [word.strip() for word in line.split(separator)]
    return line.split()


def _from_json(text: str, path: Path) -> list[Row]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise IrvisError(f"{path}, line {error.lineno}: it is not JSON: {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise IrvisError(f"{path} is not JSON: {str(error).splitlines()[0]}") from error
    if isinstance(found, dict):
        if list(found) != ["points"]:
            raise IrvisError(f'{path}: points are a list, or a table with one under "points" and nothing else.')
        found = found["points"]
    if not isinstance(found, list):
        raise IrvisError(f"{path}: points are a list of rows {' '.join(COLUMNS)}.")
    return [_numbers(row, f"{path}, row {number}") for number, row in enumerate(found, 1)]


def _numbers(row: Any, where: str) -> Row:
    """Four finite numbers of words or of JSON."""
    try:
        if not isinstance(row, list) or len(row) != 4 or any(isinstance(one, bool) for one in row):
            raise ValueError
        numbers = [float(one) for one in row]
    except (TypeError, ValueError, OverflowError):
        numbers = []
    if not numbers or not all(math.isfinite(one) and abs(one) < 1e9 for one in numbers):
        shown = str(row)[:60] if not isinstance(row, list) else " ".join(map(str, row))[:60]
        raise IrvisError(f"{where}: {' '.join(COLUMNS)} are four numbers, not {shown!r}.")
    return numbers
