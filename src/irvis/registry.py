"""What a fusion method is, the table of all of them, and `create`, which makes one ready to run.

Methods and runtimes are imported by computed names: no method's code depends on the others (see `imports`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from .errors import IrvisError
from .options import meant, misfit, value_of

if TYPE_CHECKING:
    from .fuser import Fuser
    from .published import Published

METHODS: dict[str, Method] = {}
DEFAULT = "encdec"
"""The method where none is named."""

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
    sha256: str
    licence: str
    trained_on: str
    parameters: int
    options: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)


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
    rewrite: Callable[[Any, float], Any] | None = None
    """From a trained core and an error that is allowed to one that gives the same with less work, for inference."""

    @property
    def learnable(self) -> bool:
        """Whether the core is a module with parameters (else a plain function)."""
        return inspect.isclass(self.build)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the core and their defaults."""
        parameters = inspect.signature(self.build).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not p.empty}


def register(name: str, *, spec: Spec | Callable[..., Spec], **facts: Any) -> Callable[[Any], Any]:
    """Enter the decorated core (a module class or a function) into `METHODS`.

    The first line of its docstring is the summary that `irvis methods` shows.
    """

    def enter(build: Any) -> Any:
        if name in METHODS:
            raise ValueError(f"method {name!r} is registered twice")
        summary = (inspect.getdoc(build) or "").split("\n")[0]
        of = spec if callable(spec) else partial(_same, spec)
        METHODS[name] = Method(name=name, build=build, spec=of, summary=summary, **facts)
        return build

    return enter


def _same(spec: Spec, **_: Any) -> Spec:
    """The Spec of a method whose options do not change it."""
    return spec


def known() -> Mapping[str, Method]:
    """All methods by name."""
    import_module(".methods", __package__)  # fills METHODS
    return METHODS


def find(name: str) -> Method:
    """The method called `name`."""
    if name not in known():
        raise IrvisError(f"there is no method {name!r}; there are {', '.join(sorted(METHODS))}{meant(name, METHODS)}")
    return METHODS[name]


def create(
    name: str,
    *,
    weights: str | Path | None = "default",
    device: str = "cpu",
    runtime: Runtime = "torch",
    precision: Precision | None = None,
    error: float = 0.0,
    calibration: Path | None = None,
    strict: bool = False,
    **options: Any,
) -> Fuser:
    """A fuser of registered RGB + infrared batches in [0, 1], ready to run (evaluation mode).

    Parameters
    ----------
    name: "NAME[:WEIGHTS][:option=value…]" as on the command line, or the path of weights: ours or their authors'.
    weights: the name of shipped weights, the path of a checkpoint of ours, of its authors' or of a run's folder (its
        best weights), or None for random ones. Methods without parameters take no notice of it.
    device: as torch names it: "cpu", "cuda", "cuda:1", "mps".
    runtime: what runs the core: "torch" (the network as it was trained), "collapsed" (rewritten, within 1e-5 of it),
        "compiled", "onnxruntime", "openvino" (rewritten too, where the method knows how), or "auto", the fastest here.
    precision: "fp32", "bf16", "fp16", "int8" (onnxruntime and openvino), or "auto": the fastest by a short measurement,
        of those that the processor computes in itself. None = "auto" with the runtime "auto", otherwise "fp32".
    error: how far the rewritten network may be off in [0, 1], for any pictures at all (see `runtime.collapse`).
    calibration: a folder of pairs that show the ranges for int8; None = synthetic scenes.
    strict: exactly this runtime and precision, emulated if need be, or an error. Otherwise what cannot be had here
        gives way to the nearest that can, with an IrvisWarning.
    options: options of the method; they override those that the weights were trained with.

    Raises
    ------
    IrvisError: unknown method, option, weights or device, a file whose hash is wrong; with `strict` also a runtime or
        precision that cannot be had here.
    """
    import torch

    from . import weights as checkpoints
    from .fuser import Fuser

    method, weights, options = _asked(name, weights, options)
    state = None
    if method.learnable and weights is not None:
        checkpoint = checkpoints.find(method, weights)
        state, options = checkpoint.state, {**checkpoint.options, **options}
        check_options(method, options)
    try:
        if state is not None:
            checkpoints.compare(method, options, state, f"{method.name}:{weights}")
        core: Any = method.build(**options) if method.learnable else partial(method.build, **options)
        fuser = Fuser(core, method.spec(**options), method=method, options=options)
        if state is not None:
            checkpoints.fill(core, state, f"{method.name}:{weights}")
            fuser.weights = checkpoint.sha256
    except (ValueError, RuntimeError, TypeError, ArithmeticError, AssertionError, LookupError) as problem:
        raise IrvisError(f"{method.name}: {_first_line(problem)}") from problem
    try:
        torch.empty(0, device=device)
        fuser.to(device).eval()
    except (AssertionError, RuntimeError) as problem:
        told = _first_line(problem)
        if told.startswith("Expected one of"):  # and then twenty kinds of device
            told = "torch knows none of this name; give cpu, cuda, cuda:1 or mps"
        raise IrvisError(f"device {device!r} cannot be used here: {told}") from problem
    precision = precision or ("auto" if runtime == "auto" else "fp32")
    if (runtime, precision, error) != ("torch", "fp32", 0):
        backends, showing = (import_module(f".runtime.{part}", __package__) for part in ("backends", "calibration"))
        backends.install(
            fuser, runtime, precision, device=device, error=error, pairs=partial(showing.pairs, fuser, calibration),
            strict=strict,
        )  # fmt: skip
    return fuser


