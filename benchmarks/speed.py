"""Frames per second at 640×480 on the CPU: every method, and the networks in every runtime and precision.

The rows take turns as in `irvis bench`: a process each, several rounds, so that a busy moment falls on none alone.
No speed without its quality: Qw on TNO21 of the very runtime, and how far its pictures are from the trained network's.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

from common import HERE, RESULTS, arguments, every_method, write
from irvis import api, io
from irvis.bench.rounds import Result, gather, turns
from irvis.bench.rows import OWN, Row
from irvis.data.matching import match
from irvis.losses import qw_index

PUBLISHED = str(HERE / "published.py")
CUT = 0.1
"""The error that the rank-reduced rows allow."""
RUNTIMES = (
    ("torch", "bf16"), ("collapsed", "fp32"), ("collapsed", "bf16"), ("compiled", "fp32"), ("compiled", "bf16"),
    ("onnxruntime", "fp32"), ("onnxruntime", "int8"), ("openvino", "fp32"), ("openvino", "bf16"), ("openvino", "int8"),
)  # fmt: skip
NETWORKS = ("encdec:tiny", "encdec:default")
PAPER = (
    ("torch", "bf16", 0.0), ("onnxruntime", "fp32", 0.0), ("openvino", "fp32", 0.0), ("openvino", "bf16", 0.0),
    ("collapsed", "fp32", CUT), ("openvino", "fp32", CUT), ("openvino", "bf16", CUT),
)  # fmt: skip
"""The rewritten linear network in torch takes a minute to make in every process; in other runtimes it is kept."""


@dataclass(frozen=True)
class Quality:
    """On all TNO21 pairs, as 8-bit files hold them."""

    qw: float
    mean: float = 0.0
    """Absolute difference from the trained network's pictures, gray levels."""
    worst: float = 0.0
    psnr: float = float("inf")


def main() -> None:
    options = {"runs": {"type": int, "default": 24}, "rounds": {"type": int, "default": 4}}
    chosen = arguments(__doc__, **options)
    planned = rows(chosen.threads)
    results = gather(planned, list(turns(planned, chosen.runs, chosen.rounds)))
    for result in results:
        if result.problem:
            print(f"{result.name} {result.row.runtime} {result.row.precision}: {result.problem}")
    ran = [result for result in results if not result.problem]
    first = next(result for result in ran if result.row.file)
    table = [line(result, first, judged(result.row, chosen.data)) for result in ran]
    note = (
        f"One pair at a time, the whole fuser with colour; {len(ran[0].seconds)} calls in {chosen.rounds} rounds, a "
        'process each; fps from the median. "times": how many frames in the time of one of the published graph (the '
        "first row): median, least and most of the rounds. MiB: peak memory beyond what the process held before. "
        '"off": gray levels between its pictures of TNO21 and those of the trained network in fp32 torch, mean / '
        f"greatest. An error of {CUT} is what the rank-reduced rows allow for any pictures at all."
        " On a GPU: not measured, none was at hand; `irvis bench --device cuda` does."
    )
    write("speed", table, "Speed at 640×480 on the CPU", note)


def rows(threads: int) -> list[Row]:
    """The published graph first, every method in torch, the networks in every other way."""
    base = {"width": 640, "height": 480, "threads": threads}
    found = [Row(method="published", runtime=OWN, precision=OWN, file=PUBLISHED, **base)]
    found += [Row(method=name, **base) for name in every_method()]
    for name in NETWORKS:
        found += [Row(method=name, runtime=runtime, precision=precision, **base) for runtime, precision in RUNTIMES]
    for runtime, precision, error in PAPER:
        found.append(Row(method="encdec:paper", runtime=runtime, precision=precision, error=error, **base))
    return found


def line(result: Result, first: Result, quality: Quality | None) -> dict[str, Any]:
    """A row of the table."""
    row, times = result.row, result.ratios(first)
    found = {
        "method": result.name,
        "runtime": "torch" if row.file else row.runtime + (f", error {row.error}" if row.error else ""),
        "precision": "fp32" if row.file else row.precision,
        "ms": 1e3 * result.median, "p95": 1e3 * result.p95, "fps": f"{result.rate:.1f}",
        "times": f"{median(times):.1f} ({min(times):.1f}–{max(times):.1f})", "MiB": round(result.memory / 2**20),
    }  # fmt: skip
    if quality is not None:
        off = f"{quality.mean:.2f} / {quality.worst:.0f}" if quality.worst else ""
        found |= {"Qw on TNO21": quality.qw, "off": off, "PSNR": f"{quality.psnr:.1f}" if quality.worst else ""}
    return found


def judged(row: Row, data: Path) -> Quality | None:
    """Of a method in torch as `quality.py` measured it last; of other runtimes measured here."""
    if row.file or (row.runtime, row.precision) == ("torch", "fp32"):
        name = "encdec:paper" if row.file else row.method
        file = RESULTS / "quality.json"
        table = json.loads(file.read_text())["rows"] if file.is_file() else []
        return next((Quality(line["TNO21 Qw"]) for line in table if line["method"] == name), None)
    return _measured(row, data)


@torch.inference_mode()
def _measured(row: Row, data: Path) -> Quality:
    plain, other = api.fuser(row.method), api.fuser(row.method, "cpu", row.runtime, row.precision, row.error)
    scores, differences = [], []
    for files in match(data / "test" / "TNO21" / "vi", data / "test" / "TNO21" / "ir").pairs:
        pair = io.read_pair(files.visible, files.infrared)
        truth, fused = ((one(pair.visible, pair.infrared) * 255).round() for one in (plain, other))
        scores.append(qw_index(fused / 255, pair.visible, pair.infrared).item())
        differences.append((fused - truth).double().flatten())
    print(row.method, row.runtime, row.precision, row.error, sum(scores) / len(scores), flush=True)
    return quality_of(scores, torch.cat(differences))


def quality_of(scores: Sequence[float], differences: torch.Tensor) -> Quality:
    """The mean score, and what the differences of all pixels come to."""
    noise = differences.square().mean().clamp_min(1e-12)
    return Quality(
        sum(scores) / len(scores), differences.abs().mean().item(), differences.abs().max().item(),
        (10 * torch.log10(255**2 / noise)).item(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
