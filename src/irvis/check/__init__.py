"""What is wrong with a folder of pairs, before anything is fused: one look at each file, one line for each finding."""

import os
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch

from ..data.matching import Match, Matches
from ..thermal import polarity
from . import folders, pairs, reading
from .found import KINDS, Asked, Finding, Look

__all__ = ["Asked", "Report", "judge", "look_at"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """A folder, judged."""

    looks: tuple[Look, ...]
    findings: tuple[Finding, ...]
    """Serious kinds first, kinds in the order of `KINDS`, names in the order of the pairs."""
    evidence: float
    """For white-hot: see `polarity`."""

    @property
    def polarity(self) -> str:
        """white-hot, black-hot or unknown."""
        return polarity.verdict(self.evidence)

    @property
    def refused(self) -> tuple[str, ...]:
        """Pairs that `irvis fuse` would refuse."""
        return tuple(dict.fromkeys(finding.pair for finding in self.findings if finding.serious))


def look_at(matches: Sequence[Match], asked: Asked, workers: int | None = None) -> Generator[Look, None, None]:
    """Every pair in order, looked at by several threads (one per core unless told)."""
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from pool.map(lambda match: reading.look(match, asked), matches)
    finally:
        pool.shutdown(cancel_futures=True)


def judge(matches: Matches, looks: Sequence[Look], asked: Asked) -> Report:
    """All findings in the pairs and in the folder as a whole."""
    single = [finding for look in looks for finding in pairs.findings(look, asked)]
    swapped = sum(finding.kind == "swapped" for finding in single)
    order = {kind: place for place, kind in enumerate(KINDS)}
    whole = folders.findings(matches, looks, swapped, asked.sensing.polarity)
    found = sorted([*whole, *single], key=lambda finding: order[finding.kind])
    return Report(looks=tuple(looks), findings=tuple(found), evidence=folders.folder_evidence(looks))
