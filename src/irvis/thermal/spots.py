"""Temperatures at points: those asked for, and the hottest. Read at native resolution, where no pixel is mixed."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import IrvisError
from ..types import Thermal
from .asked import Drawing

APART = 0.08
"""Two hottest spots are at least this share of the longer native side apart."""


@dataclass(frozen=True)
class Spot:
    """A point in pixels of the fused picture; NaN where nothing was measured."""

    x: int
    y: int
    celsius: float
    hottest: bool = False

    @property
    def text(self) -> str:
        """As it is printed."""
        return f"{'hottest' if self.hottest else 'spot'} {self.x},{self.y}: {self.value}"

    @property
    def value(self) -> str:
        """As it is drawn."""
        return f"{self.celsius:.1f} °C" if np.isfinite(self.celsius) else "nothing measured"


def aligned(thermal: Thermal, height: int, width: int, scale: float = 1.0) -> NDArray[np.float32]:
    """The values laid over a picture of this size, `scale` times the visible one; NaN where there are none.

    Bilinear: a pixel is NaN if any of the native pixels it lies between is. Of the same size they are the values.
    """
    left, top, wide, high = (round(scale * edge) for edge in thermal.window)
    values = torch.from_numpy(thermal.values)[None, None]
    if values.shape[2:] != (high, wide):
        values = torch.nn.functional.interpolate(values, (high, wide), mode="bilinear", align_corners=False)
    part = values[0, 0, max(-top, 0) : height - top, max(-left, 0) : width - left].numpy()
    laid = np.full((height, width), np.nan, np.float32)
    first, second = max(top, 0), max(left, 0)
    laid[first : first + part.shape[0], second : second + part.shape[1]] = part
    return laid


def spots(thermal: Thermal, drawing: Drawing, height: int, width: int, scale: float = 1.0) -> list[Spot]:
    """The spots asked for, then the hottest from the hottest on, in a picture of this size."""
    return [_spot(thermal, x, y, height, width, scale) for x, y in drawing.spots] + _hottest(
        thermal, drawing.hottest, height, width, scale
    )


def _spot(thermal: Thermal, x: int, y: int, height: int, width: int, scale: float) -> Spot:
    """The native pixel that covers the middle of the pixel."""
    if not (x < width and y < height):
        raise IrvisError(f"the spot {x},{y} lies outside the fused picture of {width}x{height} pixels.")
    left, top, wide, high = (scale * edge for edge in thermal.window)
    rows, columns = thermal.values.shape
    row, column = int((y + 0.5 - top) / high * rows // 1), int((x + 0.5 - left) / wide * columns // 1)
    inside = 0 <= row < rows and 0 <= column < columns
    return Spot(x, y, float(thermal.values[row, column]) if inside else float("nan"))


def _hottest(thermal: Thermal, count: int, height: int, width: int, scale: float) -> list[Spot]:
    """The hottest pixel that the picture shows; then the hottest that is not near one of those before."""
    left, top, wide, high = (scale * edge for edge in thermal.window)
    rows, columns = thermal.values.shape
    x, y = left + (np.arange(columns) + 0.5) * wide / columns, top + (np.arange(rows) + 0.5) * high / rows
    shown = ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))[None]
    left_over = np.where(shown & np.isfinite(thermal.values), thermal.values, -np.inf)
    apart, found = max(APART * max(rows, columns), 2.0), []
    grid_y, grid_x = np.ogrid[:rows, :columns]
    for _ in range(count):
        row, column = np.unravel_index(left_over.argmax(), left_over.shape)
        if not np.isfinite(left_over[row, column]):
            break
        found.append(Spot(int(x[column]), int(y[row]), float(left_over[row, column]), hottest=True))
        left_over[(grid_y - row) ** 2 + (grid_x - column) ** 2 <= apart**2] = -np.inf
    return found
