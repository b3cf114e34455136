"""Files, devices and addresses that FFmpeg opens: their video streams as frames.

What is damaged is left out and told: a packet that does not decode, a file that ends before it should. Pictures whose
size changes on the way are scaled to that of the first.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from ..errors import IrvisError
from ..io import infrared_of
from . import decode
from .frame import Facts, Frame, Source
from .library import av, reason
from .stamps import Steps, Told, rising

Color = Literal["refuse", "gray"]
THREADS = 2
"""Of a decoder: it shares the processor with the fusion."""
CHECKED = 64
"""Every so many infrared pictures one is looked at for pseudo-colours."""
MARGINS = Fraction(0), Fraction(2), Fraction(15)
"""Seconds by which reading begins earlier, where it would begin too late."""


def opened(
    file: str, *, format: str | None = None, options: Mapping[str, str] | None = None, timeout: float | None = None
) -> av.container.InputContainer:
    """A container that is open for reading. `format` and `options`: of FFmpeg (v4l2, rtsp_transport, …)."""
    try:
        return av.open(file, "r", format=format, options=dict(options or {}), timeout=timeout)
    except av.error.FileNotFoundError as error:
        raise IrvisError(f"{file}: no such file.") from error
    except av.error.InvalidDataError as error:
        raise IrvisError(f"{file} is no video, or its beginning or its index is damaged.") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise IrvisError(f"{file} cannot be opened: {reason(error)}.") from error


def local(file: str) -> str:
    """A path that FFmpeg takes for no protocol, whatever colons it holds."""
    return str(Path(file).absolute())


def video_streams(container: av.container.InputContainer) -> list[av.VideoStream]:
    """Without cover pictures."""
    cover = av.stream.Disposition.attached_pic
    return [stream for stream in container.streams.video if not stream.disposition & cover]


def choose(container: av.container.InputContainer, number: int = 0) -> av.VideoStream:
    """The video stream with this number, from 0."""
    streams = video_streams(container)
    if not streams:
        raise IrvisError(f"{container.name} holds no video stream.")
    if number >= len(streams):
        raise IrvisError(f"{container.name} holds {len(streams)} video stream(s), counted from 0: no {number}.")
    if streams[number].codec_context is None:
        raise IrvisError(f"{container.name} is coded in a way that this FFmpeg does not know.")
    return streams[number]


def origin(container: av.container.InputContainer) -> Fraction:
    """Seconds on the container's clock at which its first pictures come. Sound may begin earlier: it does not count."""
    streams = video_streams(container)
    starts = [one.start_time * one.time_base for one in streams if one.start_time is not None and one.time_base]
    return min(starts, default=Fraction(container.start_time or 0, av.time_base))


def frames_of(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    *,
    gray: bool = False,
    color: Color = "refuse",
    zero: Fraction = Fraction(0),
    size: tuple[int, int] | None = None,
    trouble: list[str] | None = None,
) -> Iterator[Frame]:
    """Frames of an open container from where it stands, in order of time.

    gray: (h, w) for every frame, see `decode.samples_of`. Pseudo-colours, looked for now and then, are an IrvisError
    unless `color` is "gray".
    zero: what is subtracted from the time stamps, seconds.
    size: stored width and height; others are scaled to it. None: that of the first picture.
    trouble: gets a line for each thing that is wrong.
    """
    name, told = str(stream.codec_context.name), [] if trouble is None else trouble
    rate = stream.average_rate or stream.guessed_rate
    for number, (picture, time) in enumerate(rising(pictures(container, stream, told), rate, zero, told)):
        size = size or (picture.width, picture.height)
        if (picture.width, picture.height) != size:
            _tell_once(told, f"its pictures change to {picture.width}x{picture.height}", f"at {float(time):.2f} s")
            picture = picture.reformat(width=size[0], height=size[1])
        if gray and color == "refuse" and number % CHECKED == 0:
            refuse_coloured(picture, container.name)
        yield frame_of(picture, time, gray=gray, codec=name)


def frame_of(picture: av.VideoFrame, time: Fraction, *, gray: bool = False, codec: str = "") -> Frame:
    """A decoded picture as a frame."""
    samples = decode.samples_of(picture, gray=gray, codec=codec)
    bits = 8 if samples.dtype == np.uint8 else max(decode.bits_of(picture.format), 9)
    lasts = Fraction(0) if not picture.duration or picture.time_base is None else picture.duration * picture.time_base
    return Frame(time=time, samples=samples, bits=bits, lasts=lasts)


def _tell_once(trouble: list[str], what: str, when: str) -> None:
    if not any(line.startswith(what) for line in trouble):
        trouble.append(f"{what} {when}: from there on they are scaled to the first size")


