"""The page of a live session: the newest picture for everybody, at everybody's own speed, and nothing else."""

import json
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy as np
import pytest

pytest.importorskip("av", reason="live needs the extra: pip install 'irvis[video]'")

import streams
from irvis import creation
from irvis.errors import IrvisError
from irvis.live import Session, Wanted, place_of, summary, views
from irvis.live import server as servers
from irvis.live.views import Gallery, Picture
from streams import Camera, until


@contextmanager
def paged() -> Iterator[servers.Server]:
    """Two cameras, fused by the mean, and their page."""
    with Camera(rate=20) as visible, Camera(rate=20) as infrared:
        session = Session(
            Wanted(visible=place_of(visible.address), infrared=place_of(infrared.address)), creation.fuser("average"),
            tell=lambda line: None,
        )  # fmt: skip
        session.start()
        server = servers.serving(session, "127.0.0.1", 0)
        server.start()
        try:
            yield server
        finally:
            session.stop()
            server.close()


@pytest.fixture(scope="module")
def page() -> Iterator[servers.Server]:
    with paged() as server:
        yield server


def got(page: servers.Server, path: str, **headers: str) -> tuple[int, str, bytes]:
    try:
        with urlopen(Request(page.address + path, headers=headers), timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


def test_the_page_stands_alone_and_runs_nothing_but_its_own(page):
    with urlopen(page.address, timeout=10) as answer:
        text, policy = answer.read().decode(), answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http://" not in text
    assert "https://" not in text


@pytest.mark.parametrize("view", views.VIEWS)
def test_every_view_is_a_stream_of_jpegs(page, view):
    shapes = {streams.pixels_of(one).shape for one in streams.looked_at(f"{page.address}/{view}.mjpg", 2)}
    wide = 3 * streams.SIZE[1] if view == "side" else streams.SIZE[1]
    assert shapes == {(streams.SIZE[0], wide, 3)}


def test_the_state_is_json_and_a_snapshot_is_the_whole_picture(page):
    status, kind, body = got(page, "/status")
    told = json.loads(body)
    assert (status, kind) == (200, "application/json")
    assert told["sources"]["visible"]["state"] == "running"
    assert told["sources"]["infrared"]["size"] == "128×96"
    assert told["capture_to_fused_ms"]["median"] > 0
    assert {"captured", "used", "dropped"} <= set(told["sources"]["visible"])
    status, kind, body = got(page, "/snapshot.png?view=visible")
    assert (status, kind) == (200, "image/png")
    assert streams.pixels_of(body).shape == (*streams.SIZE, 3)


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/../../etc/passwd", "/%2e%2e/page.html", "/page.html", "/fused", "/fused.png", "/none.mjpg",
     "/status/", "/snapshot.png?view=../x", "/?a", "/.mjpg"],
)  # fmt: skip
def test_nothing_else_is_there(page, path):
    status, _, body = got(page, path)
    assert (status == 404 and len(body) < 100) or path == "/?a"
    assert b"root:" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed_from_outside(page, method):
    with pytest.raises(HTTPError) as error:
        urlopen(Request(page.address + "/status", method=method, data=b""), timeout=10)
    assert error.value.code == 501


def test_a_foreign_name_that_leads_to_this_machine_is_refused(page):
    assert got(page, "/status", Host="evil.example")[0] == 403
    assert got(page, "/status", Host="localhost:8080")[0] == 200


def test_a_page_with_a_password_shows_nothing_without_it(page):
    server = servers.serving(page.session, "127.0.0.1", 0, ("me", "secret"))
    server.start()
    right, wrong = (b64encode(text).decode() for text in (b"me:secret", b"me:wrong"))
    for path in ("/", "/status", "/snapshot.png", "/fused.mjpg"):
        assert got(server, path)[0] == 401
    assert got(server, "/status", Authorization=f"Basic {right}")[0] == 200
    answers = [got(server, "/status", Authorization=f"Basic {wrong}")[0] for _ in range(6)]
    assert answers == [401] * 5 + [429]
    server.close()


