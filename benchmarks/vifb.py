"""The profile `vifb` against the values that the benchmark's authors published: every pair, method and metric.

Needs the folder of reference numbers (--golden, or IRVIS_GOLDEN) beside the real pairs.
"""

import csv
import math
import os
from collections import defaultdict
from pathlib import Path

from common import HERE, arguments, write
from irvis import io
from irvis.metrics import measure, sharing

NAMES = {
    "Cross_entropy": "CE", "Entropy": "EN", "Mutinf": "MI", "Psnr": "PSNR", "Avg_gradient": "AG",
    "Edge_intensity": "EI", "Qabf": "Qabf", "Variance": "SD", "Spatial_frequency": "SF", "Rmse": "RMSE",
    "Ssim": "SSIM", "Qcb": "Q_CB", "Qcv": "Q_CV",
}  # fmt: skip


def main() -> None:
    default = Path(os.environ.get("IRVIS_GOLDEN", HERE.parents[1] / "shared" / "golden"))
    chosen = arguments(__doc__, golden={"type": Path, "default": default})
    published: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    with (chosen.golden / "vifb_published.csv").open() as file:
        for row in csv.DictReader(file):
            published[row["pair"]][row["method"]][NAMES[row["metric"]]] = row["value"]
    worst: dict[str, float] = dict.fromkeys(NAMES.values(), 0.0)
    counts, missed = dict.fromkeys(NAMES.values(), 0), dict.fromkeys(NAMES.values(), 0)
    for pair, methods in published.items():
        sources = [io.read_visible(chosen.data / "test" / "VIFB" / side / f"{pair}.jpg")[0] for side in ("vi", "ir")]
        with sharing() as memory:
            for method, values in methods.items():
                fused = io.read_visible(chosen.data / "peers" / "VIFB" / method / f"{pair}.jpg")[0]
                got = measure(fused, *sources, profile="vifb", metrics=list(values))
                memory.forget(fused)
                for name, printed in values.items():
                    off = in_last_digit(got[name].item(), printed)
                    worst[name], counts[name] = max(worst[name], off), counts[name] + 1
                    missed[name] += off > 1
        print(pair, flush=True)
    rows = [{"metric": n, "values": counts[n], "differ": missed[n], "worst, last digits": worst[n]} for n in worst]
    note = "A value differs when it is more than one unit of the last printed digit away; half a unit is rounding."
    write("vifb", rows, "VIFB's published values, reproduced", note)


def in_last_digit(value: float, printed: str) -> float:
    """How far a value is from the printed one, in units of the last of its five significant digits."""
    whole = float(printed)
    unit = 10.0 ** (math.floor(math.log10(abs(whole))) - 4)
    return abs(value - whole) / unit


if __name__ == "__main__":
    main()
