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
    one_file: bool = False
    """`out` is the file itself, not a folder."""
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


def targets(pair: Match, methods: Sequence[str], writing: Writing) -> dict[str, Path]:
    """The file of each method: OUT itself, OUT/NAME.png, or OUT/METHOD/NAME.png when there are several."""
    if writing.one_file:
        return {methods[0]: writing.out}
    name = Path(pair.name)
    if name.is_absolute() or ".." in name.parts:
        raise IrvisError(f"the pair {pair.name} would be written outside {writing.out}")
    folders = {m: writing.out / m.replace(":", "-").replace("/", "_") for m in methods}
    if len(methods) == 1:
        folders = {methods[0]: writing.out}
    return {m: folder / f"{pair.name}.{writing.format}" for m, folder in folders.items()}


def refuse(pairs: Sequence[Match], methods: Sequence[str], writing: Writing) -> None:
    """Before anything is done: OUT fits what is asked, no output is there yet (unless told), and none is an input."""
    suffix = writing.out.suffix.lower()
    if writing.one_file and len(methods) > 1:
        raise IrvisError(f"{writing.out} is one file and there are {len(methods)} methods: give a folder as --out")
    if writing.one_file and suffix not in io.WRITABLE:
        raise IrvisError(f"{writing.out}: irvis writes {' '.join(io.WRITABLE)}; end the name in one of these")
    if not writing.one_file and writing.out.is_file():
        raise IrvisError(f"{writing.out} is a file; give a folder as --out")
    inputs = {path.resolve() for pair in pairs for path in (pair.visible, pair.infrared)}
    for pair in pairs:
        for path in targets(pair, methods, writing).values():
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
        paths = targets(pair, list(fusers), writing)
        todo = {m: p for m, p in paths.items() if not (writing.if_exists == "skip" and io.is_complete(p))}
        if not todo:
            yield Done(name=pair.name, files=tuple(paths.values()), skipped=True)
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", io.IrvisWarning)
            try:
                _fuse_one(pair, {m: fusers[m] for m in todo}, todo, reading, writing, device)
                problem = ""
            except IrvisError as error:
                problem = str(error)
            except Exception as error:  # whatever it is, the other pairs are still to be done
                problem = f"{type(error).__name__}: {str(error).strip()}".split("\n")[0]
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
    """Write a fused picture; one channel where gray was asked for or the visible file had one."""
    image = gray(fused) if writing.color == "gray" or meta.gray else fused
    io.write(path, image, meta, quality=writing.quality)
