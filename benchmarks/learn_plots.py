"""Draw the plots of docs/learn: from benchmarks/results, and from an evaluation of six synthetic scenes.

`python benchmarks/learn_plots.py [NAME …]` draws all, or those named.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from matplotlib import pyplot

from common import RESULTS
from drawing import CYCLE, plotted, street
from explain_networks import arrow, finished, part
from irvis import io
from irvis.data.scene import random_conditions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *DRAWERS], help="plots; all if none is named")
    torch.set_num_threads(1)
    for name in parser.parse_args().names or DRAWERS:
        DRAWERS[name]()


def evaluate() -> None:
    """Mean ranks by the command line's own report."""
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        for seed in range(100, 106):
            seen, warm = street(seed, (180, 240), random_conditions(seed)).tensors()
            io.write(here / "visible" / f"{seed}.png", seen)
            io.write(here / "infrared" / f"{seed}.png", warm)
        words = "evaluate visible infrared -m encdec,laplacian,gff,hmsd-gf -o report --workers 1"
        subprocess.run([sys.executable, "-m", "irvis.cli", *words.split()], cwd=here, check=True, capture_output=True)
        with (here / "report" / "summary.csv").open() as file:
            rows = list(csv.DictReader(file))
    ranks: dict[str, list[float]] = {}
    for row in rows:
        if row["rank"]:
            ranks.setdefault(row["method"], []).append(float(row["rank"]))
    order = sorted(ranks, key=lambda name: -np.mean(ranks[name]))
    figure, axis = pyplot.subplots(figsize=(11, 3.8))
    colours = [CYCLE[0] if name in ("encdec", "laplacian", "gff", "hmsd-gf") else CYCLE[5] for name in order]
    axis.barh(order, [float(np.mean(ranks[name])) for name in order], color=colours, alpha=0.75)
    for place_of, name in enumerate(order):
        axis.scatter(ranks[name], [place_of] * len(ranks[name]), s=14, color="#eceff4", alpha=0.7, zorder=3)
    axis.set_xlabel("mean rank over the metrics (bars) and each metric's rank (dots); gray: controls")
    plotted("learn-evaluate", figure)


def results(name: str) -> list[dict[str, object]]:
    return json.loads((RESULTS / f"{name}.json").read_text())["rows"]  # type: ignore[no-any-return]


def speed() -> None:
    """Frames per second of three weights in every runtime, from benchmarks/results/speed.json."""
    figure, axis = pyplot.subplots(figsize=(11, 4.2))
    ways = [("torch", "fp32"), ("collapsed", "fp32"), ("openvino", "fp32"), ("openvino", "bf16"), ("openvino", "int8")]
    found = {(row["method"], row["runtime"], row["precision"]): float(str(row["fps"])) for row in results("speed")}
    for number, name in enumerate(("encdec:tiny", "encdec:default", "encdec:paper")):
        there = [(place, found[name, *way]) for place, way in enumerate(ways) if (name, *way) in found]
        axis.bar([x + 0.27 * (number - 1) for x, _ in there], [fps for _, fps in there], 0.25, label=name)
    axis.set_xticks(range(len(ways)), [" ".join(way) for way in ways])
    axis.set_ylabel("640×480 pairs per second")
    axis.grid(axis="y", alpha=0.6)
    axis.legend()
    plotted("learn-speed", figure)


def bench() -> None:
    """Quality against speed of every method in torch, from the same file."""
    figure, axis = pyplot.subplots(figsize=(11, 4.4))
    rows = [row for row in results("speed") if (row["runtime"], row["precision"]) == ("torch", "fp32")]
    for row in rows:
        if "," in str(row["method"]) or row["Qw on TNO21"] == "":
            continue
        network = str(row["method"]).startswith("encdec")
        axis.scatter(float(str(row["fps"])), float(str(row["Qw on TNO21"])), color=CYCLE[0 if network else 1], s=45)
        place = float(str(row["fps"])), float(str(row["Qw on TNO21"]))
        low = row["method"] in ("hybrid-msd", "encdec:synthetic", "wavelet", "visible")
        axis.annotate(f"  {row['method']}", place, fontsize=9, va="top" if low else "bottom")
    axis.set_xscale("log")
    axis.set_xlabel("640×480 pairs per second, two threads")
    axis.set_ylabel("Qw on 21 pairs of TNO")
    axis.grid(alpha=0.6)
    plotted("learn-bench", figure)


