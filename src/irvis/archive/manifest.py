"""What has become of each pair, kept beside the outputs in OUT/.irvis: JSON lines, one per pair that was tried.

Every part is one file, written once by one worker and never changed: object stores cannot append, and two workers
never write the same file. A part lies in OUT/.irvis/FOLDER, the folder of its first pair, so that a restart reads the
parts of one folder at a time.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import storage
from .storage import Place

HOME = ".irvis"
SETTINGS = "settings.json"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One pair: `status` is fused, kept (its output was there and whole) or failed; `size` is in bytes."""

    name: str
    output: str
    status: str
    size: int = 0
    problem: str = ""
    notes: tuple[str, ...] = ()
    worker: str = ""


def write(out: Place, first: str, part: str, rows: Iterable[Row]) -> None:
    """The part named `part` of the pairs from `first` on; written again, it is the same file."""
    lines = (json.dumps({key: value for key, value in asdict(row).items() if value}) for row in rows)
    _store(out.of(Path(HOME, first).parent / f"{part}.jsonl"), "\n".join([*lines, ""]))


def settings(out: Place) -> dict[str, Any] | None:
    """With what the archive is being made; None = it is new."""
    url = out.of(Path(HOME, SETTINGS))
    return dict(json.loads(storage.read(url))) if storage.exists(url) else None


def begin(out: Place, how: dict[str, Any]) -> None:
    """Note with what the archive is made, and forget what the parts of an earlier one say."""
    storage.remove(out.of(HOME))
    _store(out.of(Path(HOME, SETTINGS)), json.dumps(how, indent=1) + "\n")


def finished(out: Place, folder: str) -> Iterator[tuple[str, int]]:
    """(name, size) of every pair that is done, as the parts of this folder tell; some lie in folders that follow."""
    found = storage.entries(out, str(Path(HOME, folder)))
    for part in found.files if found else ():
        if part.endswith(".jsonl"):
            for line in storage.read(out.of(Path(HOME, folder, part))).splitlines():
                row = json.loads(line)
                if row["status"] != "failed":
                    yield row["name"], row["size"]


def _store(url: str, text: str) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "part")
        file.write_text(text, encoding="utf-8")
        storage.store(file, url)
