"""`create`: a method's text, "NAME[:WEIGHTS][:option=value…]", becomes a fuser that is ready to run."""

from collections.abc import Mapping
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

import torch

from . import files
from . import weights as checkpoints
from .errors import IrvisError
from .fuser import Fuser
from .registry import METHODS
from .spec import Method, Precision, Runtime
from .validate import meant, misfit, value_of

import_module(f"{__package__}.methods")  # they register; by name, so that what uses one depends on no other's code


def find(name: str) -> Method:
    """The method called `name`."""
    if name not in METHODS:
        guess = meant(name, METHODS)
        others = f"{guess} irvis methods lists all." if guess else f"; there are {', '.join(sorted(METHODS))}"
        raise IrvisError(f"there is no method {name!r}{others}")
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
    method, weights, options = _parsed(name, weights, options)
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
        from .runtime import backends
        from .runtime.calibration import pairs

        backends.install(
            fuser, runtime, precision, device=device, error=error, pairs=partial(pairs, fuser, calibration),
            strict=strict,
        )  # fmt: skip
    return fuser


def _parsed(
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


def fuser(
    method: str,
    device: str = "cpu",
    runtime: Runtime = "torch",
    precision: Precision | None = None,
    error: float = 0.0,
    calibration: Path | None = None,
    tile: int | None = None,
    strict: bool = False,
) -> Fuser:
    """The fuser for "NAME[:WEIGHTS][:option=value…]", the caller's own, with tiles of `tile` pixels a side.

    The cores of the last four are kept while their files stay as they are.
    """
    weights = checkpoints.file_of(parse(method)[1])
    stamp = weights.stat().st_mtime_ns if weights.is_file() else 0
    return _kept(method, device, runtime, precision, error, calibration, strict, stamp).with_tiles(tile)


@lru_cache(maxsize=4)
def _kept(
    method: str,
    device: str,
    runtime: Runtime,
    precision: Precision | None,
    error: float,
    calibration: Path | None,
    strict: bool,
    stamp: int,
) -> Fuser:
    with torch.inference_mode(False):  # the first caller's mode would stay with the kept weights
        return create(
            method,
            device=device,
            runtime=runtime,
            precision=precision,
            error=error,
            calibration=calibration,
            strict=strict,
        )


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
    if not text or text in METHODS or not any(Path(part).exists() for part in (text, *text.split("+"))):
        return ""
    return checkpoints.method_of(text)


def weights_of(text: str) -> str:
    """The sha256 of the weights that a method's text names; empty for a method without any."""
    name, chosen, _ = parse(text)
    method = find(name)
    if not method.learnable:
        return ""
    facts = method.weights.get(chosen)
    return facts.sha256 if facts else files.digest(checkpoints.file_of(chosen))


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
