"""How infrared is brought onto visible."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from ..errors import IrvisError

if TYPE_CHECKING:
    from ..io import Laying
    from .infrared import InfraredOptions

ALIGNING = Group("Aligning", sort_key=4)

Model = Annotated[
    Literal["auto", "shift", "similarity", "affine", "homography"],
    Parameter(
        help="Type of transform; auto prefers a similarity and uses more freedom only where the pair calls for it."
    ),
]


@Parameter(group=ALIGNING)
@dataclass(frozen=True, kw_only=True)
class AlignOptions:
    """For pairs of two lenses. Without these, pairs must be registered."""

    align: Annotated[
        bool,
        Parameter(
            negative="",
            help="Register infrared with visible, pair by pair; pairs with an uncertain result are refused.",
        ),
    ] = False
    align_model: Model = "auto"
    align_flow: Annotated[
        bool,
        Parameter(
            negative="", help="With --align: also warp infrared by a smooth flow, against parallax and lens distortion."
        ),
    ] = False
    rig: Annotated[
        Path | None,
        Parameter(help="File from irvis align --save: one transform for all pairs; with --align it is refined."),
    ] = None
    crop_to_overlap: Annotated[
        bool, Parameter(negative="", help="Crop to the area that both cameras saw. Default: visible fills the rest.")
    ] = False

    def __post_init__(self) -> None:
        if not self.wanted and (self.crop_to_overlap or self.align_model != "auto" or self.align_flow):
            raise IrvisError("--crop-to-overlap, --align-model and --align-flow go with --align or --rig")
        if self.align_flow and not self.align:
            raise IrvisError("--align-flow goes with --align: a rig alone says all that it knows")

    @property
    def wanted(self) -> bool:
        """Whether infrared is moved at all."""
        return self.align or self.rig is not None

    def laying(self, infrared: "InfraredOptions") -> "Laying | None":
        """How infrared is put onto visible; None: it lies there."""
        if not self.wanted:
            return None
        if infrared.resize_infrared:
            raise IrvisError("--align and --rig bring infrared to the visible size: leave out --resize-infrared")
        from .. import io
        from ..align import Aligner, rig_file

        rig = None if self.rig is None else rig_file.load(self.rig)
        aligner = Aligner(
            model=self.align_model, rig=rig, distance=infrared.distance, refine=self.align, flow=self.align_flow
        )
        return io.Laying(where=aligner, crop=self.crop_to_overlap)
