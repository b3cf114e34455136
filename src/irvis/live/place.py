"""Where a live source is: a camera of this machine, an address, or a file; and what FFmpeg is told to open it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from ..errors import IrvisError

Kind = Literal["device", "stream", "file"]

_WORDS = {"y16": "gray16le", "y10": "gray10le", "y12": "gray12le", "y8": "gray", "grey": "gray", "yuyv": "yuyv422"}
"""Cameras' names for FFmpeg's pixel formats."""
_SOON = {"flags": "low_delay", "analyzeduration": "2000000", "fpsprobesize": "0"}
"""For addresses: FFmpeg looks 2 s at most at what a stream is. (nobuffer would throw away what it has looked at.)"""
_HELP = 'type a format, a size, frames a second and FFmpeg\'s own options, by commas: "y16,640x512,9"'


@dataclass(frozen=True, kw_only=True)
class Place:
    """A source, ready to be opened, as often as needed."""

    address: str
    """As FFmpeg opens it."""
    shown: str
    """The same without a password."""
    kind: Kind
    format: str | None = None
    """FFmpeg's name for what reads it; None: it finds out."""
    options: Mapping[str, str] = field(default_factory=dict)
    rate: Fraction | None = None
    """Frames a second that were asked for."""


def place_of(text: str, form: str | None = None) -> Place:
    """A source as users type it: `0` or /dev/video0, an address (rtsp://…, http://…, udp://…), or a file.

    form: by commas, a pixel format or codec of a camera (mjpeg, yuyv, y16), a size (640x512), frames a second (30), and
    FFmpeg's own options (rtsp_transport=udp, format=v4l2).
    """
    asked = _asked(form)
    if re.fullmatch(r"\d+", text):
        text = f"/dev/video{text}"
    if text.startswith("/dev/"):
        return _device(text, asked)
    if re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE) and not text.lower().startswith("file://"):
        return _stream(text, asked)
    path = re.sub(r"^file://", "", text)
    if unknown := set(asked) - {"framerate"}:
        raise IrvisError(f"{text} is a file: of {', '.join(sorted(unknown))} it knows itself")
    return Place(address=path, shown=Path(path).name or path, kind="file", rate=_rate(asked))


def _device(text: str, asked: dict[str, str]) -> Place:
    form = asked.pop("format", "v4l2")
    return Place(address=text, shown=text, kind="device", format=form, options=asked, rate=_rate(asked))


def _stream(text: str, asked: dict[str, str]) -> Place:
    form, rate = asked.pop("format", None), _rate(asked)
    if form is None and (wrong := {"input_format", "video_size", "framerate"} & set(asked)):
        raise IrvisError(
            f"{hidden(text)} says itself what it sends: {', '.join(sorted(wrong))} is for cameras of this machine"
        )
    options = dict(_SOON)
    if text.lower().startswith("rtsp"):
        options["rtsp_transport"] = "tcp"  # the default, UDP, loses parts of pictures where a network is busy
    return Place(
        address=text, shown=hidden(text), kind="stream", format=form, options=options | asked, rate=rate
    )  # fmt: skip


def hidden(address: str) -> str:
    """An address without its user and password, and without what follows a question mark."""
    return re.sub(r"//[^/@]*@", "//", address).split("?")[0]


def _asked(form: str | None) -> dict[str, str]:
    """FFmpeg's options of what users type."""
    asked: dict[str, str] = {}
    for word in (form or "").split(",") if form else []:
        key, value = _one(word.strip())
        if key in asked:
            raise IrvisError(f"{form!r} says {key} twice: {_HELP}")
        asked[key] = value
    return asked


def _one(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if equals and key and value:
        return key, value
    if re.fullmatch(r"\d+[x×]\d+", word):
        return "video_size", word.replace("×", "x")
    if re.fullmatch(r"\d+(\.\d+|/\d+)?", word) and Fraction(word) > 0:
        return "framerate", word
    if re.fullmatch(r"[A-Za-z][\w-]*", word):
        return "input_format", _WORDS.get(word.lower(), word.lower())
    raise IrvisError(f"{word!r} is no format: {_HELP}")


def _rate(asked: Mapping[str, str]) -> Fraction | None:
    return Fraction(asked["framerate"]) if "framerate" in asked else None
