"""A map of the ground from above: shadows, contact shade and warmth left by cars."""

from dataclasses import dataclass

import numpy as np

from .arrays import Floats, smoothstep
from .light import Light


@dataclass(frozen=True)
class Body:
    """Something that stands on the ground and throws a shadow."""

    x: float
    z: float
    width: float
    length: float
    height: float
    warmth: float = 0.0
    """Kelvin that it adds to the ground beneath it."""


@dataclass(frozen=True)
class Floor:
    """Planes over (z, x) with square cells; `shade` is 0..1, `warmth` in kelvin."""

    left: float
    near: float
    cell: float
    shade: Floats
    warmth: Floats

    def at(self, x: Floats, z: Floats) -> tuple[Floats, Floats]:
        """Return shade and warmth at ground points; outside the map nothing is shaded or warm."""
        row = ((z - self.near) / self.cell).astype(np.int32)
        column = ((x - self.left) / self.cell).astype(np.int32)
        rows, columns = self.shade.shape
        index = np.clip(row, 0, rows - 1) * columns + np.clip(column, 0, columns - 1)
        return self.shade.ravel()[index], self.warmth.ravel()[index]


def make_floor(bodies: list[Body], lights: list[Light], cell: float) -> Floor:
    """Return the ground's map from 12 m left to 12 m right of the axis and 60 m ahead."""
    z = np.arange(0.0, 60.0, cell, dtype=np.float32)[:, None]
    x = np.arange(-12.0, 12.0, cell, dtype=np.float32)[None, :]
    shade = np.ones((z.size, x.size), np.float32)
    warmth = np.zeros_like(shade)
    total = np.full_like(shade, 0.02)
    blocked = np.zeros_like(shade)
    for light in lights:
        fall = _on_ground(light, x, z)
        total += fall
        for body in bodies:
            _shadow(blocked, fall, light, body, (x, z))
    shade -= 0.85 * np.clip(blocked / total, 0.0, 1.0)
    for body in bodies:
        away = np.maximum(np.abs(x - body.x) / (0.5 * body.width), np.abs(z - body.z) / (0.5 * body.length))
        soft = smoothstep(1.75, 0.75, away)
        shade *= 1.0 - 0.8 * soft
        warmth += body.warmth * soft
    for plane, outside in ((shade, 1.0), (warmth, 0.0)):
        plane[[0, -1]] = outside
        plane[:, [0, -1]] = outside
    return Floor(-12.0, 0.0, cell, shade, warmth)


def _on_ground(light: Light, x: Floats, z: Floats) -> Floats:
    square = (x - light.position[0]) ** 2 + (z - light.position[2]) ** 2 + light.position[1] ** 2
    near = np.clip(1.0 - (square / light.reach**2) ** 2, 0.0, None) ** 2
    result: Floats = max(light.color) * light.position[1] * near / square**1.5
    return result


def _shadow(blocked: Floats, fall: Floats, light: Light, body: Body, grid: tuple[Floats, Floats]) -> None:
    """Add the light that a body takes away from the strip of ground behind it; `grid` is (x, z)."""
    aside, ahead = body.x - light.position[0], body.z - light.position[2]
    away = (aside**2 + ahead**2) ** 0.5
    if away > light.reach or away < 0.3 or max(body.width, body.length) > 2.5 > light.position[1]:
        return
    length = min(8.0, away * body.height / max(light.position[1] - body.height, 0.5))
    columns = _near(grid[0].ravel(), body.x, length + body.width)
    rows = _near(grid[1].ravel(), body.z, length + body.width)
    right, forward = grid[0][:, columns] - body.x, grid[1][rows] - body.z
    along = (right * aside + forward * ahead) / away
    across = np.abs(right * ahead - forward * aside) / away
    half = 0.5 * body.width * (1.0 + 0.12 * np.clip(along, 0.0, None))
    inside = smoothstep(1.0, 0.4, across / np.maximum(half, 0.05)) * (along > -0.1)
    inside *= smoothstep(1.0, 0.55, along / length)
    blocked[rows, columns] += fall[rows, columns] * inside


def _near(axis: Floats, middle: float, reach: float) -> slice:
    """Return the cells of an even axis within `reach` of a place."""
    cell = float(axis[1] - axis[0])
    first, last = ((middle + way * reach - float(axis[0])) / cell for way in (-1.0, 1.0))
    return slice(max(0, int(first)), max(0, int(last)))
