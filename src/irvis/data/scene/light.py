"""Lamps, headlights, sky and fog: from surfaces to the radiance that reaches the camera."""

from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Point, lookup, smoothstep
from .camera import Camera
from .texture import Color


@dataclass(frozen=True)
class Light:
    """A point light. Irradiance at distance d (metres) is color / (d^2 + 0.6) inside its cone."""

    position: Point
    color: Color
    near: float
    """Near infrared, in the same unit as the colour."""
    reach: float
    """Metres beyond which it is dark."""
    aim: Point = (0.0, -1.0, 0.0)
    cone: tuple[float, float] = (-2.0, -1.5)
    """Cosines where the cone ends and where it is fully bright; the default is all around."""

    @property
    def channels(self) -> tuple[float, float, float, float]:
        return (*self.color, self.near)


@dataclass(frozen=True)
class Samples:
    """What a band of samples shows; every plane is (rows, columns) float32."""

    x: Floats
    y: Floats
    z: Floats
    normal: tuple[Floats, Floats, Floats]
    view: tuple[Floats, Floats, Floats]
    """Unit vectors towards the camera."""
    distance: Floats
    gloss: Floats
    shade: Floats
    """0..1: how much of the light the ground keeps under cars and behind people."""


def screen_window(light: Light, camera: Camera, samples: int, rows: range) -> tuple[slice, slice] | None:
    """Return the part of a band that a light can reach, None if there is none."""
    row, column, depth = camera.project(light.position)
    if depth <= light.reach + 1.0:
        return slice(0, len(rows)), slice(0, camera.size[1] * samples)
    radius = camera.focal * light.reach / (depth - light.reach)
    top, bottom = int((row - radius) * samples) - rows.start, int((row + radius) * samples) + 1 - rows.start
    left, right = int((column - radius) * samples), int((column + radius) * samples) + 1
    top, bottom = max(0, top), min(len(rows), bottom)
    left, right = max(0, left), min(camera.size[1] * samples, right)
    return (slice(top, bottom), slice(left, right)) if top < bottom and left < right else None


def illuminate(
    seen: Samples, light: Light, window: tuple[slice, slice], diffuse: list[Floats], mirrored: list[Floats]
) -> None:
    """Add one light to the diffuse and the mirrored irradiance planes (one per channel)."""
    dx = light.position[0] - seen.x[window]
    dy = light.position[1] - seen.y[window]
    dz = light.position[2] - seen.z[window]
    square = dx * dx + dy * dy + dz * dz
    inverse = 1.0 / np.sqrt(square + 1e-4)
    near = np.clip(1.0 - (square * (1.0 / light.reach**2)) ** 2, 0.0, None)
    fall = near * near / (square + 0.6)
    if light.cone[1] > -1.0:
        away = (light.aim[0] * dx + light.aim[1] * dy + light.aim[2] * dz) * inverse
        fall *= smoothstep(light.cone[0], light.cone[1], -away)
    normal = [plane[window] for plane in seen.normal]
    facing = (normal[0] * dx + normal[1] * dy + normal[2] * dz) * inverse
    lambert = np.clip(0.92 * facing + 0.08, 0.0, None) * fall * seen.shade[window]
    for plane, strength in zip(diffuse, light.channels, strict=False):
        plane[window] += lambert * np.float32(strength)
    if seen.gloss[window].max(initial=0.0) > 0.02:
        glint = _glint(seen, window, (dx, dy, dz), inverse, facing) * fall
        for plane, strength in zip(mirrored, light.channels, strict=False):
            plane[window] += glint * np.float32(strength)


