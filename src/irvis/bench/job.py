"""One row measured in a process of its own: `python -m irvis.bench.job JSON` prints what it found as JSON."""

import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from runpy import run_path
from typing import Any, get_args

import torch
from torch import Tensor

from .. import creation
from ..errors import IrvisError
from ..runtime.collapse import REWRITERS
from ..spec import Precision, Runtime
from . import memory, work
from .rows import Job, Row

Fuse = Callable[[Tensor, Tensor], object]
WARM = 3
"""Calls before the first that counts."""
SEEN = ("torch", "collapsed")
"""Runtimes whose operations torch can count."""


def main() -> None:
    """Do the job; whatever goes wrong becomes its "problem". Only the last line of the output is the answer."""
    words = json.loads(sys.argv[1])
    job = Job(**words | {"row": Row(**words["row"])})
    memory.offer()
    if job.row.threads is not None:
        torch.set_num_threads(job.row.threads)
    with contextlib.redirect_stdout(sys.stderr):
        answer = _answer(job)
    print(f"\n{json.dumps(answer | {'threads': torch.get_num_threads()})}")


def _answer(job: Job) -> dict[str, Any]:
    try:
        if job.task == "ceiling":
            return {"ceiling": work.ceiling(job.row.precision, job.row.device)}
        return measure(job)
    except IrvisError as problem:
        return {"problem": str(problem)}
    except torch.OutOfMemoryError:
        return {"problem": "out of memory"}
    except Exception as problem:  # a third party's code may raise anything, and so may a runtime
        return {"problem": f"{type(problem).__name__}: {str(problem).strip()}".split("\n")[0]}


def measure(job: Job) -> dict[str, Any]:
    """Seconds of each run, peak memory beyond what was held before the fuser was made; operations and quality."""
    row = job.row
    visible, infrared = images(row)
    before = memory.now(row.device)
    name, fuse = third_party(Path(row.file)) if row.file else (row.method, fuser_of(row))
    memory.forget_peak(row.device)
    with torch.inference_mode():
        for _ in range(WARM):
            work.seconds(fuse, visible, infrared)
        seconds = [work.seconds(fuse, visible, infrared) for _ in range(job.runs)]
        found = {"name": name, "seconds": seconds, "memory": max(memory.peak(row.device) - before, 0)}
        if job.judge:
            found |= {"card": card(row), "demo": demo_quality(fuse, row.device)}
    if job.count:
        found |= operations(row, fuse, visible, infrared)
    return found


def fuser_of(row: Row) -> Fuse:
    """What is timed."""
    if row.runtime not in get_args(Runtime):
        raise IrvisError(f"there is no runtime {row.runtime!r}; there are {', '.join(get_args(Runtime))}")
    if row.precision not in get_args(Precision):
        raise IrvisError(f"there is no precision {row.precision!r}; there are {', '.join(get_args(Precision))}")
    how: dict[str, Any] = {"runtime": row.runtime, "precision": row.precision, "error": row.error}
    return creation.create(row.method, device=row.device, strict=True, **how).with_tiles(row.tile)


def third_party(file: Path) -> tuple[str, Fuse]:
    """The name and the callable that a Python file defines: `NAME` (or the file's) and `fuse(visible, infrared)`."""
    if not file.is_file():
        raise IrvisError(f"{file} is not a file")
    sys.path.insert(0, str(file.parent))
    defined = run_path(str(file))
    if not callable(defined.get("fuse")):
        raise IrvisError(f"{file} defines no fuse(visible, infrared)")
    return str(defined.get("NAME", file.stem)), defined["fuse"]


def images(row: Row) -> tuple[Tensor, Tensor]:
    """Noise in [0, 1]: (batch, 3, height, width) and (batch, 1, height, width), always the same."""
    generator = torch.Generator().manual_seed(0)
    visible, infrared = (torch.rand(row.batch, c, row.height, row.width, generator=generator) for c in (3, 1))
    return visible.to(row.device), infrared.to(row.device)


def operations(row: Row, fuse: Fuse, visible: Tensor, infrared: Tensor) -> dict[str, Any]:
    """Floating-point operations of a batch, and whose they are; no figure where none were seen."""
    counted, whose = (fuse, "as run") if row.file or row.runtime in SEEN else twin(row)
    try:
        number = work.flops(counted, visible, infrared)
    except Exception:
        if not row.file:
            raise
        number = 0  # a third party's code need not bear being watched
    return {"flops": number or None, "counted": whose}


def twin(row: Row) -> tuple[Fuse, str]:
    """In place of a runtime that torch cannot look into: the network that it was made of, in torch."""
    rewritten = creation.parse(row.method)[0] in REWRITERS
    seen, whose = ("collapsed", "rewritten") if rewritten else ("torch", "original")
    return fuser_of(replace(row, runtime=seen, precision="fp32")), whose


def card(row: Row) -> float | None:
    """Qw on TNO21 of the weights, as their card has it; none where an option or an error changes the network."""
    name, weights, options = creation.parse(row.method)
    facts = None if row.file or options or row.error else creation.find(name).weights.get(weights)
    return facts.scores.get("Qw TNO21") if facts else None


def demo_quality(fuse: Fuse, device: str) -> float | None:
    """Qw of the embedded pair fused; none for what is not a picture of its size."""
    from .. import demo
    from ..metrics import measure as judge

    pair = demo.embedded()[0]
    fused = fuse(pair.visible.to(device), pair.infrared.to(device))
    sizes = (pair.visible.shape, pair.infrared.shape)
    if not isinstance(fused, Tensor) or fused.shape not in sizes or not bool(torch.isfinite(fused).all()):
        return None
    picture = fused.float().cpu().clamp(0, 1)
    return float(judge(picture, pair.visible, pair.infrared, metrics=["Qw"])["Qw"])


if __name__ == "__main__":
    main()
