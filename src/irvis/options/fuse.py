"""All options of `irvis fuse` in one record, whoever gives them: the command line, the page, or Python."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_type_hints

from ..errors import IrvisError
from ..validate import meant, misfit
from .align import AlignOptions
from .compute import ComputeOptions
from .draw import DrawOptions
from .infrared import InfraredOptions, refuse_idle
from .output import OutputOptions
from .video import VideoOptions

if TYPE_CHECKING:
    from ..jobs import Reading, Writing
    from ..video.job import Asked, Coding


@dataclass(frozen=True, kw_only=True)
class FuseOptions:
    """How infrared is read and registered, what is drawn and written, and how it is computed."""

    infrared: InfraredOptions = InfraredOptions()  # noqa: RUF009
    align: AlignOptions = AlignOptions()  # noqa: RUF009
    draw: DrawOptions = DrawOptions()  # noqa: RUF009
    video: VideoOptions = VideoOptions()  # noqa: RUF009
    output: OutputOptions = OutputOptions()  # noqa: RUF009
    compute: ComputeOptions = ComputeOptions()  # noqa: RUF009
    range_per: Literal["image", "sequence"] | None = None
    """sequence: one range, one curve and one polarity for all files."""

    def __post_init__(self) -> None:
        if self.output.color == "gray" and (self.draw.msx or self.draw.palette is not None):
            raise IrvisError("--color gray leaves nothing of --palette and --msx: give one of them")

    @staticmethod
    def of(**given: Any) -> "FuseOptions":
        """From keywords, each named as on the command line: infrared_range="1%,99%", align=True, if_exists="skip".

        Raises
        ------
        IrvisError: a name that no option has, or a value that means nothing.
        """
        homes = homes_of()
        unknown = [name for name in given if name not in homes]
        if unknown:
            raise IrvisError(f"fuse has no option {unknown[0]!r}{meant(unknown[0], homes)}")
        kinds, parts = get_type_hints(FuseOptions), dict[str, dict[str, Any]]()
        for name, value in given.items():
            part = homes[name]
            parts.setdefault(part, {})[name] = _fitting(name, value, get_type_hints(kinds[part]) if part else kinds)
        own = parts.pop("", {})
        return FuseOptions(**own, **{part: kinds[part](**values) for part, values in parts.items()})

    def reading(self, where: Callable[..., Any] | None = None) -> "Reading":
        """How pairs are read; `where` stands for the aligner."""
        from ..jobs import Reading

        laying = self.align.laying(self.infrared)
        if laying is not None and where is not None:
            laying = replace(laying, where=where)
        facts = self.infrared.reading(keep=self.draw.drawing().any, rig=self.align.rig is not None)
        return Reading(**facts, laying=laying)

    def refuse_idle(self) -> None:
        """Options about temperatures where no temperature is used are an IrvisError."""
        reading = self.reading()
        refuse_idle(reading.sensing, reading.range)

    def writing(self, out: Path, one_file: bool) -> "Writing":
        """How the fused files of pairs are written: `out` is the file itself, or a folder."""
        return self.output.writing(out, one_file, self.draw.drawing())

    def streams(self, visible: str, infrared: str | None) -> "Asked":
        """How two streams are read."""
        reading = self.reading()
        following = self.video.following(reading.sensing, reading.range, self.range_per)
        return replace(
            self.video.asked(visible, infrared, following), color=reading.color, resize=reading.resize,
            laying=reading.laying, whole=self.range_per == "sequence",
        )  # fmt: skip

    def coding(self, out: Path, visible: str) -> "Coding":
        """How a fused video is written."""
        return self.video.coding(out, visible, self.output, self.draw.drawing())


def _fitting(name: str, value: Any, kinds: Mapping[str, Any]) -> Any:
    """The value, of the kind that the field takes; a text may stand for a path."""
    value = Path(value) if isinstance(value, str) and Path in get_args(kinds[name]) else value
    if wanted := misfit(value, kinds[name]):
        raise IrvisError(f"{name} must be {wanted}, not {value!r}")
    return value


def homes_of() -> Mapping[str, str]:
    """Name of every option → the field of `FuseOptions` that holds it; empty where it is one itself."""
    homes: dict[str, str] = {}
    kinds = get_type_hints(FuseOptions)
    for part in fields(FuseOptions):
        inner = fields(kinds[part.name]) if part.name != "range_per" else ()
        homes |= {field.name: part.name for field in inner} or {part.name: ""}
    return homes
