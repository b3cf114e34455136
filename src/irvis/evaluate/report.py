"""The pages: a Markdown report with its figures beside it, and one HTML file that holds everything."""

import base64
import html
import io as streams
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image as Pillow

from ..files import whole
from ..metrics import METRICS
from .plots import arrow
from .statistics import Summary, Table


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that the pages show."""

    title: str
    facts: Mapping[str, str]
    table: Table
    summary: Summary
    reference: int
    seconds: Mapping[str, float]
    problems: Sequence[str] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """Caption → figure."""
    strips: Mapping[str, Pillow.Image] = field(default_factory=dict)
    flicker: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Entry → measure → gain, where the pairs are frames."""

    @property
    def order(self) -> list[int]:
        """Entries, best mean rank first."""
        return [int(entry) for entry in np.argsort(self.summary.mean_rank, kind="stable")]


FLICKER = "Flicker: change from frame to frame over that of the livelier source (1 = no more)"
MARKS = {1.0: "▲", -1.0: "▼", 0.0: ""}
READ = (
    "Values are means over the pairs ± half of the 95 % bootstrap interval{scenes}. The mean rank is over the metrics "
    "that have a better side. ▲ and ▼: better or worse than {reference} (paired Wilcoxon test, Holm-corrected over "
    "the rows, 5 %). Rows in italics are controls: a method that does not beat them has shown nothing."
)


def write(report: Report, out: Path, controls: Sequence[str]) -> tuple[Path, Path]:
    """OUT/report.md with OUT/figures/*, and OUT/report.html."""
    names = {caption: f"figures/{_slug(caption)}.png" for caption in (*report.figures, *report.strips)}
    for caption, figure in report.figures.items():
        _write_bytes(out / names[caption], _png(figure))
    for caption, picture in report.strips.items():
        _write_bytes(out / names[caption], _encoded(picture, "PNG"))
    page, site = out / "report.md", out / "report.html"
    _write_bytes(page, _markdown(report, names, controls).encode())
    _write_bytes(site, _html(report, controls).encode())
    return page, site


def cell(report: Report, entry: int, place: int) -> str:
    """Mean ± half interval, and the mark of the test."""
    mean, low, high = (float(a[entry, place]) for a in (report.summary.mean, report.summary.low, report.summary.high))
    if not np.isfinite(mean):
        return "–"
    spread = f" ± {_digits((high - low) / 2)}" if np.isfinite(high - low) else ""
    return f"{_digits(mean)}{spread} {MARKS[float(report.summary.better[entry, place])]}".strip()


def heading(report: Report) -> str:
    """The sentence that says how to read the table."""
    scenes = len(set(report.table.scenes))
    by_scene = f" ({scenes} scenes drawn whole)" if scenes < len(report.table.pairs) else ""
    return READ.format(scenes=by_scene, reference=report.table.entries[report.reference])


def _markdown(report: Report, names: Mapping[str, str], controls: Sequence[str]) -> str:
    table = report.table
    columns = ["", "mean rank", "ms", *map(arrow, table.metrics)]
    lines = [
        f"# {report.title}",
        "",
        heading(report),
        "",
        "| " + " | ".join(columns) + " |",
        "|---" * len(columns) + "|",
    ]
    for entry in report.order:
        name = table.entries[entry]
        shown = f"*{name}*" if name in controls else f"**{name}**"
        cells = [cell(report, entry, place) for place in range(len(table.metrics))]
        lines.append("| " + " | ".join([shown, _rank(report, entry), _milliseconds(report, name), *cells]) + " |")
    if report.flicker:
        head, *rows = _flicker_rows(report)
        lines += ["", f"## {FLICKER}", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in rows]
    lines += [f"\n## {caption}\n\n![{caption}]({names[caption]})" for caption in (*report.figures, *report.strips)]
    lines += ["", "## How it was made", "", *(f"- {name}: {text}" for name, text in report.facts.items())]
    if report.problems:
        lines += ["", "## Failures", "", *(f"- {problem}" for problem in report.problems)]
    return "\n".join(lines) + "\n"


