"""Seconds for whole folders of real pairs: files in, fused PNG files out, against what the machine allows.

decode, fuse, encode: that stage alone over the folder, on all cores. work: processor seconds of the three together,
divided by the cores. bound: the largest of these four, which no order of the work can beat. whole: `jobs.fuse_all`, the
inside of `irvis fuse`. in turn: pair after pair, each read, fused with all cores, written. command: `irvis fuse` in a
process of its own, start-up and loading of the weights included. Each is the median of several rounds; a round measures
all of them, one after the other, so that another load on the machine meets them alike.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from shutil import rmtree
from statistics import median
from time import perf_counter, process_time

import torch

from common import Rows, arguments, markdown
from irvis import creation, io, jobs
from irvis.data.matching import match
from irvis.fuser import Fuser

SETS, METHODS = ("MSRS27", "TNO21", "LLVIP15"), ("average", "encdec:tiny", "encdec")
STAGES = ("decode", "fuse", "encode")


def main() -> None:
    chosen = arguments(
        __doc__,
        sets={"default": ",".join(SETS), "help": "by commas"},
        methods={"default": ",".join(METHODS), "help": "by commas"},
        runs={"type": int, "default": 5, "help": "rounds"},
        pairs={"type": int, "help": "only the first so many of each set: prints and keeps nothing"},
    )
    sets, methods = chosen.sets.split(","), chosen.methods.split(",")
    if chosen.pairs:
        print(markdown([row_of(name, method, chosen) for name in sets for method in methods]))
        return
    rows = Rows("folder", chosen)
    for name, method in product(sets, methods):
        make = partial(row_of, name, method, chosen)
        rows.add({"set": name, "method": method}, make, [method])
    note = (
        "decode, fuse, encode: that stage alone on all cores; work: their processor seconds over the cores; bound: the "
        "largest of these; whole: the three stages overlapping, as in `irvis fuse`; whole / bound: 1 is perfect; in "
        "turn: pair after pair without overlap; command: the `irvis fuse` process, start-up included. Seconds per "
        "folder, medians. The files lie in the system's cache: a slow disk is not measured."
    )
    rows.write(f"Whole folders on {chosen.threads} cores, float32", note)


@dataclass
class Taken:
    """Seconds of one round."""

    wall: dict[str, float] = field(default_factory=dict)
    work: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, what: str) -> Iterator[None]:
        begun = perf_counter(), process_time()
        yield
        self.wall[what], self.work[what] = perf_counter() - begun[0], process_time() - begun[1]


def row_of(name: str, method: str, chosen) -> dict[str, object]:
    """One set and method."""
    folder = chosen.data / "test" / name
    pairs = match(folder).pairs[: chosen.pairs]
    read = io.read_pair(pairs[0].visible, pairs[0].infrared)
    fuser = creation.fuser(method)
    with torch.inference_mode():
        fuser(read.visible, read.infrared)
    rounds = [one_round(pairs, fuser, chosen.threads) for _ in range(chosen.runs)]
    bounds = [bound(taken, chosen.threads) for taken in rounds]
    seconds = {what: median(taken.wall[what] for taken in rounds) for what in (*STAGES, "whole", "in turn")}
    return {
        "set": name,
        "size": "×".join(map(str, read.visible.shape[:1:-1])),
        "pairs": len(pairs),
        "method": method,
        **{stage: seconds[stage] for stage in STAGES},
        "work": median(work(taken, chosen.threads) for taken in rounds),
        "bound": median(bounds),
        "whole": seconds["whole"],
        "whole / bound": median(taken.wall["whole"] / one for taken, one in zip(rounds, bounds, strict=True)),
        "in turn": seconds["in turn"],
        "in turn / whole": median(taken.wall["in turn"] / taken.wall["whole"] for taken in rounds),
        "pairs a second": len(pairs) / seconds["whole"],
        "command": command(folder, method, chosen.threads) if not chosen.pairs else "",
    }


def work(taken: Taken, cores: int) -> float:
    """Seconds that the processor needs when all cores are busy all the time."""
    return sum(taken.work[stage] for stage in STAGES) / cores


def bound(taken: Taken, cores: int) -> float:
    """What the whole cannot beat."""
    return max(work(taken, cores), *(taken.wall[stage] for stage in STAGES))


@torch.inference_mode()
def one_round(pairs: Sequence, fuser: Fuser, cores: int) -> Taken:
    """Every stage alone, the whole, and pair after pair."""
    taken = Taken()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        writing = jobs.Writing(out=out, if_exists="overwrite")
        with taken.time("decode"):
            read = on_all_cores(lambda pair: io.read_pair(pair.visible, pair.infrared, name=pair.name), pairs, cores)
        with taken.time("fuse"):
            fused = on_all_cores(lambda pair: fuser(pair.visible, pair.infrared), read, cores)
        with taken.time("encode"):
            on_all_cores(lambda both: save(out, *both, writing), list(zip(read, fused, strict=True)), cores)
        read = fused = []
        for what, run in (("whole", overlapping), ("in turn", in_turn)):
            rmtree(out)
            with taken.time(what):
                run(pairs, fuser, writing)
            assert len(list(out.rglob("*.png"))) == len(pairs)
    return taken


def on_all_cores(do: Callable, items: Sequence, cores: int) -> list:
    """One item a core: no threads meet inside an item."""
    threads = torch.get_num_threads()
    inference = torch.inference_mode()(do)
    with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        made = list(pool.map(inference, items))
    torch.set_num_threads(threads)
    return made


def save(out: Path, pair, fused: torch.Tensor, writing: jobs.Writing) -> None:
    jobs.write(out / f"{pair.name}.png", fused, pair.meta, writing)


def overlapping(pairs: Sequence, fuser: Fuser, writing: jobs.Writing) -> None:
    done = list(jobs.fuse_all(pairs, {"one": fuser}, jobs.Reading(), writing))
    assert not any(one.problem for one in done)


def in_turn(pairs: Sequence, fuser: Fuser, writing: jobs.Writing) -> None:
    for pair in pairs:
        read = io.read_pair(pair.visible, pair.infrared, name=pair.name)
        save(writing.out, read, fuser(read.visible, read.infrared), writing)


def command(folder: Path, method: str, cores: int) -> float:
    """Seconds of the command line, the third of three."""
    for _ in range(3):
        with tempfile.TemporaryDirectory() as out:
            words = [sys.executable, "-m", "irvis.cli", "fuse", str(folder), "-o", f"{out}/fused", "-m", method]
            begun = perf_counter()
            subprocess.run(words, env={**os.environ, "OMP_NUM_THREADS": str(cores)}, check=True, capture_output=True)
            seconds = perf_counter() - begun
    return seconds


if __name__ == "__main__":
    main()
