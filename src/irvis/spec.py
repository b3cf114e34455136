"""Records of facts: what a method is, what its core expects, and where its weights are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor

Runtime = Literal["torch", "collapsed", "compiled", "onnxruntime", "openvino", "auto"]
Precision = Literal["fp32", "bf16", "fp16", "int8", "auto"]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a core expects of its inputs; follows from the method's options."""

    domain: Literal["luma", "value", "rgb"]
    """The plane that is fused: Y of YCbCr, V of HSV, or all three channels."""
    multiple: int = 1
    """Height and width must be multiples of this; tiles start on this grid."""
    least: int = 1
    """Smaller pictures are padded to this height and width."""
    fill: float | None = None
    """What the picture is padded with to reach `multiple` or `least`; None repeats its border."""
    window: int | None = None
    """Side of the only size the core can take, in pixels; None = any."""
    reach: int | None = None
    """Radius of influence in pixels; None = every output pixel may depend on every input pixel."""
    budget: int | None = None
    """Larger pictures (in pixels) are tiled even where no tile is asked for; None = never."""
    scale: int = 1
    """Output size over input size."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A trained checkpoint: where it is, what it is, and the hash that is checked on every load."""

    file: str
    """Its name: inside the package, or in the cache once it was downloaded."""
    sha256: str
    licence: str
    trained_on: str
    parameters: int
    options: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    url: str = ""
    """Where it is downloaded from on first use; empty where it lies in the package."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of weights as its authors publish it."""

    path: str
    """In their repository; empty where that tells no name."""
    sha256: str = ""
    size: int = 0
    """In bytes; 0 where not known."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the file does not tell and its name does."""

    @property
    def name(self) -> str:
        """Without folders."""
        return Path(self.path).name


@dataclass(frozen=True, kw_only=True)
class Published:
    """A network that others published, and how its files are read."""

    title: str
    year: int
    source: str
    """Where the files are: a repository."""
    licence: str
    """As stated there."""
    files: tuple[File, ...]
    marks: Mapping[str, str]
    """Prefix of a part in our state → a tensor that only this part has. A part may be a file of its own."""
    unused: str = r"(?!)"
    """Pattern of the names of tensors that are in the file and take no part."""
    options: Callable[[Mapping[str, Tensor]], dict[str, Any]] | None = None
    """From our state to the options that it needs."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A family of cores: how to build one, and the facts about it."""

    name: str
    build: Callable[..., Any]
    spec: Callable[..., Spec]
    paper: str = ""
    summary: str = ""
    weights: Mapping[str, Weights] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
    """Options that make a tiny core, for tests."""
    published: Published | None = None
    """Where others publish the network's weights, and how their files are read."""

    @property
    def learnable(self) -> bool:
        """Whether the core is a module with parameters (else a plain function)."""
        return inspect.isclass(self.build)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the core and their defaults."""
        parameters = inspect.signature(self.build).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not p.empty}
