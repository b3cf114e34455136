"""One rater after the other: who they are, what they are asked, what they say. Each change is one transaction."""

import secrets
import sqlite3
import time
import unicodedata
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from .database import Study, opened
from .schedule import Question, questions

Said = Literal["left", "right", "equal"]

LONGEST_NAME, MOST_RATERS = 60, 1000


class Standing(NamedTuple):
    """Where a rater is."""

    name: str
    done: int
    total: int
    current: str | None
    """The question's token; None when all are answered."""
    following: str | None


class Answer(NamedTuple):
    """One answer; indices of the study's pairs and methods."""

    rater: str
    pair: int
    left: int
    right: int
    said: Said
    repeats: int | None
    number: int
    seconds: float | None
    """From the first look to the answer."""


def join(study: Study, name: str, *, again: bool = True) -> str:
    """A rater's key, by name; ValueError for what is no name.

    again: a name that is known goes on where it was. False, where anyone can say any name: it is refused, as its key
    would let one answer in another's place; browsers keep the key and need no name.
    """
    shown = unicodedata.normalize("NFC", " ".join(name.split()))
    if not shown or len(shown) > LONGEST_NAME or not shown.isprintable():
        raise ValueError(f"a name has 1 to {LONGEST_NAME} letters")
    with opened(study.file) as base, base:
        base.execute("BEGIN IMMEDIATE")
        found = base.execute("SELECT id, key FROM rater WHERE same = ?", (shown.casefold(),)).fetchone()
        if found is None:
            number = base.execute("SELECT count(*) FROM rater").fetchone()[0]
            if number >= MOST_RATERS:
                raise ValueError(f"this study has its {MOST_RATERS} raters")
            found = (number, secrets.token_urlsafe(18))
            base.execute("INSERT INTO rater VALUES (?, ?, ?, ?)", (number, shown, shown.casefold(), found[1]))
        elif not again:
            raise ValueError("that name is taken: go on in the browser where you began, or take another name")
        _ask(base, study, found[0])
    return str(found[1])


def ask_more(study: Study) -> None:
    """Give every rater the questions that a larger `asked` adds."""
    with opened(study.file) as base, base:
        base.execute("BEGIN IMMEDIATE")
        for (rater,) in base.execute("SELECT id FROM rater").fetchall():
            _ask(base, study, rater)


def standing(study: Study, key: str) -> Standing:
    """Where the rater with this key is. KeyError where there is none."""
    with opened(study.file) as base, base:
        return _standing(base, study, *_rater(base, key))


def answer(study: Study, key: str, token: str, said: Said) -> Standing:
    """Keep an answer to the current question. ValueError when it is not the current one: it stays as it was."""
    with opened(study.file) as base, base:
        base.execute("BEGIN IMMEDIATE")
        rater, name = _rater(base, key)
        if _standing(base, study, rater, name).current != token:
            raise ValueError("that is not the question that is asked now")
        base.execute("UPDATE question SET answer = ?, answered = ? WHERE token = ?", (said, time.time(), token))
        return _standing(base, study, rater, name)


def undo(study: Study, key: str) -> Standing:
    """Ask the last question again; nothing happens where none was answered."""
    with opened(study.file) as base, base:
        base.execute("BEGIN IMMEDIATE")
        rater, name = _rater(base, key)
        base.execute(
            "UPDATE question SET answer = NULL, answered = NULL, shown = NULL WHERE rater = ? AND number = "
            "(SELECT max(number) FROM question WHERE rater = ? AND number < ? AND answer IS NOT NULL)",
            (rater, rater, study.asked),
        )
        return _standing(base, study, rater, name)


def question(study: Study, token: str) -> Question:
    """The question with this token. KeyError where there is none."""
    with opened(study.file) as base:
        found = base.execute("SELECT pair, left, right, repeats FROM question WHERE token = ?", (token,)).fetchone()
    if found is None:
        raise KeyError("no such question")
    return Question(*found)


def answers(file: Path) -> list[Answer]:
    """Every answer, rater by rater in the order of asking."""
    with opened(file) as base:
        rows = base.execute(
            "SELECT name, pair, left, right, answer, repeats, number, answered - shown FROM question "
            "JOIN rater ON rater = id WHERE answer IS NOT NULL ORDER BY rater, number"
        ).fetchall()
    return [Answer(*row) for row in rows]


# ------------------------------------------------------------------------------------------ inside


def _ask(base: sqlite3.Connection, study: Study, rater: int) -> None:
    """Write down a rater's questions, those that are missing."""
    known = base.execute("SELECT count(*) FROM question WHERE rater = ?", (rater,)).fetchone()[0]
    places = {name: place for place, name in enumerate(study.methods)}
    there = [[places[method] for method in one.results] for one in study.pairs]
    plan: Iterable[Question] = islice(questions(there, len(places), rater, study.seed), known, study.asked)
    base.executemany(
        "INSERT INTO question (token, rater, number, pair, left, right, repeats) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (secrets.token_urlsafe(18), rater, number, one.pair, one.left, one.right, one.repeats)
            for number, one in enumerate(plan, start=known)
        ],
    )


def _rater(base: sqlite3.Connection, key: str) -> tuple[int, str]:
    found = base.execute("SELECT id, name FROM rater WHERE key = ?", (key,)).fetchone()
    if found is None:
        raise KeyError("no such rater")
    return int(found[0]), str(found[1])


def _standing(base: sqlite3.Connection, study: Study, rater: int, name: str) -> Standing:
    rows = base.execute(
        "SELECT token, answer, shown FROM question WHERE rater = ? AND number < ? ORDER BY number", (rater, study.asked)
    ).fetchall()
    open_ones = [row for row in rows if row[1] is None]
    if open_ones and open_ones[0][2] is None:
        base.execute("UPDATE question SET shown = ? WHERE token = ?", (time.time(), open_ones[0][0]))
    tokens = [row[0] for row in open_ones[:2]] + [None, None]
    return Standing(name, len(rows) - len(open_ones), len(rows), tokens[0], tokens[1])
