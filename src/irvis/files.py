"""Files that appear whole or not at all, and what a method is called in their names."""

import os
import platform
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

_HOST = re.sub(r"[^\w]+", "", platform.node())[:24] or "host"
_UNFINISHED = re.compile(r"\..+\.(?P<host>\w+)-(?P<process>\d+)-[0-9a-f]{8}\.part(\.\w+)?")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; on success it becomes `path`, on failure it is gone. Makes the folder.

    What processes that were killed left unfinished in this folder is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _cleared(path.parent)
    unfinished = unfinished_name(path)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def unfinished_name(path: Path, suffix: str = "") -> Path:
    """A hidden name beside `path` that no other process or thread uses, and that tells whose it is.

    `suffix` ends it, where a library goes by suffixes.
    """
    token = f"{_HOST}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    return path.with_name(f".{path.stem[:40]}.{token}.part{suffix}")


def clear_unfinished(folder: Path) -> None:
    """Remove what processes of this machine that are no more left unfinished in `folder`."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _UNFINISHED.fullmatch(entry.name)
            if found and found["host"] == _HOST and not _is_alive(int(found["process"])):
                Path(entry.path).unlink(missing_ok=True)


_cleared = cache(clear_unfinished)


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # there, signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def method_name(method: str) -> str:
    """What a method's text is called in the name of a file or folder: "laplacian:levels=5" is "laplacian-levels-5"."""
    return re.sub(r"[^\w.+-]", "_", re.sub(r"[:=]", "-", method))
