"""Which pairs an archive holds, one folder after the other: only the folder at hand is in memory.

The rules are those of `irvis.data.matching`: a pair is called by its place below the folder given, and a pair lies
in the same sub-folder of both sides. So each sub-folder can be matched alone.
"""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..data import matching
from ..data.matching import HELP, INFRARED_FOLDERS, VISIBLE_FOLDERS, Match, Matches, Namer
from ..errors import IrvisError
from ..io import READABLE
from . import storage
from .storage import Place


@dataclass(frozen=True)
class Source:
    """The two sides of an archive, and how their files are named."""

    visible: Place
    infrared: Place
    namers: tuple[Namer, Namer]


@dataclass(frozen=True)
class Folder:
    """The pairs of one sub-folder, in natural order; their paths lie below the source. `problem`: none, and why."""

    name: str
    matches: Matches
    problem: str = ""


def source(visible: str, infrared: str | None = None, patterns: tuple[str, str] | None = None) -> Source:
    """Two folders, or one that holds both, as sub-folders with names that say so or by patterns.

    Raises IrvisError where a folder is not there or more than one reading is possible.
    """
    first = storage.place(visible)
    second = first if infrared is None else storage.place(infrared)
    for side in (first, second):
        _refuse_no_folder(side)
    if infrared is None and (inside := _inside(first, required=patterns is None)):
        first, second = inside
    same = first == second
    if same and patterns is None:
        raise IrvisError(f"{first.url} is given for both sides: say which file is which with {HELP}.")
    root = Path()
    if patterns is None:
        return Source(first, second, (matching._stem_namer(root), matching._stem_namer(root)))
    return Source(first, second, matching._pattern_namers(patterns, (root, root), same))


def folders(of: Source) -> Iterator[Folder]:
    """Every sub-folder of either side, matched; a folder before those in it, names in natural order.

    The folder after the one at hand is listed meanwhile.
    """
    found = _folders(of)
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, found, None)
        while (folder := following.result()) is not None:
            following = pool.submit(next, found, None)
            yield folder


def _folders(of: Source) -> Iterator[Folder]:
    waiting = [""]
    while waiting:
        name = waiting.pop()
        try:
            found = [storage.entries(side, name) for side in dict.fromkeys((of.visible, of.infrared))]
        except OSError as problem:
            yield Folder(name, Matches(()), f"the folder cannot be listed: {problem.strerror or problem}")
            continue
        below = {folder for entries in found if entries for folder in entries.folders}
        waiting += [str(Path(name, folder)) for folder in sorted(below, key=matching.natural, reverse=True)]
        files = [_images(name, entries.files if entries else {}) for entries in found]
        sides = [files[0], files[-1]]
        if not any(sides):
            continue
        try:
            yield Folder(name, _matched(sides, of))
        except IrvisError as problem:
            yield Folder(name, Matches(()), str(problem))


def _matched(sides: Sequence[Sequence[Path]], of: Source) -> Matches:
    visible, infrared = (matching._named(side, namer) for side, namer in zip(sides, of.namers, strict=True))
    shared = sorted(visible.keys() & infrared.keys(), key=matching.natural)
    pairs = tuple(Match(name, visible[name], infrared[name]) for name in shared)
    used = {pair.visible for pair in pairs}, {pair.infrared for pair in pairs}
    alone = [tuple(path for path in side if path not in taken) for side, taken in zip(sides, used, strict=True)]
    matches = Matches(pairs, *alone)
    return matching._without_strangers(matches, of.namers) if of.visible == of.infrared else matches


def _images(folder: str, names: dict[str, int]) -> list[Path]:
    readable = (name for name in names if Path(name).suffix.lower() in READABLE)
    return [Path(folder, name) for name in sorted(readable, key=matching.natural)]


def _refuse_no_folder(side: Place) -> None:
    if matching.WILD.search(side.url):
        raise IrvisError(f"{side.url}: with --ray give folders, and {HELP} where stems differ; a glob is one long list")
    try:
        found = storage.entries(side)
    except OSError as problem:
        raise IrvisError(f"{side.url} cannot be listed: {problem.strerror or problem}") from problem
    if found is None:
        raise IrvisError(f"{side.url}: no such folder (--ray takes folders, no single files).")


def _inside(root: Place, required: bool) -> tuple[Place, Place] | None:
    """The visible and the infrared sub-folder of `root`, or of the one sub-folder that has both."""
    first = storage.entries(root) or storage.Entries({})
    found = list(_sides("", first.folders))
    if not found:
        below = ((name, storage.entries(root, name)) for name in sorted(first.folders))
        found = [pair for name, entries in below if entries for pair in _sides(name, entries.folders)]
    if len(found) > 1:
        names = ", ".join(f"{visible} + {infrared}" for visible, infrared in found)
        raise IrvisError(f"{root.url} holds several pairs of folders ({names}): give the two you mean.")
    if not found and required:
        raise IrvisError(
            f"{root.url} has no visible and infrared sub-folder (such as vi and ir): give both folders, "
            f"or {HELP} when the files of both lie in it."
        )
    return (Place(root.of(found[0][0])), Place(root.of(found[0][1]))) if found else None


def _sides(parent: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    sides = [[name for name in names if name.lower() in known] for known in (VISIBLE_FOLDERS, INFRARED_FOLDERS)]
    for visible, infrared in itertools.product(*sides):
        yield str(Path(parent, visible)), str(Path(parent, infrared))
