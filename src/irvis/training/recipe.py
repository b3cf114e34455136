"""Recipes are read from TOML and checked: unknown keys, losses and steps are errors."""

import math
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, get_type_hints

from ..errors import IrvisError
from ..validate import misfit
from .records import Data, Recipe, Stage


def load(source: str | Path) -> Recipe:
    """Read a recipe: the path of a TOML file, or the name of a shipped recipe."""
    path = find(source)
    try:
        table = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as problem:
        raise IrvisError(f"{path}: not valid TOML: {problem}") from problem
    stages, given = table.pop("stage", []), table.pop("data", {})
    if isinstance(stages, dict):
        raise IrvisError(f"{path}: write [[stage]] with two brackets on each side, as a recipe may have several")
    if not stages or not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise IrvisError(f"{path}: a recipe needs at least one [[stage]]")
    if not isinstance(given, dict):
        raise IrvisError(f"{path}: write [data] with one bracket on each side, as there is one only")
    data = _build(Data, given, f"{path} [data]")
    built = [_build(Stage, stage, f"{path} stage {n}") for n, stage in enumerate(stages, 1)]
    table.setdefault("name", path.stem)
    recipe: Recipe = _build(Recipe, {**table, "stages": tuple(built), "data": data}, str(path))
    _check(recipe, path)
    return recipe


def find(source: str | Path) -> Path:
    """The file of a recipe: a path, or a shipped recipe's name with or without `.toml`."""
    path = Path(source)
    if path.is_file():
        return path
    table = {recipe.stem: recipe for recipe in shipped()}
    if path.stem in table and path.parent == Path():
        return table[path.stem]
    names = ", ".join(sorted(name for name in table if "ablation" not in name))
    raise IrvisError(f"there is no recipe {str(source)!r}: no such file, and shipped ones are {names}")


def shipped() -> list[Path]:
    """The recipes that come with irvis."""
    package = Path(str(files("irvis")))
    inside, checkout = package / "recipes", package.parent.parent / "recipes"
    return sorted((inside if inside.is_dir() else checkout).glob("*.toml"))


def _build(kind: type, table: Mapping[str, Any], where: str) -> Any:
    """A record from a table whose keys and values fit its fields."""
    kinds = get_type_hints(kind)
    unknown = sorted(set(table) - set(kinds))
    if unknown:
        raise IrvisError(f"{where}: unknown key {', '.join(unknown)}; known keys: {', '.join(sorted(kinds))}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    for key, value in values.items():
        if wanted := misfit(value, kinds[key]):
            raise IrvisError(f"{where}: {key} must be {wanted}, not {table[key]!r}")
    try:
        return kind(**values)
    except TypeError as problem:
        raise IrvisError(f"{where}: {str(problem).replace('__init__() ', '')}") from problem


_DATA_RANGES = {
    "synthetic": (0, 1),
    "scenes": (1, math.inf),
    "validation": (0, 0.9),
    "zoom": (1, 16),
    "gamma": (1, 16),
    "variants": (1, 100),
    "patterns": (0, 1),
}
_STAGE_RANGES = {
    "epochs": (1, math.inf), "steps": (1, math.inf), "batch": (1, math.inf), "crop": (8, math.inf), "lr": (0, math.inf),
    "blur": (0, 100), "noise": (0, 1), "warmup": (0, math.inf), "clip": (0, math.inf), "weight_decay": (0, math.inf),
}  # fmt: skip


def _check(recipe: Recipe, path: Path) -> None:
    """What types cannot say: ranges, and names of losses, their options and steps."""
    from .steps import STEPS

    if recipe.seed < 0:
        raise IrvisError(f"{path}: seed must be 0 or more, not {recipe.seed}")
    _check_ranges(recipe.data, _DATA_RANGES, f"{path} [data]")
    for number, stage in enumerate(recipe.stages, 1):
        where = f"{path} stage {number}"
        _check_ranges(stage, _STAGE_RANGES, where)
        if stage.step not in STEPS:
            raise IrvisError(f"{where}: unknown step {stage.step!r}; known: {', '.join(sorted(STEPS))}")
        if not stage.losses:
            raise IrvisError(f"{where}: losses is empty")
        for name, options in stage.losses.items():
            _check_loss(name, options, where)


def _check_ranges(record: Any, ranges: Mapping[str, tuple[float, float]], where: str) -> None:
    for key, (low, high) in ranges.items():
        if not low <= getattr(record, key) <= high:
            limits = f"{low} to {high}" if math.isfinite(high) else f"{low} or more"
            raise IrvisError(f"{where}: {key} must be {limits}, not {getattr(record, key)}")


def _check_loss(name: str, options: Any, where: str) -> None:
    from ..losses import LOSSES

    if name not in LOSSES:
        raise IrvisError(f"{where}: unknown loss {name}; known: {', '.join(sorted(LOSSES))}")
    if not isinstance(options, Mapping) or "weight" not in options:
        raise IrvisError(f"{where}: every loss needs a weight, as in {name} = {{ weight = 1.0 }}")
    kinds = {"weight": float, **get_type_hints(LOSSES[name])}
    known = [key for key in kinds if key not in ("fused", "visible", "infrared", "return")]
    for key, value in options.items():
        if key not in known:
            raise IrvisError(f"{where}: {name} has no option {key}; it has {', '.join(known)}")
        if wanted := misfit(value, kinds[key]):
            raise IrvisError(f"{where}: {name}.{key} must be {wanted}, not {value!r}")
