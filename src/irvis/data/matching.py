"""Which files form pairs: by name only, no image is opened.

A pair's name is its visible file's place below the folder given, without the suffix (`night/img2`). Where
patterns or globs make the pair, it is the text that {id} or the * stood for.
"""

import itertools
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from irvis.errors import IrvisError, SidesUnknownError
from irvis.io import FRAMES, READABLE

VISIBLE_FOLDERS = ("vi", "vis", "visible", "visual", "rgb", "eo", "color", "colour")
INFRARED_FOLDERS = ("ir", "inf", "infrared", "thermal", "lwir", "mwir", "tir", "flir")
"""Names of sub-folders that say what they hold; upper and lower case are the same."""

HELP = '--match "{id}_W" "{id}_T"'

WILD = re.compile(r"[*?[]")

_DRONE = re.compile(r"(DJI_(?:.*_)?\d{4})_([TWVZ])", re.IGNORECASE)
"""Stems of DJI cameras: thermal, wide, visible, zoom."""

Namer = Callable[[Path], str | None]
"""What a file is called in its pair; None = it belongs to none."""


@dataclass(frozen=True)
class Match:
    """One pair of files."""

    name: str
    visible: Path
    infrared: Path


@dataclass(frozen=True)
class Matches:
    """Every pair, and what stayed alone; all in natural order (img2 before img10)."""

    pairs: tuple[Match, ...]
    only_visible: tuple[Path, ...] = ()
    only_infrared: tuple[Path, ...] = ()


def told_by_folder(path: Path) -> str:
    """What the nearest folder with a telling name says that it holds: visible, infrared or nothing."""
    for folder in path.parents:
        if folder.name.lower() in VISIBLE_FOLDERS:
            return "visible"
        if folder.name.lower() in INFRARED_FOLDERS:
            return "infrared"
    return ""


def match(
    visible: str | Path,
    infrared: str | Path | None = None,
    *,
    patterns: tuple[str, str] | None = None,
    recursive: bool = True,
    both: Callable[[Path], bool] | None = None,
) -> Matches:
    """Pair two files, two folders, two quoted globs, or what one folder (or one glob) holds.

    `patterns` ("{id}_W", "{id}_T") are for stems that differ: the same {id} makes a pair, and both files may
    lie in one folder, where files that fit neither pattern are left out. Sub-folders take part unless
    `recursive` is False: a pair then lies in the same sub-folder of both sides.
    `both` tells whether a file may hold both images: such files are pairs by themselves where no infrared side is
    given and none is found. Only then a file is opened.
    Raises IrvisError when nothing is there, nothing matches, or more than one reading is possible.
    """
    first = Path(visible).expanduser()
    second = first if infrared is None else Path(infrared).expanduser()
    kind = _kind(first)
    if kind != _kind(second):
        raise IrvisError(f"{first} is a {kind} but {second} is a {_kind(second)}: give two of a kind.")
    if kind == "file":
        return _two_files(first, second, infrared is None and not (both and both(first)), patterns)
    if infrared is None and patterns is None and (drone := _by_drone_names(first, recursive)):
        return drone
    if infrared is None and both and patterns is None and (alone := _by_themselves(first, recursive, both)):
        return alone
    if kind == "folder" and infrared is None and (inside := _folders_inside(first, patterns is None)):
        first, second = inside
    same = first == second or (kind == "folder" and first.samefile(second))
    if same and patterns is None:
        raise SidesUnknownError(f"{first} is given for both sides: say which file is which with {HELP}.")
    if kind == "glob" and patterns is None:
        return _two_globs(first, second)
    roots = (first, second) if kind == "folder" else (None, None)
    namers = _pattern_namers(patterns, roots, same) if patterns else tuple(map(_stem_namer, roots))
    sides = [_images(first, recursive), _images(second, recursive, (*READABLE, *FRAMES))]
    matches = _join(sides, [_named(side, namer) for side, namer in zip(sides, namers, strict=True)])
    return _without_strangers(matches, namers) if same else matches


