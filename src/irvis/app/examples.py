"""Synthetic pairs to try the page with, drawn on the spot."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .. import io
from ..align.warp import laid_over
from ..data.scene import Conditions, scene

SIZE = (480, 640)
LENSES = np.array([[0.97, 0.0, 31.0], [0.0, 0.97, -4.0], [0, 0, 1.0]])
"""Where visible pixels lie in the infrared picture of the other lens."""
COLDEST, HOTTEST = 4.0, 38.0
"""Degrees C that black and white of a scene become."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A pair, and what is chosen with it."""

    name: str
    draw: Callable[[Path], tuple[Path, Path]]
    choices: dict[str, Any] = field(default_factory=dict)
    """Name of a control → its value."""


def night(folder: Path) -> tuple[Path, Path]:
    """A street by night."""
    return _written(folder, "night", 25, Conditions())


def fog(folder: Path) -> tuple[Path, Path]:
    """A street in fog, by day."""
    return _written(folder, "fog", 7, Conditions(darkness=0.15, fog=0.75))


def thermal(folder: Path) -> tuple[Path, Path]:
    """The counts of a thermal camera, kelvin × 100 in 16 bits."""
    drawn = scene(11, SIZE, Conditions(darkness=0.6))
    visible, infrared = drawn.tensors()
    io.write(folder / "thermal_visible.png", visible)
    celsius = COLDEST + (HOTTEST - COLDEST) * infrared[0, 0].numpy()
    path = folder / "thermal_kelvin.tiff"
    Image.fromarray(((celsius + 273.15) * 100).round().astype(np.uint16)).save(path)
    return folder / "thermal_visible.png", path


def lenses(folder: Path) -> tuple[Path, Path]:
    """Two cameras side by side: infrared shows another part of the street."""
    visible, infrared = scene(3, SIZE, Conditions(darkness=0.5)).tensors()
    over, valid = laid_over(infrared, LENSES, SIZE)
    io.write(folder / "lenses_visible.png", visible)
    io.write(folder / "lenses_infrared.png", over * valid)
    return folder / "lenses_visible.png", folder / "lenses_infrared.png"


EXAMPLES = (
    Example(name="Night street", draw=night),
    Example(name="Fog", draw=fog),
    Example(name="Thermal camera", draw=thermal, choices={"palette": "ironbow", "kelvin_per_count": "0.01"}),
    Example(name="Two lenses", draw=lenses),
)


def _written(folder: Path, name: str, seed: int, conditions: Conditions) -> tuple[Path, Path]:
    visible, infrared = scene(seed, SIZE, conditions).tensors()
    paths = folder / f"{name}_visible.png", folder / f"{name}_infrared.png"
    for path, image in zip(paths, (visible, infrared), strict=True):
        io.write(path, image)
    return paths
