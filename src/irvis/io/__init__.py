"""Image files in and out: the only place that knows file formats, channel order, EXIF and alpha.

True of every reader: the content decides the format, not the suffix; EXIF orientation is applied to the
pixels; of several frames the first is read; 16-bit samples keep their 16 bits. Alpha is dropped, never
composited: the colour below it is what the camera measured, and a black background would be structure
that no camera saw. An EXIF block too damaged to read is left out; damaged pixels are an IrvisError.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ..color import gray
from ..errors import IrvisError
from ..thermal import Range, to_unit
from ..types import RGB, Gray, Image, Meta, Pair, Scaled
from .decode import MAX_PIXELS, READABLE, Raster, StrPath, read_raster, within_memory
from .deep import Samples
from .encode import WRITABLE, write

__all__ = [
    "COLOUR_LEVELS",
    "MAX_PIXELS",
    "READABLE",
    "WRITABLE",
    "IrvisWarning",
    "Samples",
    "StrPath",
    "is_complete",
    "noting",
    "read_infrared",
    "read_pair",
    "read_visible",
    "write",
]

COLOUR_LEVELS = 16
"""Coloured: max(R, G, B) - min(R, G, B) exceeds this many of 255 levels in over 1% of the pixels.

Measured, as the 99th percentile of that spread: gray infrared files of six public sets 0 (a camera's
coloured overlay reaches 47 in 0.1% of the pixels), pseudo-coloured thermal files 240 to 243.
"""

_FULL = {"uint8": 255, "uint16": 65535}


class IrvisWarning(UserWarning):
    """A pair that can be fused but looks like a mistake; the text says what to do."""


_notes: ContextVar[list[str] | None] = ContextVar("notes", default=None)


@contextmanager
def noting() -> Iterator[list[str]]:
    """What this thread would issue as an IrvisWarning is put into the list: `warnings` mixes up threads."""
    notes: list[str] = []
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def _warn(text: str) -> None:
    notes = _notes.get()
    if notes is None:
        warnings.warn(text, IrvisWarning, stacklevel=3)
    else:
        notes.append(text)


def read_visible(path: StrPath) -> tuple[RGB, Meta]:
    """The visible image, shape (1, 3, h, w), and what its file says beside its pixels."""
    raster = read_raster(Path(path))
    with within_memory(raster.path):
        return _visible(raster)


def read_infrared(path: StrPath, *, range: Range | None = None, color: Literal["refuse", "gray"] = "refuse") -> Gray:
    """The infrared image, shape (1, 1, h, w).

    8-bit gray (one channel, or three alike) is taken as it is. 16-bit and float files need a `range`; an
    8-bit file follows it too. A pseudo-coloured file is refused: its colours are a palette and no
    temperature. `color="gray"` takes its BT.601 luma all the same.
    """
    raster = read_raster(Path(path))
    with within_memory(raster.path):
        return _infrared(raster, range, color)


def read_pair(
    visible: StrPath,
    infrared: StrPath,
    *,
    name: str | None = None,
    range: Range | None = None,
    color: Literal["refuse", "gray"] = "refuse",
    resize: bool = False,
) -> Pair:
    """A registered pair; `resize` scales the infrared to the visible's size (bicubic, antialiased)."""
    rasters = read_raster(Path(visible)), read_raster(Path(infrared))
    with within_memory(f"{visible} and {infrared}"):
        hint = _swap_hint(*rasters)
        infrared_image = _infrared(rasters[1], range, color, hint)
        if hint:
            _warn(hint)
        visible_image, meta = _visible(rasters[0])
        if not resize:
            _refuse_other_size(*rasters)
        resized = _resized(infrared_image, *visible_image.shape[2:])
    return Pair(name or Path(visible).stem, visible_image, resized, meta=meta)


def is_complete(path: StrPath) -> bool:
    """True if `path` is an image file that decodes to its last pixel."""
    try:
        read_raster(Path(path))
    except IrvisError:
        return False
    return True


# -------------------------------------------------------------------------------- rasters to images