def big() -> None:
    """What was held in memory against the picture's own size, from benchmarks/results/big.json."""
    rows = [row for row in results("big") if "peak MB" in row]
    figure, axis = pyplot.subplots(figsize=(11, 3.2))
    names = [f"{row['method']}, {row['size']}, --memory {row['budget']}" for row in rows]
    whole = [
        np.prod([int(side.replace(",", "")) for side in str(row["size"]).split("×")]) * 4 * 4 / 1e6 for row in rows
    ]
    places = np.arange(len(rows))
    axis.barh(places + 0.2, whole, 0.36, color=CYCLE[5], label="the pair as float32, in memory")
    axis.barh(places - 0.2, [float(str(row["peak MB"])) for row in rows], 0.36, color=CYCLE[0], label="peak, measured")
    axis.set_yticks(places, names)
    axis.invert_yaxis()
    axis.set_xlabel("MB")
    axis.legend()
    plotted("learn-big", figure)


def archives() -> None:
    """Hours against pairs, from benchmarks/results/archive.json."""
    rows = results("archive")
    figure, axis = pyplot.subplots(figsize=(11, 3.8))
    for column, title in (("fusing s", "fusing"), ("listing s", "listing"), ("restart s", "restarting")):
        axis.loglog(
            [row["pairs"] for row in rows], [float(str(row[column])) / 3600 for row in rows], marker="o", label=title
        )
    measured = [int(str(row["pairs"])) for row in rows if row["how"] == "measured"]
    axis.axvspan(min(measured), max(measured), color=CYCLE[3], alpha=0.15, label="measured; beyond it computed")
    axis.set_xlabel("pairs")
    axis.set_ylabel("hours, two workers")
    axis.grid(alpha=0.6)
    axis.legend()
    plotted("learn-archives", figure)


def export() -> None:
    """What is in the file."""
    _, axis = pyplot.subplots(figsize=(11, 2.4))
    part(axis, (0, 1.2, 1.9, 0.7), "visible\n(batch, 3, height, width)", CYCLE[1])
    part(axis, (0, 0.1, 1.9, 0.7), "infrared\n(batch, 1, height, width)", CYCLE[0])
    axis.add_patch(pyplot.Rectangle((2.4, -0.1), 5.6, 2.3, fill=False, ec=CYCLE[5], ls="--"))
    for x, text in ((2.7, "luma"), (4.05, "padding"), (5.4, "network"), (6.75, "cropped")):
        part(axis, (x, 0.65, 1.0, 0.7), text, CYCLE[2])
    for start, end in (
        ((1.9, 1.5), (2.7, 1.1)),
        ((1.9, 0.5), (4.05, 0.85)),
        ((3.7, 1), (4.05, 1)),
        ((5.05, 1), (5.4, 1)),
    ):
        arrow(axis, start, end)
    arrow(axis, (6.4, 1), (6.75, 1))
    arrow(axis, (7.75, 1), (8.5, 1))
    axis.text(5.2, 1.8, "fusion.onnx: colours go round the network and come back", ha="center", fontsize=10)
    part(axis, (8.5, 0.65, 1.9, 0.7), "fused\n(batch, 3, height, width)", CYCLE[3])
    finished(axis, "learn-export", (-0.1, 10.6), (-0.3, 2.4))


DRAWERS: dict[str, Callable[[], None]] = {
    "evaluate": evaluate, "speed": speed, "bench": bench, "big": big, "archives": archives, "export": export,
}  # fmt: skip


if __name__ == "__main__":
    main()
