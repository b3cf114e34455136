"""The page, its questions and its pictures over HTTP: nothing that it says names a method or a file.

GET / is the page, GET /image/TOKEN/SIDE a picture. POST takes and gives JSON: /join {name}, /state {key},
/answer {key, question, answer}, /undo {key}; what is wrong is {"error": text} with a status of 400 and more.
"""

import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6
from typing import Any, NoReturn, cast, get_args

from ..access import Attempts, Auth, answers_to, knows, same_site
from ..errors import IrvisError
from ..loopback import is_loopback, page_of
from . import asking
from .asking import Said, Standing
from .database import Study
from .pictures import SIDES, picture

LARGEST = 4096
"""Bytes of a request's body."""
MOST = 64
"""Requests at once; more are turned away."""
PATIENCE = 30
"""Seconds that a request may take to arrive."""


class Refused(Exception):
    """An answer that is an error: a status and a text without any secret."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Server(ThreadingHTTPServer):
    """Serves one study until it is shut down."""

    daemon_threads = True
    request_queue_size = MOST

    def __init__(
        self, study: Study, host: str, port: int, *, rater: str | None = None, say: Callable[[str], None] = print,
        auth: Auth | None = None,
    ) -> None:  # fmt: skip
        self.host, self.auth, self.attempts = host, auth, Attempts()
        self.study, self.rater, self.say = study, rater, say
        self.room = threading.BoundedSemaphore(MOST)
        self.page, self.policy = page_of(__package__)
        self.address_family = AF_INET6 if ":" in host else self.address_family
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as problem:
            raise IrvisError(f"{host}:{port} cannot be used: {problem}; give another --port or --host") from problem
        self.local = is_loopback(host)

    @property
    def address(self) -> str:
        """Where the page is."""
        host, port = self.server_address[:2]
        name = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{name}:{port}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A visitor who leaves is no news; anything else is one line."""
        problem = sys.exception()
        if not isinstance(problem, OSError):
            self.say(f"failed: {type(problem).__name__}: {problem}")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server_version, sys_version, timeout = "irvis", "", PATIENCE

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""

    @property
    def _home(self) -> Server:
        return cast(Server, self.server)

    def _answered(self, make: Callable[[], tuple[str, bytes]]) -> None:
        """Send what is made; errors become answers, and what went wrong inside is told on the terminal only."""
        status = 200
        try:
            self._refuse_strangers()
            kind, body = make()
        except Refused as problem:
            status, kind, body = problem.status, *_json({"error": str(problem)})
        except (ConnectionError, TimeoutError):  # nobody is there to be answered
            raise
        except Exception as problem:
            self._home.say(f"failed: {problem}" if isinstance(problem, IrvisError) else f"failed: {problem!r}")
            status, kind, body = (
                500,
                *_json({"error": "This does not work just now; the terminal of the study says why."}),
            )
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "private, max-age=3600" if kind == "image/png" else "no-store"),
            ("Content-Security-Policy", self._home.policy),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ):
            self.send_header(name, value)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="irvis study", charset="UTF-8"')
        self.end_headers()
        self.wfile.write(body)

    def _refuse_strangers(self) -> None:
        """Names that are not this page's, other sites that send something, people who do not know the password."""
        home, who = self._home, str(self.client_address[0])
        if not answers_to(self.headers.get("Host", ""), home.host, home.auth):
            raise Refused(403, "This study has another name: open it by the address that its terminal shows.")
        if self.command == "POST" and not same_site(lambda name: self.headers.get(name, "")):
            raise Refused(403, "Another site sent this.")
        if home.auth is None:
            return
        said = self.headers.get("Authorization", "")
        if not home.attempts.allowed(who):
            raise Refused(429, "Too many wrong passwords: wait a minute.")
        if not knows(said, home.auth):
            if said:
                home.attempts.failed(who)
            raise Refused(401, "Say user and password.")

    def _get(self) -> tuple[str, bytes]:
        if self.path == "/":
            return "text/html; charset=utf-8", self._home.page
        if self.path == "/start":
            return _json({"rater": self._home.rater})
        parts = self.path.split("/")
        if len(parts) != 4 or parts[1] != "image" or parts[3] not in SIDES:
            raise Refused(404, "There is nothing here.")
        try:
            question = asking.question(self._home.study, parts[2])
            return "image/png", picture(self._home.study, question, parts[3])
        except KeyError as problem:
            raise Refused(404, "There is no such picture.") from problem

    def _post(self) -> tuple[str, bytes]:
        actions = {"/join": self._join, "/state": self._state, "/answer": self._answer, "/undo": self._undo}
        if self.path not in actions:
            raise Refused(404, "There is nothing here.")
        told = self._body()
        try:
            return _json(actions[self.path](told))
        except KeyError as problem:
            raise Refused(403, "Nobody here has that key: say your name again.") from problem
        except ValueError as problem:
            raise Refused(409, f"Refused: {problem}.") from problem

    def _body(self) -> dict[str, str]:
        """The JSON object of a request: texts only. Its type keeps forms of other sites out."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            raise Refused(411, "How long is it?")
        if len(length) > 9 or int(length) > LARGEST:
            self.close_connection = True
            raise Refused(413, "That is too long.")
        if self.headers.get_content_type() != "application/json":
            raise Refused(415, "That is no JSON.")
        try:
            told = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as problem:
            raise Refused(400, "That is no JSON.") from problem
        if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
            raise Refused(400, "That is no object of texts.")
        return told

    def _join(self, told: dict[str, str]) -> dict[str, Any]:
        home = self._home
        key = asking.join(home.study, home.rater or _word(told, "name"), again=home.local or home.rater is not None)
        standing = asking.standing(home.study, key)
        home.say(f"{standing.name}: {standing.done} of {standing.total}")
        return {"key": key, **_shown(home.study, standing)}

    def _state(self, told: dict[str, str]) -> dict[str, Any]:
        return _shown(self._home.study, asking.standing(self._home.study, _word(told, "key")))

    def _answer(self, told: dict[str, str]) -> dict[str, Any]:
        said = _word(told, "answer")
        if said not in get_args(Said):
            _bad("answer")
        key, question = _word(told, "key"), _word(told, "question")
        standing = asking.answer(self._home.study, key, question, cast(Said, said))
        if standing.current is None:
            self._home.say(f"{standing.name}: all {standing.total} answered")
        return _shown(self._home.study, standing)

    def _undo(self, told: dict[str, str]) -> dict[str, Any]:
        return _shown(self._home.study, asking.undo(self._home.study, _word(told, "key")))


def _shown(study: Study, standing: Standing) -> dict[str, Any]:
    """What the page knows of a rater."""
    return {
        "name": standing.name,
        "done": standing.done,
        "total": standing.total,
        "question": standing.current,
        "next": standing.following,
        "sources": all(one.sources for one in study.pairs),
    }


def _json(tree: dict[str, Any]) -> tuple[str, bytes]:
    return "application/json", json.dumps(tree).encode()


def _word(told: dict[str, str], name: str) -> str:
    return told[name] if name in told else _bad(name)


def _bad(name: str) -> NoReturn:
    raise Refused(400, f"Its {name} is missing, or none that is known.")
