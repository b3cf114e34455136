"""Trained weights: safetensors files whose header names the method and its options; every load checks the hash."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from importlib.resources import files
from pathlib import Path
from threading import get_ident
from typing import Any
from urllib.request import urlopen

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from . import published
from .errors import IrvisError, said
from .files import cache_folder, digest, whole
from .spec import Method, Weights
from .steps import step
from .validate import meant

SHIPPED = Path(str(files("irvis"))) / "shipped"
TIMEOUT = 30
"""Seconds without an answer after which a download fails."""
BEST = "best.safetensors"
"""Of a run's folder: the weights with the least validation loss."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A file read: the method it is for, the options it was trained with, its tensors."""

    method: str
    options: Mapping[str, Any]
    state: Mapping[str, Tensor]
    sha256: str = ""
    """Of the file."""


@cache
def shipped(method: str) -> Mapping[str, Weights]:
    """The weights of `method` inside the package, by name, as `shipped/weights.json` lists them."""
    table = json.loads((SHIPPED / "weights.json").read_text())
    return {name: Weights(**facts) for name, facts in table.get(method, {}).items()}


def find(method: Method, weights: str | Path) -> Checkpoint:
    """Shipped weights by name, or a file, or the best weights of a run's folder, by path."""
    if str(weights) in method.weights:
        facts = method.weights[str(weights)]
        return load(located(facts), sha256=facts.sha256, method=method.name)
    if method.published is not None and published.paths(str(weights)) and not _method(Path(weights)):
        options, state = published.load(method, str(weights))
        digests = [digest(file) for file in published.paths(str(weights))]
        return Checkpoint(method=method.name, options=options, state=state, sha256="+".join(digests))
    path = file_of(weights)
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
    like = meant(str(weights), method.weights)
    raise IrvisError(f"{method.name} has no weights {str(weights)!r} and no such file exists; shipped: {names}{like}")


def located(facts: Weights) -> Path:
    """The file of named weights: in the package, or in the user's cache, where it is downloaded to on first use.

    Raises
    ------
    IrvisError: it cannot be downloaded, or what was downloaded is not the file that was published.
    """
    if not facts.url:
        return SHIPPED / facts.file
    path = cache_folder() / "weights" / facts.file
    if not path.is_file():
        _download(facts, path)
    return path


def _download(facts: Weights, path: Path) -> None:
    """The file appears whole and with the right hash, or not at all."""
    step(f"downloading {facts.file}")
    try:
        with urlopen(facts.url, timeout=TIMEOUT) as source, whole(path) as unfinished:
            with unfinished.open("wb") as file:
                shutil.copyfileobj(source, file)
            if digest(unfinished) != facts.sha256:
                raise IrvisError(f"{facts.url} is not the file that was published (sha256 differs): try again later")
    except (OSError, ValueError, HTTPException) as problem:
        raise IrvisError(
            f"{facts.file} could not be downloaded from {facts.url} ({getattr(problem, 'reason', problem)}): connect "
            f"once, or copy it to {path}"
        ) from problem


def file_of(weights: str | Path) -> Path:
    """The file at a path; of a folder, which a training made, its best weights."""
    path = Path(weights)
    if not path.is_dir():
        return path
    if not (path / BEST).is_file():
        raise IrvisError(f"{path} is a folder without {BEST}: give a file of weights, or the folder of a training")
    return path / BEST


def header_of(path: Path) -> dict[str, str]:
    """What a checkpoint says of itself: method, options, licence, trained_on, recipe."""
    try:
        with safe_open(path, "pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as problem:
        raise _unreadable(path, problem) from problem


def facts_of(method: Method, weights: str | Path) -> dict[str, str]:
    """What is known of weights: licence and trained_on, each only where it is stated."""
    if not method.learnable:
        return {}
    if known := method.weights.get(str(weights)):
        return {"licence": known.licence, "trained_on": known.trained_on}
    header = header_of(file_of(weights))
    return {key: header[key] for key in ("licence", "trained_on") if key in header}


def method_of(text: str) -> str:
    """The method that a file (a folder, or files joined by "+") holds weights for: ours or its authors'."""
    if name := _method(Path(text)):
        return name
    found = published.recognised(text)
    if found is None:
        raise published.unknown(text)
    return found.name


def _method(path: Path) -> str:
    """The method that the header of a checkpoint of ours, or of a run's folder, names; empty where there is none."""
    path = path / BEST if (path / BEST).is_file() else path
    if path.suffix != ".safetensors" or not path.is_file():
        return ""
    try:
        return header_of(path).get("method", "")
    except IrvisError:
        return ""


def load(path: Path, *, method: str, sha256: str | None = None) -> Checkpoint:
    """Read a checkpoint of ours for `method`; a wrong hash, a wrong method or a broken file is an error."""
    found = digest(path)
    if sha256 not in (None, found):
        raise IrvisError(
            f"{path}: the file is damaged or was changed (sha256 differs); "
            "reinstall irvis, or remove it if it was downloaded"
        )
    header = header_of(path)
    if header.get("method") != method:
        raise IrvisError(f"{path}: holds weights of {header.get('method', 'no method')!r}, not of {method!r}")
    try:
        with safe_open(path, "pt") as file:
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        options = json.loads(header.get("options", "{}"))
    except (SafetensorError, OSError, ValueError, RuntimeError) as problem:
        raise _unreadable(path, problem) from problem
    if not isinstance(options, dict):
        raise IrvisError(f"{path}: damaged: its options must be a table, not {str(options)[:40]}")
    return Checkpoint(method=method, options=options, state=state, sha256=found)


def _unreadable(path: Path, problem: Exception) -> IrvisError:
    return IrvisError(
        f"{path}: not a safetensors checkpoint ({said(problem)}); `irvis convert` reads the authors' files"
    )


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


def compare(method: Method, options: Mapping[str, Any], state: Mapping[str, Tensor], source: str) -> None:
    """Hold a state against the network of these options, which takes no memory: before the real one is built."""

    def count(module: nn.Module, name: str, parameter: Any) -> None:
        built.append(name)
        if get_ident() == here and len(built) > 4 * len(state) + 1000:
            raise IrvisError(f"{source}: these weights do not fit the options, which ask for far more tensors")

    built, here = list[str](), get_ident()
    hook = register_module_parameter_registration_hook(count)
    try:
        with torch.device("meta"):
            core = method.build(**options)
    finally:
        hook.remove()
    _refuse_misfits(core, state, source)


def fill(core: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Load `state` into `core`, strictly."""
    _refuse_misfits(core, state, source)
    core.load_state_dict(dict(state), strict=True)


def _refuse_misfits(core: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """One line for tensors that are missing, unknown or of another size."""
    wanted = core.state_dict()
    found = {
        "missing": [name for name in wanted if name not in state],
        "unknown": [name for name in state if name not in wanted],
    }
    told = [f"{names[0]} is {kind}{_and_more(names)}" for kind, names in found.items() if names]
    other = [name for name in wanted if name in state and wanted[name].shape != state[name].shape]
    if other:
        sizes = [list(tensors[other[0]].shape) for tensors in (state, wanted)]
        told.append(f"{other[0]} is of size {sizes[0]}, not {sizes[1]}{_and_more(other)}")
    if told:
        raise IrvisError(f"{source}: these weights do not fit the options: {'; '.join(told)}")


def _and_more(names: Sequence[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
