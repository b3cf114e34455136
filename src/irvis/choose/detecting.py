"""A detector among the judges: what it finds on each candidate's pictures."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..evaluate.tasks import labels, scoring
from ..evaluate.tasks.boxes import Boxes
from ..evaluate.tasks.detection import agreed
from ..evaluate.tasks.detector import Feeding, load
from ..types import RGB

KINDS = {"people": {"person", "people", "pedestrian"},
         "vehicles": {"car", "truck", "bus", "van", "motorcycle", "motorbike", "bicycle", "vehicle"}}  # fmt: skip
"""Purpose → the classes that count for it, in lower case; other purposes: every class."""


class Finder:
    """A user's detector, and its finds so far."""

    def __init__(self, network: Path, truth: Path | None = None, how: Feeding | None = None) -> None:
        self.detector, self.truth = load(network, how or Feeding()), truth
        self.found: dict[str, dict[str, Boxes]] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self._true: Mapping[str, Boxes] | None = None

    def check(self, names: list[str]) -> None:
        """Labels that are missing, or of unknown classes, before any work."""
        if self.truth:
            labels.read(self.truth, dict.fromkeys(names, None), self.detector.classes)

    def look(self, method: str, pair: str, picture: RGB) -> None:
        """Run on one picture."""
        self.sizes[pair] = int(picture.shape[-2]), int(picture.shape[-1])
        self.found.setdefault(method, {})[pair] = self.detector(picture)

    def precision(self, method: str, purpose: str) -> float:
        """AP50, the mean over the classes of a purpose that are there; NaN where there are none."""
        if self._true is None:
            names = list(self.sizes)
            known = self.detector.classes
            self._true = labels.read(self.truth, self.sizes, known) if self.truth else agreed(self.found, names)
        of, truth = self.found[method], self._true
        there = sorted({int(kind) for one in truth.values() for kind in one.classes[one.scores > 0]})
        wanted = KINDS.get(purpose)
        kinds = [kind for kind in there if wanted is None or self.detector.classes[kind].lower() in wanted]
        pairs = [name for name in truth if name in of]
        each = [
            scoring.precision(scoring.count([of[n] for n in pairs], [truth[n] for n in pairs], kind, 0.5))[0]
            for kind in kinds
        ]
        return float(np.mean(each)) if each else float("nan")
