"""Draw the pictures of docs/learn from synthetic scenes; learn_plots.py draws the others.

`python benchmarks/learn_pictures.py [NAME …]` draws all, or those named. Thermal ones are made by the
command line itself.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor

from drawing import NOON, SIZE, chessboard, page, people, planes, shifted, street
from irvis import creation, io
from irvis.align.warp import laid_over
from irvis.color import luma, with_luma
from irvis.data.scene import random_conditions
from irvis.sheet import around

LENSES = np.array([[0.91, 0, 30], [0, 0.91, -12], [0, 0, 1.0]])
"""From visible pixels to those of a second lens."""
KELVIN = ("--kelvin-per-count", "0.01", "--infrared-range", "5C,36C")
COLDEST, SPAN = 5.0, 31.0
"""Degrees C of black, and from black to white, in the made temperatures."""


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *DRAWERS], help="pictures; all if none is named")
    torch.set_num_threads(1)
    for name in parser.parse_args().names or DRAWERS:
        DRAWERS[name]()


def fuse() -> None:
    visible, _, infrared = planes()
    fused = creation.fuser("encdec")(visible, infrared)
    sign = around(torch.from_numpy(street().sign))
    page("learn-fuse", {"visible": visible, "infrared": infrared, "fused": fused}, [sign, people()])


def folder() -> None:
    fuser, rows = creation.fuser("encdec"), {}
    pairs = [street(seed, (180, 240), random_conditions(seed)).tensors() for seed in (2, 5, 9, 14)]
    for row in ("visible", "infrared", "fused"):
        for number, pair in enumerate(pairs, 1):
            rows[f"{row}/{number}.png"] = fuser(*pair) if row == "fused" else pair[row == "infrared"]
    page("learn-folder", rows, columns=4, width=250)


def python() -> None:
    visible, _, infrared = planes()
    valid = torch.zeros_like(infrared)
    valid[..., 60:320, 90:420] = 1
    names = ("laplacian", "encdec", "maefuse")
    rows = {f'method="{name}"': creation.fuser(name)(visible, infrared) for name in names}
    rows["valid = a part of the view"] = creation.fuser("encdec")(visible, infrared, valid)
    page("learn-python", rows, columns=4, width=250)


def thermal() -> None:
    """The command line on counts that are linear in kelvin."""
    visible, _, infrared = planes()
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        counts = (100 * (COLDEST + SPAN * infrared[0, 0].numpy() + 273.15)).round().astype(np.uint16)
        io.write(here / "visible.png", visible)
        Pillow.fromarray(counts).save(here / "counts.tif")
        rows = {
            "gray, 1 % to 99 %": run(here, "gray", "--infrared-range", "1%,99%"),
            "--palette ironbow --hottest 3": run(here, "hues", *KELVIN, "--palette", "ironbow", "--hottest", "3"),
            "--msx": run(here, "edges", *KELVIN, "--msx"),
        }
    page("learn-thermal", rows, columns=3)


def run(place: Path, name: str, *words: str) -> Tensor:
    """`irvis fuse` on the made counts."""
    command = [sys.executable, "-m", "irvis.cli", "fuse", "visible.png", "counts.tif", "-o", f"{name}.png"]
    subprocess.run([*command, *words], cwd=place, check=True, capture_output=True)
    return io.read_visible(place / f"{name}.png")[0]


def align() -> None:
    from irvis.align import estimate

    visible, _, infrared = planes()
    other, seen = laid_over(infrared, LENSES, SIZE)
    found = estimate(luma(visible), other * seen)
    if not found.sure:
        sys.exit(found.problem)
    aligned, valid = laid_over(other * seen, found.matrix, SIZE)
    rows = {
        "as the cameras see it": chessboard(visible, other * seen),
        "aligned": chessboard(visible, aligned * valid),
        "aligned and fused": creation.fuser("encdec")(visible, aligned, valid),
    }
    page("learn-align", rows, [people()])


def check() -> None:
    visible, _, infrared = planes()
    rows = {
        "polarity: black-hot": 1 - infrared,
        "looks shifted": chessboard(visible, shifted(infrared, 14, 0)),
        "saturated": (1.9 * infrared).clamp(0, 1),
        "few levels in use": 0.45 + 0.1 * infrared,
    }
    page("learn-check", rows, columns=4, width=250)


def add_a_method() -> None:
    visible, infrared = street(conditions=NOON).tensors()
    seen = luma(visible)
    darker = with_luma(visible, seen + 0.8 * (seen.minimum(infrared) - seen))
    page("learn-add-a-method", {"visible": visible, "infrared": infrared, "darker": darker})


DRAWERS: dict[str, Callable[[], None]] = {
    "fuse": fuse, "folder": folder, "python": python, "thermal": thermal, "align": align, "check": check,
    "add-a-method": add_a_method,
}  # fmt: skip


if __name__ == "__main__":
    main()
