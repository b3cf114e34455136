"""Variances of what is estimated from answers that hang together: those of one rater, and those about one pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

FEWEST = 5
"""Raters, or pairs, without which nothing is said about others of their kind."""
NORMAL = float(norm.ppf(0.975))


@dataclass(frozen=True)
class Clusters:
    """Whose each answer is and of which pair: numbers from 0."""

    raters: Indices
    pairs: Indices

    @property
    def used(self) -> list[Indices]:
        """The groupings that have enough members to tell how far others would differ."""
        return [group for group in (self.raters, self.pairs) if len(np.unique(group)) >= FEWEST]


def spread(scores: Array, clusters: Clusters) -> Array:
    """Variance of the sum of `scores` (answers, parameters), two-way clustered; zeros where no grouping is large.

    Cameron, Gelbach and Miller (2011), Journal of Business & Economic Statistics 29, 238-249: by raters, plus by pairs,
    less by both at once. Each is scaled by G / (G - 1) for its G groups, and by (t / 1.96)² for the 97.5 % point of
    Student's t with G - 1 degrees of freedom, so that 1.96 deviations are 95 % of a few groups, too.
    """
    used = clusters.used
    total = sum((_within(scores, group, small=True) for group in used), np.zeros((scores.shape[1],) * 2))
    if len(used) == 2:
        both = np.unique(np.stack(used), axis=1, return_inverse=True)[1].ravel()
        total = total - _within(scores, both, small=False)
    return total


def wider(first: Array, second: Array) -> Array:
    """The covariance `first`, each deviation raised to that of `second` where that is larger; correlations stay."""
    ratio = np.sqrt(np.maximum(np.diag(second) / np.diag(first), 1))
    result: Array = first * np.outer(ratio, ratio)
    return result


def share(agrees: Array, clusters: Clusters) -> tuple[float, float, float]:
    """Mean of values in [0, 1] and its 95 % interval: Wilson's, for as many independent answers as the clusters are
    worth, at most all of them. NaN where there are none."""
    count = len(agrees)
    if not count:
        return np.nan, np.nan, np.nan
    mean = float(agrees.mean())
    variance = float(spread((agrees - mean)[:, None], clusters)[0, 0]) / count**2
    worth = min(mean * (1 - mean) / variance, count) if variance > 0 and 0 < mean < 1 else count
    ratio = NORMAL**2 / worth
    middle = (mean + ratio / 2) / (1 + ratio)
    half = np.sqrt(ratio * mean * (1 - mean) + ratio**2 / 4) / (1 + ratio)
    return mean, float(middle - half), float(middle + half)


def numbered(values: Sequence[object]) -> Indices:
    """Numbers from 0 for values, in order of appearance."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return np.array([places[value] for value in values], dtype=np.int64)


def _within(scores: Array, group: Indices, *, small: bool) -> Array:
    """Sum over the groups of the outer products of their summed scores."""
    count = int(group.max()) + 1
    sums = np.zeros((count, scores.shape[1]))
    np.add.at(sums, group, scores)
    there = len(np.unique(group))
    scale = there / (there - 1) * (float(t.ppf(0.975, there - 1)) / NORMAL) ** 2 if small else 1.0
    result: Array = sums.T @ sums * scale
    return result
