"""Seconds per metric on one 640×480 triple: a synthetic scene and what laplacian makes of it.

Runs of all metrics take turns, so that a busy moment of the machine does not fall on one of them; the median counts.
Making the images and the first run are left out.
"""

import os
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter

import torch
from torch import Tensor

from common import arguments, machine, write
from irvis import create
from irvis.data.scene import scene
from irvis.metrics import METRICS, PROFILES, measure, sharing

INFORMATION = [name for name in METRICS if name.startswith("FMI")]
OTHERS = [name for name in PROFILES["default"].metrics if name not in INFORMATION]
CDDFUSE = f"profile cddfuse ({len(PROFILES['cddfuse'].metrics)})"
DEFAULT = f"profile default but FMI ({len(OTHERS)})"
FMI = f"FMI ({len(INFORMATION)})"
WARM = 1
Triple = tuple[Tensor, Tensor, Tensor]


def main() -> None:
    chosen = arguments(__doc__, runs={"type": int, "default": 7})
    places = {f"s, {n} thread{'s' * (n > 1)}": (n, "cpu") for n in sorted({1, chosen.threads})}
    if torch.cuda.is_available():
        places[f"s, {torch.cuda.get_device_name()}"] = (chosen.threads, "cuda")
    rows: dict[str, dict[str, float]] = {}
    busy = os.getloadavg()[0]
    for column, (threads, device) in places.items():
        torch.set_num_threads(threads)
        for name, seconds in times(chosen.runs, device).items():
            rows.setdefault(name, {})[column] = seconds
    torch.set_num_threads(chosen.threads)
    note = (
        f"{machine()['cpu']}, {os.cpu_count()} cores, load {busy:.1f} by other work at the start. Median of "
        f"{chosen.runs} runs, float32 images, one pair. A metric alone includes what it needs of the sources; in a "
        "profile that is computed once, and the second image of a pair finds it ready (`sharing`)."
    )
    if "OMP_WAIT_POLICY" in os.environ:
        note += f" OMP_WAIT_POLICY={os.environ['OMP_WAIT_POLICY']}."
    write("metrics_speed", [{"metrics": name} | row for name, row in rows.items()], "Speed of the metrics", note)


def times(runs: int, device: str) -> dict[str, float]:
    """Median seconds of everything that is measured, on one device."""
    first, second = triples(device)
    jobs: dict[str, Callable[[], float]] = {}
    sets = {CDDFUSE: ("cddfuse", None), DEFAULT: ("default", OTHERS), FMI: ("default", INFORMATION)}
    for name, (profile, metrics) in sets.items():
        jobs[name] = partial(once, first, profile, metrics)
        jobs[f"{name}, second image of a pair"] = partial(again, first, second, profile, metrics)
    for name in METRICS:
        jobs[name] = partial(once, first, "default", [name])
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(WARM + runs):
        for name, job in jobs.items():
            found[name].append(job())
    return {name: median(seconds[WARM:]) for name, seconds in found.items()}


def once(triple: Triple, profile: str, metrics: list[str] | None) -> float:
    """Seconds for one fused image of a new pair."""
    _wait()
    begun = perf_counter()
    measure(*triple, profile=profile, metrics=metrics)
    _wait()
    return perf_counter() - begun


def again(first: Triple, second: Triple, profile: str, metrics: list[str] | None) -> float:
    """Seconds for the second fused image of a pair, the first forgotten."""
    with sharing() as memory:
        measure(*first, profile=profile, metrics=metrics)
        memory.forget(first[0])
        return once(second, profile, metrics)


def triples(device: str) -> tuple[Triple, Triple]:
    """Two fused images with the sources they share."""
    visible, infrared = (image.float().to(device) for image in scene(0, (480, 640)).tensors())
    with torch.inference_mode():
        fused = [create("laplacian", levels=levels, device=device)(visible, infrared) for levels in (4, 3)]
    return (fused[0], visible, infrared), (fused[1], visible, infrared)


def _wait() -> None:
    """For the graphics card."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
