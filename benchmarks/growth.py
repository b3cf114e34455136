"""How time and memory of a fusion grow with the number of pixels, from 320×240 to 4K, whole and in tiles.

The rows take turns as in `irvis bench`: a new process each, several rounds, medians. The exponent is the slope of
log(seconds) over log(pixels): 1 is linear growth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import log
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

from common import FIGURES, arguments, write
from irvis.bench.rounds import Result, gather, turns
from irvis.bench.rows import Row, sizes

METHODS = ("encdec", "encdec:tiny", "laplacian", "average")
SIZES = "320x240,640x480,1280x720,1920x1080,2560x1440,3840x2160"
TILE = 1024
MIB = 2**20


def main() -> None:
    options = {"runs": {"type": int, "default": 12}, "rounds": {"type": int, "default": 3}}
    chosen = arguments(__doc__, sizes={"default": SIZES}, **options)
    results = gather(
        planned := list(rows(chosen.sizes, chosen.threads)), list(turns(planned, chosen.runs, chosen.rounds))
    )
    broken = [f"{result.row.method} {result.row.size}: {result.problem}" for result in results if result.problem]
    assert not broken, broken
    whole = {(result.row.method, pixels(result)): result for result in results if result.row.tile is None}
    tiled = {(result.row.method, pixels(result)): result for result in results if result.row.tile is not None}
    draw(whole, tiled)
    slopes = "; ".join(f"{method} {exponent(list(_of(whole, method))):.2f}" for method in METHODS)
    note = (
        f"Exponent of the growth of time with pixels, by least squares over all sizes: {slopes}. MiB: peak memory of "
        "the process beyond what it held before the method was loaded. Tiles have sides of "
        f"{TILE} pixels and are not used for pictures that are no larger. One pair at a time, the whole fuser, torch "
        f"eager, float32; median of {len(results[0].seconds)} calls in {chosen.rounds} rounds, the rows taking turns."
        "\n\n![growth](../figures/growth.png)"
    )
    table = [line(one, tiled.get(place, one)) for place, one in whole.items()]
    write("growth", table, "Time and memory over the size of the picture", note)


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


def exponent(results: Sequence[Result]) -> float:
    """Slope of log(seconds) over log(pixels), by least squares."""
    x, y = [log(pixels(one)) for one in results], [log(one.median) for one in results]
    middle = sum(x) / len(x)
    return sum((a - middle) * b for a, b in zip(x, y, strict=True)) / sum((a - middle) ** 2 for a in x)


def draw(whole: dict[tuple[str, int], Result], tiled: dict[tuple[str, int], Result]) -> None:
    """Seconds and memory over megapixels, both axes logarithmic; tiles dashed."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for number, method in enumerate(METHODS):
        for kind, style in ((whole, "o-"), (tiled, "s--")):
            results = list(_of(kind, method))
            x = [pixels(one) / 1e6 for one in results]
            name = method if kind is whole else f"{method}, tiles of {TILE}"
            left.plot(x, [1e3 * one.median for one in results], style, color=f"C{number}", ms=4, label=name)
            right.plot(x, [one.memory / MIB for one in results], style, color=f"C{number}", ms=4, label=name)
    first = [one for one in _of(whole, METHODS[0])]
    ends = [pixels(one) / 1e6 for one in (first[0], first[-1])]
    left.plot(ends, [2e3 * first[0].median * x / ends[0] for x in ends], ":", color="gray", label="linear growth")
    for axes, name in ((left, "milliseconds"), (right, "MiB")):
        axes.set(xscale="log", yscale="log", xlabel="megapixels", ylabel=name)
        axes.grid(alpha=0.25, which="both")
    left.legend(fontsize=7)
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.savefig(FIGURES / "growth.png", dpi=80)


def _of(results: dict[tuple[str, int], Result], method: str) -> Iterator[Result]:
    """A method's, the smallest picture first."""
    return (results[place] for place in sorted(results) if place[0] == method)


if __name__ == "__main__":
    main()
