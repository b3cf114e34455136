"""Road, kerb, pavement and grass: what a ray meets when nothing stands in its way."""

from dataclasses import dataclass, fields

import numpy as np

from .arrays import Floats, Mask, lookup, smoothstep
from .texture import CHANNELS, GLOSS, NEAR, REFLECTANCE, TILT, WARMTH, Color

KERB = 0.12
"""Height of the pavement above the road in metres."""


@dataclass(frozen=True)
class Road:
    """The street's plan, symmetric about x = 0; all lengths in metres."""

    half: float
    """Half the road's width, from the axis to the kerb."""
    pavement: float
    lane: float
    """Distance of the middle of a lane from the axis."""
    crossing: tuple[float, float]
    """Where the zebra crossing begins and ends along z."""
    manholes: tuple[tuple[float, float], ...]
    patches: tuple[tuple[float, float, float, float], ...]
    """Repairs: left, right, near, far."""


def ground_depth(height: float, camera_x: float, half: float, x: Floats, y: Floats) -> Floats:
    """Return depth of road, kerb face or pavement for ray directions x (columns,), y (rows,); inf = sky."""
    with np.errstate(divide="ignore", invalid="ignore"):
        down = np.where(y < 0.0, -1.0 / np.minimum(y, -1e-9), np.inf).astype(np.float32)[:, None]
        road = height * down
        raised = (height - KERB) * down
        across = np.abs(camera_x + x[None, :] * road)
        higher = np.abs(camera_x + x[None, :] * raised)
        face = (np.sign(x)[None, :] * half - camera_x) / np.where(np.abs(x) < 1e-9, 1e-9, x)[None, :]
    depth = np.where(across <= half, road, np.where(higher >= half, raised, face))
    return np.where(np.isfinite(road), depth, np.inf).astype(np.float32)


@dataclass(frozen=True)
class Spots:
    """n points of the ground: metres, a sample's size there, and three scales of noise of deviation 1."""

    x: Floats
    y: Floats
    z: Floats
    footprint: Floats
    fine: Floats
    grain: Floats
    stain: Floats

    def pick(self, where: Mask) -> "Spots":
        return Spots(*(getattr(self, field.name)[where] for field in fields(self)))


def make_spots(place: tuple[Floats, Floats, Floats], footprint: Floats, noises: tuple[Floats, Floats]) -> Spots:
    """Return the spots at (x, y, z); noise finer than a sample fades away."""
    x, y, z = place
    fine = lookup(noises[0], z * 130.0, x * 130.0) * np.clip(0.03 / footprint, 0.0, 1.0)
    grain = lookup(noises[0], z * 38.0 + 50.0, x * 38.0) * np.clip(0.2 / footprint, 0.0, 1.0)
    return Spots(x, y, z, footprint, fine, grain, lookup(noises[1], z * 9.0, x * 24.0))


def ground(spots: Spots, road: Road) -> Floats:
    """Return (n, CHANNELS) values of road, kerb, pavement or grass."""
    x, y, z, footprint = spots.x, spots.y, spots.z, spots.footprint
    fine, grain, stain = spots.fine, spots.grain, spots.stain
    values = np.zeros((x.size, CHANNELS), np.float32)
    aside = np.abs(x)
    on_road = (aside <= road.half) & (y < KERB - 0.004)
    _road(values, on_road, spots.pick(on_road), road)
    _pavement(values, ~on_road, spots.pick(~on_road))
    face = (aside <= road.half + 0.16) & ~on_road | (np.abs(aside - road.half) < 0.01) & (y > 0.002)
    stone = 0.25 * (1.0 + 0.12 * grain + 0.08 * stain)
    stone = np.where(z % 1.0 < 0.02 + 0.5 * footprint, 0.7, 1.0) * stone
    values[face, :4] = stone[face, None]
    values[face & (y < KERB - 0.004), :4] *= 0.7
    values[face, WARMTH] = 1.5 + 0.3 * grain[face] + 0.2 * stain[face]
    grass = aside > road.half + road.pavement + 0.6
    tone = np.clip(1.0 + 0.5 * fine + 0.4 * grain + 0.2 * stain, 0.2, 2.0)
    values[grass, REFLECTANCE] = np.array([0.04, 0.055, 0.02], np.float32) * tone[grass, None]
    values[grass, NEAR] = 0.5 * tone[grass]
    values[grass, WARMTH] = -1.2 + 0.5 * grain[grass]
    return values


