"""The figures of a report, drawn by matplotlib: each function gives one finished figure."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .statistics import Array, Summary, Table, direction

PERCEPTUAL = ("NIQE", "BRISQUE", "PaQ2PiQ")
LABEL = {"high": "↑", "low": "↓", "none": ""}


def arrow(metric: str) -> str:
    """The metric's name and which way is better."""
    return f"{metric} {LABEL[direction(metric)]}".strip()


def label(name: str) -> str:
    """A name as it is: a dollar sign starts no formula."""
    return name.replace("$", r"\$")


def boxes(table: Table) -> Figure:
    """One small plot per metric: a box over the pairs for every entry."""
    across = min(len(table.metrics), 3)
    down = -(-len(table.metrics) // across)
    figure = Figure(figsize=(4.6 * across, (0.9 + 0.24 * len(table.entries)) * down), layout="constrained")
    grid = np.atleast_1d(figure.subplots(down, across)).flatten()
    colours = _colours(len(table.entries))
    for place, (axes, metric) in enumerate(zip(grid, table.metrics, strict=False)):
        columns = [column[np.isfinite(column)] for column in table.values[:, :, place].T]
        drawn = axes.boxplot(columns, orientation="horizontal", patch_artist=True, widths=0.7, flierprops={"ms": 2})
        for box, colour in zip(drawn["boxes"], colours, strict=True):
            box.set_facecolor(colour)
        axes.set_yticks(range(1, len(table.entries) + 1), list(map(label, table.entries)), fontsize=7)
        axes.invert_yaxis()
        axes.set_title(arrow(metric), fontsize=9)
        axes.tick_params(axis="x", labelsize=7)
    for axes in grid[len(table.metrics) :]:
        axes.remove()
    return figure


def rank_bars(table: Table, summary: Summary) -> Figure:
    """Mean rank over the metrics, best on top, and each metric's rank as a dot."""
    order = np.argsort(summary.mean_rank)
    figure = Figure(figsize=(7, 0.8 + 0.3 * len(order)), layout="constrained")
    axes = figure.subplots()
    axes.barh(range(len(order)), summary.mean_rank[order], color="#b9cfe4", zorder=1)
    for place, entry in enumerate(order):
        dots = summary.rank[entry][np.isfinite(summary.rank[entry])]
        axes.plot(dots, np.full(len(dots), place), "o", ms=3, color="#24527a", alpha=0.45, zorder=2)
    axes.set_yticks(range(len(order)), [label(table.entries[entry]) for entry in order], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("rank: bar = mean over the metrics, dots = each metric (1 is best)", fontsize=8)
    return figure


def against_speed(table: Table, metric: str, summary: Summary, seconds: Mapping[str, float]) -> Figure:
    """Quality against the seconds that a pair takes, for the entries that were timed."""
    place = table.metrics.index(metric)
    timed = [entry for entry in range(len(table.entries)) if table.entries[entry] in seconds]
    return _scatter(
        [seconds[table.entries[entry]] * 1000 for entry in timed],
        list(summary.mean[timed, place]),
        [table.entries[entry] for entry in timed],
        "milliseconds per pair",
        arrow(metric),
        log=True,
    )


def perceptual(table: Table, summary: Summary, metric: str, against: str = "Qw") -> Figure:
    """A no-reference score against Qw, one point per entry, means over the pairs (arXiv:2412.08073, Fig. 2)."""
    x, y = (summary.mean[:, table.metrics.index(name)] for name in (against, metric))
    return _scatter(list(x), list(y), list(table.entries), arrow(against), arrow(metric))


def correlation_map(table: Table, summary: Summary) -> Figure:
    """Spearman correlation of the metrics, as colours and numbers."""
    count = len(table.metrics)
    figure = Figure(figsize=(1.6 + 0.32 * count, 1.2 + 0.32 * count), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(summary.correlation, cmap="RdBu_r", vmin=-1, vmax=1)
    axes.set_xticks(range(count), table.metrics, rotation=90, fontsize=7)
    axes.set_yticks(range(count), table.metrics, fontsize=7)
    for row in range(count):
        for column in range(count):
            value = summary.correlation[row, column]
            if np.isfinite(value):
                ink = "white" if abs(value) > 0.6 else "black"
                axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=5, color=ink)
    figure.colorbar(shown, ax=axes, shrink=0.6)
    return figure


def _scatter(
    x: Sequence[float], y: Sequence[float], names: Sequence[str], label_x: str, label_y: str, log: bool = False
) -> Figure:
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes: Axes = figure.subplots()
    for n, (a, b, name, colour) in enumerate(zip(x, y, names, _colours(len(names)), strict=True)):
        if np.isfinite(a) and np.isfinite(b):
            axes.plot(a, b, "o", color=colour, ms=7, mec="black", mew=0.5)
            axes.annotate(label(name), (a, b), (5, 5 if n % 2 else -9), textcoords="offset points", fontsize=7)
    if log:
        axes.set_xscale("log")
    axes.set_xlabel(label_x, fontsize=9)
    axes.set_ylabel(label_y, fontsize=9)
    axes.margins(0.12)
    axes.grid(alpha=0.25)
    return figure


def _colours(count: int) -> Array:
    return colormaps["tab20"](np.arange(count) % 20)
