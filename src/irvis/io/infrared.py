"""Infrared files to counts and degrees C: thermal cameras' own files, frames of camera modules, and pictures."""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import cameras
from ..cameras import Radiometric, layouts, planck
from ..errors import IrvisError
from ..thermal import Sensing
from . import degrees, nodata
from .decode import Raster, frames_in, read_raster
from .deep import Samples
from .notes import nodata_of

SEQUENCES = (".seq", ".csq", ".fff")
FRAMES = (*SEQUENCES, ".raw", ".irg", *degrees.TABLES)
"""Suffixes, lower case, of files that hold frames of a thermal camera, or a table of temperatures, and no picture."""
_SURE = 0.9  # share of the words of a stacked picture whose chroma is near gray


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """An infrared file: `raster` holds its samples, cropped; `radiometric` is whole and None for a plain image."""

    raster: Raster
    radiometric: Radiometric | None = None
    empty: bool = False
    """Whether nothing was measured at some samples; they are NaN here."""
    notes: tuple[str, ...] = ()
    """What to tell the user of the file."""
    degrees: bool = False
    """Whether the samples are degrees C, whatever is asked for."""


def measure(path: Path, sensing: Sensing) -> Measured:
    """Read an infrared file as it is to be taken; what it cannot give is an IrvisError."""
    if sensing.decoder is not None or path.suffix.lower() in degrees.TABLES:
        return _in_degrees(path, sensing)
    headless = sensing.raw is not None or path.suffix.lower() == ".raw"
    is_sequence = path.suffix.lower() in SEQUENCES and not headless
    if is_sequence and sensing.unit == "picture":
        raise IrvisError(f"{path} holds counts and no picture: leave --infrared-unit picture out.")
    plain = headless or sensing.unit == "picture" or not _is_file(path)
    found = None if plain else _recorded(path, sensing.frame)
    raster = Raster(path, np.zeros((0, 0, 1), np.uint16), b"", b"")
    if found is None:
        raster = replace(raster, samples=_headless(path, sensing)) if headless else _picture(path, sensing)
    found = found or _module_frame(raster, sensing)
    if found is not None:
        if sensing.nodata not in (None, "none"):
            raise IrvisError(f"{path} holds a thermal camera's own counts, all of them measured: leave --nodata out.")
        whole = replace(raster, samples=found.counts[..., None])
        notes = _more_frames(path, sensing) if is_sequence else ()
        return Measured(raster=replace(whole, samples=_cropped(whole, sensing)), radiometric=found, notes=notes)
    samples, told = nodata.marked(raster.samples, nodata_of(raster.exif), sensing)
    clean = replace(raster, samples=samples)
    return Measured(
        raster=replace(clean, samples=_cropped(clean, sensing)), empty=samples is not raster.samples,
        notes=tuple(note for note in (told, *([] if headless else _aside(path, sensing))) if note),
    )  # fmt: skip


def _in_degrees(path: Path, sensing: Sensing) -> Measured:
    """A file that gives degrees C itself, or by the user's decoder."""
    if sensing.unit in ("counts", "picture") or sensing.kelvin_per_count is not None or sensing.conditions:
        raise IrvisError(
            f"{path} is read as degrees C: leave --infrared-unit, --kelvin-per-count and conditions like the "
            "emissivity out."
        )
    found = degrees.of_table(path) if sensing.decoder is None else degrees.decoded(path, sensing.decoder)
    samples, told = nodata.marked(found, None, replace(sensing, unit="celsius"))
    raster = Raster(path, samples, b"", b"")
    return Measured(
        raster=replace(raster, samples=_cropped(raster, sensing)), empty=bool(np.isnan(samples).any()),
        notes=(told,) if told else (), degrees=True,
    )  # fmt: skip


def _picture(path: Path, sensing: Sensing) -> Raster:
    raster = read_raster(path, frame=sensing.frame, counts=True)
    if sensing.frame and frames_in(path) == 1:
        raise IrvisError(f"{path} holds one picture: leave --frame out.")
    return raster


def _more_frames(path: Path, sensing: Sensing) -> tuple[str, ...]:
    """What to tell of a recording whose first frame is taken unasked."""
    if sensing.frame is not None or next(islice(cameras.frames(path), 1, None), None) is None:
        return ()
    return ("it holds several frames and the first is taken: choose one by --frame, or fuse it as a video",)


def _aside(path: Path, sensing: Sensing) -> list[str]:
    """What to tell of a picture file that carries much beside its picture."""
    count = 0 if sensing.unit == "picture" else cameras.unread_bytes(path)
    return [f"it carries {count} bytes beside its picture that irvis cannot read: counts, if any, are not used"] * (
        count > 0
    )