def _html(report: Report, controls: Sequence[str]) -> str:
    figures = [(caption, _png(figure), "image/png") for caption, figure in report.figures.items()]
    strips = [(caption, _encoded(picture, "JPEG"), "image/jpeg") for caption, picture in report.strips.items()]
    parts = {
        "title": html.escape(report.title),
        "heading": html.escape(heading(report)),
        "table": _html_table(report, controls),
        "flicker": _html_flicker(report),
        "pictures": "\n".join(_picture(*one) for one in figures + strips),
        "metrics": _legend(report.table.metrics),
        "facts": _list([f"{name}: {text}" for name, text in report.facts.items()]),
        "problems": f"<h2>Failures</h2>{_list(report.problems)}" if report.problems else "",
    }
    page = (files("irvis.evaluate") / "report.html").read_text(encoding="utf-8")
    for name, text in parts.items():
        page = page.replace(f"<!-- {name} -->", text)
    return page


def _html_table(report: Report, controls: Sequence[str]) -> str:
    head = "".join(
        f"<th>{html.escape(text)}</th>" for text in ("", "mean rank", "ms", *map(arrow, report.table.metrics))
    )
    rows = []
    for entry in report.order:
        name = report.table.entries[entry]
        cells = [f"<th>{html.escape(name)}</th>", _td(report.summary.mean_rank[entry], _rank(report, entry))]
        cells.append(_td(report.seconds.get(name, np.nan), _milliseconds(report, name)))
        for place in range(len(report.table.metrics)):
            best = ' class="best"' if report.summary.rank[entry, place] == 1 else ""
            cells.append(_td(report.summary.mean[entry, place], cell(report, entry, place), best))
        rows.append(f'<tr class="{"control" if name in controls else ""}">{"".join(cells)}</tr>')
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _flicker_rows(report: Report) -> list[list[str]]:
    """A head and a row per entry, steadiest first."""
    measures = list(next(iter(report.flicker.values())))
    order = sorted(report.flicker, key=lambda name: report.flicker[name][measures[0]])
    return [["", *measures], *([name, *(f"{report.flicker[name][m]:.3f}" for m in measures)] for name in order)]


def _html_flicker(report: Report) -> str:
    if not report.flicker:
        return ""
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in _flicker_rows(report)
    )
    return f"<h2>{html.escape(FLICKER)}</h2><table>{rows}</table>"


def _td(value: float, text: str, attributes: str = "") -> str:
    key = f"{value:.12g}" if np.isfinite(value) else ""
    return f'<td data-value="{key}"{attributes}>{html.escape(text)}</td>'


def _picture(caption: str, data: bytes, kind: str) -> str:
    text = html.escape(caption)
    source = base64.b64encode(data).decode()
    return f'<h2>{text}</h2><img alt="{text}" src="data:{kind};base64,{source}">'


def _legend(metrics: Sequence[str]) -> str:
    known = [METRICS[name] for name in metrics if name in METRICS]
    return _list(
        [f"{arrow(m.name)}: {m.title}. Unit {m.unit}, from {m.bounds[0]:g} to {m.bounds[1]:g}." for m in known]
    )


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>"


def _rank(report: Report, entry: int) -> str:
    rank = report.summary.mean_rank[entry]
    return f"{rank:.2f}" if np.isfinite(rank) else "–"


def _milliseconds(report: Report, name: str) -> str:
    return f"{report.seconds[name] * 1000:.0f}" if name in report.seconds else ""


def _digits(value: float) -> str:
    return f"{value:.4g}" if abs(value) >= 1 else f"{value:.4f}"


def _slug(caption: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in caption.lower()).split())[:60]


def _png(figure: Figure) -> bytes:
    stream = streams.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()


def _encoded(picture: Pillow.Image, kind: str) -> bytes:
    stream = streams.BytesIO()
    picture.convert("RGB").save(stream, kind, quality=90)
    return stream.getvalue()


def _write_bytes(path: Path, data: bytes) -> None:
    with whole(path) as unfinished:
        unfinished.write_bytes(data)
