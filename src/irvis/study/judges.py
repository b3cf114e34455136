"""Metrics beside people: how alike they order the methods, and how often a metric prefers what a person preferred."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from ..errors import IrvisError
from ..evaluate import compute
from ..evaluate.entries import Entry
from ..evaluate.statistics import signs
from .clusters import Array, Clusters, share
from .database import Study
from .folders import Shown
from .ranking import Comparisons, Ranking
from .reading import reading

DRAWS = 2000
LEAST = 3
"""Methods without which a rank correlation says nothing."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """One metric against the people. Intervals are of 95 %; NaN where there is no number."""

    metric: str
    kendall: float
    """Rank correlation τ_b of the methods' means, over the pairs where all have a value, with their strengths."""
    kendall_low: float
    kendall_high: float
    spearman: float
    agrees: float
    """Share of the answers preferring one result in which the metric prefers the same; its ties count half."""
    low: float
    high: float
    answers: int
    """Answers that this share is of."""


def measure(
    study: Study,
    metrics: str,
    profile: str,
    *,
    workers: int = 0,
    pairs: Sequence[int] | None = None,
    show: Callable[[int], AbstractContextManager[Callable[[], object]]] = compute.quietly,
    say: Callable[[str], None] = print,
) -> tuple[list[str], Array]:
    """The metrics and their values[pair, method, metric] of the results, by `irvis evaluate`'s machinery.

    What is computed is kept in a folder beside the study (study.metrics for study.sqlite). pairs: those wanted; the
    others stay NaN. show: given the number of results to judge, a context that gives what is called after each.
    IrvisError where the study knows no sources.
    """
    chosen = compute.choose(metrics, profile)
    values = np.full((len(study.pairs), len(study.methods), len(chosen)), np.nan)
    places = {one.name: place for place, one in enumerate(study.pairs)}
    methods = list(study.methods)
    for entries, group in _groups(study, range(len(study.pairs)) if pairs is None else pairs):
        plan = compute.Plan(
            entries=entries, metrics=chosen, profile=profile, out=folder(study.file), reading=reading(study.reading),
            stems={one.name: _names(study, one) for one in group},
        )  # fmt: skip
        matches = [one.sources for one in group if one.sources]
        with show(len(matches) * len(entries)) as step:
            done = list(compute.judge_all(matches, plan, workers, step))
        for judged in done:
            for problem in judged.problems:
                say(f"failed: {problem}")
            for name, found in judged.values.items():
                values[places[judged.pair.name], methods.index(name)] = [found[metric] for metric in chosen]
    return chosen, values


def folder(file: Path) -> Path:
    """Where a study's metrics are kept."""
    return file.with_suffix(".metrics")


def judges(metrics: Sequence[str], values: Array, told: Comparisons, ranking: Ranking, seed: int = 0) -> list[Judge]:
    """Each metric; those that call neither large nor small better are taken as if large were."""
    turned = values * np.where(signs(metrics) == 0, 1.0, signs(metrics))
    drawn = np.random.default_rng(seed).multivariate_normal(ranking.strength, ranking.covariance, DRAWS, method="eigh")
    return [_judge(name, turned[..., place], told, ranking, drawn) for place, name in enumerate(metrics)]


def people(told: Comparisons, ranking: Ranking) -> tuple[float, float, float]:
    """How often one answer agrees with the ranking of all, with its interval. A metric that orders whole methods can
    hardly do better: the answers themselves made the ranking."""
    prefers = np.sign(ranking.strength[told.first] - ranking.strength[told.second])
    return _agreeing(prefers, told)[:3]


def kendall(one: Array, other: Array) -> Array:
    """Kendall's τ_b of `one` (methods,) with each row of `other` (rows, methods); NaN where one side is all equal."""
    upper = np.triu_indices(len(one), 1)
    mine = _order(one[None])[0][upper]
    theirs = _order(other)[:, upper[0], upper[1]]
    length = np.sqrt((mine**2).sum() * (theirs**2).sum(1))
    with np.errstate(invalid="ignore"):
        return np.asarray((theirs @ mine) / np.where(length > 0, length, np.nan), np.float64)


def spearman(one: Array, other: Array) -> float:
    """Spearman's ρ; NaN where one side is all equal."""
    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (one, other)]
    length = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float(ranks[0] @ ranks[1]) / length if length else float("nan")


def _order(values: Array) -> Array:
    """(rows, n, n): +1 where the first is larger, -1 where smaller; infinities are equal to each other."""
    first, second = values[:, :, None], values[:, None, :]
    return (first > second).astype(np.float64) - (first < second)


def _judge(name: str, values: Array, told: Comparisons, ranking: Ranking, drawn: Array) -> Judge:
    """values: (pair, method), more is better."""
    asked = np.unique(np.concatenate([told.first, told.second]))
    complete = values[:, asked][~np.isnan(values[:, asked]).any(1)]
    tau, low, high, rho = (float("nan"),) * 4
    if len(complete) and len(asked) >= LEAST:
        means = complete.mean(0)
        tau = float(kendall(means, ranking.strength[None, asked])[0])
        rho = spearman(means, ranking.strength[asked])
        if not np.isnan(tau):
            low, high = np.quantile(kendall(means, drawn[:, asked]), [0.025, 0.975]).tolist()
    pairs = told.clusters.pairs
    first, second = values[pairs, told.first], values[pairs, told.second]
    prefers = np.where(np.isnan(first) | np.isnan(second), np.nan, (first > second) * 1.0 - (first < second))
    agrees, least, most, count = _agreeing(prefers, told)
    return Judge(
        metric=name, kendall=tau, kendall_low=low, kendall_high=high, spearman=rho, agrees=agrees, low=least, high=most,
        answers=count,
    )  # fmt: skip


def _agreeing(prefers: Array, told: Comparisons) -> tuple[float, float, float, int]:
    """prefers: +1 the first, -1 the second, 0 neither, NaN not known; (n,)."""
    kept = (told.outcome != 0) & ~np.isnan(prefers)
    agrees = (1 + prefers[kept] * told.outcome[kept]) / 2
    clusters = Clusters(told.clusters.raters[kept], told.clusters.pairs[kept])
    return *share(agrees, clusters), int(kept.sum())


def _groups(study: Study, pairs: Iterable[int]) -> list[tuple[list[Entry], list[Shown]]]:
    """Pairs that the same methods have a result of."""
    groups: dict[tuple[str, ...], list[Shown]] = {}
    for place in pairs:
        one = study.pairs[place]
        if one.sources is None:
            raise IrvisError("metrics need what the results were made of: irvis study -o FILE --visible … --infrared …")
        groups.setdefault(tuple(one.results), []).append(one)
    return [
        ([Entry(name=name, kind="images", source=str(study.methods[name])) for name in names], group)
        for names, group in groups.items()
    ]


def _names(study: Study, one: Shown) -> tuple[str, ...]:
    """What the pair's results are called in their folders."""
    places = (path.relative_to(study.methods[method]) for method, path in one.results.items())
    return tuple(dict.fromkeys(place.with_suffix("").as_posix() for place in places))
