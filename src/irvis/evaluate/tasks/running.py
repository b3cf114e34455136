"""The tasks of an evaluation, one after the other."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import Tensor

from ...data.matching import Match
from ...errors import IrvisError
from ..compute import Plan
from . import detection, legibility, pages, segmentation, tracking
from .detector import feeding
from .sections import Section

Show = Callable[[int], AbstractContextManager[Callable[[], object]]]
Task = Callable[[Sequence[Match], Sequence[str], Plan, Callable[[], object]], tuple[Section, list[str]]]


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """What is asked for."""

    detect: detection.Asked | None = None
    segment: segmentation.Asked | None = None
    read: legibility.Asked | None = None

    def check(self, names: Sequence[str]) -> None:
        """What is wrong with networks, labels and texts, before any work."""
        if self.detect:
            detection.check(self.detect, names)
        if self.segment:
            segmentation.check(self.segment, names)
        if self.read:
            legibility.check(self.read, names)


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of it."""

    sections: Sequence[Section] = ()
    problems: Sequence[str] = ()
    mark: Callable[[Tensor, str, str], Tensor] | None = None
    """Draws what was found on the picture of a pair and an entry."""


def asked(
    detect: Path | None, labels: Path | None, detector: str, alarms: float, segment: Path | None, masks: Path | None,
    segmenter: str, text: Path | None, texts: Path | None,
) -> Tasks:  # fmt: skip
    """The tasks that the words of the command line ask for. IrvisError where a part is missing."""
    if detect is None and (labels is not None or detector):
        raise IrvisError("--labels and --detector are for a detector: give it with --detect MODEL.onnx")
    if segment is None and (masks is not None or segmenter):
        raise IrvisError("--masks and --segmenter are for a segmenter: give it with --segment MODEL.onnx")
    if segment is not None and masks is None:
        raise IrvisError("--segment needs label pictures: give their folder with --masks DIR")
    if (text is None) != (texts is None):
        raise IrvisError("--text MODEL.onnx and --texts FILE.csv go together: what reads, and what is there to be read")
    how = feeding(detector)
    return Tasks(
        detect=detection.Asked(network=detect, labels=labels, feeding=how, alarms=alarms) if detect else None,
        segment=segmentation.Asked(network=segment, masks=masks, feeding=segmentation.feeding(segmenter))
        if segment and masks
        else None,
        read=legibility.Asked(network=text, texts=texts) if text and texts else None,
    )


def run(
    tasks: Tasks, matches: Sequence[Match], scenes: Sequence[str], plan: Plan, films: Mapping[str, Sequence[str]],
    show: Show,
) -> Done:  # fmt: skip
    """Every task on `matches`; `films`: scene → names of its pairs in order, where they are frames, otherwise empty."""
    sections: list[Section] = []
    problems: list[str] = []
    mark = None
    if tasks.detect:
        with show(len(matches)) as step:
            found = detection.detect(tasks.detect, matches, scenes, plan, step)
        sections.append(found.section)
        problems += found.problems
        mark = partial(_marked, found)
        if films:
            sections.append(tracking.track(found, films, tasks.detect.labels is not None))
    others: list[Task] = []
    if tasks.segment:
        others.append(partial(segmentation.segment, tasks.segment))
    if tasks.read:
        others.append(partial(legibility.score, tasks.read))
    for task in others:
        with show(len(matches)) as step:
            section, failed = task(matches, scenes, plan, step)
        sections.append(section)
        problems += failed
    return Done(sections=sections, problems=problems, mark=mark)


def _marked(found: detection.Detection, image: Tensor, pair: str, name: str) -> Tensor:
    return pages.drawn(image, pair, name, found)
