"""From a world to radiance, temperature, depth and the true masks, band by band."""

from dataclasses import dataclass

import numpy as np

from .air import draw_smoke, through_fog
from .arrays import Floats, reduce, smoothstep
from .conditions import Conditions
from .ground import KERB, ground, ground_depth, make_spots, snowed, wet
from .light import Light, Samples, Sky, illuminate, screen_window, sky_light
from .look import Look, make_look
from .raster import Hits, Screen, rasterise
from .texture import BOARD, GLOSS, GLOW, LETTER, PERSON, TILT, WARMTH
from .world import World

BAND = 90_000
"""Samples per band: small enough for the caches."""


@dataclass(frozen=True)
class Picture:
    """Before the sensors: (h, w, 3) radiance, (h, w) near-infrared radiance, kelvin above the air, masks."""

    radiance: Floats
    near: Floats
    warmth: Floats
    depth: Floats
    cover: Floats
    """(h, w, 3): share of each pixel covered by people, by the sign and by its letters."""


def render(world: World, conditions: Conditions, sky: Sky) -> Picture:
    """Return the picture, averaged over the samples of each pixel."""
    look = make_look(world, conditions, sky)
    height, width = world.camera.size
    step = max(1, BAND // (width * world.samples**2)) * world.samples
    bands = [
        _band(look, range(start, min(start + step, height * world.samples)))
        for start in range(0, height * world.samples, step)
    ]
    return Picture(*(np.concatenate(parts) for parts in zip(*bands, strict=True)))


def _band(look: Look, rows: range) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    world = look.world
    camera, samples = world.camera, world.samples
    rays = camera.rays(samples, rows)
    depth = ground_depth(camera.position[1], camera.position[0], world.road.half, rays[0], rays[1])
    screen = Screen(camera, samples, rows, rays, look.labels, world.atlas.levels)
    hits = rasterise(world.panels, screen, depth)
    values, seen, sky_warmth = _surfaces(look, hits, rays)
    radiance = _radiance(look, values, seen, rows)
    warmth = _warmth(look, values[..., WARMTH], seen, sky_warmth)
    draw_smoke(look, radiance, warmth, hits.depth, rays)
    labels = np.where(hits.texel >= 0, look.labels[hits.texel], 0)
    cover = np.stack([labels == PERSON, (labels == BOARD) | (labels == LETTER), labels == LETTER], axis=-1)
    middle = samples // 2
    near = radiance[..., 3] if look.reflected else warmth
    return (
        reduce(radiance[..., :3], samples),
        reduce(near, samples),
        reduce(warmth, samples),
        hits.depth[middle::samples, middle::samples].copy(),
        reduce(cover.astype(np.float32), samples),
    )


def _surfaces(look: Look, hits: Hits, rays: tuple[Floats, Floats, Floats]) -> tuple[Floats, Samples, Floats]:
    """Return each sample's channel values and geometry, and the sky's warmth (0 elsewhere)."""
    camera = look.world.camera
    sky = ~np.isfinite(hits.depth)
    depth = np.where(sky, np.float32(1e4), hits.depth)
    x = camera.position[0] + rays[0][None, :] * depth
    y = camera.position[1] + rays[1][:, None] * depth
    z = camera.position[2] + rays[2][None, :] * depth
    length = np.sqrt(rays[0][None, :] ** 2 + rays[1][:, None] ** 2 + rays[2][None, :] ** 2)
    view = (-rays[0][None, :] / length, -rays[1][:, None] / length, -rays[2][None, :] / length)
    values = look.values[hits.texel]
    normal = _normals(look, hits, values[..., TILT])
    shade = np.ones_like(depth)
    bare = (hits.texel < 0) & ~sky
    if bare.any():
        values[bare], shade[bare] = _ground(look, (x[bare], y[bare], z[bare]), depth[bare])
        face = bare & (y > 0.002) & (y < KERB - 0.004)
        for plane, value in zip(normal, (-1.0, 0.35, 0.0), strict=True):
            plane[face] = value if value >= 0.0 else -np.sign(x[face])
    warmth = np.zeros_like(depth)
    if sky.any():
        flat = [np.broadcast_to(part, depth.shape)[sky] for part in view]
        glow, warmth[sky] = sky_light(look.sky, (flat[0], flat[1], flat[2]), look.world.noises)
        values[sky] = 0.0
        values[sky, GLOW] = glow
    seen = Samples(x, y, z, normal, view, depth * length, values[..., GLOSS].copy(), shade)
    return values, seen, np.where(sky, warmth, 0.0).astype(np.float32)


def _normals(look: Look, hits: Hits, tilt: Floats) -> tuple[Floats, Floats, Floats]:
    """Return unit normals: panels bend sideways by their tilt, the ground looks up."""
    straight = np.sqrt(np.clip(1.0 - tilt * tilt, 0.0, 1.0))
    planes = []
    for axis in range(3):
        bent = look.normals[hits.panel, axis] * straight + look.tangents[hits.panel, axis] * tilt
        planes.append(np.where(hits.panel >= 0, bent, np.float32(axis == 1)))
    return planes[0], planes[1], planes[2]


def _ground(look: Look, place: tuple[Floats, Floats, Floats], depth: Floats) -> tuple[Floats, Floats]:
    """Return values and shade of n ground points, wet or snowed on, with the map's shadows and warmth."""
    world, conditions = look.world, look.conditions
    x, y, z = place
    pixel = depth / (world.camera.focal * world.samples)
    stretched = pixel * depth / np.maximum(world.camera.position[1] - y, 0.3)
    spots = make_spots((x, y, z), np.sqrt(np.minimum(stretched, 8.0) * pixel), world.noises)
    values = ground(spots, world.road)
    wet(values, spots, max(world.damp, min(1.0, 1.2 * conditions.rain)), world.noises[1])
    if conditions.snow > 0.0:
        snowed(values, spots, conditions.snow, world.road)
    shade, warmth = look.floor.at(x, z)
    values[:, WARMTH] += warmth - 0.8 * (1.0 - shade) * (1.0 - conditions.darkness)
    return values, shade


def _radiance(look: Look, values: Floats, seen: Samples, rows: range) -> Floats:
    """Return (rows, columns, 3 or 4) radiance at the camera: the fourth plane is near infrared."""
    channels = 4 if look.reflected else 3
    ambient = [*look.sky.ambient]
    ambient.append(0.55 * sum(ambient) / 3.0 + 0.1 * look.sky.sun[0])
    bounce = look.world.lamps * (1.0 - 0.8 * seen.normal[1])
    open_sky = (0.62 + 0.38 * seen.normal[1]) * (0.25 + 0.75 * seen.shade)
    street = (0.085, 0.07, 0.055, 0.03)
    diffuse = [open_sky * np.float32(ambient[k]) + bounce * np.float32(street[k]) for k in range(channels)]
    mirrored = [np.float32(0.35 * ambient[k]) * seen.gloss for k in range(channels)]
    _sunlight(look, seen, diffuse)
    lights = look.world.lights + ([_illuminator(look)] if look.reflected else [])
    camera, samples = look.world.camera, look.world.samples
    for light in lights:
        window = screen_window(light, camera, samples, rows)
        if window is not None:
            illuminate(seen, light, window, diffuse, mirrored)
    radiance = np.empty((*seen.distance.shape, channels), np.float32)
    for k in range(channels):
        glow = values[..., GLOW][..., k] if k < 3 else 0.15 * values[..., GLOW].mean(axis=-1)
        radiance[..., k] = values[..., k] * diffuse[k] + mirrored[k] + glow
    through_fog(look, radiance, seen)
    return radiance


def _sunlight(look: Look, seen: Samples, diffuse: list[Floats]) -> None:
    if look.sky.sun[0] <= 0.0:
        return
    sun = look.sky.sun_direction
    facing_sun = seen.normal[0] * sun[0] + seen.normal[1] * sun[1] + seen.normal[2] * sun[2]
    lit = np.clip(facing_sun, 0.0, None) * seen.shade * _sun_over_roofs(look, seen)
    for plane, strength in zip(diffuse, (*look.sky.sun, look.sky.sun[0]), strict=False):
        plane += lit * np.float32(strength)


def _sun_over_roofs(look: Look, seen: Samples) -> Floats:
    """Return 1 where the sun clears the houses on the left, 0 in their shadow."""
    sun, world = look.sky.sun_direction, look.world
    wall = -(world.road.half + world.road.pavement)
    steps = np.clip(seen.x - wall, 0.0, 40.0) * (-1.0 / sun[0])
    height = seen.y + sun[1] * steps
    place = np.clip(seen.z + sun[2] * steps, 0.0, world.eaves.size - 1.0)
    return smoothstep(-0.15, 0.15, height - world.eaves[place.astype(np.int32)])


def _illuminator(look: Look) -> Light:
    """The near-infrared camera brings its own lamp for the night."""
    power = 90.0 * float(smoothstep(0.3, 0.7, np.array([look.conditions.darkness], np.float32))[0])
    x, y, z = look.world.camera.position
    return Light((x, y, z + 0.3), (0.0, 0.0, 0.0), power, 70.0)


def _warmth(look: Look, warmth: Floats, seen: Samples, sky_warmth: Floats) -> Floats:
    """Return apparent kelvin above the air: sun and open sky at work, then the air in between."""
    day = 1.0 - look.conditions.darkness
    surface = warmth - 0.5 * seen.normal[1]
    if look.sky.sun[0] > 0.0:
        sun = look.sky.sun_direction
        lit = seen.normal[0] * sun[0] + seen.normal[1] * sun[1] + seen.normal[2] * sun[2]
        surface = surface + np.float32(2.5 * day) * np.clip(lit, 0.0, None) * seen.shade
    sky = seen.distance > 2500.0
    wetness = 1.0 - 0.3 * look.conditions.rain
    through = np.exp(-look.haze * np.minimum(seen.distance, 400.0))
    cloudy = 1.0 - 0.8 * max(look.conditions.fog, look.conditions.rain, look.conditions.snow)
    return np.where(sky, sky_warmth * np.float32(cloudy), surface * through * np.float32(wetness)).astype(np.float32)
