"""The page over HTTP: the newest picture as MJPEG, each looker at his own speed, and the state as JSON.

GET / is the page, /VIEW.mjpg a stream (fused, visible, infrared, side), /snapshot.png (?view=VIEW) one picture,
/status JSON. There is nothing else, and nothing can be changed from outside.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from ..access import Attempts, Auth, answers_to, knows
from ..errors import IrvisError
from ..loopback import HOME, is_loopback, page_of
from . import summary, views
from .session import Session

MOST = 16
"""Streams at once; more are turned away."""
REQUESTS = 64
"""Connections at once, of any kind."""
PATIENCE = 10.0
"""Seconds that a request may take to arrive, and a picture to be sent: who is slower is cut off."""
BUFFER = 64 * 1024
"""Bytes that the system holds for a looker: pictures that wait there are late."""
ANY = 20
"""Ports that are tried where none was asked for."""
_EDGE = b"--irvis\r\n"


def parse_page(text: str) -> tuple[str, int]:
    """`PORT` or `HOST:PORT`; loopback where no host is given. [::1]:8080 for IPv6."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if not port.isdigit() or int(port) > 65535 or (":" in text and not host):
        raise IrvisError(f"{text!r} is no place for a page: type a port, 8080, or HOST:PORT, 0.0.0.0:8080")
    return host or HOME, int(port)


class Server(ThreadingHTTPServer):
    """Serves one session until it is closed."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, session: Session, host: str, port: int, auth: Auth | None = None) -> None:
        self.session, self.host, self.auth, self.attempts = session, host, auth, Attempts()
        self.room, self.streams = threading.BoundedSemaphore(REQUESTS), threading.BoundedSemaphore(MOST)
        self.counting, self.started = threading.Lock(), False
        self.page, self.policy = page_of(__package__)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as problem:
            raise IrvisError(f"{host}:{port} cannot be used: {problem}; give another --page") from problem
        self.local = is_loopback(host)

    @property
    def address(self) -> str:
        """What to open in a browser."""
        host, port = str(self.server_address[0]), int(self.server_address[1])
        if host in ("0.0.0.0", "::"):
            host = socket.gethostname()
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def start(self) -> None:
        """Serve from a thread of its own."""
        self.started = True
        threading.Thread(target=self.serve_forever, args=(0.2,), name="page", daemon=True).start()

    def close(self) -> None:
        """Listen no more; who looks sees the end of the stream."""
        if self.started:
            self.shutdown()
        self.server_close()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Not more than so many at once: others are closed without an answer."""
        if not self.room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who goes away in the middle is nothing to tell."""


def serving(session: Session, host: str, port: int | None, auth: Auth | None = None) -> Server:
    """A server that listens; port None: 8080, or the next that is free."""
    if port is not None:
        return Server(session, host, port, auth)
    for tried in range(8080, 8080 + ANY):
        with suppress(IrvisError):
            return Server(session, host, tried, auth)
    return Server(session, host, 0, auth)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server_version, sys_version = "irvis", ""
    timeout = PATIENCE
    protocol_version = "HTTP/1.1"

    @property
    def owner(self) -> Server:
        """The server, with its type."""
        return cast(Server, self.server)

    def setup(self) -> None:
        """Little is held back for slow lookers, and nothing waits to be sent."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def do_GET(self) -> None:
        """See the module."""
        if not answers_to(self.headers.get("Host", ""), self.owner.host, self.owner.auth):
            return self._say(403, "this page has another name: open it by its address, or start it with --auth-file")
        if not self._knows():
            return None
        asked = urlsplit(self.path)
        name, _, suffix = asked.path[1:].partition(".")
        if asked.path == "/":
            self._send(200, "text/html; charset=utf-8", self.owner.page)
        elif asked.path == "/status":
            body = json.dumps(summary.status(self.owner.session)).encode()
            self._send(200, "application/json", body)
        elif asked.path == "/snapshot.png":
            self._snapshot(parse_qs(asked.query).get("view", ["fused"])[0])
        elif suffix == "mjpg" and name in views.VIEWS:
            self._stream(name)
        else:
            self._say(404, "there is no such thing here")

    def _knows(self) -> bool:
        """Whether it may look; else it is asked for the password."""
        owner, who = self.owner, str(self.client_address[0])
        if owner.auth is None:
            return True
        said = self.headers.get("Authorization", "")
        if not owner.attempts.allowed(who):
            self._say(429, "too many wrong passwords: wait a minute")
        elif knows(said, owner.auth):
            return True
        else:
            if said:
                owner.attempts.failed(who)
            self._say(401, "say user and password")
        return False

    def do_HEAD(self) -> None:
        """Whether it is there."""
        self._say(200 if self.path in ("/", "/status", "/snapshot.png") else 404, "")

    def _snapshot(self, view: str) -> None:
        try:
            chosen = views.view_of(view)
        except IrvisError as error:
            return self._say(404, str(error))
        found = self.owner.session.pictures.after(0, timeout=1.0)
        if found is None:
            return self._say(503, "there is no picture yet")
        self._send(200, "image/png", views.png(views.pixels_of(found[1], chosen)))

    def _stream(self, name: str) -> None:
        """Pictures until the looker goes, each time the newest."""
        with self._place() as free:
            if not free:
                return self._say(503, f"{MOST} look already")
            self.close_connection = True
            self._head(200, "multipart/x-mixed-replace; boundary=irvis")  # ends when either side closes
            self.wfile.write(_EDGE)
            session, view, number = self.owner.session, views.view_of(name), 0
            while not session.pictures.closed:
                found = session.pictures.after(number, timeout=1.0)
                if found is None:
                    continue
                number, picture = found
                data = session.gallery.jpeg(number, picture, view)
                head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
                self.wfile.write(head + data + b"\r\n" + _EDGE)  # with the edge, or browsers show it one later
                if picture.fresh:
                    session.to_sent.add(picture.taken)

    @contextmanager
    def _place(self) -> Iterator[bool]:
        """A place among the lookers, if there is one."""
        owner = self.owner
        free = owner.streams.acquire(blocking=False)
        if not free:
            yield False
            return
        with owner.counting:
            owner.session.clients += 1
        try:
            yield True
        finally:
            with owner.counting:
                owner.session.clients -= 1
            owner.streams.release()

    def _say(self, status: int, text: str) -> None:
        self._send(status, "text/plain; charset=utf-8", text.encode() + b"\n" if text else b"")

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self._head(status, kind, len(body))
        self.wfile.write(body)

    def _head(self, status: int, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="irvis", charset="UTF-8"')
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", self.owner.policy)
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""
