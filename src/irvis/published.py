"""Networks that others published: what is known of each, and their authors' files, recognised by the tensors inside."""

import pickle
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from .errors import IrvisError
from .files import digest
from .registry import METHODS
from .spec import Method, Published

SUFFIXES = (".pth", ".pt", ".pkl", ".model", ".ckpt", ".npy", ".safetensors")
"""What files of weights are called."""


Parts = dict[str, dict[str, Tensor]]


def recognised(text: str) -> Method | None:
    """The method that a file (or a folder, or files joined by "+") is for; None where no published network is in it."""
    files = paths(text)
    if not files:
        return None
    content = [(path, read(path)) for path in files]
    found = [(m, _parts(m, content)) for m in METHODS.values() if m.published is not None]
    fitting = [(m, parts) for m, parts in found if parts]
    if not fitting:
        return None
    return max(fitting, key=lambda pair: (_complete(*pair), len(pair[1])))[0]


def load(method: Method, text: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Options and state of `method` from the authors' files that `text` names."""
    facts = method.published
    assert facts is not None
    content = [(path, read(path)) for path in paths(text)]
    parts = _parts(method, content)
    if not parts:
        known = _named(content)
        raise IrvisError(f"{text}: holds {f'weights of {known}' if known else 'no weights'}, not of {method.name}")
    for prefix in facts.marks:
        if prefix not in parts:
            parts |= _beside(method, prefix, content)
    state = {prefix + name: tensor for prefix, part in parts.items() for name, tensor in part.items()}
    state = {name: tensor for name, tensor in _counted(state).items() if not re.search(facts.unused, name)}
    options = facts.options(state) if facts.options else {}
    for path, _ in content:
        options |= _options(facts, path)
    return options, state


def unknown(text: str) -> IrvisError:
    """What to say of a file in which there is no network that irvis knows."""
    content = [(path, read(path)) for path in paths(text)]
    if not content:
        return IrvisError(f"{text}: no file of weights is there ({', '.join(SUFFIXES)})")
    return IrvisError(f"{text}: holds no network that irvis knows{_nearest(content)}")


def wanted(name: str, facts: Published) -> str:
    """What to say where a file of weights is needed and none was given."""
    path = facts.files[0].path
    return f"{name} comes without weights: get {path or 'its file'} from {facts.source}, and give it: -m {name}:FILE"


def paths(text: str) -> list[Path]:
    """The files of weights that a text names: a file, a folder's, or several joined by "+"."""
    whole = Path(text)
    if whole.is_file():
        return [whole]
    if whole.is_dir():
        return sorted(path for path in whole.iterdir() if path.suffix in SUFFIXES)
    several = [Path(part) for part in text.split("+")]
    return several if all(path.is_file() for path in several) else []


def read(path: Path) -> dict[str, Tensor]:
    """Every tensor in a file, under its whole name ("FN.encoder.weight"); `module.` is left out.

    Raises
    ------
    IrvisError: no such file, an unreadable one, or one that can be read only by running code in it.
    """
    if not path.is_file():
        raise IrvisError(f"{path}: no such file")
    try:
        return _tensors(_content(path))
    except pickle.UnpicklingError as problem:
        needed = re.search(r"(?:GLOBAL|Unsupported class) ([\w.]+)", str(problem))
        if needed is None:
            raise IrvisError(f"{path}: not a readable PyTorch checkpoint") from problem
        raise IrvisError(
            f"{path}: to read it, code would have to run ({needed[1]}), which is not safe; "
            "in its authors' code, save the tensors alone: torch.save(model.state_dict(), FILE)"
        ) from problem
    except Exception as problem:  # what a damaged or hostile file makes of a reader has many names
        kind = "PyTorch checkpoint" if path.suffix not in (".npy", ".safetensors") else f"{path.suffix[1:]} file"
        raise IrvisError(f"{path}: not a readable {kind}") from problem


def _content(path: Path) -> Any:
    if path.suffix == ".safetensors":
        return load_file(path)
    if path.suffix == ".npy":
        return {"array": torch.from_numpy(np.load(path, allow_pickle=False))}
    scalar: Any = np.float64(0).__reduce__()[0]  # harmless, and some files hold losses as such numbers
    harmless = [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, np.dtypes.Float64DType]
    with torch.serialization.safe_globals(harmless):
        return torch.load(path, map_location="cpu", weights_only=True)


def _tensors(content: Any, above: str = "") -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    if isinstance(content, Mapping):
        for key, value in content.items():
            name = above if key == "module" else f"{above}{key}"
            if isinstance(value, Tensor):
                found[name.replace("module.", "")] = value.float() if value.is_floating_point() else value
            else:
                found |= _tensors(value, f"{name}." if name else "")
    return found


def _parts(method: Method, content: list[tuple[Path, dict[str, Tensor]]]) -> Parts:
    """The parts of a method that are in the files, without the names that the authors put around them."""
    assert method.published is not None
    parts: Parts = {}
    for _, tensors in sorted(content, key=lambda pair: pair[0].name not in _names(method)):
        for prefix, mark in method.published.marks.items():
            around = _around(mark, tensors)
            if prefix not in parts and around is not None:
                parts[prefix] = {
                    name.removeprefix(around): tensor for name, tensor in tensors.items() if name.startswith(around)
                }
    return parts


def _around(mark: str, tensors: Mapping[str, Tensor]) -> str | None:
    """What stands before the names of a part: "", "state_dict.", "FN."; None where the part is not there."""
    found = [name.removesuffix(mark) for name in tensors if name == mark or name.endswith(f".{mark}")]
    return min(found, key=len) if found else None


def _counted(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the counter of every batch normalisation, which files of early PyTorch lack and nothing here reads."""
    counters = [f"{name.removesuffix('running_mean')}num_batches_tracked" for name in state if "running_mean" in name]
    return {**{name: torch.tensor(0) for name in counters}, **state}


def _complete(method: Method, parts: Parts) -> bool:
    assert method.published is not None
    return len(parts) == len(method.published.marks)


def _names(method: Method) -> list[str]:
    assert method.published is not None
    return [file.name for file in method.published.files]


def _beside(method: Method, prefix: str, content: list[tuple[Path, dict[str, Tensor]]]) -> Parts:
    """A part that the given files lack, from the file of that name that lies beside them."""
    for folder in dict.fromkeys(path.parent for path, _ in content):
        for name in _names(method):
            if (folder / name).is_file():
                parts = _parts(method, [(folder / name, read(folder / name))])
                if prefix in parts:
                    return {prefix: parts[prefix]}
    there = " + ".join(path.name for path, _ in content)
    raise IrvisError(
        f"{there}: {method.name} needs {' and '.join(_names(method))}, and one of them is not there; "
        f"put them into one folder, or give them all: -m {method.name}:FILE+FILE"
    )


def _options(facts: Published, path: Path) -> dict[str, Any]:
    """What a file's digest or, failing that, its name tells."""
    told = [file for file in facts.files if file.options]
    if not told:
        return {}
    found = digest(path)
    same = [file for file in told if file.sha256 == found] or [file for file in told if file.name == path.name]
    return dict(same[0].options) if same else {}


def _named(content: list[tuple[Path, dict[str, Tensor]]]) -> str:
    return next((m.name for m in METHODS.values() if m.published and _parts(m, content)), "")


def _own(name: str, prefixes: Iterable[str]) -> str:
    """What a tensor of our state is called in the file of its part."""
    return next((name.removeprefix(prefix) for prefix in prefixes if prefix and name.startswith(prefix)), name)


def _nearest(content: list[tuple[Path, dict[str, Tensor]]]) -> str:
    """; the nearest is …, of which it lacks …"""
    names = {name for _, tensors in content for name in tensors}
    best, share, lacks = "", 0.0, list[str]()
    for method in METHODS.values():
        if method.published is None:
            continue
        with torch.device("meta"):
            known = [_own(name, method.published.marks) for name in method.build().state_dict()]
        there = [name for name in known if any(other == name or other.endswith(f".{name}") for other in names)]
        if len(there) / len(known) > share:
            best, share, lacks = method.name, len(there) / len(known), sorted(set(known) - set(there))
    if not best:
        return "; irvis methods lists what it knows"
    return f"; nearest is {best}, of which it lacks {', '.join(lacks[:3])}{' …' if len(lacks) > 3 else ''}"
