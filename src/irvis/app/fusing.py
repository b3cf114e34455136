"""Fuse what was taken in, by the same jobs as the command line: its files are the ones a visitor takes away."""

import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from .. import creation, io, jobs
from ..align import Aligner, misalignment
from ..align.warp import Placement
from ..color import luma
from ..data.matching import Match
from ..errors import IrvisError, RangeNeededError
from ..files import method_name
from ..io.registration import Laying
from ..types import RGB, Pair, Scaled
from .names import safe
from .request import Request, command
from .uploads import Taken

AUTOMATIC = "1%,99%"
"""The range of files that need one, where none is chosen."""

Tell = Callable[[float, str], None]
"""Share done in [0, 1], and what is done now."""


@dataclass(frozen=True, kw_only=True)
class Fused:
    """What became of a visitor's files; pictures are read again when they are shown or judged."""

    folder: Path
    taken: Taken
    request: Request
    reading: jobs.Reading
    """How a pair is read once more, to be shown or judged."""
    files: Mapping[str, Mapping[str, Path]]
    """Name of a pair → method → its fused file, of those that succeeded."""
    downloads: tuple[Path, ...]
    seconds: Mapping[str, float]
    """Method → seconds for all pairs: read, fused, written."""
    commands: tuple[str, ...]
    notes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    shift: tuple[float, float] | None = None
    """Pixels by which infrared seems to be off; None: it fits, or nothing can be said."""
    number: int = 0
    """Of the first pair that could be read,"""
    first: Pair | None = field(default=None, repr=False, compare=False)
    """and that pair, while the request lasts."""


def fuse(taken: Taken, request: Request, folder: Path, device: str, tell: Tell) -> Fused:
    """Fuse all pairs by all methods into `folder`; an IrvisError where nothing came out."""
    remembered = None if taken.several else _remembered(request)
    tell(0.0, "reading and aligning" if request.options.align.align else "reading")
    with io.noting() as notes:
        number, pair, request = _first_look(taken, request, remembered)
    seen, request = request.options.reading(remembered), request.plain()
    files: dict[str, dict[str, Path]] = {match.name: {} for match in taken.pairs}
    seconds, outcomes, commands = dict[str, float](), list[jobs.Done](), list[str]()
    for count, method in enumerate(request.methods):
        out = _target(folder, taken, request, method)
        begun, part = time.perf_counter(), partial(part_of, tell, count, len(request.methods))
        for done in _by(method, taken, request, remembered, out, device, part):
            outcomes.append(done)
            files[done.name] |= {} if done.problem else {method: done.files[0]}
        seconds[method] = time.perf_counter() - begun
        commands.append(command(request, taken.words, method, str(out.relative_to(folder)), taken.several))
    problems = list(dict.fromkeys(f"{done.name}: {done.problem}" for done in outcomes if done.problem))
    if not any(files.values()):
        raise IrvisError(problems[0].removeprefix(f"{outcomes[0].name}: "))
    notes += [note for done in outcomes for note in done.notes]
    return Fused(
        folder=folder, taken=taken, request=request, reading=seen, files=files,
        downloads=_downloads(folder, taken, files), seconds=seconds, commands=tuple(commands),
        notes=tuple(dict.fromkeys([*notes, *problems, *_alone(taken)])),
        told=tuple(dict.fromkeys(text for done in outcomes for text in done.told)),
        shift=_shift(taken.pairs[number], pair, request), number=number, first=pair,
    )  # fmt: skip


def _by(
    method: str, taken: Taken, request: Request, where: "Remembered | None", out: Path, device: str, tell: Tell
) -> Iterator[jobs.Done]:  # fmt: skip
    """One method over all pairs."""
    fuser = creation.fuser(method, device)
    writing = request.options.writing(out, not taken.several)
    with closing(jobs.fuse_all(taken.pairs, {method: fuser}, request.options.reading(where), writing, device)) as steps:
        for count, done in enumerate(steps):
            tell((count + 1) / len(taken.pairs), method)
            yield done


def part_of(tell: Tell, number: int, count: int, share: float, text: str) -> None:
    """Of `count` equal parts, the share done of part `number`."""
    tell((number + share) / count, text)


def _shift(match: Match, pair: Pair, request: Request) -> tuple[float, float] | None:
    """Only where the pair is said to fit."""
    if request.options.align.align or request.options.infrared.resize_infrared or match.visible == match.infrared:
        return None
    return misalignment(luma(pair.visible), pair.infrared)


@dataclass(frozen=True, kw_only=True)
class Remembered(Aligner):
    """The aligner of a pair, asked once: every method, the picture on the page and the metrics use one placement."""

    placements: list[Placement] = field(default_factory=list, init=False, repr=False, compare=False)

    def __call__(self, visible: RGB, infrared: Scaled, focal: float | None = None) -> Placement:
        if not self.placements:
            self.placements.append(super().__call__(visible, infrared, focal))
        return self.placements[0]


def _remembered(request: Request) -> Remembered:
    """What the command line would align by."""
    align = request.options.align
    return Remembered(model=align.align_model, refine=align.align, flow=align.align_flow)


def _first_look(taken: Taken, request: Request, where: Remembered | None) -> tuple[int, Pair, Request]:
    """The first pair that can be read, its number, and the request, with a range where its file needs one."""
    problem: IrvisError | None = None
    for number, match in enumerate(taken.pairs):
        for one in (request, request.with_range(AUTOMATIC)):
            try:
                return number, read(match, one.options.reading(where)), one
            except IrvisError as found:
                problem = problem or found
                if not isinstance(found, RangeNeededError):
                    break
    raise problem or IrvisError("there are no pairs.")


def read(match: Match, reading: jobs.Reading) -> Pair:
    """A pair as the jobs read it, with its temperatures."""
    sensing = replace(reading.sensing, keep=True)
    laying: Laying | None = reading.laying
    return io.read_pair(
        match.visible, match.infrared, name=match.name, range=reading.range, color=reading.color,
        resize=reading.resize, sensing=sensing, laying=laying,
    )  # fmt: skip


def _target(folder: Path, taken: Taken, request: Request, method: str) -> Path:
    """The fused file of a pair, or the folder of fused files."""
    short = safe(method_name(method))
    if taken.several:
        return folder / "fused" / short
    stem = Path(taken.words[0]).stem
    return folder / f"{stem}-{short}.{request.format}"


def _downloads(folder: Path, taken: Taken, files: Mapping[str, Mapping[str, Path]]) -> tuple[Path, ...]:
    """What is offered to take away: the files of one pair, or a ZIP of all."""
    if not taken.several:
        fused = [path for methods in files.values() for path in methods.values()]
        kinds = ("*.celsius.tiff", "*.explain.png")
        beside = [path for kind in kinds for path in sorted(folder.glob(kind)) if path not in fused]
        return (*fused, *beside)
    archive = folder / "fused.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for path in sorted((folder / "fused").rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder))
    return (archive,)


def _alone(taken: Taken) -> list[str]:
    """Files of a ZIP that have no partner."""
    sides = (("visible", taken.matches.only_visible), ("infrared", taken.matches.only_infrared))
    return [f"no partner for {side} {', '.join(path.name for path in alone[:5])}" for side, alone in sides if alone]
