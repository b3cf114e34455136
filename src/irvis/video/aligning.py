"""Where infrared lies in visible, for a whole video: by a few moments of it, or by a rig."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
import torch

from ..align import Aligner, Range, estimate, misalignment
from ..align.geometry import grid, magnification, moved
from ..align.joint import together
from ..align.warp import Placement
from ..color import gray
from ..errors import IrvisError
from ..io import Laying
from ..steps import step
from ..types import Gray, Image, Scaled
from .frame import Frame, Source
from .pairing import paired
from .range_following import Following, steady
from .registration import Lay, placed, same

LOOKS = 6
"""Moments, evenly spread, at which an alignment is estimated and a polarity looked for."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pair:
    """Two open streams and the time that they have in common."""

    visible: Source
    infrared: Source
    offset: Fraction
    following: Following
    drift: Fraction = Fraction(0)
    start: Fraction = Fraction(0)
    duration: Fraction | None = None


def spread(source: Source, start: Fraction = Fraction(0), end: Fraction | None = None) -> list[Fraction]:
    """Times of a few moments of a stream."""
    end = end or source.facts.duration or start
    return [start + (end - start) * n / LOOKS for n in range(LOOKS)] if end > start else [start]


def image_of(frame: Frame, device: str = "cpu") -> Image:
    """A visible frame in [0, 1], (1, 1 or 3, h, w)."""
    samples = frame.samples if frame.samples.ndim == 3 else frame.samples[..., None]
    pixels = torch.from_numpy(samples.astype(np.int32) if samples.dtype == np.uint16 else samples).to(device)
    planes = pixels.permute(2, 0, 1)[None].to(torch.float32, memory_format=torch.contiguous_format)
    return planes.div_(2**frame.bits - 1)


def gray_image(frame: Frame, following: Following) -> Gray:
    """An infrared frame in [0, 1], (1, 1, h, w), by its own range."""
    [shown] = steady([frame], following)
    return torch.from_numpy(shown.gray)[None, None]


def lay_of(pair: Pair, laying: Laying | None, resize: bool) -> tuple[Lay, str]:
    """Where infrared lies over visible, and a note for the user."""
    facts = pair.visible.facts, pair.infrared.facts
    sizes = (facts[0].height, facts[0].width), (facts[1].height, facts[1].width)
    if laying is None:
        lay = same(*sizes, resize)
        return lay, _looks_shifted(lay, pair)
    step("aligning")
    looks = _looks(pair)
    if not looks:
        raise IrvisError("both streams have no moment in common: nothing can be aligned.")
    if isinstance(laying.where, Aligner) and laying.where.rig is None:
        placement, note = _together(looks, laying.where, pair.following)
    else:
        placement, note = _steadiest(laying, looks, pair.following), ""
    return placed(placement, *sizes, crop=laying.crop), note


def _together(
    looks: Mapping[str, tuple[Frame, Frame]], aligner: Aligner, following: Following
) -> tuple[Placement, str]:  # fmt: skip
    """One transform for all moments."""
    if aligner.flow:
        raise IrvisError("--align-flow bends each picture by itself: a video would waver. Leave it out.")
    span = _span(looks, aligner, following)
    found = together(list(looks), lambda name: _grays(*looks[name], following), aligner.model, span)
    if found.alignment.problem:
        raise IrvisError(found.alignment.problem)
    return found.alignment.matrix, f"aligned by {len(found.used)} of {len(looks)} moments: {found.alignment.told}"


def _span(looks: Mapping[str, tuple[Frame, Frame]], aligner: Aligner, following: Following) -> Range:
    """What is searched at each moment: what lies near what the first one that is sure says."""
    for visible, infrared in looks.values():
        try:
            first = estimate(*_grays(visible, infrared, following), aligner.model)
        except IrvisError:
            continue
        if first.sure:
            cover = max(full / other for full, other in zip(first.visible, first.infrared, strict=True))
            scale = 1 / (magnification(first.matrix, first.visible) * cover)
            angle = math.degrees(math.atan2(first.matrix[1, 0], first.matrix[0, 0]))
            steps = (-1, 0, 1)
            return Range(
                scales=tuple(scale * 2 ** (n / 8) for n in steps), angles=tuple(angle + 2 * n for n in steps)
            )  # fmt: skip
    return Range()


def _looks(pair: Pair) -> dict[str, tuple[Frame, Frame]]:
    """Pairs of frames at a few moments, by their times."""
    end = None if pair.duration is None else pair.start + pair.duration
    found: dict[str, tuple[Frame, Frame]] = {}
    for time in spread(pair.visible, pair.start, end):
        before = max((time - pair.offset) / (1 + pair.drift) - 2, Fraction(0))
        warm = pair.infrared.frames(before)
        both = paired(pair.visible.frames(time), warm, offset=pair.offset, drift=pair.drift)
        for one in islice(both, 1):
            found.setdefault(f"{float(one.visible.time):.2f} s", (one.visible, one.infrared))
    return found


def _grays(visible: Frame, infrared: Frame, following: Following) -> tuple[Gray, Scaled]:
    return gray(image_of(visible)), gray_image(infrared, following)


def _steadiest(laying: Laying, looks: Mapping[str, tuple[Frame, Frame]], following: Following) -> Placement:
    """Of what each moment says for itself, that which the others agree with most; of a rig alone, what it says."""
    found, problem = list[Placement](), IrvisError("nothing to align.")
    for visible, infrared in looks.values():
        try:
            image = image_of(visible).expand(1, 3, -1, -1)
            found.append(laying.where(image, gray_image(infrared, following), None))
        except IrvisError as error:
            problem = error
        if found and (found[0].ndim == 3 or not _varies(laying)):
            return found[0]
    if not found:
        raise problem
    there = grid(next(iter(looks.values()))[0].size)
    places = [moved(one, there) for one in found]
    apart = [[float(np.linalg.norm(a - b, axis=1).mean()) for b in places] for a in places]
    return found[int(np.argmin([np.median(row) for row in apart]))]


def _varies(laying: Laying) -> bool:
    """Whether it depends on what the frames show."""
    return not (isinstance(laying.where, Aligner) and laying.where.rig is not None and not laying.where.refine)


def _looks_shifted(lay: Lay, pair: Pair) -> str:
    """A warning where the first pair does not fit, though it should."""
    visible, infrared = _first(pair.visible.frames(pair.start)), _first(pair.infrared.frames(pair.start))
    if visible is None or infrared is None:
        return ""
    luma, of_infrared = _grays(visible, infrared, pair.following)
    shift = misalignment(luma, lay.over(of_infrared))
    if shift is None:
        return ""
    return f"infrared looks shifted: it should move by about ({shift[0]:+.0f}, {shift[1]:+.0f}) px: type --align"


def _first(frames: Iterable[Frame]) -> Frame | None:
    return next(iter(islice(frames, 1)), None)
