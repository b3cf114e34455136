"""What stands along a street: lamps, trees, hedges and the sign."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .arrays import Floats, patch
from .figures import Canvas
from .texture import (
    BOARD,
    LETTER,
    NEAR,
    REFLECTANCE,
    SOLID,
    TILT,
    WARMTH,
    Color,
    Texture,
    blank,
    filled,
    from_palette,
    paint,
    surface,
)

WORDS = (
    "HARBOUR", "CITY HALL", "STATION", "MUSEUM", "OLD TOWN", "THEATRE", "BAKERY", "AIRPORT", "CAFE LUNA",
    "RIVERSIDE", "NORTH GATE", "HOTEL MIRA", "MARKET", "LIBRARY", "EXIT 24", "PARKING", "HOSPITAL",
    "SLOW DOWN",
)  # fmt: skip
SHORT_WORDS = ("STOP", "BUS", "TAXI", "CAFE", "HOTEL", "EXIT", "ZOO", "PARK")

INKS: tuple[tuple[Color, Color], ...] = (
    ((0.55, 0.56, 0.55), (0.02, 0.05, 0.17)),
    ((0.55, 0.56, 0.55), (0.012, 0.09, 0.045)),
    ((0.02, 0.02, 0.022), (0.6, 0.6, 0.56)),
    ((0.03, 0.025, 0.02), (0.62, 0.42, 0.05)),
    ((0.6, 0.58, 0.52), (0.2, 0.02, 0.025)),
)
"""Letters and board."""


def sign_board(text: str, inks: tuple[Color, Color], rows: int) -> Texture:
    """Return the board with its text; ink and board have one temperature and almost one near infrared."""
    letters = text_mask(text, rows)
    border = max(1, rows // 22)
    texture = filled(letters.shape[0], letters.shape[1], surface(inks[1], 0.5, -0.6))
    texture.label[:] = BOARD
    frame = np.zeros(letters.shape, np.bool_)
    frame[border : 2 * border, border:-border] = frame[-2 * border : -border, border:-border] = True
    frame[border:-border, border : 2 * border] = frame[border:-border, -2 * border : -border] = True
    paint(texture, frame, surface(inks[0], 0.55, -0.6), BOARD)
    paint(texture, letters, surface(inks[0], 0.55, -0.6), LETTER)
    return texture


def text_mask(text: str, rows: int) -> np.ndarray:
    """Return the (rows, columns) bool mask of bold letters with a margin around them."""
    font = ImageFont.load_default(size=max(4.0, 0.74 * rows))
    stroke = max(0, round(0.022 * rows))
    left, top, right, bottom = font.getbbox(text, stroke_width=stroke)
    margin = round(0.28 * rows)
    image = Image.new("L", (max(8, round(right - left) + 2 * margin), rows))
    position = (margin - left, (rows - (bottom - top)) / 2.0 - top)
    ImageDraw.Draw(image).text(position, text, fill=255, font=font, stroke_width=stroke)
    mask: np.ndarray = np.array(image) > 127
    return mask


def tree(rng: np.random.Generator, rows: int, noises: tuple[Floats, Floats], bare: bool) -> Texture:
    """Return a tree as wide as high: trunk, branches and a crown of leaf clumps."""
    canvas = Canvas.empty(rows, SOLID, (1.0, 1.0))
    bark = surface((0.07, 0.055, 0.04), 0.3, 1.0)
    fork = (float(rng.uniform(-0.03, 0.03)), float(rng.uniform(0.3, 0.36)))
    canvas.limb([(0.0, 0.0, 0.026), (fork[0], fork[1], 0.018), (fork[0], 0.62, 0.01)], bark)
    for _ in range(9):
        way, reach = float(rng.uniform(-1.0, 1.0)), float(rng.uniform(0.2, 0.42))
        low = (fork[0], fork[1] + float(rng.uniform(0.0, 0.2)), 0.011)
        bend = (fork[0] + 0.5 * way * reach, low[1] + 0.55 * reach, 0.008)
        canvas.limb([low, bend, (fork[0] + way * reach, low[1] + reach, 0.003)], bark)
    if bare:
        _twigs(canvas, rng, bark)
    else:
        _crown(canvas, rng, noises)
    return canvas.texture


def _twigs(canvas: Canvas, rng: np.random.Generator, bark: Floats) -> None:
    """Fill a leafless crown with thin branches that fan out from the fork."""
    for _ in range(45):
        angle, away = float(rng.uniform(-1.25, 1.25)), float(rng.uniform(0.12, 0.34))
        start = (0.6 * away * math.sin(angle), 0.5 + 0.6 * away * math.cos(angle) - 0.08)
        turn = angle + float(rng.uniform(-0.5, 0.5))
        reach = float(rng.uniform(0.06, 0.15))
        end = (start[0] + reach * math.sin(turn), start[1] + reach * math.cos(turn))
        canvas.limb([(*start, 0.0045), (*end, 0.002)], bark)


def _crown(canvas: Canvas, rng: np.random.Generator, noises: tuple[Floats, Floats]) -> None:
    """Clumps of leaves: each a ball whose rim is eaten away by noise, lit from above."""
    shape = canvas.texture.label.shape
    size = (shape[0], shape[1])
    offset = int(rng.integers(256))
    leaf = patch(noises[0], size, (150.0 / size[0], 150.0 / size[1]), offset)
    clump = patch(noises[1], size, (190.0 / size[0], 190.0 / size[1]), offset)
    ball = np.full(size, -1.0, np.float32)
    tilt, height = np.zeros(size, np.float32), np.zeros(size, np.float32)
    for _ in range(26):
        angle, away = float(rng.uniform(0.0, 6.283)), float(rng.uniform(0.0, 1.0)) ** 0.6
        middle = (0.3 * away * math.cos(angle), 0.64 + 0.22 * away * math.sin(angle))
        radius = float(rng.uniform(0.085, 0.16))
        x, y = (canvas.x - middle[0]) / radius, (canvas.y - middle[1]) / radius
        bulge = 1.0 - x**2 - y**2 + float(rng.uniform(0.0, 0.25))
        front = bulge > ball
        ball = np.where(front, bulge, ball)
        tilt, height = np.where(front, x, tilt), np.where(front, y, height)
    leaves = (ball + 0.3 * leaf + 0.25 * clump > 0.1) & (ball > -0.35)
    green = np.clip(0.75 + 0.35 * height + 0.3 * leaf + 0.2 * clump, 0.25, 1.9)
    _foliage(canvas.texture, leaves, green, leaf, tilt)


def _foliage(texture: Texture, where: np.ndarray, tone: Floats, leaf: Floats, tilt: Floats) -> None:
    paint(texture, where, surface((0.045, 0.058, 0.022), 0.55, 0.8))
    texture.values[where, REFLECTANCE] *= tone[where, None]
    texture.values[where, NEAR] *= np.clip(0.6 + 0.4 * tone[where], 0.4, 1.5)
    texture.values[where, WARMTH] += 0.5 * leaf[where] - 0.5 * (1.0 - tone[where])
    texture.values[where, TILT] = np.clip(0.6 * tilt[where], -0.8, 0.8)


def hedge(rng: np.random.Generator, rows: int, columns: int, noises: tuple[Floats, Floats]) -> Texture:
    """Return a clipped hedge with a ragged top."""
    texture = blank(rows, columns)
    offset = int(rng.integers(256))
    leaf = patch(noises[0], (rows, columns), (40.0 / rows, 40.0 / rows), offset)
    clump = patch(noises[1], (rows, columns), (40.0 / rows, 40.0 / rows), offset)
    height = np.linspace(1.0, 0.0, rows, dtype=np.float32)[:, None]
    leaves = height < 0.86 + 0.08 * clump + 0.07 * leaf
    tone = np.clip(0.45 + 0.6 * height + 0.3 * leaf + 0.22 * clump, 0.25, 1.8)
    _foliage(texture, leaves, tone, leaf, np.zeros_like(tone))
    return texture


def pole(rows: int, warmth: float) -> Texture:
    """Return a round metal pole with a thicker foot."""
    texture = filled(rows, 8, surface((0.11, 0.115, 0.12), 0.15, warmth, gloss=0.25))
    texture.values[..., TILT] = np.linspace(-0.9, 0.9, 8, dtype=np.float32)
    texture.label[: int(0.85 * rows), :2] = 0
    texture.label[: int(0.85 * rows), -2:] = 0
    return texture


def lamp_head(glow: float) -> Texture:
    """Return a luminaire seen from below and the side; `glow` is the radiance of its glass."""
    index = np.ones((8, 24), np.uint8)
    index[5:, 3:21] = 2
    index[:2, :5] = index[:2, -5:] = 0
    metal = surface((0.1, 0.1, 0.105), 0.15, 0.5)
    glass = surface((0.5, 0.5, 0.48), 0.5, 9.0 if glow else 0.0, (glow, 0.86 * glow, 0.6 * glow))
    return from_palette(index, [metal, glass])
