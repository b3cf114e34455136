"""`fuse` for files that are videos."""

from collections.abc import Sequence
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from ..errors import IrvisError
from ..options import FuseOptions
from ..steps import listening
from .common import console, errors
from .terms import loaded

if TYPE_CHECKING:
    from ..video.job import Film


def fuse_streams(visible: str, infrared: str | None, out: Path, methods: Sequence[str], options: FuseOptions) -> None:
    """Fuse two streams, with a bar, and tell what became of them."""
    from ..batch import refuse_for_video
    from ..video.job import fuse_video, part_of, refuse, targets

    refuse_for_video(options)
    asked, coding, compute = options.streams(visible, infrared), options.coding(out, visible), options.compute
    refuse(methods, asked, coding)
    fusers = loaded(methods, compute)
    begun = time()
    try:
        with _Bar() as bar, listening(bar.tell):
            film = fuse_video(
                asked, fusers, coding, compute.device, batch=compute.frames, together=compute.runtime == "torch",
                show=bar.show,
            )  # fmt: skip
    except BaseException:
        for path in map(part_of, targets(methods, coding).values()):
            if path.is_file() and path.stat().st_mtime >= begun - 1:
                errors.print(f"what was fused until then plays: {path}")
        raise
    _report(film)


class _Bar:
    """Frames done, frames a second, time left; nothing where nobody looks."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
        from rich.text import Text

        class Rate(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text(f"{task.speed or 0:.1f} fps")

        self.progress = Progress(
            "{task.description}", BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn(),
            console=errors, transient=True, disable=not errors.is_terminal,
        )  # fmt: skip
        self.task = self.progress.add_task("fusing", total=None)

    def __enter__(self) -> "_Bar":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def show(self, done: int, total: int | None) -> None:
        self.progress.update(self.task, description="fusing", completed=done, total=total)

    def tell(self, what: str, *_: object) -> None:
        """What comes before the first frame."""
        self.progress.update(self.task, description=what)


def _report(film: "Film") -> None:
    if film.skipped:
        console.print(f"{', '.join(map(str, film.files))}: there already")
        return
    for note in film.notes:
        errors.print(f"warning: {note}")
    for seconds, event in film.events:
        errors.print(f"infrared at {float(seconds):.2f} s: {_EVENTS[event]}")
    for told in film.told:
        console.print(told)
    pace = film.frames / film.seconds if film.seconds else 0.0
    console.print(
        f"fused {', '.join(map(str, film.files))}: {film.frames} frames in {film.seconds:.1f} s ({pace:.1f} fps)"
    )
    if film.problem:
        raise IrvisError(f"{film.problem}. What there was is fused: {film.frames} frames")


_EVENTS = {
    "frozen": "the shutter closes, the picture is frozen",
    "step": "all levels jump; the range jumps with them",
    "cut": "another scene begins; the range begins anew",
    "scene": "another scene begins",
}
