"""Boxes: what is found or labelled on one picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Boxes:
    """n boxes of one picture."""

    corners: Array
    """(n, 4): left, top, right, bottom in pixels."""
    classes: NDArray[np.int64]
    """(n,): places in the list of class names."""
    scores: Array
    """(n,): of labels, 1; a label that does not count, neither found nor missed, has 0."""

    def __len__(self) -> int:
        return len(self.corners)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Boxes":
        return Boxes(self.corners[chosen], self.classes[chosen], self.scores[chosen])

    @property
    def areas(self) -> Array:
        """(n,) in square pixels."""
        return areas(self.corners)


def boxes(corners: object = (), classes: object = (), scores: object = None) -> Boxes:
    """Boxes of anything that numpy takes; without `scores`, each has 1."""
    edges = np.asarray(corners, float).reshape(-1, 4)
    return Boxes(edges, np.asarray(classes, np.int64).reshape(-1),
                 np.ones(len(edges)) if scores is None else np.asarray(scores, float).reshape(-1))  # fmt: skip


def areas(corners: Array) -> Array:
    """(n, 4) → (n,)."""
    return np.maximum(corners[:, 2] - corners[:, 0], 0) * np.maximum(corners[:, 3] - corners[:, 1], 0)


def overlap(a: Array, b: Array) -> Array:
    """Intersection over union of each of a (n, 4) with each of b (m, 4): (n, m)."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    union = areas(a)[:, None] + areas(b)[None] - shared
    return shared / np.maximum(union, 1e-12)


def joined(*several: Boxes) -> Boxes:
    """All of them."""
    return Boxes(
        *(np.concatenate([getattr(one, part) for one in several]) for part in ("corners", "classes", "scores"))
    )


def without_doubles(found: Boxes, most: float = 0.65, *, keep: int = 100) -> Boxes:
    """Non-maximum suppression in each class: of boxes that overlap by more than `most`, the surest; at most `keep`."""
    found = found[np.argsort(-found.scores, kind="stable")[:3000]]
    apart = found.corners + found.classes[:, None] * (np.abs(found.corners).max(initial=0) * 2 + 1)
    waiting = np.arange(len(found))
    chosen: list[int] = []
    while len(waiting) and len(chosen) < keep:
        chosen.append(int(waiting[0]))
        waiting = waiting[1:][overlap(apart[waiting[:1]], apart[waiting[1:]])[0] <= most]
    return found[np.array(chosen, np.intp)]
