"""Two streams through fusers, into a video for each."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..errors import IrvisError
from ..fuser import Fuser
from ..jobs.folder import pace_for
from ..jobs.plan import ADVICE
from ..record import Record, different, made_by, of_inputs, text
from .made import read_made, sizes_of
from .plan import Coding, Film, refuse, targets
from .prepare import Asked, prepared
from .run import Run, Show
from .writer import WHOLE, part_of

__all__ = ["Asked", "Coding", "Film", "Show", "fuse_video", "part_of", "refuse", "targets"]


def fuse_video(
    asked: Asked,
    fusers: Mapping[str, Fuser],
    coding: Coding,
    device: str = "cpu",
    *,
    batch: int = 1,
    together: bool = True,
    show: Show = lambda done, total: None,
) -> Film:
    """Fuse two streams into a video for each fuser.

    `batch` frames are fused as one; on the CPU several at the same time where `together` allows it, which is not for
    cores that have threads of their own.

    Streams that end early or are damaged are fused as far as they go; `Film.problem` says so. KeyboardInterrupt and
    errors of writing go on to the caller once the files are closed, whole as `video.writer.part_of` says.

    Raises
    ------
    IrvisError: the streams cannot be opened, do not fit, or have no moment in common; nothing can be written.
    """
    refuse(list(fusers), asked, coding)
    paths = targets(list(fusers), coding)
    made = {m: record_of(fuser, asked, coding) for m, fuser in fusers.items()}
    todo = {m: path for m, path in paths.items() if not (coding.if_exists == "skip" and _is_kept(path, made[m]))}
    if not todo:
        return Film(files=tuple(paths.values()), skipped=True)
    begun = time.perf_counter()
    ready = prepared(asked)
    with ready.visible, ready.infrared:
        run = Run(
            ready, {m: fusers[m] for m in todo}, todo, coding, device, batch,
            pace_for(device, together=together).fusers, [text(made[m]) for m in todo],
        )  # fmt: skip
        run.to_the_end(show)
    return replace(run.film, seconds=time.perf_counter() - begun)


def record_of(fuser: Fuser, asked: Asked, coding: Coding) -> Record:
    """What makes the video of a fuser; the video, or each picture of a folder, says it and is kept by what it says."""
    record = made_by(
        fuser,
        streams=replace(asked, visible="", infrared=None),
        coding=replace(coding, out=Path(), if_exists="error", drawing=replace(coding.drawing, sidecar=False)),
    )
    sizes = [sizes_of(Path(text)) for text in (asked.visible, asked.infrared or asked.visible)]
    known = [size for size in sizes if size is not None]
    return of_inputs(record, *known) if len(known) == len(sizes) else record


def _is_kept(path: Path, record: Record) -> bool:
    """Whether a resumed run keeps a video: it is there and made as now; an IrvisError where it was made otherwise."""
    if not path.is_file() and not (path / WHOLE).is_file():
        return False
    if other := different(read_made(path), record):
        raise IrvisError(f"{path} {other}: {ADVICE}")
    return True