def match_starred(root: Path, globs: Sequence[tuple[str, str]]) -> Matches:
    """Pair files whose wildcards stand for the same text, over several pairs of globs below `root`."""
    named: list[list[tuple[Path, str | None]]] = [[], []]
    for pair in globs:
        for side, pattern in zip(named, pair, strict=True):
            side.extend((path, _star_name(path.relative_to(root), pattern)) for path in _glob(root, pattern))
    sides = [list(dict.fromkeys(path for path, _ in side)) for side in named]
    return _join(sides, [_unique(side) for side in named])


def split_by_scene(names: Iterable[str], share: float) -> tuple[list[str], list[str]]:
    """(train, validation): validation is the last `share` (between 0 and 1) of the names in natural order.

    Neighbouring frames show the same scene: a random split would validate on scenes that were trained on.
    From two names on, both lists hold at least one; a single name goes to train.
    """
    ordered = sorted(names, key=natural)
    if not 0 < share < 1:
        raise IrvisError(f"The share kept for validation must lie between 0 and 1, not {share}.")
    if twice := [a for a, b in itertools.pairwise(ordered) if a == b]:
        raise IrvisError(f"{twice[0]} is named twice and could fall on both sides of the split.")
    kept = max(min(max(round(len(ordered) * share), 1), len(ordered) - 1), 0)
    border = len(ordered) - kept
    return ordered[:border], ordered[border:]


def natural(name: str) -> tuple[list[str | int], str]:
    """Sort key in which numbers count as numbers: img2 before img10."""
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def _kind(place: Path) -> str:
    if place.is_dir():
        return "folder"
    if place.is_file():
        return "file"
    if WILD.search(str(place)):
        if any("**" in part and part != "**" for part in place.parts):
            raise IrvisError(f"{place}: ** must stand alone between slashes, as in **/*.png.")
        return "glob"
    raise IrvisError(f"{place}: no such file or folder.")


def _two_files(first: Path, second: Path, alone: bool, patterns: tuple[str, str] | None) -> Matches:
    if alone:
        raise IrvisError(f"{first} is one file: give its infrared file too.")
    if patterns:
        raise IrvisError("--match is for folders and globs: two files are a pair as they are.")
    return Matches((Match(first.stem, first, second),))


def _by_themselves(place: Path, recursive: bool, both: Callable[[Path], bool]) -> Matches | None:
    """The files that hold both images; None if there are none, or a folder has a visible and an infrared sub-folder."""
    if place.is_dir() and any(_named_folders(parent) for parent in (place, *_subfolders(place))):
        return None
    paths = [path for path in _images(place, recursive, (*READABLE, *FRAMES)) if both(path)]
    root = place if place.is_dir() else None
    return Matches(tuple(Match(_stem_namer(root)(path) or path.stem, path, path) for path in paths)) if paths else None


def _by_drone_names(place: Path, recursive: bool) -> Matches | None:
    """Pairs of a DJI drone's folder: NAME_T beside NAME_W, _V or else _Z; None where there is none."""
    if not place.is_dir():
        return None
    shots: dict[str, dict[str, Path]] = {}
    for path in _glob(place, "**/*" if recursive else "*"):
        if found := _DRONE.fullmatch(path.stem):
            shots.setdefault(_place(path, place, found[1]), {})[found[2].upper()] = path
    shown = {name: [shot[kind] for kind in "WVZ" if kind in shot] for name, shot in shots.items()}
    visible = {name: paths[0] for name, paths in shown.items() if paths}
    infrared = {name: shot["T"] for name, shot in shots.items() if "T" in shot}
    if not visible.keys() & infrared.keys():
        return None
    return _join((list(visible.values()), list(infrared.values())), (visible, infrared))


