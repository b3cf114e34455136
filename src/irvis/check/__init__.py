"""What is wrong with a folder of pairs, before anything is fused: one look at each file, one line for each finding."""

import os
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from .. import io
from ..data import matching
from ..data.matching import Match, Matches
from ..thermal import polarity
from . import folders, measure, pairs
from .findings import KINDS, Asked, Finding, Look

__all__ = ["Asked", "Report", "check", "judge", "look_at"]


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


def check(
    visible: str | Path,
    infrared: str | Path | None = None,
    *,
    match: tuple[str, str] | None = None,
    asked: Asked = Asked(),  # noqa: B008
    workers: int | None = None,
) -> Report:
    """Look for what is wrong with pairs before they are fused.

    Parameters
    ----------
    visible, infrared: a folder each, or one that holds both.
    match: how stems differ: ("{id}_W", "{id}_T").
    asked: how infrared will be read: range, colours, size, thermal files.
    workers: threads; None: one per core.

    Returns
    -------
    Findings, serious ones first, and the pairs that `irvis fuse` would refuse.

    Raises
    ------
    IrvisError: nothing matches, or the folders are not there.
    """
    found = matching.match(visible, infrared, patterns=match, both=io.holds_record)
    return judge(found, list(look_at(found.pairs, asked, workers)), asked)


def look_at(matches: Sequence[Match], asked: Asked, workers: int | None = None) -> Generator[Look, None, None]:
    """Every pair of `matches` in order, looked at by several threads.

    asked: how infrared is read; workers: how many threads, one per core if None.
    """
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from pool.map(lambda match: measure.look(match, asked), matches)
    finally:
        pool.shutdown(cancel_futures=True)


def judge(matches: Matches, looks: Sequence[Look], asked: Asked) -> Report:
    """All findings in the pairs and in the folder as a whole.

    matches: the pairs, and files that stay alone; looks: what `look_at` gave of the pairs; asked: how they were read.
    """
    single = [finding for look in looks for finding in pairs.findings(look, asked)]
    swapped = sum(finding.kind == "swapped" for finding in single)
    order = {kind: place for place, kind in enumerate(KINDS)}
    whole = folders.findings(matches, looks, swapped, asked.sensing.polarity)
    found = sorted([*whole, *single], key=lambda finding: order[finding.kind])
    return Report(looks=tuple(looks), findings=tuple(found), evidence=folders.folder_evidence(looks))
