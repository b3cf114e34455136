"""Dead rows, columns and pixels of the infrared sensor."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .findings import Array, Look

SPIKE = 24 / 255
"""A place stands out that lies so far, of black to white, above or below all of its eight neighbours."""
MOST = 500
"""An image with more such places has texture, no dead pixels."""
FRAMES, SHARE = 5, 0.9
"""A pixel is dead that stands out in this share of at least so many frames of different scenes."""
OTHER = 0.9
"""Frames whose visible files correlate more than this, as 16×16 means, show one scene, where a lamp may stand out."""
RECENT = 50
"""A frame is compared with so many before it."""


def dead_lines(gray: Array) -> tuple[int, int]:
    """Rows and columns of a single value with live ones on both sides of them, one or two side by side.

    Wider bands and what touches the border are no defects: a black frame, a saturated sky, writing.
    """
    return _inner(gray.min(axis=1) == gray.max(axis=1)), _inner(gray.min(axis=0) == gray.max(axis=0))


def _inner(flat: Array) -> int:
    """How many flat lines lie in groups of one or two inside."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flat.astype(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    inside = (starts > 0) & (ends < len(flat)) & (ends - starts <= 2)
    return int((ends - starts)[inside].sum())


def spikes(gray: Array, full: float) -> Array:
    """Places (row × width + column) that stand out from all eight neighbours; none where there are over `MOST`."""
    if min(gray.shape) < 3 or not full > 0:
        return np.zeros(0, np.int64)
    inner = gray[1:-1, 1:-1]
    highest, lowest = _around(gray, np.maximum), _around(gray, np.minimum)
    above = np.maximum(inner, highest) - highest  # never below 0: integers stay integers
    below = lowest - np.minimum(inner, lowest)
    rows, columns = np.nonzero(np.maximum(above, below) > SPIKE * full)
    return (rows + 1) * gray.shape[1] + columns + 1 if len(rows) <= MOST else np.zeros(0, np.int64)


def _around(gray: Array, extreme: np.ufunc) -> Array:
    """The extreme of the eight neighbours of each inner pixel."""
    beside = extreme(gray[:, :-2], gray[:, 2:])
    three = extreme(beside, gray[:, 1:-1])
    return extreme(extreme(three[:-2], three[2:]), beside[1:-1])


def dead_pixels(looks: Sequence[Look]) -> dict[str, list[tuple[int, int]]]:
    """(column, row) of pixels that stand out in nearly all frames of a size, by that size.

    Frames of one scene count as one.
    """
    frames: dict[str, list[tuple[Array, Array]]] = {}
    for look in looks:
        if (both := look.both) is None:
            continue
        visible, infrared = both
        kept = frames.setdefault(infrared.size, [])
        if all(float(visible.coarse @ coarse) < OTHER for coarse, _ in kept[-RECENT:]):
            kept.append((visible.coarse, infrared.spikes))
    found = {}
    for size, kept in frames.items():
        counts = Counter(int(place) for _, places in kept for place in places)
        width = int(size.split("x")[0])
        dead = sorted(place for place, times in counts.items() if times >= SHARE * len(kept))
        if dead and len(kept) >= FRAMES:
            found[size] = [(place % width, place // width) for place in dead]
    return found
