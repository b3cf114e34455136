"""House fronts: walls of brick, plaster or concrete with windows, shops, stains and heat leaks."""

from dataclasses import dataclass

import numpy as np

from .arrays import Floats, patch
from .texture import GLOSS, GLOW, NEAR, REFLECTANCE, WARMTH, Color, Texture, filled, surface

WALLS: tuple[tuple[str, Color], ...] = (
    ("brick", (0.26, 0.11, 0.075)), ("brick", (0.2, 0.12, 0.09)), ("brick", (0.33, 0.22, 0.15)),
    ("plaster", (0.42, 0.36, 0.26)), ("plaster", (0.45, 0.43, 0.4)), ("plaster", (0.3, 0.33, 0.33)),
    ("plaster", (0.4, 0.27, 0.19)), ("concrete", (0.3, 0.29, 0.27)), ("concrete", (0.22, 0.22, 0.22)),
)  # fmt: skip

LIGHTS: tuple[Color, ...] = ((1.0, 0.72, 0.38), (1.0, 0.8, 0.52), (0.95, 0.9, 0.75), (0.2, 0.29, 0.42))
"""Colours of lit rooms: bulbs, lamps, tubes, a television."""

STOREY = 3.1


@dataclass(frozen=True)
class House:
    """A house as a box: `side` is -1 or +1 (left or right of the road)."""

    side: int
    start: float
    length: float
    height: float
    setback: float
    depth: float
    wall: tuple[str, Color]
    shop: bool
    windows: tuple[float, float]
    """Width and height of a window in metres."""
    bay: float
    leak: float
    """How badly it is insulated, 0..1."""


def wall(
    size: tuple[float, float],
    density: float,
    kind: tuple[str, Color],
    noises: tuple[Floats, Floats],
    seed: int,
) -> Texture:
    """Return a bare wall of (height, width) metres with `density` texels per metre."""
    rows, columns = max(8, round(size[0] * density)), max(8, round(size[1] * density))
    texture = filled(rows, columns, surface(kind[1], sum(kind[1]) / 3.0 + 0.12, 1.2))
    rough, smooth = noises
    step = 16.0 / density
    stains = patch(smooth, (rows, columns), (0.35 * step, 0.6 * step), seed)
    streaks = patch(rough, (rows, columns), (0.08 * step, 1.3 * step), seed + 40)
    grain = patch(rough, (rows, columns), (max(1.0, step), max(1.0, step)), seed + 90)
    tone = 1.0 + 0.13 * stains + 0.06 * streaks + 0.05 * grain
    if kind[0] == "brick":
        tone *= _bricks(rows, columns, density, seed)
    elif kind[0] == "concrete":
        tone *= _joints(rows, columns, density)
    damp = np.linspace(-0.25, 1.0, rows, dtype=np.float32)[:, None] ** 8
    tone *= 1.0 - 0.3 * damp
    texture.values[..., :4] *= np.clip(tone, 0.3, 1.7)[..., None]
    texture.values[..., WARMTH] += 0.7 * stains + 0.3 * grain + 1.2 * damp
    return texture


def _bricks(rows: int, columns: int, density: float, seed: int) -> Floats:
    """Return relative brightness of bricks and mortar; too small bricks melt into one tone."""
    y = np.arange(rows, dtype=np.float32) / (density * 0.115)
    course = np.floor(y)
    x = np.arange(columns, dtype=np.float32)[None, :] / (density * 0.34) + 0.5 * (course[:, None] % 2)
    brick = np.floor(x)
    tones = np.random.default_rng([seed, 5]).normal(1.0, 0.16, 1024).astype(np.float32)
    number = (course[:, None] * 57.0 + brick * 131.0).astype(np.int32) & 1023
    mortar = ((y - course)[:, None] < 0.16) | (x - brick < 0.07)
    strength = float(np.clip(density / 24.0 - 0.3, 0.0, 1.0))
    return 1.0 + strength * (np.where(mortar, np.float32(1.35), tones[number]) - 1.0)


def _joints(rows: int, columns: int, density: float) -> Floats:
    """Return relative brightness of concrete slabs with dark joints."""
    y = (np.arange(rows, dtype=np.float32) / density) % STOREY
    x = (np.arange(columns, dtype=np.float32) / density) % 2.6
    width = max(0.05, 1.0 / density)
    joint = (y[:, None] < width) | (x[None, :] < width)
    return np.where(joint, np.float32(0.62), np.float32(1.0))


