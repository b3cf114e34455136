"""The answer in words and pictures."""

import csv
import math
import shlex
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from rich.table import Table

from .. import creation
from ..files import whole
from ..sheet import MARGIN, PAPER, save, sheet
from .choosing import Asked, Choice, Row, read

WORDS = {
    "Qw": ("structure of both sources (Qw)", "{:.3f}"),
    "Qe": ("edges of both sources (Qe)", "{:.3f}"),
    "Qabf": ("edges kept (Qabf)", "{:.3f}"),
    "VIF": ("fidelity to both sources (VIF)", "{:.3f}"),
    "SSIM": ("likeness to both sources (SSIM)", "{:.3f}"),
    "Q_CB": ("contrast kept (Q_CB)", "{:.3f}"),
    "targets": ("contrast of warm things kept", "{:.0%}"),
    "detail": ("fine detail kept", "{:.0%}"),
    "noise": ("noise in calm parts, octaves over the calmer camera", "{:+.1f}"),
    "tone": ("brightness moved from the visible picture's, gray levels", "{:.0f}"),
    "darker": ("darkened, gray levels", "{:.1f}"),
    "brighter": ("brightened, gray levels", "{:.1f}"),
    "veil": ("black lifted, gray levels", "{:.0f}"),
    "blown": ("burnt out beyond the visible picture, % of the pixels", "{:.1f}"),
    "contrast": ("contrast, gray levels", "{:.0f}"),
    "overshoot": ("beyond both sources, gray levels", "{:.1f}"),
    "flicker": ("flicker beside the livelier camera", "{:.2f}"),
    "detection": ("average precision of the detector", "{:.2f}"),
}
SHOWN = 3
"""Pairs on the sheet."""
ALIKE = 1.96
"""Standard errors within which two candidates are not told apart."""


def lines(choice: Choice) -> list[str]:
    """Take this one, second, avoid."""
    first, *rest = choice.rows
    told = [f"take    {_named(first)}: {_because(first, choice, 1)}"]
    if rest:
        second, last = rest[0], rest[-1]
        near = " (not told apart from the first on these pairs)" if alike(first, second) else ""
        told.append(f"second  {_named(second)}{near}: {_because(second, choice, 1)}")
        if last is not second:
            told.append(f"avoid   {_named(last)}: {_because(last, choice, -1)}")
    return told


def alike(one: Row, other: Row) -> bool:
    """Whether the difference over the pairs is within its error."""
    apart = one.spread - other.spread
    return len(apart) < 2 or bool(abs(apart.mean()) <= ALIKE * apart.std(ddof=1) / math.sqrt(len(apart)))


def table(choice: Choice) -> Table:
    """Every candidate and both cameras: speed and what was measured."""
    keys = [key for key in WORDS if any(key in row.reasons for row in choice.rows)]
    page = Table("", "score", "per second", *(WORDS[key][0] for key in keys), box=None, header_style="")
    for row in (*choice.rows, *choice.cameras):
        known = row in choice.rows
        page.add_row(row.method, f"{row.score:+.2f}" if known else "", f"{row.fps:.3g}" if known else "",
                     *(_value(key, row) for key in keys))  # fmt: skip
    for name, fps in choice.slow.items():
        page.add_row(name, "", f"{fps:.3g}", *(["too slow"] if keys else []))
    return page


def command(choice: Choice, asked: Asked, given: Sequence[str]) -> str:
    """What to type to fuse all of it with the first."""
    first = choice.rows[0]
    words = ["irvis", "fuse", *given, "-o", "fused/", "-m", first.method]
    words += ["--runtime", first.runtime] if first.runtime != "torch" else []
    words += ["--device", asked.device] if asked.device != "cpu" else []
    return shlex.join(words)


def write(choice: Choice, asked: Asked, out: Path) -> tuple[Path, Path]:
    """OUT/sheet.png and OUT/candidates.csv."""
    pages = [_strip(choice, asked, place) for place in _places(len(choice.pairs))]
    page = Pillow.new("RGB", (max(one.width for one in pages), sum(one.height + MARGIN for one in pages)), PAPER)
    top = 0
    for one in pages:
        page.paste(one, (0, top))
        top += one.height + MARGIN
    out.mkdir(parents=True, exist_ok=True)
    save(page, out / "sheet.png")
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    keys = list(choice.rows[0].measures)
    writer.writerow(["method", "score", "per second", *keys])
    for row in (*choice.rows, *choice.cameras):
        writer.writerow([row.method, _plain(row.score), _plain(row.fps), *(_plain(row.measures[key]) for key in keys)])
    with whole(out / "candidates.csv") as unfinished:
        unfinished.write_text(text.getvalue(), encoding="utf-8")
    return out / "sheet.png", out / "candidates.csv"


def _places(count: int) -> list[int]:
    return sorted({round(place) for place in np.linspace(0, count - 1, min(SHOWN, count))})


@torch.inference_mode()
def _strip(choice: Choice, asked: Asked, place: int) -> Pillow.Image:
    """One pair: both cameras, the first, the second and the one to avoid."""
    pair = read(choice.pairs[place], asked.reading)
    chosen = dict.fromkeys([*choice.rows[:2], choice.rows[-1]])
    labels = ("take", "second", "avoid") if len(chosen) == 3 else ("take", "second")
    pictures = {f"{pair.name}: visible": pair.visible, "infrared": pair.infrared.expand_as(pair.visible)}
    for label, row in zip(labels, chosen, strict=False):
        fuse = creation.fuser(row.method, asked.device, row.runtime)
        pictures[f"{label}: {row.method}"] = fuse(pair.visible.to(asked.device), pair.infrared.to(asked.device)).cpu()
    return sheet(pictures, columns=len(pictures), width=360)


def _named(row: Row) -> str:
    return f"{row.method} ({row.fps:.3g} a second{'' if row.runtime == 'torch' else f' with --runtime {row.runtime}'})"


def _because(row: Row, choice: Choice, sign: int) -> str:
    """What speaks most for a candidate (or, `sign` -1, against it), beside the mean of all."""
    order = sorted(row.reasons, key=lambda key: -sign * row.reasons[key])
    strongest = [key for key in order if sign * row.reasons[key] > 0][:2]
    if not strongest:
        return "nothing sets it apart"
    told = []
    for key in strongest:
        mean = float(np.nanmean([other.measures[key] for other in choice.rows]))
        told.append(f"{WORDS[key][0]} {_value(key, row)} (mean {WORDS[key][1].format(mean)})")
    return "; ".join(told)


def _value(key: str, row: Row) -> str:
    value = row.measures.get(key, math.nan)
    return WORDS[key][1].format(value) if math.isfinite(value) else "–"


def _plain(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""
