"""What takes the place of a runtime or precision that this machine lacks, and which precision is fastest here."""

import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import torch

from ..spec import Method, Precision, Runtime
from .collapse import REWRITERS

EXTRAS = {"onnxruntime": "onnx", "openvino": "openvino"}
"""The extra that brings each runtime which torch does not."""
SIZE, ROUNDS = (256, 320), 3
"""Of the picture that the short measurement uses, and how often it is fused."""


def runtime_instead(runtime: Runtime, method: Method) -> tuple[Runtime, str]:
    """The nearest runtime that is installed, and a line that says so; the line is empty where nothing is replaced."""
    if runtime not in EXTRAS or find_spec(runtime) is not None:
        return runtime, ""
    others: list[Runtime] = ["openvino", "onnxruntime"]
    there = [other for other in others if find_spec(other) is not None]
    found: Runtime = there[0] if there else "collapsed" if method.name in REWRITERS else "torch"
    return found, f"{runtime} is not installed (pip install 'irvis[{EXTRAS[runtime]}]'): {found} runs the network"


def precision_instead(precision: Precision, device: str) -> tuple[Precision, str]:
    """fp32 for half precisions that the processor would have to emulate, and a line that says so."""
    if precision not in ("bf16", "fp16") or precision in native(device):
        return precision, ""
    return "fp32", f"this processor has no {precision} of its own and would be slower with it: fp32 is used"


@cache
def native(device: str) -> tuple[Precision, ...]:
    """The precisions that a device computes in itself, best known first."""
    if torch.device(device).type != "cpu":
        return ("fp16", "bf16", "fp32") if torch.device(device).type == "cuda" else ("fp32",)
    flags = _flags()
    found: list[Precision] = []
    if flags & {"amx_bf16", "avx512_bf16", "bf16"}:
        found.append("bf16")
    if flags & {"amx_fp16", "avx512_fp16", "asimdhp"}:
        found.append("fp16")
    return (*found, "fp32")


def _flags() -> set[str]:
    """The instruction sets that Linux lists; nothing where there is no such list."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.is_file() else []
    return {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.partition(":")[2].split()}


def fastest(candidates: Sequence[Precision], run: Callable[[Precision], Callable[[], object]]) -> Precision:
    """The candidate whose median of a few runs is least, after one run to warm up; the only one unmeasured."""
    if len(candidates) == 1:
        return candidates[0]
    return min(candidates, key=lambda precision: _seconds(run(precision)))


def _seconds(once: Callable[[], object]) -> float:
    once()
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        once()
        taken.append(time.perf_counter() - begun)
    return median(taken)
