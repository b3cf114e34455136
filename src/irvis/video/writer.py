"""Frames to a video file that is whole or does not bear its name, or to a folder of numbered pictures."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import TracebackType

import numpy as np

from .. import io
from ..errors import IrvisError
from ..files import unfinished
from ..io.samples import tensor
from ..types import Meta
from .audio import Audio
from .codecs import codec_of, options_of, pixels_of
from .frame import Samples
from .library import av, reason

_SHARP = av.video.reformatter.Interpolation.BILINEAR | av.video.reformatter.Interpolation.ACCURATE_RND
_LIMITED, _FULL, _BT709 = 1, 2, 1
_TICKS = 10_000
"""A second has at least so many moments at which a frame can be shown."""
_RESERVE, _INDEX = 4_000_000, 100
"""Bytes that must be free on the disk, and more for each frame: a file is ended as long as there is room to."""

WHOLE = "times.csv"
"""In a folder of pictures that is whole."""
_HEAD, _NUMBERED = "picture,seconds", re.compile(r"\d{6,}\.\w+")


def part_of(path: Path) -> Path:
    """What a file is called that was not finished: NAME.part.mp4 beside NAME.mp4."""
    return path.with_name(f"{path.stem}.part{path.suffix}")


def tick_of(rate: Fraction) -> Fraction:
    """The unit of time of a file: frames of this rate fall on whole units, and others can, to 0.1 ms."""
    return Fraction(1, rate.numerator * ceil(Fraction(_TICKS, rate.numerator)))


class Writer:
    """A video file that is written frame by frame; a context manager.

    The file appears under its name when all went well. Whatever else ends the writing (an error, Ctrl-C, a generator
    that is closed), what was written is finished as `part_of(path)` and plays; `part` then says where.

    Parameters
    ----------
    path: .mp4, .m4v, .mov, .mkv or .webm; the folder is made.
    rate: frames a second, the usual step; frames may come at any times that rise.
    size: height and width of all frames.
    codec: a name of `coding.CODECS` or of an encoder of FFmpeg; None: that of the suffix.
    crf: the codec's own scale of quality, lower is better.
    pixel_format: FFmpeg's name. None: 4:2:0 (4:4:4 where a side is odd); FFV1 keeps RGB, gray and counts exactly.
    aspect: width of a pixel over its height.
    audio_from: a file whose sound is copied, from `audio_start` seconds on.
    about: metadata of the file.

    YUV is written as BT.709, limited range, and tagged so.
    """

    def __init__(
        self,
        path: Path,
        *,
        rate: Fraction,
        size: tuple[int, int],
        codec: str | None = None,
        crf: float | None = None,
        pixel_format: str | None = None,
        aspect: Fraction = Fraction(1),
        audio_from: str | None = None,
        audio_start: Fraction = Fraction(0),
        about: Mapping[str, str] | None = None,
    ) -> None:
        self.path, self.rate, self.size, self.aspect = path, rate, size, aspect
        self.codec = codec_of(path, codec)
        self.options, self.asked = options_of(self.codec, crf), pixel_format
        self.audio_from, self.audio_start, self.about = audio_from, audio_start, dict(about or {})
        self.frames, self.notes = 0, list[str]()
        self.part: Path | None = None
        self._files = ExitStack()
        self._unfinished: Path
        self._container: av.container.OutputContainer | None = None
        self._stream: av.VideoStream
        self._audio: Audio | None = None
        self._last = -1

    def __enter__(self) -> "Writer":
        return self

    def write(self, samples: Samples, time: Fraction) -> None:
        """One frame, (h, w, 3) uint8, (h, w) uint8 or uint16, shown `time` seconds after the file begins."""
        if samples.shape[:2] != self.size:
            raise IrvisError(f"{self.path}: a frame is {samples.shape[1]}x{samples.shape[0]}, not like those before.")
        with self._telling():
            if self._container is None:
                self._begin(samples)
            self._refuse_a_full_disk(samples)
            if self._audio is not None:
                self._audio.until(time)
            picture = self._picture(samples)
            unit = tick_of(self.rate)
            self._last = max(self._last + 1, round(time / unit))
            picture.pts, picture.time_base = self._last, unit
            picture.duration = round(1 / self.rate / unit)
            assert self._container is not None
            self._container.mux(self._stream.encode(picture))
        self.frames += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        finished = False
        with self._files, self._telling():
            try:
                self._finish()
                finished = kind is None
            except Exception:  # what ended the writing counts, not that its file cannot be finished
                if kind is None:
                    raise
            finally:
                self._name(finished)

    def _name(self, finished: bool) -> None:
        if self.frames and finished:
            self._unfinished.replace(self.path)
        elif self.frames and _plays(self._unfinished):
            with suppress(OSError):
                self._unfinished.replace(part_of(self.path))
                self.part = part_of(self.path)

    def _refuse_a_full_disk(self, samples: Samples) -> None:
        """While what there is can still be finished."""
        left = shutil.disk_usage(self._unfinished.parent).free
        if left < _RESERVE + _INDEX * self.frames + 3 * samples.nbytes:
            raise IrvisError(f"{self.path} cannot be written: the disk is full ({left / 1e6:.1f} MB are left).")

    def _begin(self, samples: Samples) -> None:
        self._unfinished = self._files.enter_context(unfinished(self.path, self.path.suffix))
        pixels = pixels_of(self.codec, self.asked, samples)
        if pixels == "yuv444p" and self.asked is None:
            self.notes.append("a side is odd: coded as 4:4:4, which not every player shows")
        self._container = av.open(str(self._unfinished.absolute()), "w", container_options=_muxing(self.path))
        self._container.metadata.update(self.about)
        self._stream = self._video(self._container, pixels)
        try:
            self._stream.codec_context.open()
        except av.FFmpegError as error:
            raise IrvisError(
                f"{self.path}: {self.codec.encoder} cannot code {self.size[1]}x{self.size[0]} {pixels}: "
                f"{reason(error)}; take another --codec or --pixel-format"
            ) from error
        if self.audio_from is not None:
            self._audio = Audio(self._container, self.audio_from, self.audio_start)
            self.notes += self._audio.notes

    def _video(self, container: av.container.OutputContainer, pixels: str) -> av.VideoStream:
        try:
            stream = container.add_stream(self.codec.encoder, rate=self.rate, options=self.options)
        except ValueError as error:
            raise IrvisError(f"{self.path}: a {self.path.suffix} file takes no {self.codec.encoder}") from error
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.height, context.width = self.size
        context.pix_fmt, context.time_base = pixels, tick_of(self.rate)
        context.sample_aspect_ratio = self.aspect
        context.flags |= av.codec.context.Flags.frame_duration
        if self.codec.tag and self.path.suffix.lower() != ".mkv":
            context.codec_tag = self.codec.tag
        if pixels.startswith(("yuv", "nv", "p0")):
            context.colorspace = context.color_primaries = context.color_trc = _BT709
            context.color_range = _LIMITED
        elif pixels.startswith("gray"):
            context.color_range = _FULL
        return stream

    def _picture(self, samples: Samples) -> av.VideoFrame:
        kind = "rgb24" if samples.ndim == 3 else "gray16le" if samples.dtype == np.uint16 else "gray"
        picture = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(samples), kind)
        picture.color_range = _FULL
        wanted = str(self._stream.codec_context.pix_fmt)
        if wanted == kind:
            return picture
        if wanted.startswith(("yuv", "nv", "p0")):
            return picture.reformat(
                format=wanted, dst_colorspace=_BT709, dst_color_range=_LIMITED, interpolation=_SHARP, threads=1
            )
        return picture.reformat(format=wanted, interpolation=_SHARP, threads=1)

    def _finish(self) -> None:
        """Flush, close; nothing if nothing was begun."""
        container, self._container = self._container, None
        if container is None:
            return
        try:
            container.mux(self._stream.encode(None))
            if self._audio is not None:
                self._audio.until(self._last * tick_of(self.rate) + 1 / self.rate)
        finally:
            try:
                if self._audio is not None:
                    self._audio.close()
            finally:
                container.close()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What FFmpeg cannot do is an IrvisError that names the file."""
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            raise IrvisError(f"{self.path} cannot be written: {reason(error)}.") from error


