"""Who is asked what, in which order, which result on which side: a pure function of the seed and the rater's number."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice

import numpy as np

EVERY, GAP = 8, 4
"""Every eighth question repeats an earlier one with its sides swapped, at least so many questions back."""
GOLDEN = (5**0.5 - 1) / 2
"""Raters start at multiples of this share of a cycle, which spreads any number of them evenly."""

Couple = tuple[int, int]


@dataclass(frozen=True)
class Question:
    """Which of two results of one pair is better; indices."""

    pair: int
    left: int
    right: int
    repeats: int | None = None
    """The number of the question that this one repeats, from 0."""


def questions(there: Sequence[Collection[int]], methods: int, rater: int, seed: int) -> Iterator[Question]:
    """The questions of one rater. Fewer of them are always the first of more.

    there: of each pair, the methods with a result. rater: from 0, in order of arrival.

    Every couple of methods is asked equally often, to within one, wherever the rater stops after a whole cycle of
    couples; within a cycle, each method stands in as many questions as any other, to within one. Half of the cycles
    are the same for all raters, so that they can be compared; the others are spread over the pairs. No question comes
    twice but the repeats.
    """
    draw = np.random.default_rng([seed, rater + 1, 1])
    asked: list[Question] = []
    waiting: list[int] = []
    for count, fresh in enumerate(_fresh(there, methods, rater, seed), start=1):
        waiting.append(len(asked))
        asked.append(fresh)
        yield fresh
        if count % (EVERY - 1) == 0:
            old = waiting.pop(int(draw.integers(len(waiting) - GAP)))
            asked.append(Question(asked[old].pair, asked[old].right, asked[old].left, repeats=old))
            yield asked[-1]


def rounds(count: int) -> list[list[Couple]]:
    """Every couple of `count` methods once, in rounds where each has at most one partner: a tournament's circle."""
    circle: list[int] = list(range(count + count % 2))
    half = len(circle) // 2
    drawn = []
    for _ in range(len(circle) - 1):
        couples = zip(circle[:half], reversed(circle[half:]), strict=True)
        drawn.append([(a, b) for a, b in couples if a < count and b < count])
        circle = [circle[0], circle[-1], *circle[1:-1]]
    return drawn


def cycles(pairs: int, rater: int) -> list[int]:
    """Where among the pairs each cycle of a rater begins: in turn with all raters, and on a way of one's own."""
    start = int(pairs * (GOLDEN * rater % 1))
    own = islice(cycle(range(pairs)), start, start + pairs)
    return list(dict.fromkeys(chain.from_iterable(zip(range(pairs), own, strict=True))))


def _fresh(there: Sequence[Collection[int]], methods: int, rater: int, seed: int) -> Iterator[Question]:
    """In one cycle every couple comes once, on pairs of images that follow each other."""
    common, own = np.random.default_rng([seed]), np.random.default_rng([seed, rater + 1])
    names, images = common.permutation(methods).tolist(), common.permutation(len(there)).tolist()
    drawn = [[(names[a], names[b]) for a, b in couples] for couples in rounds(methods)]
    shift = {couple: place for place, couple in enumerate(chain.from_iterable(drawn))}
    first = int(len(drawn) * (GOLDEN * rater % 1))
    side = own.integers(2, size=len(shift))
    for turn, start in enumerate(cycles(len(there), rater)):
        for couples in drawn[first:] + drawn[:first]:
            for chosen in own.permutation(len(couples)).tolist():
                couple = couples[chosen]
                image = images[(start + shift[couple]) % len(there)]
                if set(couple) <= set(there[image]):
                    left, right = couple if (side[shift[couple]] + turn) % 2 else couple[::-1]
                    yield Question(image, left, right)