def test_a_page_for_other_machines_answers_to_its_own_names_alone(page):
    server = servers.serving(page.session, "0.0.0.0", 0)
    server.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    with urlopen(f"{address}/status", timeout=10) as answer:
        assert answer.status == 200
    with pytest.raises(HTTPError, match="403"):
        urlopen(Request(f"{address}/status", headers={"Host": "evil.example"}), timeout=10)
    server.close()


def test_it_listens_on_loopback_unless_told_otherwise(page):
    assert page.server_address[0] == "127.0.0.1"
    assert page.local
    assert servers.parse_page("8080") == ("127.0.0.1", 8080)
    assert servers.parse_page("0.0.0.0:8080") == ("0.0.0.0", 8080)
    assert servers.parse_page("[::1]:80") == ("::1", 80)
    for text in ("", "here", ":80", "80:", "70000", "a:b"):
        with pytest.raises(IrvisError, match="no place for a page"):
            servers.parse_page(text)


def test_a_port_that_is_taken_is_one_line_if_it_was_asked_for_and_another_one_if_not(page):
    taken = page.server_address[1]
    with pytest.raises(IrvisError, match="cannot be used"):
        servers.serving(page.session, "127.0.0.1", taken)
    other = servers.serving(page.session, "127.0.0.1", None)
    assert other.server_address[1] != taken
    other.close()


def test_who_looks_slowly_slows_nobody_and_gets_the_newest():
    with paged() as page:
        halt = threading.Event()
        slow = threading.Thread(target=_sip, args=(page.address, halt), daemon=True)
        slow.start()
        until(lambda: page.session.clients == 1)
        fused, begun = page.session.fused, monotonic()
        assert len(list(streams.looked_at(page.address + "/fused.mjpg", 20))) == 20
        assert monotonic() - begun < 10  # 1 s at 20 a second; the machine may be busy
        assert page.session.fused - fused >= 10
        late = summary.status(page.session)["capture_to_fused_ms"]["median"]
        halt.set()
        assert late < 1000


def _sip(address: str, halt: threading.Event) -> None:
    """Look at 1 kB a second."""
    with socket.create_connection(urlsplit(address).netloc.split(":")) as looker:
        looker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        looker.sendall(b"GET /side.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not halt.is_set():
            looker.recv(100)
            sleep(0.1)


def test_who_does_not_take_a_picture_is_cut_off_and_his_place_is_free(monkeypatch):
    monkeypatch.setattr(servers.Handler, "timeout", 0.5)
    monkeypatch.setattr(servers, "BUFFER", 4096)
    with paged() as page, socket.create_connection(("127.0.0.1", page.server_address[1])) as looker:
        looker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        looker.sendall(b"GET /side.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: page.session.clients == 1)
        until(lambda: page.session.clients == 0, 30, "cutting off")


def test_more_lookers_than_there_is_room_for_are_turned_away(page, monkeypatch):
    monkeypatch.setattr(page, "streams", threading.BoundedSemaphore(1))
    with urlopen(page.address + "/fused.mjpg", timeout=10) as first:
        first.read(10)
        assert got(page, "/fused.mjpg")[0] == 503
        assert got(page, "/status")[0] == 200


def test_a_view_is_coded_once_for_all_who_look(monkeypatch):
    coded: list[int] = []
    code = views.jpeg
    monkeypatch.setattr(views, "jpeg", lambda pixels: coded.append(1) or code(pixels))
    picture = Picture(taken=0.0, fused=streams.plain(0), visible=None, infrared=None)
    gallery = Gallery()
    first = [gallery.jpeg(1, picture, "fused") for _ in range(5)]
    assert len(coded) == 1
    assert len(set(first)) == 1
    gallery.jpeg(2, picture, "fused")
    assert len(coded) == 2


def test_marks_are_drawn_where_something_is_amiss():
    plain = Picture(taken=0.0, fused=streams.plain(0), visible=None, infrared=None)
    marked = Picture(taken=0.0, fused=streams.plain(0), visible=None, infrared=None, marks=("infrared lost",))
    before, after = views.pixels_of(plain, "fused"), views.pixels_of(marked, "fused")
    assert np.array_equal(before, plain.fused)
    changed = (before != after).any(axis=2)
    assert changed[:30].any()
    assert not changed[60:].any()
    assert views.pixels_of(plain, "infrared").max() == 0
