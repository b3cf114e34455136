"""Trained weights: safetensors files whose header names the method and its options; every load checks the hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor, nn

from . import published
from .errors import IrvisError
from .files import whole
from .registry import Method, Weights

SHIPPED = Path(str(files("irvis"))) / "shipped"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A file read: the method it is for, the options it was trained with, its tensors."""

    method: str
    options: Mapping[str, Any]
    state: Mapping[str, Tensor]


@cache
def shipped(method: str) -> Mapping[str, Weights]:
    """The weights of `method` inside the package, by name, as `shipped/weights.json` lists them."""
    table = json.loads((SHIPPED / "weights.json").read_text())
    return {name: Weights(**facts) for name, facts in table.get(method, {}).items()}


def find(method: Method, weights: str | Path) -> Checkpoint:
    """Shipped weights by name, or a file by path."""
    if str(weights) in method.weights:
        facts = method.weights[str(weights)]
        return load(SHIPPED / facts.file, sha256=facts.sha256, method=method.name)
    path = Path(weights)
    if method.published is not None and published.paths(str(weights)) and not _method(path):
        options, state = published.load(method, str(weights))
        return Checkpoint(method=method.name, options=options, state=state)
    if path.is_file():
        return load(path, method=method.name)
    if method.published is not None and weights == "default":
        raise IrvisError(published.wanted(method.name, method.published))
    if not method.weights and weights == "default":
        raise IrvisError(
            f"{method.name} comes without weights: give a file, as in -m {method.name}:FILE.safetensors "
            "(irvis train makes one, irvis convert makes one of the authors' checkpoint)"
        )
    names = ", ".join(method.weights) or "none"
    raise IrvisError(f"{method.name} has no weights {str(weights)!r} and no such file exists; shipped: {names}")


def method_of(text: str) -> str:
    """The method that a file (a folder, or files joined by "+") holds weights for: ours or its authors'."""
    if name := _method(Path(text)):
        return name
    found = published.recognised(text)
    if found is None:
        raise published.unknown(text)
    return found.name


def _method(path: Path) -> str:
    """The method that the header of a checkpoint of ours names; empty where there is none."""
    if path.suffix != ".safetensors":
        return ""
    try:
        with safe_open(path, "pt") as file:
            return (file.metadata() or {}).get("method", "")
    except (SafetensorError, OSError):
        return ""


def load(path: Path, *, method: str, sha256: str | None = None) -> Checkpoint:
    """Read a checkpoint of ours for `method`; a wrong hash, a wrong method or a broken file is an error."""
    if sha256 is not None and digest(path) != sha256:
        raise IrvisError(f"{path}: the file is damaged or was changed (sha256 differs); reinstall irvis")
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        options = json.loads(header.get("options", "{}"))
    except (SafetensorError, OSError, ValueError) as problem:
        raise IrvisError(
            f"{path}: not a safetensors checkpoint ({problem}); `irvis convert` reads the authors' files"
        ) from problem
    if header.get("method") != method:
        raise IrvisError(f"{path}: holds weights of {header.get('method', 'no method')!r}, not of {method!r}")
    return Checkpoint(method=method, options=options, state=state)


def save(
    path: Path,
    core: nn.Module,
    *,
    method: str,
    options: Mapping[str, Any],
    dtype: torch.dtype = torch.float32,
    **facts: str,
) -> str:
    """Write `core` with a header that names its method and options; returns the file's sha256.

    `facts` (licence, trained_on, recipe …) go into the header too. The file appears whole or not at all.
    """
    state = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in core.state_dict().items()}
    header = {"method": method, "options": json.dumps(dict(options)), **facts}
    with whole(path) as unfinished:
        unfinished.write_bytes(serialize(state, metadata=header))
    return digest(path)


def fill(core: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Load `state` into `core`, strictly."""
    try:
        core.load_state_dict(dict(state), strict=True)
    except RuntimeError as problem:
        lines = [line.strip() for line in str(problem).split("\n")[1:]]
        raise IrvisError(f"{source}: these weights do not fit the options: {' '.join(lines)[:300]}") from problem


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    if not path.is_file():
        raise IrvisError(f"{path}: no such file")
    return hashlib.sha256(path.read_bytes()).hexdigest()