def _two_globs(first: Path, second: Path) -> Matches:
    """By stem where stems are unique and some agree, else by the text that the wildcards stood for."""
    paths = [_images(first), _images(second, suffixes=(*READABLE, *FRAMES))]
    stems = [[path.stem for path in side] for side in paths]
    if all(len(side) == len(set(side)) for side in stems) and set(stems[0]) & set(stems[1]):
        return _join(paths, [_named(side, _stem_namer(None)) for side in paths])
    places = zip(paths, (first, second), strict=True)
    named = [[(path, _star_name(path, str(place))) for path in side] for side, place in places]
    return _join(paths, [_unique(side) for side in named])


def _without_strangers(matches: Matches, namers: Sequence[Namer]) -> Matches:
    """In one folder, a file that fits neither pattern stayed alone on neither side."""
    visible = tuple(path for path in matches.only_visible if namers[0](path) is not None)
    infrared = tuple(path for path in matches.only_infrared if namers[1](path) is not None)
    return Matches(matches.pairs, visible, infrared)


def _images(place: Path, recursive: bool = True, suffixes: Sequence[str] = READABLE) -> list[Path]:
    """The readable files of a folder or glob; never an empty list."""
    if place.is_dir():
        images = _glob(place, "**/*" if recursive else "*", suffixes)
    else:
        fixed = fixed_part(place)
        images = _glob(fixed, str(Path(*place.parts[len(fixed.parts) :])), suffixes)
    if place.is_dir() and not os.access(place, os.R_OK | os.X_OK):
        raise IrvisError(f"{place} cannot be opened: you have no permission to read it.")
    if not images:
        raise IrvisError(f"{place}: no image there (looked for {' '.join(sorted(suffixes))}).")
    return images


def fixed_part(place: Path) -> Path:
    """The folder of a glob before its first wildcard."""
    return Path(*itertools.takewhile(lambda part: not WILD.search(part), place.parts))


def _glob(root: Path, pattern: str, suffixes: Sequence[str] = READABLE) -> list[Path]:
    """The readable files below `root` that fit, in natural order; what is hidden below it is left out."""
    found = (path for path in root.glob(pattern) if path.suffix.lower() in suffixes and path.is_file())
    shown = (path for path in found if not any(part[0] == "." for part in path.relative_to(root).parts))
    return sorted(shown, key=lambda path: natural(path.as_posix()))


def _folders_inside(root: Path, required: bool) -> tuple[Path, Path] | None:
    """The visible and the infrared sub-folder of `root`, or of the one sub-folder that has both."""
    for parents in ([root], _subfolders(root)):
        found = [pair for parent in parents for pair in _named_folders(parent)]
        if len(found) > 1:
            names = ", ".join(f"{a.relative_to(root)} + {b.relative_to(root)}" for a, b in found)
            raise IrvisError(f"{root} holds several pairs of folders ({names}): give the two you mean.")
        if found:
            return found[0]
    if not required:
        return None
    raise SidesUnknownError(
        f"{root} has no visible and infrared sub-folder (such as vi and ir): give both folders, "
        f"or {HELP} when the files of both lie in it."
    )


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _named_folders(folder: Path) -> list[tuple[Path, Path]]:
    below = _subfolders(folder)
    visible = [path for path in below if path.name.lower() in VISIBLE_FOLDERS]
    infrared = [path for path in below if path.name.lower() in INFRARED_FOLDERS]
    return list(itertools.product(visible, infrared))


def _place(path: Path, root: Path | None, name: str) -> str:
    """`name` behind the sub-folder of `root` that the file lies in."""
    return name if root is None else (path.relative_to(root).parent / name).as_posix()


def _stem_namer(root: Path | None) -> Namer:
    return lambda path: _place(path, root, path.stem)


