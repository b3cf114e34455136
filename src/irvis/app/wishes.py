"""What a visitor chose, as the records of the command line's options; and the command that gives the same file."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from ..errors import IrvisError
from ..io import Laying
from ..jobs import Reading, Writing
from ..options.align import AligningOptions
from ..options.thermal import DrawingOptions, SensingOptions
from ..options.video import VideoOptions
from ..thermal import Range

Format = Literal["png", "jpg", "tiff", "webp"]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Options of `irvis fuse`, under their names there."""

    methods: tuple[str, ...] = ("encdec",)
    infrared_range: str | None = None
    infrared_color: Literal["refuse", "gray"] = "refuse"
    color: Literal["keep", "gray"] = "keep"
    resize_infrared: bool = False
    format: Format = "png"
    quality: int = 95
    match: tuple[str, str] | None = None
    sensing: SensingOptions = SensingOptions()  # noqa: RUF009
    drawing: DrawingOptions = DrawingOptions()  # noqa: RUF009
    aligning: AligningOptions = AligningOptions()  # noqa: RUF009
    video: VideoOptions = VideoOptions()  # noqa: RUF009

    def __post_init__(self) -> None:
        if not self.methods:
            raise IrvisError("choose a method.")
        if not 1 <= self.quality <= 100:
            raise IrvisError(f"--quality is 1 to 100, not {self.quality}")
        if self.color == "gray" and self.drawing.drawing().coloured:
            raise IrvisError("gray leaves nothing of --palette: choose one of them.")

    @property
    def range(self) -> Range | None:
        """What becomes black and white; None: as the file is."""
        return None if self.infrared_range is None else Range.parse(self.infrared_range)

    def plain(self) -> "Wish":
        """The same without words about temperatures where nothing of the file is made of any: they change nothing."""
        how = self.sensing.sensing(keep=self.drawing.drawing().any)
        if how.wants_degrees(self.range):
            return self
        kept = {name: getattr(self.sensing, name) for name in ("infrared_unit", "polarity")}
        return replace(self, sensing=SensingOptions(**kept))

    def reading(self, where: Callable[..., Any] | None = None) -> Reading:
        """How files are read; `where` stands for the aligner."""
        laying = self.aligning.laying(self.resize_infrared, self.sensing.distance)
        if laying is not None and where is not None:
            laying = Laying(where=where, crop=laying.crop)
        return Reading(
            range=self.range, color=self.infrared_color, resize=self.resize_infrared,
            sensing=self.sensing.sensing(keep=self.drawing.drawing().any), laying=laying,
        )  # fmt: skip

    def writing(self, out: Path, one_file: bool) -> Writing:
        """How the fused files are written."""
        return Writing(
            out=out, one_file=one_file, format=self.format, color=self.color, if_exists="overwrite",
            quality=self.quality, drawing=self.drawing.drawing(),
        )  # fmt: skip


def command(wish: Wish, files: Sequence[str], methods: str, out: str, several: bool) -> str:
    """What to type for the same file, bit for bit; `several`: for a folder of pairs."""
    return shlex.join(["irvis", "fuse", *files, "-o", out, "-m", methods, *_options(wish, several)])


def _options(wish: Wish, several: bool) -> Iterator[str]:
    default = Wish()
    for name in ("infrared_range", "infrared_color", "color", "resize_infrared", "quality"):
        yield from _option(name, getattr(wish, name), getattr(default, name))
    if several:
        yield from _option("format", wish.format, default.format)
        if wish.match is not None:
            yield from ("--match", *wish.match)
    for part in ("sensing", "aligning", "drawing", "video"):
        record, usual = getattr(wish, part), getattr(default, part)
        for field in fields(record):
            yield from _option(field.name, getattr(record, field.name), getattr(usual, field.name))


def _option(name: str, value: Any, usual: Any) -> Iterator[str]:
    if value == usual or value is None:
        return
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, list):
        for one in value:
            yield from (flag, str(one))
    elif value is True:
        yield flag
    else:
        yield from (flag, f"{value:g}" if isinstance(value, float) else str(value))
