"""Temperatures of a video: drawn into its frames, and as a stream of counts beside it.

The stream is 16-bit gray, FFV1 in Matroska, with the time stamps of the fused video: hundredths of a kelvin, 0 where
nothing was measured. `--kelvin-per-count 0.01` reads it back.
"""

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cameras.planck import ZERO_CELSIUS
from ..errors import IrvisError
from ..io.decode import Raster
from ..io.infrared import Measured
from ..io.normalise import Shown as Picture
from ..io.normalise import thermal
from ..jobs.temperatures import drawn
from ..thermal import Drawing, Sensing
from ..thermal.spots import aligned, spots
from ..types import RGB, Pair, Thermal
from .range_following import Shown
from .registration import Lay
from .writer import Writer

KELVIN = 0.01
"""Per count."""
HOTTEST = 65535 * KELVIN - ZERO_CELSIUS
"""Degrees C; what is hotter is written as this."""


def sidecars(path: Path) -> tuple[Path, Path]:
    """Of a fused video: the stream aligned to it, and that at native resolution."""
    return path.with_name(f"{path.stem}.celsius.mkv"), path.with_name(f"{path.stem}.native.celsius.mkv")


def measured(shown: Shown, name: str, sensing: Sensing, lay: Lay, drawing: Drawing) -> Thermal:
    """What a frame measured; an IrvisError where degrees are asked for and the stream gives none."""
    frame = shown.frame
    raster = Raster(Path(name), frame.samples[..., None], b"", b"")
    made = Picture(image=shown.gray, scale=shown.scale, polarity=sensing.polarity)
    found = thermal(Measured(raster=raster, radiometric=frame.radiometric), made, sensing, lay.placement)
    if found.problem and (drawing.sidecar or drawing.measures):
        raise IrvisError(f"{name}: {found.problem}")
    return found


def painted(picture: RGB, visible: RGB, infrared: Any, found: Thermal, drawing: Drawing) -> RGB:
    """A fused frame with colours and marks."""
    return drawn(picture, Pair("", visible, infrared, thermal=found), drawing)[0]


@dataclass
class Readings:
    """The temperatures that were asked for, over a whole video."""

    drawing: Drawing
    spots: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    hottest: tuple[float, str] = (-np.inf, "")

    def add(self, found: Thermal, size: tuple[int, int], time: Fraction) -> None:
        """Read one frame."""
        for one in spots(found, self.drawing, *size):
            if one.hottest and one.celsius > self.hottest[0]:
                self.hottest = one.celsius, f"hottest {one.x},{one.y}: {one.value} at {float(time):.2f} s"
            elif not one.hottest and np.isfinite(one.celsius):
                low, high = self.spots.get((one.x, one.y), (np.inf, -np.inf))
                self.spots[one.x, one.y] = min(low, one.celsius), max(high, one.celsius)

    @property
    def told(self) -> tuple[str, ...]:
        """One line for each spot, and one for the hottest of all."""
        lines = [f"spot {x},{y}: {low:.1f} to {high:.1f} °C" for (x, y), (low, high) in self.spots.items()]
        return (*lines, self.hottest[1]) if self.hottest[1] else tuple(lines)


class Sidecars:
    """Both streams of temperatures beside a fused video; a context manager."""

    def __init__(self, path: Path, *, rate: Fraction, size: tuple[int, int], lay: Lay) -> None:
        self.size, self.notes = size, list[str]()
        facts = {"unit": "kelvin", "per_count": KELVIN, "nothing": 0, "fused": path.name}
        place = {} if lay.placement.ndim == 3 else {"matrix": lay.placement.ravel().tolist()}
        self.paths = sidecars(path)
        self._about = [facts, facts | place]
        self._rate = rate
        self._files, self._writers = ExitStack(), list[Writer]()

    def __enter__(self) -> "Sidecars":
        return self

    def write(self, found: Thermal, time: Fraction) -> None:
        """One frame."""
        if not self.notes and bool((found.values > HOTTEST).any()):
            self.notes.append(f"--temperature-sidecar ends at {HOTTEST:.1f} °C: what is hotter is written as this")
        maps = counts_of(aligned(found, *self.size)), counts_of(found.values)
        if not self._writers:
            self._writers = [
                self._files.enter_context(
                    Writer(path, rate=self._rate, size=one.shape, codec="ffv1", about={"comment": json.dumps(about)})
                )
                for path, one, about in zip(self.paths, maps, self._about, strict=True)
            ]  # fmt: skip
        for writer, one in zip(self._writers, maps, strict=True):
            writer.write(one, time)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._files.__exit__(kind, error, trace)


def counts_of(celsius: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Degrees C as hundredths of a kelvin; 0 where there are none."""
    kelvin = (celsius.astype(np.float64) + ZERO_CELSIUS) / KELVIN
    return np.where(np.isfinite(kelvin), np.clip(np.round(np.nan_to_num(kelvin)), 1, 65535), 0).astype(np.uint16)
