"""Before a training: every file is read once, in parallel, and those that cannot be are left out and told."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..data.pairs import ImageFolder, PairFolder
from ..errors import said

Show = Callable[[int, int], object]


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A pair or image that a training goes on without, and why."""

    name: str
    problem: str


def looked_at(sources: Sequence[PairFolder | ImageFolder], show: Show | None = None) -> list[Lost]:
    """Leave out what cannot be read. What is read is kept for the training, as far as memory is given to it.

    `show` is told how many files were looked at, and of how many.
    """
    places = [(source, index) for source in sources for index in range(len(source))]
    lost: list[Lost] = []
    bad: dict[int, set[int]] = {}
    with ThreadPoolExecutor() as pool:
        for number, ((source, index), problem) in enumerate(zip(places, pool.map(_problem, places), strict=True), 1):
            if problem:
                lost.append(Lost(name=source.name(index), problem=problem))
                bad.setdefault(id(source), set()).add(index)
            if show:
                show(number, len(places))
    for source in sources:
        source.leave_out(bad.get(id(source), ()))
    return lost


def _problem(place: tuple[PairFolder | ImageFolder, int]) -> str:
    source, index = place
    try:
        source[index]
    except Exception as error:  # whatever it is, the training goes on without this one
        return said(error)
    return ""
