"""A source that is open: its pictures as they come, each with the moment at which it came.

Cameras and addresses are read as fast as they send. Files are played by their time stamps; so is an address that says
how long it lasts, and it ends like a file.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from threading import Event
from time import monotonic

from ..errors import IrvisError
from ..thermal import Sensing
from ..video import container as containers
from ..video import decode
from ..video.frame import Frame
from ..video.library import av, reason
from ..video.source import open_source
from .place import Place
from .timing import Clock

DRIVER = 5.0
"""Seconds that a camera's own time stamp may be behind: older ones are of another clock."""
SLOWEST, FASTEST = 1, 240
"""Frames a second that a container may claim; more is a unit of time, not a rate."""
DAMAGED = 100
"""Packets in a row that do not decode: the stream is opened anew."""
_END = 1.0
"""Seconds before the end that is claimed, from which on a stream is over and not interrupted."""


@dataclass(frozen=True, kw_only=True)
class Taking:
    """How pictures are taken."""

    gray: bool = False
    """The infrared side."""
    color: containers.Color = "refuse"
    sensing: Sensing = Sensing()  # noqa: RUF009
    timeout: float = 5.0
    """Seconds without anything, after which a stream is lost."""
    loop: bool = False
    """Of files: again from the beginning."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Opened:
    """An open source. `shots` ends where the source does; what goes wrong is an IrvisError."""

    shots: Iterator[tuple[Frame, float]]
    """Frames and the moments at which they came, on the monotonic clock."""
    rate: Fraction | None = None
    """Frames a second, as is claimed."""
    duration: float | None = None
    """Seconds, of what has an end."""
    notes: tuple[str, ...] = ()
    trouble: list[str] = field(default_factory=list)
    """What was wrong with a file; known when it has been read."""
    close: Callable[[], None] = lambda: None


Ending = Callable[[], float | None]
"""Seconds after which a file begins anew, where that is not its own end."""


def opened_file(place: Place, taking: Taking, clock: Clock, ending: Ending, stop: Event) -> Opened:
    """A file, at its own speed."""
    source = open_source(
        place.address, rate=place.rate, gray=taking.gray, color=taking.color, sensing=_uncut(taking.sensing)
    )
    facts = source.facts
    return Opened(
        shots=_played(source.frames, clock, taking.loop, ending, stop),
        rate=facts.rate,
        duration=None if facts.duration is None else float(facts.duration),
        notes=facts.notes,
        trouble=source.trouble,
        close=source.close,
    )


def _uncut(sensing: Sensing) -> Sensing:
    """Frames stay whole until they are fused: that is how they are recorded."""
    return replace(sensing, crop=None)


def _played(
    frames: Callable[[Fraction], Iterator[Frame]], clock: Clock, loop: bool, ending: Ending, stop: Event
) -> Iterator[tuple[Frame, float]]:  # fmt: skip
    lap, started = 0.0, False
    while not stop.is_set():
        last, step, shown = 0.0, 0.04, 0
        with closing(iter(frames(Fraction(0)))) as reading:  # type: ignore[type-var]
            for frame in reading:
                time = float(frame.time)
                if loop and (end := ending()) is not None and time >= end:
                    break
                if not started:
                    clock.start()
                    started = True
                taken = clock.wait_for(lap + time, stop)
                if stop.is_set():
                    return
                step, last, shown = time - last if shown else step, time, shown + 1
                yield frame, taken
        if not loop or not shown:
            return
        lap += ending() or last + step


def opened_live(place: Place, taking: Taking, size: tuple[int, int] | None, stop: Event) -> Opened:
    """A camera or an address. `size`: upright height and width that its pictures are brought to."""
    container = containers.opened(
        place.address, format=place.format, options=place.options, timeout=taking.timeout
    )  # fmt: skip
    try:
        stream = containers.choose(container)
        stream.codec_context.flags |= av.codec.context.Flags.low_delay
        length = None if place.kind == "device" or container.duration is None else container.duration / av.time_base
        rate = stream.average_rate or stream.guessed_rate
        shots = _received(container, stream, taking, size, stop)
        return Opened(
            shots=shots if not length else _in_time(shots, float(length), place, stop),
            rate=rate if rate and SLOWEST <= rate <= FASTEST else place.rate,
            duration=length,
            close=container.close,
        )
    except BaseException:
        container.close()
        raise


def _in_time(
    shots: Iterator[tuple[Frame, float]], length: float, place: Place, stop: Event
) -> Iterator[tuple[Frame, float]]:  # fmt: skip
    """What has an end is played by its time stamps; ending early is being interrupted."""
    clock, first, last = Clock(1), None, 0.0
    for frame, _ in shots:
        if first is None:
            clock.start()
            first = float(frame.time)
        last = float(frame.time) - first
        yield frame, clock.wait_for(last, stop)
    if last < length - _END:
        raise IrvisError(f"{place.shown} broke off at {last:.1f} s of {length:.1f} s")


def _received(
    container: av.container.InputContainer, stream: av.VideoStream, taking: Taking, size: tuple[int, int] | None,
    stop: Event,
) -> Iterator[tuple[Frame, float]]:  # fmt: skip
    """Pictures of an open container, with the moment at which the packet of each came."""
    for other in container.streams:
        other.discard = av.stream.Discard.default if other is stream else av.stream.Discard.all
    came: dict[int | None, float] = {}
    number, damaged = 0, 0
    for packet in _packets(container, stream, taking.timeout):
        if stop.is_set():
            return
        came[packet.pts] = stamp(monotonic(), packet, container.format.name)
        try:
            pictures = packet.decode()
        except (av.error.EOFError, av.error.BlockingIOError):
            continue
        except av.FFmpegError as error:
            damaged += 1
            if damaged >= DAMAGED:
                raise IrvisError(f"{damaged} packets in a row are damaged: {reason(error)}") from error
            continue
        for picture in pictures:
            damaged = 0
            taken = came.pop(picture.pts, None) or monotonic()
            if taking.gray and taking.color == "refuse" and number % containers.CHECKED == 0:
                containers.refuse_coloured(picture, "infrared")
            frame = _frame(picture, taking.gray, str(stream.codec_context.name), size)
            yield frame, taken
            size, number = size or frame.size, number + 1
        while len(came) > 100:
            came.pop(next(iter(came)))


def _frame(picture: av.VideoFrame, gray: bool, codec: str, size: tuple[int, int] | None) -> Frame:
    """At the time that the stream says; of this upright size, where one is given."""
    if size is not None:
        height, width = size[::-1] if decode.lies(picture) else size
        if (picture.height, picture.width) != (height, width):
            picture = picture.reformat(width=width, height=height)
    time = Fraction(0) if picture.pts is None or picture.time_base is None else picture.pts * picture.time_base
    return containers.frame_of(picture, time, gray=gray, codec=codec)


def _packets(
    container: av.container.InputContainer, stream: av.VideoStream, timeout: float
) -> Iterator["av.Packet[av.VideoStream]"]:  # fmt: skip
    try:
        yield from container.demux(stream)
    except av.error.ExitError as error:
        raise IrvisError(f"nothing came for {timeout:g} s") from error
    except (av.FFmpegError, OSError) as error:
        raise IrvisError(f"it broke off: {reason(error)}") from error


def stamp(now: float, packet: "av.Packet[av.VideoStream]", format: str) -> float:
    """When a packet was taken: as the camera's driver says, where its clock is the system's, else now.

    Drivers of V4L2 stamp frames on CLOCK_MONOTONIC when they arrive from the camera.
    """
    if "v4l2" not in format or packet.pts is None or packet.time_base is None:
        return now
    said = float(packet.pts * packet.time_base)
    return said if 0 <= now - said <= DRIVER else now
