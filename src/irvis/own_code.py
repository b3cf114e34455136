"""A function of the user's own, by its name: `file.py:function` or `package.module:function`."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from runpy import run_path
from typing import Any

from .errors import IrvisError


def load(text: str, what: str) -> Callable[..., Any]:
    """The callable that a text names; `what` it is to be stands in the messages of the IrvisErrors."""
    place, _, name = text.rpartition(":")
    if not place or not name.isidentifier():
        raise IrvisError(f"{text!r} names no {what}: type package.module:function or file.py:function.")
    found = _from_file(place, name) if place.endswith(".py") else _from_package(place, name)
    if not callable(found):
        raise IrvisError(f"{place} defines no function {name}.")
    return found


def _from_file(place: str, name: str) -> Any:
    if not Path(place).is_file():
        raise IrvisError(f"{place} is not a file.")
    folder = str(Path(place).resolve().parent)
    sys.path.insert(0, folder)
    try:
        return run_path(place).get(name)
    except Exception as error:  # the user's own code
        raise IrvisError(f"{place} cannot be run: {told(error)}") from error
    finally:
        sys.path.remove(folder)


def _from_package(place: str, name: str) -> Any:
    try:
        return getattr(import_module(place), name, None)
    except Exception as error:
        raise IrvisError(f"{place} cannot be imported: {told(error)}") from error


def told(error: Exception) -> str:
    """One line of what the user's code raised."""
    return f"{type(error).__name__}: {str(error).strip()}".split("\n")[0]
