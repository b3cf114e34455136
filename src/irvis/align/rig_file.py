"""A rig as a JSON file: every key, nothing else, and only numbers that make sense."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from ..errors import IrvisError
from .geometry import Matrix, Size
from .lens import Lens
from .rig import Calibration, Rig

KIND, VERSION = "irvis-rig", 1
LARGEST = 10_000_000
"""Bytes: no rig is larger."""


def save(rig: Rig, path: Path) -> None:
    """Write the file, whole or not at all."""
    text = json.dumps({KIND: VERSION, **_plain(rig)}, indent=1, allow_nan=False)
    try:
        with files.whole(path) as unfinished:
            unfinished.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise IrvisError(f"{path}: cannot be written: {error.strerror}.") from error


def load(path: Path) -> Rig:
    """Read a file that `save` wrote; anything else is an IrvisError that names the file."""
    try:
        if path.stat().st_size > LARGEST:
            raise IrvisError("it is too large")
        table = json.loads(path.read_bytes(), object_pairs_hook=_once, parse_constant=_no_number)
        return _rig(table)
    except OSError as error:
        raise IrvisError(f"{path}: {error.strerror}.") from error
    except IrvisError as error:
        raise IrvisError(f"{path} is no rig: {error}") from error
    except (ValueError, RecursionError) as error:
        raise IrvisError(f"{path} is no rig: it is not JSON: {str(error).splitlines()[0]}") from error


def _rig(table: Any) -> Rig:
    if not isinstance(table, dict) or KIND not in table:
        raise IrvisError(f'it does not say "{KIND}": {VERSION}.')
    version = table.pop(KIND)
    if version is True or version != VERSION:
        raise IrvisError(f"it is of version {version!r}, this irvis reads version {VERSION}.")
    return Rig(**_read(table, _RIG, ""))


def _plain(value: Any) -> Any:
    """Records, arrays and tuples as what JSON knows."""
    if isinstance(value, Rig):
        known = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        sizes = {name: dict(zip(("height", "width"), known[name], strict=True)) for name in ("visible", "infrared")}
        return known | sizes
    if isinstance(value, Calibration | Lens):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value.tolist() if isinstance(value, np.ndarray) else list(value) if isinstance(value, tuple) else value


# ------------------------------------------------------------------------------ one reader per kind of value

Reader = Callable[[Any, str], Any]


def _read(value: Any, readers: Mapping[str, Reader], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise IrvisError(f"{where} must be a table.")
    inside = f" in {where}" if where else ""
    if missing := [name for name in readers if name not in value]:
        raise IrvisError(f"it lacks {', '.join(missing)}{inside}.")
    if unknown := sorted(set(value) - set(readers)):
        raise IrvisError(f"unknown key {', '.join(unknown)[:100]}{inside}.")
    return {name: read(value[name], f"{where} {name}".strip()) for name, read in readers.items()}


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300 or not math.isfinite(value):
        raise IrvisError(f"{where} must be a finite number.")
    return float(value)


def _numbers(count: int) -> Reader:
    def read(value: Any, where: str) -> tuple[float, ...]:
        if not isinstance(value, list) or len(value) != count:
            raise IrvisError(f"{where} must be {count} numbers.")
        return tuple(_number(one, where) for one in value)

    return read


def _matrix(value: Any, where: str) -> Matrix:
    if not isinstance(value, list) or len(value) != 3:
        raise IrvisError(f"{where} must be three rows of three numbers.")
    return np.array([_numbers(3)(row, where) for row in value], np.float64)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise IrvisError(f"{where} must be text.")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise IrvisError(f"{where} must be a list of names.")
    return tuple(_text(one, where) for one in value)


def _whole_number(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise IrvisError(f"{where} must be a whole number.")
    return value


def _size(value: Any, where: str) -> Size:
    table = _read(value, {"height": _whole_number, "width": _whole_number}, where)
    return table["height"], table["width"]


def _or_none(read: Reader) -> Reader:
    return lambda value, where: None if value is None else read(value, where)


def _lens(value: Any, where: str) -> Lens:
    return Lens(**_read(value, {"intrinsics": _matrix, "distortion": _numbers(5)}, where))


def _calibration(value: Any, where: str) -> Calibration:
    parts: dict[str, Reader] = {
        "visible": _lens, "infrared": _lens, "rotation": _matrix, "translation": _numbers(3),
        "reprojection": _numbers(3),
    }  # fmt: skip
    return Calibration(**_read(value, parts, where))


_RIG: dict[str, Reader] = {
    "visible": _size, "infrared": _size, "matrix": _matrix, "distance": _or_none(_number),
    "residual": _or_none(_number), "model": _text, "used": _texts, "refused": _texts, "made": _text,
    "focal": _or_none(_number), "parallax": _or_none(_numbers(2)), "calibration": _or_none(_calibration),
}  # fmt: skip


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise IrvisError("a key stands twice.")
    return table


def _no_number(text: str) -> float:
    raise IrvisError(f"{text} is no number.")
