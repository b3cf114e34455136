"""Cores as ONNX graphs, made once and kept in the user's cache folder for all later runs."""

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import torch

from ..files import cache_folder, whole
from ..imports import digest_of
from .onnx_graph import onnx_of
from .source import RuntimeInput

T = TypeVar("T")

LIBRARIES = ("torch", "onnxscript")
"""What turns a module into a graph."""


def least(source: RuntimeInput) -> int:
    """The smallest side, in pixels, that a graph is used for: rewritten networks have three cells at least."""
    return 3 * max(source.fuser.spec.multiple, 32)


def graph_of(source: RuntimeInput, read: Callable[[Path], T]) -> T:
    """The ONNX graph of the core, rewritten where its method knows how, for any batch, height and width."""
    return kept(source, ".onnx", lambda path: path.write_bytes(_made(source)), read)


def kept(source: RuntimeInput, suffix: str, make: Callable[[Path], object], read: Callable[[Path], T]) -> T:
    """Read a file of the cache folder; make it first where it is not there, and anew where it cannot be read."""
    path = cache_folder() / f"{_name(source, make.__module__)}{suffix}"
    if path.is_file():
        try:
            return read(path)
        except Exception:  # damaged; every runtime has errors of its own for it
            path.unlink(missing_ok=True)
    with whole(path) as unfinished:
        make(unfinished)
    return read(path)


def _made(source: RuntimeInput) -> bytes:
    side = least(source) + source.fuser.spec.multiple
    planes = torch.rand(2, source.planes, side, side + source.fuser.spec.multiple)
    return onnx_of(source.rewritten, (planes, planes[:, :1]))


def _name(source: RuntimeInput, maker: str) -> str:
    """Changes whenever the graph could: with the code of the method and of the maker, options, weights, libraries."""
    digest, method = hashlib.sha256(), source.fuser.method
    code = digest_of(method.build.__module__, maker, __name__)
    facts = [method.name, dict(source.fuser.options), source.error, code, [version(name) for name in LIBRARIES]]
    digest.update(json.dumps(facts, sort_keys=True, default=str).encode())
    state = source.core.state_dict() if method.learnable else {}
    for name, weight in state.items():
        digest.update(name.encode() + weight.detach().cpu().contiguous().numpy().tobytes())
    if source.precision == "int8":  # what the ranges were seen on
        for plane in (plane for pair in source.pairs() for plane in pair):
            digest.update(plane.contiguous().numpy().tobytes())
    return f"{method.name}-{digest.hexdigest()[:24]}"
