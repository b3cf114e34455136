"""The web page without a server: visitors' rooms, and which requests the guard lets pass."""

import asyncio

import pytest

from browser import pair
from irvis.errors import IrvisError

pytest.importorskip("gradio", reason="the page needs the extra: pip install 'irvis[app]'")

from app_actions import SETTINGS, run
from irvis.app import asking, uploads
from irvis.app import guard as guards
from irvis.app.actions import Actions
from irvis.app.guard import Guard
from irvis.app.sessions import GRACE, MOST, Rooms
from irvis.app.settings import Settings


@pytest.fixture
def root(tmp_path):
    """Where uploads lie."""
    folder = (tmp_path / "root").resolve()
    (folder / "sent").mkdir(parents=True)
    return folder


@pytest.fixture
def actions(root):
    return Actions(settings=SETTINGS, root=root, rooms=Rooms(root, 30))


# --------------------------------------------------------------------------------------------- rooms


def test_rooms_are_left_and_swept(tmp_path):
    now = [0.0]
    rooms = Rooms(tmp_path, 30, clock=lambda: now[0])
    first, second = rooms.open("../../a"), rooms.open("b")
    assert first.parent == second.parent == tmp_path / "rooms"
    assert rooms.open("b") == second
    rooms.leave("b")
    now[0] = GRACE - 1
    rooms.sweep()
    assert second.is_dir()
    rooms.back("b")
    now[0] = GRACE + 1
    rooms.sweep()
    assert second.is_dir()
    rooms.leave("b")
    now[0] += GRACE
    rooms.sweep()
    assert not second.exists()
    assert first.is_dir()
    now[0] = 1801.0
    rooms.sweep()
    assert not first.exists()
    assert not rooms.rooms


def test_the_visitor_unseen_for_longest_makes_room(tmp_path):
    rooms = Rooms(tmp_path, 10)
    folders = [rooms.open(str(n)) for n in range(MOST + 3)]
    assert [folder.is_dir() for folder in folders] == [False] * 3 + [True] * MOST


def test_uploads_that_nobody_used_for_long_are_removed(tmp_path, monkeypatch):
    rooms = Rooms(tmp_path, 10)
    old = tmp_path / "abc"
    old.mkdir()
    (old / "a.png").write_bytes(b"x")
    (tmp_path / "broken-off").write_bytes(b"x")
    rooms.sweep()
    assert old.is_dir()
    monkeypatch.setattr("irvis.app.sessions.time.time", lambda: old.parent.stat().st_mtime + 700)
    rooms.sweep()
    assert not list(tmp_path.iterdir())


def test_requests_leave_no_more_files_than_one(actions, root):
    files = pair(root / "sent")
    run(actions, *files)
    count = len(list(root.rglob("*")))
    for _ in range(5):
        run(actions, *files)
        with pytest.raises(IrvisError):
            run(actions, "/etc/passwd", files[1])
    assert len(list(root.rglob("*"))) == count


async def nobody(scope, receive, send):
    raise AssertionError


def scope(path, method="GET", host="127.0.0.1:7860", **headers):
    listed = [(b"host", host.encode()), *((name.encode(), str(value).encode()) for name, value in headers.items())]
    return {"type": "http", "path": path, "method": method, "headers": listed}


# --------------------------------------------------------------------------------------------- guard