def window(
    size: tuple[int, int], rng: np.random.Generator, light: Color | None, leak: float, brightness: float
) -> Floats:
    """Return the (rows, columns, channels) picture of a window; `light` is the room's lamp, None = dark."""
    rows, columns = size
    frame = surface((0.5, 0.49, 0.46), 0.5, 1.5 + 2.5 * leak)
    pane = surface((0.025, 0.03, 0.035), 0.05, -2.5 + 2.5 * leak, gloss=0.7)
    values = filled(rows, columns, pane).values
    y = np.linspace(1.0, 0.0, rows, dtype=np.float32)[:, None]
    x = np.abs(np.linspace(-1.0, 1.0, columns, dtype=np.float32))[None, :]
    opening = float(rng.uniform(0.35, 1.1))
    curtain = x + 0.05 * np.sin(40.0 * x) > opening
    blind = y > 1.0 - float(rng.choice([0.0, 0.0, 0.3, 0.55]))
    if light is not None:
        level = brightness * (0.25 + 0.85 * np.exp(-((x / 1.1) ** 2) - ((y - 0.85) / 0.75) ** 2))
        level = level * np.where(curtain, 0.55 + 0.18 * np.sin(55.0 * x), 1.0) * np.where(blind, 0.7, 1.0)
        furniture = (y < 0.28) & (np.abs(x - 0.35) < 0.3)
        level = level * np.where(furniture, 0.35, 1.0)
        values[..., GLOW] = level[..., None] * np.array(light, np.float32)
        values[..., WARMTH] += 2.0
    else:
        values[np.broadcast_to(curtain, (rows, columns)), REFLECTANCE] = 0.14
        values[np.broadcast_to(curtain | blind, (rows, columns)), NEAR] = 0.3
    edge = max(1, round(0.055 * rows))
    side = max(1, round(0.07 * columns))
    for bar in (
        slice(0, edge),
        slice(rows - edge, rows),
        slice(int(0.32 * rows), int(0.32 * rows) + max(1, edge // 2)),
    ):
        values[bar] = frame
    middle = columns // 2
    for bar in (slice(0, side), slice(columns - side, columns), slice(middle, middle + max(1, side // 2))):
        values[:, bar] = frame
    values[:edge, :, :4] *= 0.5
    return values


def facade(house: House, density: float, noises: tuple[Floats, Floats], seed: int, brightness: float) -> Texture:
    """Return the front of a house; `brightness` is the radiance of lit rooms."""
    width = house.length
    rng = np.random.default_rng([seed, 9])
    texture = wall((house.height, width), density, house.wall, noises, seed)
    rows = texture.label.shape[0]
    storeys = max(1, int((house.height - 0.7) / STOREY))
    bays = max(1, int((width - 0.8) / house.bay))
    size = (max(4, round(house.windows[1] * density)), max(3, round(house.windows[0] * density)))
    dark = [window(size, rng, None, house.leak, 0.0) for _ in range(3)]
    lit = [window(size, rng, light, house.leak, brightness) for light in LIGHTS]
    _slabs(texture, storeys, density, house.leak)
    for storey in range(1 if house.shop else 0, storeys):
        for bay in range(bays):
            middle = (bay + 0.5) * (width / bays)
            sill = storey * STOREY + 1.0
            chosen = lit if rng.random() < 0.24 else dark
            stamp = chosen[int(rng.integers(len(chosen)))]
            row = rows - round((sill + house.windows[1]) * density)
            column = round((middle - house.windows[0] / 2.0) * density)
            heat = 1.0 + 3.5 * house.leak if rng.random() < 0.55 else 0.0
            _put_window(texture, stamp, (row, column), (1.6 * house.leak, heat), density)
    if house.shop:
        _shop(texture, width, density, rng, brightness)
    else:
        _door(texture, (float(rng.integers(bays)) + 0.5) * (width / bays), density, rng)
    _cornice(texture, density)
    return texture


def _slabs(texture: Texture, storeys: int, density: float, leak: float) -> None:
    """Floors conduct: faint warm lines at every storey, and a ledge that the light catches."""
    rows = texture.label.shape[0]
    for storey in range(1, storeys + 1):
        row = rows - round((storey * STOREY + 0.25) * density)
        thick = max(1, round(0.16 * density))
        if 0 <= row < rows - thick:
            texture.values[row : row + thick, :, :4] *= 1.25
            texture.values[row + thick : row + 2 * thick, :, :4] *= 0.72
            texture.values[row - thick : row + 2 * thick, :, WARMTH] += 1.5 * leak


def _put_window(
    texture: Texture, stamp: Floats, corner: tuple[int, int], leaks: tuple[float, float], density: float
) -> None:
    """Stamp a window with its sill and lintel, and the kelvin that leak around and below it."""
    (row, column), (height, width) = corner, stamp.shape[:2]
    rows, columns = texture.label.shape
    if row < 1 or column < 1 or row + height + 2 > rows or column + width + 2 > columns:
        return
    margin = max(1, round(0.14 * density))
    around = (
        slice(max(0, row - 2 * margin), row + height + margin),
        slice(max(0, column - margin), column + width + margin),
    )
    texture.values[around][..., WARMTH] += leaks[0]
    lintel = (slice(max(0, row - margin), row), slice(max(0, column - margin), column + width + margin))
    texture.values[lintel][..., :4] *= 1.3
    sill = (
        slice(row + height, row + height + max(1, margin // 2)),
        slice(max(0, column - margin), column + width + margin),
    )
    texture.values[sill][..., :4] = np.clip(texture.values[sill][..., :4] * 1.5, 0.0, 0.6)
    below = slice(row + height + margin // 2, min(rows, row + height + 5 * margin))
    fade = np.linspace(1.0, 0.0, max(0, below.stop - below.start), dtype=np.float32)[:, None]
    texture.values[below, column : column + width, :4] *= 1.0 - 0.22 * fade[..., None]
    texture.values[below, column : column + width, WARMTH] += leaks[1] * fade
    texture.values[row : row + height, column : column + width] = stamp


def _shop(texture: Texture, width: float, density: float, rng: np.random.Generator, brightness: float) -> None:
    """Paint a shop window, its door and its awning on the ground floor."""
    rows, columns = texture.label.shape
    open_late = rng.random() < 0.6
    light = LIGHTS[int(rng.integers(3))]
    top, bottom = rows - round(2.75 * density), rows - round(0.45 * density)
    left, right = round(0.5 * density), columns - round(0.5 * density)
    if bottom - top < 4 or right - left < 6:
        return
    pane = surface((0.03, 0.03, 0.035), 0.05, 1.5, gloss=0.6)
    texture.values[top:bottom, left:right] = pane
    texture.values[bottom:, left:right, REFLECTANCE] *= 0.55
    if not open_late:
        _shutter(texture, (slice(top, bottom), slice(left, right)), density, rng)
    else:
        y = np.linspace(1.0, 0.0, bottom - top, dtype=np.float32)[:, None]
        x = np.linspace(0.0, width, right - left, dtype=np.float32)[None, :]
        shelves = 0.72 + 0.28 * np.sign(np.sin(9.0 * y) * np.sin(5.5 * x + 2.0 * np.sin(3.0 * x)))
        level = 0.8 * brightness * (0.45 + 0.55 * y) * shelves * (0.75 + 0.25 * np.cos(2.2 * x))
        texture.values[top:bottom, left:right, GLOW] = level[..., None] * np.array(light, np.float32)
        texture.values[top:bottom, left:right, WARMTH] += 1.0
    post = max(1, round(0.07 * density))
    frame = surface((0.06, 0.06, 0.06), 0.2, 1.2)
    for number in range(int((width - 0.4) / 1.7)):
        column = round((0.5 + 1.7 * number) * density)
        texture.values[top : min(rows, bottom + 2), column : column + post] = frame
    door = round(float(rng.uniform(0.3, 0.7)) * width * density)
    texture.values[top + 2 :, door : door + round(0.95 * density), :4] *= 0.7
    texture.values[bottom:, door : door + round(0.95 * density)] = surface((0.1, 0.06, 0.04), 0.2, 2.5)
    color: Color = ((0.16, 0.03, 0.03), (0.03, 0.1, 0.06), (0.04, 0.05, 0.14))[int(rng.integers(3))]
    band = slice(max(0, top - round(0.55 * density)), top)
    texture.values[band, left:right] = surface(color, 0.3, 0.5)
    texture.values[band, left:right, :4] *= np.linspace(1.25, 0.6, band.stop - band.start, dtype=np.float32)[
        :, None, None
    ]


def _shutter(texture: Texture, where: tuple[slice, slice], density: float, rng: np.random.Generator) -> None:
    """Close a shop window with a ribbed metal shutter, a little painted over and dirty at the foot."""
    rows, columns = (part.stop - part.start for part in where)
    tone = float(rng.uniform(0.12, 0.24))
    texture.values[where] = surface((tone, tone, 1.05 * tone), tone, 0.2, gloss=0.12)
    y = np.arange(rows, dtype=np.float32)[:, None] / density
    x = np.arange(columns, dtype=np.float32)[None, :] / density
    ribs = 1.0 + 0.22 * np.sign(np.sin(2.0 * np.pi * y / max(0.16, 3.0 / density)))
    scrawl = np.sin(2.1 * x + 1.7 * np.sin(3.3 * y + 0.8 * x)) * np.sin(1.3 * x - 2.2 * y)
    paint_on = (scrawl > 0.62) & (np.abs(y - 1.2) < 0.7)
    shade = ribs * (1.0 - 0.4 * (y / (rows / density)) ** 3) * np.where(paint_on, 1.5, 1.0)
    texture.values[where][..., :4] *= shade[..., None]
    texture.values[where][..., WARMTH] += 0.5 * (ribs - 1.0) - 0.3 * paint_on


def _door(texture: Texture, middle: float, density: float, rng: np.random.Generator) -> None:
    """Paint a front door with its frame, step and fanlight, and the plinth of the wall."""
    rows = texture.label.shape[0]
    plinth = rows - round(0.55 * density)
    texture.values[plinth:, :, :4] *= 0.72
    color: Color = ((0.12, 0.05, 0.03), (0.03, 0.07, 0.05), (0.05, 0.06, 0.12))[int(rng.integers(3))]
    left, right = round((middle - 0.62) * density), round((middle + 0.62) * density)
    top = rows - round(2.55 * density)
    edge = max(1, round(0.1 * density))
    if left < 1 or top < 1:
        return
    texture.values[top:, left:right] = surface((0.42, 0.4, 0.37), 0.45, 2.0)
    texture.values[top + edge :, left + edge : right - edge] = surface(color, 0.25, 3.4)
    fan = slice(top + edge, top + edge + max(1, round(0.35 * density)))
    texture.values[fan, left + edge : right - edge] = surface((0.03, 0.03, 0.035), 0.05, 0.5, (0.0, 0.0, 0.0), 0.5)
    panel = slice(rows - round(1.7 * density), rows - round(1.0 * density))
    texture.values[panel, left + 3 * edge : right - 3 * edge, :4] *= 0.65
    texture.values[rows - edge :, left - edge : right + edge] = surface((0.3, 0.29, 0.27), 0.35, 1.0)


def _cornice(texture: Texture, density: float) -> None:
    """Paint the eaves and a downpipe."""
    columns = texture.label.shape[1]
    thick = max(1, round(0.3 * density))
    texture.values[:thick] = surface((0.3, 0.28, 0.26), 0.35, 0.0)
    texture.values[thick : 2 * thick, :, :4] *= np.linspace(0.5, 1.0, thick, dtype=np.float32)[:, None, None]
    texture.values[thick : 2 * thick, :, WARMTH] += 0.8
    pipe = max(1, round(0.1 * density))
    column = min(columns - 2 * pipe, round(0.25 * density))
    texture.values[thick:, column : column + pipe] = surface((0.14, 0.14, 0.14), 0.2, 0.3, gloss=0.1)
    texture.values[..., GLOSS] = np.clip(texture.values[..., GLOSS], 0.0, 1.0)


def skyline(rng: np.random.Generator, rows: int, columns: int, brightness: float) -> Texture:
    """Return distant roofs against the sky with a few lit windows; empty above the roofs."""
    texture = filled(rows, columns, surface((0.1, 0.1, 0.11), 0.16, 0.6))
    x = 0
    while x < columns:
        width = int(rng.integers(max(2, columns // 40), max(4, columns // 14)))
        roof = int(rows * rng.uniform(0.15, 0.85))
        texture.label[:roof, x : x + width] = 0
        texture.values[:, x : x + width, :4] *= float(rng.uniform(0.7, 1.3))
        texture.values[:, x : x + width, WARMTH] += float(rng.uniform(-0.5, 0.8))
        x += width
    lit = rng.random((rows // 2 + 1, columns // 2 + 1)) < 0.03
    glow = np.repeat(np.repeat(lit, 2, 0), 2, 1)[:rows, :columns]
    texture.values[glow, GLOW] = np.array([1.0, 0.75, 0.42], np.float32) * (0.3 * brightness)
    return texture
