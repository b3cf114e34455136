"""Everything that a study says, from its answers."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import IrvisError
from ..evaluate.compute import quietly
from . import agreement, asking, database, judges, ranking
from .agreement import Agreement, Rater
from .asking import Answer
from .clusters import FEWEST, Clusters, Indices, numbered
from .database import Study
from .judges import Judge
from .ranking import Comparisons, Ranking


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came out. Methods are numbers, in the order of `study.methods`."""

    study: Study
    told: Comparisons
    """First answers: repeats count for nobody's ranking."""
    ranking: Ranking
    raters: Sequence[Rater]
    agreement: Agreement
    people: tuple[float, float, float]
    """How often an answer agrees with the ranking, and its interval."""
    judges: Sequence[Judge]
    notes: Sequence[str]

    @property
    def order(self) -> list[int]:
        """Methods that were compared, best first."""
        asked = set(self.told.first.tolist()) | set(self.told.second.tolist())
        return [int(method) for method in np.argsort(-self.ranking.strength, kind="stable") if int(method) in asked]


def report(
    file: Path,
    *,
    metrics: str = "usual",
    profile: str = "default",
    workers: int = 0,
    show: Callable[[int], AbstractContextManager[Callable[[], object]]] = quietly,
    say: Callable[[str], None] = print,
) -> Report:
    """Rank the methods of a study by its answers, and compare `metrics` (names by commas, "usual", "all" or "none").

    Raises IrvisError where nobody answered, and for metrics that are not there.
    """
    study = database.load(file)
    answers = asking.answers(file)
    told = comparisons(answers)
    if not len(told.first):
        raise IrvisError(f"{file} holds no answers yet: open its page with irvis study -o {file}")
    ranked = ranking.rank(told, len(study.methods))
    found: list[Judge] = []
    notes = _notes(study, told)
    if metrics != "none" and any(one.sources is None for one in study.pairs):
        notes.append("no metrics: the study was begun without --visible and --infrared; give them once with -o FILE")
    elif metrics != "none":
        pairs = np.unique(told.clusters.pairs).tolist()
        names, values = judges.measure(study, metrics, profile, workers=workers, pairs=pairs, show=show, say=say)
        found = judges.judges(names, values, told, ranked)
    return Report(
        study=study,
        told=told,
        ranking=ranked,
        raters=agreement.raters(answers),
        agreement=agreement.agreement(answers),
        people=judges.people(told, ranked),
        judges=found,
        notes=notes,
    )


def comparisons(answers: Sequence[Answer]) -> Comparisons:
    """First answers as numbers."""
    first = [one for one in answers if one.repeats is None]

    def column(values: Iterable[int]) -> Indices:
        return np.array(list(values), dtype=np.int64)

    return Comparisons(
        first=column(one.left for one in first),
        second=column(one.right for one in first),
        outcome=column(agreement.SIGN[one.said] for one in first),
        clusters=Clusters(numbered([one.rater for one in first]), column(one.pair for one in first)),
    )


def _notes(study: Study, told: Comparisons) -> list[str]:
    """What a reader must know before believing the table."""
    names = list(study.methods)
    counts = ranking.tally(told, len(names))
    asked = counts.sum(1) > 0
    notes = []
    if not asked.all():
        notes.append(f"never shown yet: {_named(names, ~asked)}")
    islands = [group for group in ranking.islands(told, len(names)) if asked[group].all()]
    if len(islands) > 1:
        text = ranking.named(islands, names)
        notes.append(
            f"never compared across groups, directly or through others: {text}; only order within a group counts"
        )
    for word, column in (("lost", 2), ("won", 0)):
        if (never := (counts[:, column] == 0) & (counts[:, 2 - column] > 0)).any():
            notes.append(
                f"never {word}: {_named(names, never)}; how strong it is, is up to the prior; see its interval"
            )
    for name, group in (("rater", told.clusters.raters), ("pair", told.clusters.pairs)):
        if (count := len(np.unique(group))) < FEWEST:
            notes.append(f"only {count} {name}{'s'[: count > 1]}: the intervals say nothing about other {name}s")
    return notes


def _named(names: Sequence[str], which: NDArray[np.bool_]) -> str:
    return ", ".join(name for name, chosen in zip(names, which, strict=True) if chosen)
