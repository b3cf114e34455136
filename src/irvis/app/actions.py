"""What the page's buttons do. What a visitor sends is not believed; what goes wrong becomes one line."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gradio as gr

from ..data.matching import Match
from ..errors import IrvisError, NotRegisteredError, SidesSwappedError
from . import examples, fusing, messages, scores, uploads, viewer
from . import videos as filming
from .asking import RESET, request_of
from .fusing import Fused
from .names import in_page_words
from .sessions import Rooms
from .settings import Settings
from .videos import Filmed


@dataclass(frozen=True, kw_only=True)
class Actions:
    """What every action needs: limits, where uploads lie, and the visitors' folders."""

    settings: Settings
    root: Path
    rooms: Rooms
    cancelled: set[str] = field(default_factory=set)
    """Sessions whose fusion is to stop at its next step."""

    def run(self, session: str, sent: Mapping[str, Any], tell: fusing.Tell) -> Fused | Filmed:
        """Fuse what was sent in a new folder of the session's; an IrvisError says why not, in words of the page."""
        folder = self.rooms.fresh(session, "fused")
        try:
            done = self._run(folder, sent, tell)
        except Exception as problem:
            self.rooms.drop(folder)
            kind = type(problem) if isinstance(problem, IrvisError) else IrvisError
            raise kind(self.plainly(problem, folder)) from problem
        self.rooms.keep_only(folder, "fused")
        return done

    def _run(self, folder: Path, sent: Mapping[str, Any], tell: fusing.Tell) -> Fused | Filmed:
        files = sent.get("visible"), sent.get("infrared")
        if filming.are_videos(files):
            videos = filming.take(files, self.root, folder, self.settings)
            return filming.fuse(videos, request_of(sent, filming.SECONDS), folder, self.settings, tell)
        request = request_of(sent)
        taken = uploads.take(files, self.root, folder, self.settings, request.match)
        return fusing.fuse(taken, request, folder, self.settings.device, tell)

    def plainly(self, problem: Exception, folder: Path) -> str:
        """One line; nothing of what lies inside the server."""
        if isinstance(problem, IrvisError):
            return in_page_words(str(problem), folder, self.root)
        if isinstance(problem, MemoryError):
            return "the server has no memory left for these pictures: send smaller ones."
        return f"this cannot be fused ({type(problem).__name__})."

    def fuse(self, sent: Mapping[str, Any], session: str, progress: fusing.Tell) -> dict[str, Any]:
        """What changes on the page, by the name of the component."""
        self.cancelled.discard(session)

        def tell(share: float, text: str) -> None:
            if session in self.cancelled:
                raise IrvisError("cancelled.")
            progress(share, text)

        try:
            done = self.run(session, sent, tell)
            changed = self._film(done) if isinstance(done, Filmed) else self._pictures(done)
        except IrvisError as problem:
            return {
                "message": messages.refused(str(problem)),
                "align": _seen(isinstance(problem, NotRegisteredError)),
                "swap": _seen(isinstance(problem, SidesSwappedError)),
            }
        return changed | {
            "downloads": messages.downloads(done),
            "command": messages.commands(done),
            "metrics": "",
            "typed": _seen(True),
            "swap": _seen(False),
        }

    def cancel(self, session: str) -> None:
        """Stop the session's fusion before its next pair, frame or method."""
        self.cancelled.add(session)

    def _film(self, filmed: Filmed) -> dict[str, Any]:
        return {
            "viewer": filming.html(filmed),
            "message": messages.told(filmed, f"{filmed.frames} frames"),
            "align": _seen(False),
            "pair": gr.update(choices=[], value=None, visible=False),
            "judged": _seen(False),
            "explains": _seen(False),
            "kept": None,
        }

    def _pictures(self, fused: Fused) -> dict[str, Any]:
        assert fused.first is not None
        view = viewer.view(
            fused.first, fused.files[fused.taken.pairs[fused.number].name], shown_at(fused, fused.number)
        )
        names = [(one.name, number) for number, one in enumerate(fused.taken.pairs)]
        count = f"{len(names)} pairs · " if len(names) > 1 else ""
        return {
            "viewer": view.html,
            "message": messages.told(fused, f"{count}{view.data['width']}×{view.data['height']}"),
            "align": _seen(fused.shift is not None),
            "pair": gr.update(choices=names, value=fused.number, visible=len(names) > 1),
            "judged": _seen(True),
            "explained": messages.explained(fused),
            "explains": _seen(fused.request.options.output.explain and len(names) == 1),
            "kept": replace(fused, first=None),
        }

    def show(self, fused: Fused | None, number: Any, session: str) -> str:
        """The viewer with another pair of a ZIP."""
        match = _pair(fused, number)
        if fused is None or match is None:
            return ""
        self.rooms.open(session)
        try:
            pair = fusing.read(match, fused.reading)
            return viewer.view(pair, fused.files[match.name], shown_at(fused, number)).html
        except Exception as problem:
            return messages.refused(self.plainly(problem, fused.folder))

    def judge(self, fused: Fused | None, number: Any, asked: bool) -> tuple[str, Any]:
        """The table of metrics, and whether a button asks for them: of a large picture they take long."""
        match = _pair(fused, number)
        if fused is None or match is None:
            return "", _seen(False)
        if fused.request.options.draw.drawing().coloured:
            return messages.note(
                "Metrics judge the fused picture; of the colours of a palette they know nothing."
            ), _seen(False)
        try:
            pair = fusing.read(match, fused.reading)
            if not asked and pair.visible[0, 0].numel() > scores.AT_ONCE:
                return "", _seen(True)
            return scores.table(scores.judge(pair, fused.files[match.name])), _seen(False)
        except Exception as problem:
            return messages.refused(self.plainly(problem, fused.folder)), _seen(False)

    def example(self, number: int, session: str) -> tuple[Any, ...]:
        """The files of an example and the controls that go with it."""
        chosen = examples.EXAMPLES[number]
        folder = self.rooms.fresh(session, "example")
        visible, infrared = chosen.draw(folder)
        self.rooms.keep_only(folder, "example")
        return str(visible), str(infrared), *(chosen.choices.get(name, value) for name, value in RESET.items())


def shown_at(fused: Fused, number: int) -> Path:
    """Where the viewer's pictures of a pair lie."""
    return fused.folder / "view" / str(number)


def _pair(fused: Fused | None, number: Any) -> Match | None:
    """A pair of a result by its number, which the browser says."""
    if fused is None or not isinstance(number, int) or not 0 <= number < len(fused.taken.pairs):
        return None
    return fused.taken.pairs[number]


def _seen(visible: bool) -> Any:
    return gr.update(visible=visible)