def _road(values: Floats, where: Mask, spots: Spots, road: Road) -> None:
    """Paint asphalt with wheel tracks, cracks, repairs and manholes, then the marks."""
    x, z, fine, grain, stain = spots.x, spots.z, spots.fine, spots.grain, spots.stain
    track = np.exp(-(((np.abs(np.abs(x) - road.lane) - 0.75) / 0.3) ** 2))
    tone = 0.078 * (1.0 + 0.26 * fine + 0.16 * grain + 0.11 * stain - 0.12 * track)
    warmth = 3.0 + 0.5 * stain + 0.35 * grain + 0.25 * fine + 1.0 * track
    crack = (np.abs(stain + 0.25 * grain) < 0.02) & (spots.footprint < 0.05)
    tone = np.where(crack, 0.6 * tone, tone)
    for left, right, near, far in road.patches:
        inside = (x > left) & (x < right) & (z > near) & (z < far)
        tone = np.where(inside, 0.72 * tone, tone)
        warmth = np.where(inside, warmth + 0.4, warmth)
    marks = _marks(x, z, spots.footprint, road) * smoothstep(-2.3, -1.0, grain + 0.6 * fine + 0.3 * stain)
    color: Color = (0.34, 0.33, 0.31)
    for channel in range(3):
        values[where, channel] = tone + marks * (color[channel] * (1.0 + 0.1 * grain) - tone)
    near_infrared = 1.2 * tone + 0.02
    values[where, NEAR] = near_infrared + marks * (0.45 - near_infrared)
    for hole_x, hole_z in road.manholes:
        away = np.sqrt((x - hole_x) ** 2 + (z - hole_z) ** 2)
        lid = np.nonzero(where)[0][away < 0.34]
        values[lid, :4] *= 0.55
        values[np.nonzero(where)[0][(away > 0.27) & (away < 0.31)], :4] *= 0.5
        warmth = warmth + 3.0 * smoothstep(0.42, 0.3, away)
    values[where, WARMTH] = warmth - 0.25 * marks


def _marks(x: Floats, z: Floats, footprint: Floats, road: Road) -> Floats:
    """Return coverage 0..1 by paint: edge lines, centre dashes, zebra crossing and stop lines."""
    soft = 0.5 * footprint + 0.004

    def band(offset: Floats, half: float) -> Floats:
        return np.clip((half - np.abs(offset)) / soft + 0.5, 0.0, 1.0)

    near, far = road.crossing
    edges = band(np.abs(x) - (road.half - 2.05), 0.05)
    centre = band(x, 0.065) * band((z + 1.0) % 6.0 - 3.0, 1.5)
    clear = ((z < near - 1.6) | (z > far + 1.6)).astype(np.float32)
    stripes = band((x + 0.25) % 1.0 - 0.5, 0.25) * band(z - 0.5 * (near + far), 0.5 * (far - near))
    stop = np.maximum(
        band(z - near + 1.2, 0.17) * (x > 0.1) * (x < road.half - 0.3),
        band(z - far - 1.2, 0.17) * (x < -0.1) * (x > 0.3 - road.half),
    )
    zebra = stripes * (np.abs(x) < road.half - 0.1)
    return np.maximum(np.maximum(edges, centre) * clear, np.maximum(zebra, stop)).astype(np.float32)


def _pavement(values: Floats, where: Mask, spots: Spots) -> None:
    """Paint slabs with joints; every slab has its own tone."""
    x, z = spots.x / 0.62, spots.z / 0.62
    fine, grain, stain = spots.fine, spots.grain, spots.stain
    row, column = np.floor(z), np.floor(x + 0.5 * (np.floor(z) % 2))
    tones = np.random.default_rng(11).normal(1.0, 0.09, 512).astype(np.float32)
    slab = tones[(row * 37.0 + column * 101.0).astype(np.int32) & 511]
    seam = ((z - row) < 0.03) | ((x + 0.5 * (row % 2) - column) < 0.03)
    strength = np.clip(0.03 / spots.footprint, 0.0, 1.0) * 0.45
    tone = 0.15 * slab * (1.0 + 0.12 * fine + 0.1 * grain + 0.12 * stain) * (1.0 - strength * seam)
    values[where, REFLECTANCE] = tone[:, None] * np.array([1.03, 1.0, 0.95], np.float32)
    values[where, NEAR] = tone + 0.05
    values[where, WARMTH] = 1.2 + 0.4 * stain + 0.3 * grain + 0.2 * fine + 5.0 * (slab - 1.0)
    values[where, TILT] = 0.0


def wet(values: Floats, spots: Spots, wetness: float, smooth: Floats) -> None:
    """Make fresh ground wet: darker, glossier, most in the puddles."""
    puddle = smoothstep(0.2, 1.1, lookup(smooth, spots.z * 12.0 + 99.0, spots.x * 30.0))
    amount = wetness * (0.45 + 0.55 * puddle)
    values[:, :4] *= (1.0 - 0.45 * amount)[:, None]
    values[:, GLOSS] = 0.9 * amount
    values[:, WARMTH] -= 1.2 * amount


def snowed(values: Floats, spots: Spots, snow: float, road: Road) -> None:
    """Cover fresh ground with snow, thinner where wheels run."""
    x, drift = spots.x, 0.3 * spots.stain + 0.15 * spots.grain
    track = np.exp(-(((np.abs(np.abs(x) - road.lane) - 0.75) / 0.35) ** 2)) * (np.abs(x) < road.half)
    cover = smoothstep(0.35, 0.75, 1.3 * snow + 0.3 * drift - 0.42 * track)
    white = np.array([0.74, 0.77, 0.82, 0.7], np.float32) * (1.0 + 0.06 * drift)[:, None]
    values[:, :4] += cover[:, None] * (white - values[:, :4])
    values[:, WARMTH] *= 1.0 - 0.7 * snow
    values[:, WARMTH] += cover * (-1.0 + 0.5 * drift - values[:, WARMTH])
    values[:, GLOSS] *= 1.0 - cover
