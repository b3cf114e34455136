"""The plan of a street: where the camera, houses, lamps, trees, the sign, people and cars are.

Every builder draws from its own random stream, so the weather never moves a house.
"""

import numpy as np

from . import furniture
from .arrays import noise_tile
from .camera import Camera
from .cars import COLORS, LENGTH, ROOF, WIDTH, Car, car_panels
from .facades import WALLS, House, facade, skyline, wall
from .figures import BOX, DOG_BOX, dog, figure
from .floor import Body
from .ground import KERB, Road
from .light import Light
from .raster import Panel
from .texture import Texture
from .world import Area, World

LAMP_HEIGHT = 6.4


def build(seed: int, size: tuple[int, int], samples: int, lamps: float, bare: bool) -> World:
    """Return the world of a seed; `lamps` is artificial light 0..1, `bare` = trees without leaves."""
    rng = np.random.default_rng([seed, 1])
    camera, depth = make_camera(rng, size)
    noises = (noise_tile(rng, 0.45), noise_tile(rng, 1.7))
    world = World(camera, make_road(rng, camera, depth), samples, noises, lamps)
    add_sign(world, np.random.default_rng([seed, 2]))
    add_people(world, np.random.default_rng([seed, 3]), depth)
    add_cars(world, np.random.default_rng([seed, 4]))
    add_lamps(world, np.random.default_rng([seed, 5]))
    add_trees(world, np.random.default_rng([seed, 6]), bare)
    add_houses(world, np.random.default_rng([seed, 7]), seed)
    add_skyline(world, np.random.default_rng([seed, 8]))
    world.panels.sort(key=lambda panel: world.area([panel]).depth)
    return world


def make_camera(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Camera, float]:
    """Return a camera a little above head height and the depth of the nearest pedestrians."""
    height, width = size
    focal = float(rng.uniform(1.0, 1.14)) * min(height, 1.15 * width) * max(1.0, width / (1.6 * height)) ** 0.5
    level = float(rng.uniform(1.95, 2.4))
    horizon = float(rng.uniform(0.41, 0.48)) * height
    tall = min(float(rng.uniform(0.27, 0.34)) * height, (0.93 * height - horizon) * 1.8 / level)
    position = (float(rng.uniform(-1.6, 2.2)), level, 0.0)
    yaw = float(rng.uniform(-0.09, 0.09)) - 0.02 * position[0]
    return Camera(size, focal, horizon, 0.5 * width, position, yaw), focal * 1.75 / tall


def make_road(rng: np.random.Generator, camera: Camera, depth: float) -> Road:
    half = float(rng.uniform(4.7, 5.3))
    near = camera.place(camera.centre, depth)[1] - float(rng.uniform(0.2, 2.2))
    holes = tuple((float(rng.uniform(-2.5, 2.5)), float(depth + rng.uniform(-2.0, 14.0))) for _ in range(3))
    patches = []
    for _ in range(4):
        x, z = float(rng.uniform(-3.0, 2.0)), float(rng.uniform(4.0, 30.0))
        patches.append((x, x + float(rng.uniform(0.6, 1.6)), z, z + float(rng.uniform(1.5, 7.0))))
    return Road(half, float(rng.uniform(2.8, 3.6)), 0.3 * half, (near, near + 3.0), holes, tuple(patches))


def add_sign(world: World, rng: np.random.Generator) -> None:
    """Put up a lit board on two posts, facing the camera, wholly inside the picture."""
    camera, (height, width) = world.camera, world.camera.size
    words = furniture.WORDS if width >= 0.9 * height else furniture.SHORT_WORDS
    text = words[int(rng.integers(len(words)))]
    inks = furniture.INKS[int(rng.integers(len(furniture.INKS)))]
    tall = float(rng.uniform(0.078, 0.09)) * height
    aspect = furniture.text_mask(text, 64).shape[1] / 64.0
    tall = min(tall, 0.5 * width / aspect)
    depth = camera.focal * 0.85 / tall
    board = (0.85, 0.85 * aspect)
    side = -1.0 if rng.random() < 0.5 else 1.0
    span = 0.5 * aspect * tall + 0.02 * width
    column = camera.column_at(side * (world.road.half + 0.9 + 0.5 * board[1]), depth)
    place = camera.place(float(np.clip(column, span, width - span)), depth)
    bottom = camera.position[1] + float(rng.uniform(0.35, 0.6))
    texture = furniture.sign_board(text, inks, max(8, round(tall * world.samples)))
    panel = world.billboard(world.atlas.add(texture), place, bottom, board)
    _sign_posts(world, panel, bottom)
    world.panels.append(panel)
    world.kept.append(world.area([panel]))
    if world.lamps > 0.0:
        front = (place[0], bottom + 1.5, place[1] - 1.9)
        _sign_lamp(world, front, (place[0], bottom + 0.4, place[1]))


