"""A training as plain data: what is trained on, its stages, and the whole recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


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
    target: bool = False
    """Every pair gets the picture of `target.target`, for the step `imitate`."""
    patterns: float = 0.0
    """With `target`: share of crops of drawn pairs whose right picture is known (data/patterns.py)."""
    variants: int = 1
    """With `target`: every pair this many times, its contrast curves bent differently."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One round of training: what is minimised, which parameters learn, how, and for how long."""

    step: str = "fuse"
    learn: tuple[str, ...] = ("*",)
    """Patterns of parameter names that learn; all others stay bit-identical."""
    losses: Mapping[str, Mapping[str, Any]]
    """Loss name → its weight and options: `qw = { weight = 1.0, stride = 8 }`."""
    images: bool = False
    """Single images (`--images`) take part too, each as both sources: for steps that look at one image at a time."""
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
    """With `adamw`, norms and biases are left out of it."""
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
