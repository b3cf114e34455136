"""A report as tables and as JSON."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
from rich.table import Table

from ..evaluate.plots import arrow
from .clusters import Array
from .judges import Judge
from .ranking import ELO, PRIOR, beats, tally
from .report import Report

READ = (
    "preferred: how likely people prefer the method to the average one of these, ties apart (Bradley-Terry model, ties "
    f"after Davidson; normal prior of deviation {PRIOR:g} on log strengths); Elo: the same as points, 400 are odds of "
    "10 : 1; [ ]: 95 % intervals, widened where raters and pairs differ more than chance; +: ahead of the next, that "
    "interval leaves out 0; repeated questions are left out"
)
METRICS = (
    "tau, rho: Kendall's and Spearman's rank correlation of the methods' means with people's strengths, for tau the "
    "range that the uncertainty of the strengths leaves; agrees: share of people's preferences, answer by answer, that "
    "the metric shares, 50 % is chance"
)


def tables(report: Report) -> Iterator[Table | str]:
    """Methods, raters, agreement, metrics, each with what it takes to read it."""
    yield from (f"note: {note}" for note in report.notes)
    yield _methods(report)
    yield READ
    yield _raters(report)
    yield _agreed(report)
    if report.judges:
        yield _judges(report)
        yield METRICS
        if len(report.order) < 5:
            yield f"note: with {len(report.order)} methods any rank correlation may be chance"


def record(report: Report) -> dict[str, Any]:
    """For JSON: numbers that are not there are null. Keys stay what they are; new ones may come."""
    names = list(report.study.methods)
    strength, half = report.ranking.strength, report.ranking.half
    counts = tally(report.told, len(names))
    return {
        "answers": len(report.told.first),
        "pairs": len(report.study.pairs),
        "methods": [
            {
                "name": names[n],
                "strength": _number(strength[n]),
                "interval": [_number(strength[n] - half[n]), _number(strength[n] + half[n])],
                "elo": _number(strength[n] * ELO),
                "preferred": _number(beats(strength)[n]),
                "preferred_interval": [_number(beats(end)[n]) for end in (strength - half, strength + half)],
                "won": int(counts[n, 0]),
                "equal": int(counts[n, 1]),
                "lost": int(counts[n, 2]),
            }
            for n in report.order
        ],
        "differences": [
            dict(zip(("method", "other", "strength", "low", "high"),
                     (names[a], names[b], *map(_number, report.ranking.ahead(a, b))), strict=True))
            for a, b in combinations(report.order, 2)
        ],
        "tie": _number(report.ranking.tie),
        "raters": [_plain(asdict(rater)) for rater in report.raters],
        "agreement": _plain(asdict(report.agreement)),
        "people": dict(zip(("agrees", "low", "high"), map(_number, report.people), strict=True)),
        "metrics": [_plain(asdict(judge)) for judge in report.judges],
        "notes": list(report.notes),
    }  # fmt: skip


def _methods(report: Report) -> Table:
    table = _table("", "method", "preferred", "Elo", "won", "equal", "lost", "")
    names, counts = list(report.study.methods), tally(report.told, len(report.study.methods))
    strength, half = report.ranking.strength, report.ranking.half
    for place, n in enumerate(report.order):
        ends = strength[n] + half[n] * np.array([0.0, -1, 1])
        after = report.order[place + 1] if place + 1 < len(report.order) else None
        sure = after is not None and report.ranking.ahead(n, after)[1] > 0
        likely, points = 100 * beats(ends), ELO * ends
        table.add_row(
            str(place + 1), names[n], _spread(likely, ".0f", " %"), _spread(points, "+.0f"), *map(str, counts[n]),
            "+" if sure else "",
        )  # fmt: skip
    return table


def _raters(report: Report) -> Table:
    table = _table("rater", "answers", "same when repeated", "opposite", "left", "equal", "seconds")
    for rater in report.raters:
        table.add_row(
            rater.name, str(rater.answers), f"{rater.same} of {rater.repeats}", str(rater.opposite),
            _percent(rater.left), _percent(rater.equal), _digits(rater.seconds, 1),
        )  # fmt: skip
    return table


def _agreed(report: Report) -> str:
    """One line between people, one of the ceiling."""
    found = report.agreement
    between = (
        f"raters on the same question, {found.couples} couples of answers: same {_percent(found.same)}, opposite "
        f"{_percent(found.opposite)}, Krippendorff's alpha {_digits(found.alpha, 2)}"
        if found.couples
        else "no question was answered by two raters: nothing is known of their agreement"
    )
    agrees = _spread([100 * value for value in report.people], ".0f", " %")
    ceiling = f"the ranking above agrees with {agrees} of the preferences, answer by answer"
    return f"{between}\n{ceiling}"


def _judges(report: Report) -> Table:
    table = _table("metric", "tau", "rho", "agrees", "answers")
    for judge in sorted(report.judges, key=_standing):
        agrees = [100 * value for value in (judge.agrees, judge.low, judge.high)]
        table.add_row(
            arrow(judge.metric), _spread((judge.kendall, judge.kendall_low, judge.kendall_high), ".2f"),
            _digits(judge.spearman, 2), _spread(agrees, ".0f", " %"), str(judge.answers),
        )  # fmt: skip
    return table


def _standing(judge: Judge) -> tuple[float, float]:
    """Those that agree most come first, those without a number last."""
    first, second = (math.inf if math.isnan(value) else -value for value in (judge.agrees, judge.kendall))
    return first, second


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="")
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table


def _spread(values: Sequence[float] | Array, form: str, unit: str = "") -> str:
    """A number and its interval."""
    number, low, high = values
    if math.isnan(number):
        return "–"
    return f"{number:{form}}{unit}" + ("" if math.isnan(low) else f" [{low:{form}}, {high:{form}}]")


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.0f} %"


def _digits(value: float, count: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{count}f}"


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(value) if isinstance(value, float) else value for name, value in facts.items()}


def _number(value: float) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return round(float(value), 6) if math.isfinite(value) else None
