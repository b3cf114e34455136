"""A ZIP of pairs, unpacked below a folder: what is no picture, leads elsewhere or grows too large is refused."""

import stat
import zipfile
from pathlib import Path, PurePosixPath

from ..errors import IrvisError
from ..io import FRAMES, READABLE
from .names import safe

ENTRIES = 2000
CHUNK = 1 << 20


def is_zip(path: Path) -> bool:
    """By its content."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\3\4", b"PK\5\6")


def unpack(archive: Path, folder: Path, most: int) -> list[Path]:
    """Write the pictures of an archive below `folder`, `most` bytes in all; other files in it are left out."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return _unpacked(opened, folder, most)
    except IrvisError:
        raise
    except NotImplementedError as problem:
        raise IrvisError("the ZIP is packed in a way that cannot be read: pack it with Deflate.") from problem
    except Exception as problem:  # zlib, struct, unicode: whatever a made-up archive brings about
        raise IrvisError("the ZIP is damaged.") from problem


def _unpacked(opened: zipfile.ZipFile, folder: Path, most: int) -> list[Path]:
    entries = opened.infolist()
    if len(entries) > ENTRIES:
        raise IrvisError(f"the ZIP holds {len(entries)} files; at most {ENTRIES} are taken.")
    written: dict[Path, str] = {}
    left = most
    for entry in entries:
        place = _place(entry)
        if place is None:
            continue
        target = folder / place
        if target in written:
            raise IrvisError(f"two files of the ZIP would both be called {place}: rename one of them.")
        left -= _write(opened, entry, target, left)
        written[target] = entry.filename
    if not written:
        raise IrvisError("the ZIP holds no pictures.")
    return list(written)


def _place(entry: zipfile.ZipInfo) -> Path | None:
    """Where a file goes, below the folder; None where it is left out."""
    if "\\" in entry.filename or ":" in entry.filename:
        raise IrvisError(f"the ZIP names a file {safe(entry.filename)!r}, which is no path inside it.")
    name = PurePosixPath(entry.filename)
    if name.is_absolute() or ".." in name.parts:
        raise IrvisError(f"the ZIP names a file outside itself ({safe(entry.filename)}).")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise IrvisError(f"the ZIP holds a link ({safe(name.name)}): pack the file itself.")
    if entry.flag_bits & 1:
        raise IrvisError("the ZIP needs a password: pack it without one.")
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    if entry.is_dir() or hidden or name.suffix.lower() not in (*READABLE, *FRAMES):
        return None
    return Path(*(safe(part) for part in name.parts))


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    """The bytes written: counted, for what the archive says of them may be untrue."""
    if entry.file_size > left:
        raise IrvisError(_too_large(left))
    target.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with opened.open(entry) as source, target.open("xb") as file:
        while chunk := source.read(CHUNK):
            count += len(chunk)
            if count > left:
                raise IrvisError(_too_large(left))
            file.write(chunk)
    return count


def _too_large(left: int) -> str:
    return f"unpacked, the ZIP is larger than this page takes (of {left / 1e6:.0f} MB that are left): send fewer pairs."
