"""Seconds of the command line itself: how it starts, and what a whole folder costs."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from ..errors import IrvisError

IRVIS = [sys.executable, "-m", "irvis.cli"]


def startup(times: int = 5) -> list[dict[str, Any]]:
    """Fresh processes: Python alone, `--help`, importing torch, and fusing the embedded pair with the tiny weights."""
    from .. import demo, io

    with TemporaryDirectory() as folder:
        pair, place = demo.embedded()[0], Path(folder)
        visible, infrared, out = (str(place / f"{name}.png") for name in ("visible", "infrared", "fused"))
        io.write(Path(visible), pair.visible)
        io.write(Path(infrared), pair.infrared)
        height, width = pair.visible.shape[-2:]
        again = ["-m", "encdec:tiny", "--if-exists", "overwrite"]
        return _turns(
            {
                "python -c pass": [sys.executable, "-c", "pass"],
                "irvis --help": [*IRVIS, "--help"],
                "python -c 'import torch'": [sys.executable, "-c", "import torch"],
                f"irvis fuse, encdec:tiny, one pair of {width}×{height}": [
                    *IRVIS, "fuse", visible, infrared, "-o", out, *again,
                ],
            },
            times,
        )  # fmt: skip


def folder(methods: Sequence[str], pairs: Path, device: str = "cpu", times: int = 3) -> list[dict[str, Any]]:
    """`irvis fuse` on a folder that holds both, start-up, decoding and encoding included; pairs per second."""
    with TemporaryDirectory() as place:
        again = ["--if-exists", "overwrite"]
        outs = {method: Path(place) / str(n) for n, method in enumerate(methods)}
        commands = {
            f"irvis fuse, {method}": [
                *IRVIS,
                "fuse",
                str(pairs),
                "-o",
                str(out),
                "-m",
                method,
                "--device",
                device,
                *again,
            ]
            for method, out in outs.items()
        }
        rows = _turns(commands, times)
        for row, out in zip(rows, outs.values(), strict=True):
            count = sum(file.is_file() for file in out.rglob("*"))
            row |= {"pairs": count, "pairs_per_second": count / row["seconds"]}
        return rows


def _turns(commands: Mapping[str, Sequence[str]], times: int) -> list[dict[str, Any]]:
    """Median wall and processor seconds of each command; they take turns."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(times):
        for name, words in commands.items():
            found[name].append(_seconds(words))
    return [
        {
            "command": name, "seconds": median(wall for wall, _ in both),
            "processor_seconds": median(busy for _, busy in both), "all_seconds": [wall for wall, _ in both],
        }
        for name, both in found.items()
    ]  # fmt: skip


def _seconds(words: Sequence[str]) -> tuple[float, float]:
    """By the clock, and on all cores together (0 where the system does not say)."""
    before, begun = os.times(), perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    wall, after = perf_counter() - begun, os.times()
    if done.returncode:
        raise IrvisError(f"{' '.join(words[1:])}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, busy