def _plays(path: Path) -> bool:
    """Whether a picture of it can be decoded."""
    try:
        with av.open(str(path.absolute())) as file:
            return next(file.decode(video=0), None) is not None
    except (av.FFmpegError, OSError, IndexError):
        return False


def _muxing(path: Path) -> dict[str, str]:
    """No random numbers (Matroska's) and no dates; the index at the beginning: a browser plays it while it loads."""
    early = {"movflags": "+faststart"} if path.suffix.lower() in (".mp4", ".m4v", ".mov") else {}
    return {"fflags": "+bitexact", **early}


class PictureWriter:
    """A folder of numbered pictures and `times.csv`, with the interface of `Writer`.

    Each picture is whole or not there; what was written stays, whatever ends the writing. The times are in
    `times.part.csv` until all went well, then in `times.csv`. Pictures of an earlier video that these list are removed.
    """

    def __init__(self, folder: Path, *, format: str = "png", quality: int = 95, made: str = "") -> None:
        self.path, self.format, self.quality, self.made = folder, format, quality, made
        self.frames, self.notes = 0, list[str]()
        self.part: Path | None = None

    def __enter__(self) -> "PictureWriter":
        return self

    def write(self, samples: Samples, time: Fraction) -> None:
        """One frame, see `Writer.write`."""
        if not self.frames:
            self._begin()
        name = f"{self.frames + 1:06d}.{self.format}"
        full = 65535 if samples.dtype == np.uint16 else 255
        picture = tensor(samples if samples.ndim == 3 else samples[..., None]) / full
        with self._times.open("a") as times:
            times.write(f"{name},{float(time):.6f}\n")
        meta = Meta(depth=16 if full == 65535 else 8, made=self.made)
        io.write(self.path / name, picture, meta, quality=self.quality)
        self.frames += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.frames:
            return
        if kind is None:
            self._times.replace(self.path / WHOLE)
        else:
            self.part = self.path

    @property
    def _times(self) -> Path:
        return part_of(self.path / WHOLE)

    def _begin(self) -> None:
        """Without the pictures of an earlier video, which may have been longer."""
        self.path.mkdir(parents=True, exist_ok=True)
        for listing in (self.path / WHOLE, self._times):
            if listing.is_file():
                for line in listing.read_text().splitlines()[1:]:
                    if _NUMBERED.fullmatch(name := line.split(",")[0]):
                        (self.path / name).unlink(missing_ok=True)
                listing.unlink()
        self._times.write_text(f"{_HEAD}\n")
