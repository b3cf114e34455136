"""A batch of pairs through one or several fusers: every failure is noted and the rest goes on."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from . import io
from .color import gray
from .data.matching import Match
from .errors import IrvisError
from .fuser import Fuser
from .thermal import Range
from .types import RGB, Meta


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How infrared files are taken."""

    range: Range | None = None
    color: Literal["refuse", "gray"] = "refuse"
    resize: bool = False


@dataclass(frozen=True, kw_only=True)
class Writing:
    """Where and how fused files are written."""

    out: Path
    format: str = "png"
    color: Literal["keep", "gray"] = "keep"
    if_exists: Literal["error", "skip", "overwrite"] = "error"
    quality: int = 95


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of one pair: `problem` is empty when all its files were written (or were there already)."""

    name: str
    files: tuple[Path, ...] = ()
    skipped: bool = False
    problem: str = ""
    notes: tuple[str, ...] = ()


def targets(pair: Match, methods: Sequence[str], writing: Writing, single: bool) -> dict[str, Path]:
    """The file of each method: OUT itself, OUT/NAME.png, or OUT/METHOD/NAME.png when there are several."""
    if single and len(methods) == 1 and writing.out.suffix.lower() in io.WRITABLE:
        return {methods[0]: writing.out}
    folders = {m: writing.out / m.replace(":", "-").replace("/", "_") for m in methods}
    if len(methods) == 1:
        folders = {methods[0]: writing.out}
    return {m: folder / f"{pair.name}.{writing.format}" for m, folder in folders.items()}


def refuse_existing(pairs: Sequence[Match], methods: Sequence[str], writing: Writing) -> None:
    """Before anything is done: with `if_exists="error"` no output may be there yet, and none may be an input."""
    inputs = {path.resolve() for pair in pairs for path in (pair.visible, pair.infrared)}
    for pair in pairs:
        for path in targets(pair, methods, writing, len(pairs) == 1).values():
            if path.resolve() in inputs:
                raise IrvisError(f"{path} is an input and would be overwritten; choose another --out")
            if writing.if_exists == "error" and path.exists():
                raise IrvisError(f"{path} exists; use --if-exists skip (to resume) or overwrite")


@torch.inference_mode()
def fuse_all(
    pairs: Sequence[Match],
    fusers: Mapping[str, Fuser],
    reading: Reading,
    writing: Writing,
    device: str = "cpu",
) -> Iterator[Done]:
    """Fuse pair after pair, yielding what became of each."""
    for pair in pairs:
        paths = targets(pair, list(fusers), writing, len(pairs) == 1)
        todo = {m: p for m, p in paths.items() if not (writing.if_exists == "skip" and io.is_complete(p))}
        if not todo:
            yield Done(name=pair.name, files=tuple(paths.values()), skipped=True)
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", io.IrvisWarning)
            try:
                _fuse_one(pair, {m: fusers[m] for m in todo}, todo, reading, writing, device)
                problem = ""
            except (IrvisError, OSError, RuntimeError, MemoryError) as error:
                problem = str(error).strip().split("\n")[0] or type(error).__name__
        notes = tuple(str(warning.message) for warning in caught)
        yield Done(name=pair.name, files=tuple(todo.values()), problem=problem, notes=notes)


def _fuse_one(
    match: Match,
    fusers: Mapping[str, Fuser],
    paths: Mapping[str, Path],
    reading: Reading,
    writing: Writing,
    device: str,
) -> None:
    pair = io.read_pair(
        match.visible,
        match.infrared,
        name=match.name,
        range=reading.range,
        color=reading.color,
        resize=reading.resize,
    )
    for method, fuser in fusers.items():
        fused = fuser(pair.visible.to(device), pair.infrared.to(device))
        write(paths[method], fused, pair.meta, writing)


def write(path: Path, fused: RGB, meta: Meta, writing: Writing) -> None:
    """Write a fused picture; one channel where gray was asked for or nothing has colour."""
    colorless = bool((fused == fused[:, :1]).all())
    image = gray(fused) if writing.color == "gray" or colorless else fused
    io.write(path, image, meta, quality=writing.quality)
