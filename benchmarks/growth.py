"""How time and memory of a fusion grow with the number of pixels, from 320×240 to 4K, whole and in tiles.

The rows take turns as in `irvis bench`: a new process each, several rounds, medians. The exponent is the slope of
log(seconds) over log(pixels): 1 is linear growth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import log, prod
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

from common import FIGURES, Rows, arguments
from irvis.bench.rounds import Result, gather, turns
from irvis.bench.rows import Row, sizes

METHODS = ("encdec", "encdec:tiny", "laplacian", "average")
SIZES = "320x240,640x480,1280x720,1920x1080,2560x1440,3840x2160"
TILE = 1024
MIB = 2**20


def main() -> None:
    options = {"runs": {"type": int, "default": 12}, "rounds": {"type": int, "default": 3}}
    chosen = arguments(__doc__, sizes={"default": SIZES}, **options)
    table, planned = Rows("growth", chosen), list(rows(chosen.sizes, chosen.threads))
    keys = [{"method": row.method, "size": row.size} for row in planned if row.tile is None]
    table.several(keys, lambda due: timed(due, planned, chosen), lambda key: [key["method"]])
    draw(table.rows)
    slopes = "; ".join(f"{method} {exponent(_of(table.rows, method)):.2f}" for method in METHODS)
    note = (
        f"Exponent of the growth of time with pixels, by least squares over all sizes: {slopes}. MiB: peak memory of "
        "the process beyond what it held before the method was loaded. Tiles have sides of "
        f"{TILE} pixels and are not used for pictures that are no larger. One pair at a time, the whole fuser, torch "
        f"eager, float32; median of {chosen.runs} calls in {chosen.rounds} rounds, the rows taking turns."
        "\n\n![growth](../figures/growth.png)"
    )
    table.write("Time and memory over the size of the picture", note)


def timed(due: list[dict[str, Any]], planned: list[Row], chosen) -> list[dict[str, Any]]:
    """The rows that are due, in turns, whole and in tiles."""
    wanted = [row for row in planned if {"method": row.method, "size": row.size} in due]
    results = gather(wanted, list(turns(wanted, chosen.runs, chosen.rounds)))
    broken = [f"{result.row.method} {result.row.size}: {result.problem}" for result in results if result.problem]
    assert not broken, broken
    tiled = {(one.row.method, one.row.size): one for one in results if one.row.tile is not None}
    return [line(one, tiled.get((one.row.method, one.row.size), one)) for one in results if one.row.tile is None]


def rows(text: str, threads: int) -> Iterator[Row]:
    """Every method at every size, whole, and in tiles where a picture is larger than one."""
    for width, height in sizes(text):
        for method in METHODS:
            whole = Row(method=method, width=width, height=height, threads=threads)
            yield whole
            if max(width, height) > TILE:
                yield replace(whole, tile=TILE)


def line(whole: Result, tiled: Result) -> dict[str, Any]:
    """A row of the table."""
    return {
        "method": whole.row.method, "size": whole.row.size, "ms": 1e3 * whole.median,
        "ns per pixel": 1e9 * whole.median / pixels(whole), "ms in tiles": 1e3 * tiled.median,
        "MiB": round(whole.memory / MIB), "MiB in tiles": round(tiled.memory / MIB),
    }  # fmt: skip


def pixels(result: Result) -> int:
    return result.row.width * result.row.height


def exponent(rows: Sequence[dict[str, Any]]) -> float:
    """Slope of log(seconds) over log(pixels), by least squares."""
    x, y = [log(area(row)) for row in rows], [log(row["ms"]) for row in rows]
    middle = sum(x) / len(x)
    return sum((a - middle) * b for a, b in zip(x, y, strict=True)) / sum((a - middle) ** 2 for a in x)


def area(row: dict[str, Any]) -> int:
    """Pixels of a row of the table."""
    return prod(int(side) for side in row["size"].split("×"))


def draw(table: Sequence[dict[str, Any]]) -> None:
    """Seconds and memory over megapixels, both axes logarithmic; tiles dashed."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for number, method in enumerate(METHODS):
        for kind, style in (("", "o-"), (" in tiles", "s--")):
            found = _of(table, method)
            x = [area(row) / 1e6 for row in found]
            name = f"{method}, tiles of {TILE}" if kind else method
            left.plot(x, [row[f"ms{kind}"] for row in found], style, color=f"C{number}", ms=4, label=name)
            right.plot(x, [row[f"MiB{kind}"] for row in found], style, color=f"C{number}", ms=4, label=name)
    first = _of(table, METHODS[0])
    ends = [area(row) / 1e6 for row in (first[0], first[-1])]
    left.plot(ends, [2 * first[0]["ms"] * x / ends[0] for x in ends], ":", color="gray", label="linear growth")
    for axes, name in ((left, "milliseconds"), (right, "MiB")):
        axes.set(xscale="log", yscale="log", xlabel="megapixels", ylabel=name)
        axes.grid(alpha=0.25, which="both")
    left.legend(fontsize=7)
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(FIGURES / "growth.png", dpi=80)


def _of(table: Sequence[dict[str, Any]], method: str) -> list[dict[str, Any]]:
    """A method's rows, the smallest picture first."""
    return sorted((row for row in table if row["method"] == method), key=area)


if __name__ == "__main__":
    main()
