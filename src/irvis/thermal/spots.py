"""Temperatures at points: those asked for, and the hottest. Read at native resolution, where no pixel is mixed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..align.geometry import moved
from ..align.warp import at_scale, back, inside, values_over
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
    return values_over(thermal.values, _placed(thermal, height, width, scale), (height, width))


def spots(thermal: Thermal, drawing: Drawing, height: int, width: int, scale: float = 1.0) -> list[Spot]:
    """The spots asked for, then the hottest from the hottest on, in a picture of this size."""
    return [_spot(thermal, x, y, height, width, scale) for x, y in drawing.spots] + _hottest(
        thermal, drawing.hottest, height, width, scale
    )


def _spot(thermal: Thermal, x: int, y: int, height: int, width: int, scale: float) -> Spot:
    """The native pixel that covers the middle of the pixel."""
    if not (x < width and y < height):
        raise IrvisError(f"the spot {x},{y} lies outside the fused picture of {width}x{height} pixels.")
    placement = _placed(thermal, height, width, scale)
    place = placement[y, x] if placement.ndim == 3 else moved(placement, np.array([[x, y]], np.float64))[0]
    if not inside(place[None], thermal.values.shape)[0]:
        return Spot(x, y, float("nan"))
    column, row = np.floor(place + 0.5).astype(int).clip(0, np.array(thermal.values.shape[::-1]) - 1)
    return Spot(x, y, float(thermal.values[row, column]))


def _hottest(thermal: Thermal, count: int, height: int, width: int, scale: float) -> list[Spot]:
    """The hottest pixel that the picture shows; then the hottest that is not near one of those before."""
    if count == 0:
        return []
    rows, columns = thermal.values.shape
    placement = _placed(thermal, height, width, scale)
    shown, grid_y, grid_x = _shown(placement, rows, columns, height, width), *np.ogrid[:rows, :columns]
    left_over = np.where(shown & np.isfinite(thermal.values), thermal.values, -np.inf)
    apart, found = max(APART * max(rows, columns), 2.0), []
    for _ in range(count):
        row, column = np.unravel_index(left_over.argmax(), left_over.shape)
        if not np.isfinite(left_over[row, column]):
            break
        x, y = back(placement, np.array([[column, row]], np.float64), (height, width))[0]
        x, y = (int(min(max(edge + 0.5, 0), side - 1)) for edge, side in ((x, width), (y, height)))
        found.append(Spot(x, y, float(left_over[row, column]), hottest=True))
        left_over[(grid_y - row) ** 2 + (grid_x - column) ** 2 <= apart**2] = -np.inf
    return found


def _placed(thermal: Thermal, height: int, width: int, scale: float) -> NDArray[np.float64]:
    """Where the pixels of a picture `scale` times the visible one lie in the values."""
    if scale == 1:
        return thermal.placement
    visible = round(height / scale), round(width / scale)
    return at_scale(thermal.placement, visible, (height, width))


def _shown(placement: NDArray[np.float64], rows: int, columns: int, height: int, width: int) -> NDArray[np.bool_]:
    """(rows, columns): native pixels whose middle the picture shows."""
    if placement.ndim == 3:
        seen = np.zeros((rows, columns), bool)
        places = placement[inside(placement, seen.shape)]
        column, row = np.floor(places + 0.5).astype(int).clip(0, np.array([columns, rows]) - 1).T
        seen[row, column] = True
        return seen
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    there = moved(
        np.asarray(np.linalg.inv(placement), np.float64), np.stack([x.ravel(), y.ravel()], 1).astype(np.float64)
    )
    return inside(there, (height, width)).reshape(rows, columns)
