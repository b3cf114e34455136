"""Correlation of edges at every shift: whether infrared would fit as well, or better, somewhere else.

Fences, facades and edges that all run one way repeat themselves: they fit at many places.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from ..types import Gray, Scaled
from .edges import edges, fitted, laid
from .geometry import Matrix, Size, resizing
from .overlays import Masks
from .search import correlated, offsets, spectra

LONG = 320
"""Pixels of the longer side of the visible image while looking."""
FAR = 0.3
"""Of each side: the longest shift that is looked at."""
SEEN = 0.4
"""Of the area that both see without a shift."""
PEAK, ALIKE = 4.0, 0.85
"""Pixels, at LONG, within which shifts are one peak; the share of its height from which another one is a rival."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Shifts:
    """Correlation, up to 1, of infrared moved further right and down than a matrix says.

    score: (rows, columns), -1 where both would see too little.
    right, down: the move of each column and row, in pixels of the shrunk visible image.
    step: pixels of the visible image for one of the shrunk one.
    """

    score: Tensor
    right: Tensor
    down: Tensor
    step: float

    def peaks(self) -> "Shifts":
        """The same with nothing but local maxima."""
        around = max_pool2d(self.score[None], 5, 1, 2)[0]
        return replace(self, score=torch.where(self.score == around, self.score, -1.0))

    def best(self, outside: float = -1.0, within: float = np.inf) -> tuple[float, float, float]:
        """The highest score between two distances in shrunk pixels, and its move right and down."""
        away = torch.hypot(self.down[:, None], self.right[None])
        score = torch.where((away > outside) & (away <= within), self.score, -1.0)
        row, column = divmod(int(score.argmax()), len(self.right))
        return float(score.max()), float(self.right[column]), float(self.down[row])

    def beside(self, right: float, down: float, away: float) -> float:
        """The highest other peak, further than `away` shrunk pixels from a move."""
        far = torch.hypot(self.down[:, None] - down, self.right[None] - right) > away
        return float(torch.where(far, self.peaks().score, -1.0).max())


def rival(visible: Gray, infrared: Scaled, matrix: Matrix, masks: Masks | None) -> tuple[float, float] | None:
    """The move right and down in visible pixels at which infrared would fit about as well; None where nowhere."""
    found = shifts(visible, infrared, matrix, masks)
    here, *_ = found.best(within=PEAK)
    there, right, down = found.peaks().best(outside=PEAK)
    return (right * found.step, down * found.step) if there > ALIKE * here else None


def shifts(visible: Gray, infrared: Scaled, matrix: Matrix, masks: Masks | None, far: float = FAR) -> Shifts:
    """How well infrared would fit at every shift, up to `far` of each side, besides what a matrix says."""
    whole: Size = (visible.shape[-2], visible.shape[-1])
    share = min(1.0, LONG / max(whole))
    size: Size = (max(1, round(whole[0] * share)), max(1, round(whole[1] * share)))
    onto = matrix @ np.linalg.inv(resizing(whole, size))
    seen = edges(fitted(visible, *size))
    warm, there = laid(infrared, onto, size)
    if masks is not None:
        seen = seen * (fitted(masks[0], *size)[0, 0] > 0.99)
        there = there * (laid(masks[1], onto, size)[0][0, 0] > 0.99)
    still = spectra(seen, size)
    score, area = correlated(still, edges(warm) * there, there)
    down, right = (offsets(padded, side) for padded, side in zip(still.padded, size, strict=True))
    rows, columns = (near.abs() <= far * side for near, side in zip((down, right), size, strict=True))
    score = torch.where(area >= SEEN * area[0, 0].clamp_min(1), score, -1.0)[rows][:, columns]
    return Shifts(score=score, right=right[columns].float(), down=down[rows].float(), step=1 / share)
