"""Pedestrians and animals, painted from joints and tapered limbs.

Every part knows where it is warm and how round it is: faces and hands are skin, coats keep the heat in.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from .arrays import Floats, patch
from .texture import GLOW, PERSON, SOLID, TILT, WARMTH, Color, Texture, blank, surface

BOX = (2.0, 1.4)
"""Height and width in metres of the panel a figure is painted on."""

Joints = list[tuple[float, float, float]]
"""(x, y, half width) of a limb's joints in metres; x = 0 is the body's middle, y = 0 the ground."""


@dataclass
class Canvas:
    """A texture with coordinates in metres."""

    texture: Texture
    x: Floats
    y: Floats
    label: int

    @classmethod
    def empty(cls, rows: int, label: int, extent: tuple[float, float] = BOX) -> "Canvas":
        columns = max(4, round(rows * extent[1] / extent[0]))
        x = ((np.arange(columns) + 0.5) / columns - 0.5) * extent[1]
        y = (1.0 - (np.arange(rows) + 0.5) / rows) * extent[0]
        return cls(blank(rows, columns), x.astype(np.float32)[None, :], y.astype(np.float32)[:, None], label)

    def window(self, x: tuple[float, float], y: tuple[float, float]) -> "Canvas":
        """Return the part of the canvas between two x and two y, sharing its texels."""
        columns = slice(*(int(place) for place in np.searchsorted(self.x[0], x)))
        rows = slice(*(int(place) for place in np.searchsorted(-self.y[:, 0], (-y[1], -y[0]))))
        part = Texture(self.texture.values[rows, columns], self.texture.label[rows, columns])
        return Canvas(part, self.x[:, columns], self.y[rows], self.label)

    def limb(self, joints: Joints, material: Floats) -> None:
        """Paint round cones from joint to joint."""
        for first, second in itertools.pairwise(joints):
            wide = max(first[2], second[2])
            ends = [(min(pair) - wide, max(pair) + wide) for pair in zip(first[:2], second[:2], strict=True)]
            self.window(ends[0], ends[1])._cone(first, second, material)

    def _cone(self, first: tuple[float, float, float], second: tuple[float, float, float], material: Floats) -> None:
        along = (second[0] - first[0], second[1] - first[1])
        length = max(along[0] ** 2 + along[1] ** 2, 1e-6)
        x, y = self.x - first[0], self.y - first[1]
        position = np.clip((x * along[0] + y * along[1]) / length, 0.0, 1.0)
        radius = first[2] + (second[2] - first[2]) * position
        offset = x - along[0] * position
        inside = offset**2 + (y - along[1] * position) ** 2 < radius**2
        self._cover(inside, offset / radius, material)

    def profile(self, outline: Joints, material: Floats, lean: float = 0.0) -> None:
        """Paint a body whose half width and middle are interpolated over the height."""
        heights = [joint[1] for joint in outline]
        y = self.y[:, 0]
        half = np.interp(y, heights, [joint[2] for joint in outline]).astype(np.float32)
        middle = np.interp(y, heights, [joint[0] for joint in outline]).astype(np.float32)
        middle += lean * (y - heights[0])
        offset = (self.x - middle[:, None]) / half[:, None]
        inside = (np.abs(offset) < 1.0) & (self.y >= heights[0]) & (self.y <= heights[-1])
        self._cover(inside, offset, material)

    def oval(self, centre: tuple[float, float], radii: tuple[float, float], material: Floats) -> None:
        part = self.window((centre[0] - radii[0], centre[0] + radii[0]), (centre[1] - radii[1], centre[1] + radii[1]))
        offset = (part.x - centre[0]) / radii[0]
        part._cover(offset**2 + ((part.y - centre[1]) / radii[1]) ** 2 < 1.0, offset, material)

    def _cover(self, inside: np.ndarray, tilt: Floats, material: Floats) -> None:
        self.texture.values[inside] = material
        tilt = np.broadcast_to(tilt, inside.shape)[inside]
        self.texture.values[inside, TILT] = 0.9 * tilt
        self.texture.values[inside, WARMTH] -= 0.2 * material[WARMTH] * tilt**2
        self.texture.label[inside] = self.label


@dataclass(frozen=True)
class Clothes:
    coat: Floats
    trousers: Floats
    shoes: Floats
    skin: Floats
    hair: Floats
    bag: Floats


DARK: tuple[Color, ...] = (
    (0.07, 0.075, 0.09), (0.06, 0.065, 0.095), (0.1, 0.085, 0.07), (0.075, 0.09, 0.075), (0.12, 0.065, 0.06),
    (0.1, 0.1, 0.1), (0.065, 0.07, 0.12),
)  # fmt: skip


def clothes(rng: np.random.Generator) -> Clothes:
    """Return somebody's clothes: dark colours, seven kelvin or so above the air; bare skin is warmer."""
    coat, trousers = (DARK[int(rng.integers(len(DARK)))] for _ in range(2))
    tone = float(rng.uniform(0.35, 1.0))
    skin = (0.26 * tone, 0.19 * tone, 0.15 * tone)
    warm = float(rng.uniform(6.5, 9.0))
    return Clothes(
        surface(coat, 0.35, warm),
        surface(trousers, 0.3, warm + float(rng.uniform(-0.5, 1.5))),
        surface((0.03, 0.03, 0.03), 0.15, 3.5, gloss=0.05),
        surface(skin, 0.6, 16.0),
        surface((0.04, 0.03, 0.025), 0.25, 10.0),
        surface((0.05, 0.045, 0.05), 0.3, 2.5),
    )


