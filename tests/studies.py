"""A small study, and what the tests do with it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from irvis import cli, io
from irvis.data.matching import match
from irvis.study import asking, database, folders
from irvis.study.server import Server

METHODS = ("zebrafusion", "quaggamerge", "okapiblend")
NAMES = ("night/xylophone", "night/yacht", "day/zeppelin", "day/walrus")


def flat(path: Path, size: tuple[int, int] = (16, 16)) -> None:
    io.write(path, torch.full((1, 3, *size), 0.5))


def made(
    images: Path, file: Path, *, asked: int = 60, methods: tuple[str, ...] = METHODS, sources: bool = True
) -> database.Study:
    given = folders.methods([str(images / name) for name in methods])
    pairs = folders.pairs(given, match(images / "vi", images / "ir").pairs if sources else ())
    reading = {"range": None, "color": "refuse", "resize": False}
    database.create(database.Study(file=file, methods=given, pairs=pairs, seed=0, asked=asked, reading=reading))
    return database.load(file)


def running(study: database.Study, host: str = "127.0.0.1", **options: Any) -> Iterator[Server]:
    server = Server(study, host, 0, say=lambda _: None, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def irvis(*words: object) -> int:
    """Run the command line in this process; returns the exit status."""
    try:
        cli.main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def answer_all(study: database.Study, name: str, say: Any) -> None:
    key = asking.join(study, name)
    while (token := asking.standing(study, key).current) is not None:
        asking.answer(study, key, token, say(asking.question(study, token)))
