"""What hangs in the air between the street and the cameras: fog, the glow of lamps in it, and smoke."""

import numpy as np

from .arrays import Floats
from .camera import Camera
from .light import Light, Samples
from .look import Look

FOG_COLOR = (0.03, 0.027, 0.024)
"""Radiance of thick fog under street lamps."""
SMOKE_COLOR = (0.1, 0.092, 0.082)
SMOKE_SIZE = (5.5, 6.5)
"""Height and width of the plume in metres."""


def mix(radiance: Floats, channel: int, through: Floats, color: float) -> None:
    """Dim one channel to `through` (0..1) and fill the rest with the air's own light."""
    radiance[..., channel] = radiance[..., channel] * through + np.float32(color) * (1.0 - through)


def through_fog(look: Look, radiance: Floats, seen: Samples) -> None:
    """Dim by Beer and Lambert, then add the light that the fog scatters towards us."""
    distance = np.minimum(seen.distance, 2500.0)
    conditions, ambient = look.conditions, look.sky.ambient
    foggy = max(conditions.fog, conditions.rain, conditions.snow) > 0.0
    through = np.exp(-look.fog * distance)
    if not foggy:
        through = np.where(seen.distance > 2500.0, np.float32(1.0), through)
    for k in range(3):
        mix(radiance, k, through, 0.5 * ambient[k] + FOG_COLOR[k] * look.world.lamps)
    if look.reflected:
        mix(radiance, 3, np.exp(-0.7 * look.fog * distance) if foggy else through, 0.3 * ambient[2])
    if foggy:
        for light in look.world.lights:
            if light.reach > 12.0 and light.aim[1] < -0.5:
                veil = halo(light, look.world.camera, seen.view, seen.distance, look.fog)
                for k in range(radiance.shape[-1]):
                    radiance[..., k] += veil * np.float32(light.channels[k])


def halo(
    light: Light, camera: Camera, view: tuple[Floats, Floats, Floats], distance: Floats, thickness: float
) -> Floats:
    """Return the light that fog of `thickness` per metre scatters from a lamp into every ray.

    The integral of 1 / (distance to the lamp)^2 along the ray, in closed form.
    """
    towards = [light.position[axis] - camera.position[axis] for axis in range(3)]
    along = -(view[0] * towards[0] + view[1] * towards[1] + view[2] * towards[2])
    square = sum(part * part for part in towards)
    across = np.sqrt(np.clip(square - along * along, 0.25, None))
    end = np.minimum(distance, 120.0)
    angle = np.arctan((end - along) / across) + np.arctan(along / across)
    dimming = float(np.exp(-thickness * square**0.5))
    result: Floats = (0.08 * thickness * dimming) * angle / across
    return result


def draw_smoke(
    look: Look, radiance: Floats, warmth: Floats, depth: Floats, rays: tuple[Floats, Floats, Floats]
) -> None:
    """Draw the plume over what is behind it: thick for the eye, thin for long waves."""
    if look.conditions.smoke == 0.0:
        return
    thickness = 1.6 * look.conditions.smoke * _thickness(look, depth, rays)
    through, ambient = np.exp(-thickness), look.sky.ambient
    for k in range(3):
        mix(radiance, k, through, 0.45 * ambient[k] + SMOKE_COLOR[k] * look.world.lamps)
    if look.reflected:
        mix(radiance, 3, np.exp(-0.6 * thickness), 0.4 * ambient[2])
    thin = np.exp(-0.1 * thickness)
    warmth[:] = warmth * thin + 2.0 * (1.0 - thin)


def _thickness(look: Look, depth: Floats, rays: tuple[Floats, Floats, Floats]) -> Floats:
    """Return the plume's optical thickness in front of every sample of a band."""
    position, (x, z) = look.world.camera.position, look.world.smoke
    away = look.world.camera.project((x, 0.0, z))[2]
    rows, columns = look.smoke.shape
    u = ((position[0] + rays[0] * away - x) / SMOKE_SIZE[1] + 0.5) * columns
    v = (1.0 - (position[1] + rays[1] * away) / SMOKE_SIZE[0]) * rows
    inside = ((u >= 0) & (u < columns))[None, :] & ((v >= 0) & (v < rows))[:, None] & (depth > away)
    row = np.clip(v, 0, rows - 1).astype(np.int32)[:, None]
    column = np.clip(u, 0, columns - 1).astype(np.int32)[None, :]
    result: Floats = np.where(inside, look.smoke[row, column], np.float32(0.0))
    return result
