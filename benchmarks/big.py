"""Pairs larger than memory: seconds, peak memory and seams of streamed fusion.

A synthetic scene is mirrored to the asked size and written as tiled TIFF, colour of 8 bits beside infrared of 16. Every
row is fused in a process of its own, whose resident memory is watched from outside; its size just before is taken off.
Methods that see everything are streamed by windows of several sides and compared with the whole picture.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time, sleep
from unittest import mock

import numpy as np
import torch

from common import RESULTS, arguments, write
from irvis import creation, io, streaming
from irvis.budget import parse_memory
from irvis.data.scene import Conditions, scene
from irvis.io import tiled
from irvis.io.encode import _quantise
from irvis.thermal import Range
from irvis.types import Meta

RUNS = (
    ("average", 20_000, "2GB"),
    ("laplacian", 20_000, "2GB"),
    ("encdec:tiny", 8_000, "2GB"),
    ("encdec:tiny", 8_000, "500MB"),
)
SEAMS = (("hybrid-msd", 512), ("hybrid-msd", 1024), ("hmsd-gf", 512), ("hmsd-gf", 1024))
SCENE = 2_000
SPAN = Range(1, 99, "percent")
NOTE = (
    "Peak memory is that of the process less what it held before, and covers the pass for the percentiles of the "
    "16-bit infrared. Seconds are from the call to the finished file; CPU seconds add up all threads, and hardly "
    "grow when other work shares the machine. Seams: difference in levels of 255 between the picture streamed by "
    "windows of that side and the whole one."
)


def main() -> None:
    chosen = arguments(
        __doc__,
        one={"nargs": 3, "metavar": ("METHOD", "FOLDER", "MEMORY"), "help": "fuse this one only and print JSON"},
        folder={"type": Path, "help": "where the big files are made and removed (5 GB)"},
        only={"help": "measure methods of this name only; other rows stay as they are"},
    )
    if chosen.one:
        print(json.dumps(measure(*chosen.one)))
        return
    file = RESULTS / "big.json"
    rows = json.loads(file.read_text())["rows"] if chosen.only and file.is_file() else []
    rows = [row for row in rows if row["method"] != chosen.only]
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        for side in dict.fromkeys(side for _, side, _ in RUNS):
            wanted = [(m, b) for m, s, b in RUNS if s == side and chosen.only in (None, m)]
            if wanted:
                draw(Path(folder), side)
            rows += [watched(method, side, Path(folder), budget, chosen.threads) for method, budget in wanted]
        rows += [seams(method, side, Path(folder)) for method, side in SEAMS if chosen.only in (None, method)]
    write("big", rows, "Pairs larger than memory", NOTE)


def draw(folder: Path, side: int) -> None:
    """visible.tif and infrared.tif of `side` pixels, never held in memory."""
    drawn = scene(0, (SCENE, SCENE), Conditions())
    for name, image, depth in (("visible", drawn.visible, 8), ("infrared", drawn.infrared, 16)):
        one = _quantise(torch.from_numpy(np.atleast_3d(image)).permute(2, 0, 1)[None], depth)
        mirrored = np.concatenate([one, one[:, ::-1]], axis=1)
        wide = np.tile(mirrored, (1, -(-side // mirrored.shape[1]), 1))[:, :side]
        turns = [wide, wide[::-1]]
        rows = (turns[n % 2][: side - n * SCENE] for n in range(-(-side // SCENE)))
        shape = tiled.Shape(height=side, width=side, channels=one.shape[2], dtype=one.dtype)
        tiled.write(folder / f"{name}.tif", rows, shape, Meta())


def watched(method: str, side: int, folder: Path, budget: str, threads: int) -> dict[str, object]:
    """A run in a process of its own, its resident memory read every 5 ms."""
    words = [sys.executable, __file__, "--one", method, str(folder), budget, "--threads", str(threads)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    status, peak = Path(f"/proc/{child.pid}/status"), 0
    while child.poll() is None:
        peak = max([peak, *(int(line.split()[1]) for line in status.read_text().splitlines() if "VmRSS" in line)])
        sleep(0.005)
    assert child.stdout is not None
    told = json.loads(child.stdout.read())
    (folder / "fused.tif").unlink()
    return {
        "method": method,
        "size": f"{side:,}×{side:,}",
        "budget": budget,
        "peak MB": round(max(peak * 1024, told["peak"]) / 1e6 - told["base"] / 1e6),
        "seconds": round(told["seconds"], 1),
        "CPU seconds": round(told["cpu"], 1),
        "window": told["window"],
    }


def measure(method: str, folder: str, memory: str) -> dict[str, object]:
    """One run: seconds, bytes held before and at most (since the probe), the window."""
    files = [Path(folder) / f"{kind}.tif" for kind in ("visible", "infrared", "fused")]
    fuser, plan, windows = creation.fuser(method), streaming.planned, []

    def planned(job: streaming.Job, memory: int) -> tuple[int, int]:
        windows.append(plan(job, memory))
        return windows[-1]

    base, begun, used = resident("VmRSS"), perf_counter(), process_time()
    with mock.patch.object(streaming, "planned", planned):
        streaming.fuse_files(*files, fuser, memory=parse_memory(memory), range=SPAN)
    return {
        "seconds": perf_counter() - begun, "cpu": process_time() - used, "base": base, "peak": resident("VmHWM"),
        "window": "{}×{}".format(*windows[0]),
    }  # fmt: skip


@torch.inference_mode()
def seams(method: str, side: int, folder: Path) -> dict[str, object]:
    """Streamed by windows of `side` against whole, on the scene itself."""
    draw(folder, SCENE)
    files = [folder / f"{kind}.tif" for kind in ("visible", "infrared", "fused")]
    fuser, pair = creation.fuser(method), io.read_pair(files[0], files[1], range=SPAN)
    with mock.patch.object(streaming, "planned", return_value=(side, side)):
        streaming.fuse_files(*files, fuser, memory=10**10, range=SPAN)
    streamed, _ = io.read_visible(files[2])
    off = 255 * (streamed - fuser(pair.visible, pair.infrared)).abs()
    return {
        "method": method, "size": f"{SCENE:,}×{SCENE:,}", "window": f"{side}×{side}",
        "mean seam": float(off.mean()), "largest seam": float(off.max()),
    }  # fmt: skip


def resident(name: str) -> int:
    """Bytes that this process holds (VmRSS) or has held (VmHWM)."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(name))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    main()
