"""What is found out before a video is fused: both streams, their offset, the range, and where infrared lies."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Literal

from .. import survey
from ..data import matching
from ..errors import IrvisError
from ..io import Laying
from ..io.normalise import OWN
from ..steps import step
from ..thermal import polarity
from ..thermal.range import settled as settled_range
from ..thermal.range import with_curves
from ..types import Gray
from .aligning import Pair, gray_image, lay_of, spread
from .frame import Samples, Source
from .numbers import Numbers, unit_of
from .pairing import Match
from .range_following import Following
from .registration import Lay
from .source import is_video, open_source
from .time_offset import motion_of, offset_of


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Two streams, and how they are taken.

    infrared: None: `visible` holds both, as two video streams, or as two folders of images.
    streams: numbers of the video streams of visible and infrared, from 0.
    rates: frames a second of visible and of infrared images; None = 25, or what the files say.
    start, duration: seconds of visible that are left out, and that are fused.
    offset: seconds that are added to infrared's time stamps; "auto": found by what moves, and the drift, too.
    drift: seconds that infrared's clock is behind after a second of its time stamps.
    whole: one range and one polarity by a look at the whole stream first.
    """

    visible: str
    infrared: str | None = None
    streams: tuple[int | None, int | None] = (None, None)
    rates: tuple[Fraction | None, Fraction | None] = (None, None)
    start: Fraction = Fraction(0)
    duration: Fraction | None = None
    offset: Fraction | Literal["auto"] = Fraction(0)
    drift: Fraction = Fraction(0)
    match: Match = "nearest"
    color: Literal["refuse", "gray"] = "refuse"
    following: Following = field(default_factory=Following)
    whole: bool = False
    resize: bool = False
    laying: Laying | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """All that is needed to fuse frame after frame."""

    asked: Asked
    visible: Source
    infrared: Source
    offset: Fraction
    drift: Fraction
    following: Following
    lay: Lay
    notes: tuple[str, ...]


def open_pair(asked: Asked) -> tuple[Source, Source]:
    """Visible and infrared."""
    sensing, (first, second) = asked.following.sensing, asked.streams
    visible, infrared, number = asked.visible, asked.infrared or asked.visible, second or 0
    if asked.infrared is None or asked.infrared == asked.visible:
        if Path(visible).is_dir():
            one = matching.match(visible).pairs[0]
            visible, infrared = str(one.visible.parent), str(one.infrared.parent)
        elif is_video(visible):
            first, number = _both_in(visible, first, second)
        else:
            raise IrvisError(f"{visible} is one stream: give the infrared one too.")
    return (
        open_source(visible, rate=asked.rates[0], stream=first or 0),
        open_source(
            infrared, rate=asked.rates[1] or asked.rates[0], stream=number, gray=True, color=asked.color,
            sensing=sensing,
        ),
    )  # fmt: skip


def _both_in(file: str, first: int | None, second: int | None) -> tuple[int, int]:
    """The numbers of both streams of a file: counts are infrared; else visible comes first."""
    from .container import local, opened, video_streams

    with opened(local(file)) as container:
        streams = video_streams(container)
        deep = [str(getattr(stream.codec_context, "pix_fmt", "")).startswith("gray1") for stream in streams]
    if len(streams) < 2:
        raise IrvisError(f"{file} holds {len(streams)} video stream(s): give the infrared file too.")
    if first is None and second is None and deep[0] and not deep[1]:
        return 1, 0
    visible = first if first is not None else int(second == 0)
    return visible, second if second is not None else int(visible == 0)