def _asked(
    text: str, weights: str | Path | None, options: Mapping[str, Any]
) -> tuple[Method, str | Path | None, dict[str, Any]]:
    """Method, weights and options out of the text and of what is said beside it; nothing may be said twice."""
    name, chosen, within = parse(text)
    if chosen != "default" and weights not in ("default", chosen):
        raise IrvisError(f"two weights for {name}: {chosen!r} in {text!r}, and weights={weights!r}")
    if twice := [option for option in within if option in options]:
        raise IrvisError(f"{', '.join(twice)} is given twice: in {text!r} and beside it")
    method, weights = find(name), weights if chosen == "default" else chosen
    check_options(method, {**within, **options})
    if not method.learnable and weights not in ("default", None):
        raise IrvisError(f"{name} has no weights, so {str(weights)!r} means nothing to it")
    return method, weights, {**within, **options}


def parse(text: str) -> tuple[str, str, dict[str, Any]]:
    """Split "NAME[:WEIGHTS][:option=value…]" into name, weights and options; a file of weights may stand for the name.

    A file or a run's folder in the place of NAME stands for the method that it holds weights of.

    >>> parse("encdec:paper:padding=zero")
    ('encdec', 'paper', {'padding': 'zero'})
    """
    name, *rest = text.split(":")
    weights, options = "default", {}
    for part in rest:
        key, equals, raw = part.partition("=")
        if equals:
            options[key] = value_of(raw)
        else:
            weights = part
    if weights == "default" and (method := _of_file(name)):
        return method, name, options
    return name, weights, options


def _of_file(text: str) -> str:
    """The name of the method that a file of weights is for; empty for a method's name and where there is no file."""
    if not text or text in known() or not any(Path(part).exists() for part in (text, *text.split("+"))):
        return ""
    return import_module(".weights", __package__).method_of(text)


def check_options(method: Method, options: Mapping[str, Any]) -> None:
    """Names and values, by the signature of the core."""
    unknown = sorted(set(options) - set(method.options))
    if unknown:
        there = ", ".join(method.options) or "none"
        like = meant(unknown[0], method.options)
        raise IrvisError(f"{method.name} has no option {', '.join(unknown)}; its options are: {there}{like}")
    kinds = get_type_hints(method.build.__init__ if method.learnable else method.build)
    for name, chosen in options.items():
        if wanted := misfit(chosen, kinds[name]):
            raise IrvisError(f"{method.name}: {name} must be {wanted}, not {chosen!r}")


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n")[0]
