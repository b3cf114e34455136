"""Infrared files that give degrees C themselves: tables of temperatures, and what a user's own decoder returns."""

import re
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import IrvisError
from ..own_code import load, told
from .deep import Samples

TABLES = (".csv",)
"""Suffixes, lower case, of tables of temperatures as cameras' programs export them."""
LONGEST = 1 << 27
"""Bytes of a table; a picture of 1280×1024 takes about a tenth of it."""
HOTTEST, ABSOLUTE_ZERO = 10_000.0, -273.15

_NUMBER = re.compile(r'"?\s*([-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)\s*(?:°?\s*[CFK])?\s*"?')
_NONE = ("", "-", "--", "---", "nan", "NaN", "NAN", "n/a", "N/A")
_UNITS = {
    "F": re.compile(r"°\s*F\b|\bfahrenheit\b|\bunit\W+F\b", re.IGNORECASE),
    "K": re.compile(r"\bkelvin\b|\bunit\W+K\b", re.IGNORECASE),
}

Table = NDArray[np.float32]


def of_table(path: Path) -> Samples:
    """Degrees C (h, w, 1) of a CSV file: cells by `;`, tabs or `,`, points or commas in numbers, text around.

    Degrees F and kelvin are converted where the text says so. What is no table of temperatures is an IrvisError.
    """
    try:
        if path.stat().st_size > LONGEST:
            raise IrvisError(f"{path} is too long for a table of temperatures: {path.stat().st_size} bytes.")
        lines = _text(path.read_bytes()).splitlines()
    except OSError as error:
        raise IrvisError(f"{path}: {error.strerror}.") from error
    found = _table(lines)
    if found is None:
        raise IrvisError(
            f"{path} holds no table of temperatures: rows of numbers, as many in each, are looked for, with ; tab or , "
            "between them."
        )
    table, words = found
    degrees = _celsius(table, next((unit for unit, sign in _UNITS.items() if sign.search(words)), "C"))
    return _plausible(degrees, str(path))[..., None]


def decoded(path: Path, decoder: str) -> Samples:
    """Degrees C (h, w, 1) that the user's function `decoder` ("file.py:function") returns for a file."""
    if not path.is_file():
        raise IrvisError(f"{path}: no such file.")
    try:
        values = np.asarray(_loaded(decoder)(str(path)))
    except IrvisError:
        raise
    except Exception as error:  # the user's own code
        raise IrvisError(f"{path}: {decoder} failed: {told(error)}") from error
    if values.ndim != 2 or values.dtype.kind not in "iuf" or not values.size:
        raise IrvisError(
            f"{path}: {decoder} returned {values.dtype} of shape {values.shape}: degrees C of shape (height, width) "
            "are wanted."
        )
    return _plausible(values.astype(np.float32), f"{path}: what {decoder} returned")[..., None]


@lru_cache(maxsize=4)
def _loaded(decoder: str) -> Any:
    return load(decoder, "decoder")


def _text(data: bytes) -> str:
    for coding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "latin-1"):
        try:
            return data.decode(coding)
        except UnicodeDecodeError:
            continue
    return ""


def _table(lines: list[str]) -> tuple[Table, str] | None:
    """The longest run of rows with equally many numbers, and the text of all other lines."""
    separator = _separator(lines)
    rows = [_numbers(_cells(line, separator)) for line in lines]
    groups = groupby(range(len(rows)), key=lambda number: len(rows[number]))
    runs = [list(numbers) for width, numbers in groups if width > 1]
    best = max(runs, key=len, default=[])
    if len(best) < 2:
        return None
    words = " ".join(lines[: best[0]] + lines[best[-1] + 1 :])
    return _without_numbering(np.array([rows[number] for number in best], np.float32)), words


def _separator(lines: list[str]) -> str:
    """What stands most often in most lines; a comma only where nothing else does, as it may belong to numbers."""
    for sign in (";", "\t"):
        if sum(sign in line for line in lines) > len(lines) / 2:
            return sign
    return ","


def _cells(line: str, separator: str) -> list[str]:
    cells = [cell.strip() for cell in line.split(separator)]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


def _numbers(cells: list[str]) -> list[float]:
    """Empty where a cell is no number."""
    found = []
    for cell in cells:
        if cell in _NONE and len(cells) > 1:
            found.append(float("nan"))
        elif number := _NUMBER.fullmatch(cell):
            found.append(float(number[1].replace(",", ".")))
        else:
            return []
    return found


def _without_numbering(table: Table) -> Table:
    """Without a first column and a first row that only count."""
    for _ in range(2):
        counted = table[1:, 0]
        if min(table.shape) > 2 and counted[0] in (0, 1, 2) and (np.diff(counted) == 1).all():
            table = table[:, 1:]
        table = table.T
    return table


def _celsius(table: Table, unit: str) -> Table:
    if unit == "F":
        return (table - np.float32(32)) / np.float32(1.8)
    return table + np.float32(ABSOLUTE_ZERO) if unit == "K" else table


def _plausible(degrees: Table, what: str) -> Table:
    finite = degrees[np.isfinite(degrees)]
    if not finite.size:
        raise IrvisError(f"{what} holds no numbers.")
    low, high = float(finite.min()), float(finite.max())
    if low == high:
        raise IrvisError(f"{what} holds {low:g} everywhere: the camera saw nothing, or the file is damaged.")
    if float(np.median(finite)) > HOTTEST:
        raise IrvisError(f"{what} holds {low:g} to {high:g}: these are counts, not degrees C.")
    return degrees
