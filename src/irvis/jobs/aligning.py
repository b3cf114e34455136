"""Pairs of two lenses through the aligner: what became of each, and the aligned files."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .. import io
from ..align import Alignment
from ..align.warp import Placement, places, values_over
from ..color import luma
from ..data.matching import Match
from ..errors import IrvisError, RangeNeededError, said
from ..files import whole
from ..io import photo
from ..io.deep import Samples
from ..io.encode import write_map
from ..io.infrared import measure
from ..io.notes import focal_of
from ..io.registration import laid
from ..io.samples import tensor
from ..streaming import refuse_beyond
from ..thermal import Range, Sensing
from ..types import RGB, Gray, Meta, Scaled

ANY = Range(1, 99, "percent")
"""For files that need a range, where none is given: it has no part in what is written."""
SIDE = 12
"""Fields of a chessboard along its longer side."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """How files are read, and where aligned ones go; `out` None: nowhere."""

    range: Range | None = None
    color: Literal["refuse", "gray"] = "refuse"
    sensing: Sensing = Sensing()  # noqa: RUF009
    out: Path | None = None
    crop: bool = False
    sheets: bool = False
    if_exists: Literal["error", "skip", "overwrite"] = "error"


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """What became of one pair: `problem` is empty where it was aligned (and written)."""

    name: str
    alignment: Alignment | None = None
    """None where a rig was applied, or the pair was not read."""
    files: tuple[Path, ...] = ()
    problem: str = ""
    skipped: bool = False


Align = Callable[[RGB, Scaled, float | None], Alignment | Placement]


def align_all(pairs: Sequence[Match], align: Align, files: Files) -> Iterator[Aligned]:
    """Align one pair after another; failures of a pair are told and the others go on."""
    for pair in pairs:
        try:
            yield _align(pair, align, files)
        except Exception as error:  # whatever it is, the other pairs are still to be done
            yield Aligned(name=pair.name, problem=said(error))


def seen(pair: Match, files: Files) -> tuple[RGB, Meta, Scaled]:
    """Both images of a pair in [0, 1], each of its own size."""
    refuse_beyond(pair.visible, pair.infrared)
    visible, meta = io.read_visible(pair.visible)
    if pair.visible == pair.infrared:
        visible, meta = photo.whole(measure(pair.infrared, files.sensing)), Meta(exif=meta.exif)
    try:
        infrared = io.read_infrared(pair.infrared, range=files.range, color=files.color, sensing=files.sensing)
    except RangeNeededError:
        infrared = io.read_infrared(pair.infrared, range=ANY, color=files.color, sensing=files.sensing)
    return visible, meta, infrared


def size(image: Scaled) -> tuple[int, int]:
    """Height and width."""
    return image.shape[-2], image.shape[-1]


def grays(pair: Match, files: Files) -> tuple[Gray, Gray]:
    """The same without colour."""
    visible, _, infrared = seen(pair, files)
    return luma(visible), infrared


def refuse(pairs: Sequence[Match], files: Files) -> None:
    """Before anything is done: nothing is overwritten unasked, and no output is an input."""
    if files.out is None:
        return
    inputs = {path.resolve() for pair in pairs for path in (pair.visible, pair.infrared)}
    for pair in pairs:
        for kind in ("visible", "infrared"):
            for path in _there(files.out / kind, pair):
                if path.resolve() in inputs:
                    raise IrvisError(f"{path} is an input and would be overwritten; choose another --out")
                if files.if_exists == "error":
                    raise IrvisError(f"{path} exists; use --if-exists skip (to resume) or overwrite")


def _align(pair: Match, align: Align, files: Files) -> Aligned:
    if files.out is not None and files.if_exists == "skip":
        there = [path for kind in ("visible", "infrared") for path in _there(files.out / kind, pair)]
        if len(there) == 2:
            return Aligned(name=pair.name, files=tuple(there), skipped=True)
    visible, meta, infrared = seen(pair, files)
    found = align(visible, infrared, focal_of(meta.exif))
    alignment = found if isinstance(found, Alignment) else None
    if alignment is not None and alignment.problem:
        return Aligned(name=pair.name, alignment=alignment, problem=alignment.problem)
    placement = found.matrix if isinstance(found, Alignment) else found
    if alignment is not None and pair.visible == pair.infrared:
        photo.refuse_far(measure(pair.infrared, files.sensing), placement, size(visible))
    written = () if files.out is None else _written(pair, visible, meta, infrared, placement, files, files.out)
    return Aligned(name=pair.name, alignment=alignment, files=written)


def _written(
    pair: Match, visible: RGB, meta: Meta, infrared: Scaled, placement: Placement, files: Files, out: Path
) -> tuple[Path, ...]:  # fmt: skip
    """OUT/visible, OUT/valid where infrared did not see everything, and last OUT/infrared: with it a pair is whole."""
    samples = measure(pair.infrared, files.sensing).raster.samples
    numbers = tensor(np.asarray(np.isfinite(samples).all(2, keepdims=True)))
    one = laid(visible, infrared, numbers, meta, io.Laying(where=lambda *_: placement, crop=files.crop))
    paths = [out / "visible" / f"{pair.name}{pair.visible.suffix}"]
    if files.crop:
        paths[0] = paths[0].with_suffix(".tiff" if meta.depth == 16 else ".png")
    elif pair.visible == pair.infrared:
        paths[0] = paths[0].with_suffix(".png")
    if files.crop or pair.visible == pair.infrared:
        io.write(paths[0], one.visible[:, :1] if meta.gray else one.visible, one.meta)
    else:
        with whole(paths[0]) as unfinished:
            shutil.copyfile(pair.visible, unfinished)
    if one.valid is not None:
        paths.append(out / "valid" / f"{pair.name}.png")
        io.write(paths[-1], one.valid)
    if files.sheets:
        paths.append(out / "sheets" / f"{pair.name}.jpg")
        seen = one.infrared if one.valid is None else one.infrared * one.valid
        io.write(paths[-1], chessboard(one.visible, seen))
    paths.append(_write_infrared(out / "infrared" / pair.name, samples, one.placement, size(one.visible)))
    for stale in {path for kind in ("visible", "infrared", "valid") for path in _there(out / kind, pair)} - {*paths}:
        stale.unlink()  # of a run with other words
    return tuple(paths)


def _write_infrared(path: Path, samples: Samples, placement: Placement, size: tuple[int, int]) -> Path:
    """The file's own numbers, in its own depth; 0 where infrared saw nothing, NaN among floats."""
    there = places(placement, size)
    planes = np.stack([values_over(samples[..., n].astype(np.float32), there, size) for n in range(samples.shape[2])])
    if samples.dtype.kind == "f":
        path = path.with_name(f"{path.name}.tiff")
        write_map(path, planes[0], Meta(), "")
        return path
    path = path.with_name(f"{path.name}.png")
    full = float(np.iinfo(samples.dtype).max)
    numbers: NDArray[Any] = np.nan_to_num(planes).transpose(1, 2, 0) / np.float64(full)
    io.write(path, tensor(numbers.astype(np.float64)), Meta(depth=8 if samples.dtype == np.uint8 else 16))
    return path


def chessboard(visible: RGB, infrared: Gray) -> RGB:
    """Fields of either image by turns: lines that run through are aligned."""
    height, width = visible.shape[-2:]
    field = max(8, max(height, width) // SIDE)
    board = (np.arange(height)[:, None] // field + np.arange(width) // field) % 2
    choose = visible.new_tensor(board)[None, None]
    return choose * visible + (1 - choose) * infrared.expand(-1, 3, -1, -1)


def _there(folder: Path, pair: Match) -> list[Path]:
    """Files of a pair in a folder, with the suffix of an input or one that is written."""
    suffixes = dict.fromkeys((pair.visible.suffix, pair.infrared.suffix, ".png", ".tiff"))
    return [path for suffix in suffixes if (path := folder / f"{pair.name}{suffix}").is_file()]
