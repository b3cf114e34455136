"""What stands before the page: only its own routes, bodies of bounded size, and headers that keep a browser at home."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import unquote

from ..access import Attempts, answers_to, same_site
from .sessions import Rooms
from .settings import Settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

ASKED = 1_000_000
"""Bytes of a request that sends no file."""
HEAD = 32_000
"""Bytes of a request's headers."""
TOO_SLOW = 408, "this comes too slowly"
SLOW, LEAST = 20.0, 8_000
"""Seconds that a part of a body may take to come; bytes a second that the whole must reach on average after them."""
API = "/gradio_api"
READ = re.compile(
    rf"/|/(config|theme\.css|favicon\.ico|robots\.txt|login_check|manifest\.json|logout)/?|/(assets|static|svelte)/.+"
    rf"|{API}/(info|startup-events|app_id|token|user|login_check|upload_progress|queue/data|openapi\.json|theme\.css)/?"
    rf"|{API}/(heartbeat/\w+|call/fuse/\w+|file=.+)"
)
FORMS = ("/login", f"{API}/upload")
WRITE = re.compile(rf"/login/?|{API}/(upload|queue/join|call/fuse|call/v2/fuse|reset|cancel)/?")
HEADERS = {
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' blob: data:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """An ASGI application around another."""

    def __init__(self, inner: Application, settings: Settings, root: Path, rooms: Rooms) -> None:
        self.inner, self.settings, self.root, self.rooms = inner, settings, root, rooms
        self.attempts = Attempts()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.inner(scope, receive, send)
            return
        status, why = self.refusal(scope)
        if status:
            await _answer(send, status, why)
            return
        if scope["method"] == "POST" and not unquote(scope["path"]).startswith(FORMS):
            await self._looked_at(scope, receive, send)
        else:
            await self._passed(scope, receive, send)

    def refusal(self, scope: Message) -> tuple[int, str]:
        """A status and a reason; 0 where the request may pass."""
        if sum(len(name) + len(value) for name, value in scope.get("headers", ())) > HEAD:
            return 431, "the head of this request is too large"
        path, method = unquote(scope.get("path", "")), scope.get("method", "")
        if scope["type"] != "http" or not (READ if method in ("GET", "HEAD") else WRITE).fullmatch(path):
            return 404, "there is nothing here"
        if not self._ours(_header(scope, b"host")):
            return (
                403,
                "this page has another name: open it by the address that it printed, or give it a password",
            )
        if method not in ("GET", "HEAD") and not same_site(partial(_text_header, scope)):
            return 403, "another site sent this: only the page itself may"
        if path.startswith("/login") and method == "POST" and not self.attempts.allowed(_client(scope)):
            return 429, "too many wrong passwords: wait a minute"
        if path.startswith(f"{API}/file=") and not self._visitors(path.removeprefix(f"{API}/file=")):
            return 403, "that file is not for visitors"
        if path.startswith(f"{API}/heartbeat/"):
            self.rooms.back(path.rsplit("/", 1)[1])
        length = _header(scope, b"content-length")
        if length.isdigit() and int(length) > self._most(path):
            return 413, f"too large: this page takes up to {self.settings.max_upload / 1e6:.0f} MB a file"
        if path.startswith(f"{API}/upload") and method == "POST" and self.rooms.bytes() > self.settings.max_kept:
            return 503, "the disk set aside for this page is full: try again in some minutes"
        return 0, ""

    def _ours(self, host: str) -> bool:
        return answers_to(host, self.settings.host, self.settings.auth)

    def _visitors(self, name: Any) -> bool:
        try:
            path = Path(name)
            return path.is_absolute() and ".." not in path.parts and path.resolve().is_relative_to(self.root)
        except (OSError, ValueError, TypeError, RuntimeError):
            return False

    def _most(self, path: str) -> int:
        return self.settings.max_upload + ASKED if path.startswith(f"{API}/upload") else ASKED

    async def _passed(self, scope: Message, receive: Receive, send: Send) -> None:
        """Count the body, and add headers to the answer."""
        path = unquote(scope["path"])
        left, begun, over, gone = self._most(path), False, False, False
        receive = in_time(receive)

        async def counted() -> Message:
            nonlocal left, over, gone
            message = await receive()
            gone = gone or message["type"] == "http.disconnect"
            left -= len(message.get("body", b""))
            over = over or left < 0
            return {"type": "http.disconnect"} if over else message

        async def with_headers(message: Message) -> None:
            nonlocal begun
            if over and not begun:
                return
            if message["type"] == "http.response.start":
                begun = True
                if path.startswith("/login") and scope["method"] == "POST" and message["status"] >= 400:
                    self.attempts.failed(_client(scope))
                names = {name.lower() for name, _ in message["headers"]}
                more = [(name.encode(), text.encode()) for name, text in HEADERS.items() if name.encode() not in names]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        try:
            await self.inner(scope, counted, with_headers)
        except Exception:
            if not (over or gone):
                raise
        if (over or gone) and not begun:
            await _answer(send, *((413, "too large") if over else TOO_SLOW))

    async def _looked_at(self, scope: Message, receive: Receive, send: Send) -> None:
        """Of a request that is JSON the whole body, before Gradio sees it."""
        body, more = b"", True
        receive = in_time(receive)
        while more and len(body) <= ASKED:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if message["type"] == "http.disconnect":
                return await _answer(send, *TOO_SLOW)
        if len(body) > ASKED:
            await _answer(send, 413, "too large")
        elif not self._visitors_alone(body):
            await _answer(send, 403, "that file is not for visitors")
        else:
            await self._passed(scope, _once(body, receive), send)

    def _visitors_alone(self, body: bytes) -> bool:
        """Whether all files that a body names are visitors'. What is no JSON, Gradio refuses."""
        try:
            return all(self._visitors(path) for path in _paths(json.loads(body)))
        except (ValueError, RecursionError):
            return not body.strip()


def in_time(receive: Receive, now: Callable[[], float] = monotonic) -> Receive:
    """The same messages; a body that comes too slowly ends as if its sender had gone."""
    begun, come, more = now(), 0, True

    async def timed() -> Message:
        nonlocal come, more
        if not more:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), SLOW)
        except TimeoutError:
            return {"type": "http.disconnect"}
        come, more = come + len(message.get("body", b"")), message.get("more_body", False)
        late = more and now() - begun > SLOW and come < LEAST * (now() - begun)
        return {"type": "http.disconnect"} if late else message

    return timed


def _paths(said: Any) -> Iterator[Any]:
    """Whatever is said to be the path of a file, anywhere in it."""
    for part in said.values() if isinstance(said, dict) else said if isinstance(said, list) else ():
        yield from _paths(part)
    if isinstance(said, dict) and said.get("path") is not None:
        yield said["path"]


def _once(body: bytes, receive: Receive) -> Receive:
    """The body that was read, then whatever comes."""
    left = [body]

    async def again() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return again


def _header(scope: Message, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope.get("headers", ()) if key == name), "")


def _text_header(scope: Message, name: str) -> str:
    return _header(scope, name.encode())


def _client(scope: Message) -> str:
    """The address that a request comes from."""
    return str((scope.get("client") or ("",))[0])


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *((k.encode(), v.encode()) for k, v in HEADERS.items())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
