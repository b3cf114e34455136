"""A fusion as one file for other programs: RGB and infrared in, RGB out, for any batch, height and width.

Colour, padding, core and range are inside; tiles never are. No file is kept that does not give the fuser's pictures.
"""

import copy
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from .. import __version__, files
from .. import weights as checkpoints
from ..errors import IrvisError
from ..fuser import Fuser
from ..spec import Method
from . import parity
from .collapse import REWRITERS
from .onnx_graph import need, onnx_of

Kind = Literal["onnx", "openvino"]
Weight = Literal["fp32", "fp16"]

SUFFIXES: Mapping[str, str] = {"onnx": ".onnx", "openvino": ".xml"}
TOLERANCE: Mapping[str, float] = {"fp32": 1e-4, "fp16": 1 / 255}
"""The greatest difference from the fuser, in [0, 1], with which a file is kept."""
TRACED = (2, 131, 163)
"""Batch, height and width of the pair that a graph is made with: every core that can be padded is padded here."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "openvino": ("openvino", "onnx", "onnxscript"),
}
"""The libraries that make a file and run it."""


def export(
    fuser: Fuser,
    path: Path,
    kind: Kind,
    *,
    precision: Weight = "fp32",
    facts: Mapping[str, str] | None = None,
    truth: Fuser | None = None,
) -> parity.Report:
    """Write `fuser` as a graph of `visible` (b, 3, h, w) and `infrared` (b, 1, h, w) to `fused`, all in [0, 1].

    Parameters
    ----------
    path: ends in .onnx; for OpenVINO in .xml, and the weights lie beside it in .bin.
    precision: of the weights in the file; "fp16" is for OpenVINO. Images are float32.
    facts: go into the file's metadata, beside the method, its options, irvis' version and the least side it takes.
    truth: what the file is compared with, where the core of `fuser` was rewritten; None = `fuser` itself.

    Returns
    -------
    The comparison. Where it is not `within` its tolerance, there is no file.

    Raises
    ------
    IrvisError: no one graph can express the method, or a library is missing.
    """
    refuse(fuser, path, kind, precision)
    truth = whole(truth or fuser)
    try:
        model = onnx_of(Graph(fuser), parity.pair(*TRACED))
    except IrvisError as problem:
        raise IrvisError(f"{fuser.method.name}: {problem}") from problem
    write, run, told = _WRITERS[kind], _RUNTIMES[kind], {**_described(fuser, precision), **(facts or {})}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".irvis-") as folder:
        unfinished = Path(folder) / path.name
        write(model, unfinished, precision, told)
        told["smallest"] = str(parity.smallest(partial(run, unfinished), truth, TOLERANCE[precision]))
        write(model, unfinished, precision, told)
        report = parity.compare(run(unfinished), kind, truth, int(told["smallest"]), TOLERANCE[precision])
        for file in sorted(Path(folder).iterdir()) if report.within else ():
            file.replace(path.parent / file.name)  # .bin before .xml: who sees the second finds both
    return report


def refuse(fuser: Fuser, path: Path, kind: Kind, precision: Weight) -> None:
    """An IrvisError for what has no graph of any size, and for names that do not fit."""
    name = fuser.method.name
    if fuser.spec.window is not None:
        raise IrvisError(f"{name} is fused in tiles of {fuser.spec.window} pixels; a graph holds no tiles")
    if fuser.options.get("fit") == "resize":
        raise IrvisError(f"{name}:fit=resize squashes pictures in steps of 8 bits; export fit=any")
    if fuser.options.get("enhance"):
        raise IrvisError(f"{name}:enhance=true blurs by a share of the picture's size, which no graph can")
    if precision == "fp16" and kind != "openvino":
        raise IrvisError("--precision fp16 is for --to openvino")
    if path.suffix != SUFFIXES[kind]:
        raise IrvisError(f"{path}: a file for {kind} ends in {SUFFIXES[kind]}")
    for file in (path, path.with_suffix(".bin")) if kind == "openvino" else (path,):
        if file.exists():
            raise IrvisError(f"{file} exists; choose another --out")
    need("onnx" if kind == "onnx" else "openvino", *NEEDED[kind])


class Graph(nn.Module):
    """What is exported of a fuser: all but tiles and checks of shapes."""

    def __init__(self, fuser: Fuser) -> None:
        super().__init__()
        self.fuser = whole(fuser)

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        return self.fuser._in_domain(visible, infrared).clamp(0, 1)


def whole(fuser: Fuser) -> Fuser:
    """A copy that never tiles, on the CPU in single precision."""
    fuser = copy.deepcopy(fuser).to("cpu", torch.float32).eval()
    fuser.spec, fuser.tile = replace(fuser.spec, budget=None), None
    return fuser


def rewritten(fuser: Fuser) -> Fuser:
    """The fuser with its core rewritten for inference (within 1e-5), where its method knows how."""
    rewrite = REWRITERS.get(fuser.method.name)
    if rewrite is None:
        return fuser
    other = copy.deepcopy(fuser)
    other.core = rewrite(fuser.core, 0.0)
    return other


def provenance(method: Method, weights: str) -> dict[str, str]:
    """Where the weights of a trained method come from: name, sha256, licence. Nothing for a method without."""
    if not method.learnable:
        return {}
    facts = {"weights": Path(weights).name, "licence": "not stated", **checkpoints.facts_of(method, weights)}
    known = method.weights.get(weights)
    return facts | {"sha256": known.sha256 if known else files.digest(checkpoints.file_of(weights))}


def _described(fuser: Fuser, precision: Weight) -> dict[str, str]:
    """What a file says of itself."""
    return {
        "method": fuser.method.name,
        "options": json.dumps(fuser.options),
        "paper": fuser.method.paper,
        "precision": precision,
        "version": __version__,
    }


def _write_onnx(model: bytes, path: Path, precision: Weight, facts: Mapping[str, str]) -> None:
    import onnx

    proto = onnx.load_from_string(model)
    onnx.helper.set_model_props(proto, {f"irvis.{name}": text for name, text in facts.items()})
    path.write_bytes(proto.SerializeToString())


def _write_openvino(model: bytes, path: Path, precision: Weight, facts: Mapping[str, str]) -> None:
    import openvino

    graph: Any = openvino.Core().read_model(model)
    for name, text in facts.items():
        graph.set_rt_info(text, ["irvis", name])
    openvino.save_model(graph, path, compress_to_fp16=precision == "fp16")


_WRITERS: Mapping[str, Callable[[bytes, Path, Weight, Mapping[str, str]], None]] = {
    "onnx": _write_onnx,
    "openvino": _write_openvino,
}
_RUNTIMES: Mapping[str, Callable[[Any], parity.Run]] = {"onnx": parity.in_onnxruntime, "openvino": parity.in_openvino}
