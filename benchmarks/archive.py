"""How the cost of an archive grows: listing, fusing on a local cluster, restarting, manifest and memory.

Pairs are 160×120 synthetic scenes, linked under many names, 500 in a folder. Rows up to --pairs are measured, the
others computed: seconds and bytes per pair of the largest measured row, times the number of pairs.
"""

import os
import shutil
import tempfile
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import ray

from common import arguments, machine, write
from irvis import archive, io, jobs
from irvis.archive import listing
from irvis.data.scene import scene

SCENES, IN_FOLDER = 10, 500
POWERS = range(2, 9)


def main() -> None:
    chosen = arguments(
        __doc__,
        pairs={"type": int, "nargs": "+", "default": [100, 1000, 3000]},
        workers={"type": int, "default": os.cpu_count()},
        listed={"type": int, "default": 100_000},
        method={"default": "encdec:tiny"},
    )
    busy = os.getloadavg()[0]
    ray.init(
        address="local", num_cpus=chosen.workers, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        originals = drawn(Path(name) / "scenes")
        measured(linked(originals, Path(name) / "warm", 20), 20, chosen)  # what is imported once
        for count in chosen.pairs:
            rows.append(measured(linked(originals, Path(name) / str(count), count), count, chosen))
        many = linked(originals, Path(name) / "many", chosen.listed)
        listed, peak = listing_cost(many, chosen.listed), listing_peak(many)
        flat = linked(originals, Path(name) / "flat", 10_000, in_folder=10_000)
        in_one = listing_peak(flat) / 10_000
        shutil.rmtree(many)
    rows += [computed(10**power, rows[-1], listed) for power in POWERS if 10**power > max(chosen.pairs)]
    note = (
        f"{machine()['cpu']}, {os.cpu_count()} cores, load {busy:.1f} by other work at the start; Ray "
        f"{ray.__version__}, {chosen.workers} workers, {chosen.method}, {IN_FOLDER} pairs in a folder, local disk. The "
        "start (Ray's workers, torch, the model) is in no other column. "
        f"Listing of {chosen.listed} pairs, measured: {listed * 1e6:.0f} µs a pair, at most "
        f"{peak / 1e6:.1f} MB of Python objects; "
        f"one flat folder: {in_one:.0f} bytes a pair. Computed rows: what the largest measured row costs a pair, times "
        "the pairs; listing by what a pair costs in the listing measured alone."
    )
    write("archive", rows, "Cost of an archive by its number of pairs", note)


def measured(root: Path, count: int, chosen: Any) -> dict[str, Any]:
    """One archive fused, then once more with nothing to do."""
    out = root / "out"
    plan = archive.Plan(out=str(out), method=chosen.method, reading=jobs.Reading(), writing=jobs.Writing(out=Path()))
    of = archive.source(str(root / "visible"), str(root / "infrared"))
    before, begun, times = memory(), perf_counter(), []
    report = archive.fuse_archive(
        of, plan, workers=chosen.workers, show=lambda so_far: times.append((perf_counter(), so_far.fused))
    )
    grown = memory() - before
    (first, some), (last, everything) = times[0], times[-1]
    assert report.fused == everything == count, report
    parts = list((out / ".irvis").rglob("*.jsonl"))
    again = replace(plan, writing=replace(plan.writing, if_exists="skip"))
    return {
        "pairs": count, "how": "measured", "listing s": listing_cost(root, count) * count,
        "fusing s": (last - first) * count / (everything - some), "pairs/s": (everything - some) / (last - first),
        "restart s": restart_cost(of, again), "manifest MB": sum(part.stat().st_size for part in parts) / 1e6,
        "parts": len(parts), "driver MB more": grown / 1e6, "start s": first - begun,
    }  # fmt: skip


def computed(count: int, like: dict[str, Any], listed: float) -> dict[str, Any]:
    """The same costs a pair; parts hold 256 pairs once the ramp is over."""
    times = count / like["pairs"]
    return {
        "pairs": count, "how": "computed", "listing s": listed * count, "fusing s": like["fusing s"] * times,
        "pairs/s": like["pairs/s"], "restart s": like["restart s"] * times,
        "manifest MB": like["manifest MB"] * times, "parts": "", "driver MB more": "", "start s": like["start s"],
    }  # fmt: skip


def drawn(folder: Path) -> list[tuple[Path, Path]]:
    """Scenes as files."""
    files = []
    for number in range(SCENES):
        pair = scene(number, (120, 160)).tensors()
        paths = folder / f"{number}_visible.png", folder / f"{number}_infrared.png"
        for path, image in zip(paths, pair, strict=True):
            io.write(path, image.float())
        files.append(paths)
    return files


def linked(originals: Sequence[tuple[Path, Path]], root: Path, count: int, in_folder: int = IN_FOLDER) -> Path:
    """So many pairs under names of their own."""
    for number in range(count):
        for side, original in zip(("visible", "infrared"), originals[number % len(originals)], strict=True):
            link = root / side / f"{number // in_folder:04d}" / f"{number:08d}.png"
            if number % in_folder == 0:
                link.parent.mkdir(parents=True)
            os.link(original, link)
    return root


def listing_cost(root: Path, count: int) -> float:
    """Seconds a pair."""
    begun = perf_counter()
    of = archive.source(str(root / "visible"), str(root / "infrared"))
    assert sum(len(folder.matches.pairs) for folder in listing.folders(of)) == count
    return (perf_counter() - begun) / count


def listing_peak(root: Path) -> int:
    """Bytes of Python objects that a listing holds at once."""
    of = archive.source(str(root / "visible"), str(root / "infrared"))
    tracemalloc.start()
    sum(len(folder.matches.pairs) for folder in listing.folders(of))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def restart_cost(of: archive.Source, plan: archive.Plan) -> float:
    """Seconds until the driver knows that nothing is missing; no worker is needed for it."""
    begun, report = perf_counter(), archive.Report()
    assert not list(islice(archive.missing(of, plan, report, archive.opened(plan)), 1))
    return perf_counter() - begun


def memory() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
