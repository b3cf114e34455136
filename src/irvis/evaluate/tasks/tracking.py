"""Tracks of a detector's finds over the frames of a film: how often identities switch, and how often tracks are lost.

As Bernardin & Stiefelhagen count them (Evaluating multiple object tracking performance, 2008). The tracker is plain: a
find goes on with the track whose last box of its class it overlaps most (Bochinski et al., High-speed
tracking-by-detection without using image information, 2017).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .boxes import Boxes, boxes, overlap
from .detection import SURE, Detection
from .sections import CAMERAS, Section

LEAST = 0.3
"""Overlap of a find with the last box of its track."""
FOUND = 0.5
"""Overlap of a track's box with what is there."""
PATIENCE = 3
"""Frames that a track waits for a find."""
LEGEND = (
    "The detector's finds with a score of at least {sure:g} on {frames} frames of {films}, tracked by overlap. found: "
    "share of the boxes that are there and lie under a track; lost: how often something that was tracked is not in the "
    "next frame, though it is still there; switches: how often something comes to have another track. Both are also "
    "given per 100 found boxes, as who finds more can lose more. What is there: {truth}."
)


@dataclass
class _Track:
    number: int
    corners: NDArray[np.float64]
    kind: int
    waited: int = 0


@dataclass
class Counts:
    """Of what is there over the frames of a film."""

    boxes: int = 0
    found: int = 0
    lost: int = 0
    switches: int = 0
    last: dict[int, int] = field(default_factory=dict)
    """Thing → its last track."""

    def add(self, things: NDArray[np.int64], tracks: Sequence[int | None], before: Mapping[int, bool]) -> None:
        """One frame: which things are there, and the track that lies on each, if any."""
        for thing, track in zip(things.tolist(), tracks, strict=True):
            self.boxes += 1
            if track is None:
                self.lost += before.get(thing, False)
                continue
            self.found += 1
            self.switches += thing in self.last and self.last[thing] != track
            self.last[thing] = track


def tracked(frames: Sequence[Boxes]) -> Iterator[NDArray[np.int64]]:
    """The number of the track of every box, frame by frame."""
    tracks: list[_Track] = []
    fresh = 0
    for found in frames:
        numbers = np.full(len(found), -1)
        last = boxes([track.corners for track in tracks], [track.kind for track in tracks])
        same = overlap(found.corners, last.corners) * (found.classes[:, None] == last.classes[None])
        for box, place in _pairs(same, LEAST):
            numbers[box] = tracks[place].number
            tracks[place].corners, tracks[place].waited = found.corners[box], -1
        for track in tracks:
            track.waited += 1
        tracks = [track for track in tracks if track.waited <= PATIENCE]
        for box in np.flatnonzero(numbers < 0).tolist():
            numbers[box] = fresh
            tracks.append(_Track(fresh, found.corners[box], int(found.classes[box])))
            fresh += 1
        yield numbers


def counts(found: Sequence[Boxes], truth: Sequence[Boxes]) -> Counts:
    """Of one film: the tracks of what is found against those of what is there."""
    total = Counts()
    sure = [one[one.scores >= SURE] for one in found]
    there = [one[one.scores > 0] for one in truth]
    before: dict[int, bool] = {}
    for finds, numbers, true, things in zip(sure, tracked(sure), there, tracked(there), strict=True):
        same = overlap(true.corners, finds.corners) * (true.classes[:, None] == finds.classes[None])
        on = dict(_pairs(same, FOUND))
        tracks = [int(numbers[on[place]]) if place in on else None for place in range(len(true))]
        total.add(things, tracks, before)
        before = {thing: track is not None for thing, track in zip(things.tolist(), tracks, strict=True)}
    return total


def _pairs(same: NDArray[np.float64], least: float) -> Iterator[tuple[int, int]]:
    """Rows and columns that belong together, the surest first, each once."""
    left = same.copy()
    while left.size and left.max() >= least:
        row, column = (int(place) for place in np.unravel_index(left.argmax(), left.shape))
        yield row, column
        left[row], left[:, column] = 0, 0


def track(detection: Detection, films: Mapping[str, Sequence[str]], labelled: bool) -> Section:
    """The table; `films`: scene → names of its pairs in order."""
    rows = {}
    for entry, of in detection.found.items():
        if any(name not in of for names in films.values() for name in names):
            continue
        each = [counts([of[n] for n in names], [detection.truth[n] for n in names]) for names in films.values()]
        there, found, lost, switches = (sum(getattr(one, key) for one in each) for key in
                                        ("boxes", "found", "lost", "switches"))  # fmt: skip
        values = {"found": found / max(there, 1), "lost": lost, "switches": switches,
                  "lost per 100 found": 100 * lost / max(found, 1),
                  "switches per 100 found": 100 * switches / max(found, 1)}  # fmt: skip
        rows[entry] = {name: (float(value), float("nan"), float("nan")) for name, value in values.items()}
    truth = "the labels, tracked likewise" if labelled else (
        f"what the detector finds in {' or '.join(CAMERAS)}, tracked likewise, which favours the cameras"
    )  # fmt: skip
    frames = sum(map(len, films.values()))
    told = f"{len(films)} film{'s' if len(films) > 1 else ''}"
    legend = LEGEND.format(sure=SURE, frames=frames, films=told, truth=truth)
    return Section(name="tracking", heading="Tracking", legend=legend, rows=rows, most="found")
