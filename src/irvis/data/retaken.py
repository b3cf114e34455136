"""Would the next run of the same command take what this one writes for its inputs?"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from ..errors import IrvisError
from ..io import READABLE
from .matching import INFRARED_FOLDERS, VISIBLE_FOLDERS, Match, fixed_part, is_starred, stem_expression


def refuse_retaken(
    outputs: Iterable[Path],
    pairs: Sequence[Match],
    visible: str | Path,
    infrared: str | Path | None,
    patterns: tuple[str, str] | None,
) -> None:
    """Raises IrvisError where an output would be found as an input, as `matching.match` looks for them.

    `outputs`: what is to be written; pairs: what was found for `visible`, `infrared` and `patterns`.
    """
    given = [Path(place).expanduser() for place in (visible, infrared) if place is not None]
    if given[0].is_file() or all(pair.visible == pair.infrared for pair in pairs):
        return  # files are a pair as they are; results hold no record of a camera
    folders = {root.resolve() for pair in pairs for root in _roots(pair)} if given[0].is_dir() else set()
    globs = [] if given[0].is_dir() else [(fixed_part(place).resolve(), place) for place in given]
    for path in outputs:
        if path.suffix.lower() not in READABLE:
            continue
        if any(_in_folder(path, root, patterns) for root in folders) or any(_in_glob(path, *one) for one in globs):
            raise IrvisError(
                f"{path} would lie among the inputs, and the next run would take it for one: choose another --out"
            )
        if infrared is None and given[0].is_dir() and patterns is None and _names_a_side(path, given[0].resolve()):
            raise IrvisError(
                f"{path} would lie in a folder of {given[0]} whose name says that it holds inputs: choose another --out"
            )


def _roots(pair: Match) -> tuple[Path, Path]:
    """The folders that the pair's name counts from."""
    above = len(Path(pair.name).parts) - 1
    return pair.visible.parents[above], pair.infrared.parents[above]


def _in_folder(path: Path, root: Path, patterns: tuple[str, str] | None) -> bool:
    if not _is_seen_below(path, root):
        return False
    return patterns is None or any(stem_expression(pattern).fullmatch(path.stem) for pattern in patterns)


def _in_glob(path: Path, root: Path, place: Path) -> bool:
    if not _is_seen_below(path, root):
        return False
    pattern = Path(*place.parts[len(fixed_part(place).parts) :])
    return fnmatch(path.name, pattern.name) and is_starred(path.relative_to(root), str(pattern))


def _is_seen_below(path: Path, root: Path) -> bool:
    return path.is_relative_to(root) and not any(part[0] == "." for part in path.relative_to(root).parts)


def _names_a_side(path: Path, root: Path) -> bool:
    names = path.relative_to(root).parts[:-1][:2] if path.is_relative_to(root) else ()
    return any(name.lower() in (*VISIBLE_FOLDERS, *INFRARED_FOLDERS) for name in names)
