"""Reads the encoder of MobileSAM (Zhang et al., arXiv:2306.14289) from an ONNX graph: `TinyViT` up to its third stage.

The graph names its nodes by the modules of the published code. Batch norms are folded into convolutions there, weights
of linear layers are transposed, and the learned distances of each attention are laid out as a constant.
"""

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import IrvisError, said

_NAMES = (
    (r"patch_embed\.seq\.seq\.0\.c", "stem.convolution"),
    (r"patch_embed\.seq\.seq\.2\.c", "patches.convolution"),
    (r"layers\.0\.blocks\.(\d+)\.(conv\d)\.c", r"convolved.\1.\2.convolution"),
    (r"layers\.([01])\.downsample\.(conv\d)\.c", r"merged.\1.\2.convolution"),
    (r"layers\.1\.blocks\.(.*)", r"attended.0.\1"),
    (r"layers\.2\.blocks\.(.*)", r"attended.1.\1"),
)
_PARTS = {
    "conv1": "first", "conv2": "each", "conv3": "last", "attn": "attention", "qkv": "stacked", "proj": "output",
    "local_conv": "near", "c": "convolution", "fc1": "widen", "fc2": "narrow", "mlp": "perceptron",
}  # fmt: skip


def read(file: Path) -> dict[str, Tensor]:
    """The state dict of a `TinyViT`; what lies behind its third stage is left out."""
    try:
        import onnx
    except ImportError as problem:
        raise IrvisError(f"{file}: reading ONNX files needs an extra: pip install onnx") from problem
    try:
        graph = onnx.load(str(file)).graph
        stored = {one.name: _tensor(one) for one in graph.initializer}
    except Exception as problem:  # a damaged file may raise anything
        raise IrvisError(f"{file}: not a readable ONNX file ({said(problem)})") from problem
    found = {name: tensor for name, tensor in stored.items() if name.startswith("layers.")}
    for node in graph.node:
        module = node.name.strip("/").rpartition("/")[0].replace("/", ".")
        inside = [stored[name] for name in node.input if name in stored]
        if node.op_type == "Conv":
            found |= {f"{module}.{part}": tensor for part, tensor in zip(("weight", "bias"), inside, strict=False)}
        elif node.op_type == "MatMul" and inside:
            found[f"{module}.weight"] = inside[0].T.contiguous()
        elif node.op_type == "Constant" and module.endswith(".attn") and len(node.attribute[0].t.dims) == 3:
            found[f"{module}.distances"] = _tensor(node.attribute[0].t)[:, 0].contiguous()
    state = {ours: tensor for name, tensor in found.items() if (ours := _renamed(name))}
    if "stem.convolution.weight" not in state:
        raise IrvisError(f"{file}: holds no encoder of MobileSAM: it has no node patch_embed/seq/seq.0/c/Conv")
    return state


def _renamed(name: str) -> str:
    """Our name of a tensor; empty for what is not read."""
    for theirs, ours in _NAMES:
        renamed, count = re.subn(f"^{theirs}", ours, name)
        if count:
            parts = [_PARTS.get(part, part) for part in renamed.split(".")]
            return ".".join(parts).replace("perceptron.norm", "norm")
    return ""


def _tensor(stored: Any) -> Tensor:
    from onnx import numpy_helper

    return torch.from_numpy(numpy_helper.to_array(stored).copy()).float()
