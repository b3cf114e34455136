"""The table of a paper: LaTeX with booktabs, the best of each column bold and the second best underlined."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..files import whole
from .report import Report, number
from .statistics import direction

ARROWS = {"high": r"$\uparrow$", "low": r"$\downarrow$", "none": ""}
SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip


def write(report: Report, path: Path, controls: Sequence[str]) -> None:
    """The file of `table`."""
    with whole(path) as unfinished:
        unfinished.write_text(table(report, controls), encoding="utf-8")


def table(report: Report, controls: Sequence[str]) -> str:
    """Means ± half of the 95 % interval, rows best mean rank first, controls below a rule.

    Best and second best are marked among the rows that are no controls.
    """
    entries = report.table.entries
    rivals = [n for n in report.order if entries[n] not in controls]
    below = [n for n in report.order if entries[n] in controls]
    head = " & ".join(["", *(f"{plain(name)}{ARROWS[direction(name)]}" for name in report.table.metrics)])
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{tabular}{l" + "c" * len(report.table.metrics) + "}",
        r"\toprule", rf"{head} \\", r"\midrule",
        *(_row(report, entry, rivals) for entry in rivals),
        *([r"\midrule"] if rivals and below else []),
        *(_row(report, entry, rivals) for entry in below),
        r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _row(report: Report, entry: int, rivals: Sequence[int]) -> str:
    cells = []
    for place in range(len(report.table.metrics)):
        text = number(report, entry, place).replace("±", r"\pm").replace("–", r"\text{--}")
        cells.append(_marked(f"${text}$", entry, report.summary.rank[:, place], rivals))
    return " & ".join([plain(report.table.entries[entry]), *cells]) + r" \\"


def _marked(text: str, entry: int, ranks: "np.ndarray[tuple[int], np.dtype[np.float64]]", rivals: Sequence[int]) -> str:
    """Bold for the best of the rivals, underlined for the second; equal ones share a mark."""
    known = np.unique([ranks[rival] for rival in rivals if np.isfinite(ranks[rival])])
    if entry in rivals and len(known) and ranks[entry] == known[0]:
        return rf"\boldmath{text}\unboldmath"
    if entry in rivals and len(known) > 1 and ranks[entry] == known[1]:
        return rf"\underline{{{text}}}"
    return text


def plain(text: str) -> str:
    """Text that LaTeX takes as it is."""
    return "".join(SPECIAL.get(sign, sign) for sign in text)
