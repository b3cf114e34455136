"""A study's file: what is compared, who was asked what, and what they said. One SQLite file, whole at every moment.

Every change is one transaction that is on the disk before the rater sees the next question. Any number of threads and
processes may work on one file; each call opens it anew.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.matching import Match
from ..errors import IrvisError
from ..files import whole
from .folders import Shown, digest

APPLICATION, SCHEMA = 0x69725374, 1
"""In the header of the file: that it is a study, and the form of its tables."""
PATIENCE = 20.0
"""Seconds to wait for another process that is writing."""

TABLES = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE method (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, folder TEXT NOT NULL);
CREATE TABLE pair (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, visible TEXT, infrared TEXT);
CREATE TABLE result (pair INTEGER NOT NULL REFERENCES pair, method INTEGER NOT NULL REFERENCES method,
  file TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (pair, method)) WITHOUT ROWID;
CREATE TABLE rater (id INTEGER PRIMARY KEY, name TEXT NOT NULL, same TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE);
CREATE TABLE question (token TEXT PRIMARY KEY, rater INTEGER NOT NULL REFERENCES rater, number INTEGER NOT NULL,
  pair INTEGER NOT NULL REFERENCES pair, left INTEGER NOT NULL REFERENCES method,
  right INTEGER NOT NULL REFERENCES method, repeats INTEGER, shown REAL,
  answer TEXT CHECK (answer IN ('left', 'right', 'equal')), answered REAL, UNIQUE (rater, number));
"""


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is compared; never changes once people are asked, but for `asked` and where the files lie."""

    file: Path
    methods: Mapping[str, Path]
    pairs: Sequence[Shown]
    seed: int
    asked: int
    """Questions for each rater, at most."""
    reading: Mapping[str, Any]
    """How infrared files are taken, see `reading.told`."""


def create(study: Study) -> None:
    """Write a new study, whole or not at all."""
    with _said(study.file), whole(study.file) as unfinished, closing(sqlite3.connect(":memory:")) as base:
        base.executescript(f"PRAGMA application_id={APPLICATION}; PRAGMA user_version={SCHEMA}; {TABLES}")
        settings = {"seed": study.seed, "asked": study.asked, "reading": json.dumps(dict(study.reading))}
        base.executemany("INSERT INTO setting VALUES (?, ?)", [(name, str(value)) for name, value in settings.items()])
        methods = list(study.methods)
        base.executemany(
            "INSERT INTO method VALUES (?, ?, ?)",
            [(n, name, str(study.methods[name])) for n, name in enumerate(methods)],
        )
        base.executemany(
            "INSERT INTO pair VALUES (?, ?, ?, ?)", [(n, one.name, *_sources(one)) for n, one in enumerate(study.pairs)]
        )
        base.executemany(
            "INSERT INTO result VALUES (?, ?, ?, ?)",
            [
                (n, methods.index(method), str(path), digest(path))
                for n, one in enumerate(study.pairs)
                for method, path in one.results.items()
            ],
        )
        base.commit()
        unfinished.write_bytes(base.serialize())


def load(file: Path) -> Study:
    """The study in a file."""
    with opened(file) as base:
        settings = dict(base.execute("SELECT name, value FROM setting"))
        methods = {name: Path(folder) for name, folder in base.execute("SELECT name, folder FROM method ORDER BY id")}
        results: dict[int, dict[str, Path]] = {}
        for pair, method, path in base.execute(
            "SELECT pair, name, file FROM result JOIN method ON method = id ORDER BY pair, id"
        ):
            results.setdefault(pair, {})[method] = Path(path)
        pairs = [
            Shown(
                name=name,
                results=results[number],
                sources=Match(name, Path(visible), Path(infrared)) if visible else None,
            )
            for number, name, visible, infrared in base.execute("SELECT * FROM pair ORDER BY id")
        ]
    return Study(
        file=file, methods=methods, pairs=pairs, seed=int(settings["seed"]), asked=int(settings["asked"]),
        reading=json.loads(settings["reading"]),
    )  # fmt: skip


def go_on(file: Path, *, given: Study | None = None, seed: int | None = None, asked: int | None = None) -> Study:
    """The study in a file, with another number of questions or, in `given`, the same images at another place."""
    known = load(file)
    if seed is not None and seed != known.seed:
        raise IrvisError(f"{file} was begun with --seed {known.seed}; another seed is another study")
    if given is not None and _images(given) != _told(file):
        raise IrvisError(
            f"{file} is a study of other images ({', '.join(known.methods)}; {len(known.pairs)} pairs), or they "
            "changed: give a new study a new file with -o, or go on with irvis study -o alone"
        )
    with opened(file) as base, base:
        if asked is not None:
            base.execute("UPDATE setting SET value = ? WHERE name = 'asked'", (str(asked),))
        if given is not None:
            _move(base, given)
    return load(file)


# ------------------------------------------------------------------------------------------ inside


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A study that is there; what cannot be read is one line."""
    if not file.is_file():
        raise IrvisError(f"{file}: there is no such study")
    with _said(file), closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as base:
        base.execute("PRAGMA foreign_keys=ON")
        base.execute("PRAGMA synchronous=FULL")
        kind, schema = (base.execute(f"PRAGMA {word}").fetchone()[0] for word in ("application_id", "user_version"))
        if kind != APPLICATION:
            raise IrvisError(f"{file} is no study of irvis; give another file with -o")
        if schema != SCHEMA:
            raise IrvisError(f"{file} was written by another version of irvis (form {schema}, this one has {SCHEMA})")
        yield base


@contextmanager
def _said(file: Path) -> Iterator[None]:
    """SQLite's troubles are one line."""
    try:
        yield
    except sqlite3.Error as problem:
        raise IrvisError(f"{file} cannot be used as a study: {problem}") from problem


def _sources(one: Shown) -> tuple[str | None, str | None]:
    return (str(one.sources.visible), str(one.sources.infrared)) if one.sources else (None, None)


def _images(study: Study) -> set[tuple[str, str, str]]:
    return {(one.name, method, digest(path)) for one in study.pairs for method, path in one.results.items()}


def _told(file: Path) -> set[tuple[str, str, str]]:
    with opened(file) as base:
        return set(
            base.execute(
                "SELECT pair.name, method.name, sha256 FROM result JOIN pair ON pair = pair.id "
                "JOIN method ON method = method.id"
            )
        )


def _move(base: sqlite3.Connection, given: Study) -> None:
    """The same images at another place; sources may come later."""
    base.execute("BEGIN IMMEDIATE")
    base.executemany("UPDATE method SET folder = ? WHERE name = ?", [(str(f), m) for m, f in given.methods.items()])
    for one in given.pairs:
        if one.sources:
            base.execute("UPDATE pair SET visible = ?, infrared = ? WHERE name = ?", (*_sources(one), one.name))
        base.executemany(
            "UPDATE result SET file = ? WHERE pair = (SELECT id FROM pair WHERE name = ?) "
            "AND method = (SELECT id FROM method WHERE name = ?)",
            [(str(path), one.name, method) for method, path in one.results.items()],
        )
    if any(one.sources for one in given.pairs):
        base.execute("UPDATE setting SET value = ? WHERE name = 'reading'", (json.dumps(dict(given.reading)),))
