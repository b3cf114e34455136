"""A report as a table, as lines and as JSON."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rich.table import Table

from ..thermal import polarity
from . import Report
from .findings import KINDS, Finding, Look, Pixels, Side

NAMES = 3


def table(report: Report) -> Table:
    """One row per kind of finding: how many, the first names, what to do."""
    rows = Table("", "finding", "pairs", "such as", "what to do", box=None, header_style="")
    for kind, group in groupby(report.findings, key=lambda finding: finding.kind):
        found = list(group)
        facts = KINDS[kind]
        rows.add_row(facts.level, facts.title, str(len(_names(found))), _first(found), facts.advice)
    return rows


def _first(found: list[Finding]) -> str:
    names = _names(found)
    return ", ".join(names[:NAMES]) + (" …" if len(names) > NAMES else "")


def _names(found: list[Finding]) -> list[str]:
    """Each pair once, whatever was found on both of its sides."""
    return list(dict.fromkeys(finding.pair or finding.text for finding in found))


def summary(report: Report) -> str:
    """One line."""
    known = report.polarity
    looked = f"{len(report.looks)} pairs looked at, {len(report.refused)} that cannot be fused as they are"
    found = len({(finding.kind, finding.pair or finding.text) for finding in report.findings})
    return f"{looked}; {found} findings; infrared {known if known != 'unknown' else 'of unknown polarity'}"


def lines(report: Report) -> Iterator[str]:
    """Facts of each pair, what was found below them; findings of the whole folder last."""
    by_pair: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_pair.setdefault(finding.pair, []).append(finding)
    for look in report.looks:
        yield f"{look.match.name}: visible {_told(look.visible)}; infrared {_told(look.infrared)}"
        yield from map(_line, by_pair.pop(look.match.name, []))
    yield from (_line(finding) for rest in by_pair.values() for finding in rest)


def _line(finding: Finding) -> str:
    facts = KINDS[finding.kind]
    return f"  {facts.level}: {facts.title}: {finding.text}: {facts.advice}"


def _told(side: Side) -> str:
    if (pixels := side.pixels) is None:
        return "not read"
    colour = "colour" if pixels.coloured else "gray"
    hot = "" if pixels.hot is None else f" {polarity.verdict(pixels.hot)}"
    return f"{pixels.size} {pixels.samples} {colour} {pixels.low:g}..{pixels.high:g}{hot}"


def record(report: Report) -> dict[str, Any]:
    """For JSON. Keys stay what they are; new ones may come."""
    return {
        "pairs": len(report.looks),
        "refused": list(report.refused),
        "polarity": {"verdict": report.polarity, "evidence": _number(report.evidence)},
        "findings": [
            {
                "kind": finding.kind,
                "level": KINDS[finding.kind].level,
                "pair": finding.pair or None,
                "text": finding.text,
                "advice": KINDS[finding.kind].advice,
            }
            for finding in report.findings
        ],
        "files": [_pair(look) for look in report.looks],
    }


def _pair(look: Look) -> dict[str, Any]:
    return {
        "name": look.match.name,
        "visible": _file(look.visible),
        "infrared": _file(look.infrared),
        "likeness": _number(look.likeness),
        "shift": look.shift,
    }


def _file(side: Side) -> dict[str, Any]:
    facts = {"path": str(side.path), "problem": side.problem or None}
    return facts if side.pixels is None else {**facts, **_facts(side.pixels)}


def _facts(pixels: Pixels) -> dict[str, Any]:
    numbers = {
        name: _number(getattr(pixels, name)) for name in ("low", "high", "contrast", "black", "white", "missing")
    }
    return {
        "width": pixels.width,
        "height": pixels.height,
        "channels": pixels.channels,
        "samples": pixels.samples,
        "orientation": pixels.turned,
        "coloured": pixels.coloured,
        "levels": pixels.levels,
        **numbers,
        "polarity": None if pixels.hot is None else polarity.verdict(pixels.hot),
        "evidence": _number(pixels.hot),
    }


def _number(value: float | None) -> float | None:
    """JSON knows no NaN."""
    return None if value is None or value != value else round(value, 6)
