"""What a visitor asks for: the option records of `irvis fuse`; and the command that gives the same file."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from ..errors import IrvisError
from ..options import FuseOptions, InfraredOptions

Format = Literal["png", "jpg", "tiff", "webp"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """Methods, names that belong together, and all other options."""

    methods: tuple[str, ...] = ("encdec",)
    match: tuple[str, str] | None = None
    options: FuseOptions = FuseOptions()  # noqa: RUF009

    def __post_init__(self) -> None:
        if not self.methods:
            raise IrvisError("choose a method.")

    @property
    def format(self) -> Format:
        """Of the fused files."""
        return self.options.output.format or "png"

    def with_range(self, text: str) -> "Request":
        """With this range where none is chosen."""
        infrared = self.options.infrared
        chosen = replace(infrared, infrared_range=infrared.infrared_range or text)
        return replace(self, options=replace(self.options, infrared=chosen))

    def plain(self) -> "Request":
        """Without options about temperatures where no temperature is used: they change nothing."""
        reading = self.options.reading()
        if reading.sensing.wants_degrees(reading.range):
            return self
        kept = ("infrared_range", "infrared_color", "resize_infrared", "infrared_unit", "polarity")
        infrared = InfraredOptions(**{name: getattr(self.options.infrared, name) for name in kept})
        return replace(self, options=replace(self.options, infrared=infrared))


def command(request: Request, files: Sequence[str], methods: str, out: str, several: bool) -> str:
    """What to type for the same file, bit for bit; `several`: for a folder of pairs."""
    return shlex.join(["irvis", "fuse", *files, "-o", out, "-m", methods, *_flags(request, several)])


def _flags(request: Request, several: bool) -> Iterator[str]:
    """Every option that is not as usual; the format and the names are for folders."""
    if several and request.match is not None:
        yield from ("--match", *request.match)
    usual = FuseOptions()
    for part in ("infrared", "align", "draw", "video", "output"):
        record, default = getattr(request.options, part), getattr(usual, part)
        for field in fields(record):
            if field.name not in ("if_exists", *(() if several else ("format",))):
                yield from _option(field.name, getattr(record, field.name), getattr(default, field.name))


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
