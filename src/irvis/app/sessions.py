"""A folder for each visitor, removed when they have left or long done nothing."""

import itertools
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GRACE = 300.0
"""Seconds after a visitor's page is gone: a phone that was in a pocket comes back."""
MOST = 64
"""Visitors whose files are kept; the one unseen for longest goes first."""


@dataclass
class Room:
    """A visitor's folder, and when it is to go."""

    folder: Path
    until: float
    seen: float


class Rooms:
    """The folders of all visitors. Sessions are named by browsers, so their names never become paths."""

    def __init__(self, root: Path, minutes: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.root, self.stay, self.clock = root, 60 * minutes, clock
        self.rooms: dict[str, Room] = {}
        self.lock = threading.Lock()

    def open(self, session: str) -> Path:
        """The folder of a session, made where there is none; it stays for the full time from now."""
        with self.lock:
            now = self.clock()
            room = self.rooms.get(session)
            if room is None or not room.folder.is_dir():
                folder = self.root / "rooms" / secrets.token_urlsafe(16)
                folder.mkdir(parents=True, mode=0o700)
                room = self.rooms[session] = Room(folder, now, now)
            room.until, room.seen = now + self.stay, now
            leaving = sorted(self.rooms, key=lambda name: self.rooms[name].seen)[: max(0, len(self.rooms) - MOST)]
            gone = [self.rooms.pop(name) for name in leaving]
        _remove(gone)
        return room.folder

    def fresh(self, session: str, name: str) -> Path:
        """A new, empty folder in the session's own."""
        folder = self.open(session) / f"{name}-{secrets.token_urlsafe(8)}"
        folder.mkdir()
        return folder

    def keep_only(self, kept: Path, name: str) -> None:
        """Remove what `fresh` made before under this name beside `kept`."""
        for folder in kept.parent.glob(f"{name}-*"):
            if folder != kept:
                shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def drop(folder: Path) -> None:
        """Remove a folder that nothing came out of."""
        shutil.rmtree(folder, ignore_errors=True)

    def back(self, session: str) -> None:
        """The session's page is there (again)."""
        with self.lock:
            if session in self.rooms:
                self.rooms[session].until = max(self.rooms[session].until, self.clock() + self.stay)

    def leave(self, session: str) -> None:
        """The session's page is gone."""
        with self.lock:
            if session in self.rooms:
                self.rooms[session].until = min(self.rooms[session].until, self.clock() + GRACE)

    def sweep(self) -> None:
        """Remove the folders whose time is over, and uploads that nobody used for as long."""
        with self.lock:
            now = self.clock()
            over = [name for name, room in self.rooms.items() if room.until <= now]
            gone = [self.rooms.pop(name) for name in over]
            kept = {room.folder for room in self.rooms.values()}
        _remove(gone)
        for folder in self._folders():
            if folder not in kept and _age(folder) > self.stay:
                _gone(folder)

    def bytes(self) -> int:
        """Of all files."""
        return sum(status.st_size for status in _statuses(self.root))

    def _folders(self) -> list[Path]:
        """Of uploads (one each, beside the rooms), and of rooms that nobody knows any more."""
        found: list[Path] = []
        for parent in (self.root, self.root / "rooms"):
            with suppress(OSError):
                found += [path for path in parent.iterdir() if path.name != "rooms"]
        return found


def _age(path: Path) -> float:
    """Seconds since a file, or the newest in a folder, was made or used: `uploads.take` says so by its time."""
    times = [status.st_mtime for status in _statuses(path)]
    return time.time() - max(times) if times else 0.0


def _statuses(path: Path) -> Iterator[os.stat_result]:
    """Of a file, or a folder and all that is in it; others may remove some of it meanwhile."""
    itself: tuple[str, list[str], list[str]] = (str(path.parent), [path.name], [])
    for folder, *names in itertools.chain([itself], os.walk(path)):
        for name in itertools.chain(*names):
            with suppress(OSError):
                yield Path(folder, name).lstat()


def _gone(path: Path) -> None:
    """Remove a folder, or what an upload that was broken off left behind."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _remove(rooms: list[Room]) -> None:
    for room in rooms:
        shutil.rmtree(room.folder, ignore_errors=True)
