"""MaeFuse on real pairs: EN, CC, SCD beside controls and the ceiling of CC; block pattern; seconds and memory.

CC has a ceiling for every pair, √((1+ρ)/2) with ρ the correlation of the sources; "CC of what is possible" divides by
it. The block pattern compares differences of neighbouring pixels across patch borders with those inside patches, and
divides by the same figure of the plain average of the pair: 1 = none.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from common import Row, Rows, arguments, write
from irvis import creation, io
from irvis.bench import memory
from irvis.color import luma, with_luma
from irvis.data.matching import match
from irvis.methods import METHODS
from irvis.metrics import measure, sharing

RIVALS, MIX = ("encdec", "average", "max", "laplacian"), "visible + infrared, clipped"
SETS = ("TNO21", "RoadScene19", "MSRS27", "LLVIP15")
METRICS = ("EN", "CC", "CC_share", "SCD", "SCD_share")
PAPER = {"MSRS27": (6.575, 0.628, 1.674), "LLVIP15": (7.362, 0.672, 1.590), "RoadScene19": (7.081, 0.672, 1.644),
         "TNO21": (6.978, 0.576, 1.730)}  # fmt: skip
PATCH = 8
"""Of the weights that are measured."""


def main() -> None:
    chosen = arguments(
        __doc__,
        methods={"default": "maefuse", "help": "by commas; the first is the one in question"},
        speed={"action": "store_true", "help": "measure only seconds and memory"},
        one={"help": "measure seconds and memory of METHOD,HEIGHT,WIDTH,PRECISION and print JSON"},
    )
    if chosen.one:
        print(json.dumps(timed(*chosen.one.rsplit(",", 3))))
        return
    if chosen.speed:
        speed(chosen)
        return
    quality(chosen)
    if not chosen.weights:
        speed(chosen)


def clipped_mix(visible: Tensor, infrared: Tensor) -> Tensor:
    """visible + infrared - mean of infrared, clipped: linear, and of full contrast."""
    return with_luma(visible, (luma(visible) + infrared - infrared.mean((2, 3), keepdim=True)).clamp(0, 1))


@torch.inference_mode()
def quality(chosen) -> None:
    """Means over every set, and the block pattern of each."""
    rows = Rows("maefuse", chosen)
    for name in SETS:
        keys = [{"set": name, "method": method} for method in (*chosen.methods.split(","), *RIVALS, MIX)]
        rows.several(keys, lambda keys: judged(keys, chosen.data / "test"), lambda key: [key["method"]])
        reported = {"set": name, "method": "MaeFuse as reported (other image list)"}
        figures = dict(zip(("EN", "CC", "SCD"), PAPER[name], strict=True))
        rows.add(reported, lambda both=reported | figures: both)
    rows.write("MaeFuse on real pairs", __doc__.split("\n\n")[1].replace("\n", " "))


def judged(keys: list[Row], data: Path) -> list[Row]:
    """Several methods on one set."""
    sums = {key["method"]: dict(key) for key in keys}
    fusers = {method: clipped_mix if method == MIX else creation.fuser(method) for method in sums}
    pairs = match(data / keys[0]["set"] / "vi", data / keys[0]["set"] / "ir").pairs
    for files in pairs:
        pair = io.read_pair(files.visible, files.infrared)
        plain = pattern((luma(pair.visible) + pair.infrared) / 2)
        with sharing() as shared:
            for method, fuser in fusers.items():
                fused = (fuser(pair.visible, pair.infrared) * 255).round() / 255
                values = measure(fused, pair.visible, pair.infrared, metrics=METRICS)
                shared.forget(fused)
                found = {key: value.item() for key, value in values.items()}
                found["block pattern"] = pattern(luma(fused)) / plain
                for key, value in found.items():
                    sums[method][key] = sums[method].get(key, 0.0) + value / len(pairs)
    return list(sums.values())


def pattern(plane: Tensor, patch: int = PATCH) -> float:
    """Energy of differences across the borders of patches over that inside them."""
    across, inside = 0.0, 0.0
    for plane_ in (plane, plane.transpose(2, 3)):
        steps = (plane_[..., 1:] - plane_[..., :-1]).double().square().mean((0, 1, 2))
        border = torch.arange(1, len(steps) + 1) % patch == 0
        across, inside = across + steps[border].mean().item(), inside + steps[~border].mean().item()
    return across / inside


def speed(chosen) -> None:
    """Each figure from a process of its own."""
    rows = []
    for size in ("tiny", "small", "large"):
        for precision in ("fp32", "bf16"):
            rows.append(run(chosen, f"maefuse:size={size}", 480, 640, precision))
    options = METHODS["maefuse"].weights["default"].options
    ours = ":".join(["maefuse", *(f"{name}={value}" for name, value in options.items())])
    for height, width in ((480, 640), (1024, 1280)):
        for precision in ("fp32", "bf16"):
            rows.append(run(chosen, ours, height, width, precision) | {"method": "maefuse:default"})
    note = "Random weights: they take as long as trained ones. Memory is the peak beyond the loaded network."
    write("maefuse_speed", rows, "Seconds and memory of MaeFuse on the CPU", note, script="maefuse", uses=())


def run(chosen, method: str, height: int, width: int, precision: str) -> dict[str, object]:
    words = [sys.executable, __file__, "--threads", str(chosen.threads)]
    words += ["--one", f"{method},{height},{width},{precision}"]
    row = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    print(row, flush=True)
    return row


@torch.inference_mode()
def timed(method: str, height: str, width: str, precision: str) -> dict[str, object]:
    """Median of 3 runs after one to warm up."""

    name, _, options = creation.parse(method)
    fuser = creation.create(name, weights=None, **options)
    visible, infrared = torch.rand(1, 3, int(height), int(width)), torch.rand(1, 1, int(height), int(width))
    before, spans = memory.now("cpu"), []
    memory.forget_peak("cpu")
    for _ in range(4):
        begun = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            fuser(visible, infrared)
        spans.append(time.perf_counter() - begun)
    parameters = sum(p.numel() for p in fuser.parameters()) / 1e6
    return {"method": method, "size": f"{width}×{height}", "precision": precision, "million parameters": parameters,
            "seconds": median(spans[1:]), "MiB": (memory.peak("cpu") - before) / 2**20}  # fmt: skip


if __name__ == "__main__":
    Path(__file__).parent.joinpath("results").mkdir(exist_ok=True)
    main()
