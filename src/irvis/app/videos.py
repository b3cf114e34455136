"""Two videos through the job of the command line: looked at before they are opened, fused up to a length."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import creation
from ..errors import IrvisError
from ..files import method_name
from .fusing import Tell, part_of
from .names import address, safe, shown
from .request import Request, command
from .settings import Settings
from .uploads import VIDEOS, copied, refuse_large, uploaded

if TYPE_CHECKING:
    from ..video.job import Asked

SECONDS = 60
"""Of a video that are fused; longer ones are for the command line."""
_SIDES = ("visible", "infrared")


@dataclass(frozen=True, kw_only=True)
class Filmed:
    """What became of two videos."""

    folder: Path
    downloads: tuple[Path, ...]
    methods: tuple[str, ...]
    seconds: dict[str, float]
    frames: int
    commands: tuple[str, ...]
    notes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    shift: None = None


def are_videos(sent: Sequence[str | None]) -> bool:
    """By their suffixes."""
    return any(Path(path).suffix.lower() in VIDEOS for path in sent if path)


def take(sent: Sequence[str | None], root: Path, folder: Path, settings: Settings) -> tuple[Path, Path]:
    """Both videos, copied into `folder`; what is no video by its first bytes FFmpeg never sees."""
    if not all(sent):
        raise IrvisError("two videos are fused: choose the other one, too.")
    files = [uploaded(str(path), root) for path in sent]
    for path in files:
        refuse_large(path, settings.max_upload)
        if not _is_container(path):
            raise IrvisError(f"{safe(path.name)} is no video of these kinds: MP4, MOV, MKV, WebM, AVI.")
    visible, infrared = (copied(path, folder / side) for path, side in zip(files, _SIDES, strict=True))
    return visible, infrared


def fuse(files: tuple[Path, Path], request: Request, folder: Path, settings: Settings, tell: Tell) -> Filmed:
    """Fuse two videos by all methods into `folder`."""
    from ..video.job import fuse_video

    tell(0.0, "reading")
    request, words = request.plain(), tuple(str(path.relative_to(folder)) for path in files)
    asked = request.options.streams(str(files[0]), str(files[1]))
    _refuse_pixels(asked, settings.max_pixels)
    notes, told, commands = list[str](), list[str](), list[str]()
    made, seconds, frames = list[Path](), dict[str, float](), 0
    for number, method in enumerate(request.methods):
        out = folder / f"{files[0].stem}-{safe(method_name(method))}.mp4"
        coding = request.options.coding(out, str(files[0]))
        film = fuse_video(
            asked, {method: creation.fuser(method, settings.device)}, coding, settings.device,
            show=_show(tell, method, number, len(request.methods)),
        )  # fmt: skip
        made += film.files
        notes += [*film.notes, *([film.problem] if film.problem else [])]
        told += film.told
        seconds[method], frames = film.seconds, film.frames
        commands.append(command(request, words, method, out.name, several=False))
    return Filmed(
        folder=folder, downloads=(*made, *sorted(folder.glob("*.celsius.*"))), methods=request.methods, seconds=seconds,
        frames=frames, commands=tuple(commands), notes=tuple(dict.fromkeys(notes)), told=tuple(dict.fromkeys(told)),
    )  # fmt: skip


def html(filmed: Filmed) -> str:
    """Players, one for each method."""
    players = (
        f'<figure><video src="{shown(address(path))}" controls loop muted playsinline preload="auto"></video>'
        f"<figcaption>{shown(method)}</figcaption></figure>"
        for method, path in zip(filmed.methods, filmed.downloads, strict=False)
    )
    return f'<div class="films">{"".join(players)}</div>'


def _refuse_pixels(asked: "Asked", most: int) -> None:
    from ..video.prepare import open_pair

    visible, infrared = open_pair(asked)
    with visible, infrared:
        for side in (visible.facts, infrared.facts):
            if side.width * side.height > most:
                raise IrvisError(f"{side.width}×{side.height} is more than this page takes a frame.")


def _show(tell: Tell, method: str, number: int, count: int) -> Any:
    def show(done: int, total: int | None) -> None:
        part_of(tell, number, count, min(1.0, done / total) if total else 0.0, f"{method}: {done} frames")

    return show


def _is_container(path: Path) -> bool:
    """Of the kinds that hold their pictures themselves: lists of other files or addresses are not among them."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" or head[:4] == b"\x1a\x45\xdf\xa3" or (head[:4] == b"RIFF" and head[8:] == b"AVI ")