def _sign_posts(world: World, board: Panel, bottom: float) -> None:
    number = world.atlas.add(furniture.pole(48, -0.4))
    for part in (0.14, 0.86):
        x, z = board.origin[0] + part * board.across[0], board.origin[2] + part * board.across[2] + 0.06
        world.panels.append(world.billboard(number, (x, z), 0.0, (bottom + 0.9, 0.13)))
        world.bodies.append(Body(x, z, 0.16, 0.16, 0.4))


def _sign_lamp(world: World, position: tuple[float, float, float], target: tuple[float, float, float]) -> None:
    aim = np.subtract(target, position)
    aim = aim / float(np.linalg.norm(aim))
    strength = 4.4 * world.lamps
    color = (strength, 0.96 * strength, 0.88 * strength)
    direction = (float(aim[0]), float(aim[1]), float(aim[2]))
    world.lights.append(Light(position, color, 0.3 * strength, 6.0, direction, (0.45, 0.8)))


def _stand(world: World, column: float, depth: float) -> tuple[float, float, float]:
    """Return x, the ground's height and z of a place on the ground."""
    x, z = world.camera.place(column, depth)
    return x, (0.0 if abs(x) < world.road.half else KERB), z


def add_people(world: World, rng: np.random.Generator, depth: float) -> None:
    """Put two pedestrians near and a few further away, none in front of the sign, none over another."""
    camera, width = world.camera, world.camera.size[1]
    taken: list[Area] = []
    near = [depth, depth * float(rng.uniform(1.05, 1.35))]
    for number, away in enumerate(near + [depth * float(rng.uniform(1.5, 3.5)) for _ in range(int(rng.integers(2, 6)))]):
        for _ in range(40):
            margin = 0.5 * BOX[1] * camera.focal / away
            column = float(rng.uniform(margin, max(width - margin, margin + 1.0)))
            panel, place, tall = _person(world, column, away, rng)
            area = world.area([panel])
            if not any(area.meets(other) for other in taken) and world.welcome(area):
                break
        else:
            if number > 1:
                continue
        rows = round(float(np.clip(camera.focal * world.samples * tall / away, 16, 700)))
        texture = figure(rng, rows, world.noises[1])
        world.panels.append(Panel(panel.origin, panel.across, panel.up, world.atlas.add(texture)))
        world.bodies.append(Body(place[0], place[1], 0.5, 0.4, 1.7))
        taken.append(area)
        if number < 2:
            world.kept.append(area)
    _smoke_place(world, taken)
    if rng.random() < 0.5:
        _add_dog(world, rng, depth, taken)


def _smoke_place(world: World, taken: list[Area]) -> None:
    last = taken[min(1, len(taken) - 1)]
    world.smoke = world.camera.place(0.5 * (last.left + last.right), last.depth * 0.93)


def _person(
    world: World, column: float, depth: float, rng: np.random.Generator
) -> tuple[Panel, tuple[float, float], float]:
    x, ground, z = _stand(world, column, depth)
    tall = BOX[0] * float(rng.uniform(0.92, 1.04))
    return world.billboard(0, (x, z), ground - 0.01, (tall, tall * BOX[1] / BOX[0])), (x, z), tall


def _add_dog(world: World, rng: np.random.Generator, depth: float, taken: list[Area]) -> None:
    owner = taken[-1]
    away = owner.depth * 1.02
    column = owner.right + 0.3 * (owner.right - owner.left)
    x, ground, z = _stand(world, column, away)
    rows = round(float(np.clip(world.camera.focal * world.samples * DOG_BOX[0] / away, 10, 200)))
    panel = world.billboard(0, (x, z), ground - 0.01, DOG_BOX)
    if world.welcome(world.area([panel])) and owner.depth > depth:
        world.panels.append(Panel(panel.origin, panel.across, panel.up, world.atlas.add(dog(rng, rows))))
        world.bodies.append(Body(x, z, 0.9, 0.35, 0.5))


