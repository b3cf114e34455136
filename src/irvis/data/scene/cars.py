"""Cars built of textured panels: two sides, bonnet, screens, roof and the two ends."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from .arrays import Floats, Labels, Point
from .raster import Panel
from .texture import TILT, WARMTH, Atlas, Color, Texture, from_palette, surface

LENGTH, WIDTH, BELT, ROOF = 4.3, 1.78, 0.98, 1.45

COLORS: tuple[Color, ...] = (
    (0.32, 0.32, 0.33), (0.05, 0.055, 0.07), (0.22, 0.03, 0.03), (0.05, 0.09, 0.2), (0.5, 0.5, 0.48),
    (0.13, 0.14, 0.15), (0.06, 0.12, 0.1), (0.3, 0.22, 0.1),
)  # fmt: skip


@dataclass(frozen=True)
class Car:
    """Where a car stands: `heading` is +1 along z (we see its back) or -1 (we see its front)."""

    x: float
    z: float
    heading: int
    color: Color
    driving: bool
    warm: float
    """0 = parked for hours .. 1 = the engine is hot."""
    lamps: float = 1.0
    """Brightness of its lamps, 0 = off."""

    def point(self, along: float, aside: float, y: float) -> Point:
        """Return a world point from metres towards the front, to the world's right, and up."""
        return (self.x + aside, y, self.z + self.heading * along)


PAINT, GLASS, TYRE, RIM, TRIM, LAMP, RED, PLATE, GRILLE, SEAM, PIPE = range(1, 12)


def palette(car: Car) -> list[Floats]:
    """Return the materials in the order of their numbers."""
    hot, on = car.warm, car.lamps if car.driving else 0.0
    seam = (car.color[0] * 0.35, car.color[1] * 0.35, car.color[2] * 0.35)
    return [
        surface(car.color, 0.3, -0.8 + 0.8 * hot, gloss=0.35),
        surface((0.03, 0.035, 0.04), 0.06, -3.0 + 3.0 * hot, gloss=0.6),
        surface((0.025, 0.025, 0.025), 0.05, 0.5 + 7.0 * hot),
        surface((0.35, 0.35, 0.36), 0.4, 0.3 + 9.0 * hot, gloss=0.3),
        surface((0.03, 0.03, 0.032), 0.06, 0.5 + 2.0 * hot),
        surface((0.6, 0.6, 0.6), 0.6, 0.5 + 6.0 * on, (70.0 * on, 66.0 * on, 58.0 * on), 0.5),
        surface((0.3, 0.02, 0.02), 0.3, 0.2 + 1.5 * on, (3.2 * on, 0.12 * on, 0.06 * on), 0.4),
        surface((0.55, 0.55, 0.5), 0.55, 0.2, (0.12 * on, 0.12 * on, 0.1 * on)),
        surface((0.03, 0.03, 0.03), 0.05, 0.5 + 9.0 * hot),
        surface(seam, 0.2, 0.1 + 1.5 * hot, gloss=0.1),
        surface((0.1, 0.1, 0.1), 0.1, 0.5 + 16.0 * hot),
    ]


class Sketch:
    """An index image with metres as coordinates, origin at the lower left."""

    def __init__(self, width: float, height: float, density: float) -> None:
        self.density, self.height = density, height
        columns, rows = max(4, round(width * density)), max(4, round(height * density))
        self.scale = (columns / width, rows / height)
        self.image = Image.new("L", (columns, rows))
        self.draw = ImageDraw.Draw(self.image)

    def at(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x * self.scale[0], (self.height - y) * self.scale[1]) for x, y in points]

    def polygon(self, points: list[tuple[float, float]], ink: int) -> None:
        self.draw.polygon(self.at(points), fill=ink)

    def box(self, left: float, bottom: float, right: float, top: float, ink: int) -> None:
        self.polygon([(left, bottom), (right, bottom), (right, top), (left, top)], ink)

    def disc(self, x: float, y: float, radius: float, ink: int) -> None:
        self.draw.ellipse([*self.at([(x - radius, y + radius)])[0], *self.at([(x + radius, y - radius)])[0]], ink)

    def line(self, points: list[tuple[float, float]], width: float, ink: int) -> None:
        self.draw.line(self.at(points), ink, max(1, round(width * self.density)))

    def index(self) -> Labels:
        return np.array(self.image)


