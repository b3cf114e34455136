"""Folders and videos through methods, as `irvis fuse` does: first all that can be refused, then pair after pair."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import io, jobs
from .data import matching
from .data.matching import Match, Matches
from .data.retaken import refuse_retaken
from .errors import IrvisError
from .fuser import Fuser
from .jobs import Done, Reading, Writing
from .options import FuseOptions
from .options.video import WRITTEN
from .steps import step
from .video.source import is_video

if TYPE_CHECKING:
    from .video.job import Film

WATCHED = 5
"""Pairs of a folder that are looked at for misalignment, evenly spread."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Batch:
    """Pairs of files, and how they are read, fused and written."""

    found: Matches
    options: FuseOptions
    reading: Reading
    writing: Writing
    fusers: Mapping[str, Fuser] = field(default_factory=dict)
    """By the texts of their methods."""

    @property
    def device(self) -> str:
        """Where the methods run."""
        return self.options.compute.device


def fuse_folder(
    visible: str | Path,
    infrared: str | Path | None = None,
    *,
    out: str | Path,
    method: str | Sequence[str] = "encdec",
    match: tuple[str, str] | None = None,
    **options: Any,
) -> list[Done]:
    """Fuse pairs of files, and write what comes out: `irvis fuse` in Python.

    Parameters
    ----------
    visible, infrared: a file, a folder or a glob each; or one folder that holds both.
    out: the fused file, or a folder. Several methods get a folder each.
    method: "NAME[:WEIGHTS][:option=value…]", or several.
    match: how stems differ: ("{id}_W", "{id}_T").
    options: those of `irvis fuse`, named as there: infrared_range="1%,99%", align=True, if_exists="skip".

    Returns
    -------
    What became of each pair: its files, and `problem`, which is empty where all went well.

    Raises
    ------
    IrvisError: before anything is written: an unknown option, nothing that matches, a file that is there already.
    """
    methods = [method] if isinstance(method, str) else list(method)
    batch = matched(str(visible), None if infrared is None else str(infrared), Path(out), methods,
                    FuseOptions.of(**options), match)  # fmt: skip
    batch = prepared(batch, {name: batch.options.compute.fuser(name) for name in methods})
    small, large = divided(batch)
    return [*fused(batch, small), *fused_in_windows(batch, large)]


def fuse_video(
    visible: str | Path,
    infrared: str | Path | None = None,
    *,
    out: str | Path,
    method: str | Sequence[str] = "encdec",
    **options: Any,
) -> "Film":
    """Fuse two videos, or images in sequence, into a video for each method.

    Parameters
    ----------
    visible, infrared: videos, recordings of a thermal camera, or folders of numbered images; or one file with both.
    out: a video file, or a folder for numbered pictures.
    method: "NAME[:WEIGHTS][:option=value…]", or several.
    options: those of `irvis fuse`, named as there: fps="30", sync="auto", infrared_range="20C,40C", codec="h264".

    Returns
    -------
    What became of it: files, frames, seconds, and `problem` where a stream ended early or is damaged.

    Raises
    ------
    IrvisError: streams that cannot be opened or do not fit, an unknown option, a file that is there already.
    """
    from .video.job import fuse_video as fuse_streams

    methods, chosen = [method] if isinstance(method, str) else list(method), FuseOptions.of(**options)
    refuse_for_video(chosen)
    asked = chosen.streams(str(visible), None if infrared is None else str(infrared))
    coding, compute = chosen.coding(Path(out), str(visible)), chosen.compute
    return fuse_streams(
        asked, {name: compute.fuser(name) for name in methods}, coding, compute.device, batch=compute.frames,
        together=compute.runtime == "torch",
    )  # fmt: skip


def is_video_job(visible: str, infrared: str | None, out: str) -> bool:
    """Whether moving pictures are fused: by the names of the files, or of the file that is made."""
    return any(is_video(text) for text in (visible, infrared or "")) or Path(out).suffix.lower() in WRITTEN


