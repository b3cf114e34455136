"""What the numbers say together: means with intervals, ranks, tests, and how metrics go along with each other.

Everything works on one array, values[pair, entry, metric], NaN where there is none; pure numpy and scipy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, wilcoxon

from ..metrics import METRICS

Array = NDArray[np.float64]

DRAWS = 2000
"""Bootstrap samples of scenes."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Every value, with the names of its axes."""

    pairs: Sequence[str]
    scenes: Sequence[str]
    """The scene of each pair; pairs of one scene are drawn together."""
    entries: Sequence[str]
    metrics: Sequence[str]
    values: Array


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Of each entry and metric (arrays: entry, metric), and of each entry."""

    mean: Array
    low: Array
    high: Array
    count: NDArray[np.int64]
    """Pairs with a value."""
    rank: Array
    """1 is best, among the means; NaN for metrics that call neither large nor small better."""
    mean_rank: Array
    """Over the metrics; (entry,)."""
    p: Array
    """Paired Wilcoxon test against the reference entry, Holm-corrected over the rivals; NaN for itself."""
    better: Array
    """+1, -1, 0: better, worse, not told apart from the reference at 5 %."""
    correlation: Array
    """(metric, metric): Spearman's over the entries of a pair, mean over pairs; both turned so that more is better."""


def summarise(table: Table, reference: int = 0, seed: int = 0) -> Summary:
    """All of it. `reference`: the entry that the others are tested against."""
    values = table.values
    low, high = intervals(values, table.scenes, seed)
    mean = _mean(values)
    rank = ranks(mean, table.metrics)
    p = tests(values, reference)
    return Summary(
        mean=mean,
        low=low,
        high=high,
        count=np.isfinite(values).sum(0),
        rank=rank,
        mean_rank=_mean(rank.T),
        p=p,
        better=_verdicts(values, p, reference, table.metrics),
        correlation=correlations(values, table.metrics),
    )


def signs(metrics: Sequence[str]) -> Array:
    """+1 where more is better, -1 where less is, 0 where neither."""
    sign = {"high": 1.0, "low": -1.0, "none": 0.0}
    return np.array([sign[direction(name)] for name in metrics])


def direction(metric: str) -> str:
    """Which way is better. Variants (CHROMA_dark, FMI_dct) go with their family; PaQ-2-PiQ is a quality."""
    names = (metric, metric.split("_")[0])
    return next((METRICS[name].better for name in names if name in METRICS), "high")


def ranks(means: Array, metrics: Sequence[str]) -> Array:
    """Rank of each entry by each metric, 1 is best; equal means share the mean of their places."""
    turned = -means * signs(metrics)
    rank = rankdata(np.where(np.isfinite(turned), turned, np.inf), axis=0)
    rank[~np.isfinite(means)] = np.nan
    rank[:, signs(metrics) == 0] = np.nan
    return rank


def intervals(values: Array, scenes: Sequence[str], seed: int = 0) -> tuple[Array, Array]:
    """95 % percentile bootstrap of the mean over pairs; whole scenes are drawn, as their pairs are alike."""
    names, which = np.unique(np.asarray(scenes), return_inverse=True)
    drawn = np.random.default_rng(seed).integers(len(names), size=(DRAWS, len(names)))
    times = np.stack([np.bincount(row, minlength=len(names)) for row in drawn]).astype(float)[:, which]
    there = np.isfinite(values)
    flat = np.where(there, values, 0.0).reshape(len(values), -1)
    weight = times @ there.reshape(len(values), -1)
    means = (times @ flat) / np.where(weight > 0, weight, np.nan)
    ends = np.full((2, means.shape[1]), np.nan)
    if len(names) > 1:
        some = np.isfinite(means).any(0)
        ends[:, some] = np.nanquantile(means[:, some], [0.025, 0.975], axis=0)
    return ends[0].reshape(values.shape[1:]), ends[1].reshape(values.shape[1:])


def tests(values: Array, reference: int) -> Array:
    """Two-sided Wilcoxon signed-rank test of each entry against the reference, corrected by Holm within a metric."""
    p = np.full(values.shape[1:], np.nan)
    rivals = [entry for entry in range(values.shape[1]) if entry != reference]
    for metric in range(values.shape[2]):
        for rival in rivals:
            p[rival, metric] = _wilcoxon(values[:, rival, metric] - values[:, reference, metric])
        p[rivals, metric] = holm(p[rivals, metric])
    return p


def _wilcoxon(differences: Array) -> float:
    differences = differences[np.isfinite(differences)]
    if len(differences) < 2:
        return np.nan
    return float(wilcoxon(differences).pvalue) if np.any(differences) else 1.0


def holm(p: Array) -> Array:
    """Holm's step-down correction; NaN stays NaN and does not count."""
    corrected = np.full_like(p, np.nan)
    there = np.flatnonzero(np.isfinite(p))
    order = there[np.argsort(p[there], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return corrected


def _verdicts(values: Array, p: Array, reference: int, metrics: Sequence[str]) -> Array:
    change = np.nan_to_num(_mean(values - values[:, reference : reference + 1]))
    return np.where(np.nan_to_num(p, nan=1.0) < 0.05, np.sign(change) * signs(metrics), 0.0)


def correlations(values: Array, metrics: Sequence[str]) -> Array:
    """How alike two metrics order the entries of a pair, mean over the pairs where both can."""
    turned = values * np.where(signs(metrics) == 0, 1.0, signs(metrics))
    tables = (
        np.stack([_spearman(rows) for rows in turned]) if len(values) else np.empty((0, len(metrics), len(metrics)))
    )
    return _mean(tables)


def _spearman(rows: Array) -> Array:
    """(entry, metric) → (metric, metric); NaN where a metric has a gap or says the same of all."""
    there = np.isfinite(rows).all(0)
    ranked = rankdata(np.where(there, rows, 0.0), axis=0)
    ranked -= ranked.mean(0)
    length = np.sqrt((ranked**2).sum(0))
    length[(length == 0) | ~there] = np.nan
    return (ranked.T @ ranked) / np.outer(length, length)


def disagreement(values: Array, metrics: Sequence[str]) -> Array:
    """(pair,): how far apart the metrics' rankings of a pair's entries lie: the mean deviation of an entry's ranks."""
    per_pair = np.stack([ranks(rows, metrics) for rows in values])
    spread = per_pair - _mean(per_pair.transpose(2, 0, 1))[..., None]
    return _mean(np.sqrt(_mean(np.square(spread).transpose(2, 0, 1))).T)


def standing(values: Array, entry: int, metrics: Sequence[str]) -> Array:
    """(pair,): the mean rank of an entry on each pair."""
    return _mean(np.stack([ranks(rows, metrics)[entry] for rows in values]).T)


def _mean(values: Array) -> Array:
    """Mean over the first axis of what is there; NaN where nothing is."""
    there = np.isfinite(values)
    total, count = np.where(there, values, 0.0).sum(0), there.sum(0)
    return total / np.where(count > 0, count, np.nan)
