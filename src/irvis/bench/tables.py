"""What was measured, as a table, as plain data, and as a plot of quality against speed."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.table import Table

from ..errors import IrvisError
from ..spec import Precision
from .rounds import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MIB, GIGA = 2**20, 1e9
NOT_COUNTED = "element-wise operations, pooling, padding, resizing, sorting and colour"
"""What the FLOP figures leave out; they hold convolutions, matrix products and attention."""
MARKS = {"original": "*", "rewritten": "†"}
"""Of GFLOP figures that are not those of what was run."""
WHAT: Mapping[str, Callable[[Result], str]] = {
    "size": lambda result: result.row.size,
    "batch": lambda result: str(result.row.batch),
    "method": lambda result: result.name,
    "runtime": lambda result: result.row.runtime,
    "precision": lambda result: result.row.precision,
    "error": lambda result: f"{result.row.error:g}",
}
"""What tells rows apart."""


def reference(result: Result, results: Sequence[Result]) -> Result:
    """What a row is compared with: the first row of its size that ran."""
    return next(other for other in results if other.row.size == result.row.size and not other.problem)


def record(result: Result, results: Sequence[Result]) -> dict[str, Any]:
    """A row as plain data; the keys name the units."""
    row = {
        "method": result.name, "width": result.row.width, "height": result.row.height, "batch": result.row.batch,
        "runtime": result.row.runtime, "precision": result.row.precision, "error": result.row.error,
        "device": result.row.device, "tile": result.row.tile, "file": result.row.file,
    }  # fmt: skip
    if result.problem:
        return row | {"problem": result.problem}
    ratios = result.ratios(reference(result, results))
    return row | {
        "threads": result.threads, "median_ms": 1e3 * result.median, "p95_ms": 1e3 * result.p95,
        "frames_per_second": result.rate, "ratio": median(ratios), "ratio_range": [min(ratios), max(ratios)],
        "memory_mib": result.memory / MIB,
        "gflop_per_frame": result.flops / result.row.batch / GIGA if result.flops else None,
        "gflop_of": result.counted, "ceiling_gflops": result.ceiling / GIGA if result.ceiling else None,
        "ceiling_share": result.share, "qw_tno21": result.card, "qw_demo": result.demo,
        "rounds_ms": [[1e3 * second for second in one] for one in result.rounds],
    }  # fmt: skip


def table(results: Sequence[Result]) -> Table:
    """One line per row; what all rows share stands in the title, why a row did not run in the last column."""
    shown = _varying(results)
    same = ", ".join(f"{name} {get(results[0])}" for name, get in WHAT.items() if name not in shown)
    ran = [result for result in results if not result.problem]
    threads = f", threads {ran[0].threads}" if ran else ""
    table = Table(title=f"{same}, {results[0].row.device}{threads}".removeprefix(", "), title_justify="left")
    for name in shown:
        table.add_column(name, no_wrap=True)
    for name in ("ms", "p95", "frames/s", "× first", "MiB", "GFLOP", "ceiling", "Qw TNO21", "Qw demo"):
        table.add_column(name, justify="right", no_wrap=True)
    if len(ran) < len(results):
        table.add_column("not measured because", max_width=60)
    for result in results:
        first = [WHAT[name](result) for name in shown]
        table.add_row(*first, *(["–"] * 9 + [result.problem] if result.problem else _cells(record(result, results))))
    return table


def notes(results: Sequence[Result]) -> list[str]:
    """What the columns mean."""
    found = {r.row.precision: f"{r.row.precision} {r.ceiling / GIGA:.0f} GFLOP/s" for r in results if r.ceiling}
    ceilings = ", ".join(found.values()) or "none"
    lines = [
        "ms, p95: one call of the whole fuser, a batch of frames at a time; frames/s: batch / median",
        "× first: frames/s over those of the first row of the size, median of the rounds (least to most)",
        "MiB: peak memory beyond what was held before the method was loaded",
        f"GFLOP: per frame, a multiply-add as two; not counted: {NOT_COUNTED}",
        f"ceiling: share of the greatest speed seen in the precision, of a matrix product or of a row ({ceilings})",
        "Qw TNO21: by the weights' card, in fp32; Qw demo: of the embedded pair, as fused by the row",
    ]
    halves: tuple[Precision, ...] = ("bf16", "fp16")
    emulated = [p for p in halves if any(_emulated(r, p) for r in results)]
    lines += [f"{p} is emulated by this processor, and slower than fp32: it is for other machines" for p in emulated]
    hidden = {result.counted for result in results if result.flops} - {"as run"}
    told = [
        f"{MARKS[whose]} GFLOP of the {whose} network in torch: what the runtime makes of it is hidden"
        for whose in hidden
    ]
    return [*lines, *sorted(told)]


def _emulated(result: Result, precision: Precision) -> bool:
    """Whether a row ran in a precision that its device has not of its own."""
    from ..runtime.substitutes import native

    return not result.problem and result.row.precision == precision and precision not in native(result.row.device)


def plot(results: Sequence[Result], file: Path) -> None:
    """Qw against frames per second: on TNO21 by the cards, and on the embedded pair where a card is missing."""
    from matplotlib.figure import Figure

    ran = [result for result in results if not result.problem]
    panels: list[tuple[str, Callable[[Result], float | None]]] = []
    if any(result.card is not None for result in ran):
        panels.append(("Qw on TNO21 (weights' card)", lambda result: result.card))
    if any(result.card is None for result in ran):
        panels.append(("Qw on the embedded pair", lambda result: result.demo))
    figure = Figure(figsize=(4.8 * len(panels) + 3, 4.6), layout="constrained")
    for axes, (name, quality) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(axes, ran, quality)
        axes.set(xscale="log", xlabel="frames per second", ylabel=name)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=120)


def _draw(axes: "Axes", results: Sequence[Result], quality: Callable[[Result], float | None]) -> None:
    """Numbered points; the axis spans 0.02 at least, so that a trifle looks like one."""
    shown = [value for value in map(quality, results) if value is not None]
    for number, result in enumerate(results, start=1):
        value = quality(result)
        text = " ".join(WHAT[part](result) for part in _varying(results)).replace("$", r"\$")
        axes.plot(
            result.rate,
            float("nan") if value is None else value,
            "o",
            color=f"C{number % 10}",
            label=f"{number}  {text}",
        )
        if value is not None:
            axes.annotate(str(number), (result.rate, value), (5, 4), textcoords="offset points", fontsize=8)
    if shown:
        middle, half = (max(shown) + min(shown)) / 2, max(0.6 * (max(shown) - min(shown)), 0.01)
        axes.set_ylim(middle - half, middle + half)
    axes.margins(x=0.15)
    axes.grid(alpha=0.25, which="both")


def require_matplotlib() -> None:
    """Before anything is measured."""
    if not find_spec("matplotlib"):
        raise IrvisError("a plot needs an extra: pip install 'irvis[evaluate]'")


def _varying(results: Sequence[Result]) -> list[str]:
    """Names of what differs between the rows, and the method."""
    return [name for name, get in WHAT.items() if name == "method" or len(set(map(get, results))) > 1]


def _cells(row: Mapping[str, Any]) -> list[str]:
    low, high = row["ratio_range"]
    ratio = f"{row['ratio']:.2f}" + (f" ({low:.2f}–{high:.2f})" if high > low else "")
    return [
        f"{row['median_ms']:.1f}", f"{row['p95_ms']:.1f}", f"{row['frames_per_second']:.1f}", ratio,
        f"{row['memory_mib']:.0f}", _or_dash(row["gflop_per_frame"], "{:.2f}" + MARKS.get(row["gflop_of"], "")),
        _or_dash(row["ceiling_share"], "{:.0%}"), _or_dash(row["qw_tno21"], "{:.3f}"),
        _or_dash(row["qw_demo"], "{:.3f}"),
    ]  # fmt: skip


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
