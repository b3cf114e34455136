"""What is asked of a batch of pairs, what became of each, and which file belongs to which."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from .. import io
from ..data.matching import Match
from ..errors import IrvisError
from ..files import method_name
from ..fuser import Fuser
from ..record import Record, different, made_by, of_inputs
from ..thermal import Drawing, Range, Sensing
from .temperatures import sidecars, whole

LOSSY = (".jpg", ".jpeg", ".webp")
ADVICE = "choose another --out, or --if-exists overwrite"


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
    explain: bool = False
    """Whether a picture beside each fused file shows what came from either camera."""
    sheet: bool = False
    """Whether a picture shows both images of a pair and all its results side by side."""


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
    folders = {m: writing.out / method_name(m) for m in methods}
    if len(methods) == 1:
        folders = {methods[0]: writing.out}
    return {m: folder / f"{pair.name}.{writing.format}" for m, folder in folders.items()}


def outputs(pairs: Sequence[Match], methods: Sequence[str], writing: Writing) -> Iterator[Path]:
    """Every fused file, its explanation and the sheet of its pair, without links in its folders."""
    resolved = replace(writing, out=writing.out.resolve())
    for pair in pairs:
        fused = targets(pair, methods, resolved).values()
        yield from (path for one in fused for path in (one, *explanations(one, writing)))
        yield from sheets(pair, resolved)


def explanations(path: Path, writing: Writing) -> tuple[Path, ...]:
    """The picture beside a fused file that says where it comes from; none where it was not asked for."""
    return (path.with_name(f"{path.stem}.explain.png"),) if writing.explain else ()


def sheets(pair: Match, writing: Writing) -> tuple[Path, ...]:
    """The picture of a pair and all its results side by side; none where it was not asked for."""
    if not writing.sheet:
        return ()
    if writing.one_file:
        return (writing.out.with_name(f"{writing.out.stem}.sheet.png"),)
    return (writing.out / f"{pair.name}.sheet.png",)


def _written(pair: Match, methods: Sequence[str], writing: Writing) -> list[Path]:
    fused = list(targets(pair, methods, writing).values())
    maps = [path for one in fused for path in (sidecars(one) if writing.drawing.sidecar else ())]
    explained = [path for one in fused for path in explanations(one, writing)]
    return [*fused, *maps, *explained, *sheets(pair, writing)]


def refuse(pairs: Sequence[Match], methods: Sequence[str], writing: Writing) -> None:
    """Before anything is done: OUT fits what is asked, no output is there yet (unless told), and none is an input."""
    suffix = writing.out.suffix.lower()
    if writing.one_file and len(methods) > 1:
        raise IrvisError(f"{writing.out} is one file and there are {len(methods)} methods: give a folder as --out")
    if writing.one_file and suffix not in io.WRITABLE:
        raise IrvisError(f"{writing.out}: irvis writes {' '.join(io.WRITABLE)}; end the name in one of these")
    if not writing.one_file and writing.out.is_file():
        raise IrvisError(f"{writing.out} is a file; give a folder as --out")
    names: dict[str, str] = {}
    for method in methods:
        if (other := names.setdefault(method_name(method), method)) != method and not writing.one_file:
            raise IrvisError(f"{other} and {method} would both be written to {method_name(method)}: fuse them apart")
    inputs = {path.resolve() for pair in pairs for path in (pair.visible, pair.infrared)}
    for pair in pairs:
        for path in _written(pair, methods, writing):
            if path.resolve() in inputs:
                raise IrvisError(f"{path} is an input and would be overwritten; choose another --out")
            if writing.if_exists == "error" and path.exists():
                raise IrvisError(f"{path} exists; use --if-exists skip (to resume) or overwrite")


def record_of(fuser: Fuser, reading: Reading, writing: Writing) -> Record:
    """What makes the files of a fuser, but for their inputs; each file says it and is kept by what it says."""
    suffix = writing.out.suffix.lower() if writing.one_file else f".{writing.format}"
    return made_by(
        fuser,
        reading=replace(reading, watched=frozenset()),
        color="" if writing.color == "keep" else writing.color,
        quality=writing.quality if suffix in LOSSY else None,
        drawing=replace(writing.drawing, sidecar=False),
    )


def of_pair(record: Record, pair: Match) -> Record:
    """The record of one file."""
    return of_inputs(record, *(path.stat().st_size for path in (pair.visible, pair.infrared)))


def is_kept(path: Path, pair: Match, record: Record, writing: Writing) -> bool:
    """Whether a resumed run keeps a file: it is whole and made as now; an IrvisError where it was made otherwise."""
    beside = explanations(path, writing)
    if writing.if_exists != "skip" or not whole(path, writing.drawing) or not all(map(io.is_complete, beside)):
        return False
    if other := different(io.read_made(path), of_pair(record, pair)):
        raise IrvisError(f"{path} {other}: {ADVICE}")
    return True


def refuse_others(pairs: Sequence[Match], fusers: Mapping[str, Fuser], reading: Reading, writing: Writing) -> None:
    """Before a run that resumes does anything: what is there was made as this run would make it. Reads no pixels."""
    if writing.if_exists != "skip":
        return
    records = {method: record_of(fuser, reading, writing) for method, fuser in fusers.items()}
    found = [one for pair in pairs for one in _others(pair, records, writing)]
    if found:
        more = f" (and {len(found) - 1} more like it)" if len(found) > 1 else ""
        raise IrvisError(f"{found[0]}{more}: {ADVICE}")


def _others(pair: Match, records: Mapping[str, Record], writing: Writing) -> Iterator[str]:
    for method, path in targets(pair, list(records), writing).items():
        with suppress(IrvisError, OSError):  # a half, or an input that is not there: told on its turn
            if path.is_file() and (other := different(io.read_made(path), of_pair(records[method], pair))):
                yield f"{path} {other}"
