"""Pairs larger than memory: fused window by window from two TIFF files into a third, within a budget.

A core of finite reach sees each window with its halo, so the streamed picture is the whole one. A core that sees
everything is run on overlapping windows, blended. What depends on the whole infrared picture (percentiles, whether it
is pseudo-coloured) is counted in a pass before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, product
from math import ceil, isqrt, lcm
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from . import budget, io, tiling
from .budget import ASSUMED, PROBE, give_back, parse_memory, probed
from .color import gray
from .errors import SMALLER, IrvisError
from .fuser import Fuser
from .io import big, tiled
from .io.decode import Raster
from .io.encode import _quantise, _with_nodata
from .io.normalise import Shown
from .io.samples import tensor
from .rim import CELL, depth_of, reach_of, rim_of
from .spec import Spec
from .survey import Gaps, gaps_in, marked, nodata_in, surveyed
from .thermal import Range, Scale, scaled
from .types import Image

__all__ = ["Job", "Show", "exceeds", "fuse_files", "parse_memory", "planned"]

SIDES = (128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
"""Sides of windows to choose from, pixels: the larger, the less is seen twice."""
MARGIN, RESERVE = 1.3, 48 * 10**6
"""Factor on what the probe measures; bytes for what does not grow with the window."""
SLAB = 16
"""Rows that are quantised at a time."""

Show = Callable[[int, int], object]


@dataclass(frozen=True)
class Job:
    """What stays the same from window to window."""

    fuser: Fuser
    visible: big.Source
    infrared: big.Source
    scale: Scale | None
    """Of the infrared; None: 8 bits as they are."""
    gaps: Gaps | None
    """Where some of the infrared holds no data."""
    channels: int
    """Of the fused file."""
    device: str


@torch.inference_mode()
def exceeds(visible: Path, infrared: Path, fuser: Fuser, *, memory: int, device: str = "cpu") -> bool:
    """Whether the pair should be streamed: whole it takes more than `memory` bytes, or is refused as too big."""
    pixels = max(height * width for height, width in map(big.size, (visible, infrared)))
    if pixels > io.MAX_PIXELS or pixels * _WHOLE > memory:
        return True
    return pixels * (_WHOLE + probed(partial(_anything, fuser, device), device)) > memory


def refuse_beyond(visible: Path, infrared: Path) -> None:
    """An IrvisError, before anything is decoded, where a pair fused whole takes more memory than there is."""
    try:
        pixels = max(height * width for height, width in map(big.size, (visible, infrared)))
    except IrvisError:  # told when it is read
        return
    there = budget.available()
    if there is not None and _SMALL < pixels <= io.MAX_PIXELS and pixels * _WHOLE > there:
        raise IrvisError(
            f"{visible}: {pixels / 1e6:.0f} megapixels, fused whole, take up to {pixels * _WHOLE / 1e9:.0f} GB, and "
            f"{there / 1e9:.1f} GB are free: {SMALLER}"
        )


_SMALL = 2**24
"""Pixels up to which a pair is fused whole wherever irvis runs at all."""
_WHOLE = 5 * 12 + 36
"""Bytes per pixel of a pair that is fused whole, beside the fusion: five RGB float32 (decoding copies), levels."""


def _anything(fuser: Fuser, device: str, side: int) -> None:
    fuser(torch.rand(1, 3, side, side, device=device), torch.rand(1, 1, side, side, device=device))


@torch.inference_mode()
def fuse_files(
    visible: Path,
    infrared: Path,
    out: Path,
    fuser: Fuser,
    *,
    memory: int,
    range: Range | None = None,
    infrared_color: Literal["refuse", "gray"] = "refuse",
    color: Literal["keep", "gray"] = "keep",
    device: str = "cpu",
    compressed: bool = True,
    show: Show | None = None,
    made: str = "",
) -> None:
    """Fuse two files into a tiled TIFF, with at most `memory` bytes on top of what the process holds already.

    Parameters
    ----------
    visible, infrared: TIFF files of one size. Other formats, and TIFF files that cannot be read in parts, are decoded
        whole if a quarter of `memory` each is enough for it.
    out: .tif or .tiff; it appears whole or not at all, with depth, ICC, EXIF and georeference of `visible`.
    range, infrared_color, color: as in `irvis.fuse`. Percentiles are those of the whole infrared picture, exactly.
    compressed: Deflate over differences, or nothing.
    show: called with (windows done, windows in all).
    made: what the file says of what made it (see `record`).

    Raises
    ------
    IrvisError: sizes differ, a file that cannot be read or written, a range is needed, too little memory.
    """
    if out.suffix.lower() not in (".tif", ".tiff"):
        raise IrvisError(
            f"{out}: pictures over the memory are written as TIFF; end the name in .tif or raise --memory."
        )
    if fuser.spec.scale != 1:
        raise IrvisError(f"{fuser.method.name} makes pictures of another size here and cannot be streamed.")
    sources = big.opened(visible, memory // 4), big.opened(infrared, memory // 4, counts=True)
    _refuse_other_size(*sources)
    missing = nodata_in(sources[0]) if sources[0].dtype != np.float32 else None
    meta, (gaps, told) = replace(sources[0].meta, nodata=missing), gaps_in(sources[1])
    if told:
        io._warn(f"{infrared}: {told}")
    scale = surveyed(sources[1], gaps, range, infrared_color)
    channels = 1 if color == "gray" or meta.gray else 3
    job = Job(fuser, replace(sources[0], meta=meta), sources[1], scale, gaps, channels, device)
    rows, columns = planned(job, memory)
    shape = tiled.Shape(
        height=sources[0].height, width=sources[0].width, channels=channels,
        dtype=np.dtype(np.uint8 if meta.depth == 8 else np.uint16),
    )  # fmt: skip
    levels = _levels(job, *_layout(job, rows, columns), show or (lambda done, total: None))
    shown = Shown(image=np.zeros((0, 0), np.float32), scale=scale).text
    tiled.write(out, levels, shape, replace(meta, shown=shown, made=made), compressed=compressed)


def _refuse_other_size(visible: big.Source, infrared: big.Source) -> None:
    if (visible.height, visible.width) != (infrared.height, infrared.width):
        raise IrvisError(
            f"{visible.path} is {visible.width}x{visible.height} and {infrared.path} is "
            f"{infrared.width}x{infrared.height}: align them first; pairs over the memory are not resized."
        )


# ----------------------------------------------------------------------------------------- windows


def _layout(job: Job, rows: int, columns: int) -> tuple[list[tiling.Span], list[tiling.Span]]:
    spec = job.fuser.spec
    if job.gaps is not None and spec.reach is not None:
        depth = depth_of(job.visible.height, job.visible.width)
        spec = replace(spec, reach=spec.reach + reach_of(depth), multiple=lcm(spec.multiple, CELL))
    return tiling.spans(job.visible.height, rows, spec), tiling.spans(job.visible.width, columns, spec)


def _levels(job: Job, rows: list[tiling.Span], columns: list[tiling.Span], show: Show) -> Iterator[io.Samples]:
    """The levels of the fused picture from top to bottom, a few rows at a time."""
    visible, infrared = big.Rows(job.visible), big.Rows(job.infrared)
    across, down = _total(columns, job.visible.width), _total(rows, job.visible.height)
    sums = torch.zeros(1, job.channels, max(row.kept.stop - row.kept.start for row in rows), job.visible.width)
    done, top = 0, 0
    for row, below in pairwise([*rows, None]):
        assert row is not None
        place = slice(row.kept.start - top, row.kept.stop - top)
        for column in columns:
            part = _window(job, visible.window(row.seen, column.seen), infrared.window(row.seen, column.seen))
            kept = part[..., _inside(row), _inside(column)]
            sums[..., place, column.kept] += kept * (row.weight[:, None] * column.weight)
            show(done := done + 1, len(rows) * len(columns))
        ready = below.kept.start if below else job.visible.height
        for start in range(top, ready, SLAB):
            stop = min(start + SLAB, ready)
            fused = sums[..., start - top : stop - top, :] / (down[start:stop, None] * across)
            yield _quantised(job, fused, visible, slice(start, stop))
        _shift(sums, ready - top)
        visible.forget(below.seen.start if below else ready)
        infrared.forget(below.seen.start if below else ready)
        give_back()
        top = ready


def _inside(span: tiling.Span) -> slice:
    """The kept lines, counted from the first seen one."""
    return slice(span.kept.start - span.seen.start, span.kept.stop - span.seen.start)


def _total(spans: list[tiling.Span], length: int) -> Tensor:
    """The weights of all windows of a side together."""
    total = torch.zeros(length)
    for span in spans:
        total[span.kept] += span.weight
    return total


def _shift(sums: Tensor, rows: int) -> None:
    """Rows up by so many; zeros follow. Row by row, as a copy of a band would take as much again."""
    height = sums.shape[-2]
    for row in range(height - rows):
        sums[..., row, :] = sums[..., row + rows, :]
    sums[..., max(height - rows, 0) :, :] = 0


def _window(job: Job, visible: io.Samples, infrared: io.Samples) -> Image:
    """Samples of a window to its fused picture, on the CPU."""
    of_visible, _ = io._visible(Raster(job.visible.path, visible, b"", b""))
    counts = marked(infrared, job.gaps)
    valid = None if job.gaps is None else tensor(np.isfinite(counts[..., :1])).to(job.device)
    of_infrared = gray(tensor(counts))
    of_infrared = of_infrared / 255 if job.scale is None else torch.from_numpy(scaled(of_infrared.numpy(), job.scale))
    rim = None if valid is None else rim_of(valid.float(), depth_of(job.visible.height, job.visible.width))
    fused = job.fuser(of_visible.to(job.device), of_infrared.to(job.device), rim).to("cpu", torch.float32)
    return gray(fused) if job.channels == 1 else fused


def _quantised(job: Job, fused: Image, visible: big.Rows, rows: slice) -> io.Samples:
    """Levels; where the visible picture holds no data they get its nodata value."""
    meta = job.visible.meta
    levels = _quantise(fused, meta.depth)
    if meta.nodata is None:
        return levels
    missing = (visible.window(rows, slice(0, job.visible.width)) == meta.nodata).all(axis=2)
    return _with_nodata(levels, replace(meta, missing=torch.from_numpy(missing)[None, None].float()))


# ---------------------------------------------------------------------------------------- the budget


def planned(job: Job, memory: int) -> tuple[int, int]:
    """Rows and columns that each window gives: what costs least time among what fits into `memory` bytes."""
    spec = job.fuser.spec
    side = min(PROBE, max(isqrt(memory // (2 * ASSUMED)), SIDES[0]))
    cost = MARGIN * probed(partial(_rehearse, job), job.device, side)
    largest = isqrt(spec.budget) if spec.budget else SIDES[-1]
    sides = [spec.window] if spec.window else [side for side in SIDES if side <= max(largest, SIDES[0])]
    choices = list(product(sides, sides))
    needs = {choice: _needed(job, *choice, cost) for choice in choices}
    if min(needs.values()) > memory:
        raise IrvisError(
            f"{job.visible.path}: {job.fuser.method.name} needs {ceil(min(needs.values()) / 1e6):,} MB for a picture "
            f"{job.visible.width} pixels wide, beside what Python takes: raise --memory."
        )
    return min((choice for choice in choices if needs[choice] <= memory), key=partial(_effort, job))


def _seen(job: Job, rows: int, columns: int) -> tuple[int, int]:
    """The largest window that the core is given."""
    down, across = (max(span.seen.stop - span.seen.start for span in spans) for spans in _layout(job, rows, columns))
    return down, across


def _effort(job: Job, choice: tuple[int, int]) -> int:
    """Pixels that go through the core; a window more costs about as much as 20,000 of them."""
    down, across = ([span.seen.stop - span.seen.start for span in spans] for spans in _layout(job, *choice))
    return sum(down) * sum(across) + 20_000 * len(down) * len(across)


def _needed(job: Job, rows: int, columns: int, cost: float) -> float:
    """Bytes at most: rows that are kept of both files, sums, levels on their way to the file, one window."""
    high, wide = _seen(job, rows, columns)
    sources = job.visible, job.infrared
    read = sum(source.held + source.row * (high + 2 * source.block) for source in sources)
    read += max(2 * source.row * source.block for source in sources)  # while it is decoded
    line = job.visible.width * job.channels
    sums = 4 * line * min(_up(rows, job.fuser.spec), job.visible.height)
    levels = line * (24 * SLAB + 4 * tiled.TILE * (job.visible.meta.depth // 8))
    return read + sums + levels + high * wide * cost + RESERVE


def _up(length: int, spec: Spec) -> int:
    return -(-length // spec.multiple) * spec.multiple


def _rehearse(job: Job, side: int) -> None:
    """One window of noise, made as the real ones are."""
    random = np.random.default_rng(0)
    noise = (
        random.integers(0, 2, (side, side, source.channels), np.uint8).astype(source.dtype)
        for source in (job.visible, job.infrared)
    )
    _window(job, *noise)