def test_the_guard_lets_pass_what_the_page_needs_and_nothing_else(root):
    guard = Guard(nobody, SETTINGS, root, Rooms(root, 30))
    inside = root / "sent" / "a.png"
    for path in (
        "/",
        "/config",
        "/assets/x.js",
        f"/gradio_api/file={inside}",
        "/gradio_api/heartbeat/abc",
        "/gradio_api/queue/data",
    ):
        assert guard.refusal(scope(path)) == (0, "")
    for path in ("/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/call/v2/fuse"):
        assert guard.refusal(scope(path, "POST")) == (0, "")
    for path in (
        "/gradio_api/proxy=http://a.b/", "/gradio_api/stream/x", "/gradio_api/vibe-edit", "/monitoring", "/docs",
        "/monitoring/x", "/gradio_api/deep_link", "/gradio_api/dev/reload", "/gradio_api/file/a",
        "/gradio_api/custom_component/1/a/b/c", "/gradio_api/run-history/buckets",
    ):  # fmt: skip
        assert guard.refusal(scope(path))[0] == 404
    for path in (
        "/gradio_api/run/fuse",
        "/gradio_api/api/fuse",
        "/gradio_api/component_server",
        "/gradio_api/call/other",
    ):
        assert guard.refusal(scope(path, "POST"))[0] == 404
    for path in ("/etc/passwd", f"{root}/../x", "http://a.b/c", "visible.png", f"{root}-2/a", f"{root}/%2e%2e/x"):
        assert guard.refusal(scope(f"/gradio_api/file={path}"))[0] == 403
    assert guard.refusal(scope("/", host="evil.example"))[0] == 403
    assert guard.refusal(scope("/gradio_api/upload", "POST", **{"content-length": 10**9}))[0] == 413
    assert guard.refusal(scope("/gradio_api/queue/join", "POST", **{"content-length": 2 * 10**6}))[0] == 413


def test_another_hosts_name_is_good_only_where_a_password_is_asked_for(root):
    for settings, status in ((Settings(auth=("a", "b")), 0), (Settings(host="0.0.0.0"), 403)):
        assert Guard(nobody, settings, root, Rooms(root, 30)).refusal(scope("/", host="our.example"))[0] == status
    guard = Guard(nobody, Settings(host="0.0.0.0"), root, Rooms(root, 30))
    assert guard.refusal(scope("/", host="192.168.1.2:7860")) == (0, "")


@pytest.mark.parametrize("path", ["/login", "/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/call/v2/fuse"])
def test_what_another_site_sends_is_refused_whatever_its_form(path, root):
    guard = Guard(nobody, SETTINGS, root, Rooms(root, 30))
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        told = scope(path, "POST", **headers, **{"content-type": "multipart/form-data; boundary=x"})
        assert guard.refusal(told)[0] == 403
    for headers in ({}, {"origin": "http://127.0.0.1:7860"}, {"sec-fetch-site": "same-origin"}):
        assert guard.refusal(scope(path, "POST", **headers)) == (0, "")


def test_a_body_that_comes_too_slowly_ends(monkeypatch):
    clock = iter(range(0, 1000, 10))

    async def drop():
        return {"type": "http.request", "body": b"abc", "more_body": True}

    async def silence():
        await asyncio.sleep(60)

    async def messages(receive, count):
        timed = guards.in_time(receive, lambda: next(clock))
        return [(await timed())["type"] for _ in range(count)]

    assert asyncio.run(messages(drop, 3)) == ["http.request", "http.request", "http.disconnect"]
    monkeypatch.setattr(guards, "SLOW", 0.01)
    assert asyncio.run(messages(silence, 1)) == ["http.disconnect"]


def test_uploads_wait_while_the_disk_is_full(root):
    guard = Guard(nobody, Settings(max_upload=10), root, Rooms(root, 30))
    (root / "sent" / "a").write_bytes(bytes(1000))
    assert guard.refusal(scope("/gradio_api/upload", "POST"))[0] == 503


def test_names_of_controls_are_those_of_the_wish(actions):
    import gradio

    from irvis.app import controls

    with gradio.Blocks():
        asked = controls.controls()
    known = {*asking.CHOICES, *asking.TEXTS, *asking.NUMBERS, *asking.SWITCHES, *asking.FILES, "compare"}
    assert set(asked) - set(controls.OTHERS) == known


def test_an_upload_is_copied_under_a_name_that_is_only_a_name(root, tmp_path):
    visible, infrared = pair(root / "sent")
    odd = root / "sent" / "a;rm -rf ~ $(x).png"
    visible.rename(odd)
    taken = uploads.take((str(odd), str(infrared)), root, tmp_path / "room", SETTINGS)
    assert taken.pairs[0].visible.name == "a_rm -rf _ _(x).png"