def _visible(raster: Raster) -> tuple[RGB, Meta]:
    samples = raster.samples
    if samples.dtype == np.float32 and not ((samples >= 0) & (samples <= 1)).all():
        raise IrvisError(
            f"{raster.path}: float samples of a visible file must lie in [0, 1], these run from "
            f"{_extremes(samples)}: save it with 8 or 16 bits."
        )
    image = _tensor(samples) / _FULL.get(samples.dtype.name, 1)
    depth = 8 if samples.dtype == np.uint8 else 16
    meta = Meta(exif=raster.exif, icc=raster.icc, depth=depth, gray=samples.shape[2] == 1)
    return image.expand(1, 3, -1, -1).contiguous(), meta


def _infrared(raster: Raster, span: Range | None, color: Literal["refuse", "gray"], hint: str = "") -> Gray:
    """`hint` ends the text of a refusal."""
    try:
        return infrared_of(raster.samples, span, color)
    except IrvisError as error:
        raise IrvisError(f"{raster.path}: {error}{hint and ' '}{hint}") from error


def infrared_of(samples: Samples, span: Range | None, color: Literal["refuse", "gray"]) -> Gray:
    """Samples (h, w, 1 or 3) of an infrared image as (1, 1, h, w) in [0, 1]: the rules for files and arrays."""
    if color == "refuse" and _is_coloured(samples):
        raise IrvisError(
            "the infrared image is pseudo-coloured: use the camera's grayscale or radiometric output, or take "
            "its brightness with --infrared-color gray (infrared_color='gray' in Python)."
        )
    if span is None and samples.dtype != np.uint8:
        raise IrvisError(
            f"the infrared image holds {samples.dtype} counts from {_extremes(samples)} and needs a range, what is "
            "black and what is white: --infrared-range 1%,99% (infrared_range='1%,99%' in Python)."
        )
    counts = gray(_tensor(samples))
    return counts / 255 if span is None else torch.from_numpy(to_unit(counts.numpy(), span))


def _tensor(samples: Samples) -> Image:
    return torch.from_numpy(np.ascontiguousarray(samples.transpose(2, 0, 1), np.float32))[None]


def _extremes(samples: Samples) -> str:
    finite = samples[np.isfinite(samples)]
    if not finite.size:
        return "NaN to NaN"
    low, inner_low, inner_high, high = np.percentile(finite, (0, 1, 99, 100))
    return f"{low:g} to {high:g} (1%: {inner_low:g}, 99%: {inner_high:g})"


def _is_coloured(samples: Samples) -> bool:
    if samples.shape[2] == 1:
        return False
    full = _FULL.get(samples.dtype.name) or float(np.ptp(samples))
    red, green, blue = (samples[..., n] for n in range(3))
    high, low = (extreme(extreme(red, green), blue) for extreme in (np.maximum, np.minimum))
    spread = high.astype(np.float32) - low
    return bool((spread > COLOUR_LEVELS / 255 * full).mean() > 0.01)


# ------------------------------------------------------------------------- the two files of a pair


def _swap_hint(visible: Raster, infrared: Raster) -> str:
    """What to say of a gray visible file beside a coloured infrared file; empty for any other pair."""
    if not _is_coloured(infrared.samples) or _is_coloured(visible.samples):
        return ""
    return f"{visible.path} is gray and {infrared.path} is coloured: if they are swapped, give {infrared.path} first."


def _refuse_other_size(visible: Raster, infrared: Raster) -> None:
    (height, width), (infrared_height, infrared_width) = visible.samples.shape[:2], infrared.samples.shape[:2]
    if (height, width) != (infrared_height, infrared_width):
        raise IrvisError(
            f"{visible.path} is {width}x{height} and {infrared.path} is {infrared_width}x{infrared_height}: "
            "align them first or, if they show the same view, type --resize-infrared."
        )


def _resized(image: Scaled, height: int, width: int) -> Image:
    if image.shape[2:] == (height, width):
        return image
    return torch.nn.functional.interpolate(image, (height, width), mode="bicubic", antialias=True).clamp(0, 1)
