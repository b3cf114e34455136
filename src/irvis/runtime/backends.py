"""Where a core runs: a runtime takes the core's place, the `Fuser` around it stays the same."""

import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import IrvisError
from ..fuser import Fuser
from ..spec import Method, Precision, Runtime
from ..types import Gray, Image, Scaled
from . import substitutes
from .collapse import REWRITERS
from .source import RuntimeInput

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Autocast(nn.Module):
    """A core whose matrix products and convolutions run in half precision; gives float32."""

    def __init__(self, core: Any, device: str, dtype: torch.dtype) -> None:
        super().__init__()
        self.core, self.kind, self.dtype = core, torch.device(device).type, dtype

    def forward(self, visible: Image, infrared: Gray) -> Scaled:
        with torch.autocast(self.kind, self.dtype):
            return self.core(visible, infrared).float()


class Half(nn.Module):
    """A core all of whose weights and features are in half precision; takes and gives float32."""

    def __init__(self, core: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.core, self.dtype = core.to(dtype), dtype

    def forward(self, visible: Image, infrared: Gray) -> Scaled:
        return self.core(visible.to(self.dtype), infrared.to(self.dtype)).float()


def automatic(method: Method, device: str) -> Runtime:
    """The fastest runtime that is installed, by `docs/results/speed.md`.

    On a GPU the compiled network; on a CPU OpenVINO, where it is installed, otherwise the rewritten network in torch.
    What is no network stays in torch.
    """
    if not method.learnable:
        return "torch"
    if torch.device(device).type != "cpu":
        return "compiled"
    if find_spec("openvino"):
        return "openvino"
    return "collapsed" if method.name in REWRITERS else "torch"


def install(
    fuser: Fuser,
    runtime: Runtime,
    precision: Precision = "fp32",
    *,
    device: str = "cpu",
    error: float = 0.0,
    pairs: Callable[[], Sequence[tuple[Tensor, Tensor]]],
    strict: bool = False,
) -> None:
    """Replace `fuser.core` by one that runs elsewhere or in another precision.

    A runtime that is not installed, or a precision that the processor would emulate, gives way to the nearest that can
    be had, with an IrvisWarning; with `strict` that is an IrvisError, as is what no machine has.
    """
    runtime = automatic(fuser.method, device) if runtime == "auto" else runtime
    runtime = _taken(*substitutes.runtime_instead(runtime, fuser.method), runtime, strict)
    emulated = substitutes.precision_instead(precision, device)
    if not (strict and runtime in ("torch", "collapsed", "compiled")):  # torch can emulate, if it must
        precision = _taken(*emulated, precision, strict)
    if precision == "int8" and (runtime not in substitutes.EXTRAS or not fuser.method.learnable):
        raise IrvisError(f"int8 is for networks in onnxruntime or openvino, not for {fuser.method.name} in {runtime}")
    if error < 0:
        raise IrvisError(f"error must not be negative, not {error}")
    if error > 0 and (runtime == "torch" or fuser.method.name not in REWRITERS):
        raise IrvisError("error is for methods that can be rewritten (encdec), in any runtime but torch")
    facts: dict[str, Any] = {"fuser": fuser, "core": fuser.core, "device": device, "error": error, "pairs": pairs}

    def core(chosen: Precision) -> Any:
        with torch.no_grad():
            return _MAKERS[runtime](RuntimeInput(precision=chosen, **facts))

    if precision == "auto":
        candidates = substitutes.native(device) if fuser.method.learnable else ("fp32",)
        precision = substitutes.fastest(candidates, lambda chosen: _trial(core(chosen), fuser, device))
    fuser.core, fuser.precision = core(precision), precision


def _taken(found: Any, notice: str, wanted: str, strict: bool) -> Any:
    """What is used instead of what was wanted; the notice is an error where nothing else will do."""
    if notice and strict:
        raise IrvisError(f"{wanted} cannot be had here: {notice.partition(': ')[0]}")
    if notice:
        from ..io import IrvisWarning

        warnings.warn(notice, IrvisWarning, stacklevel=4)
    return found


def _trial(core: Any, fuser: Fuser, device: str) -> Callable[[], object]:
    """One fusion of a small picture, for the measurement of precisions."""
    planes = 3 if fuser.spec.domain == "rgb" else 1
    images = [torch.full((1, count, *substitutes.SIZE), 0.5, device=device) for count in (planes, 1)]

    def once() -> object:
        with torch.inference_mode():
            fused = core(*images)
            return float(fused.flatten()[0])  # waits for a GPU

    return once


def _torch(source: RuntimeInput) -> Any:
    if source.precision == "fp32":
        return source.core
    return Autocast(source.core, source.device, DTYPES[source.precision])


def _collapsed(source: RuntimeInput) -> Any:
    if source.fuser.method.name not in REWRITERS:
        raise IrvisError(f"{source.fuser.method.name} has no rewritten form; use --runtime torch")
    core = source.rewritten.to(source.device)
    return core if source.precision == "fp32" else Half(core, DTYPES[source.precision])


def _compiled(source: RuntimeInput) -> Any:
    core = _collapsed(source) if source.fuser.method.name in REWRITERS else _torch(source)
    core = core if isinstance(core, nn.Module) else _Function(core)
    mode = "max-autotune" if torch.device(source.device).type == "cuda" else None
    return _Compiled(torch.compile(core, mode=mode))


class _Function(nn.Module):
    """A plain function as a module."""

    def __init__(self, core: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.core = core

    def forward(self, visible: Image, infrared: Gray) -> Scaled:
        return self.core(visible, infrared)


class _Compiled(nn.Module):
    """A compiled core; what the compiler says at the first picture is one line."""

    def __init__(self, core: Any) -> None:
        super().__init__()
        self.core = core

    def forward(self, visible: Image, infrared: Gray) -> Scaled:
        from torch._dynamo.exc import BackendCompilerFailed
        from torch._inductor.exc import InductorError

        try:
            fused: Tensor = self.core(visible.clone(), infrared.clone())
        except (BackendCompilerFailed, InductorError) as problem:
            reason = str(problem).strip().split("\n")[0]
            raise IrvisError(
                f"the compiler failed ({reason}); it needs a C++ compiler, or use another runtime"
            ) from None
        return fused.clone()


def _openvino(source: RuntimeInput) -> Any:
    from .on_openvino import OpenVINOCore

    return OpenVINOCore(source)


def _onnxruntime(source: RuntimeInput) -> Any:
    from .on_onnxruntime import OnnxCore

    return OnnxCore(source)


_MAKERS: dict[str, Callable[[RuntimeInput], Any]] = {
    "torch": _torch,
    "collapsed": _collapsed,
    "compiled": _compiled,
    "openvino": _openvino,
    "onnxruntime": _onnxruntime,
}
