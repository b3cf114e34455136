"""From a world to radiance, temperature, depth and the true masks, band by band."""

from dataclasses import dataclass

import numpy as np

from .arrays import Floats, lookup, reduce, smoothstep
from .conditions import Conditions
from .floor import Floor, make_floor
from .furniture import plume
from .ground import KERB, ground, ground_depth, snowed, wet
from .light import Light, Samples, Sky, halo, illuminate, screen_window, sky_light
from .raster import Hits, Screen, cross, facing, rasterise, unit
from .texture import BOARD, CHANNELS, GLOSS, GLOW, LETTER, PERSON, TILT, WARMTH
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


@dataclass(frozen=True)
class Look:
    """What stays the same for all bands."""

    world: World
    conditions: Conditions
    sky: Sky
    floor: Floor
    values: Floats
    labels: np.ndarray
    normals: Floats
    tangents: Floats
    fog: float
    """Extinction of visible light per metre."""
    haze: float
    """Extinction of long-wave infrared per metre."""

    @property
    def reflected(self) -> bool:
        return self.conditions.spectrum == "near-infrared"


def make_look(world: World, conditions: Conditions, sky: Sky) -> Look:
    values, labels = world.atlas.table()
    normals = np.array([facing(panel, world.camera) for panel in world.panels], np.float32)
    tangents = np.array([unit(panel.across) for panel in world.panels], np.float32)
    cell = float(np.clip(0.07 * 960.0 / (world.camera.size[0] * world.samples), 0.05, 0.4))
    floor = make_floor(world.bodies, world.lights, cell)
    damp = 0.012 * conditions.rain + 0.02 * conditions.snow
    fog = 0.0012 + 0.17 * conditions.fog**1.6 + damp
    haze = 0.0012 + 0.011 * conditions.fog + 0.3 * damp
    return Look(world, conditions, sky, floor, values, labels, normals, tangents, fog, haze)


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
    screen = Screen(camera, samples, rows, rays, look.labels)
    hits = rasterise(world.panels, world.atlas, screen, depth)
    values, seen, sky_warmth = _surfaces(look, hits, rays)
    radiance = _radiance(look, values, seen, rows)
    warmth = _warmth(look, values[..., WARMTH], seen, sky_warmth)
    _smoke(look, radiance, warmth, hits.depth, rays)
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
        _fill_ground(look, bare, (x, y, z), depth, values, shade)
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


def _fill_ground(
    look: Look, bare: np.ndarray, place: tuple[Floats, Floats, Floats], depth: Floats, values: Floats, shade: Floats
) -> None:
    """Fill in road and pavement, wet or snowed on, with the map's shadows and warmth."""
    world = look.world
    x, y, z = (plane[bare] for plane in place)
    level = world.camera.position[1] - y
    footprint = depth[bare] ** 2 / (world.camera.focal * world.samples * np.maximum(level, 0.3))
    footprint = np.minimum(footprint, 8.0) ** 0.5 * (depth[bare] / (world.camera.focal * world.samples)) ** 0.5
    surface = ground(x, y, z, footprint, world.road, world.noises)
    conditions = look.conditions
    wet(surface, x, z, float(np.clip(0.06 + 1.1 * conditions.rain, 0.0, 1.0)), world.noises)
    if conditions.snow > 0.0:
        snowed(surface, x, z, conditions.snow, world.road, world.noises)
    shade[bare], warmth = look.floor.at(x, z)
    surface[:, WARMTH] += warmth - 0.8 * (1.0 - shade[bare]) * (1.0 - conditions.darkness)
    values[bare] = surface


def _radiance(look: Look, values: Floats, seen: Samples, rows: range) -> Floats:
    """Return (rows, columns, 3 or 4) radiance at the camera: the fourth plane is near infrared."""
    channels = 4 if look.reflected else 3
    ambient = [*look.sky.ambient]
    ambient.append(0.55 * sum(ambient) / 3.0 + 0.1 * look.sky.sun[0])
    open_sky = (0.62 + 0.38 * seen.normal[1]) * (0.25 + 0.75 * seen.shade)
    diffuse = [open_sky * np.float32(ambient[k]) for k in range(channels)]
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
        glow = values[..., GLOW][..., k] if k < 3 else 0.35 * values[..., GLOW].mean(axis=-1)
        radiance[..., k] = values[..., k] * diffuse[k] + mirrored[k] + glow
    return _through_fog(look, radiance, seen)


