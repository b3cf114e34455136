"""The pages: a Markdown report with its figures beside it, and one HTML file that holds everything."""

import base64
import html
import io as streams
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image as Pillow

from ..files import whole
from ..metrics import METRICS, PROFILES
from .plots import arrow
from .statistics import Summary, Table, least_p
from .tasks.sections import Section


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that the pages show."""

    title: str
    facts: Mapping[str, str]
    table: Table
    summary: Summary
    reference: int
    seconds: Mapping[str, float]
    profile: str
    problems: Sequence[str] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """Caption → figure."""
    strips: Mapping[str, Pillow.Image] = field(default_factory=dict)
    flicker: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Entry → measure → gain, where the pairs are frames."""

    sections: Sequence[Section] = ()
    """What tasks say."""

    @property
    def order(self) -> list[int]:
        """Entries, best mean rank first."""
        return [int(entry) for entry in np.argsort(self.summary.mean_rank, kind="stable")]


FLICKER = "Flicker: change from frame to frame over that of the livelier source (1 = no more)"
MARKS = {1.0: "▲", -1.0: "▼", 0.0: ""}
READ = (
    "Values are means over {pairs} pairs{scenes} ± half of the 95 % bootstrap interval. The mean rank is over the "
    "metrics that have a better side, among the rows with a result for every pair. ▲ and ▼: better or worse than "
    "{reference} (paired Wilcoxon test, Holm-corrected over the rows, 5 %); no mark: not told apart{few}. Rows in "
    "italics are controls: a method that does not beat them has shown nothing."
)
FEW = ", which so few {what} could not do in any case"


def write(report: Report, out: Path, controls: Sequence[str]) -> tuple[Path, Path]:
    """OUT/report.md with OUT/figures/*, and OUT/report.html."""
    for old in (out / "figures").glob("*.png"):
        old.unlink()
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
    if not np.isfinite(report.summary.mean[entry, place]):
        return "–"
    return f"{number(report, entry, place)} {MARKS[float(report.summary.better[entry, place])]}".strip()


def number(report: Report, entry: int, place: int) -> str:
    """Mean ± half interval."""
    mean, low, high = (float(a[entry, place]) for a in (report.summary.mean, report.summary.low, report.summary.high))
    if not np.isfinite(mean):
        return "–"
    return _with_half(mean, (high - low) / 2) if np.isfinite(high - low) else _digits(mean)


def heading(report: Report) -> str:
    """The sentence that says how to read the table."""
    table = report.table
    scenes = len(set(table.scenes))
    alone = scenes == len(table.pairs)
    hopeless = least_p(scenes, len(table.entries) - 1) >= 0.05
    return READ.format(
        pairs=len(table.pairs),
        scenes="" if alone else f" of {scenes} scenes, each one observation",
        few=FEW.format(what="pairs" if alone else "scenes") if hopeless else "",
        reference=table.entries[report.reference],
    )


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
        shown = f"*{_plain(name)}*" if name in controls else f"**{_plain(name)}**"
        shown += _gaps(report, entry)
        cells = [cell(report, entry, place) for place in range(len(table.metrics))]
        lines.append("| " + " | ".join([shown, _rank(report, entry), _milliseconds(report, name), *cells]) + " |")
    if report.flicker:
        head, *rows = _flicker_rows(report)
        lines += ["", f"## {FLICKER}", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in rows]
    for section in report.sections:
        head, *rows = section.table
        lines += ["", f"## {section.heading}", "", section.legend, ""]
        lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        lines += ["| " + " | ".join([_plain(name), *cells]) + " |" for name, *cells in rows]
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
        "tasks": "".join(map(_html_section, report.sections)),
        "pictures": "\n".join(_picture(*one) for one in figures + strips),
        "metrics": _legend(report.table.metrics, report.profile),
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
    rivals = [n for n, name in enumerate(report.table.entries) if name not in controls]
    for entry in report.order:
        name = report.table.entries[entry]
        cells = [
            f"<th>{html.escape(name + _gaps(report, entry))}</th>",
            _td(report.summary.mean_rank[entry], _rank(report, entry)),
        ]
        cells.append(_td(report.seconds.get(name, np.nan), _milliseconds(report, name)))
        for place in range(len(report.table.metrics)):
            ranks = report.summary.rank[rivals, place]
            first = name not in controls and report.summary.rank[entry, place] == np.nanmin(ranks, initial=np.inf)
            best = ' class="best"' if first else ""
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


def _html_section(section: Section) -> str:
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in section.table)
    legend = html.escape(section.legend)
    return f'<h2>{section.heading}</h2><p>{legend}</p><div class="wide"><table>{rows}</table></div>'


def _gaps(report: Report, entry: int) -> str:
    """How many results there are, where some are missing."""
    there, pairs = int(report.summary.results[entry]), len(report.table.pairs)
    return "" if there == pairs else f" ({there} of {pairs})"


def _plain(name: str) -> str:
    """A name that Markdown leaves alone."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|" else c for c in name)


def _td(value: float, text: str, attributes: str = "") -> str:
    key = f"{value:.12g}" if np.isfinite(value) else ""
    return f'<td data-value="{key}"{attributes}>{html.escape(text)}</td>'


def _picture(caption: str, data: bytes, kind: str) -> str:
    text = html.escape(caption)
    source = base64.b64encode(data).decode()
    return f'<h2>{text}</h2><img alt="{text}" src="data:{kind};base64,{source}">'


def _legend(metrics: Sequence[str], profile: str) -> str:
    """What the columns are: full names; another profile's code has units and bounds of its own."""
    if profile != "default":
        facts = PROFILES[profile]
        return _list([f"profile {profile}: the numbers of {facts.code}", facts.notes])
    lines = []
    for name in metrics:
        family = METRICS.get(name) or METRICS.get(name.rsplit("_", 1)[0])
        if family is None:
            continue
        part = f" ({name.rsplit('_', 1)[1]} pixels)" if family.name != name else ""
        low, high = family.bounds
        lines.append(f"{arrow(name)}: {family.title}{part}. Unit {family.unit}, from {low:g} to {high:g}.")
    return _list(lines)


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>"


def _rank(report: Report, entry: int) -> str:
    rank = report.summary.mean_rank[entry]
    return f"{rank:.2f}" if np.isfinite(rank) else "–"


def _milliseconds(report: Report, name: str) -> str:
    return f"{report.seconds[name] * 1000:.0f}" if name in report.seconds else ""


def _with_half(value: float, half: float) -> str:
    """A mean and half of its interval, which has two digits that count, to the same place after the point."""
    if half <= 0:
        return f"{_digits(value)} ± 0"
    places = 1 - math.floor(math.log10(half))
    if places > 5:
        return f"{value:.2e} ± {half:.1e}"
    return f"{value:.{max(places, 0)}f} ± {half:.{max(places, 0)}f}"


def _digits(value: float) -> str:
    if abs(value) >= 1 or not np.isfinite(value):
        return f"{value:.4g}"
    return f"{value:.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.2e}"


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