WHEELS = (0.82, 3.42)


def _side(density: float) -> Labels:
    """Return the lower side, the front at the right."""
    sketch = Sketch(LENGTH, BELT, density)
    body = [(0.02, 0.3), (0.0, 0.62), (0.08, 0.93), (0.5, 0.97), (3.05, 0.975), (3.6, 0.87), (4.1, 0.74),
            (4.27, 0.6), (4.3, 0.35), (4.2, 0.2), (0.15, 0.2)]  # fmt: skip
    sketch.polygon(body, PAINT)
    sketch.box(0.15, 0.18, 4.2, 0.28, TRIM)
    for door in (1.32, 2.2, 3.0):
        sketch.line([(door, 0.3), (door + 0.04, 0.97)], 0.015, SEAM)
    sketch.line([(0.1, 0.7), (4.1, 0.66)], 0.02, SEAM)
    sketch.box(1.45, 0.8, 1.62, 0.83, TRIM)
    sketch.box(2.35, 0.8, 2.52, 0.83, TRIM)
    sketch.polygon([(0.0, 0.66), (0.24, 0.7), (0.24, 0.84), (0.05, 0.88)], RED)
    sketch.polygon([(4.28, 0.56), (3.95, 0.62), (3.9, 0.72), (4.12, 0.72)], GLASS)
    for wheel in WHEELS:
        sketch.disc(wheel, 0.32, 0.385, TRIM)
        sketch.disc(wheel, 0.315, 0.315, TYRE)
        sketch.disc(wheel, 0.315, 0.2, RIM)
        for angle in np.arange(5) * 1.2566:
            x, y = float(np.cos(angle)), float(np.sin(angle))
            sketch.disc(wheel + 0.12 * x, 0.315 + 0.12 * y, 0.045, TRIM)
    return sketch.index()


def _cabin_side(density: float) -> Labels:
    """Return the side above the belt line, the front at the right."""
    sketch = Sketch(LENGTH, ROOF - BELT, density)
    sketch.polygon([(0.3, 0.0), (0.95, 0.42), (1.3, 0.47), (2.3, 0.47), (2.55, 0.43), (3.2, 0.0)], PAINT)
    sketch.polygon([(0.62, 0.02), (1.05, 0.37), (1.3, 0.4), (1.95, 0.4), (1.95, 0.02)], GLASS)
    sketch.polygon([(2.03, 0.02), (2.03, 0.4), (2.3, 0.4), (2.5, 0.37), (3.0, 0.02)], GLASS)
    return sketch.index()


