"""What the benchmark scripts share: where real pairs are, what a result file says, how a table is printed."""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import made
from irvis import files
from irvis.methods import METHODS
from made import Row

HERE = Path(__file__).parent
RESULTS, TABLES, FIGURES = (
    HERE / "results",
    HERE.parent / "docs" / "results",
    HERE.parent / "docs" / "figures",
)
SETS = ("TNO21", "VIFB", "RoadScene19", "MSRS27", "LLVIP15")
PICTURES = HERE.parent / "runs" / "pictures"
"""Pictures of other people's images: never committed."""


def arguments(text: str, **extra: Any) -> argparse.Namespace:
    """The options that every script has, and those of this one: name=dict(of add_argument's)."""
    parser = argparse.ArgumentParser(description=text)
    default = Path(os.environ.get("IRVIS_DATA", HERE.parents[1] / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default, help="folder of real pairs (or set IRVIS_DATA)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--all", action="store_true", help="measure every row, also those that are up to date")
    parser.add_argument("--weights", action="store_true", help="measure only rows whose weights have changed")
    parser.add_argument("--only", metavar="METHODS", help="by commas: leave rows of other methods as they are")
    for name, facts in extra.items():
        parser.add_argument(f"--{name}", **facts)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    return chosen


def machine() -> dict[str, str]:
    """When, with what and on what a result was measured."""
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"), "commit": made.commit(), "cpu": cpu,
        "threads": str(torch.get_num_threads()), "torch": version("torch"), "irvis": version("irvis"),
    }  # fmt: skip


class Rows:
    """The rows of results/NAME.json, of which only those are measured whose weights or code have changed.

    --all measures every row, --weights leaves rows alone of which only the code has changed, --only those of other
    methods. What is measured is saved at once, so that an interrupted run goes on where it stopped.
    """

    def __init__(self, name: str, chosen: argparse.Namespace, script: str = "") -> None:
        self.name, self.chosen, self.script = name, chosen, script or name
        self.before: list[Row] = made.read(name).get("rows", [])
        self.rows: list[Row] = []
        self.keys: list[Row] = []

    def add(self, key: Row, make: Callable[[], Mapping[str, Any]], uses: Sequence[str] = ()) -> None:
        """One row, found by its `key` columns; `make` gives all its columns, `uses` are the methods it runs."""
        self.several([key], lambda keys: [make()], lambda key: uses)

    def several(
        self, keys: Sequence[Row], make: Callable[[list[Row]], Sequence[Mapping[str, Any]]], uses: "Uses"
    ) -> None:
        """Rows that are measured together: `make` is given the keys that are due, and returns their rows."""
        kept = {place: old for place, key in enumerate(keys) if (old := self._kept(key, uses(key)))}
        due = [place for place in range(len(keys)) if place not in kept and self._wanted(uses(keys[place]))]
        begun = time.perf_counter()
        measured = make([keys[place] for place in due]) if due else []
        seconds = (time.perf_counter() - begun) / max(len(due), 1)
        for place, row in zip(due, measured, strict=True):
            kept[place] = {**row, "made": made.facts(self.script, uses(keys[place]), seconds)}
            print(row, flush=True)
        self.rows += [kept[place] for place in sorted(kept)]
        self.keys += keys
        if due:
            self._save()

    def write(self, title: str, note: str = "") -> None:
        """The file and its page."""
        write(self.name, self.rows, title, note, self.script)

    def _kept(self, key: Row, uses: Sequence[str]) -> Row | None:
        old = self._old(key)
        if old is None or (self.chosen.all and self._wanted(uses)):
            return None
        due = not made.fresh(old, self.script, uses, code=not self.chosen.weights)
        return None if due and self._wanted(uses) else old

    def _wanted(self, uses: Sequence[str]) -> bool:
        return not self.chosen.only or bool({*self.chosen.only.split(",")} & {*uses})

    def _old(self, key: Row) -> Row | None:
        return next((row for row in self.before if _has(row, key)), None)

    def _save(self) -> None:
        """What there is so far, with the rows that are still to come as they were."""
        tree = made.read(self.name)
        rest = [row for row in self.before if not any(_has(row, key) for key in self.keys)]
        write_json(self.name, {**tree, "machine": machine(), "script": self.script, "rows": [*self.rows, *rest]})


Uses = Callable[[Row], Sequence[str]]


def _has(row: Row, key: Row) -> bool:
    return all(row.get(column) == value for column, value in key.items())


def write(
    name: str, rows: Sequence[Mapping[str, Any]], title: str, note: str = "", script: str = "", *,
    uses: Sequence[str] | None = None,
) -> None:  # fmt: skip
    """results/NAME.json and docs/results/NAME.md, made by SCRIPT (NAME); the table goes to the screen too.

    uses: the methods of rows that do not say what made them; None: those that their words name.
    """
    script = script or name
    full = [
        row if "made" in row else {**row, "made": made.facts(script, made.named_in(row) if uses is None else uses)}
        for row in rows
    ]
    tree = {"machine": machine(), "script": script, "title": title, "note": note, "rows": full}
    write_json(name, tree)
    page = render(tree)
    TABLES.mkdir(parents=True, exist_ok=True)
    (TABLES / f"{name}.md").write_text(page)
    print(page)


def render(tree: Mapping[str, Any]) -> str:
    """The page of a results file."""
    facts, rows = tree["machine"], tree["rows"]
    dates = sorted({row["made"]["date"] for row in rows})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    by = f"Made by `benchmarks/{tree['script']}.py` on {when}, torch {facts['torch']}, {facts['threads']} threads."
    parts = [f"# {tree['title']}", markdown(rows), *([tree["note"]] if tree["note"] else []), by]
    return "\n\n".join(parts) + "\n"


def write_json(name: str, tree: Mapping[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    with files.whole(RESULTS / f"{name}.json") as unfinished:
        unfinished.write_text(json.dumps(tree, indent=1) + "\n")


def every_method() -> list[str]:
    """What irvis can run as it is: methods without parameters, and every shipped weight."""
    plain = [name for name, method in METHODS.items() if not method.learnable]
    return [*plain, *(f"{name}:{w}" for name, method in METHODS.items() for w in method.weights)]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table; numbers with three digits after the point. Rows of other weights than the shipped ones say so."""
    columns = [column for column in dict.fromkeys(key for row in rows for key in row) if column != "made"]
    lines = [columns, ["---"] * len(columns)]
    for row in rows:
        first, *others = (_cell(row.get(key, "")) for key in columns)
        lines.append([f"{first} ({made.EARLIER})" if made.earlier(row) else first, *others])
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