def refuse_for_video(options: FuseOptions) -> None:
    """Options that mean nothing for a video are an IrvisError."""
    if options.output.explain:
        raise IrvisError("--explain is for pictures: take a frame out of the videos, and explain that")
    if options.output.sheet:
        raise IrvisError("--sheet is for pictures: take a frame out of the videos")
    if options.infrared.decoder is not None:
        raise IrvisError("--decoder is for pictures, not for videos")
    if options.infrared.frame is not None or options.infrared.infrared_unit == "picture":
        raise IrvisError("--frame and --infrared-unit picture are for pictures, not for videos")
    for name in ("memory", "workers", "ray"):
        if getattr(options.compute, name) is not None:
            raise IrvisError(f"--{name} is for pictures: a video is fused frame by frame and takes little memory")
    options.refuse_idle()


def refuse_for_pictures(options: FuseOptions) -> None:
    """Options that mean nothing for pairs of pictures are an IrvisError."""
    options.refuse_idle()
    options.video.refuse_for_pictures()
    if options.output.explain:
        options.compute.refuse_portions("--explain looks at the whole picture at once")
    if options.output.sheet:
        options.compute.refuse_portions("--sheet is drawn of whole pictures", "memory", "ray")


def is_one_file(visible: str, out: Path) -> bool:
    """Whether `out` is the fused file itself, not a folder."""
    return Path(visible).is_file() and bool(out.suffix) and not out.is_dir()


def matched(
    visible: str,
    infrared: str | None,
    out: Path,
    methods: Sequence[str],
    options: FuseOptions,
    match: tuple[str, str] | None = None,
) -> Batch:
    """The pairs, and where their fused files go; what cannot be written is an IrvisError."""
    refuse_for_pictures(options)
    reading, writing = options.reading(), options.writing(out, is_one_file(visible, out))
    found = matching.match(visible, infrared, patterns=match, both=io.holds_record)
    jobs.refuse(found.pairs, methods, writing)
    if not writing.one_file:
        refuse_retaken(jobs.outputs(found.pairs, methods, writing), found.pairs, visible, infrared, match)
    if reading.laying is None and not reading.resize:
        reading = replace(reading, watched=watched(found.pairs))
    return Batch(found=found, options=options, reading=reading, writing=writing)


def prepared(batch: Batch, fusers: Mapping[str, Fuser]) -> Batch:
    """With its methods, and with the range of the whole sequence where that is asked for."""
    reading = batch.reading
    if batch.options.range_per == "sequence":
        step("reading")
        reading = jobs.settled(batch.found.pairs, reading)
    jobs.refuse_others(batch.found.pairs, fusers, reading, batch.writing)
    return replace(batch, reading=reading, fusers=fusers)


def divided(batch: Batch) -> tuple[list[Match], list[Match]]:
    """The pairs that fit into the memory allowed, and those that do not."""
    memory = batch.options.compute.bytes_allowed
    if memory is None:
        return list(batch.found.pairs), []
    step("measuring")
    return jobs.divided(batch.found.pairs, batch.fusers, memory, batch.device)


def fused(batch: Batch, pairs: Sequence[Match]) -> Generator[Done, None, None]:
    """What became of each pair, in their order; several are read, fused and written at the same time."""
    compute = batch.options.compute
    pace = jobs.pace_for(
        batch.device, workers=compute.workers, batch=compute.batch, together=compute.runtime == "torch"
    )
    return jobs.fuse_all(pairs, batch.fusers, batch.reading, batch.writing, batch.device, pace=pace)


def fused_in_windows(batch: Batch, pairs: Sequence[Match]) -> Iterator[Done]:
    """The same for pairs that are larger than the memory allowed: one after another, window by window."""
    memory = batch.options.compute.bytes_allowed
    if not pairs or memory is None:
        return iter(())
    return jobs.stream_all(
        pairs, batch.fusers, batch.reading, batch.writing, memory=memory, device=batch.device,
        show=lambda number, count: step("fusing in windows", number, count),
    )  # fmt: skip


def watched(pairs: Sequence[Match]) -> frozenset[str]:
    """Pairs that are looked at for misalignment: a few, evenly spread."""
    apart = max(1, len(pairs) // WATCHED)
    return frozenset(pair.name for pair in pairs[::apart][:WATCHED])
