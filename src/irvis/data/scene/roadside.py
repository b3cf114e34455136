"""What lines the street: lamps, trees, houses with their roofs, hedges and the distant skyline."""

import numpy as np

from . import furniture
from .facades import WALLS, House, facade, skyline, wall
from .floor import Body
from .light import Light
from .raster import Panel
from .texture import WARMTH, Texture
from .world import World

LAMP_HEIGHT = 6.4


def add_lamps(world: World, rng: np.random.Generator) -> None:
    """Line both kerbs with street lamps, staggered."""
    tints = ((1.0, 0.54, 0.2), (1.0, 0.68, 0.38), (1.0, 0.84, 0.64))
    tint = tints[int(rng.integers(3))]
    pole = world.atlas.add(furniture.pole(96, 0.2))
    head = world.atlas.add(furniture.lamp_head(45.0 * world.lamps))
    spacing = float(rng.uniform(17.0, 23.0))
    first = max(area.depth for area in world.kept[1:]) + 6.0
    for side in (-1, 1):
        z = first + float(rng.uniform(0.0, 5.0)) + (0.5 * spacing if side > 0 else 0.0)
        while z < 95.0:
            _add_lamp(world, side, z, (pole, head), tint)
            z += spacing


def _add_lamp(world: World, side: int, z: float, numbers: tuple[int, int], tint: tuple[float, float, float]) -> None:
    x = side * (world.road.half + 0.55)
    tip = x - side * 1.9
    post = world.billboard(numbers[0], (x, z), 0.0, (LAMP_HEIGHT + 0.1, 0.17))
    arm = Panel((min(x, tip), LAMP_HEIGHT, z), (1.9, 0.0, 0.0), (0.0, 0.09, 0.0), numbers[0])
    bulb = world.billboard(numbers[1], (tip, z), LAMP_HEIGHT - 0.12, (0.2, 0.8))
    if not all(world.welcome(world.area([panel])) for panel in (post, arm, bulb)):
        return
    world.panels.extend([post, arm, bulb])
    world.bodies.append(Body(x, z, 0.2, 0.2, 0.5))
    if world.lamps > 0.0:
        power = 95.0 * world.lamps
        color = (tint[0] * power, tint[1] * power, tint[2] * power)
        position = (tip, LAMP_HEIGHT - 0.2, z)
        world.lights.append(Light(position, color, 0.35 * power, 14.0, (0.0, -1.0, 0.0), (0.12, 0.9)))


def add_trees(world: World, rng: np.random.Generator, bare: bool) -> None:
    """Plant street trees on the pavements, away from what must stay in view."""
    rows = round(float(np.clip(world.camera.focal * world.samples * 7.0 / 11.0, 40, 420)))
    for stream in rng.spawn(2):
        world.trees.append(world.atlas.add(furniture.tree(stream, rows, world.noises, bare)))
    for side in (-1, 1):
        if rng.random() < 0.25:
            continue
        z = float(rng.uniform(10.0, 17.0))
        while z < 80.0:
            tall = float(rng.uniform(5.2, 8.0))
            x = side * (world.road.half + float(rng.uniform(1.2, 1.7)))
            number = world.trees[int(rng.integers(2))]
            panel = world.billboard(number, (x, z), 0.05, (tall, tall), rng.random() < 0.5)
            if rng.random() < 0.75 and world.welcome(world.area([panel])):
                world.panels.append(panel)
                world.bodies.append(Body(x, z, 0.5, 0.5, 0.5))
            z += float(rng.uniform(7.0, 12.0))


def add_houses(world: World, rng: np.random.Generator, seed: int) -> None:
    """Build a row of houses on each side, with gaps where hedges grow."""
    for side in (-1, 1):
        z, number = 3.0, 0
        while z < 105.0:
            length = float(rng.uniform(8.0, 16.0))
            if number > 0 and rng.random() < 0.16:
                _add_hedge(world, rng, side, z, length)
            else:
                _add_house(world, _house(rng, side, z, length), 1000 * seed + 10 * number + side)
            z += length + (float(rng.uniform(1.5, 4.0)) if rng.random() < 0.2 else 0.0)
            number += 1