def refuse_coloured(picture: av.VideoFrame, name: str) -> None:
    """Raise what `io` raises for a pseudo-coloured infrared image."""
    if decode.is_gray(picture.format) or decode.hides_counts(picture):
        return
    try:
        infrared_of(decode.rgb(picture), None, "refuse")
    except IrvisError as error:
        raise IrvisError(f"{name}: {error}") from error


def pictures(
    container: av.container.InputContainer, stream: av.VideoStream, trouble: list[str]
) -> Iterator[av.VideoFrame]:
    """What decodes, undamaged or concealed by the decoder."""
    damaged = 0
    for other in container.streams:
        other.discard = av.stream.Discard.default if other is stream else av.stream.Discard.all
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except av.FFmpegError as error:
            trouble.append(f"it cannot be read to its end: {reason(error)}")
            break
        try:
            yield from packet.decode()
        except (av.error.EOFError, av.error.BlockingIOError):
            continue
        except av.FFmpegError:
            damaged += 1
    if damaged:
        trouble.append(f"{damaged} damaged packets were left out")


@dataclass(frozen=True, kw_only=True)
class _File:
    """What is opened, anew for each pass."""

    name: str
    stream: int
    gray: bool
    color: Color
    format: str | None
    options: Mapping[str, str] | None

    def opened(self) -> av.container.InputContainer:
        return opened(local(self.name), format=self.format, options=self.options)


def file_source(
    name: str, *, stream: int = 0, gray: bool = False, color: Color = "refuse",
    format: str | None = None, options: Mapping[str, str] | None = None,
) -> Source:  # fmt: skip
    """A video file. `gray`: as infrared, see `frames_of`."""
    file = _File(name=name, stream=stream, gray=gray, color=color, format=format, options=options)
    with file.opened() as container:
        chosen = choose(container, stream)
        first = next(pictures(container, chosen, []), None)
        if first is None:
            raise IrvisError(f"{name} holds no picture that can be decoded.")
        facts = facts_of(name, container, chosen, first, gray)
    if gray and color == "refuse":
        refuse_coloured(first, name)
    told = Told()
    read = partial(_read, file, facts, (first.width, first.height), told)
    return Source(facts=facts, read=read, trouble=told.trouble, remarks=told.remarks)


def facts_of(
    name: str, container: av.container.InputContainer, stream: av.VideoStream, first: av.VideoFrame, gray: bool = False
) -> Facts:  # fmt: skip
    """By what the container says, and its first picture."""
    lies = decode.lies(first)
    width, height = (first.height, first.width) if lies else (first.width, first.height)
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return Facts(
        name=name,
        width=width,
        height=height,
        rate=stream.average_rate or stream.guessed_rate or None,
        duration=_duration(container, stream),
        counts=gray and decode.samples_of(first, gray=True).dtype == np.uint16,
        pixels=first.format.name,
        turned=decode.turned(first),
        aspect=1 / aspect if lies else aspect,
        audio=bool(container.streams.audio),
        notes=tuple(decode.told_of(first)),
    )


def _wind(container: av.container.InputContainer, stream: av.VideoStream, zero: Fraction, start: Fraction) -> None:
    """To a picture at `start` or before. A file without an index leads to one that is too late: further back then."""
    for margin in (*MARGINS, start + MARGINS[-1]):
        to = int((zero + start - margin) * av.time_base)
        with suppress(av.FFmpegError):  # what cannot be wound forward is read from its beginning
            container.seek(to)
            first = next(frames_of(container, stream, zero=zero), None)
            container.seek(to)
            if first is not None and first.time <= start:
                return


def _duration(container: av.container.InputContainer, stream: av.VideoStream) -> Fraction | None:
    """Of the stream where it is known, else of the whole file. Matroska says it in words, and counts from 0."""
    if stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    words = stream.metadata.get("DURATION", "").split(":")
    if len(words) == 3:
        try:
            hours, minutes, seconds = (Fraction(word) for word in words)
        except ValueError:
            return None
        return hours * 3600 + minutes * 60 + seconds - max(origin(container), Fraction(0))
    return None if container.duration is None else Fraction(container.duration, av.time_base)


def _read(file: _File, facts: Facts, size: tuple[int, int], told: Told, start: Fraction) -> Iterator[Frame]:
    """A pass over a file, from `start` seconds on."""
    with file.opened() as container:
        stream, zero = choose(container, file.stream), origin(container)
        stream.thread_type, stream.codec_context.thread_count = av.codec.context.ThreadType.AUTO, THREADS
        if start > 0:
            _wind(container, stream, zero, start)
        steps = Steps(facts.rate)
        for frame in frames_of(
            container, stream, gray=file.gray, color=file.color, zero=zero, size=size, trouble=told.trouble
        ):
            steps.add(frame.time, frame.lasts)
            if frame.time >= start:
                yield frame
    steps.tell(told, facts.duration)
