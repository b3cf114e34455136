"""Who may use a page: its password, guesses that are slowed down, names it answers to, requests of other sites."""

import hmac
import os
import socket
import threading
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from .errors import IrvisError
from .loopback import hostname_of, is_address, is_loopback, names_us

VARIABLE = "IRVIS_AUTH"
"""Of the environment: USER:PASSWORD, which no list of processes shows."""
GUESSES, PAUSE = 5, 60.0
"""Wrong passwords that one address may send, and seconds until it may send more."""
_MOST = 1000
"""Addresses that are remembered."""

Auth = tuple[str, str]
"""User and password."""


def parse_auth(text: str) -> Auth:
    """`USER:PASSWORD`; the password may hold colons."""
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise IrvisError("a login is USER:PASSWORD, both of them not empty")
    return user, password


def auth_of(text: str | None, file: Path | None) -> Auth | None:
    """What `--auth`, else the first line of `--auth-file`, else the environment says."""
    if text is not None and file is not None:
        raise IrvisError("--auth and --auth-file exclude each other")
    if file is not None:
        text = (file.read_text().splitlines() or [""])[0].strip()
    text = text if text is not None else os.environ.get(VARIABLE)
    return None if text is None else parse_auth(text)


def knows(header: str, auth: Auth) -> bool:
    """Whether an Authorization header (HTTP Basic) holds user and password."""
    kind, _, code = header.partition(" ")
    try:
        said = b64decode(code.strip(), validate=True) if kind.lower() == "basic" else b""
    except ValueError:
        return False
    return hmac.compare_digest(said, ":".join(auth).encode())


def answers_to(host: str, listens: str, auth: Auth | None) -> bool:
    """Whether a page may answer a request with this Host header; `listens`: the host that it was told to listen at.

    Without a password the name must be this machine's own or an address: else another site could point its own name
    here, and read the page through the browser of somebody inside (DNS rebinding).
    """
    if auth is not None:
        return True
    if is_loopback(listens):
        return names_us(host)
    name, own = hostname_of(host).lower(), socket.gethostname().lower()
    return is_address(name) or name in ("localhost", listens.lower(), own, f"{own.split('.')[0]}.local")


def same_site(header: Callable[[str], str]) -> bool:
    """Whether a request that changes something comes from the page itself or from no page at all.

    `header` gives a header by its lower-case name, "" where there is none.
    """
    if site := header("sec-fetch-site"):
        return site in ("same-origin", "none")
    origin = header("origin")
    return not origin or urlsplit(origin).netloc.lower() == header("host").lower()


class Attempts:
    """Wrong passwords by address, so that nobody can try many."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self.now, self._lock = now, threading.Lock()
        self._failed: dict[str, list[float]] = {}

    def allowed(self, who: str) -> bool:
        """Whether this address may try."""
        with self._lock:
            return len(self._recent(who)) < GUESSES

    def failed(self, who: str) -> None:
        """It was wrong."""
        with self._lock:
            recent = [*self._recent(who), self.now()]
            self._failed.pop(who, None)
            self._failed[who] = recent
            while len(self._failed) > _MOST:
                self._failed.pop(next(iter(self._failed)))

    def _recent(self, who: str) -> list[float]:
        return [time for time in self._failed.get(who, []) if self.now() - time < PAUSE]