def _glint(
    seen: Samples,
    window: tuple[slice, slice],
    towards: tuple[Floats, Floats, Floats],
    inverse: Floats,
    facing: Floats,
) -> Floats:
    """Return a rough mirror's lobe; seen at a flat angle it stretches into the streaks of a wet road."""
    view = [plane[window] for plane in seen.view]
    normal = [plane[window] for plane in seen.normal]
    straight = normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2]
    between = (towards[0] * view[0] + towards[1] * view[1] + towards[2] * view[2]) * inverse
    half = np.clip(facing + straight, 0.0, None) ** 2 / (2.0 + 2.0 * between + 1e-3)
    lobe = np.clip(half, 0.0, 1.0)
    for _ in range(6):
        lobe = lobe * lobe
    fresnel = 0.06 + 0.94 * (1.0 - np.clip(straight, 0.0, 1.0)) ** 4
    result: Floats = lobe * fresnel * (9.0 * seen.gloss[window] * seen.shade[window]) * (facing > 0.0)
    return result


@dataclass(frozen=True)
class Sky:
    """The sky's light; colours are radiances."""

    zenith: Color
    horizon: Color
    cloud: Color
    cover: float
    """Clouds, 0..1."""
    stars: float
    sun: Color
    """Irradiance of direct sunlight on a surface facing it."""
    sun_direction: Point

    @property
    def ambient(self) -> Color:
        """Irradiance from the whole sky on the ground."""
        upper, lower, cloud = self.zenith, self.horizon, self.cloud
        mix = [0.25 * upper[k] + 0.2 * lower[k] + 0.5 * cloud[k] for k in range(3)]
        return (1.6 * mix[0], 1.6 * mix[1], 1.6 * mix[2])


def make_sky(darkness: float, overcast: float) -> Sky:
    """Return noon's blue, dusk's orange band or the orange-tinged dark of a town's night."""
    level = 9.0 * 10.0 ** (-3.0 * darkness)
    dusk = float(np.exp(-(((darkness - 0.5) / 0.2) ** 2)))
    town = 0.012 + 0.008 * darkness
    gray = 0.6 * overcast
    zenith = tuple(level * (c * (1 - gray) + 0.5 * gray) + 0.15 * town for c in (0.2, 0.36, 0.72))
    low = (0.62 + 0.7 * dusk, 0.68 + 0.05 * dusk, 0.85 - 0.3 * dusk)
    horizon = tuple(level * c + town * t for c, t in zip(low, (1.5, 1.05, 0.75), strict=True))
    cloud = tuple(level * c + town * t for c, t in zip((0.95, 0.88, 0.85), (1.1, 0.85, 0.7), strict=True))
    sunlight = 2.6 * level * float(np.clip(1.0 - 2.0 * darkness, 0.0, 1.0)) * (1.0 - overcast)
    return Sky(
        (zenith[0], zenith[1], zenith[2]),
        (horizon[0], horizon[1], horizon[2]),
        (cloud[0], cloud[1], cloud[2]),
        0.35 + 0.65 * overcast,
        float(np.clip(2.0 * darkness - 1.0, 0.0, 1.0)) * (1.0 - overcast),
        (sunlight, 0.94 * sunlight, 0.82 * sunlight),
        (-0.45, 0.75, -0.48),
    )


def sky_light(sky: Sky, view: tuple[Floats, Floats, Floats], noises: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Return the sky's (n, 3) radiance and (n,) apparent warmth in kelvin above the air."""
    up = np.clip(-view[1], 0.0, 1.0)
    side, forward = -view[0] / (up + 0.09), -view[2] / (up + 0.09)
    cloud = lookup(noises[1], forward * 20.0, side * 20.0) + 0.4 * lookup(noises[1], forward * 71.0, side * 71.0)
    cover = smoothstep(1.3 - 2.3 * sky.cover, 2.4 - 2.3 * sky.cover, cloud)
    height = (1.0 - np.exp(-4.5 * up)) / (1.0 - float(np.exp(-4.5)))
    radiance = np.empty((up.size, 3), np.float32)
    for channel in range(3):
        clear = sky.horizon[channel] + (sky.zenith[channel] - sky.horizon[channel]) * height
        shaded = sky.cloud[channel] * (0.8 + 0.16 * cloud)
        radiance[:, channel] = clear + (shaded - clear) * cover * 0.75
    warmth = -3.0 - 26.0 * (1.0 - np.exp(-2.2 * up)) + 6.0 * cover * up
    return radiance, warmth.astype(np.float32)
