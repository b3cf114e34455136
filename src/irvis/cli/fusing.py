"""Verbs that fuse: demo, fuse."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..errors import IrvisError
from ..options.align import AligningOptions, watched
from ..options.thermal import DrawingOptions, RangePer, SensingOptions, refuse_idle, refuse_on_a_cluster
from ..options.video import VideoOptions
from .common import (
    FUSE,
    Device,
    InfraredColor,
    InfraredRange,
    Patterns,
    app,
    busy,
    console,
    errors,
    list_unmatched,
    progress,
)
from .computing import Computing
from .fuse_streams import fuse_streams, is_video_job
from .terms import tell_terms

if TYPE_CHECKING:
    from ..data.matching import Match
    from ..fuser import Fuser
    from ..jobs import Done, Reading, Writing


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
    if_exists: Annotated[
        Literal["error", "skip", "overwrite"],
        Parameter(help="skip resumes an interrupted run: complete files are kept."),
    ] = "error",
    format: Annotated[
        Literal["png", "jpg", "tiff", "webp"] | None,
        Parameter(help="File format in a folder (default png). A single file follows the suffix of OUT."),
    ] = None,
    quality: Annotated[int, Parameter(help="Quality of jpg and webp files, 1 to 100.")] = 95,
    color: Annotated[
        Literal["keep", "gray"], Parameter(help="Keep the colours of the visible image, or write gray.")
    ] = "keep",
    infrared_range: InfraredRange = None,
    infrared_color: InfraredColor = "refuse",
    resize_infrared: Annotated[
        bool,
        Parameter(negative="", help="Scale infrared to the visible size (only for the same field of view)."),
    ] = False,
    explain: Annotated[
        bool,
        Parameter(negative="", help="Write NAME.explain.png beside the result: what came from which camera."),
    ] = False,
    sheet: Annotated[
        bool,
        Parameter(negative="", help="Write NAME.sheet.png too: visible, infrared and every method side by side."),
    ] = False,
    range_per: RangePer | None = None,
    sensing: Annotated[SensingOptions, Parameter(name="*")] = SensingOptions(),  # noqa: B008
    temperatures: Annotated[DrawingOptions, Parameter(name="*")] = DrawingOptions(),  # noqa: B008
    aligning: Annotated[AligningOptions, Parameter(name="*")] = AligningOptions(),  # noqa: B008
    video: Annotated[VideoOptions, Parameter(name="*")] = VideoOptions(),  # noqa: B008
    computing: Annotated[Computing, Parameter(name="*")] = Computing(),  # noqa: B008
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
    from .. import jobs
    from ..thermal import Range

    if not 1 <= quality <= 100:
        raise IrvisError(f"--quality is 1 to 100, not {quality}")
    computing.refuse()
    drawing = temperatures.drawing()
    if method is None:
        method = "visible" if drawing.msx else "encdec"
    if color == "gray" and drawing.coloured:
        raise IrvisError("--color gray leaves nothing of --palette and --msx: give one of them")
    span = Range.parse(infrared_range) if infrared_range is not None else None
    laying = aligning.laying(resize_infrared, sensing.distance)
    how = sensing.sensing(keep=drawing.any)
    if aligning.rig is not None and not how.wants_degrees(span):
        how = how.without("distance")
    refuse_idle(how, span)
    reading = jobs.Reading(
        range=span, color=infrared_color, resize=resize_infrared, sensing=how, laying=laying,
    )  # fmt: skip
    place = Path(out)
    if is_video_job(visible, infrared, out):
        if match is not None:
            raise IrvisError("--match is for pictures: give the two videos")
        if explain:
            raise IrvisError("--explain is for pictures: take a frame out of the videos, and explain that")
        if sheet:
            raise IrvisError("--sheet is for pictures: take a frame out of the videos")
        if how.frame is not None or how.unit == "picture":
            raise IrvisError("--frame and --infrared-unit picture are for pictures, not for videos")
        asked = replace(
            video.asked(visible, infrared, video.following(how, span, range_per)),
            color=infrared_color, resize=resize_infrared, laying=laying, whole=range_per == "sequence",
        )  # fmt: skip
        coding = replace(
            video.coding(place, visible), color=color, format=format or "png", quality=quality, if_exists=if_exists,
            drawing=drawing,
        )  # fmt: skip
        return fuse_streams(asked, coding, method.split(","), computing)
    video.refuse_for_pictures()
    one_file = Path(visible).is_file() and bool(place.suffix) and not place.is_dir()
    if one_file and format is not None:
        raise IrvisError(f"--format is for folders; {place} says by its suffix what it is")
    writing = jobs.Writing(
        out=place, one_file=one_file, format=format or "png", color=color, if_exists=if_exists, quality=quality,
        drawing=drawing, explain=explain, sheet=sheet,
    )  # fmt: skip
    if explain:
        computing.refuse_portions("--explain looks at the whole picture at once")
    if sheet:
        computing.refuse_portions("--sheet is drawn of whole pictures", "memory", "ray")
    if computing.ray is not None:
        refuse_on_a_cluster(drawing, range_per or "image")
        _fuse_archive(visible, infrared, match, method, out, reading, writing, computing)
    else:
        per_sequence = range_per == "sequence"
        _fuse_here(visible, infrared, match, method.split(","), reading, writing, computing, per_sequence)


def _fuse_archive(
    visible: str, infrared: str | None, match: tuple[str, str] | None, method: str, out: str,
    reading: "Reading", writing: "Writing", computing: Computing,
) -> None:  # fmt: skip
    from .. import archive
    from . import archiving

    plan = archive.Plan(
        out=out, method=method, reading=reading, writing=replace(writing, out=Path()), tile=computing.tile,
        device=computing.device, runtime=computing.runtime, precision=computing.precision, error=computing.error,
        calibration=computing.calibration, batch=computing.batch, strict=computing.strict,
    )  # fmt: skip
    tell_terms([method])
    archiving.fuse(visible, infrared, match, plan, computing.ray or [], computing.workers or 0)


def _fuse_here(
    visible: str, infrared: str | None, match: tuple[str, str] | None, methods: list[str],
    reading: "Reading", writing: "Writing", computing: Computing, per_sequence: bool,
) -> None:  # fmt: skip
    from .. import io, jobs
    from ..data import matching
    from ..data.matching import Match
    from ..data.retaken import refuse_retaken

    found = matching.match(visible, infrared, patterns=match, both=io.holds_record)
    jobs.refuse(found.pairs, methods, writing)
    if not writing.one_file:
        outputs = jobs.outputs(found.pairs, methods, writing)
        refuse_retaken(outputs, found.pairs, visible, infrared, match)
    with busy("loading"):
        fusers = {name: computing.fuser(name) for name in methods}
    tell_terms(methods)
    list_unmatched(found)
    if reading.laying is None and not reading.resize:
        reading = replace(reading, watched=watched(found.pairs))
    if per_sequence:
        with busy("reading"), io.noting() as notes:
            reading = jobs.settled(found.pairs, reading)
        for note in notes:
            errors.print(f"warning: {note}")
    jobs.refuse_others(found.pairs, fusers, reading, writing)
    begun = time.perf_counter()
    pace = jobs.pace_for(
        computing.device, workers=computing.workers, batch=computing.batch, together=computing.runtime == "torch"
    )
    small, large = list(found.pairs), list[Match]()
    memory = computing.bytes_allowed
    if memory is not None:
        with busy("measuring"):
            small, large = jobs.divided(found.pairs, fusers, memory, computing.device)
    done = list[jobs.Done]()
    if small:
        with closing(jobs.fuse_all(small, fusers, reading, writing, computing.device, pace=pace)) as results:
            done += progress(results, len(small), "fusing")
    if memory is not None and large:
        done += _streamed(large, fusers, reading, writing, memory, computing.device)
    _report(done, time.perf_counter() - begun)


def _streamed(
    pairs: "Sequence[Match]", fusers: "Mapping[str, Fuser]", reading: "Reading", writing: "Writing",
    memory: int, device: str,
) -> "list[Done]":  # fmt: skip
    """One pair after another, with a bar for its windows."""
    from rich.progress import Progress

    from .. import jobs

    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("fusing in windows")
        return list(
            jobs.stream_all(
                pairs, fusers, reading, writing, memory=memory, device=device,
                show=lambda number, count: bar.update(task, completed=number, total=count),
            )
        )  # fmt: skip


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
