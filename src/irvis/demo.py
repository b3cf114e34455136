"""The embedded pair: a synthetic night street, fused by several methods and laid out on one sheet."""

from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor

from . import creation, io
from .data.scene import Conditions, scene
from .sheet import around, largest, save, sheet
from .types import Pair

SEED, SIZE = 25, (480, 640)
BESIDE = ("encdec", "average", "max", "laplacian")
"""What the sheet shows beside the inputs; the first is the one whose file is written."""


class Demo(NamedTuple):
    """What was written, and the seconds that fusing took."""

    fused: Path
    sheet: Path
    seconds: float


def embedded(seed: int = SEED, size: tuple[int, int] = SIZE) -> tuple[Pair, Tensor, Tensor]:
    """The pair, and the masks (h, w) of its sign, which only the visible camera shows, and its pedestrians."""
    drawn = scene(seed, size, Conditions())
    return Pair("street", *drawn.tensors()), torch.from_numpy(drawn.sign), torch.from_numpy(drawn.people)


@torch.inference_mode()
def run(out: Path, methods: tuple[str, ...] = BESIDE, device: str = "cpu") -> Demo:
    """Write visible.png, infrared.png, fused.png and sheet.png into `out`."""
    fusers = {text: creation.fuser(text, device) for text in methods}
    pair, sign, people = embedded()
    visible, infrared = pair.visible.to(device), pair.infrared.to(device)
    pictures = {"visible": pair.visible, "infrared": pair.infrared}
    seconds = {}
    for text, fuser in fusers.items():
        fuser(visible, infrared)  # the first call is slower
        begun = perf_counter()
        pictures[f"fused: {text}"] = fuser(visible, infrared).cpu()
        seconds[text] = perf_counter() - begun
    io.write(out / "visible.png", pair.visible)
    io.write(out / "infrared.png", pair.infrared)
    io.write(out / "fused.png", pictures[f"fused: {methods[0]}"])
    save(sheet(pictures, [around(sign), around(largest(people))]), out / "sheet.png")
    return Demo(out / "fused.png", out / "sheet.png", seconds[methods[0]])