def figure(rng: np.random.Generator, rows: int, noise: Floats) -> Texture:
    """Return a pedestrian, `rows` texels for the two metres of the panel, walking or standing."""
    canvas = Canvas.empty(rows, PERSON)
    wear = clothes(rng)
    if rng.random() < 0.5:
        _from_the_side(canvas, rng, wear)
    else:
        _from_the_front(canvas, rng, wear)
    shape = canvas.texture.label.shape
    folds = patch(noise, (shape[0], shape[1]), (40.0 / rows, 130.0 / rows), int(rng.integers(256)))
    canvas.texture.values[..., :4] *= np.clip(1.0 + 0.22 * folds, 0.4, 1.7)[..., None]
    canvas.texture.values[..., WARMTH] += 0.55 * folds
    canvas.texture.values[..., GLOW] = 0.0
    return canvas.texture


def _from_the_front(canvas: Canvas, rng: np.random.Generator, wear: Clothes) -> None:
    """Walking towards us or away: one leg ahead, arms swinging a little."""
    towards = rng.random() < 0.6
    ahead = 1.0 if rng.random() < 0.5 else -1.0
    stance = float(rng.uniform(0.075, 0.1))
    for side in (-ahead, ahead):
        lift = 0.0 if side == ahead else 0.07
        knee = (side * stance, 0.5 + 0.4 * lift, 0.07)
        ankle = (side * (stance - 0.005), 0.1 + lift, 0.054)
        canvas.limb([(ankle[0], ankle[1] - 0.02, 0.045), (ankle[0] + side * 0.03, 0.05 + lift, 0.05)], wear.shoes)
        canvas.limb([(side * 0.085, 0.92, 0.095), knee, ankle], wear.trousers)
    bulk = float(rng.uniform(0.92, 1.12))
    hem = float(rng.uniform(0.5, 0.62)) if rng.random() < 0.3 else float(rng.uniform(0.78, 0.86))
    for side in (-1.0, 1.0):
        swing = 0.05 * side * ahead
        elbow = (side * 0.24 * bulk, 1.14, 0.058)
        hand = (side * (0.235 + 0.02 * swing) * bulk, 0.88 + swing, 0.044)
        canvas.limb([(hand[0], hand[1] - 0.05, 0.038), (hand[0], hand[1] - 0.09, 0.03)], wear.skin)
        canvas.limb([(side * 0.175 * bulk, 1.40, 0.072), elbow, hand], wear.coat)
    outline = [(0.0, hem, 0.19), (0.0, 0.92, 0.182), (0.0, 1.1, 0.168), (0.0, 1.28, 0.185), (0.0, 1.4, 0.208),
               (0.0, 1.45, 0.19), (0.0, 1.49, 0.135), (0.0, 1.53, 0.066)]  # fmt: skip
    canvas.profile([(x, y, half * bulk) for x, y, half in outline], wear.coat)
    if not towards and rng.random() < 0.5:
        canvas.limb([(0.0, 1.04, 0.135), (0.0, 1.3, 0.135)], wear.bag)
    _head(canvas, rng, wear, 0.0, towards)


def _head(canvas: Canvas, rng: np.random.Generator, wear: Clothes, x: float, face: bool) -> None:
    canvas.limb([(x, 1.48, 0.055), (x, 1.57, 0.052)], wear.skin)
    canvas.oval((x, 1.64), (0.08, 0.115), wear.skin if face else wear.hair)
    style = rng.random()
    if style < 0.25:
        canvas.oval((x, 1.705), (0.091, 0.066), wear.bag)
    elif style < 0.45 and not face:
        canvas.limb([(x, 1.52, 0.09), (x, 1.68, 0.095)], wear.coat)
    else:
        canvas.oval((x, 1.71), (0.083, 0.054), wear.hair)
    if face:
        canvas.texture.values[..., WARMTH] += _bump(canvas, (x, 1.63), 0.07, 1.5)


