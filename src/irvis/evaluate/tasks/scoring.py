"""How well finds match labels: average precision, recall at a number of false alarms, intervals by picture.

As COCO counts: finds are matched surest first, each to the label that it overlaps most; average precision is the mean
of the interpolated precision at 101 recalls.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .boxes import Array, Boxes, overlap

OVERLAPS = tuple(round(0.5 + 0.05 * n, 2) for n in range(10))
SIZES = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, np.inf)}
"""Square pixels of a label, as COCO has them."""
EVERY = (0.0, np.inf)
AT_ONCE = 2_000_000
"""Finds times draws that are counted in one piece."""


@dataclass(frozen=True)
class Counted:
    """The finds of one class on all pictures, surest first, and the labels."""

    hits: NDArray[np.bool_]
    pictures: NDArray[np.int64]
    """Of each find, the place of its picture."""
    labels: NDArray[np.int64]
    """Of each picture, how many labels count."""


def count(
    found: Sequence[Boxes], truth: Sequence[Boxes], kind: int, least: float, sizes: tuple[float, float] = EVERY
) -> Counted:
    """Match picture by picture the boxes of class `kind` that overlap by `least` or more.

    sizes: labels of other areas, and finds of other areas that match nothing, do not count.
    """
    scores, hits, pictures, labels = [], [], [], []
    for place, (finds, true) in enumerate(zip(found, truth, strict=True)):
        finds, true = finds[finds.classes == kind], true[true.classes == kind]
        finds = finds[np.argsort(-finds.scores, kind="stable")]
        counts = (true.scores > 0) & (true.areas >= sizes[0]) & (true.areas < sizes[1])
        hit, fair = _matched(overlap(finds.corners, true.corners), counts, least)
        fair &= hit | ((finds.areas >= sizes[0]) & (finds.areas < sizes[1]))
        scores.append(finds.scores[fair])
        hits.append(hit[fair])
        pictures.append(np.full(int(fair.sum()), place))
        labels.append(int(counts.sum()))
    order = np.argsort(-np.concatenate([*scores, []]), kind="stable")
    return Counted(
        np.concatenate([*hits, []]).astype(bool)[order],
        np.concatenate([*pictures, []]).astype(int)[order],
        np.array(labels, int),
    )


def _matched(shared: Array, counts: NDArray[np.bool_], least: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each find: whether it hits a label that counts, and whether it counts itself."""
    hit, fair = np.zeros(len(shared), bool), np.ones(len(shared), bool)
    free = np.ones(len(counts), bool)
    for n, row in enumerate(shared):
        for which in (counts, ~counts):  # a label that counts comes first
            near = np.where(free & which, row, 0.0)
            if near.size and near.max() >= least:
                free[near.argmax()] = False
                hit[n], fair[n] = which is counts, which is counts
                break
    return hit, fair


def precision(counted: Counted, times: Array | None = None) -> Array:
    """Average precision, one number per row of `times` (draws, pictures): how often each picture counts.

    NaN without labels.
    """
    times = np.ones((1, len(counted.labels))) if times is None else times
    rows = max(AT_ONCE // max(len(counted.hits), 1), 1)
    return np.concatenate([_precision(counted, times[n : n + rows]) for n in range(0, len(times), rows)])


def _precision(counted: Counted, times: Array) -> Array:
    labels = times @ counted.labels
    weight = times[:, counted.pictures]
    hits = np.cumsum(weight * counted.hits, 1)
    precise = hits / np.maximum(np.cumsum(weight, 1), 1e-12)
    best = np.maximum.accumulate(precise[:, ::-1], 1)[:, ::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        reached = np.floor(100 * hits / labels[:, None] + 1e-9) + (np.cumsum(weight, 1) > 0)
        mean = (np.diff(reached, axis=1, prepend=0) * best).sum(1) / 101
    return np.where(labels > 0, mean, np.nan)


def recall(counted: Counted, alarms: float, times: Array | None = None) -> Array:
    """The share of labels found before there are more than `alarms` false finds per picture; (draws,)."""
    times = np.ones((1, len(counted.labels))) if times is None else times
    rows = max(AT_ONCE // max(len(counted.hits), 1), 1)
    return np.concatenate([_recall(counted, alarms, times[n : n + rows]) for n in range(0, len(times), rows)])


def _recall(counted: Counted, alarms: float, times: Array) -> Array:
    labels, weight = times @ counted.labels, times[:, counted.pictures]
    wrong = np.cumsum(weight * ~counted.hits, 1)
    kept = weight * counted.hits * (wrong <= alarms * times.sum(1, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(labels > 0, kept.sum(1) / labels, np.nan)


def draws(scenes: Sequence[str], number: int, seed: int = 0) -> Array:
    """(number, pictures): how often each picture counts when whole scenes are drawn with replacement."""
    names, which = np.unique(np.asarray(scenes), return_inverse=True)
    drawn = np.random.default_rng(seed).integers(len(names), size=(number, len(names)))
    times = np.stack([np.bincount(row, minlength=len(names)) for row in drawn]).astype(float)
    return times[:, which]
