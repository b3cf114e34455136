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
FEWEST = 5
"""Scenes without which there is no interval: the percentiles of fewer say nothing."""


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
    results: NDArray[np.int64]
    """Pairs with a result; (entry,)."""
    rank: Array
    """1 is best, among the means; NaN for metrics that call neither large nor small better, and for entries without a
    result for every pair, whose means are of other pairs."""
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
    results = (~np.isnan(values)).any(2).sum(0)
    rank = ranks(np.where((results == len(values))[:, None], mean, np.nan), table.metrics)
    with np.errstate(invalid="ignore"):  # infinity less infinity is no difference that could be told
        differences = by_scene(values - values[:, reference : reference + 1], table.scenes)
    p = tests(differences, reference)
    return Summary(
        mean=mean,
        low=low,
        high=high,
        count=(~np.isnan(values)).sum(0),
        results=results,
        rank=rank,
        mean_rank=_mean(rank.T),
        p=p,
        better=_verdicts(differences, p, table.metrics),
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
    """Rank of each entry by each metric, 1 is best; equal means share the mean of their places, NaN has none."""
    turned = -means * np.where(signs(metrics) == 0, 1.0, signs(metrics))
    rank = rankdata(turned, axis=0, nan_policy="omit")
    rank[:, signs(metrics) == 0] = np.nan
    return rank


def intervals(values: Array, scenes: Sequence[str], seed: int = 0) -> tuple[Array, Array]:
    """95 % percentile bootstrap of the mean over pairs; whole scenes are drawn, as their pairs are alike.

    NaN where fewer than `FEWEST` scenes have a value.
    """
    names, which = np.unique(np.asarray(scenes), return_inverse=True)
    drawn = np.random.default_rng(seed).integers(len(names), size=(DRAWS, len(names)))
    times = np.stack([np.bincount(row, minlength=len(names)) for row in drawn]).astype(float)
    belongs = (which == np.arange(len(names))[:, None]).astype(float)
    flat = values.reshape(len(values), -1)
    there = np.isfinite(flat)
    counts, sums = belongs @ there, belongs @ np.where(there, flat, 0.0)
    weight = times @ counts
    means = (times @ sums) / np.where(weight > 0, weight, np.nan)
    ends = np.full((2, flat.shape[1]), np.nan)
    enough = ((counts > 0).sum(0) >= FEWEST) & ~np.isinf(flat).any(0)
    ends[:, enough] = np.nanquantile(means[:, enough], [0.025, 0.975], axis=0)
    return ends[0].reshape(values.shape[1:]), ends[1].reshape(values.shape[1:])


def by_scene(values: Array, scenes: Sequence[str]) -> Array:
    """(scene, entry, metric): the mean over the pairs of each scene, which count as one observation."""
    order = list(dict.fromkeys(scenes))
    if len(order) == len(scenes):
        return values
    which = np.asarray(scenes)
    return np.stack([_mean(values[which == scene]) for scene in order])


def tests(differences: Array, reference: int) -> Array:
    """Two-sided Wilcoxon signed-rank test of each entry's differences from the reference, corrected by Holm within a
    metric."""
    p = np.full(differences.shape[1:], np.nan)
    rivals = [entry for entry in range(differences.shape[1]) if entry != reference]
    for metric in range(differences.shape[2]):
        for rival in rivals:
            p[rival, metric] = _wilcoxon(differences[:, rival, metric])
        p[rivals, metric] = holm(p[rivals, metric])
    return p


def _wilcoxon(differences: Array) -> float:
    differences = differences[np.isfinite(differences)]
    if len(differences) < 2:
        return np.nan
    return float(wilcoxon(differences).pvalue) if np.any(differences) else 1.0


def least_p(scenes: int, rivals: int) -> float:
    """The smallest corrected p that so few observations can give."""
    return 2.0 * 0.5**scenes * rivals


def holm(p: Array) -> Array:
    """Holm's step-down correction; NaN stays NaN and does not count."""
    corrected = np.full_like(p, np.nan)
    there = np.flatnonzero(np.isfinite(p))
    order = there[np.argsort(p[there], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return corrected


def _verdicts(differences: Array, p: Array, metrics: Sequence[str]) -> Array:
    """The direction that the test saw: the sign of the sum of signed ranks."""
    there = np.where(np.isfinite(differences), differences, 0.0)
    ranked = rankdata(np.abs(there), axis=0) * np.sign(there)
    return np.where(np.nan_to_num(p, nan=1.0) < 0.05, np.sign(ranked.sum(0)) * signs(metrics), 0.0)


def correlations(values: Array, metrics: Sequence[str]) -> Array:
    """How alike two metrics order the entries of a pair (Spearman over those that both can judge), mean over pairs."""
    turned = values * np.where(signs(metrics) == 0, 1.0, signs(metrics))
    count = len(metrics)
    found = np.full((count, count), np.nan)
    for a in range(count):
        for b in range(a, count):
            found[a, b] = found[b, a] = _spearman(turned[:, :, a], turned[:, :, b])
    return found


def _spearman(a: Array, b: Array) -> float:
    """(pair, entry) twice → the mean over the pairs; NaN where nowhere two entries differ by both."""
    gaps = np.isnan(a) | np.isnan(b)
    ranked = [rankdata(np.where(gaps, np.nan, x), axis=1, nan_policy="omit") for x in (a, b)]
    centred = [np.where(gaps, 0.0, x - _mean(x.T)[:, None]) for x in ranked]
    length = np.sqrt((centred[0] ** 2).sum(1) * (centred[1] ** 2).sum(1))
    products = (centred[0] * centred[1]).sum(1)
    return float(np.mean(products[length > 0] / length[length > 0])) if (length > 0).any() else np.nan


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
    there = ~np.isnan(values)
    total, count = np.where(there, values, 0.0).sum(0), there.sum(0)
    return total / np.where(count > 0, count, np.nan)
