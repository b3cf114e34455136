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

from common import HERE, RESULTS, Rows, arguments, every_method
from irvis import creation, io
from irvis.bench.rounds import Result, gather, turns
from irvis.bench.rows import OWN, Row
from irvis.data.matching import match
from irvis.losses import qw_index

NAME = "encdec:paper, published graph"
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
    table, planned = Rows("speed", chosen), {tuple(key_of(row).values()): row for row in rows(chosen.threads)}
    keys = [key_of(row) for row in planned.values()]
    table.several(
        keys, lambda due: timed([planned[tuple(key.values())] for key in due], chosen), lambda key: uses(key["method"])
    )
    note = (
        f"One pair at a time, the whole fuser with colour; {chosen.runs} calls in {chosen.rounds} rounds, a "
        'process each; fps from the median. "times": how many frames in the time of one of the published graph (the '
        "first row): median, least and most of the rounds. MiB: peak memory beyond what the process held before. "
        '"off": gray levels between its pictures of TNO21 and those of the trained network in fp32 torch, mean / '
        f"greatest. An error of {CUT} is what the rank-reduced rows allow for any pictures at all."
        " On a GPU: not measured, none was at hand; `irvis bench --device cuda` does."
    )
    table.write("Speed at 640×480 on the CPU", note)


def timed(due: list[Row], chosen) -> list[dict[str, Any]]:
    """Measured in turns with the published graph, whether that is due or not. What does not run has no figures."""
    published = next(row for row in rows(chosen.threads) if row.file)
    planned = [published, *(row for row in due if row != published)]
    results = {one.row: one for one in gather(planned, list(turns(planned, chosen.runs, chosen.rounds)))}
    for one in results.values():
        if one.problem:
            print(f"{one.name} {one.row.runtime} {one.row.precision}: {one.problem}")
    first = results[published]
    return [key_of(row) if results[row].problem else line(results[row], first, judged(row, chosen.data)) for row in due]


def key_of(row: Row) -> dict[str, str]:
    """The columns that say what a row of the table is."""
    return {
        "method": NAME if row.file else row.method,
        "runtime": "torch" if row.file else row.runtime + (f", error {row.error}" if row.error else ""),
        "precision": "fp32" if row.file else row.precision,
    }


def uses(method: str) -> list[str]:
    return ["encdec:paper"] if method == NAME else [method]


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
        **key_of(row), "ms": 1e3 * result.median, "p95": 1e3 * result.p95, "fps": f"{result.rate:.1f}",
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
    plain, other = creation.fuser(row.method), creation.fuser(row.method, "cpu", row.runtime, row.precision, row.error)
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