def _bump(canvas: Canvas, centre: tuple[float, float], radius: float, height: float) -> Floats:
    near = ((canvas.x - centre[0]) ** 2 + (canvas.y - centre[1]) ** 2) / radius**2
    result: Floats = height * np.exp(-near) * (canvas.texture.label > 0)
    return result


def _from_the_side(canvas: Canvas, rng: np.random.Generator, wear: Clothes) -> None:
    """Striding across the picture: legs and arms in opposition, the body leaning forward."""
    way = 1.0 if rng.random() < 0.5 else -1.0
    stride = float(rng.uniform(0.2, 0.34))
    hip = (0.0, 0.93)
    far = [(hip[0], hip[1], 0.095), (-way * 0.3 * stride, 0.52, 0.078), (-way * (stride + 0.06), 0.17, 0.056)]
    near = [(hip[0], hip[1], 0.105), (way * 0.72 * stride, 0.51, 0.08), (way * stride, 0.1, 0.058)]
    for leg, toe in ((far, 0.04), (near, 0.05)):
        foot = leg[-1]
        heel = (foot[0], foot[1] - 0.05, 0.045)
        canvas.limb([heel, (foot[0] + way * 0.15, toe if leg is near else 0.05, 0.032)], wear.shoes)
        canvas.limb(leg, wear.trousers)
    swing = 0.75 * stride
    lean = 0.04 * way
    back = [(lean, 1.4, 0.075), (-way * swing * 0.7, 1.15, 0.06), (-way * swing * 0.8, 0.93, 0.045)]
    front = [(lean, 1.4, 0.075), (way * swing * 0.4, 1.13, 0.062), (way * (swing + 0.06), 0.96, 0.045)]
    _arm(canvas, wear, front)
    hem = float(rng.uniform(0.55, 0.66)) if rng.random() < 0.3 else float(rng.uniform(0.8, 0.87))
    outline = [(0.0, hem, 0.16), (0.0, 0.95, 0.155), (0.0, 1.1, 0.14), (0.01 * way, 1.28, 0.155),
               (0.0, 1.39, 0.142), (0.0, 1.46, 0.122), (0.0, 1.52, 0.068)]  # fmt: skip
    canvas.profile(outline, wear.coat, lean=0.06 * way)
    if rng.random() < 0.4:
        canvas.limb([(-way * 0.13, 1.06, 0.1), (-way * 0.11, 1.3, 0.1)], wear.bag)
    _arm(canvas, wear, back)
    head = 0.055 * way
    canvas.limb([(head * 0.8, 1.47, 0.055), (head, 1.57, 0.052)], wear.skin)
    canvas.oval((head - way * 0.022, 1.66), (0.1, 0.108), wear.hair)
    canvas.oval((head + way * 0.03, 1.63), (0.072, 0.1), wear.skin)
    canvas.limb([(head + way * 0.09, 1.625, 0.018), (head + way * 0.1, 1.612, 0.015)], wear.skin)
    cap = wear.bag if rng.random() < 0.35 else wear.hair
    canvas.oval((head - way * 0.005, 1.715), (0.098, 0.055), cap)


def _arm(canvas: Canvas, wear: Clothes, joints: Joints) -> None:
    hand = joints[-1]
    canvas.limb([(hand[0], hand[1] - 0.04, 0.037), (hand[0], hand[1] - 0.08, 0.03)], wear.skin)
    canvas.limb(joints, wear.coat)


DOG_BOX = (0.8, 1.2)


def dog(rng: np.random.Generator, rows: int) -> Texture:
    """Return a dog seen from the side, `rows` texels for the 0.8 m of its panel."""
    canvas = Canvas.empty(rows, SOLID, DOG_BOX)
    way = 1.0 if rng.random() < 0.5 else -1.0
    fur = surface((0.07, 0.05, 0.035), 0.35, 9.0)
    head = surface((0.06, 0.045, 0.03), 0.35, 13.0)
    for x, step in ((-0.28, -0.06), (-0.24, 0.06), (0.2, -0.05), (0.24, 0.07)):
        legs = [(way * x, 0.36, 0.06), (way * (x + 0.4 * step), 0.2, 0.033), (way * (x + step), 0.03, 0.025)]
        canvas.limb(legs, fur)
    canvas.limb([(-way * 0.3, 0.42, 0.03), (-way * 0.42, 0.55, 0.022), (-way * 0.46, 0.62, 0.015)], fur)
    canvas.limb([(-way * 0.25, 0.4, 0.095), (way * 0.05, 0.39, 0.1), (way * 0.22, 0.42, 0.125)], fur)
    canvas.limb([(way * 0.24, 0.46, 0.09), (way * 0.36, 0.58, 0.075)], fur)
    canvas.limb([(way * 0.37, 0.6, 0.078), (way * 0.5, 0.57, 0.04)], head)
    canvas.limb([(way * 0.33, 0.66, 0.03), (way * 0.32, 0.72, 0.012)], head)
    return canvas.texture
