"""The pinhole camera both sensors share."""

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Point


@dataclass(frozen=True)
class Camera:
    """A level camera: verticals stay vertical; `horizon` and `centre` are in output pixels."""

    size: tuple[int, int]
    focal: float
    horizon: float
    centre: float
    position: Point
    yaw: float

    def project(self, point: Point) -> tuple[float, float, float]:
        """Return row, column (pixels) and depth (metres along the optical axis)."""
        right, up, forward = (point[axis] - self.position[axis] for axis in range(3))
        sine, cosine = math.sin(self.yaw), math.cos(self.yaw)
        depth = right * sine + forward * cosine
        side = right * cosine - forward * sine
        return (
            self.horizon - self.focal * up / depth,
            self.centre + self.focal * side / depth,
            depth,
        )

    def place(self, column: float, depth: float) -> tuple[float, float]:
        """Return the world's (x, z) seen in a column at a depth."""
        side = (column - self.centre) / self.focal * depth
        sine, cosine = math.sin(self.yaw), math.cos(self.yaw)
        x = self.position[0] + side * cosine + depth * sine
        return x, self.position[2] - side * sine + depth * cosine

    def column_at(self, x: float, depth: float) -> float:
        """Return the column where the line x = constant (along the road) crosses a depth."""
        sine, cosine = math.sin(self.yaw), math.cos(self.yaw)
        side = (x - self.position[0] - depth * sine) / cosine
        return self.centre + self.focal * side / depth

    def rays(self, samples: int, rows: range) -> tuple[Floats, Floats, Floats]:
        """Return ray directions per unit depth: x (columns,), y (rows,), z (columns,).

        `rows` counts sample rows; there are `samples` of them in a pixel.
        """
        columns = (np.arange(self.size[1] * samples) + 0.5) / samples - self.centre
        side = columns / self.focal
        up = (self.horizon - (np.arange(rows.start, rows.stop) + 0.5) / samples) / self.focal
        sine, cosine = math.sin(self.yaw), math.cos(self.yaw)
        x = (side * cosine + sine).astype(np.float32)
        z = (cosine - side * sine).astype(np.float32)
        return x, up.astype(np.float32), z
