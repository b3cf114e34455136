"""What a video file is coded with: encoders, their settings, and the pixels that they take."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import IrvisError
from .frame import Samples
from .library import av


@dataclass(frozen=True, kw_only=True)
class Codec:
    """An encoder of FFmpeg and how it is run: settings that are fast enough to keep up with a fusion."""

    encoder: str
    pixels: str = "yuv420p"
    even: bool = False
    """Whether 4:2:0 pixels need even sides."""
    quality: str = "crf"
    """The encoder's name for `crf`."""
    usual: float = 20
    """Of `crf`, where none is given: lower is better and larger."""
    worst: float = 51
    options: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""
    """In MP4, so that other makers' players know it."""


CODECS: Mapping[str, Codec] = {
    "h264": Codec(encoder="libx264", even=True, options={"preset": "veryfast"}),
    "hevc": Codec(
        encoder="libx265", even=True, usual=24, tag="hvc1",
        options={"preset": "veryfast", "x265-params": "log-level=error"},
    ),
    "vp9": Codec(
        encoder="libvpx-vp9", usual=31, worst=63,
        options={"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "b": "0"},
    ),
    "av1": Codec(encoder="libsvtav1", even=True, usual=35, worst=63, options={"preset": "8"}),
    "ffv1": Codec(encoder="ffv1", pixels="bgr0", quality="", options={"level": "3", "slices": "4", "slicecrc": "1"}),
    "prores": Codec(encoder="prores_ks", pixels="yuv422p10le", quality=""),
}  # fmt: skip
"""By the names that users type; any other name is taken for one of FFmpeg's encoders."""
CONTAINERS: Mapping[str, str] = {
    ".mp4": "h264", ".m4v": "h264", ".mov": "h264", ".mkv": "h264", ".webm": "vp9",
}  # fmt: skip
"""Suffixes of files that are written, and the codec of each."""


def codec_of(path: Path, name: str | None) -> Codec:
    """The codec asked for, or that of the file's suffix."""
    suffix = path.suffix.lower()
    if suffix not in CONTAINERS:
        raise IrvisError(f"{path}: irvis writes {' '.join(CONTAINERS)}; end the name in one of these")
    name = name or CONTAINERS[suffix]
    codec = CODECS.get(name) or Codec(encoder=name, quality="", even=True)
    try:
        found = av.codec.Codec(codec.encoder, "w")
    except (av.codec.codec.UnknownCodecError, av.FFmpegError, ValueError) as error:
        raise IrvisError(f"{name!r} is no codec here; there are {', '.join(CODECS)}, and FFmpeg's encoders") from error
    if found.type != "video":
        raise IrvisError(f"{name!r} codes {found.type}, not pictures; there are {', '.join(CODECS)}")
    return codec


def pixels_of(codec: Codec, asked: str | None, samples: Samples) -> str:
    """FFmpeg's pixel format for frames like these.

    16-bit gray stays 16-bit gray, and FFV1 takes gray as it is. Sides that are odd cannot be 4:2:0 in most codecs: they
    are coded as 4:4:4, as no side may change.
    """
    formats = [one.name for one in av.codec.Codec(codec.encoder, "w").video_formats or []]
    odd = bool(samples.shape[0] % 2 or samples.shape[1] % 2)
    if asked is not None:
        chosen = asked
    elif samples.dtype == np.uint16:
        chosen = "gray16le"
    elif samples.ndim == 2 and codec.encoder == "ffv1":
        chosen = "gray"
    elif codec.even and odd and codec.pixels == "yuv420p":
        chosen = "yuv444p"
    else:
        chosen = codec.pixels
    if formats and chosen not in formats:
        if asked is None and odd:
            raise IrvisError(
                f"{codec.encoder} codes no pictures of {samples.shape[1]}x{samples.shape[0]}: sides must be even; "
                "take another --codec"
            )
        if asked is None and samples.dtype == np.uint16:
            raise IrvisError(f"{codec.encoder} codes no 16-bit counts: take --codec ffv1 in an .mkv file")
        raise IrvisError(f"{codec.encoder} takes no {chosen}; it takes {', '.join(formats[:12])}")
    return chosen


def options_of(codec: Codec, crf: float | None) -> dict[str, str]:
    """Settings of the encoder."""
    if codec.encoder == "libsvtav1":
        os.environ.setdefault("SVT_LOG", "1")  # errors; it would tell of itself
    if crf is not None and not codec.quality:
        raise IrvisError(f"{codec.encoder} has no --crf")
    if crf is not None and not 0 <= crf <= codec.worst:
        raise IrvisError(f"--crf of {codec.encoder} is 0 to {codec.worst:g}, not {crf:g}")
    return {**codec.options, **({codec.quality: f"{codec.usual if crf is None else crf:g}"} if codec.quality else {})}
