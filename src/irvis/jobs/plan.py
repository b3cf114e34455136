"""What is asked of a batch of pairs, what became of each, and which file belongs to which."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .. import io
from ..data.matching import Match
from ..errors import IrvisError
from ..thermal import Drawing, Range, Sensing
from .temperatures import sidecars


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How infrared files are taken."""

    range: Range | None = None
    color: Literal["refuse", "gray"] = "refuse"
    resize: bool = False
    sensing: Sensing = field(default_factory=Sensing)
    laying: io.Laying | None = None
    """Where infrared is put; None: pairs are registered."""
    watched: frozenset[str] = frozenset()
    """Names of pairs that are looked at for misalignment."""


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
    drawing: Drawing = field(default_factory=Drawing)
    """What is made of the temperatures; needs `Sensing.keep`."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What became of one pair: `problem` is empty when all its files were written (or were there already)."""

    name: str
    files: tuple[Path, ...] = ()
    skipped: bool = False
    problem: str = ""
    notes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    """How it was aligned, and temperatures that were asked for."""


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


def _written(pair: Match, methods: Sequence[str], writing: Writing) -> list[Path]:
    fused = list(targets(pair, methods, writing).values())
    return fused + [path for one in fused for path in (sidecars(one) if writing.drawing.sidecar else ())]


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
        for path in _written(pair, methods, writing):
            if path.resolve() in inputs:
                raise IrvisError(f"{path} is an input and would be overwritten; choose another --out")
            if writing.if_exists == "error" and path.exists():
                raise IrvisError(f"{path} exists; use --if-exists skip (to resume) or overwrite")
