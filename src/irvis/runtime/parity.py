"""Does a file give the fuser's pictures? Compared at sizes and batches that it was not made with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from ..fuser import Fuser
from .onnx_graph import need

Run = Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]
"""Batches of RGB and infrared to the fused ones."""

CHECKED = ((3, 97, 61), (1, 205, 310), (4, 33, 150), (2, 122, 83))
"""Batch, height and width of pairs to compare, beside the smallest one and one that needs no padding."""
ENOUGH = 131
"""A side that every graph must take."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison; differences are absolute, in [0, 1]."""

    batch: int
    height: int
    width: int
    maximum: float
    mean: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """How a file compares with its fuser."""

    runtime: str
    smallest: int
    """Least height and width that the file takes."""
    tolerance: float
    rows: tuple[Row, ...]

    @property
    def within(self) -> bool:
        """Whether no difference exceeds the tolerance; one that is not a number does."""
        return all(row.maximum <= self.tolerance for row in self.rows)


def compare(run: Run, runtime: str, fuser: Fuser, smallest: int, tolerance: float) -> Report:
    """A file, as `run` runs it, against `fuser`."""
    multiple = fuser.spec.multiple
    aligned = (2, -(-64 // multiple) * multiple, -(-96 // multiple) * multiple)
    sizes = [(1, smallest, smallest), *((b, max(h, smallest), max(w, smallest)) for b, h, w in (*CHECKED, aligned))]
    rows = tuple(_row(run, fuser, *size) for size in dict.fromkeys(sizes))
    return Report(runtime=runtime, smallest=smallest, tolerance=tolerance, rows=rows)


def smallest(load: Callable[[], Run], fuser: Fuser, tolerance: float) -> int:
    """The least side from which a file gives the fuser's pictures, by bisection below `ENOUGH`.

    Every trial loads the file anew: in some runtimes a size that a graph cannot take spoils those that follow.
    """

    def right(side: int) -> bool:
        run = load()
        sizes = ((side, side), (ENOUGH, ENOUGH), (side, ENOUGH), (ENOUGH, side))
        return all(_row(run, fuser, 1, *size).maximum <= tolerance for size in sizes)

    if right(1):
        return 1
    low, high = 1, ENOUGH
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if right(middle) else (middle, high)
    return high


def in_onnxruntime(model: bytes | Path) -> Run:
    """A model run by ONNX Runtime on the CPU."""
    need("onnx", "onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # a size that it cannot take is no news
    options.intra_op_num_threads = torch.get_num_threads()
    source = model if isinstance(model, bytes) else str(model)
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    def run(visible: NDArray[Any], infrared: NDArray[Any]) -> NDArray[Any]:
        (fused,) = session.run(["fused"], {"visible": visible, "infrared": infrared})
        return fused

    return run


def in_openvino(model: Any) -> Run:
    """A model, or the path of one, run by OpenVINO on the CPU in single precision."""
    need("openvino", "openvino")
    import openvino

    graph = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(visible: NDArray[Any], infrared: NDArray[Any]) -> NDArray[Any]:
        return graph({"visible": visible, "infrared": infrared})["fused"].copy()

    return run


@torch.no_grad()
def _row(run: Run, fuser: Fuser, batch: int, height: int, width: int) -> Row:
    visible, infrared = pair(batch, height, width)
    wanted = fuser(visible, infrared)
    try:
        found = torch.from_numpy(run(visible.numpy(), infrared.numpy()))
    except Exception:
        found = torch.empty(0)
    away = (found - wanted).abs().double() if found.shape == wanted.shape else torch.tensor(float("inf"))
    return Row(batch=batch, height=height, width=width, maximum=float(away.max()), mean=float(away.mean()))


def pair(batch: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Random pictures with coarse and fine structure, dark and saturated parts, and a gray corner."""
    generator = torch.Generator().manual_seed(1000 * height + width)
    coarse = torch.rand(batch, 4, 5, 6, generator=generator)
    fine = torch.rand(batch, 4, height, width, generator=generator)
    images = (1.4 * interpolate(coarse, size=(height, width), mode="bilinear") + 0.4 * fine - 0.4).clamp(0, 1)
    images[:, :3, : height // 4, : width // 4] = images[:, :1, : height // 4, : width // 4]
    return images[:, :3].contiguous(), images[:, 3:].contiguous()
