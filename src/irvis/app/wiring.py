"""Which button does what, in which order. All events wait in one queue: the machine fuses one thing at a time."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from . import choices, messages
from .actions import Actions
from .asking import ALIGN, RESET
from .controls import OTHERS, Controls

GROUP = "fusing"
RESULTS = (
    "viewer", "message", "align", "swap", "downloads", "command", "pair", "explained", "explains", "metrics", "judged",
    "typed", "kept",
)  # fmt: skip
"""Components that `Actions.fuse` changes."""

_HEAVY: dict[str, Any] = {"api_visibility": "private", "concurrency_id": GROUP, "concurrency_limit": 1}
_LIGHT: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None}


def wire(actions: Actions, asked: Controls, given: Controls) -> None:
    """Tie the controls to the actions, and the actions to what they change."""
    of_pair, scores = [given["kept"], given["pair"]], [given["metrics"], given["measure"]]
    fuse, inputs = _fuse(actions, asked)

    def judge(asked_for: bool) -> Callable[..., Any]:
        return lambda kept, number: actions.judge(kept, number, asked_for)

    running = list[Any]()

    def then_fuse(event: Any) -> None:
        results = [given[name] for name in RESULTS]
        event(lambda: gr.update(visible=True), None, asked["cancel"], show_progress="hidden", **_LIGHT)
        done = event(fuse, inputs, results, show_progress_on=given["viewer"], scroll_to_output=True, **_HEAVY)
        done.then(lambda: gr.update(visible=False), None, asked["cancel"], show_progress="hidden", **_LIGHT)
        done.then(judge(False), of_pair, scores, show_progress="hidden", **_HEAVY)
        running.append(done)

    then_fuse(asked["go"].click)
    then_fuse(given["align"].click(lambda: ALIGN, None, asked["alignment"], **_LIGHT).then)
    files = [asked["visible"], asked["infrared"]]
    then_fuse(given["swap"].click(None, files, files, js="(visible, infrared) => [infrared, visible]", **_LIGHT).then)
    changed = [asked[name] for name in ("visible", "infrared", *RESET)]
    for number, button in enumerate(asked["examples"]):
        then_fuse(button.click(_example(actions, number), None, changed, **_HEAVY).then)
    stopped = [given["message"], asked["cancel"]]
    asked["cancel"].click(_cancel(actions), None, stopped, cancels=running, show_progress="hidden", **_LIGHT)
    shown = given["pair"].input(_show(actions), of_pair, given["viewer"], **_HEAVY)
    shown.then(judge(False), of_pair, scores, show_progress="hidden", **_HEAVY)
    given["measure"].click(judge(True), of_pair, scores, **_HEAVY)
    told = [asked["about"], asked["options"]]
    asked["method"].change(_about, asked["method"], told, show_progress="hidden", **_LIGHT)


def leave(actions: Actions) -> Callable[[gr.Request], None]:
    """For when a page is closed."""

    def gone(request: gr.Request) -> None:
        actions.rooms.leave(session_of(request))

    return gone


def session_of(request: gr.Request) -> str:
    """A name that the browser chose: good for nothing but to tell visitors apart."""
    return str(request.session_hash)


def _fuse(actions: Actions, asked: Controls) -> tuple[Callable[..., Any], list[Any]]:
    """The function of the button, and the controls whose values it gets."""
    names = [name for name in asked if name not in OTHERS]

    def fuse(request: gr.Request, progress: gr.Progress = gr.Progress(), *values: Any) -> Any:  # noqa: B008
        changed = actions.fuse(dict(zip(names, values, strict=True)), session_of(request), progress)
        return [changed.get(name, gr.skip()) for name in RESULTS]

    return fuse, [asked[name] for name in names]


def _cancel(actions: Actions) -> Callable[..., Any]:
    def cancel(request: gr.Request) -> Any:
        actions.cancel(session_of(request))
        return messages.note("Cancelled."), gr.update(visible=False)

    return cancel


def _show(actions: Actions) -> Callable[..., str]:
    def show(kept: Any, number: Any, request: gr.Request) -> str:
        return actions.show(kept, number, session_of(request))

    return show


def _example(actions: Actions, number: int) -> Callable[..., Any]:
    def example(request: gr.Request) -> Any:
        return actions.example(number, session_of(request))

    return example


def _about(text: str) -> tuple[str, Any]:
    return messages.method(text), gr.update(placeholder=choices.options(text))
