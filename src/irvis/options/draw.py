"""What is made of temperatures beside the fused picture, and in it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..errors import IrvisError
from .infrared import THERMAL

if TYPE_CHECKING:
    from ..thermal import Drawing


@Parameter(group=THERMAL)
@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """What is made of the temperatures. Numbers that mean nothing are an IrvisError."""

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

    def __post_init__(self) -> None:
        if self.hottest < 0:
            raise IrvisError(f"--hottest is 0 or more, not {self.hottest}")

    def drawing(self) -> "Drawing":
        """The same, read."""
        from ..thermal import Drawing
        from ..thermal.asked import parse_spot

        return Drawing(
            sidecar=self.temperature_sidecar,
            spots=tuple(map(parse_spot, self.spot or [])),
            hottest=self.hottest,
            palette=self.palette,
            msx=self.msx,
        )
