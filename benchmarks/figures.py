"""Which figures of docs/figures show what shipped weights make of a picture, and what draws them.

results/figures.json records the weights that each was drawn with; `refresh.py` draws those anew that are out of date.
Figures of a result's page are drawn with it, and those drawn from results/*.json with `learn_plots.py`.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import made
from irvis import files

DRAWN: Mapping[str, tuple[str, Sequence[str]]] = {
    "demo.png": ("demo_figure.py", ["encdec"]),
    "explain-registered.png": ("explain.py registered", ["encdec"]),
    "explain-encdec-filters.png": ("explain_networks.py filters", ["encdec:paper"]),
    "explain-encdec-gains.png": ("explain_networks.py gains", ["encdec", "encdec:paper"]),
    "explain-maefuse-features.png": ("explain_networks.py decoded", ["maefuse"]),
    "learn-fuse.png": ("learn_pictures.py fuse", ["encdec"]),
    "learn-folder.png": ("learn_pictures.py folder", ["encdec"]),
    "learn-python.png": ("learn_pictures.py python", ["encdec", "maefuse"]),
    "learn-thermal.png": ("learn_pictures.py thermal", ["encdec"]),
    "learn-align.png": ("learn_pictures.py align", ["encdec"]),
    "learn-evaluate.png": ("learn_plots.py evaluate", ["encdec"]),
    **{
        f"method-{case}.png": ("method_pictures.py", ["encdec"])
        for case in ("day", "night", "glare", "noise", "thermal", "near-infrared")
    },
    "app.png": ("app_figure.py", ["encdec"]),
    "app-phone.png": ("app_figure.py", ["encdec"]),
}
"""Figure → the command, in this folder, and the methods that it runs."""
EARLIER = " *(drawn with earlier weights)*"
PICTURE = re.compile(r"(!\[[^\]]*\]\([^)]*figures/([\w.-]+)\))(?: \*\(drawn with earlier weights\)\*)?")
FROM_RESULTS = ("speed", "bench", "big", "archives")
"""Plots of learn_plots.py that are drawn from results: seconds each, drawn whenever results were made."""


def records() -> list[made.Row]:
    """What is known of every figure."""
    known = {row["figure"]: row for row in made.read("figures").get("rows", [])}
    return [{"figure": name, "made": {}} | known.get(name, {}) for name in DRAWN]


def due() -> list[made.Row]:
    """Those that were drawn with other weights than the shipped ones."""
    return [row for row in records() if row["made"].get("weights") != made.weights_of(DRAWN[row["figure"]][1])]


def mark() -> None:
    """Say after every picture on a page of docs/, and in the README, whether it was drawn with earlier weights."""
    late = {row["figure"] for row in due()}
    for page in (made.HERE.parent / "README.md", *sorted((made.HERE.parent / "docs").rglob("*.md"))):
        text = page.read_text()
        if (marked := PICTURE.sub(lambda found: found[1] + (EARLIER if found[2] in late else ""), text)) != text:
            with files.whole(page) as unfinished:
                unfinished.write_text(marked)


def draw(command: str) -> None:
    """Run a command, and record the figures it draws. Raises CalledProcessError where it fails."""
    script, begun = command.split()[0].removesuffix(".py"), time.perf_counter()
    subprocess.run([sys.executable, *command.split()], cwd=made.HERE, check=True)
    drawn = {name: uses for name, (by, uses) in DRAWN.items() if by == command}
    seconds = (time.perf_counter() - begun) / max(len(drawn), 1)
    new = {name: {"figure": name, "made": made.facts(script, uses, seconds)} for name, uses in drawn.items()}
    rows = [new.get(row["figure"], row) for row in records()]
    with files.whole(made.RESULTS / "figures.json") as unfinished:
        unfinished.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
