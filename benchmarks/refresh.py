"""What in docs/ was made with other weights than those shipped now: say it, and make it anew, cheapest first.

    python benchmarks/refresh.py --list        what is out of date, and the seconds each took last
    python benchmarks/refresh.py               make it anew, then the claims and the plots
    python benchmarks/refresh.py --within 20   begin nothing that would end later than in 20 minutes
    python benchmarks/refresh.py --code        also what was made by other code

What is not made anew keeps its rows, and its page says in each of them that it was made with earlier weights. Trainings
of other networks (ablations) use no shipped weights and are never out of date here.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from common import arguments
from figures import FROM_RESULTS, draw
from made import HERE

COMMANDS = {"metrics_spoiled": "explain_metrics", "metrics_profiles": "explain_metrics", "maefuse_speed": "maefuse --speed",
            "video": "video --parts speed", "video_flicker": "video --parts flicker"}  # fmt: skip
"""Files that their script makes only in part, or with another; all others are made by the script of their name."""
TRAINED = ("ablations", "maefuse_ablations", "maefuse_encoders", "fifty")
"""Hours of training: never begun by --code."""


@dataclass(frozen=True)
class Due:
    """One command, the rows that it would make, and the seconds that they took last (None: never timed)."""

    command: str
    rows: Sequence[str]
    seconds: float | None
    figure: bool = False


def main() -> None:
    chosen = arguments(
        __doc__,
        list={"action": "store_true"},
        code={"action": "store_true"},
        within={"type": float, "metavar": "MINUTES"},
    )
    begun, failed = time.perf_counter(), list[str]()
    mark()
    planned = plan(code=chosen.code)
    for one in planned:
        print(told(one), flush=True)
    for one in () if chosen.list else planned:
        over = chosen.within is not None and time.perf_counter() - begun + (one.seconds or 0) > 60 * chosen.within
        if over:
            print(f"left for later: {one.command}", flush=True)
        elif not run(one, chosen):
            failed.append(one.command)
    if not chosen.list:
        mark()
        subprocess.run([sys.executable, "claims.py"], cwd=HERE, check=True, stdout=subprocess.DEVNULL)
        draw(f"learn_plots.py {' '.join(FROM_RESULTS)}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
