"""Live sessions for tests."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="live needs the extra: pip install 'irvis[video]'")

import streams
from irvis import creation
from irvis.live import Session, Wanted, place_of


def session(visible: str | Path, infrared: str | Path, **wanted: object) -> Session:
    """A session that fuses by the mean, and keeps what it tells in `told`."""
    told: list[str] = []
    asked = Wanted(visible=place_of(str(visible)), infrared=place_of(str(infrared)), **wanted)
    made = Session(asked, creation.fuser("average"), tell=told.append)
    made.told = told
    return made


def run(made: Session, seconds: float = 20.0) -> Session:
    """To the end of its files."""
    made.start()
    try:
        assert made.wait(seconds), "it did not end"
    finally:
        made.stop()
    assert not made.problem
    return made


def gray16(number: int) -> np.ndarray:
    return (streams.plain(number)[..., 0].astype(np.uint16) * 10) + 7000


def newest_of(made: Session):
    found = made.pictures.after(0, timeout=5)
    assert found is not None
    return found[1]
