"""`open_source`: whatever shows moving pictures, as a `Source` of frames with time stamps."""

from fractions import Fraction
from pathlib import Path
from typing import Literal

from ..io import READABLE
from ..io.infrared import SEQUENCES
from ..thermal import Sensing
from . import pictures
from .frame import Facts, Frame, Source
from .modules import cut

__all__ = ["SUFFIXES", "Facts", "Frame", "Source", "is_video", "open_source"]

SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".wmv", ".asf", ".flv",
    ".3gp", ".mxf", ".ogv", ".nut", ".y4m", ".ivf", ".h264", ".264", ".h265", ".hevc", ".dv", ".vob",
)  # fmt: skip
"""Lower case, of files that are taken for videos. What a file is, FFmpeg finds out."""


def is_video(text: str) -> bool:
    """Whether a text names moving pictures: by its suffix, or because it counts (frames/%04d.png)."""
    path = Path(text)
    counts = bool(pictures.PATTERN.search(path.name)) and not path.exists()  # 50%done.png is a file
    return path.suffix.lower() in SUFFIXES or counts


def open_source(
    text: str,
    *,
    rate: Fraction | None = None,
    stream: int = 0,
    gray: bool = False,
    color: Literal["refuse", "gray"] = "refuse",
    sensing: Sensing = Sensing(),  # noqa: B008
) -> Source:
    """A stream of a file, of image files, or of a FLIR recording.

    Parameters
    ----------
    text: a video file; a folder, a quoted glob or a pattern (frames/%04d.png) of images; a SEQ or CSQ file.
    rate: frames a second, of images (25 where it is not given) and of recordings; video files have their own.
    stream: of the video streams of a file, from 0.
    gray: the infrared side: frames are (h, w), uint8 or counts. Pseudo-colours are refused, unless
    color: "gray" takes their brightness.
    sensing: of infrared: how image files are read, the part that is cut out, the size of counts without a header.

    Raises
    ------
    IrvisError: nothing is there, it is no video, it holds no picture that decodes, PyAV is missing.
    """
    path = Path(text).expanduser()
    if gray and path.suffix.lower() in SEQUENCES:
        return cut(pictures.recording_source(path, rate=rate), sensing)
    raw = sensing.raw if gray else None
    images = not path.is_file() or path.suffix.lower() in READABLE
    if images and path.suffix.lower() not in SUFFIXES and raw is None:
        return pictures.sequence_source(text, rate=rate, gray=gray, color=color, sensing=sensing)
    from . import container

    form, options = None, None
    if raw is not None:
        width, height, order = raw
        form, options = "rawvideo", {
            "pixel_format": f"gray16{'be' if order == '>' else 'le'}", "video_size": f"{width}x{height}",
            "framerate": str(rate or pictures.RATE),
        }  # fmt: skip
    found = container.file_source(str(path), stream=stream, gray=gray, color=color, format=form, options=options)
    return cut(found, sensing) if gray else found
