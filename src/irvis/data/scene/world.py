"""The world of one scene and the tools that put things into it."""

from dataclasses import dataclass, field

import numpy as np

from .arrays import Floats, Point
from .camera import Camera
from .floor import Body
from .ground import Road
from .light import Light
from .raster import Panel, box
from .texture import Atlas, Texture


@dataclass(frozen=True)
class Area:
    """A rectangle of the picture in pixels and the depth of what is there."""

    top: float
    bottom: float
    left: float
    right: float
    depth: float

    def meets(self, other: "Area") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def hides(self, other: "Area") -> bool:
        return self.depth < other.depth and self.meets(other)


@dataclass
class World:
    """Everything a renderer needs; filled by the builders of the street, read-only afterwards."""

    camera: Camera
    road: Road
    samples: int
    noises: tuple[Floats, Floats]
    """Rough and smooth noise tiles."""
    lamps: float
    """Artificial light, 0 = switched off by day .. 1."""
    damp: float
    """How wet the ground is before any rain, 0..1."""
    atlas: Atlas = field(default_factory=Atlas)
    panels: list[Panel] = field(default_factory=list)
    lights: list[Light] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    trees: list[int] = field(default_factory=list)
    """Numbers of the kinds of trees in the atlas."""
    kept: list[Area] = field(default_factory=list)
    """What must stay in view: the sign and the nearest pedestrians."""
    eaves: Floats = field(default_factory=lambda: np.zeros(120, np.float32))
    """Height of the houses on the left for every metre along the street."""
    text: str = ""
    """Of the sign."""
    smoke: tuple[float, float] = (0.0, 0.0)
    """Where smoke rises: x and z."""

    def density(self, depth: float, upper: float = 48.0) -> float:
        """Return texels per metre that a texture at a depth deserves."""
        return float(np.clip(0.85 * self.camera.focal * self.samples / max(depth, 1.0), 3.0, upper))

    def billboard(
        self,
        number: int,
        place: tuple[float, float],
        bottom: float,
        size: tuple[float, float],
        mirror: bool = False,
    ) -> Panel:
        """Return a panel of (height, width) metres standing at (x, z) and facing the camera's direction."""
        height, width = size
        sine, cosine = float(np.sin(self.camera.yaw)), float(np.cos(self.camera.yaw))
        half = -0.5 * width if mirror else 0.5 * width
        origin = (place[0] - half * cosine, bottom, place[1] + half * sine)
        return Panel(origin, (2.0 * half * cosine, 0.0, -2.0 * half * sine), (0.0, height, 0.0), number)

    def add(self, texture: Texture, origin: Point, across: Point, up: Point) -> None:
        self.panels.append(Panel(origin, across, up, self.atlas.add(texture)))

    def area(self, panels: list[Panel]) -> Area:
        """Return the rectangle of the picture that panels cover."""
        tops, bottoms, lefts, rights, depths = zip(*(box(panel, self.camera) for panel in panels), strict=True)
        return Area(min(tops), max(bottoms), min(lefts), max(rights), min(depths))

    def welcome(self, area: Area) -> bool:
        """Say whether something would leave the sign and the nearest pedestrians in view."""
        return not any(area.hides(kept) for kept in self.kept)
