"""Cores in OpenVINO on the CPU: one graph, compiled for every size that comes."""

import logging
from collections import OrderedDict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from torch import nn

from ..errors import IrvisError
from ..types import Gray, Image, Scaled
from .graphs import graph_of, kept, least
from .source import RuntimeInput

PARTS = "graph.xml", "graph.bin"
KEPT = 12
"""Sizes whose compiled form is kept; a picture in tiles has up to nine."""
CAPABILITY = {"fp32": "FP32", "bf16": "BF16", "fp16": "FP16", "int8": "INT8"}
HINT = {"fp32": "f32", "bf16": "bf16", "fp16": "f16", "int8": "f32"}


class OpenVINOCore(nn.Module):
    """A core that OpenVINO runs, in the precision asked for; takes and gives float32.

    Pictures smaller than `smallest` go through the original core.
    """

    def __init__(self, source: RuntimeInput) -> None:
        super().__init__()
        import openvino

        if torch.device(source.device).type != "cpu":
            raise IrvisError(f"runtime openvino runs on the cpu, not on {source.device!r}")
        self.engine: Any = openvino.Core()
        can = self.engine.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = source.precision
        if CAPABILITY[source.precision] not in can and source.precision in ("bf16", "fp16"):
            logging.getLogger("irvis").warning("this processor has no %s of its own: fp32 is used", source.precision)
            self.precision = "fp32"
        elif CAPABILITY[source.precision] not in can:
            raise IrvisError(f"OpenVINO has no {source.precision} on this processor; it has {', '.join(can).lower()}")
        self.original, self.smallest = source.core, least(source)
        self.graph = self._read(source)
        self.compiled: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def forward(self, visible: Image, infrared: Gray) -> Scaled:
        if min(visible.shape[2:]) < self.smallest:
            return self.original(visible, infrared)
        planes = [plane.detach().float().contiguous().numpy() for plane in (visible, infrared)]
        found = self._compiled(tuple(visible.shape)).infer(planes, share_inputs=True, share_outputs=True)
        return torch.from_numpy(np.array(next(iter(found.values())))).to(visible.dtype)

    def _read(self, source: RuntimeInput) -> Any:
        if source.precision != "int8":
            return graph_of(source, self.engine.read_model)
        return kept(source, ".int8.zip", lambda path: self._quantised(source, path), self._unpacked)

    def _quantised(self, source: RuntimeInput, path: Path) -> None:
        """Weights and features in 8 bits by the ranges that the pairs show (post-training quantisation)."""
        try:
            import nncf
            import openvino
        except ImportError as missing:
            raise IrvisError("int8 in OpenVINO needs: pip install 'irvis[openvino]'") from missing
        pairs = [tuple(plane.numpy() for plane in pair) for pair in source.pairs()]
        nncf.set_log_level(logging.ERROR)
        graph = nncf.quantize(
            graph_of(source, self.engine.read_model),
            nncf.Dataset(pairs),
            subset_size=len(pairs),
            preset=nncf.QuantizationPreset.MIXED,
        )
        with TemporaryDirectory() as folder, ZipFile(path, "w") as both:
            openvino.save_model(graph, Path(folder) / "graph.xml", compress_to_fp16=False)
            for part in PARTS:
                both.write(Path(folder) / part, part)

    def _unpacked(self, path: Path) -> Any:
        with ZipFile(path) as both:
            return self.engine.read_model(*(both.read(part) for part in PARTS))

    def _compiled(self, shape: tuple[int, ...]) -> Any:
        """What runs this size; the sizes used last are kept."""
        if shape not in self.compiled:
            graph = self.graph.clone()
            graph.reshape({0: list(shape), 1: [shape[0], 1, *shape[2:]]})
            facts = {
                "INFERENCE_PRECISION_HINT": HINT[self.precision],
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
                "PERFORMANCE_HINT": "LATENCY",
            }
            self.compiled[shape] = self.engine.compile_model(graph, "CPU", facts).create_infer_request()
            if len(self.compiled) > KEPT:
                self.compiled.popitem(last=False)
        self.compiled.move_to_end(shape)
        return self.compiled[shape]
