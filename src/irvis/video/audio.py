"""Sound from one file to another: packets are copied as they are, and coded anew only where the file takes no such."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any

from .container import local, opened, origin
from .library import av
from .stamps import LEAP


class Audio:
    """The sound of a file, on its way into a container whose pictures are being written.

    Streams that cannot be copied are coded anew; those that cannot be coded either are left out, and `notes` says so.
    Damaged packets, and those whose time goes back, are left out, too: pictures do not suffer from them.
    start: seconds of the file that are left out; later ones move up by as much.
    """

    def __init__(self, out: av.container.OutputContainer, file: str, start: Fraction = Fraction(0)) -> None:
        self.out, self.start, self.notes = out, start, list[str]()
        self.copied: dict[int, av.AudioStream] = {}
        self.coded: dict[int, av.AudioStream] = {}
        self._last, self._doubted = dict[int, Fraction](), set[int]()
        self._file = opened(local(file))
        self._zero = origin(self._file) + start
        for stream in self._file.streams.audio:
            self._add(stream)
        self._packets = self._read()
        self._next = next(self._packets, None)

    def until(self, time: Fraction) -> None:
        """Write what is heard before `time`, in seconds of the new file."""
        while self._next is not None and self._next[0] < time:
            self._write(self._next[1])
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Write what the encoders still hold; nothing more is read."""
        try:
            for stream in self.coded.values():
                with suppress(av.FFmpegError):  # nothing was coded
                    self.out.mux(stream.encode(None))
        finally:
            self._file.close()

    def _add(self, stream: av.AudioStream) -> None:
        name = stream.codec_context.name if stream.codec_context else "an unknown codec"
        try:
            self.copied[stream.index] = self.out.add_stream_from_template(stream)
            return
        except (ValueError, av.FFmpegError):
            pass
        codec = _CODERS.get(self.out.default_audio_codec, self.out.default_audio_codec)
        try:
            coded: Any = self.out.add_stream(codec, rate=_rate(codec, stream.rate))
            coded.codec_context.layout = stream.layout.name
            self.coded[stream.index] = coded
            self.notes.append(f"sound was coded anew, {name} to {codec}: such a file takes no {name}")
        except (ValueError, av.FFmpegError):
            self.notes.append(f"sound was left out: such a file takes no {name}")

    def _read(self) -> Iterator[tuple[Fraction, Any]]:
        """Packets that are kept, each with its time in the new file."""
        streams = [stream for stream in self._file.streams.audio if stream.index in {*self.copied, *self.coded}]
        if not streams:
            return
        if self.start > 0:
            try:
                self._file.seek(int(self._zero * av.time_base))
            except av.FFmpegError:
                self.notes.append("sound cannot be wound forward")
        packets = self._file.demux(*streams)
        least = -_PRIMING if not self.start and self.out.format.name in _EDITED else Fraction(0)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError):
                return
            if packet.pts is None or packet.dts is None or not self._rises(packet):
                continue
            time = packet.pts * packet.time_base - self._zero
            if time >= least:
                yield time, packet

    def _rises(self, packet: Any) -> bool:
        """Whether its time may be believed; that of the first packet after a leap is not."""
        index, time = packet.stream.index, packet.dts * packet.time_base
        last = self._last.get(index, time - 1)
        if time <= last:
            return False
        if time > last + LEAP and index not in self._doubted:
            self._doubted.add(index)
            return False
        self._doubted.discard(index)
        self._last[index] = time
        return True

    def _write(self, packet: Any) -> None:
        with suppress(av.FFmpegError):  # a damaged packet: silence
            if packet.stream.index in self.copied:
                self._copy(packet)
            else:
                self._code(packet)

    def _copy(self, packet: Any) -> None:
        back = round(self._zero / packet.time_base)
        packet.pts, packet.dts = packet.pts - back, packet.dts - back
        packet.stream = self.copied[packet.stream.index]
        self.out.mux(packet)

    def _code(self, packet: Any) -> None:
        coded = self.coded[packet.stream.index]
        for frame in packet.decode():
            if frame.pts is not None and frame.time_base is not None:
                frame.pts -= round(self._zero / frame.time_base)
            self.out.mux(coded.encode(frame))


_PRIMING = Fraction(1, 10)
"""Seconds of sound before the first picture that are kept, where the file can say that they are not heard."""
_EDITED = ("mp4", "mov", "ipod")
_CODERS = {"vorbis": "libvorbis", "opus": "libopus"}
"""FFmpeg's own are worse."""


def _rate(codec: str, rate: int) -> int:
    """Samples a second that the encoder takes."""
    return 48000 if codec == "libopus" else rate
