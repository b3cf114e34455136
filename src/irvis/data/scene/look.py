"""What stays the same while a scene is rendered: the world's tables and the air's thickness."""

from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Labels
from .conditions import Conditions
from .floor import Floor, make_floor
from .light import Light, Sky
from .raster import facing, unit
from .weather import plume
from .world import World


@dataclass(frozen=True)
class Look:
    """One world under one sky, ready to render; `normals` and `tangents` are one row per panel."""

    world: World
    conditions: Conditions
    sky: Sky
    floor: Floor
    values: Floats
    labels: Labels
    normals: Floats
    tangents: Floats
    fog: float
    """Extinction of visible light per metre."""
    haze: float
    """Extinction of long-wave infrared per metre."""
    smoke: Floats
    """Optical thickness of the plume, row 0 at its top."""

    @property
    def reflected(self) -> bool:
        return self.conditions.spectrum == "near-infrared"


def make_look(world: World, conditions: Conditions, sky: Sky) -> Look:
    """Return everything the bands share."""
    values, labels = world.atlas.table()
    normals = np.array([facing(panel, world.camera) for panel in world.panels], np.float32)
    tangents = np.array([unit(panel.across) for panel in world.panels], np.float32)
    cell = float(np.clip(0.07 * 960.0 / (world.camera.size[0] * world.samples), 0.05, 0.4))
    floor = make_floor(world.bodies, world.lights + _sun(sky), cell)
    smoke = plume((220, 260), world.noises, 13)
    damp = 0.012 * conditions.rain + 0.02 * conditions.snow
    fog = 0.0012 + 0.17 * conditions.fog**1.6 + damp
    haze = 0.0012 + 0.02 * conditions.fog + 0.3 * damp
    return Look(world, conditions, sky, floor, values, labels, normals, tangents, fog, haze, smoke)


def _sun(sky: Sky) -> list[Light]:
    """Return the sun as a lamp far above, for the shadows on the ground."""
    away = 150.0
    x, y, z = (away * part for part in sky.sun_direction)
    strength = away**2 * sky.sun[0]
    return [Light((x, y, z + 15.0), (strength, strength, strength), strength, 1e4)] if strength else []
