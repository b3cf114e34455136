"""Verbs that fuse: demo, fuse."""

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..errors import IrvisError
from ..options import (
    AlignOptions,
    ComputeOptions,
    DrawOptions,
    FuseOptions,
    InfraredOptions,
    OutputOptions,
    VideoOptions,
)
from ..options.compute import Device
from ..options.infrared import THERMAL
from .common import FUSE, Patterns, app, busy, console, errors, list_unmatched, progress
from .fuse_archive import fuse_archive
from .fuse_video import fuse_streams
from .terms import loaded

if TYPE_CHECKING:
    from ..batch import Batch
    from ..jobs import Done


@app.command(group=FUSE, sort_key=1)
def demo(
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="Folder for the pictures.")] = Path("irvis-demo"),
    method: Annotated[
        str | None,
        Parameter(
            name=["--method", "-m"],
            help="Methods to show, by commas; the result of the first is written. Default: encdec beside simple ones.",
        ),
    ] = None,
    device: Device = "cpu",
) -> None:
    """Fuse an embedded pair, a synthetic night street, and draw a sheet of it.

    irvis demo
    irvis demo -m encdec:tiny,average -o pictures
    """
    from .. import demo as show

    begun = time.perf_counter()
    methods = tuple(method.split(",")) if method is not None else show.BESIDE
    with busy("fusing"):
        done = show.run(out, methods, device)
    height, width = show.SIZE
    console.print(f"fused   {done.fused}\nsheet   {done.sheet}")
    console.print(
        f"{methods[0]} took {done.seconds:.3f} s for {width}×{height} on {device}; "
        f"everything took {time.perf_counter() - begun:.1f} s"
    )


@app.command(group=FUSE, sort_key=2)
def fuse(
    visible: Annotated[str, Parameter(help='A file, a folder, or a quoted glob ("night/*_vis.png").')],
    infrared: Annotated[
        str | None,
        Parameter(
            help="The infrared counterpart. Leave it out if VISIBLE is a folder or radiometric file that holds both."
        ),
    ] = None,
    *,
    out: Annotated[str, Parameter(name=["--out", "-o"], help="The fused file, or a folder.")],
    method: Annotated[
        str | None,
        Parameter(
            name=["--method", "-m"],
            help="NAME[:WEIGHTS][:option=value…] of irvis methods; several by commas. Default: encdec.",
        ),
    ] = None,
    match: Patterns = None,
    reading: Annotated[InfraredOptions, Parameter(name="*")] = InfraredOptions(),  # noqa: B008
    align: Annotated[AlignOptions, Parameter(name="*")] = AlignOptions(),  # noqa: B008
    draw: Annotated[DrawOptions, Parameter(name="*")] = DrawOptions(),  # noqa: B008
    video: Annotated[VideoOptions, Parameter(name="*")] = VideoOptions(),  # noqa: B008
    output: Annotated[OutputOptions, Parameter(name="*")] = OutputOptions(),  # noqa: B008
    compute: Annotated[ComputeOptions, Parameter(name="*")] = ComputeOptions(),  # noqa: B008
    range_per: Annotated[
        Literal["image", "sequence"] | None,
        Parameter(group=THERMAL, help="sequence: one range, one curve and one polarity for all files."),
    ] = None,
) -> None:
    """Fuse a pair, two folders, one folder that holds both, or two videos.

    irvis fuse visible.jpg infrared.png -o fused.png
    irvis fuse visible/ infrared/ -o fused/ -m encdec:tiny
    irvis fuse pairs/ -o fused/ --match "{id}_W" "{id}_T" --if-exists skip
    irvis fuse FLIR0001.jpg -o fused.png --palette ironbow --hottest 3
    irvis fuse photo.jpg thermal.png -o fused.png --align
    irvis fuse visible.png infrared.png -o compare/ -m encdec,laplacian,max --sheet
    irvis fuse visible.mp4 thermal.mkv -o fused.mp4 --sync auto

    The result has the size of the visible image and keeps its EXIF, XMP, GPS position and colour profile.
    """
    from .. import batch

    options = FuseOptions(
        infrared=reading, align=align, draw=draw, video=video, output=output, compute=compute, range_per=range_per
    )
    default = "visible" if draw.msx else "encdec"
    methods = (default if method is None else method).split(",")
    if batch.is_video_job(visible, infrared, out):
        if match is not None:
            raise IrvisError("--match is for pictures: give the two videos")
        fuse_streams(visible, infrared, Path(out), methods, options)
    elif compute.ray is not None:
        batch.refuse_for_pictures(options)
        fuse_archive(visible, infrared, match, ",".join(methods), out, options)
    else:
        _fuse_here(batch.matched(visible, infrared, Path(out), methods, options, match), methods)


def _fuse_here(found: "Batch", methods: Sequence[str]) -> None:
    """Fuse pairs on this machine, with bars, and tell what became of them."""
    from .. import batch, io

    fusers = loaded(methods, found.options.compute)
    list_unmatched(found.found)
    with busy("reading"), io.noting() as notes:
        ready = batch.prepared(found, fusers)
    for note in notes:
        errors.print(f"warning: {note}")
    begun = time.perf_counter()
    with busy("measuring"):
        small, large = batch.divided(ready)
    done: list[Done] = []
    if small:
        with closing(batch.fused(ready, small)) as results:
            done += progress(results, len(small), "fusing")
    if large:
        with busy("fusing in windows"):
            done += batch.fused_in_windows(ready, large)
    _report(done, time.perf_counter() - begun)


def _report(done: Sequence["Done"], seconds: float) -> None:
    """What was done, and every failure; a failure ends with an error."""
    for one in done:
        for note in one.notes:
            errors.print(f"warning: {one.name}: {note}")
        for told in one.told:
            console.print(f"{one.name}: {told}")
    failed = [one for one in done if one.problem]
    if failed and len(done) == 1:
        raise IrvisError(done[0].problem)
    skipped = sum(one.skipped for one in done)
    fused = len(done) - len(failed) - skipped
    where = str(done[0].files[0]) if len(done) == 1 and fused else f"{fused} of {len(done)} pairs"
    kept = f", {skipped} were there already" if skipped else ""
    console.print(f"fused {where} in {seconds:.2f} s{kept}")
    if len(done) == 1 and done[0].files[-1].name.endswith(".sheet.png"):
        console.print(f"sheet {done[0].files[-1]}")
    if failed:
        for one in failed:
            errors.print(f"failed: {one.name}: {one.problem}")
        raise IrvisError(f"{len(failed)} of {len(done)} pairs failed")