def _pattern_namers(
    patterns: tuple[str, str], roots: tuple[Path | None, Path | None], same: bool
) -> tuple[Namer, Namer]:
    """By {id}. In one folder a file that fits both patterns belongs to the longer one: {id}_T before {id}."""
    first, second = (stem_expression(pattern) for pattern in patterns)
    if same and patterns[0] == patterns[1]:
        raise IrvisError(f'Both patterns are "{patterns[0]}": in one folder they must differ.')

    def namer(mine: re.Pattern[str], other: re.Pattern[str], root: Path | None) -> Namer:
        def name(path: Path) -> str | None:
            found = mine.fullmatch(path.stem)
            if found is None:
                return None
            if same and other.fullmatch(path.stem):
                if len(mine.pattern) == len(other.pattern):
                    raise IrvisError(f'{path.name} fits both "{patterns[0]}" and "{patterns[1]}".')
                if len(mine.pattern) < len(other.pattern):
                    return None
            return _place(path, root, found[1])

        return name

    return namer(first, second, roots[0]), namer(second, first, roots[1])


def stem_expression(pattern: str) -> re.Pattern[str]:
    """What the stems of a pattern such as "{id}_W" or "video-A-{id}-*" look like; * is any text."""
    if pattern.count("{id}") != 1:
        raise IrvisError(f'The pattern "{pattern}" must hold {{id}} exactly once, as in "{{id}}_W".')
    if Path(pattern).suffix.lower() in READABLE:
        raise IrvisError(f'The pattern "{pattern}" is about stems: leave out {Path(pattern).suffix}.')
    before, after = (re.escape(part).replace(r"\*", ".*") for part in pattern.split("{id}"))
    return re.compile(f"{before}(.+){after}", re.DOTALL)


def is_starred(path: Path, pattern: str) -> bool:
    """Whether a path fits a glob, suffix apart."""
    return _star_name(path, pattern) is not None


def _star_name(path: Path, pattern: str) -> str | None:
    """The text that the wildcards of a glob stood for, suffix apart, joined by /; if none, the folder."""
    wildcard = r"(\*\*/|\*|\?|\[!?\]?[^\]]*\])"
    meaning = {"**/": "((?:.*/)?)", "*": "([^/]*)", "?": "([^/])"}
    stem_pattern = re.sub(r"\.[A-Za-z*?\[\]]+$", "", Path(pattern).as_posix())
    expression = ""
    for number, part in enumerate(re.split(wildcard, stem_pattern)):
        letters = f"({part.replace('[!', '[^', 1)})"
        expression += meaning.get(part, letters) if number % 2 else re.escape(part)
    found = re.fullmatch(expression, path.with_suffix("").as_posix(), re.DOTALL)
    if found is None:
        return None
    return "/".join(text.strip("/") for text in found.groups() if text) or path.parent.name or path.stem


def _named(paths: Sequence[Path], namer: Namer) -> dict[str, Path]:
    return _unique((path, namer(path)) for path in paths)


def _unique(named: Iterable[tuple[Path, str | None]]) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for path, name in named:
        if name is not None and paths.setdefault(name, path) != path:
            raise IrvisError(f"{paths[name]} and {path} would both be called {name}: keep one of them.")
    return paths


def _join(sides: Sequence[Sequence[Path]], named: Sequence[dict[str, Path]]) -> Matches:
    visible, infrared = named
    shared = sorted(visible.keys() & infrared.keys(), key=natural)
    if not shared:
        shown = [", ".join(path.name for path in side[:3]) or "none" for side in sides]
        raise SidesUnknownError(
            f"No visible file matches an infrared one (visible: {shown[0]}; infrared: {shown[1]}): "
            f"where stems differ, give {HELP}."
        )
    pairs = tuple(Match(name, visible[name], infrared[name]) for name in shared)
    used = {pair.visible for pair in pairs}, {pair.infrared for pair in pairs}
    only = [tuple(path for path in side if path not in taken) for side, taken in zip(sides, used, strict=True)]
    return Matches(pairs, *only)
