"""Files on any file system that fsspec knows: a folder's entries, a file fetched, a file that appears whole or not."""

import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from ..errors import IrvisError
from ..files import whole

LOCAL, WEB = ("file", "local"), ("http", "https")
OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oci", "oss")
"""Protocols whose objects appear only when their last byte has come; elsewhere a file is moved into place."""

HIDDEN = "."
"""Names that begin so are no images and no folders of images."""


@dataclass(frozen=True)
class Place:
    """A folder as its owner wrote it (local ones: absolute), without a slash at the end."""

    url: str

    def of(self, name: Path | str) -> str:
        """The address of what is called `name` below the folder; web servers want it quoted."""
        text = PurePosixPath(name).as_posix()
        if text == ".":
            return self.url
        return f"{self.url}/{quote(text) if protocol(self.url) in WEB else text}"


@dataclass(frozen=True)
class Entries:
    """What one folder holds: its files with their sizes in bytes (-1: not told), and its sub-folders."""

    files: dict[str, int]
    folders: tuple[str, ...] = ()


def place(text: str) -> Place:
    """The folder called `text`, with or without a protocol in front."""
    if is_local(text):
        return Place(Path(_opened(text)[1]).expanduser().resolve().as_posix().rstrip("/"))
    return Place(text.rstrip("/"))


def protocol(url: str) -> str:
    """ "s3" of "s3://bucket/folder", "file" where none is named; the outermost of several chained ones."""
    front, colon, _ = url.partition("://")
    return front.split("::")[0] if colon else "file"


def is_local(url: str) -> bool:
    return protocol(url) in LOCAL


def entries(folder: Place, below: str = "") -> Entries | None:
    """What lies in the folder, hidden names left out; None where there is no such folder."""
    url = folder.of(below)
    files, path = _opened(url + "/" if protocol(url) in WEB else url)
    try:
        found = files.ls(path, detail=True)
    except (FileNotFoundError, NotADirectoryError):
        return None
    sizes, folders = {}, []
    for entry in found:
        name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
        name = unquote(name) if protocol(url) in WEB else name
        if entry["name"] == path and entry["type"] == "file":
            return None
        if entry["name"].rstrip("/") == path.rstrip("/") or name.startswith(HIDDEN):
            continue
        if entry["type"] == "directory":
            folders.append(name)
        else:
            sizes[name] = -1 if entry.get("size") is None else int(entry["size"])
    return Entries(sizes, tuple(folders))


def exists(url: str) -> bool:
    files, path = _opened(url)
    return bool(files.exists(path))


def size(url: str) -> int | None:
    """Bytes of a file; None where the server does not tell, or it isn't there."""
    files, path = _opened(url)
    try:
        return files.size(path)
    except OSError:
        return None


def read(url: str) -> bytes:
    files, path = _opened(url)
    return bytes(files.cat_file(path))


def fetch(url: str, folder: Path) -> Path:
    """The file at `url` as a local one: itself where it is local, else a copy in `folder`."""
    if is_local(url):
        return Path(url)
    files, path = _opened(url)
    copy = folder / f"{uuid.uuid4().hex}{PurePosixPath(path).suffix}"
    files.get_file(path, str(copy))
    return copy


def store(source: Path, url: str) -> None:
    """Copy a local file to `url`; who looks there sees what was there before or all of it, never a part."""
    files, path = _opened(url)
    if is_local(url):
        with whole(Path(path)) as unfinished:
            shutil.copyfile(source, unfinished)
    elif protocol(url) in OBJECT_STORES:
        files.put_file(str(source), path)
    else:
        parent = path.rpartition("/")[0]
        unfinished_path = f"{parent}/{HIDDEN}{uuid.uuid4().hex}.part"
        files.makedirs(parent, exist_ok=True)
        files.put_file(str(source), unfinished_path)
        files.mv(unfinished_path, path)


def clear_unfinished(folder: Place, below: str) -> None:
    """Remove what workers that died left unfinished; for a folder that nobody writes to."""
    if protocol(folder.url) in OBJECT_STORES:
        return
    files, path = _opened(folder.of(below))
    with suppress(OSError):
        for name in files.ls(path, detail=False):
            last = name.rsplit("/", 1)[-1]
            if last.startswith(HIDDEN) and last.endswith(".part"):
                files.rm(name)


def remove(folder: str) -> None:
    """Remove a folder and all in it, if it is there."""
    files, path = _opened(folder)
    if files.exists(path):
        files.rm(path, recursive=True)


def _opened(url: str) -> tuple[Any, str]:
    """The file system and the path on it. Listings are never kept: those of a big archive would fill the memory."""
    try:
        fsspec: Any = import_module("fsspec")
    except ImportError as problem:
        raise IrvisError("archives need an extra: pip install 'irvis[ray]'") from problem
    try:
        files, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except ImportError as problem:  # fsspec says which package the protocol needs
        raise IrvisError(f"{url}: {problem}") from problem
    except ValueError as problem:
        raise IrvisError(f"{url}: {problem}; fsspec knows no such protocol") from problem
    return files, path
