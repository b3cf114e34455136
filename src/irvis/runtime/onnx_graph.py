"""Any module or function of images as an ONNX graph whose batch, height and width are free."""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from jaxtyping import config as annotations
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import IrvisError

AXES = {0: "batch", 2: "height", 3: "width"}
"""The axes that stay free, and their names in the file."""
LARGEST = 2**31 - 2**20
"""Bytes of weights that one ONNX file holds: protobuf's limit, less some room for the graph."""


def onnx_of(
    module: nn.Module | Callable[..., Tensor],
    images: Sequence[Tensor],
    *,
    inputs: Sequence[str] = ("visible", "infrared"),
    output: str = "fused",
) -> bytes:
    """The serialised ONNX model of `module`, which takes images (b, c, h, w) of one batch and size and gives one.

    Parameters
    ----------
    images: what it is traced with, a batch of two or more. Where code takes a way of its own for some sizes, the graph
        takes the way of these images for all: compare it with the module at other sizes before use.
    inputs, output: names in the graph.

    Raises
    ------
    IrvisError: it cannot be expressed for all sizes, it holds more than an ONNX file can, or a library is missing.
    """
    need("onnx", "onnx", "onnxscript")
    traced = _Traced(module).eval()
    if sum(weight.nbytes for weight in traced.state_dict().values()) > LARGEST:
        raise IrvisError("an ONNX file holds 2 GB, and this network is larger")
    free = dict.fromkeys(AXES, torch.export.Dim.DYNAMIC)
    try:
        with _quiet(), torch.no_grad():
            with _Expressible():
                program = torch.export.export(
                    traced, tuple(images), dynamic_shapes={"images": (free,) * len(images)}, strict=False
                )
            done = torch.onnx.export(program, verbose=False, input_names=inputs, output_names=[output], dynamo=True)
    except Exception as problem:  # the exporter's errors have no class in common
        raise IrvisError(f"no graph of this serves all sizes: {_reason(problem)}") from problem
    assert done is not None, "without a file name the exporter gives the model"
    return _bare(done.model_proto).SerializeToString()


def need(extra: str, *modules: str) -> None:
    """An IrvisError where a library of an extra is missing."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise IrvisError(f"this needs {', '.join(missing)}: pip install 'irvis[{extra}]'")


class _Traced(nn.Module):
    """A module or a function of images, which are all of one batch and size."""

    def __init__(self, core: nn.Module | Callable[..., Tensor]) -> None:
        super().__init__()
        self.core = core

    def forward(self, *images: Tensor) -> Tensor:
        for image in images[1:]:
            for axis in AXES:
                torch._check(image.shape[axis] == images[0].shape[axis])
        return self.core(*images)


class _Expressible(TorchFunctionMode):
    """Two operations on sizes that are still open, chunks and remainders, said in terms that ONNX has."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function in (torch.Tensor.chunk, torch.chunk):
            return _chunks(*args, **kwargs)
        if function in (torch.Tensor.remainder, torch.Tensor.__mod__) and isinstance(args[1], torch.SymInt):
            values, size = args
            return values - values.div(torch.scalar_tensor(size, dtype=values.dtype), rounding_mode="floor") * size
        return function(*args, **kwargs)


def _chunks(values: Tensor, count: int, dim: int = 0) -> tuple[Tensor, ...]:
    if isinstance(values.shape[dim], int):
        return values.split(-(-values.shape[dim] // count), dim)
    return values.unflatten(dim, (count, values.shape[dim] // count)).unbind(dim)


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings of the exporter, no checks of annotations."""
    level, unchecked = logging.root.manager.disable, annotations.jaxtyping_disable
    logging.disable(logging.WARNING)
    annotations.update("jaxtyping_disable", True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
        annotations.update("jaxtyping_disable", unchecked)


def _reason(problem: BaseException) -> str:
    """The first line of the innermost cause."""
    while problem.__cause__ is not None:
        problem = problem.__cause__
    return f"{type(problem).__name__}: {str(problem).strip().splitlines()[0] if str(problem).strip() else ''}"[:300]


def _bare(model: Any) -> Any:
    """The model without the exporter's notes (source lines, paths of this machine), its free axes named."""
    graph = model.graph
    for part in (*graph.node, *graph.input, *graph.output, *graph.initializer, graph, *model.functions):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    graph.ClearField("value_info")
    names = {
        axis.dim_param: AXES[n]
        for n, axis in enumerate(graph.input[0].type.tensor_type.shape.dim)
        if n in AXES and axis.dim_param
    }
    for tensor in (*graph.input, *graph.output):
        for axis in tensor.type.tensor_type.shape.dim:
            for old, new in names.items():
                if axis.dim_param:
                    axis.dim_param = axis.dim_param.replace(old, new)
    return model
