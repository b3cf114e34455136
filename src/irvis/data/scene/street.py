"""The plan of a street: where the camera, houses, lamps, trees, the sign, people and cars are.

Every builder draws from its own random stream, so the weather never moves a house.
"""

import numpy as np

from . import furniture
from .arrays import noise_tile
from .camera import Camera
from .cars import COLORS, LENGTH, ROOF, WIDTH, Car, car_panels
from .figures import BOX, DOG_BOX, dog, figure
from .floor import Body
from .ground import KERB, Road
from .light import Light
from .raster import Panel
from .roadside import add_houses, add_lamps, add_skyline, add_trees
from .world import Area, World


def build(seed: int, size: tuple[int, int], samples: int, lamps: float, bare: bool) -> World:
    """Return the world of a seed; `lamps` is artificial light 0..1, `bare` = trees without leaves."""
    rng = np.random.default_rng([seed, 1])
    camera, depth = make_camera(rng, size)
    noises = (noise_tile(rng, 0.7), noise_tile(rng, 1.75))
    world = World(
        camera,
        make_road(rng, camera, depth),
        samples,
        noises,
        lamps,
        max(0.05, float(rng.uniform(-0.3, 0.6))),
    )
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
    near = camera.place(camera.centre, depth)[1] * float(rng.uniform(1.5, 2.1))
    holes = tuple((float(rng.uniform(-2.5, 2.5)), float(depth + rng.uniform(-2.0, 14.0))) for _ in range(3))
    patches = []
    for _ in range(4):
        x, z = float(rng.uniform(-3.0, 2.0)), float(rng.uniform(4.0, 30.0))
        patches.append((x, x + float(rng.uniform(0.6, 1.6)), z, z + float(rng.uniform(1.5, 7.0))))
    return Road(half, float(rng.uniform(3.3, 4.1)), 0.3 * half, (near, near + 3.0), holes, tuple(patches))


def add_sign(world: World, rng: np.random.Generator) -> None:
    """Put up a lit board on two posts, facing the camera, wholly inside the picture."""
    camera, (height, width) = world.camera, world.camera.size
    words = furniture.WORDS if width >= 0.9 * height else furniture.SHORT_WORDS
    world.text = text = words[int(rng.integers(len(words)))]
    inks = furniture.INKS[int(rng.integers(len(furniture.INKS)))]
    tall = float(rng.uniform(0.078, 0.09)) * height
    aspect = furniture.text_mask(text, 64).shape[1] / 64.0
    tall = min(tall, 0.5 * width / aspect)
    board = (0.74, 0.74 * aspect)
    depth = camera.focal * board[0] / tall
    side = -1.0 if rng.random() < 0.5 else 1.0
    span = 0.5 * aspect * tall + 0.02 * width
    outside = world.road.half + min(0.8 + 0.5 * board[1], world.road.pavement - 0.2 - 0.5 * board[1])
    column = camera.column_at(side * outside, depth)
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
    strength = 14.0 * world.lamps
    color = (strength, 0.96 * strength, 0.88 * strength)
    direction = (float(aim[0]), float(aim[1]), float(aim[2]))
    world.lights.append(Light(position, color, 0.1 * strength, 6.0, direction, (0.45, 0.8)))


def _stand(world: World, column: float, depth: float) -> tuple[float, float, float]:
    """Return x, the ground's height and z of a place on the ground."""
    x, z = world.camera.place(column, depth)
    return x, (0.0 if abs(x) < world.road.half else KERB), z


def add_people(world: World, rng: np.random.Generator, depth: float) -> None:
    """Put two pedestrians near and a few further away, none in front of the sign, none over another."""
    camera, width = world.camera, world.camera.size[1]
    taken: list[Area] = []
    near = [depth, depth * float(rng.uniform(1.05, 1.35))]
    for number, away in enumerate(
        near + [depth * float(rng.uniform(1.5, 3.5)) for _ in range(int(rng.integers(2, 6)))]
    ):
        for _ in range(40):
            margin = 0.5 * BOX[1] * camera.focal / away
            column = _column(rng, width, margin, number < 2)
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


def _column(rng: np.random.Generator, width: int, margin: float, aside: bool) -> float:
    """Return a column whose figure fits into the picture; `aside` keeps clear of the lit middle."""
    low, high = margin, max(width - margin, margin + 1.0)
    if not aside:
        return float(rng.uniform(low, high))
    part = float(rng.uniform(0.0, 0.36))
    return low + (high - low) * (part if rng.random() < 0.5 else 1.0 - part)


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
    if nearest < 6.0 or not world.welcome(world.area(outline)):
        return
    lit = Car(car.x, car.z, car.heading, car.color, car.driving, car.warm, world.lamps)
    world.panels.extend(car_panels(lit, world.atlas, world.density(nearest, 70.0)))
    world.bodies.append(Body(car.x, car.z, WIDTH, LENGTH, 1.3, 2.5 * car.warm))
    if car.driving and world.lamps > 0.0:
        _car_lights(world, lit)


def _car_lights(world: World, car: Car) -> None:
    strength = 110.0 * world.lamps
    front = car.point(0.5 * LENGTH + 0.25, 0.0, 0.62)
    sides = (-0.62, 0.62) if car.heading < 0 else (0.0,)
    strength /= len(sides)
    color = (strength, 0.95 * strength, 0.85 * strength)
    ahead = (0.0, -0.06, float(car.heading))
    for side in sides:
        lamp = car.point(0.5 * LENGTH + 0.25, side, 0.62)
        world.lights.append(Light(lamp, color, 0.9 * strength, 24.0, ahead, (0.92, 0.99)))
    spill = Light(front, (3.0, 2.9, 2.6), 3.0, 9.0)
    tail = Light(car.point(-0.5 * LENGTH - 0.25, 0.0, 0.8), (1.6 * world.lamps, 0.08, 0.05), 0.5, 7.0)
    world.lights.extend([spill, tail] if car.heading < 0 else [tail])
