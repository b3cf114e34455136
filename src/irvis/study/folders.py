"""Which results stand against each other: folders matched by stem, and looked at before anyone is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..data.matching import Match, natural
from ..errors import IrvisError
from ..evaluate.entries import stems
from ..io import READABLE
from ..io.big import size

LEAST = 2
"""Results of a pair without which there is nothing to compare."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One pair of images and what methods made of it."""

    name: str
    results: Mapping[str, Path]
    """Method → file."""
    sources: Match | None = None


def methods(folders: Sequence[str]) -> dict[str, Path]:
    """Name → folder; each is given as "DIR" or "NAME=DIR"."""
    found: dict[str, Path] = {}
    for text in folders:
        name, equals, place = text.partition("=")
        whole = not equals or Path(text).expanduser().is_dir()  # a folder's own name may hold "="
        folder = Path(text if whole else place).expanduser()
        if not folder.is_dir():
            raise IrvisError(f"{folder} is no folder; irvis study takes folders of results")
        name = folder.resolve().name if whole else name
        if name in found:
            raise IrvisError(f"two folders are called {name}: name them, as in first={found[name]} second={folder}")
        found[name] = folder.resolve()
    if len(found) < LEAST:
        raise IrvisError("a study compares the results of at least two methods: give two folders or more")
    return found


def pairs(folders: Mapping[str, Path], sources: Sequence[Match] = ()) -> list[Shown]:
    """Every pair that at least two folders have a result of, in natural order.

    sources: what the results were made of; only pairs among them take part then, and results are found by the names
    that `irvis evaluate` takes. Otherwise a pair is a stem, with its sub-folder.
    """
    there = {method: _files(folder) for method, folder in folders.items()}
    if sources:
        matches = {match.name: match for match in sources}
        names: Mapping[str, Sequence[str]] = stems(sources)
    else:
        matches, names = {}, {name: (name,) for files in there.values() for name in files}
    found = []
    for pair in sorted(names, key=natural):
        results = {
            method: next(files[name] for name in names[pair] if name in files)
            for method, files in there.items()
            if any(name in files for name in names[pair])
        }
        if len(results) >= LEAST:
            found.append(Shown(name=pair, results=results, sources=matches.get(pair)))
    _refuse_strangers(there, found)
    for one in found:
        _refuse_other_sizes(one)
    return found


def lacking(folders: Mapping[str, Path], found: Sequence[Shown]) -> list[str]:
    """One line per folder that lacks results of pairs that the others have."""
    gaps = {method: [one.name for one in found if method not in one.results] for method in folders}
    return [
        f"{method} has no result of {len(gap)} of {len(found)} pairs: {', '.join(gap[:5])}{' …' if gap[5:] else ''}"
        for method, gap in gaps.items()
        if gap
    ]


def digest(path: Path) -> str:
    """The sha256 of a result."""
    return sha256(path.read_bytes()).hexdigest()


def _files(folder: Path) -> dict[str, Path]:
    """Place below the folder, without suffix → image; hidden ones are left out."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if path.suffix.lower() not in READABLE or any(part[0] == "." for part in place.parts) or not path.is_file():
            continue
        name = place.with_suffix("").as_posix()
        if name in found:
            raise IrvisError(f"{folder} holds {found[name].name} and {path.name}: keep one of them")
        found[name] = path
    if not found:
        raise IrvisError(f"{folder} holds no image (looked for {' '.join(sorted(READABLE))})")
    return found


def _refuse_strangers(there: Mapping[str, Mapping[str, Path]], found: Sequence[Shown]) -> None:
    alone = [method for method in there if not any(method in one.results for one in found)]
    if alone:
        shown = "; ".join(f"{method}: {', '.join(list(there[method])[:3])}" for method in there)
        raise IrvisError(f"{', '.join(alone)} shares no pair with another folder; files match by stem ({shown})")


def _refuse_other_sizes(one: Shown) -> None:
    sizes = {method: size(path) for method, path in one.results.items()}
    (first, wanted), *rest = sizes.items()
    for method, found in rest:
        if sorted(found) != sorted(wanted):  # a photograph may be stored lying down
            raise IrvisError(
                f"{one.results[method]} is {found[1]}×{found[0]} and {one.results[first]} is {wanted[1]}×{wanted[0]}: "
                "the results of one pair have one size"
            )