def _sunlight(look: Look, seen: Samples, diffuse: list[Floats]) -> None:
    if look.sky.sun[0] <= 0.0:
        return
    sun = look.sky.sun_direction
    facing_sun = seen.normal[0] * sun[0] + seen.normal[1] * sun[1] + seen.normal[2] * sun[2]
    lit = np.clip(facing_sun, 0.0, None) * seen.shade
    for plane, strength in zip(diffuse, (*look.sky.sun, look.sky.sun[0]), strict=False):
        plane += lit * np.float32(strength)


def _illuminator(look: Look) -> Light:
    """The near-infrared camera brings its own lamp for the night."""
    power = 90.0 * float(smoothstep(0.3, 0.7, np.array([look.conditions.darkness], np.float32))[0])
    return Light(look.world.camera.position, (0.0, 0.0, 0.0), power, 70.0)


def _through_fog(look: Look, radiance: Floats, seen: Samples) -> Floats:
    """Dim by Beer and Lambert, add the light that the fog scatters towards us."""
    distance = np.minimum(seen.distance, 2500.0)
    through = np.exp(-look.fog * distance)
    ambient = look.sky.ambient
    foggy = look.conditions.fog > 0.0 or look.conditions.rain > 0.0 or look.conditions.snow > 0.0
    sky = seen.distance > 2500.0
    if not foggy:
        through = np.where(sky, np.float32(1.0), through)
    for k in range(min(3, radiance.shape[-1])):
        airlight = 0.5 * ambient[k] + (0.03, 0.027, 0.024)[k] * look.world.lamps
        radiance[..., k] = radiance[..., k] * through + np.float32(airlight) * (1.0 - through)
    if radiance.shape[-1] == 4:
        through = np.exp(-0.7 * look.fog * distance) if foggy else through
        radiance[..., 3] = radiance[..., 3] * through + np.float32(0.3 * ambient[3 - 1]) * (1.0 - through)
    if foggy:
        for light in look.world.lights:
            if light.reach > 12.0 and light.aim[1] < -0.5:
                veil = halo(light, look.world.camera, seen.view, seen.distance, look.fog)
                for k in range(radiance.shape[-1]):
                    radiance[..., k] += veil * np.float32(light.channels[k])
    return radiance


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
    cloudy = 1.0 - 0.55 * max(look.conditions.fog, look.conditions.rain, look.conditions.snow)
    return np.where(sky, sky_warmth * np.float32(cloudy), surface * through * np.float32(wetness)).astype(np.float32)


def _smoke(look: Look, radiance: Floats, warmth: Floats, depth: Floats, rays: tuple[Floats, Floats, Floats]) -> None:
    """Draw the plume over what is behind it: thick for the eye, thin for long waves."""
    amount = look.conditions.smoke
    camera = look.world.camera
    if amount == 0.0:
        return
    away = camera.project((look.world.smoke[0], 0.0, look.world.smoke[1]))[2]
    size = (5.5, 6.5)
    tile = plume((220, 260), look.world.noises, 13)
    x = camera.position[0] + rays[0] * away - (look.world.smoke[0] - 0.5 * size[1])
    y = camera.position[1] + rays[1] * away
    u, v = x / size[1] * 260.0, (1.0 - y / size[0]) * 220.0
    inside = ((u >= 0) & (u < 260))[None, :] & ((v >= 0) & (v < 220))[:, None] & (depth > away)
    thickness = tile[np.clip(v, 0, 219).astype(np.int64)[:, None], np.clip(u, 0, 259).astype(np.int64)[None, :]]
    thickness = np.where(inside, 1.6 * amount * thickness, 0.0)
    through = np.exp(-thickness)
    ambient = look.sky.ambient
    for k in range(min(3, radiance.shape[-1])):
        color = 0.45 * ambient[k] + (0.1, 0.092, 0.082)[k] * look.world.lamps
        radiance[..., k] = radiance[..., k] * through + np.float32(color) * (1.0 - through)
    if radiance.shape[-1] == 4:
        through = np.exp(-0.6 * thickness)
        radiance[..., 3] = radiance[..., 3] * through + np.float32(0.4 * ambient[2]) * (1.0 - through)
    thin = np.exp(-0.1 * thickness)
    warmth[:] = warmth * thin + 2.0 * (1.0 - thin)
