"""A file appears whole or not at all; what a killed run left of one is removed by the next; methods in file names."""

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from .errors import IrvisError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]

_PART = re.compile(r"\..+\.[0-9a-f]{8}\.part(\.\w+)?")
_LONGEST = 120
"""Bytes of the name that are told in the name of its unfinished file."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; on success it becomes `path`, on failure it is gone. Makes the folder."""
    with unfinished(path) as place:
        yield place
        place.replace(path)


@contextmanager
def unfinished(path: Path, suffix: str = "") -> Iterator[Path]:
    """A hidden empty file beside `path`, .NAME.HEX.part with `suffix`; removed at the end if it is still there.

    It is locked for as long as this process works on it. Such files of the folder that nobody has locked were left
    by runs that were killed: they are removed when the first one is made there. Makes the folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path.parent.absolute())
    place = path.with_name(f".{_short(path.name)}.{uuid.uuid4().hex[:8]}.part{suffix}")
    lock = _locked(place)
    try:
        yield place
    finally:
        with suppress(OSError):
            place.unlink(missing_ok=True)
        if lock is not None:
            os.close(lock)


def _short(name: str) -> str:
    return os.fsencode(name)[:_LONGEST].decode(errors="ignore")


def _locked(place: Path) -> int | None:
    """Make the file; the descriptor that holds its lock, where there are locks."""
    lock = os.open(place, os.O_CREAT | os.O_RDWR, 0o666)
    if fcntl is None:
        os.close(lock)
        return None
    with suppress(OSError):  # a file system without locks: nobody will take its files for stale
        fcntl.flock(lock, fcntl.LOCK_EX)
    if place.exists():
        return lock
    os.close(lock)  # another run looked in the moment between
    return _locked(place)


@cache
def _remove_stale(folder: Path) -> None:
    """Once for each folder and process."""
    with suppress(OSError):
        for path in [Path(one.path) for one in os.scandir(folder) if _PART.fullmatch(one.name)]:
            with suppress(OSError):
                if _nobodys(path):
                    path.unlink()


def _nobodys(path: Path) -> bool:
    """Whether no process has it locked."""
    if fcntl is None:
        return True
    lock = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(lock)
    return True


def cache_folder() -> Path:
    """IRVIS_CACHE, or irvis in the user's cache folder."""
    own = os.environ.get("IRVIS_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(own) if own else base / "irvis"


def method_name(method: str) -> str:
    """What a method's text is called in the name of a file or folder: "laplacian:levels=5" is "laplacian-levels-5"."""
    return re.sub(r"[^\w.+-]", "_", re.sub(r"[:=]", "-", method))


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    if not path.is_file():
        raise IrvisError(f"{path}: no such file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
