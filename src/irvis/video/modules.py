"""Frames of camera modules inside a stream: telemetry rows taken off, and the part that is the image."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np

from ..cameras import layouts
from ..errors import IrvisError
from ..thermal import Sensing
from .frame import Frame, Source


def shaped(frame: Frame, sensing: Sensing) -> Frame:
    """An infrared frame as it is to be taken: `sensing.crop`, or without the extra rows of a known camera module."""
    if sensing.crop is not None:
        left, top, width, height = sensing.crop
        part = frame.samples[top : top + height, left : left + width]
        if part.shape[:2] != (height, width):
            raise IrvisError(
                f"frames are {frame.size[1]}x{frame.size[0]}: --infrared-crop {left},{top},{width},{height} reaches "
                "beyond them."
            )
        return replace(frame, samples=part)
    if frame.radiometric is not None or frame.samples.dtype != np.uint16 or not layouts.layout_of(*frame.size[::-1]):
        return frame
    found = layouts.split(frame.samples, kelvin_per_count=sensing.kelvin_per_count).radiometric
    return replace(frame, samples=found.counts, radiometric=found)


def cut(source: Source, sensing: Sensing) -> Source:
    """A source whose frames are `shaped`."""
    first = next(islice(source.frames(), 1), None)
    if first is None:
        return source
    height, width = shaped(first, sensing).size
    if (height, width) == first.size and first.radiometric is not None and sensing.crop is None:
        return source

    def read(start: Fraction) -> Iterator[Frame]:
        return (shaped(frame, sensing) for frame in source.read(start))

    facts = replace(source.facts, width=width, height=height)
    return replace(source, facts=facts, read=read)
