"""Flat painted surfaces: what a piece of the world reflects, emits and how warm it is."""

from dataclasses import dataclass, field

import numpy as np

from .arrays import Floats, Indices, Labels, Mask

CHANNELS = 10
REFLECTANCE = slice(0, 3)
NEAR = 3
WARMTH = 4
GLOW = slice(5, 8)
TILT = 8
GLOSS = 9

EMPTY, SOLID, PERSON, BOARD, LETTER = 0, 1, 2, 3, 4
"""Labels of a texel: nothing there, ordinary matter, pedestrian, sign board, letter on the board."""

Color = tuple[float, float, float]


def surface(
    color: Color,
    near: float | None = None,
    warmth: float = 0.0,
    glow: Color = (0.0, 0.0, 0.0),
    gloss: float = 0.0,
) -> Floats:
    """Return the channel vector of a material.

    `color` and `near` are reflectances in [0, 1] (red, green, blue; near infrared), `warmth` is in
    kelvin above the air, `glow` is emitted radiance, `gloss` in [0, 1] is how much it mirrors.
    """
    reflected = min(1.0, sum(color) / 3.0 + 0.08) if near is None else near
    return np.array([*color, reflected, warmth, *glow, 0.0, gloss], dtype=np.float32)


@dataclass(frozen=True)
class Texture:
    """(h, w, CHANNELS) values and (h, w) labels; row 0 is the top."""

    values: Floats
    label: Labels


def blank(height: int, width: int) -> Texture:
    """Return a texture with nothing on it."""
    return Texture(np.zeros((height, width, CHANNELS), np.float32), np.zeros((height, width), np.uint8))


def filled(height: int, width: int, material: Floats) -> Texture:
    """Return a texture of one material all over."""
    texture = Texture(np.empty((height, width, CHANNELS), np.float32), np.ones((height, width), np.uint8))
    texture.values[:] = material
    return texture


def from_palette(index: Labels, materials: list[Floats]) -> Texture:
    """Return the texture of an index image: 0 is empty, n is `materials[n - 1]`."""
    table = np.concatenate([np.zeros((1, CHANNELS), np.float32), np.stack(materials)])
    return Texture(table[index], (index > 0).astype(np.uint8))


@dataclass
class Atlas:
    """All textures with their halved copies in one flat table, so that a pixel is one number."""

    values: list[Floats] = field(default_factory=list)
    labels: list[Labels] = field(default_factory=list)
    levels: list[list[tuple[int, int, int]]] = field(default_factory=list)
    used: int = 0

    def add(self, texture: Texture) -> int:
        """Store a texture and its halved copies; return its number."""
        levels = []
        while True:
            height, width = texture.label.shape
            self.values.append(texture.values.reshape(-1, CHANNELS))
            self.labels.append(texture.label.ravel())
            levels.append((self.used, height, width))
            self.used += height * width
            if min(height, width) < 8 or len(levels) == 6:
                break
            texture = halved(texture)
        self.levels.append(levels)
        return len(self.levels) - 1

    def table(self) -> tuple[Floats, Labels]:
        """Return the (texels, CHANNELS) values and (texels,) labels of everything stored."""
        return np.concatenate(self.values), np.concatenate(self.labels)


def halved(texture: Texture) -> Texture:
    """Return the texture at half the size; empty texels do not bleed into their neighbours."""
    height, width = (side // 2 * 2 for side in texture.label.shape)
    label = texture.label[:height, :width]
    corners = [(row, column) for row in (0, 1) for column in (0, 1)]
    cover = [label[row::2, column::2] for row, column in corners]
    solid = [(part > 0).astype(np.float32) for part in cover]
    count = solid[0] + solid[1] + solid[2] + solid[3]
    weight = 1.0 / np.maximum(count, 1.0)
    values = np.zeros((height // 2, width // 2, CHANNELS), np.float32)
    for (row, column), part in zip(corners, solid, strict=True):
        values += texture.values[row:height:2, column:width:2] * (part * weight)[..., None]
    top = np.maximum(np.maximum(cover[0], cover[1]), np.maximum(cover[2], cover[3]))
    return Texture(values, np.where(count >= 2.0, top, 0).astype(np.uint8))


def texel(levels: list[tuple[int, int, int]], u: Floats, v: Floats, level: Indices) -> Indices:
    """Return table rows for positions u (to the right) and v (upwards) in [0, 1) at mip levels."""
    table = np.array(levels, np.int32)
    height, width = table[level, 1], table[level, 2]
    row = np.minimum(((1.0 - v) * height).astype(np.int32), height - 1)
    column = np.minimum((u * width).astype(np.int32), width - 1)
    result: Indices = table[level, 0] + row * width + column
    return result


def paint(texture: Texture, where: Mask, material: Floats, label: int = SOLID) -> None:
    """Cover part of a fresh texture with a material."""
    texture.values[where] = material
    texture.label[where] = label
