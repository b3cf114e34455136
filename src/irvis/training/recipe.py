"""A training recipe: a method, its data and a list of stages. Plain data, read from TOML; unknown keys are errors."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from ..errors import IrvisError


@dataclass(frozen=True, kw_only=True)
class Data:
    """What is trained on, beside the folders that the command names."""

    synthetic: float = 0.0
    """Share of crops that come from synthetic scenes, in [0, 1]; 1 needs no folder."""
    scenes: int = 200
    """How many synthetic scenes are drawn."""
    validation: float = 0.1
    """Share of each folder, a contiguous range of names, that is kept for validation."""
    zoom: float = 1.0
    """Crops are taken at a scale drawn from [1/zoom, 1]."""
    gamma: float = 1.0
    """Each image's contrast curve is bent by an exponent drawn from [1/gamma, gamma]."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One round of training: what is minimised, which parameters learn, how, and for how long."""

    step: str = "fuse"
    learn: tuple[str, ...] = ("*",)
    """Patterns of parameter names that learn; all others stay bit-identical."""
    losses: Mapping[str, Mapping[str, Any]]
    """Loss name → its weight and options: `qw = { weight = 1.0, stride = 8 }`."""
    epochs: int = 1
    steps: int = 100
    """Steps of the optimiser in an epoch."""
    batch: int = 8
    crop: int = 128
    blur: float = 0.0
    """Standard deviation in pixels of the blur on the inputs; the losses see the sharp images."""
    noise: float = 0.0
    """Standard deviation of the noise on the inputs, of 1."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)
    eps: float = 1e-8
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: Literal["constant", "halve", "cosine"] = "constant"
    milestones: tuple[int, ...] = ()
    """Epochs at which `schedule = "halve"` halves the learning rate."""
    warmup: int = 0
    """Steps in which the learning rate rises from 0."""
    clip: float = 0.0
    """Largest norm of the gradient; 0 = not clipped."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole training."""

    name: str
    method: str
    stages: tuple[Stage, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    data: Data = Data()
    seed: int = 0
    about: str = ""


def load(source: str | Path) -> Recipe:
    """Read a recipe: the path of a TOML file, or the name of a shipped recipe."""
    path = find(source)
    try:
        table = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as problem:
        raise IrvisError(f"{path}: not valid TOML: {problem}") from problem
    stages = table.pop("stage", [])
    if not stages:
        raise IrvisError(f"{path}: a recipe needs at least one [[stage]]")
    data = _build(Data, table.pop("data", {}), f"{path} [data]")
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
    raise IrvisError(f"there is no recipe {str(source)!r}; shipped ones: {', '.join(sorted(table))}")


def shipped() -> list[Path]:
    """The recipes that come with irvis."""
    package = Path(str(files("irvis")))
    inside, checkout = package / "recipes", package.parent.parent / "recipes"
    return sorted((inside if inside.is_dir() else checkout).glob("*.toml"))


def _build(kind: type, table: Mapping[str, Any], where: str) -> Any:
    known = {f.name for f in fields(kind)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise IrvisError(f"{where}: unknown key {', '.join(unknown)}; known keys: {', '.join(sorted(known))}")
    try:
        return kind(**{key: tuple(x) if isinstance(x, list) else x for key, x in table.items()})
    except TypeError as problem:
        raise IrvisError(f"{where}: {str(problem).replace('__init__() ', '')}") from problem


def _check(recipe: Recipe, path: Path) -> None:
    from ..losses import LOSSES
    from .steps import STEPS

    for stage in recipe.stages:
        unknown = sorted(set(stage.losses) - set(LOSSES))
        if unknown:
            raise IrvisError(f"{path}: unknown loss {', '.join(unknown)}; known: {', '.join(sorted(LOSSES))}")
        if stage.step not in STEPS:
            raise IrvisError(f"{path}: unknown step {stage.step!r}; known: {', '.join(sorted(STEPS))}")
        if any("weight" not in options for options in stage.losses.values()):
            raise IrvisError(f"{path}: every loss needs a weight, as in qw = {{ weight = 1.0 }}")
