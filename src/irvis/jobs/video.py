"""Two streams through fusers, into a video for each."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..fuser import Fuser
from ..video.plan import Coding, Film, refuse, targets
from ..video.preparing import Asked, prepared
from ..video.run import Run, Show
from ..video.writer import WHOLE, part_of
from .folder import pace_for

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
    todo = {m: path for m, path in paths.items() if not (coding.if_exists == "skip" and _is_there(path))}
    if not todo:
        return Film(files=tuple(paths.values()), skipped=True)
    begun = time.perf_counter()
    ready = prepared(asked)
    with ready.visible, ready.infrared:
        run = Run(
            ready, {m: fusers[m] for m in todo}, todo, coding, device, batch, pace_for(device, together=together).fusers
        )
        run.to_the_end(show)
    return replace(run.film, seconds=time.perf_counter() - begun)


def _is_there(path: Path) -> bool:
    return path.is_file() or (path / WHOLE).is_file()
