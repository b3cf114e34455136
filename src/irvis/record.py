"""What made a fused file: written into it, and compared before a run that resumes keeps it.

A record is a small table: the version of irvis, method, options, the sha256 of the weights, and what else changes the
pixels. It stands as one line of JSON in the file's metadata (see `io.notes`; of videos in the container's comment).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import __version__

if TYPE_CHECKING:
    from .fuser import Fuser

Record = Mapping[str, Any]

_LONG = 160
"""Characters of a value from which on its hash stands for it."""


def made_by(fuser: "Fuser", **how: Any) -> Record:
    """What tells what `fuser` makes. `how`: dataclasses and plain values; what is empty or a default is left out."""
    tile = fuser.tile if fuser.spec.reach is None else None
    facts = {"method": fuser.method.name, "options": fuser.options, "weights": fuser.weights, "tile": tile} | how
    if fuser.precision != "fp32":
        facts["precision"] = fuser.precision
    told = {key: plain(value) for key, value in facts.items()}
    return {"irvis": __version__} | {key: value for key, value in told.items() if value not in (None, "", [], {})}


def of_inputs(record: Record, *bytes: int) -> Record:
    """The record of one file: how many bytes its inputs have is added."""
    return {**record, "inputs": list(bytes)}


def text(record: Record) -> str:
    """One line of JSON, ASCII, that begins with the version."""
    return json.dumps(dict(record))


def parsed(told: str) -> Record | None:
    """The last record in a text; None where there is none."""
    start = told.rfind('{"irvis"')
    if start < 0:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(told[start:])
    except ValueError:
        return None
    return dict(found)


def different(found: Record | None, wanted: Record) -> str:
    """How a file was made, where that is not as wanted: "was made by average, not by encdec"; else empty."""
    if found is None:
        return "does not say what made it"
    if found.get("method") != wanted["method"]:
        return f"was made by {found.get('method')}, not by {wanted['method']}"
    wanted = json.loads(text(wanted))
    other = [key for key in {**wanted, **found} if found.get(key) != wanted.get(key)]
    if "inputs" not in wanted and "inputs" in other:
        other.remove("inputs")  # nobody knows
    if other == ["inputs"]:
        return "was made of other files"
    return "was made with " + ", ".join(_other(key, found, wanted) for key in other) if other else ""


def _other(key: str, found: Record, wanted: Record) -> str:
    one, two = found.get(key), wanted.get(key)
    if all(isinstance(value, (str, int, float)) for value in (one, two)):
        return f"{key} {str(one)[:12]} (not {str(two)[:12]})"
    return f"other {key}"


def plain(value: Any) -> Any:
    """For JSON; of what is long, a hash."""
    made = _unhashed(value)
    told = json.dumps(made)
    return made if len(told) <= _LONG else "sha256:" + hashlib.sha256(told.encode()).hexdigest()[:16]


def _unhashed(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _table(value)
    if isinstance(value, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    if isinstance(value, Mapping):
        return {str(key): _unhashed(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_unhashed(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(_unhashed, value))
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return getattr(value, "__qualname__", type(value).__qualname__) if callable(value) else str(value)


def _table(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not as by default."""
    given = {field.name: (getattr(value, field.name), _default(field)) for field in fields(value) if field.compare}
    return {name: _unhashed(here) for name, (here, default) in given.items() if repr(here) != repr(default)}


def _default(field: Any) -> Any:
    return field.default_factory() if callable(field.default_factory) else field.default
