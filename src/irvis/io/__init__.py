"""Image files in and out: the only place that knows file formats, channel order, EXIF and alpha.

True of every reader: the content decides the format, not the suffix; EXIF orientation is applied to the
pixels; of several frames one must be chosen; 16-bit samples keep their 16 bits. Alpha is dropped, never
composited: the colour below it is what the camera measured, and a black background would be structure
that no camera saw. An EXIF block too damaged to read is left out; damaged pixels are an IrvisError.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ..align.warp import Placement, window
from ..cameras import read as read_camera
from ..errors import IrvisError, NotRegisteredError, SidesSwappedError
from ..thermal import Range, Sensing
from ..types import RGB, Gray, Meta, Pair, Scaled
from . import photo
from .decode import MAX_PIXELS, READABLE, Raster, StrPath, read_raster, within_memory
from .deep import Samples
from .encode import WRITABLE, write
from .infrared import FRAMES, Measured, measure
from .normalise import Shown, gray_of, show, thermal
from .notes import nodata_of, read_made, read_shown, read_xmp
from .registration import Laying, laid
from .samples import COLOUR_LEVELS, DARK, FULL, extremes, is_coloured, shallow, tensor

__all__ = [
    "COLOUR_LEVELS",
    "FRAMES",
    "MAX_PIXELS",
    "READABLE",
    "WRITABLE",
    "IrvisWarning",
    "Laying",
    "Samples",
    "StrPath",
    "holds_record",
    "infrared_of",
    "is_complete",
    "noting",
    "read_infrared",
    "read_made",
    "read_pair",
    "read_shown",
    "read_visible",
    "write",
]

_FULL, _is_coloured, _tensor = FULL, is_coloured, tensor


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


def read_visible(path: StrPath, *, frame: int | None = None) -> tuple[RGB, Meta]:
    """The visible image, shape (1, 3, h, w), and what its file says beside its pixels.

    `frame`: of a file that holds several pictures, from 0; without it such a file is an IrvisError.
    """
    raster = read_raster(Path(path), frame=frame)
    with within_memory(raster.path):
        image, meta = _visible(raster)
    return image, replace(meta, xmp=read_xmp(raster.path))


def read_infrared(
    path: StrPath,
    *,
    range: Range | None = None,
    color: Literal["refuse", "gray"] = "refuse",
    sensing: Sensing = Sensing(),  # noqa: B008
) -> Gray:
    """The infrared image, shape (1, 1, h, w).

    8-bit gray (one channel, or three alike) is taken as it is. 16-bit and float files need a `range`; an
    8-bit file follows it too. Of a thermal camera's own file (FLIR, DJI; `irvis.cameras`) the counts are taken,
    by default from 1% to 99%. A pseudo-coloured file is refused: its colours are a palette and no
    temperature. `color="gray"` takes its BT.601 luma all the same.
    """
    with within_memory(path):
        return _tensor(_shown(_measure(Path(path), sensing), range, color, sensing).image[..., None])


def read_pair(
    visible: StrPath,
    infrared: StrPath,
    *,
    name: str | None = None,
    range: Range | None = None,
    color: Literal["refuse", "gray"] = "refuse",
    resize: bool = False,
    sensing: Sensing = Sensing(),  # noqa: B008
    laying: Laying | None = None,
) -> Pair:
    """A registered pair.

    `resize` scales the infrared to the visible's size (bicubic, antialiased); `laying` puts it where it belongs,
    whatever its size. The same file on both sides is a radiometric one that holds its photo: the pair is what
    both cameras saw, at the resolution of the photo.
    """
    name = name or Path(visible).stem
    with within_memory(f"{visible} and {infrared}"):
        measured = _measure(Path(infrared), sensing)
        alone = photo.is_alone(Path(visible), Path(infrared), measured, sensing)
        if alone and laying is None:
            return _inside(measured, name, range, color, resize, sensing)
        raster = read_raster(Path(visible), frame=sensing.frame)
        hint = "" if alone else _swap_hint(raster, measured.raster)
        made = _shown(measured, range, color, sensing, hint)
        if hint:
            _warn(hint)
        image, meta = _visible(raster)
        if alone:
            with _naming(raster.path):
                image, meta = photo.whole(measured), Meta(exif=raster.exif)
        elif not resize and laying is None:
            _refuse_other_size(raster, measured.raster)
        of_infrared = _tensor(made.image[..., None])
        meta = replace(meta, xmp=read_xmp(raster.path), shown=made.text)
        if laying is None:
            one = photo.stretched(image, of_infrared, measured, meta)
        else:
            with _naming(raster.path) if alone else nullcontext():
                near = _near_the_cameras(laying, measured) if alone else laying
                one = laid(image, of_infrared, photo.measured(measured), meta, near)
    kept = thermal(measured, made, sensing, one.placement) if sensing.keep else None
    return Pair(name, one.visible, one.infrared, one.valid, meta=one.meta, thermal=kept)


def _inside(
    measured: Measured, name: str, span: Range | None, color: Literal["refuse", "gray"], resize: bool, sensing: Sensing
) -> Pair:
    path = measured.raster.path
    with _naming(path):
        place = photo.place(measured, sensing.crop, resize)
    made = _shown(measured, span, color, sensing)
    kept = thermal(measured, made, sensing, window(place.window, made.image.shape)) if sensing.keep else None
    meta = Meta(exif=read_raster(path).exif, xmp=read_xmp(path), shown=made.text)
    return Pair(name, place.visible, photo.seen(_tensor(made.image[..., None]), place), meta=meta, thermal=kept)


def _near_the_cameras(laying: Laying, measured: Measured) -> Laying:
    """The same, but an estimate far from the camera's own alignment is refused; where there is none, that is named."""

    def where(visible: RGB, infrared: Scaled, focal: float | None) -> Placement:
        try:
            found = laying.where(visible, infrared, focal)
        except IrvisError as problem:
            raise IrvisError(f"{problem}{photo.told_own(measured)}") from problem
        if getattr(laying.where, "estimates", True):
            photo.refuse_far(measured, found, (visible.shape[-2], visible.shape[-1]))
        return found

    return replace(laying, where=where)


