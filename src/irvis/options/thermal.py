"""Options that say how thermal files are read, and what is made of their temperatures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from ..errors import IrvisError

if TYPE_CHECKING:
    from ..thermal import Drawing, Range, Sensing

_THERMAL = Group("Thermal", sort_key=5)

Number = float | None
RangePer = Annotated[
    Literal["image", "sequence"],
    Parameter(group=_THERMAL, help="sequence: one range, one curve and one polarity for all files."),
]


@Parameter(group=_THERMAL)
@dataclass(frozen=True, kw_only=True)
class SensingOptions:
    """How infrared files are read."""

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

    def sensing(self, *, keep: bool = False) -> "Sensing":
        """The same as a record; numbers that mean nothing are an IrvisError."""
        from ..cameras import CONDITIONS
        from ..thermal import Sensing
        from ..thermal.asked import parse_crop, parse_nodata, parse_raw

        if self.frame is not None and self.frame < 0:
            raise IrvisError(f"--frame is 0 or more, not {self.frame}")
        given = ((name, getattr(self, name)) for name in CONDITIONS)
        return Sensing(
            unit=self.infrared_unit,
            frame=self.frame,
            raw=None if self.infrared_raw is None else parse_raw(self.infrared_raw),
            crop=None if self.infrared_crop is None else parse_crop(self.infrared_crop),
            nodata=None if self.nodata is None else parse_nodata(self.nodata),
            kelvin_per_count=self.kelvin_per_count,
            conditions=tuple((name, value) for name, value in given if value is not None),
            polarity=self.polarity,
            keep=keep,
        )


@Parameter(group=_THERMAL)
@dataclass(frozen=True, kw_only=True)
class DrawingOptions:
    """What is made of the temperatures."""

    temperature_sidecar: Annotated[
        bool, Parameter(negative="", help="Write °C as float TIFF beside the fused file, aligned and native.")
    ] = False
    spot: Annotated[
        list[str] | None,
        Parameter(
            help="x,y in the fused picture, whose temperature is drawn and printed; can be repeated.", negative=""
        ),
    ] = None
    hottest: Annotated[int, Parameter(help="Number of hottest spots to draw and print.")] = 0
    palette: Annotated[
        Literal["ironbow", "whitehot", "blackhot", "rainbow", "dusk"] | None,
        Parameter(help="Colours by temperature, with a legend; brightness from the fused picture."),
    ] = None
    msx: Annotated[
        bool,
        Parameter(negative="", help="Thermal palette with visible edges (with -m: edges of the fused picture)."),
    ] = False

    def drawing(self) -> "Drawing":
        """The same as a record; numbers that mean nothing are an IrvisError."""
        from ..thermal import Drawing
        from ..thermal.asked import parse_spot

        if self.hottest < 0:
            raise IrvisError(f"--hottest is 0 or more, not {self.hottest}")
        return Drawing(
            sidecar=self.temperature_sidecar,
            spots=tuple(map(parse_spot, self.spot or [])),
            hottest=self.hottest,
            palette=self.palette,
            msx=self.msx,
        )


def refuse_idle(sensing: "Sensing", span: "Range | None") -> None:
    """Words about temperatures where nothing is made of any."""
    if sensing.about_degrees and not sensing.wants_degrees(span):
        raise IrvisError(
            f"--{sensing.about_degrees[0].replace('_', '-')} is about temperatures, and nothing is made of them: add "
            "a range in degrees, --infrared-unit celsius, --palette, --msx, --spot, --hottest or --temperature-sidecar"
        )


def refuse_on_a_cluster(drawing: "Drawing", range_per: str) -> None:
    """What needs all files at once, or writes and prints more than the fused file."""
    if drawing.sidecar or drawing.measures or range_per == "sequence":
        raise IrvisError(
            "--ray goes without --temperature-sidecar, --spot, --hottest and --range-per sequence: "
            "fuse on this machine for these"
        )
