"""Options of videos."""

from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from ..errors import IrvisError

if TYPE_CHECKING:
    from ..thermal import Drawing, Range, Sensing
    from ..video.job import Asked, Coding
    from ..video.range_following import Following
    from .output import OutputOptions

VIDEO = Group("Video", sort_key=6)
WRITTEN = (".mp4", ".m4v", ".mov", ".mkv", ".webm")


@Parameter(group=VIDEO)
@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """For videos, SEQ and CSQ files, and images in sequence (a folder, a glob, frames/%04d.png)."""

    fps: Annotated[
        str | None,
        Parameter(
            help="Frame rate, 30 or 30000/1001, of image sequences, or of the output for videos. Default: as visible."
        ),
    ] = None
    infrared_fps: Annotated[str | None, Parameter(help="Frame rate of infrared images, if different.")] = None
    start: Annotated[str | None, Parameter(help="Seconds, or 1:30, to skip at the start of visible.")] = None
    duration: Annotated[str | None, Parameter(help="Seconds, or 1:30, to fuse.")] = None
    offset: Annotated[float | None, Parameter(help="Seconds added to the time stamps of infrared.")] = None
    drift: Annotated[
        str | None,
        Parameter(
            help="Seconds to add to infrared's time stamps per second (0.0057), or a ratio (30/29.83), if clocks drift."
        ),
    ] = None
    sync: Annotated[
        Literal["stamps", "auto"],
        Parameter(help="auto: estimate offset and drift from motion in both; an error if uncertain."),
    ] = "stamps"
    infrared_frames: Annotated[
        Literal["nearest", "interpolated"], Parameter(help="Infrared frame for a time between two frames.")
    ] = "nearest"
    visible_stream: Annotated[int | None, Parameter(help="Number of the video stream in the file, from 0.")] = None
    infrared_stream: Annotated[int | None, Parameter(help="Number of the video stream in the file, from 0.")] = None
    range_seconds: Annotated[
        float | None, Parameter(help="Time constant of a percentile range, in seconds. Default: 10.")
    ] = None
    level_infrared: Annotated[
        bool, Parameter(negative="", help="Reverse the camera's automatic gain in 8-bit infrared.")
    ] = False
    steady: Annotated[bool | None, Parameter(help="Suppress flicker where nothing moves. Default: yes.")] = None
    codec: Annotated[
        str | None,
        Parameter(help="h264, hevc, vp9, av1, ffv1, prores, or an encoder of FFmpeg. Default: by the suffix."),
    ] = None
    crf: Annotated[
        float | None, Parameter(help="Quality on the codec's scale; lower is better. Default: 20 (h264).")
    ] = None
    pixel_format: Annotated[
        str | None, Parameter(help="Pixel format by FFmpeg's name. Default: yuv420p, or the nearest possible.")
    ] = None
    audio: Annotated[bool | None, Parameter(help="Copy the sound of visible. Default: yes.")] = None

    @property
    def given(self) -> tuple[str, ...]:
        """Options that are not at their default."""
        found = [one.name for one in fields(self) if getattr(self, one.name) != one.default]
        return tuple(f"--{name.replace('_', '-')}" for name in found)

    def __post_init__(self) -> None:
        if self.range_seconds is not None and not self.range_seconds >= 0:
            raise IrvisError(f"--range-seconds is 0 or more, not {self.range_seconds:g}")
        for name in ("visible_stream", "infrared_stream"):
            if (getattr(self, name) or 0) < 0:
                raise IrvisError(f"--{name.replace('_', '-')} is 0 or more")
        if self.sync == "auto" and (self.offset is not None or self.drift is not None):
            raise IrvisError("--sync auto finds offset and drift: leave --offset and --drift out, or give them alone")
        drift_of(self.drift)
        rate_of(self.fps, "--fps"), rate_of(self.infrared_fps, "--infrared-fps")
        seconds_of(self.start, "--start"), seconds_of(self.duration, "--duration")

    def refuse_for_pictures(self) -> None:
        """Where pairs of pictures are fused."""
        if self.given:
            raise IrvisError(f"{self.given[0]} is for videos: give video files, or a video ({WRITTEN[0]} …) as --out")

    def following(self, sensing: "Sensing", span: "Range | None", range_per: str | None) -> "Following":
        """How infrared becomes gray."""
        from ..video.range_following import SECONDS, Following

        if range_per is not None and self.range_seconds is not None:
            raise IrvisError("--range-seconds is a range that follows, --range-per one that does not: give one of them")
        seconds = SECONDS if self.range_seconds is None else self.range_seconds
        seconds = 0.0 if range_per == "image" else seconds
        return Following(range=span, seconds=seconds, level=self.level_infrared, sensing=sensing)

    def asked(self, visible: str, infrared: str | None, following: "Following") -> "Asked":
        """Both streams."""
        from ..video.job import Asked

        return Asked(
            visible=visible, infrared=infrared, streams=(self.visible_stream, self.infrared_stream),
            rates=(rate_of(self.fps, "--fps"), rate_of(self.infrared_fps, "--infrared-fps")),
            start=seconds_of(self.start, "--start") or Fraction(0), duration=seconds_of(self.duration, "--duration"),
            offset="auto" if self.sync == "auto" else Fraction(str(self.offset or 0)), drift=drift_of(self.drift),
            match=self.infrared_frames, following=following,
        )  # fmt: skip

    def coding(self, out: Path, visible: str, output: "OutputOptions", drawing: "Drawing") -> "Coding":
        """What is written. Images keep the rate that is said, and their holes; videos are given it anew."""
        from ..video.job import Coding

        return Coding(
            out=out, codec=self.codec, crf=self.crf, pixel_format=self.pixel_format,
            rate=rate_of(self.fps, "--fps") if Path(visible).is_file() else None,
            audio=self.audio is not False, hold=self.steady is not False, color=output.color,
            format=output.format or "png", quality=output.quality, if_exists=output.if_exists, drawing=drawing,
        )  # fmt: skip


