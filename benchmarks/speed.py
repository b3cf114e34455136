"""Seconds and memory of each method on one 640×480 colour pair: the whole Fuser, torch eager.

Every method runs in a process of its own: 3 warm-up runs, then the median of the rest. Memory is the process's peak
resident size minus its size just before the first run.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from common import RESULTS, arguments, every_method, write
from irvis import api

SIZE, WARM, RUNS = (480, 640), 3, 15


def main() -> None:
    chosen = arguments(__doc__, one={"help": "measure this method only and print JSON"})
    if chosen.one:
        print(json.dumps(measure(chosen.one)))
        return
    rows = []
    for name in every_method():
        words = [sys.executable, __file__, "--one", name, "--threads", str(chosen.threads)]
        rows.append(json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout))
        rows[-1] |= _quality(name)
    write("speed", rows, "Speed at 640×480 on the CPU, torch eager, float32")


@torch.inference_mode()
def measure(name: str) -> dict[str, object]:
    """Median seconds, frames per second and peak memory of one method."""
    generator = torch.Generator().manual_seed(0)
    visible, infrared = (
        torch.rand(1, 3, *SIZE, generator=generator),
        torch.rand(1, 1, *SIZE, generator=generator),
    )
    fuser = api.fuser(name)
    before = resident()
    times = []
    for _ in range(WARM + RUNS):
        begun = perf_counter()
        fuser(visible, infrared)
        times.append(perf_counter() - begun)
    middle = median(times[WARM:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    parameters = sum(p.numel() for p in fuser.parameters())
    return {
        "method": name,
        "parameters": f"{parameters:,}",
        "ms": middle * 1000,
        "fps": 1 / middle,
        "memory MiB": round(peak),
    }


def resident() -> float:
    """What this process holds in memory now, MiB."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _quality(name: str) -> dict[str, float]:
    """Qw on TNO21 as `quality.py` measured it last: no speed without its quality."""
    file = RESULTS / "quality.json"
    rows = json.loads(file.read_text())["rows"] if file.is_file() else []
    found = [row["TNO21 Qw"] for row in rows if row["method"] == name]
    return {"Qw on TNO21": found[0]} if found else {}


if __name__ == "__main__":
    main()
