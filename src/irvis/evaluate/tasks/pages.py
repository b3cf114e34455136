"""Detection for people and programs: a table, a CSV, and boxes on pictures."""

import csv
import math
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import numpy as np
import torch
from PIL import ImageDraw, ImageFont

from ...files import whole
from ...sheet import FRAMES, to_pillow
from ...types import RGB
from .boxes import Boxes
from .detection import SURE, Detection

HEADING = "Detection"


def legend(detection: Detection) -> str:
    """How to read the table."""
    return (
        f"Average precision at an overlap of 0.5 (AP50), the mean over overlaps from 0.5 to 0.95 (AP50:95), and the "
        f"share of labels found before there are more false finds per picture than stated. Values ± half of the 95 % "
        f"bootstrap interval by picture (by scene where scenes are known); Δ is the paired difference from "
        f"{detection.better}, the better of the two cameras: * where its interval leaves out 0. Sizes are COCO's. "
        f"Truth: {detection.note}."
    )


def table(detection: Detection) -> list[list[str]]:
    """A head and a row per entry, the highest AP50 first."""
    measures = list(next(iter(detection.rows.values())))
    order = sorted(detection.rows, key=lambda name: -detection.rows[name]["AP50"][0])
    return [["", *measures], *([name, *(_cell(m, *detection.rows[name][m]) for m in measures)] for name in order)]


def _cell(measure: str, value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "–"
    half = f" ± {(high - low) / 2:.3f}" if math.isfinite(high - low) else ""
    change = measure.startswith("Δ")
    apart = " *" if change and (low > 0 or high < 0) else ""
    return f"{value:{'+' if change else ''}.3f}{half}{apart}"


def write(detection: Detection, path: Path) -> None:
    """A row per entry and measure: value, low, high."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["method", "measure", "value", "low", "high"])
    for entry, measures in detection.rows.items():
        for measure, values in measures.items():
            writer.writerow([entry, measure, *("" if math.isnan(value) else value for value in values)])
    with whole(path) as unfinished:
        unfinished.write_text(text.getvalue(), encoding="utf-8")


def drawn(image: RGB, pair: str, entry: str, detection: Detection) -> RGB:
    """The picture with the boxes that are found with some confidence, a colour and a name for each class."""
    found: Mapping[str, Boxes] = detection.found.get(entry, {})
    if pair not in found:
        return image
    page = to_pillow(image)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=max(page.width // 50, 10))
    one = found[pair]
    for corners, kind in zip(one.corners[one.scores >= SURE], one.classes[one.scores >= SURE], strict=True):
        frame = FRAMES[int(kind) % len(FRAMES)]
        pen.rectangle([*corners], outline=frame, width=max(page.width // 300, 2))
        pen.text((corners[0] + 3, corners[1] + 2), detection.names[int(kind)], fill=frame, font=font)
    return torch.from_numpy(np.array(page)).permute(2, 0, 1)[None] / 255
