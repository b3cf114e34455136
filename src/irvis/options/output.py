"""What is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..errors import IrvisError

if TYPE_CHECKING:
    from ..jobs import Writing
    from ..thermal import Drawing


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """How fused files are written. Numbers that mean nothing are an IrvisError."""

    if_exists: Annotated[
        Literal["error", "skip", "overwrite"],
        Parameter(help="skip resumes an interrupted run: complete files are kept."),
    ] = "error"
    format: Annotated[
        Literal["png", "jpg", "tiff", "webp"] | None,
        Parameter(help="File format in a folder (default png). A single file follows the suffix of OUT."),
    ] = None
    quality: Annotated[int, Parameter(help="Quality of jpg and webp files, 1 to 100.")] = 95
    color: Annotated[
        Literal["keep", "gray"], Parameter(help="Keep the colours of the visible image, or write gray.")
    ] = "keep"
    explain: Annotated[
        bool,
        Parameter(negative="", help="Write NAME.explain.png beside the result: what came from which camera."),
    ] = False
    sheet: Annotated[
        bool,
        Parameter(negative="", help="Write NAME.sheet.png too: visible, infrared and every method side by side."),
    ] = False

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise IrvisError(f"--quality is 1 to 100, not {self.quality}")

    def writing(self, out: Path, one_file: bool, drawing: "Drawing") -> "Writing":
        """The same, with a place for the files: `out` is the file itself, or a folder."""
        from ..jobs import Writing

        if one_file and self.format is not None and out.suffix.lower() != f".{self.format}":
            raise IrvisError(f"--format is for folders; {out} says by its suffix what it is")
        return Writing(
            out=out, one_file=one_file, format=self.format or "png", color=self.color, if_exists=self.if_exists,
            quality=self.quality, drawing=drawing, explain=self.explain, sheet=self.sheet,
        )  # fmt: skip
