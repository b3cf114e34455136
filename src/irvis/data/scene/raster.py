"""Which textured panel every sample of the picture shows, and how far away it is."""

from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Indices, Labels, Point
from .camera import Camera
from .texture import texel


@dataclass(frozen=True)
class Panel:
    """A flat parallelogram in the world carrying a texture.

    `origin` is its lower left corner, `across` and `up` are its edges, all in metres.
    `texture` is a number in the atlas.
    """

    origin: Point
    across: Point
    up: Point
    texture: int


def cross(first: Point, second: Point) -> Point:
    return (
        first[1] * second[2] - first[2] * second[1],
        first[2] * second[0] - first[0] * second[2],
        first[0] * second[1] - first[1] * second[0],
    )


def dot(first: Point, second: Point) -> float:
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]


def scaled(vector: Point, factor: float) -> Point:
    return (vector[0] * factor, vector[1] * factor, vector[2] * factor)


def plus(first: Point, second: Point) -> Point:
    return (first[0] + second[0], first[1] + second[1], first[2] + second[2])


def unit(vector: Point) -> Point:
    return scaled(vector, dot(vector, vector) ** -0.5)


def facing(panel: Panel, camera: Camera) -> Point:
    """Return the panel's unit normal on the camera's side."""
    normal = unit(cross(panel.across, panel.up))
    towards = plus(camera.position, scaled(panel.origin, -1.0))
    return normal if dot(normal, towards) >= 0.0 else scaled(normal, -1.0)


@dataclass(frozen=True)
class Hits:
    """Per sample: depth in metres (inf = sky), row of the atlas table (-1 = ground or sky), panel."""

    depth: Floats
    texel: Indices
    panel: Indices


def box(panel: Panel, camera: Camera) -> tuple[float, float, float, float, float]:
    """Return the panel's first and last row and column in pixels, and its nearest depth."""
    ends = [panel.origin, plus(panel.origin, panel.across)]
    corners = ends + [plus(point, panel.up) for point in ends]
    rows, columns, depths = zip(*(camera.project(corner) for corner in corners), strict=True)
    return min(rows), max(rows), min(columns), max(columns), min(depths)


@dataclass(frozen=True)
class Screen:
    """A band of sample rows: ray directions per unit depth and the labels of the whole atlas."""

    camera: Camera
    samples: int
    rows: range
    rays: tuple[Floats, Floats, Floats]
    labels: Labels
    levels: list[list[tuple[int, int, int]]]
    """Where each texture and its halved copies lie in the atlas."""


def rasterise(panels: list[Panel], screen: Screen, depth: Floats) -> Hits:
    """Return what a band shows; `depth` is that of the empty ground and sky, and is updated."""
    hits = Hits(depth, np.full(depth.shape, -1, np.int32), np.full(depth.shape, -1, np.int32))
    samples, rows = screen.samples, screen.rows
    for number, panel in enumerate(panels):
        top, bottom, left, right, _ = box(panel, screen.camera)
        first = max(0, int(top * samples) - rows.start - 1)
        last = min(len(rows), int(bottom * samples) - rows.start + 2)
        start = max(0, int(left * samples) - 1)
        stop = min(depth.shape[1], int(right * samples) + 2)
        if first < last and start < stop:
            window = (slice(first, last), slice(start, stop))
            _draw(hits, screen, window, number, panel)
    return hits


def _draw(hits: Hits, screen: Screen, window: tuple[slice, slice], number: int, panel: Panel) -> None:
    """Put one panel into the part of the band that its bounding box covers."""
    ray = (screen.rays[0][window[1]], screen.rays[1][window[0], None], screen.rays[2][window[1]])
    normal = cross(panel.across, panel.up)
    start = plus(panel.origin, scaled(screen.camera.position, -1.0))
    slope = along(normal, ray)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        depth = dot(normal, start) / slope
        u = _coordinate(panel.across, panel.up, start, ray, depth)
        v = _coordinate(panel.up, panel.across, start, ray, depth)
    seen = (depth > 0.05) & (depth < hits.depth[window]) & (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
    row, column = np.nonzero(seen)
    if not row.size:
        return
    near, levels = depth[row, column], screen.levels[panel.texture]
    level = np.minimum(_level(panel, levels[0], slope[row, column], near, screen), len(levels) - 1)
    index = texel(levels, u[row, column], v[row, column], level)
    there = screen.labels[index] > 0
    row, column = row[there] + window[0].start, column[there] + window[1].start
    hits.depth[row, column] = near[there]
    hits.texel[row, column] = index[there]
    hits.panel[row, column] = number


Ray = tuple[Floats, Floats, Floats]


def along(vector: Point, ray: Ray) -> Floats:
    """Return the dot product with every ray; x and z vary along rows, y along columns."""
    result: Floats = (vector[0] * ray[0] + vector[2] * ray[2]) + vector[1] * ray[1]
    return result


def _coordinate(edge: Point, other: Point, start: Point, ray: Ray, depth: Floats) -> Floats:
    """Return the position along one edge of a parallelogram, 0 at its origin and 1 at its end."""
    dual = cross(other, cross(edge, other))
    dual = scaled(dual, 1.0 / dot(edge, dual))
    position: Floats = depth * along(dual, ray)
    position -= np.float32(dot(dual, start))
    return position


def _level(panel: Panel, finest: tuple[int, int, int], slope: Floats, depth: Floats, screen: Screen) -> Indices:
    """Return the halved copy whose texels are about as large as a sample's footprint."""
    normal = cross(panel.across, panel.up)
    area = dot(normal, normal) ** 0.5
    density = (finest[1] * finest[2] / area) ** 0.5
    slant = np.maximum(np.abs(slope) / area, 0.05)
    footprint = depth * (density / (screen.camera.focal * screen.samples)) / np.sqrt(slant)
    level: Indices = np.maximum(np.log2(footprint) + 0.4, 0.0).astype(np.int32)
    return level
