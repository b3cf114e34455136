"""Every entry's picture of a pair given to a network, and what it said kept, so that a second run goes on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ...data.matching import Match
from ...errors import said
from ...files import whole
from ...types import RGB, Pair
from ..compute import Plan, read, stamp
from ..entries import Entry, digest, fused


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was said of a pair's pictures."""

    size: tuple[int, int]
    """Height and width of the pair."""
    found: dict[str, Any]
    """Entry → what was said."""
    problems: list[str]


@torch.inference_mode()
def look(name: str, ask: Callable[[RGB], Any], made: str, match: Match, plan: Plan) -> Looked:
    """Call `ask`, whose answer JSON can hold, on every entry's picture; answers are kept in OUT/NAME/.

    made: changes when answers may have changed.
    """
    file = plan.out / name / f"{match.name}.json"
    known = _kept(file)
    pair = read(match, plan.reading)
    found: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    problems = []
    for entry in plan.entries:
        try:
            now = digest(stamp(entry, match, plan), made)
            if known.get(entry.name, [""])[0] != now:
                known[entry.name] = [now, ask(seen(entry, pair, plan.stems[match.name], plan.device))]
            kept[entry.name] = known[entry.name]
            found[entry.name] = kept[entry.name][1]
        except Exception as problem:  # the other pictures are still to be judged
            problems.append(f"{match.name}, {entry.name}, {name}: {said(problem)}")
    with whole(file) as unfinished:
        unfinished.write_text(json.dumps({**known, **kept}))
    height, width = pair.visible.shape[-2:]
    return Looked(size=(int(height), int(width)), found=found, problems=problems)


def seen(entry: Entry, pair: Pair, names: tuple[str, ...], device: str) -> RGB:
    """The picture of an entry; of infrared, the camera's own, without the colours of the visible one."""
    return pair.infrared.expand_as(pair.visible) if entry.source == "infrared" else fused(entry, pair, names, device)


def _kept(file: Path) -> dict[str, Any]:
    try:
        tree = dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        return {}
    return {name: one for name, one in tree.items() if isinstance(one, list) and len(one) == 2}
