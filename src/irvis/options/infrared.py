"""How infrared files are read: options of every verb that reads them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from ..errors import IrvisError

if TYPE_CHECKING:
    from ..thermal import Range, Sensing

THERMAL = Group("Thermal", sort_key=5)

Number = float | None


@Parameter(group=THERMAL)
@dataclass(frozen=True, kw_only=True)
class InfraredOptions:
    """How infrared files are read. Numbers that mean nothing are an IrvisError."""

    infrared_range: Annotated[
        str | None,
        Parameter(
            help='Infrared values shown black and white: counts "7000,9000", degrees "20C,40C" or percentiles '
            '"1%,99%"; then, or alone, a curve: equalised, contrast-limited. Default for radiometric files: 1%,99%.',
        ),
    ] = None
    infrared_color: Annotated[
        Literal["refuse", "gray"],
        Parameter(help="Pseudo-coloured infrared: refuse it, or use its brightness."),
    ] = "refuse"
    resize_infrared: Annotated[
        bool,
        Parameter(
            negative="",
            help="Scale infrared to the visible size (only for the same field of view).",
        ),
    ] = False
    infrared_unit: Annotated[
        Literal["counts", "celsius", "picture"] | None,
        Parameter(help="What to fuse of a radiometric file; picture: the camera's rendering. Default: counts."),
    ] = None
    polarity: Annotated[
        Literal["white-hot", "black-hot", "auto"],
        Parameter(help="Polarity of the infrared files; black-hot is inverted, auto is estimated."),
    ] = "white-hot"
    frame: Annotated[
        int | None,
        Parameter(help="Number of the frame in files with several (SEQ, CSQ, TIFF pages, animations), from 0."),
    ] = None
    infrared_raw: Annotated[
        str | None, Parameter(help="Size of 16-bit counts without a header, such as 640x512; :big for big-endian.")
    ] = None
    decoder: Annotated[
        str | None,
        Parameter(help="FILE.py:FUNCTION of yours that returns °C (height, width) for the path of a thermal file."),
    ] = None
    infrared_crop: Annotated[
        str | None, Parameter(help="left,top,width,height: crops away text and colour bars around the image.")
    ] = None
    nodata: Annotated[
        str | None,
        Parameter(help="Value of pixels without data, or none. Default: as in the file, or usual values."),
    ] = None
    emissivity: Annotated[
        Number, Parameter(help="Emissivity, above 0 up to 1. This and the next: default as in the file.")
    ] = None
    distance: Annotated[Number, Parameter(help="Distance in metres; --rig uses it too.")] = None
    reflected: Annotated[Number, Parameter(help="Temperature, °C.")] = None
    atmospheric: Annotated[Number, Parameter(help="Temperature, °C.")] = None
    humidity: Annotated[Number, Parameter(help="0 to 1.")] = None
    window_temperature: Annotated[Number, Parameter(help="°C.")] = None
    window_transmission: Annotated[Number, Parameter(help="Above 0 to 1.")] = None
    kelvin_per_count: Annotated[Number, Parameter(help="Scale of linear counts: 0.01 for K × 100 (TLinear).")] = None

    def __post_init__(self) -> None:
        if self.frame is not None and self.frame < 0:
            raise IrvisError(f"--frame is 0 or more, not {self.frame}")

    @property
    def range(self) -> "Range | None":
        """What becomes black and white; None: as the file is."""
        from ..thermal import Range

        return None if self.infrared_range is None else Range.parse(self.infrared_range)

    def sensing(self, *, keep: bool = False, rig: bool = False) -> "Sensing":
        """How a file becomes numbers. `keep`: temperatures are used after fusing; `rig`: the distance is a rig's."""
        from ..cameras import CONDITIONS
        from ..thermal import Sensing
        from ..thermal.asked import parse_crop, parse_nodata, parse_raw

        given = ((name, getattr(self, name)) for name in CONDITIONS)
        found = Sensing(
            unit=self.infrared_unit,
            frame=self.frame,
            raw=None if self.infrared_raw is None else parse_raw(self.infrared_raw),
            decoder=self.decoder,
            crop=None if self.infrared_crop is None else parse_crop(self.infrared_crop),
            nodata=None if self.nodata is None else parse_nodata(self.nodata),
            kelvin_per_count=self.kelvin_per_count,
            conditions=tuple((name, value) for name, value in given if value is not None),
            polarity=self.polarity,
            keep=keep,
        )
        return found.without("distance") if rig and not found.wants_degrees(self.range) else found

    def reading(self, *, keep: bool = False, rig: bool = False) -> dict[str, Any]:
        """The same as keywords of what reads pairs: range, color, resize, sensing."""
        return {
            "range": self.range, "color": self.infrared_color, "resize": self.resize_infrared,
            "sensing": self.sensing(keep=keep, rig=rig),
        }  # fmt: skip


def refuse_idle(sensing: "Sensing", span: "Range | None") -> None:
    """Options about temperatures where no temperature is used."""
    if sensing.about_degrees and not sensing.wants_degrees(span):
        raise IrvisError(
            f"--{sensing.about_degrees[0].replace('_', '-')} is about temperatures, and nothing is made of them: add "
            "a range in degrees, --infrared-unit celsius, --palette, --msx, --spot, --hottest or --temperature-sidecar"
        )