def _house(rng: np.random.Generator, side: int, start: float, length: float) -> House:
    storeys = int(rng.integers(2, 6))
    return House(
        side=side,
        start=start,
        length=length,
        height=storeys * 3.1 + float(rng.uniform(0.8, 1.5)),
        setback=float(rng.uniform(0.0, 0.25)),
        depth=float(rng.uniform(7.0, 11.0)),
        wall=WALLS[int(rng.integers(len(WALLS)))],
        shop=bool(rng.random() < 0.45),
        windows=(float(rng.uniform(0.95, 1.4)), float(rng.uniform(1.35, 1.75))),
        bay=float(rng.uniform(2.0, 3.0)),
        leak=float(rng.uniform(0.1, 1.0)),
    )


def _add_house(world: World, house: House, seed: int) -> None:
    x = house.side * (world.road.half + world.road.pavement + house.setback)
    depth = world.camera.project((x, 0.0, house.start))[2]
    visible = max(depth, 0.75 * abs(x - world.camera.position[0]) * world.camera.focal / world.camera.size[1] * 2.0)
    density = world.density(visible, 36.0)
    bright = 0.75 * world.lamps
    front = facade(house, density, world.noises, abs(seed), bright)
    up = (0.0, house.height, 0.0)
    if house.side < 0:
        world.eaves[round(house.start) : round(house.start + house.length)] = house.height
    first = (x, 0.0, house.start)
    world.add(front, first, (0.0, 0.0, house.length), up)
    gable = wall((house.height, house.depth), min(density, 24.0), house.wall, world.noises, abs(seed) + 3)
    world.add(gable, first, (house.side * house.depth, 0.0, 0.0), up)
    if house.wall[0] != "concrete" and house.height < 12.0:
        _add_roof(world, house, x, density, abs(seed))
    if house.shop and world.lamps > 0.0 and house.start < 45.0:
        glow = (1.6 * world.lamps, 1.3 * world.lamps, 0.9 * world.lamps)
        position = (x - house.side * 0.5, 1.9, house.start + 0.5 * house.length)
        world.lights.append(Light(position, glow, 0.5, 8.0, (-float(house.side), -0.3, 0.0), (-0.2, 0.5)))


def _add_roof(world: World, house: House, x: float, density: float, seed: int) -> None:
    """Put a tiled roof and its gable triangle on a house."""
    rise, run = 2.6, 0.5 * house.depth
    tiles = wall((3.2, house.length), min(density, 20.0), ("brick", (0.13, 0.06, 0.045)), world.noises, seed + 7)
    tiles.values[..., WARMTH] -= 2.2
    origin = (x, house.height, house.start)
    world.add(tiles, origin, (0.0, 0.0, house.length), (house.side * run, rise, 0.0))
    gable = wall((rise, 2.0 * run), min(density, 24.0), house.wall, world.noises, seed + 9)
    rows, columns = gable.label.shape
    slope = np.abs(np.linspace(-1.0, 1.0, columns))[None, :]
    outside = np.linspace(1.0, 0.0, rows)[:, None] > 1.0 - slope
    label = np.where(outside, 0, gable.label).astype(np.uint8)
    world.add(Texture(gable.values, label), origin, (house.side * 2.0 * run, 0.0, 0.0), (0.0, rise, 0.0))


def _add_hedge(world: World, rng: np.random.Generator, side: int, start: float, length: float) -> None:
    x = side * (world.road.half + world.road.pavement + 0.3)
    depth = max(6.0, world.camera.project((x, 0.0, start))[2])
    density = world.density(depth, 30.0)
    rows, columns = max(8, round(1.9 * density)), max(16, round(length * density))
    texture = furniture.hedge(rng, rows, columns, world.noises)
    world.add(texture, (x, 0.0, start), (0.0, 0.0, length), (0.0, 1.9, 0.0))
    tall = float(rng.uniform(7.0, 10.0))
    number = world.trees[int(rng.integers(2))]
    panel = world.billboard(number, (x + side * 4.0, start + 0.5 * length), 0.0, (tall, tall))
    if world.welcome(world.area([panel])):
        world.panels.append(panel)


def add_skyline(world: World, rng: np.random.Generator) -> None:
    """Close the street with distant roofs."""
    camera = world.camera
    depth = 160.0
    width = 1.3 * camera.size[1] / camera.focal * depth
    columns = int(np.clip(camera.size[1] * world.samples // 2, 24, 900))
    texture = skyline(rng, max(8, columns // 10), columns, 0.8 * world.lamps)
    place = camera.place(camera.centre, depth)
    number = world.atlas.add(texture)
    world.panels.append(world.billboard(number, place, 0.0, (18.0, width)))
