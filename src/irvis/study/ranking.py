"""Strengths from comparisons: the Bradley-Terry model with ties by Davidson.

Davidson (1970), Journal of the American Statistical Association 65, 317-328: of methods with strengths π,

    P(i preferred) : P(j preferred) : P(equal) = π_i : π_j : ν √(π_i π_j).

Without ties it is the model of Bradley and Terry (1952). A tie is an answer of its own kind here, not half a win for
either: with half wins the likelihood, and so every interval, would be of answers that nobody gave. Where every couple
of methods is asked equally often, the order is the same: that of the points, two for a win and one for a tie.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .clusters import NORMAL, Array, Clusters, Indices, spread, wider

PRIOR = 3.0
"""Deviation of the normal prior, mean 0, of every log π and of log ν. It keeps finite what never lost: odds of 20 : 1
against the average lie one deviation away, 400 : 1 two. It weighs no more than about half a comparison."""
ELO = 400 / np.log(10)
"""Points of the Elo scale for one natural unit of log π: 400 points are odds of 10 : 1."""
STEPS, CLOSE = 100, 1e-10


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """Answers as numbers; (n,) each."""

    first: Indices
    """Methods, from 0."""
    second: Indices
    outcome: Indices
    """+1 the first is better, -1 the second, 0 equal."""
    clusters: Clusters


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What the comparisons say of the methods."""

    strength: Array
    """log π, mean 0 over the methods that were compared; (methods,)."""
    covariance: Array
    """Of the strengths, (methods, methods): the model's, widened where raters or pairs differ more than chance."""
    tie: float
    """ν: how likely a tie is; 1 = a third of the answers about equal methods."""

    @property
    def half(self) -> Array:
        """Half of the 95 % interval of each strength."""
        result: Array = NORMAL * np.sqrt(np.diag(self.covariance))
        return result

    def ahead(self, one: int, other: int) -> tuple[float, float, float]:
        """Strength of one above the other, and its 95 % interval."""
        gap = float(self.strength[one] - self.strength[other])
        both = self.covariance
        half = NORMAL * float(np.sqrt(max(both[one, one] + both[other, other] - 2 * both[one, other], 0)))
        return gap, gap - half, gap + half


def rank(told: Comparisons, methods: int, *, prior: float = PRIOR) -> Ranking:
    """The most probable strengths. Finite whatever the answers are, with a finite `prior`.

    The intervals are normal ones on the scale of log π, from the curvature at the mode, and from how much raters and
    pairs differ (`clusters.spread`) where that is more.
    """
    signs = np.zeros((len(told.first), methods))
    rows = np.arange(len(told.first))
    signs[rows, told.first], signs[rows, told.second] = 1.0, -1.0
    theta = np.zeros(methods + 1)
    for _ in range(STEPS):
        step = np.linalg.solve(_information(theta, signs, prior), _scores(theta, signs, told).sum(0) - theta / prior**2)
        theta = _climbed(theta, step, signs, told, prior)
        if np.abs(step).max() < CLOSE:
            break
    inverse = np.linalg.inv(_information(theta, signs, prior))
    clustered = inverse @ spread(_scores(theta, signs, told), told.clusters) @ inverse
    asked = np.isin(np.arange(methods), [told.first, told.second])
    centre = np.eye(methods) - asked / max(asked.sum(), 1)  # only differences count
    model, seen = (centre @ both[:methods, :methods] @ centre.T for both in (inverse, clustered))
    return Ranking(strength=centre @ theta[:methods], covariance=wider(model, seen), tie=float(np.exp(theta[-1])))


def beats(strength: Array) -> Array:
    """How likely a method of this strength is preferred to the average one, ties apart."""
    result: Array = 1 / (1 + np.exp(-strength))
    return result


def islands(told: Comparisons, methods: int) -> list[list[int]]:
    """Groups of methods that are compared with each other, directly or through others; one, if all is well."""
    label = list(range(methods))
    for one, other in zip(told.first.tolist(), told.second.tolist(), strict=True):
        old, new = label[one], label[other]
        label = [new if place == old else place for place in label]
    return [[method for method in range(methods) if label[method] == name] for name in dict.fromkeys(label)]


def tally(told: Comparisons, methods: int) -> Indices:
    """(methods, 3): how often each was preferred, equal, not preferred."""
    counts = np.zeros((methods, 3), np.int64)
    np.add.at(counts, (told.first, 1 - told.outcome), 1)
    np.add.at(counts, (told.second, 1 + told.outcome), 1)
    return counts


def named(islands: Sequence[Sequence[int]], names: Sequence[str]) -> str:
    """Groups of methods in words."""
    return " | ".join(", ".join(names[method] for method in island) for island in islands)


# --------------------------------------------------------------------------------------- likelihood


def _chances(theta: Array, signs: Array) -> Array:
    """(n, 3): first, equal, second. Odds are taken by √(π_i π_j), which leaves ±δ/2 and log ν."""
    half = signs @ theta[:-1] / 2
    powers = np.stack([half, np.full_like(half, theta[-1]), -half], axis=1)
    raised = np.exp(powers - powers.max(1, keepdims=True))
    result: Array = raised / raised.sum(1, keepdims=True)
    return result


def _scores(theta: Array, signs: Array, told: Comparisons) -> Array:
    """(n, parameters): the gradient of each answer's log likelihood."""
    chance = _chances(theta, signs)
    apart = (told.outcome - (chance[:, 0] - chance[:, 2])) / 2
    result: Array = np.column_stack([signs * apart[:, None], (told.outcome == 0) - chance[:, 1]])
    return result


def _information(theta: Array, signs: Array, prior: float) -> Array:
    """Minus the second derivatives of the log posterior: it is concave, with one mode."""
    chance = _chances(theta, signs)
    win, equal, loss = chance.T
    across = signs.T @ (signs * ((win + loss - (win - loss) ** 2) / 4)[:, None])
    mixed = -signs.T @ (equal * (win - loss) / 2)
    corner = (equal * (1 - equal)).sum()
    result: Array = np.block([[across, mixed[:, None]], [mixed[None], np.array([[corner]])]])
    return result + np.eye(len(theta)) / prior**2


def _climbed(theta: Array, step: Array, signs: Array, told: Comparisons, prior: float) -> Array:
    """A Newton step, halved until it does not lead down."""
    now = _posterior(theta, signs, told, prior)
    for _ in range(STEPS):
        if _posterior(theta + step, signs, told, prior) >= now - 1e-12 * abs(now):
            break
        step = step / 2
    return theta + step


def _posterior(theta: Array, signs: Array, told: Comparisons, prior: float) -> float:
    chance = _chances(theta, signs)[np.arange(len(signs)), 1 - told.outcome]
    with np.errstate(divide="ignore"):
        return float(np.log(chance).sum() - (theta**2).sum() / (2 * prior**2))
