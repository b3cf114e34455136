"""How a fusion is computed, not what comes out."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from .. import spec
from ..errors import IrvisError

if TYPE_CHECKING:
    from ..fuser import Fuser

_COMPUTED = Group("How it is computed", sort_key=10)
Device = Annotated[str, Parameter(help="cpu, cuda, cuda:1, mps; irvis doctor lists the devices of this machine.")]


@Parameter(group=_COMPUTED)
@dataclass(frozen=True, kw_only=True)
class ComputeOptions:
    """What runs the method, and in what portions. Numbers that mean nothing are an IrvisError."""

    device: Device = "cpu"
    runtime: Annotated[spec.Runtime, Parameter(help="What runs the network; auto: the fastest here.")] = "torch"
    precision: Annotated[
        spec.Precision | None,
        Parameter(
            help="Of the network's numbers; bf16 is faster on new CPUs and GPUs, auto measures it. "
            "Default: auto with --runtime auto, otherwise fp32."
        ),
    ] = None
    strict: Annotated[
        bool,
        Parameter(negative="", help="Exactly this runtime and precision, emulated if need be, or an error."),
    ] = False
    error: Annotated[
        float,
        Parameter(
            help="encdec:paper with another runtime: largest error of a pixel in [0, 1] that may be traded for speed."
        ),
    ] = 0.0
    calibration: Annotated[Path | None, Parameter(help="Folder of pairs to calibrate int8 with.")] = None
    tile: Annotated[
        int | None, Parameter(help="Tile size in pixels, such as 1024: limits the memory for large images.")
    ] = None
    memory: Annotated[
        str | None, Parameter(help="Such as 2GB: TIFF pairs that would need more memory are fused in windows.")
    ] = None
    batch: Annotated[
        int | None, Parameter(help="Pairs of equal size fused at once. Default: 1 on the CPU, 8 elsewhere.")
    ] = None
    workers: Annotated[
        int | None, Parameter(help="Threads for reading and for writing (with --ray: workers). Default: one per core.")
    ] = None
    ray: Annotated[
        list[str] | None,
        Parameter(
            help="Fuse on a Ray cluster: its ADDRESS, or nothing for a local one. Must be the last option.",
            consume_multiple=True,
            negative="",
        ),
    ] = None

    def __post_init__(self) -> None:
        for name in ("tile", "batch", "workers"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise IrvisError(f"--{name} is 1 or more, not {number}")
        if self.memory is not None and self.bytes_allowed is not None and self.ray is not None:
            raise IrvisError("--memory is for this machine: with --ray, bound the memory by --tile")

    def refuse_portions(self, why: str, *names: str) -> None:
        """What computes pictures in parts, or elsewhere, where that cannot be. Names: default all."""
        for name in names or ("tile", "memory", "ray"):
            if getattr(self, name) is not None:
                raise IrvisError(f"{why}: leave out --{name}")

    @property
    def frames(self) -> int:
        """Frames of a video that are fused as one."""
        return self.batch or (1 if self.device == "cpu" else 8)

    @property
    def bytes_allowed(self) -> int | None:
        """What `--memory` says; None where it says nothing."""
        from ..budget import parse_memory

        return None if self.memory is None else parse_memory(self.memory)

    def fuser(self, method: str) -> "Fuser":
        """The fuser of a method's text."""
        from .. import creation

        return creation.fuser(
            method, self.device, self.runtime, self.precision, self.error, self.calibration, self.tile, self.strict
        )