def holds_record(path: StrPath) -> bool:
    """True if `path` is a thermal camera's own file, a damaged one too: it may hold both images of a pair."""
    try:
        return read_camera(Path(path)) is not None
    except IrvisError:
        return True


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
    if samples.dtype == np.float32 and np.isnan(samples).any():
        share = float(np.isnan(samples).mean())
        raise IrvisError(f"{raster.path}: NaN in {share:.2%} of the samples of a visible file: fill them in.")
    if samples.dtype == np.float32 and not ((samples >= 0) & (samples <= 1)).all():
        raise IrvisError(
            f"{raster.path}: float samples of a visible file must lie in [0, 1], these run from "
            f"{extremes(samples)}: save it with 8 or 16 bits."
        )
    image = _tensor(samples) / _FULL.get(samples.dtype.name, 1)
    if bits := shallow(samples):
        _warn(f"{raster.path}: {DARK.format(bits=bits)}")
    depth = 8 if samples.dtype == np.uint8 else 16
    nodata, missing = nodata_of(raster.exif), None
    if nodata is not None and samples.dtype != np.float32 and (empty := (samples == nodata).all(axis=2)).any():
        missing = torch.from_numpy(empty)[None, None].float()
    meta = Meta(
        exif=raster.exif, icc=raster.icc, depth=depth, gray=samples.shape[2] == 1,
        nodata=nodata, missing=missing,
    )  # fmt: skip
    return image.expand(1, 3, -1, -1).contiguous(), meta


def infrared_of(samples: Samples, span: Range | None, color: Literal["refuse", "gray"]) -> Gray:
    """Samples (h, w, 1 or 3) of an infrared image as (1, 1, h, w) in [0, 1]: the rules for files and arrays."""
    _refuse_coloured(samples, color)
    return _tensor(gray_of(samples, span)[..., None])


def _refuse_coloured(samples: Samples, color: Literal["refuse", "gray"]) -> None:
    if color == "refuse" and _is_coloured(samples):
        raise IrvisError(
            "the infrared image is pseudo-coloured: use the camera's grayscale or radiometric output, or take "
            "its brightness with --infrared-color gray (infrared_color='gray' in Python)."
        )


@contextmanager
def _naming(path: Path, hint: str = "") -> Iterator[None]:
    """An IrvisError names the file, and ends with the hint."""
    try:
        yield
    except IrvisError as error:
        named = "" if str(error).startswith(str(path)) else f"{path}: "
        kind = SidesSwappedError if hint else type(error)
        raise kind(f"{named}{error}{hint and ' '}{hint}") from error


def _measure(path: Path, sensing: Sensing) -> Measured:
    with _naming(path):
        return measure(path, sensing)


def _shown(
    measured: Measured, span: Range | None, color: Literal["refuse", "gray"], sensing: Sensing, hint: str = ""
) -> Shown:
    """`hint` ends the text of a refusal."""
    path = measured.raster.path
    with _naming(path, hint):
        _refuse_coloured(measured.raster.samples, color)
        made = show(measured, span, sensing)
    for note in (*measured.notes, *([made.note] if made.note else ())):
        _warn(f"{path}: {note}")
    return made


# ------------------------------------------------------------------------- the two files of a pair


def _swap_hint(visible: Raster, infrared: Raster) -> str:
    """What to say of a gray visible file beside a coloured infrared file; empty for any other pair."""
    if not _is_coloured(infrared.samples) or _is_coloured(visible.samples):
        return ""
    return f"{visible.path} is gray and {infrared.path} is coloured: if they are swapped, give {infrared.path} first."


def _refuse_other_size(visible: Raster, infrared: Raster) -> None:
    (height, width), (infrared_height, infrared_width) = visible.samples.shape[:2], infrared.samples.shape[:2]
    if (height, width) != (infrared_height, infrared_width):
        raise NotRegisteredError(
            f"{visible.path} is {width}x{height} and {infrared.path} is {infrared_width}x{infrared_height}: "
            "type --align or, if they show the same view, --resize-infrared."
        )
