"""False colours: palettes of a few anchors each, and the picture they make.

ironbow goes the way of hot iron (black, blue, purple, red, orange, yellow, white), rainbow that of the spectrum;
`dusk` is even: its luma rises by the same amount everywhere, so that no step looks larger than it is.
"""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..color import gray, with_luma
from ..errors import IrvisError
from ..filters import gaussian
from ..types import RGB, Gray

PALETTES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "ironbow": (
        (0, 0, 0), (24, 0, 104), (110, 0, 156), (188, 20, 128), (230, 74, 24), (248, 150, 0), (255, 214, 50),
        (255, 255, 244),
    ),
    "whitehot": ((0, 0, 0), (255, 255, 255)),
    "blackhot": ((255, 255, 255), (0, 0, 0)),
    "rainbow": ((0, 0, 128), (0, 64, 255), (0, 200, 220), (40, 200, 40), (240, 230, 0), (255, 110, 0), (200, 0, 0)),
    "dusk": (
        (10, 8, 48), (33, 43, 143), (136, 56, 156), (224, 84, 119), (254, 144, 74), (255, 208, 89), (253, 250, 223)
    ),
}  # fmt: skip
"""Anchors from cold to hot, evenly spaced, sRGB; between them the colours are linear."""

LEAST_HUE = 0.35
"""Difference of the largest and the least channel of a colour whose hue shows on a bright picture."""
EDGES = 1.2
"""Visible detail is added to the thermal colours so many times."""
EDGE_SIDE = 300
"""Detail is what is finer than the diagonal divided by this."""
EDGE_MOST = 0.3
"""No detail changes a channel by more."""


def colours(name: str, position: NDArray[np.float32]) -> NDArray[np.float32]:
    """RGB in [0, 1], (..., 3), at positions from 0 (cold) to 1 (hot); beyond them the ends."""
    if name not in PALETTES:
        raise IrvisError(f"{name!r} is no palette; there are {', '.join(PALETTES)}.")
    anchors = np.asarray(PALETTES[name], np.float64) / 255
    places = np.linspace(0, 1, len(anchors))
    flat = np.nan_to_num(position, nan=0.0)
    return np.stack([np.interp(flat, places, channel) for channel in anchors.T], axis=-1).astype(np.float32)


def hues(name: str, position: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same for tinting: what is black or nearly so at the cold end takes the first colour that has a hue."""
    return colours(name, np.maximum(position, np.float32(_first_hue(name))))


@lru_cache
def _first_hue(name: str) -> float:
    """Where the palette's colours begin; 0 for palettes of grays."""
    places = np.linspace(0, 1, 256, dtype=np.float32)
    hued = np.ptp(colours(name, places), axis=-1) >= LEAST_HUE
    return float(places[hued.argmax()])


def thermal_colours(values: NDArray[np.float32], low: float, high: float, name: str) -> NDArray[np.float32]:
    """The colours (h, w, 3) of measured values: `low` and colder is the first of the palette, `high` the last."""
    return colours(name, (values - np.float32(low)) / np.float32(high - low))


def tinted(picture: RGB, values: NDArray[np.float32], low: float, high: float, name: str) -> RGB:
    """The picture with the hues of the palette: it keeps its luma, and its own colours where nothing was measured."""
    hued = _image(hues(name, (values - np.float32(low)) / np.float32(high - low)))
    measured = torch.from_numpy(np.isfinite(values))[None, None]
    return torch.where(measured, with_luma(hued, gray(picture)), picture)


def with_edges(visible: RGB, values: NDArray[np.float32], low: float, high: float, name: str) -> RGB:
    """Thermal colours, and the fine detail of the visible luma added to all channels.

    fused = clip(colours + detail), detail = EDGES (luma - blurred luma), limited to ±EDGE_MOST. The thermal part
    is `thermal_colours` of the values and nothing else.
    """
    return (_image(thermal_colours(values, low, high, name)) + _detail(gray(visible))).clamp(0, 1)


def _detail(luma: Gray) -> Gray:
    sigma = max((luma.shape[2] ** 2 + luma.shape[3] ** 2) ** 0.5 / EDGE_SIDE, 0.7)
    fine = EDGES * (luma - gaussian(luma, sigma))
    return EDGE_MOST * torch.tanh(fine / EDGE_MOST)


def _image(pixels: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None]