def _mirrored(half: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the outline of a car's end from its right half, measured from the middle."""
    middle = 0.5 * WIDTH
    return [(middle + x, y) for x, y in half] + [(middle - x, y) for x, y in reversed(half)]


def _front(density: float) -> Labels:
    sketch = Sketch(WIDTH, 0.62, density)
    half = [(0.79, 0.0), (0.89, 0.2), (0.85, 0.5), (0.61, 0.62)]
    sketch.polygon(_mirrored(half), PAINT)
    sketch.box(0.55, 0.3, 1.23, 0.48, GRILLE)
    sketch.box(0.35, 0.04, 1.43, 0.17, GRILLE)
    sketch.box(0.63, 0.2, 1.15, 0.3, PLATE)
    for side in (0.0, 1.0):
        mirror = [(abs(side * WIDTH - x), y) for x, y in ((0.08, 0.36), (0.5, 0.36), (0.46, 0.5), (0.1, 0.52))]
        sketch.polygon(mirror, GLASS)
        sketch.disc(abs(side * WIDTH - 0.24), 0.43, 0.075, LAMP)
        sketch.disc(abs(side * WIDTH - 0.4), 0.43, 0.05, LAMP)
    return sketch.index()


def _rear(density: float) -> Labels:
    sketch = Sketch(WIDTH, 0.74, density)
    half = [(0.85, 0.0), (0.89, 0.25), (0.85, 0.62), (0.71, 0.74)]
    sketch.polygon(_mirrored(half), PAINT)
    sketch.box(0.1, 0.0, 1.68, 0.12, TRIM)
    sketch.line([(0.2, 0.33), (1.58, 0.33)], 0.015, SEAM)
    sketch.box(0.62, 0.42, 1.16, 0.53, PLATE)
    for side in (0.0, 1.0):
        lamp = [(abs(side * WIDTH - x), y) for x, y in ((0.04, 0.42), (0.4, 0.46), (0.36, 0.64), (0.08, 0.68))]
        sketch.polygon(lamp, RED)
    sketch.disc(0.4, 0.06, 0.05, PIPE)
    return sketch.index()


def _across(size: tuple[float, float], density: float, inks: tuple[int, int], inset: float) -> Labels:
    """Return a panel across the car, narrower by `inset` on each side at its top; inks: inside, border."""
    (width, length), (ink, border) = size, inks
    sketch = Sketch(width, length, density)
    sketch.polygon([(0.0, 0.0), (width, 0.0), (width - inset, length), (inset, length)], border)
    edge = 0.03 + (0.07 if border != ink else 0.0)
    top, left, right = length - edge + 0.03, inset + edge, width - inset - edge
    sketch.polygon([(edge, edge - 0.03), (width - edge, edge - 0.03), (right, top), (left, top)], ink)
    return sketch.index()


def _lit(index: Labels, materials: list[Floats], warmth: float = 0.0, shade: float = 0.35) -> Texture:
    """Paint an index image; paint darkens towards the bottom, the middle may be warmed from inside."""
    texture = from_palette(index, materials)
    rows = np.linspace(1.0 + shade, 1.0 - shade, index.shape[0], dtype=np.float32)
    texture.values[..., :4] *= rows[:, None, None]
    across = np.linspace(-1.0, 1.0, index.shape[1], dtype=np.float32)
    texture.values[..., TILT] = 0.5 * across**3
    texture.values[..., WARMTH] += warmth * (1.0 - across**2)
    return texture


def car_panels(car: Car, atlas: Atlas, density: float) -> list[Panel]:
    """Return the panels of a car, textures with `density` texels per metre."""
    materials = palette(car)
    panels = []

    half, end = WIDTH / 2.0, LENGTH / 2.0
    ahead = (0.0, 0.0, car.heading * LENGTH)
    lower, cabin = (atlas.add(_lit(part(density), materials)) for part in (_side, _cabin_side))
    for side in (-1.0, 1.0):
        panels.append(Panel(car.point(-end, side * half, 0.0), ahead, (0.0, BELT, 0.0), lower))
        lean = (-side * 0.17, ROOF - BELT, 0.0)
        panels.append(Panel(car.point(-end, side * (half - 0.03), BELT - 0.015), ahead, lean, cabin))

    def crosswise(texture: Texture, start: tuple[float, float], stop: tuple[float, float], width: float) -> None:
        origin = car.point(start[0], -width / 2.0, start[1])
        rise = (0.0, stop[1] - start[1], car.heading * (stop[0] - start[0]))
        panels.append(Panel(origin, (width, 0.0, 0.0), rise, atlas.add(texture)))

    crosswise(_lit(_front(density), materials, 5.0 * car.warm), (end - 0.02, 0.2), (end - 0.12, 0.78), WIDTH)
    bonnet = _across((WIDTH, 1.2), density, (PAINT, PAINT), 0.09)
    crosswise(_lit(bonnet, materials, 9.0 * car.warm, 0.1), (end - 0.12, 0.76), (0.92, 0.98), WIDTH)
    screen = _across((1.68, 0.85), density, (GLASS, PAINT), 0.15)
    crosswise(_lit(screen, materials, 0.0, 0.2), (1.0, 0.97), (0.2, 1.43), 1.68)
    crosswise(_lit(screen, materials, 0.0, 0.2), (-1.85, 0.97), (-1.15, 1.43), 1.68)
    roof = _across((1.38, 1.4), density, (PAINT, PAINT), 0.0)
    crosswise(_lit(roof, materials, 0.0, 0.1), (0.22, 1.43), (-1.17, 1.43), 1.38)
    crosswise(_lit(_rear(density), materials, 1.5 * car.warm), (-end + 0.02, 0.25), (-end + 0.1, 0.97), WIDTH)
    return panels
