"""What the benchmark scripts share: where real pairs are, what a result file says, how a table is printed."""

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from irvis.methods import METHODS

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
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE).stdout
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"), "commit": commit.strip(), "cpu": cpu,
        "threads": str(torch.get_num_threads()), "torch": version("torch"), "irvis": version("irvis"),
    }  # fmt: skip


def write(name: str, rows: Sequence[Mapping[str, Any]], title: str, note: str = "", script: str = "") -> None:
    """results/NAME.json and docs/results/NAME.md, made by SCRIPT (NAME); the table goes to the screen too."""
    facts = machine()
    RESULTS.mkdir(exist_ok=True)
    TABLES.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": facts, "rows": list(rows)}, indent=1) + "\n")
    by = f"benchmarks/{script or name}.py"
    made = f"Made by `{by}` on {facts['date']}, torch {facts['torch']}, {facts['threads']} threads."
    page = f"# {title}\n\n{markdown(rows)}\n\n{note + chr(10) * 2 if note else ''}{made}\n"
    (TABLES / f"{name}.md").write_text(page)
    print(page)


def every_method() -> list[str]:
    """What irvis can run as it is: methods without parameters, and every shipped weight."""
    plain = [name for name, method in METHODS.items() if not method.learnable]
    return [*plain, *(f"{name}:{w}" for name, method in METHODS.items() for w in method.weights)]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table; numbers with three digits after the point."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns), *([_cell(row.get(key, "")) for key in columns] for row in rows)]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
