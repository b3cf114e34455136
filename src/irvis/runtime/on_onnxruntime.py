"""Cores in ONNX Runtime, on the CPU or a CUDA device."""

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import IrvisError
from ..types import Gray, Image, Scaled
from .graphs import graph_of, kept, least
from .source import RuntimeInput


class OnnxCore(nn.Module):
    """A core that ONNX Runtime runs in fp32 or int8; takes and gives float32.

    Pictures smaller than `smallest` go through the original core.
    """

    def __init__(self, source: RuntimeInput) -> None:
        super().__init__()
        if source.precision not in ("fp32", "int8"):
            raise IrvisError(f"runtime onnxruntime has fp32 and int8, not {source.precision}")
        self.providers = _providers(source.device)
        self.original, self.smallest = source.core, least(source)
        if source.precision == "int8":
            self.session = kept(source, ".int8.onnx", lambda path: _quantised(source, path), self._session)
        else:
            self.session = graph_of(source, self._session)

    def forward(self, visible: Image, infrared: Gray) -> Scaled:
        if min(visible.shape[2:]) < self.smallest:
            return self.original(visible, infrared)
        planes = {"visible": visible, "infrared": infrared}
        arrays = {name: plane.detach().cpu().float().numpy() for name, plane in planes.items()}
        return torch.from_numpy(np.array(self.session.run(None, arrays)[0])).to(visible)

    def _session(self, path: Path) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(path), options, providers=self.providers)


def _providers(device: str) -> list[str]:
    import onnxruntime

    kind = torch.device(device).type
    wanted = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}.get(kind)
    if wanted is None or wanted not in onnxruntime.get_available_providers():
        raise IrvisError(f"this onnxruntime has nothing for {device!r}; for CUDA: pip install onnxruntime-gpu")
    return [wanted]


def _quantised(source: RuntimeInput, path: Path) -> None:
    """Weights and features in 8 bits by the ranges that the pairs show (post-training quantisation)."""
    from onnxruntime.quantization import CalibrationDataReader, quant_pre_process, quantize_static

    class Pairs(CalibrationDataReader):  # type: ignore[misc]
        """The pairs, one after another, as the quantiser asks for them."""

        def __init__(self) -> None:
            self.rest: Iterator[Any] = iter(source.pairs())

        def get_next(self) -> dict[str, Any] | None:
            pair = next(self.rest, None)
            return dict(zip(("visible", "infrared"), (plane.numpy() for plane in pair), strict=True)) if pair else None

    logging.getLogger().setLevel(logging.ERROR)
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "graph.onnx"
        graph_of(source, lambda graph: quant_pre_process(graph, prepared, skip_symbolic_shape=True))
        quantize_static(prepared, path, Pairs(), per_channel=True)
