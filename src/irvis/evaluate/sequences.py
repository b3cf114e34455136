"""Flicker, where the pairs of a scene are frames of a video in the order of their names."""

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from ..data.matching import Match
from ..errors import IrvisError
from ..metrics.flicker import temporal_gain, warped_difference
from .compute import Plan, read
from .entries import Entry, fused

MEASURES = {"temporal gain": temporal_gain, "warped difference": warped_difference}


def flicker(scenes: Mapping[str, Sequence[Match]], plan: Plan) -> Mapping[str, Mapping[str, float]]:
    """Entry → measure → gain over the livelier source, the mean over the scenes; entries with gaps are left out."""
    films = [frames for frames in scenes.values() if len(frames) > 1]
    if not films:
        raise IrvisError("--sequence needs scenes of two frames or more; --scene says which pairs belong together")
    gains: dict[str, Mapping[str, float]] = {}
    for entry in plan.entries:
        try:
            gains[entry.name] = {
                name: _mean([measure(*_streams(entry, frames, plan)).gain for frames in films])
                for name, measure in MEASURES.items()
            }
        except IrvisError:
            if entry.kind != "images":  # a missing image was reported when its pair was judged
                raise
    return gains


def _mean(gains: Sequence[float]) -> float:
    """Over the scenes where anything changes; NaN where nothing does."""
    known = [gain for gain in gains if not math.isnan(gain)]
    return sum(known) / len(known) if known else math.nan


def _streams(entry: Entry, frames: Sequence[Match], plan: Plan) -> tuple[Iterator[Tensor], ...]:
    """Fused, visible and infrared frames, one at a time."""

    @torch.inference_mode()
    def results() -> Iterator[Tensor]:
        for match in frames:
            yield fused(entry, read(match, plan.reading), plan.stems[match.name], plan.device)

    visible = (read(match, plan.reading).visible for match in frames)
    infrared = (read(match, plan.reading).infrared for match in frames)
    return results(), visible, infrared