def drift_of(text: str | None) -> Fraction:
    """Seconds a second, as 0.0057, or what a ratio of rates is above 1, as 30/29.83."""
    if text is None:
        return Fraction(0)
    try:
        first, _, second = text.partition("/")
        drift = Fraction(first) / Fraction(second) - 1 if second else Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise IrvisError(f"--drift is a number like 0.0057 or a ratio like 30/29.83, not {text!r}") from error
    if not abs(drift) < Fraction(1, 2):
        raise IrvisError(f"--drift is below 0.5 either way, not {text}: one clock would run twice as fast as the other")
    return drift


def rate_of(text: str | None, name: str) -> Fraction | None:
    """Frames a second, as 25, 29.97 or 30000/1001."""
    if text is None:
        return None
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise IrvisError(f"{name} is a number like 25 or 30000/1001, not {text!r}") from error
    if not 0 < rate <= 1000:
        raise IrvisError(f"{name} is above 0 and at most 1000, not {text}")
    return rate.limit_denominator(100_000)


def seconds_of(text: str | None, name: str) -> Fraction | None:
    """Seconds, as 90, 1:30 or 0:01:30.5."""
    if text is None:
        return None
    try:
        parts = [Fraction(part) for part in text.split(":")]
    except (ValueError, ZeroDivisionError) as error:
        raise IrvisError(f"{name} is seconds or minutes:seconds, as 90 or 1:30, not {text!r}") from error
    if len(parts) > 3 or min(parts) < 0 or (name == "--duration" and not any(parts)):
        raise IrvisError(f"{name} is seconds or minutes:seconds, as 90 or 1:30, not {text!r}")
    return sum((part * 60**place for place, part in enumerate(reversed(parts))), Fraction(0))
