"""Flicker of a video without the moments at which the thermal camera itself jumped or stood still."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from torch import Tensor

from ..metrics.flicker import Change

Measure = Callable[[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]], Change]
"""`metrics.flicker.temporal_gain` or `warped_difference`."""


def flicker(
    measure: Measure, fused: Sequence[Tensor], visible: Sequence[Tensor], infrared: Sequence[Tensor],
    events: Sequence[str],
) -> Change | None:  # fmt: skip
    """Over the runs of frames whose event (`steady.Shown.event`) is empty, weighted by their steps; None without any.

    For `warped_difference` the weights are steps times the share of pixels that could be judged.
    """
    parts = [measure(fused[run], visible[run], infrared[run]) for run in runs(events)]
    weights = [part.steps * part.share for part in parts]
    if not parts or not sum(weights):
        return None

    def mean(name: str) -> float:
        return float(np.average([getattr(part, name) for part in parts], weights=weights))

    steps = sum(part.steps for part in parts)
    share = sum(weights) / steps
    return replace(parts[0], **{n: mean(n) for n in ("fused", "visible", "infrared")}, steps=steps, share=share)


def runs(events: Sequence[str]) -> Iterator[slice]:
    """Stretches of two frames or more without an event."""
    start = 0
    for event, group in groupby(events, key=bool):
        length = sum(1 for _ in group)
        if not event and length > 1:
            yield slice(start, start + length)
        start += length
