"""What a task says of every entry: rows of measures with intervals, as a table and as a CSV."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from ...files import whole
from .boxes import Array

DRAWS = 500
FEWEST = 5
"""Scenes without which there is no interval."""
CAMERAS = ("visible", "infrared")
Ends = tuple[float, float, float]
"""A value, and the ends of its 95 % interval."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """One table of the report."""

    name: str
    """Of its CSV file."""
    heading: str
    legend: str
    rows: Mapping[str, Mapping[str, Ends]]
    """Entry → measure → value; measures that start with Δ compare with the better camera."""
    most: str
    """The measure that orders the table, the highest first."""

    @property
    def table(self) -> list[list[str]]:
        """A head and a row per entry."""
        measures = list(next(iter(self.rows.values())))
        order = sorted(self.rows, key=lambda name: -np.nan_to_num(self.rows[name][self.most][0], nan=-1))
        return [["", *measures], *([name, *(_cell(m, *self.rows[name][m]) for m in measures)] for name in order)]

    def write(self, folder: Path) -> None:
        """FOLDER/NAME.csv, a row per entry and measure: value, low, high."""
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["method", "measure", "value", "low", "high"])
        for entry, measures in self.rows.items():
            for measure, values in measures.items():
                writer.writerow([entry, measure, *("" if math.isnan(value) else value for value in values)])
        with whole(folder / f"{self.name}.csv") as unfinished:
            unfinished.write_text(text.getvalue(), encoding="utf-8")


def compared(
    drawn: Mapping[str, Mapping[str, Array]], scenes: Sequence[str], most: str, also: Sequence[str] = ()
) -> tuple[dict[str, dict[str, Ends]], str]:
    """Values and intervals, with the paired differences of `most` and `also` from the better camera; and that camera.

    drawn: entry → measure → the value of all pictures, then that of every draw of scenes.
    """
    cameras = [camera for camera in CAMERAS if camera in drawn]
    better = max(cameras, key=lambda camera: np.nan_to_num(drawn[camera][most][0], nan=-1)) if cameras else ""
    fair = len(set(scenes)) >= FEWEST
    rows = {}
    for entry, of in drawn.items():
        apart = {f"Δ {name}": of[name] - drawn[better][name] for name in (most, *also)} if better else {}
        rows[entry] = {measure: _ends(values, fair) for measure, values in {**of, **apart}.items()}
    return rows, better


def _ends(values: Array, fair: bool) -> Ends:
    """The value of all pictures, and the ends of 95 % of the draws; none of too few scenes."""
    known = values[1:][np.isfinite(values[1:])]
    low, high = np.quantile(known, (0.025, 0.975)) if fair and len(known) else (np.nan, np.nan)
    return float(values[0]), float(low), float(high)


def _cell(measure: str, value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "–"
    half = f" ± {(high - low) / 2:.3f}" if math.isfinite(high - low) else ""
    change = measure.startswith("Δ")
    apart = " *" if change and (low > 0 or high < 0) else ""
    return f"{value:{'+' if change else ''}.3f}{half}{apart}"


HOW = (
    "Values ± half of the 95 % bootstrap interval by picture (by scene where scenes are known); Δ is the paired "
    "difference from {better}, the better of the two cameras: * where its interval leaves out 0."
)