def add_cars(world: World, rng: np.random.Generator) -> None:
    """Park cars along the kerbs and let one or two drive in each lane."""
    road = world.road
    lane = road.lane
    plan = [Car(-lane, float(rng.uniform(15, 24)), -1, _paint(rng), True, 1.0)]
    plan.append(Car(lane, float(rng.uniform(17, 30)), 1, _paint(rng), True, 1.0))
    if rng.random() < 0.6:
        plan.append(Car(-lane, plan[0].z + float(rng.uniform(12, 30)), -1, _paint(rng), True, 1.0))
    for side in (-1, 1):
        z = float(rng.uniform(5.0, 8.0))
        while z < 48.0:
            if rng.random() < 0.5 and not road.crossing[0] - 3.5 < z < road.crossing[1] + 3.5:
                warm = float(rng.choice([0.0, 0.0, 0.45, 0.8]))
                plan.append(Car(side * (road.half - 1.05), z, side, _paint(rng), False, warm))
            z += float(rng.uniform(5.4, 7.5))
    for car in plan:
        _add_car(world, car)


def _paint(rng: np.random.Generator) -> tuple[float, float, float]:
    return COLORS[int(rng.integers(len(COLORS)))]


def _add_car(world: World, car: Car) -> None:
    outline = [
        Panel(car.point(0.5 * LENGTH * end, -0.5 * WIDTH, 0.0), (WIDTH, 0.0, 0.0), (0.0, ROOF, 0.0), 0)
        for end in (-1.0, 1.0)
    ]
    nearest = min(world.camera.project(panel.origin)[2] for panel in outline)
    if nearest < 3.0 or not world.welcome(world.area(outline)):
        return
    lit = Car(car.x, car.z, car.heading, car.color, car.driving, car.warm, world.lamps)
    world.panels.extend(car_panels(lit, world.atlas, world.density(nearest, 70.0)))
    world.bodies.append(Body(car.x, car.z, WIDTH, LENGTH, 1.3, 2.5 * car.warm))
    if car.driving and world.lamps > 0.0:
        _car_lights(world, lit)


def _car_lights(world: World, car: Car) -> None:
    strength = 150.0 * world.lamps
    front = car.point(0.5 * LENGTH + 0.25, 0.0, 0.62)
    beam = Light(front, (strength, 0.95 * strength, 0.85 * strength), 0.9 * strength, 30.0,
                 (0.0, -0.06, float(car.heading)), (0.86, 0.985))  # fmt: skip
    spill = Light(front, (3.0, 2.9, 2.6), 3.0, 9.0)
    tail = Light(car.point(-0.5 * LENGTH - 0.25, 0.0, 0.8), (1.6 * world.lamps, 0.08, 0.05), 0.5, 7.0)
    world.lights.extend([beam, spill, tail] if car.heading < 0 else [beam, tail])


def add_lamps(world: World, rng: np.random.Generator) -> None:
    """Line both kerbs with street lamps, staggered."""
    tints = ((1.0, 0.6, 0.26), (1.0, 0.74, 0.46), (1.0, 0.9, 0.78))
    tint = tints[int(rng.integers(3))]
    pole = world.atlas.add(furniture.pole(96, 0.2))
    head = world.atlas.add(furniture.lamp_head(45.0 * world.lamps))
    spacing = float(rng.uniform(19.0, 25.0))
    for side in (-1, 1):
        z = float(rng.uniform(7.0, 12.0)) + (0.5 * spacing if side > 0 else 0.0)
        while z < 95.0:
            _add_lamp(world, side, z, (pole, head), tint)
            z += spacing


def _add_lamp(
    world: World, side: int, z: float, numbers: tuple[int, int], tint: tuple[float, float, float]
) -> None:
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
        power = 62.0 * world.lamps
        color = (tint[0] * power, tint[1] * power, tint[2] * power)
        position = (tip, LAMP_HEIGHT - 0.2, z)
        world.lights.append(Light(position, color, 0.35 * power, 21.0, (0.0, -1.0, 0.0), (0.02, 0.7)))


def add_trees(world: World, rng: np.random.Generator, bare: bool) -> None:
    """Plant street trees on the pavements, away from what must stay in view."""
    rows = round(float(np.clip(world.camera.focal * world.samples * 7.0 / 11.0, 40, 420)))
    kinds = [world.atlas.add(furniture.tree(rng, rows, world.noises, bare)) for _ in range(2)]
    for side in (-1, 1):
        if rng.random() < 0.25:
            continue
        z = float(rng.uniform(10.0, 17.0))
        while z < 80.0:
            tall = float(rng.uniform(5.2, 8.0))
            x = side * (world.road.half + float(rng.uniform(1.2, 1.7)))
            number = kinds[int(rng.integers(2))]
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
    front = facade(house, density, world.noises, abs(seed), bright, house.length)
    up = (0.0, house.height, 0.0)
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
    tiles.values[..., 4] -= 2.2
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
    number = world.atlas.add(furniture.tree(rng, 160, world.noises, False))
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
