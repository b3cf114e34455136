"""What a claim is, and the results that claims read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import made

HELD, PART, NOT, OUT = "held", "held in part", "did not hold", "cannot be tested here"
OPEN, UNTESTED = "cannot be told", "not tested here yet"
PENDING = "not measured yet"


@dataclass(frozen=True)
class Claim:
    """What a paper says; how it is tested; what came of it."""

    text: str
    command: str
    number: Callable[[], str]
    verdict: Callable[[], str]


class Read(dict[str, Any]):
    """A row that remembers, in `OLD`, that it was asked for and is of earlier weights."""

    def __getitem__(self, column: str) -> Any:
        if made.earlier(self):
            OLD.append(self)
        return super().__getitem__(column)


OLD: list[Read] = []


def rows(name: str, *keys: str) -> dict[Any, Mapping[str, Any]]:
    """The rows of a result by one of their columns, or several; none where it was not measured."""
    found = [Read(row) for row in made.read(name).get("rows", [])]
    return {row.get(keys[0]) if len(keys) == 1 else tuple(row.get(key) for key in keys): row for row in found}


def said(verdict: str) -> Callable[[], str]:
    return lambda: verdict


def untested(text: str, why: str, command: str = "none yet") -> Claim:
    """A claim that nothing here has tested."""
    return Claim(text, command, lambda: why, said(UNTESTED))
