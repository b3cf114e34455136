"""The server: the page behind its guard, one folder for everything of its visitors, removed when it ends."""

import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..budget import give_back
from ..errors import IrvisError
from .guard import HEAD, Guard
from .sessions import MOST, Rooms
from .settings import Settings

if TYPE_CHECKING:
    import gradio
    import uvicorn

SWEEP = 10.0
"""Seconds between two looks for what is to be removed."""
OFFLINE = {
    "GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_SSR_MODE": "False", "GRADIO_RUN_HISTORY": "False",
    "GRADIO_ANALYTICS_MAX_EVENTS": "100", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1",
}  # fmt: skip
"""Gradio is told so before it is imported."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that listens."""

    address: str
    runs: "uvicorn.Server"
    listens: socket.socket
    rooms: Rooms
    page: "gradio.Blocks"

    def run(self) -> None:
        """Until Ctrl-C (KeyboardInterrupt), a signal that the command line takes for it, or `stop`."""
        over = threading.Event()
        sweeping = threading.Thread(target=_sweep, args=(self.rooms, self.page, over), daemon=True)
        sweeping.start()
        try:
            self.runs.run(sockets=[self.listens])
        finally:
            over.set()
            sweeping.join()

    def stop(self) -> None:
        """From another thread."""
        self.runs.should_exit = True


@contextmanager
def serving(settings: Settings) -> Iterator[Server]:
    """A server that is ready to run; its files are gone afterwards."""
    listens = _listening(settings)
    with listens, tempfile.TemporaryDirectory(prefix="irvis-app-", ignore_cleanup_errors=True) as name:
        root = Path(name).resolve()
        with _told({**OFFLINE, "GRADIO_TEMP_DIR": str(root), "GRADIO_EXAMPLES_CACHE": str(root / "examples")}):
            rooms = Rooms(root, settings.minutes)
            blocks, app = guarded(settings, root, rooms)
            address = _address(settings, listens)
            yield Server(address=address, runs=_runs(app), listens=listens, rooms=rooms, page=blocks)


@contextmanager
def _told(words: Mapping[str, str]) -> Iterator[None]:
    """The environment with other words, for as long as the server is there."""
    before = {name: os.environ.get(name) for name in words}
    os.environ.update(words)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})


def _runs(app: Any) -> "uvicorn.Server":
    import uvicorn

    from .connections import Bounded

    config = uvicorn.Config(
        app, http=Bounded, h11_max_incomplete_event_size=2 * HEAD, log_level="warning", timeout_keep_alive=30,
        timeout_graceful_shutdown=3, ws="none",
    )  # fmt: skip
    return uvicorn.Server(config)


def _address(settings: Settings, listens: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listens.getsockname()[1]}"


def guarded(settings: Settings, root: Path, rooms: Rooms) -> tuple["gradio.Blocks", Any]:
    """The page, and the application: that page behind the guard."""
    gradio, fastapi = _extra()
    from . import page
    from .actions import Actions

    blocks = page.build(Actions(settings=settings, root=root, rooms=rooms))
    blocks.state_session_capacity = MOST
    app = gradio.mount_gradio_app(
        fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None), blocks, path="/", auth=settings.auth,
        show_error=False, max_file_size=settings.max_upload, footer_links=[], run_history=False, ssr_mode=False,
        pwa=False, mcp_server=False, enable_monitoring=False, theme=page.theme(), css=page.style(), head=page.head(),
    )  # fmt: skip
    blocks.has_launched = True  # a mounted page does not say so, and Gradio then looks at no path that it is sent
    return blocks, Guard(app, settings, root, rooms)


def _extra() -> tuple[Any, Any]:
    try:
        import fastapi
        import gradio
    except ImportError as missing:
        raise IrvisError("the page needs an extra: pip install 'irvis[app]'") from missing
    return gradio, fastapi


def _listening(settings: Settings) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family, backlog=128)
    except (OSError, OverflowError) as problem:
        raise IrvisError(
            f"{settings.host}:{settings.port} cannot be listened at ({problem}): choose another --port"
        ) from problem


def _sweep(rooms: Rooms, page: "gradio.Blocks", over: threading.Event) -> None:
    while not over.wait(SWEEP):
        try:
            rooms.sweep()
        except OSError as problem:
            print(f"files of visitors could not be removed: {problem}", file=sys.stderr)
        for names in page.temp_file_sets:  # Gradio's lists of files, of which it strikes none
            names -= {name for name in tuple(names) if not Path(name).exists()}
        give_back()
