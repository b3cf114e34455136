"""What a visitor sends, before anything is decoded: only uploads, only pictures, none too large."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import io
from ..data import matching
from ..data.matching import Match, Matches
from ..errors import IrvisError
from ..io import big
from ..io.decode import within_memory
from . import archives
from .names import safe
from .settings import Settings

VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
"""Suffixes of files that go another way: `filming`."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Files of a visitor, in a folder of their own."""

    matches: Matches
    folder: Path
    words: tuple[str, ...]
    """The same files as the command line would name them, from that folder."""

    @property
    def pairs(self) -> tuple[Match, ...]:
        """At least one."""
        return self.matches.pairs

    @property
    def several(self) -> bool:
        """Whether they came as a folder of pairs."""
        return len(self.words) == 1 and not Path(self.words[0]).suffix


def take(
    sent: Sequence[str | None], root: Path, folder: Path, settings: Settings, patterns: tuple[str, str] | None = None
) -> Taken:
    """The pairs of what was sent as visible and as infrared, copied into `folder`.

    Parameters
    ----------
    sent: paths that the browser names: nothing is believed of them. Both sides, or one radiometric file or ZIP.
    root: where uploads lie; any other file is refused.
    patterns: how stems of pairs in a ZIP differ.

    Raises
    ------
    IrvisError: a file that was not uploaded, is too large, no picture, or no pair.
    """
    sides = [uploaded(path, root) if path else None for path in sent]
    given = [path for path in sides if path is not None]
    if not given:
        raise IrvisError("choose a visible and an infrared picture first, or try an example.")
    for path in given:
        refuse_large(path, settings.max_upload)
    if any(archives.is_zip(path) for path in given):
        return _archive(given, folder, settings, patterns)
    kept = [copied(path, folder / kind) if path else None for path, kind in zip(sides, io_sides(), strict=True)]
    files = [path for path in kept if path is not None]
    if len(files) == 1 and not io.holds_record(files[0]):
        raise IrvisError(
            f"{files[0].name} is one picture: add the other, or give a thermal camera's own file or a ZIP."
        )
    for path in files:
        refuse_pixels(path, settings.max_pixels)
    matches = matching.match(files[0], files[1] if len(files) > 1 else None, both=io.holds_record)
    return Taken(matches=matches, folder=folder, words=tuple(str(path.relative_to(folder)) for path in files))


def io_sides() -> tuple[str, str]:
    """Names of the two sides, in the order of every call."""
    return "visible", "infrared"


def uploaded(path: str, root: Path) -> Path:
    """A file below `root`, where uploads lie; anything else is refused, whether it exists or not."""
    try:
        place, home = Path(path), root.resolve()
        inside = place.resolve().is_relative_to(home) and not place.is_symlink() and place.is_file()
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, links in a circle
        inside = False
    if not inside:
        raise IrvisError("that file was not uploaded here, or was removed after a while: choose it again.")
    place.touch()  # it is in use
    return place.resolve()


def refuse_large(path: Path, most: int) -> None:
    """By the bytes of the file."""
    size = path.stat().st_size
    if size > most:
        raise IrvisError(f"{safe(path.name)} is {size / 1e6:.0f} MB; this page takes up to {most / 1e6:.0f} MB a file.")
    if not size:
        raise IrvisError(f"{safe(path.name)} is empty.")


def refuse_pixels(path: Path, most: int) -> None:
    """By the header, before memory is taken; what cannot be read at all is refused, too."""
    if path.suffix.lower() in io.FRAMES and io.holds_record(path):
        return  # frames of a sensor: `cameras` bounds them
    with within_memory(path):
        height, width = big.size(path)
    if height * width > most:
        raise IrvisError(
            f"{path.name} is {width}×{height} = {height * width / 1e6:.0f} million pixels; this page takes up to "
            f"{most / 1e6:.0f} million."
        )


def _archive(given: Sequence[Path], folder: Path, settings: Settings, patterns: tuple[str, str] | None) -> Taken:
    if len(given) > 1:
        raise IrvisError("a ZIP holds both sides: send it alone.")
    pairs = folder / "pairs"
    for path in archives.unpack(given[0], pairs, settings.max_unpacked):
        refuse_pixels(path, settings.max_pixels)
    matches = matching.match(pairs, patterns=patterns, both=io.holds_record)
    return Taken(matches=matches, folder=folder, words=("pairs",))


def copied(path: Path, folder: Path) -> Path:
    """In the visitor's folder, under a name that is nothing but a name; a second name of the same bytes if possible."""
    folder.mkdir(parents=True)
    target = folder / safe(path.name)
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, target)
    return target
