"""Faults that people name when they look at fused pictures, as numbers, on pictures with known truth.

`irvis.evaluate.faults` says how each is measured.
"""

from functools import partial

import torch

from common import Rows, arguments
from irvis import creation
from irvis.evaluate import faults

METHODS = ("encdec:default", "encdec:tiny", "hmsd-gf", "hybrid-msd", "laplacian", "average", "maefuse:default")
GAIN = ", gain at .25 / .34 / .40 / .46 / .50"
"""Cycles per pixel, of a grating that one source alone shows."""


def main() -> None:
    rows = Rows("faults", arguments(__doc__))
    for name in METHODS:
        rows.add({"method": name}, partial(row_of, name), [name])
    note = (
        "Gray levels are of 255. grid: pattern on constant and graded pairs (peak to peak). clouds: what no smooth "
        "blend of both smooth sources explains. veil: what black at night becomes. plateau: contrast of infrared kept "
        "inside a saturated light, and the level of the light. noise: deviation that comes out for one that goes in. "
        "halo: overshoot beside a disc in one source, as a share of its step."
    )
    rows.write("Faults that people name", note)


@torch.inference_mode()
def row_of(name: str) -> dict[str, object]:
    """Every fault of one method."""
    fuser = creation.fuser(name)
    gains = {f"{side}{GAIN}": _shown(found) for side, found in faults.softness(fuser).items()}
    kept, light = faults.plateau(fuser)
    return {
        "method": name, "grid": faults.grid(fuser), "clouds": faults.clouds(fuser), "veil": faults.veil(fuser),
        "plateau kept": kept, "plateau light": light, "noise": faults.noise(fuser), "halo": faults.halo(fuser), **gains,
    }  # fmt: skip


def _shown(gains: list[float]) -> str:
    return " / ".join(f"{gain:.2f}" for gain in gains)


if __name__ == "__main__":
    main()