def _headless(path: Path, sensing: Sensing) -> Samples:
    """Counts without a header, of the size that was said."""
    if sensing.raw is None:
        raise IrvisError(f"{path} holds counts without a header: say their size, as in --infrared-raw 640x512.")
    try:
        return layouts.from_bytes(path.read_bytes(), *sensing.raw, frame=sensing.frame)[..., None]
    except FileNotFoundError as error:
        raise IrvisError(f"{path}: no such file.") from error
    except (IrvisError, OSError) as error:
        raise IrvisError(f"{path}: {error}") from error


def _is_file(path: Path) -> bool:
    """Whether there is such a file; if not, the reader of pictures says so."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _recorded(path: Path, frame: int | None) -> Radiometric | None:
    """What a thermal camera recorded; None if the file is none of a thermal camera."""
    if not frame:
        return cameras.read(path)
    if path.suffix.lower() not in SEQUENCES:
        if (found := cameras.read(path)) is not None:
            raise IrvisError(f"{path} holds one picture: leave --frame out.")
        return found
    last = next(islice(cameras.frames(path), frame, None), None)
    if last is None:
        raise IrvisError(f"{path} holds {sum(1 for _ in cameras.frames(path))} frames, counted from 0: no {frame}.")
    return last


def _module_frame(raster: Raster, sensing: Sensing) -> Radiometric | None:
    """A frame with telemetry rows or a stacked picture, by its size; None for any other image."""
    height, width, channels = raster.samples.shape
    layout = layouts.layout_of(width, height)
    if layout is None or channels != 1 or raster.samples.dtype != np.uint16 or sensing.crop is not None:
        return None
    words = raster.samples[..., 0]
    if layout.stacked and not ((words[: layout.extra] >> 8) // 16 == 8).mean() >= _SURE:  # 0x80 is no chroma
        return None
    try:
        return layouts.split(words, kelvin_per_count=sensing.kelvin_per_count).radiometric
    except IrvisError as error:
        raise IrvisError(f"{raster.path}: {error}") from error


def _cropped(raster: Raster, sensing: Sensing) -> Samples:
    if sensing.crop is None:
        return raster.samples
    left, top, width, height = sensing.crop
    part = raster.samples[top : top + height, left : left + width]
    if part.shape[:2] != (height, width):
        high, wide = raster.samples.shape[:2]
        raise IrvisError(
            f"{raster.path} is {wide}x{high}: --infrared-crop {left},{top},{width},{height} reaches beyond it."
        )
    return part


# ------------------------------------------------------------------------------------- temperature


def degrees_at(counts: tuple[float, float], measured: Measured, sensing: Sensing) -> tuple[float, float]:
    """Degrees C of any two counts, for a legend; NaN where a count has none."""
    found = measured.radiometric
    if found is not None and found.constants is not None:
        constants = planck.with_conditions(found.constants, **dict(sensing.conditions))
        low, high = planck.celsius(np.array(counts), constants, required=False)
    else:
        step = sensing.kelvin_per_count or (found and found.kelvin_per_count)
        low, high = (count * step - planck.ZERO_CELSIUS if step else count for count in counts)
    return float(low), float(high)


def celsius(measured: Measured, sensing: Sensing) -> NDArray[np.float32]:
    """Degrees C (h, w) of the cropped image; an IrvisError where the file does not give them."""
    samples = measured.raster.samples
    if samples.shape[2] != 1:
        raise IrvisError("no temperature: the infrared file is a colour picture.")
    if measured.degrees:
        return np.ascontiguousarray(samples[..., 0], np.float32)
    return _degrees(samples[..., 0], measured.radiometric, sensing)


def _degrees(numbers: NDArray[Any], found: Radiometric | None, sensing: Sensing) -> NDArray[np.float32]:
    step, is_float = sensing.kelvin_per_count, numbers.dtype.kind == "f"
    if found is not None and found.constants is not None and step is not None:
        raise IrvisError("--kelvin-per-count is for linear counts, and this file holds Planck constants.")
    if found is None and sensing.conditions:
        raise IrvisError("conditions like the emissivity need Planck constants, and this file holds none.")
    if found is not None:
        step = step or found.kelvin_per_count
        known = replace(found, counts=numbers, kelvin_per_count=step)
        return cameras.celsius(known, **dict(sensing.conditions))
    if step is None and is_float and sensing.unit == "celsius":
        return numbers.astype(np.float32)
    if step is None:
        raise IrvisError(
            "no temperature: the infrared file holds no calibration. If its numbers are linear in kelvin, type "
            f"--kelvin-per-count (0.01 for K x 100){'; if they are degrees C, --infrared-unit celsius' * is_float}."
        )
    if is_float:
        return (numbers * np.float64(step) - planck.ZERO_CELSIUS).astype(np.float32)
    return cameras.linear_celsius(numbers, step)
