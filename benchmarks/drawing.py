"""What scripts that draw the documents' pictures share: scenes, sheets in few colours, plots that look like them."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor

from common import FIGURES
from irvis.color import luma
from irvis.data.scene import NIGHT, Conditions, Scene, scene
from irvis.sheet import INK, PAPER, Box, around, largest, sheet

matplotlib.use("Agg")
from matplotlib import pyplot

STREET, SIZE = 25, (360, 480)
"""The street of `irvis demo`, smaller."""
NOON = Conditions(darkness=0.1)
CYCLE = ("#ff5a36", "#2fb5ff", "#ffc61a", "#5fd35f", "#c58cff", "#9aa4b2")
pyplot.rcParams.update({
    "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER, "text.color": INK,
    "axes.edgecolor": "#596273", "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
    "grid.color": "#333a45", "font.size": 11, "axes.axisbelow": True, "axes.titlesize": 11, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.prop_cycle": matplotlib.cycler(color=CYCLE),
})  # fmt: skip


@lru_cache(maxsize=8)
def street(seed: int = STREET, size: tuple[int, int] = SIZE, conditions: Conditions = NIGHT) -> Scene:
    """A scene that several pictures show."""
    return scene(seed, size, conditions)


def planes() -> tuple[Tensor, Tensor, Tensor]:
    """The street's visible image, its luma, and infrared."""
    visible, infrared = street().tensors()
    return visible, luma(visible), infrared


def stretched(image: Tensor, low: float | None = None, high: float | None = None) -> Tensor:
    """A plane over the full range, for looking at: its least and largest value, or those given, become 0 and 1."""
    low = float(image.min()) if low is None else low
    high = float(image.max()) if high is None else high
    return ((image - low) / max(high - low, 1e-9)).clamp(0, 1)


def signed(image: Tensor, limit: float) -> Tensor:
    """A plane about 0 as gray: 0 is the middle, ±`limit` black and white."""
    return (image / (2 * limit) + 0.5).clamp(0, 1)


def page(
    name: str,
    pictures: Mapping[str, Tensor],
    details: Sequence[Box] = (),
    *,
    columns: int = 3,
    width: int = 320,
    colours: int = 256,
) -> Path:
    """A captioned sheet as docs/figures/NAME.png, in few colours so that the file stays small."""
    made = sheet(pictures, details, columns=columns, width=width)
    return _written(name, made, colours)


def plotted(name: str, figure: "pyplot.Figure") -> Path:
    """A plot as docs/figures/NAME.png."""
    figure.tight_layout()
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    pyplot.close(figure)
    return _written(name, Pillow.fromarray(np.ascontiguousarray(pixels)), 128)


def _written(name: str, picture: Pillow.Image, colours: int) -> Path:
    FIGURES.mkdir(parents=True, exist_ok=True)
    path = FIGURES / f"{name}.png"
    few = picture.quantize(colours, method=Pillow.Quantize.MEDIANCUT, dither=Pillow.Dither.NONE)
    few.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    return path


def shifted(image: Tensor, right: int, down: int) -> Tensor:
    """The image moved by whole pixels; its border is repeated."""
    moved = torch.nn.functional.pad(
        image, (max(right, 0), max(-right, 0), max(down, 0), max(-down, 0)), mode="replicate"
    )
    top, left = max(-down, 0), max(-right, 0)
    return moved[..., top : top + image.shape[-2], left : left + image.shape[-1]]


def people() -> Box:
    """The street's largest group of people."""
    return around(largest(torch.from_numpy(street().people)))


def chessboard(visible: Tensor, infrared: Tensor, field: int = 30) -> Tensor:
    """Fields of one image and of the other in turn."""
    rows, columns = (torch.arange(side) // field for side in visible.shape[-2:])
    return torch.where(((rows[:, None] + columns) % 2).bool(), infrared.expand_as(visible), visible)