def prepared(asked: Asked) -> Prepared:
    """Open both streams and look at them as far as what is asked needs it."""
    visible, infrared = open_pair(asked)
    notes = [f"visible: {note}" for note in visible.facts.notes]
    notes += [f"infrared: {note}" for note in infrared.facts.notes]
    if visible.facts.aspect != 1:
        notes.append(
            f"visible has pixels {float(visible.facts.aspect):.3g} times as wide as high: the fused video, too"
        )
    if asked.following.level and (infrared.facts.counts or asked.following.range is not None):
        raise IrvisError("--level-infrared is for 8-bit infrared that is taken as it is; a range follows by itself.")
    length = visible.facts.duration
    if length is not None and asked.start >= length:
        raise IrvisError(f"--start {float(asked.start):g} leaves nothing: visible is {float(length):.2f} s long.")
    offset, drift = asked.offset, asked.drift
    if offset == "auto":
        step("synchronising")
        offset, drift, note = _found_offset(visible, infrared, asked)
        notes.append(note)
    following, note = _settled(infrared, asked)
    notes += [note] if note else []
    pair = Pair(
        visible=visible,
        infrared=infrared,
        offset=offset,
        drift=drift,
        following=following,
        start=asked.start,
        duration=asked.duration,
    )
    lay, note = lay_of(pair, asked.laying, asked.resize)
    return Prepared(
        asked=asked, visible=visible, infrared=infrared, offset=offset, drift=drift, following=following, lay=lay,
        notes=(*notes, *([note] if note else [])),
    )  # fmt: skip


def _found_offset(visible: Source, infrared: Source, asked: Asked) -> tuple[Fraction, Fraction, str]:
    """Offset, drift, and what to tell of them."""
    seen = visible.frames(asked.start)
    found = offset_of(motion_of(seen), motion_of(infrared.frames(max(asked.start - 10, Fraction(0)))))
    told = f"{found.seconds:+.2f} s (correlation {found.correlation:.2f}, confidence {found.confidence:.1f})"
    if not found.sure:
        raise IrvisError(
            f"--sync auto is not sure: best is {told}, another offset reaches {found.rival:.2f}. Give --offset SECONDS"
        )
    if not found.drifts:
        return Fraction(round(found.seconds * 1000), 1000), Fraction(0), f"infrared is moved by {told}"
    note = (
        f"the clocks drift: infrared is moved by {found.begin:+.2f} ± {found.error:.2f} s at its start, and by "
        f"{found.drift:+.3%} ± {found.drift_error:.3%} of the time, as {found.span:.0f} s show (correlation "
        f"{found.correlation:.2f}, confidence {found.confidence:.1f})"
    )
    return Fraction(round(found.begin * 1000), 1000), Fraction(found.drift).limit_denominator(1_000_000), note


# ------------------------------------------------------------------------------------ the range


def _settled(infrared: Source, asked: Asked) -> tuple[Following, str]:
    """With the scale of the whole stream if asked for, and with a decided polarity; and a note for the user."""
    following = asked.following
    if asked.whole:
        following = _with_scale(infrared, following)
    if following.sensing.polarity == "black-hot" and infrared.facts.pixels == "counts":
        raise IrvisError("its counts rise with temperature: it is white-hot, leave --polarity black-hot out.")
    if following.sensing.polarity != "auto":
        return following, ""
    plain = replace(following, sensing=replace(following.sensing, polarity="white-hot"))
    odds = [polarity.evidence(picture) for picture in _looks(infrared, plain)]
    found, note = polarity.decided(polarity.together(odds))
    return replace(following, sensing=replace(following.sensing, polarity=found)), note


def _with_scale(infrared: Source, following: Following) -> Following:
    """Percentiles of all pixels of all frames, exact."""
    span = following.range or (OWN if infrared.facts.counts else None)
    if span is None:
        return following
    unit = unit_of(span, following.sensing)

    def values() -> Iterator[Samples]:
        numbers = Numbers(following.sensing)
        return (numbers.of(frame, unit) for frame in infrared.frames())

    scale = settled_range(span, lambda shares: survey.percentiles(values, shares), unit)
    if scale.curve == "contrast-limited":
        scale = with_curves(scale, values())
    return replace(following, scale=scale)


def _looks(infrared: Source, following: Following) -> Iterator[Gray]:
    """A few frames as gray, evenly spread."""
    for time in spread(infrared):
        for frame in islice(infrared.frames(time), 1):
            yield gray_image(frame, following)
