"""The endpoint `/fuse`, for programs: `gradio_client` and curl."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.data_classes import FileDataDict

from ..errors import IrvisError
from . import scores
from .actions import Actions
from .fusing import Fused
from .videos import Filmed


def endpoint(actions: Actions) -> Callable[..., Any]:
    """The function of the endpoint; its parameters are what a program may give."""

    def fuse(
        request: gr.Request,
        visible: FileDataDict | None = None,
        infrared: FileDataDict | None = None,
        method: str = "encdec",
        choices: dict[str, Any] | None = None,
        metrics: bool = False,
    ) -> tuple[FileDataDict, dict[str, Any]]:
        """Fuse a pair, a radiometric file or a ZIP of pairs; the file, and what is to be said of it."""
        if not isinstance(choices, dict | None):
            raise gr.Error("choices is an object of names and values.", print_exception=False)
        for name in ("method", "visible", "infrared"):
            if name in (choices or {}):
                raise gr.Error(f"{name} stands beside choices, not in it.", print_exception=False)
        sent = {**(choices or {}), "method": method, "visible": _path(visible), "infrared": _path(infrared)}
        try:
            fused = actions.run(f"program {request.session_hash}", sent, lambda share, text: None)
            file: Any = {"path": str(fused.downloads[0]), "meta": {"_type": "gradio.FileData"}}
            return file, _facts(fused, metrics)
        except IrvisError as problem:
            raise gr.Error(str(problem), print_exception=False) from problem

    return fuse


def _path(file: Any) -> str | None:
    """Where the client says that its upload lies; `uploads.take` looks whether that is so."""
    if file is None:
        return None
    path = file.get("path") if isinstance(file, dict) else None
    if not isinstance(path, str):
        raise gr.Error("a file is what /gradio_api/upload gave back.", print_exception=False)
    return path


def _facts(fused: Fused | Filmed, metrics: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "seconds": {method: round(seconds, 4) for method, seconds in fused.seconds.items()},
        "notes": list(fused.notes), "temperatures": list(fused.told), "shift": fused.shift,
        "command": list(fused.commands),
    }  # fmt: skip
    if metrics and isinstance(fused, Fused) and fused.first is not None:
        facts["metrics"] = scores.judge(fused.first, fused.files[fused.taken.pairs[fused.number].name])
    return facts
