"""The numbers of an evaluation for other programs: CSV and JSON."""

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path

from ..files import whole
from .statistics import Summary, Table


def write(
    out: Path,
    table: Table,
    summary: Summary,
    facts: Mapping[str, str],
    flicker: Mapping[str, Mapping[str, float]],
) -> None:
    """OUT/values.csv (a row per pair and method), OUT/summary.csv (per method and metric), OUT/values.json (all)."""
    rows = [
        [pair, scene, entry, *map(_plain, table.values[n, e].tolist())]
        for n, (pair, scene) in enumerate(zip(table.pairs, table.scenes, strict=True))
        for e, entry in enumerate(table.entries)
    ]
    _write_csv(out / "values.csv", ["pair", "scene", "method", *table.metrics], rows)
    columns = ["method", "metric", "mean", "low", "high", "pairs", "rank", "p", "better"]
    arrays = (summary.mean, summary.low, summary.high, summary.count, summary.rank, summary.p, summary.better)
    lines = [
        [entry, metric, *(_plain(array[e, m].item()) for array in arrays)]
        for e, entry in enumerate(table.entries)
        for m, metric in enumerate(table.metrics)
    ]
    _write_csv(out / "summary.csv", columns, lines)
    tree = {
        "facts": dict(facts),
        "values": [dict(zip(["pair", "scene", "method", *table.metrics], row, strict=True)) for row in rows],
        "summary": [dict(zip(columns, line, strict=True)) for line in lines],
        "flicker": {name: {m: _plain(v) for m, v in gains.items()} for name, gains in flicker.items()},
        "mean_rank": dict(zip(table.entries, map(_plain, summary.mean_rank.tolist()), strict=True)),
        "correlation": {m: dict(zip(table.metrics, map(_plain, row), strict=True))
                        for m, row in zip(table.metrics, summary.correlation.tolist(), strict=True)},
    }  # fmt: skip
    with whole(out / "values.json") as unfinished:
        unfinished.write_text(json.dumps(tree, indent=1) + "\n")


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if value is None else value for value in row] for row in rows])
    with whole(path) as unfinished:
        unfinished.write_text(text.getvalue(), encoding="utf-8")


def _plain(value: float) -> float | str | None:
    """For CSV and JSON: nothing instead of NaN, a word for infinity."""
    if math.isnan(value):
        return None
    if math.isinf(value):
        return str(value)
    return value
