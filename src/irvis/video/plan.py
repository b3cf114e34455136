"""What is asked of a fused video, what became of it, and where it is written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from ..errors import IrvisError
from ..files import method_name
from ..thermal import Drawing
from .codecs import CONTAINERS, codec_of, options_of
from .prepare import Asked
from .temperatures import sidecars


@dataclass(frozen=True, kw_only=True)
class Coding:
    """Where and how a fused video is written.

    out: a video file, or a folder for numbered pictures.
    rate: frames a second; None: every visible frame at its own time.
    hold: whether what does not move is kept still, see `video.stabilise`.
    """

    out: Path
    codec: str | None = None
    crf: float | None = None
    pixel_format: str | None = None
    rate: Fraction | None = None
    audio: bool = True
    hold: bool = True
    color: Literal["keep", "gray"] = "keep"
    format: str = "png"
    quality: int = 95
    if_exists: Literal["error", "skip", "overwrite"] = "error"
    drawing: Drawing = field(default_factory=Drawing)

    @property
    def is_file(self) -> bool:
        """Whether it is a video file."""
        return self.out.suffix.lower() in CONTAINERS


@dataclass(frozen=True, kw_only=True)
class Film:
    """What became of a video. `problem` says what was wrong with the streams, though what there was has been fused.

    files: of each method; parts: what was finished of files that could not be.
    events: times and kinds of what the thermal camera did: "frozen", "step", "cut"; "scene": a cut
        where no range begins anew.
    """

    files: tuple[Path, ...] = ()
    frames: int = 0
    seconds: float = 0.0
    skipped: bool = False
    problem: str = ""
    parts: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    events: tuple[tuple[Fraction, str], ...] = ()


def targets(methods: Sequence[str], coding: Coding) -> dict[str, Path]:
    """The file or folder of each method: OUT, or with several OUT-METHOD.mp4 and OUT/METHOD."""
    if len(methods) == 1:
        return {methods[0]: coding.out}
    names = {method: method_name(method) for method in methods}
    if coding.is_file:
        return {m: coding.out.with_name(f"{coding.out.stem}-{name}{coding.out.suffix}") for m, name in names.items()}
    return {m: coding.out / name for m, name in names.items()}


def refuse(methods: Sequence[str], asked: Asked, coding: Coding) -> None:
    """Before anything is done: OUT can be written, is not there (unless told), and is no input."""
    if coding.is_file:
        options_of(codec_of(coding.out, coding.codec), coding.crf)
    elif coding.out.suffix and not coding.out.is_dir():
        codec_of(coding.out, None)
    elif coding.codec or coding.crf is not None or coding.pixel_format:
        raise IrvisError(f"{coding.out} is a folder of pictures: --codec, --crf and --pixel-format are for video files")
    if coding.drawing.sidecar and not coding.is_file:
        raise IrvisError("--temperature-sidecar goes beside a video file: give one as --out")
    inputs = {Path(text).resolve() for text in (asked.visible, asked.infrared or asked.visible)}
    for target in targets(methods, coding).values():
        for path in (target, *(sidecars(target) if coding.drawing.sidecar else ())):
            if path.resolve() in inputs:
                raise IrvisError(f"{path} is an input and would be overwritten; choose another --out")
            if coding.if_exists == "error" and (path.is_file() or (path.is_dir() and any(path.iterdir()))):
                raise IrvisError(f"{path} exists; use --if-exists skip or overwrite")
