"""How far people agree: with each other on the same question, and with themselves when it comes again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .asking import Answer

SIGN = {"left": 1, "equal": 0, "right": -1}


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Over all couples of raters who answered the same question."""

    couples: int
    same: float
    """Share of the same answer; NaN where no question has two raters."""
    opposite: float
    """Share in which one prefers what the other rejects."""
    alpha: float
    """Krippendorff's, for the values better, equal, worse at equal distances: 1 perfect, 0 chance; NaN where all said
    equal."""


@dataclass(frozen=True, kw_only=True)
class Rater:
    """One person's answers."""

    name: str
    answers: int
    repeats: int
    """Questions answered twice, the second time with the sides swapped,"""
    same: int
    """of which so often the answer was the same result,"""
    opposite: int
    """or the other."""
    left: float
    """Share of the left side among the answers that prefer one; a half, but for chance. NaN where there are none."""
    equal: float
    """Share of the answers that prefer none."""
    seconds: float
    """Median time for an answer."""


def agreement(answers: Sequence[Answer]) -> Agreement:
    """Between raters; repeats are left out."""
    said: dict[tuple[int, int, int], list[int]] = {}
    for one in answers:
        if one.repeats is None:
            low, high = sorted((one.left, one.right))
            said.setdefault((one.pair, low, high), []).append(SIGN[one.said] * (1 if one.left == low else -1))
    units = [values for values in said.values() if len(values) > 1]
    couples = [(a, b) for values in units for a, b in combinations(values, 2)]
    # which result of a question stands first means nothing: each question counts in both ways
    mirrored = [*units, *([-value for value in values] for values in units)]
    return Agreement(
        couples=len(couples),
        same=_share(a == b for a, b in couples),
        opposite=_share(a == -b != 0 for a, b in couples),
        alpha=alpha(mirrored),
    )


def alpha(units: Iterable[Sequence[float]]) -> float:
    """Krippendorff's alpha for interval data: of each unit, the values that its raters gave.

    α = 1 - observed / expected disagreement, squared differences (Krippendorff, Computing Krippendorff's
    Alpha-Reliability, 2011). Units with one value do not count; NaN where nothing differs.
    """
    kept = [np.asarray(values, float) for values in units if len(values) > 1]
    if not kept:
        return float("nan")
    every = np.concatenate(kept)
    # the sum of squared differences over ordered couples is 2 n Σ(x - mean)²
    observed = sum(2 * len(x) * ((x - x.mean()) ** 2).sum() / (len(x) - 1) for x in kept) / len(every)
    expected = 2 * ((every - every.mean()) ** 2).sum() / (len(every) - 1)
    return float(1 - observed / expected) if expected > 0 else float("nan")


def raters(answers: Sequence[Answer]) -> list[Rater]:
    """Each person, in order of arrival."""
    names = list(dict.fromkeys(one.rater for one in answers))
    return [_rater(name, [one for one in answers if one.rater == name]) for name in names]


def _rater(name: str, mine: Sequence[Answer]) -> Rater:
    said = {one.number: SIGN[one.said] for one in mine}
    # sides are swapped: the same result has the other sign
    twice = [(said[one.repeats], -SIGN[one.said]) for one in mine if one.repeats is not None and one.repeats in said]
    seconds = [one.seconds for one in mine if one.seconds is not None]
    return Rater(
        name=name,
        answers=len(mine),
        repeats=len(twice),
        same=sum(a == b for a, b in twice),
        opposite=sum(a == -b != 0 for a, b in twice),
        left=_share(one.said == "left" for one in mine if one.said != "equal"),
        equal=_share(one.said == "equal" for one in mine),
        seconds=float(np.median(seconds)) if seconds else float("nan"),
    )


def _share(facts: Iterable[bool]) -> float:
    known = list(facts)
    return sum(known) / len(known) if known else float("nan")
