"""A study: what its server tells raters, and what it refuses."""

import http.client
import json
import re
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from irvis import io
from irvis.data.scene import scene
from irvis.study import asking, database, folders
from irvis.study.server import LARGEST, Server
from studies import METHODS, NAMES, flat, made, running


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three methods' results of four small pairs, which say in their metadata whose they are."""
    root = tmp_path_factory.mktemp("images")
    for number, name in enumerate(NAMES):
        visible, infrared = scene(number, (48, 64)).tensors()
        io.write(root / "vi" / f"{name}.png", visible)
        io.write(root / "ir" / f"{name}.png", infrared)
        for method, result in zip(
            METHODS, (visible, (visible + infrared) / 2, infrared.expand_as(visible)), strict=True
        ):
            text = PngInfo()
            text.add_text("Software", f"{method} of {name}")
            path = root / method / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            levels = (result[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            Image.fromarray(levels).save(path, pnginfo=text)
    return root


@pytest.fixture
def study(images: Path, tmp_path: Path) -> database.Study:
    return made(images, tmp_path / "study.sqlite")


@pytest.fixture
def server(study: database.Study) -> Iterator[Server]:
    yield from running(study)


def ask(server: Server, verb: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, str]:
    """Status, body, and everything else that the server said."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    try:
        connection.request(verb, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read(), f"{answer.reason}\n{answer.headers}"
    finally:
        connection.close()


def post(server: Server, path: str, **told: str) -> dict[str, Any]:
    status, body, _ = ask(server, "POST", path, json.dumps(told).encode(), Content_Type="application/json")
    return {"status": status, **json.loads(body)}


def test_a_rater_answers_every_question_once(server: Server) -> None:
    told = post(server, "/join", name="Ann")
    key, seen = told["key"], []
    while told["question"] is not None:
        assert told["done"] == len(seen)
        seen.append(told["question"])
        told = post(server, "/answer", key=key, question=seen[-1], answer="left")
    assert len(set(seen)) == told["total"] == told["done"]
    assert post(server, "/state", key=key)["question"] is None
    assert post(server, "/undo", key=key)["question"] == seen[-1]


def test_two_raters_at_once_go_their_own_ways(server: Server) -> None:
    ann, bob = post(server, "/join", name="Ann"), post(server, "/join", name="Bob")
    assert ann["key"] != bob["key"]
    assert not {ann["question"], ann["next"]} & {bob["question"], bob["next"]}
    after = post(server, "/answer", key=ann["key"], question=ann["question"], answer="right")
    assert (after["done"], post(server, "/state", key=bob["key"])["done"]) == (1, 0)
    assert post(server, "/answer", key=bob["key"], question=after["question"], answer="left")["status"] == 409


def test_pictures_are_the_pixels_of_the_files(server: Server, study: database.Study) -> None:
    token = post(server, "/join", name="Ann")["question"]
    asked = asking.question(study, token)
    one = study.pairs[asked.pair]
    files = {"left": list(METHODS)[asked.left], "right": list(METHODS)[asked.right]}
    expected = {side: one.results[method] for side, method in files.items()}
    for side, path in {**expected, "visible": one.sources.visible, "infrared": one.sources.infrared}.items():
        status, body, _ = ask(server, "GET", f"/image/{token}/{side}")
        assert status == 200
        assert np.array_equal(np.asarray(Image.open(BytesIO(body))), np.asarray(Image.open(path)))


def test_nothing_that_the_server_says_tells_a_method_a_file_or_a_folder(server: Server, images: Path) -> None:
    secrets = [*METHODS, *(part for name in NAMES for part in name.split("/")), images.name, "study.sqlite"]
    said: list[bytes] = []

    def keep(answer: tuple[int, bytes, str]) -> bytes:
        said.extend((answer[1], answer[2].encode()))
        return answer[1]

    told = json.loads(keep(ask(server, "POST", "/join", b'{"name": "Ann"}', Content_Type="application/json")))
    key, body = told["key"], b""
    while told["question"]:
        for side in ("left", "right", "visible", "infrared"):
            picture = Image.open(BytesIO(keep(ask(server, "GET", f"/image/{told['question']}/{side}"))))
            assert not picture.info
        body = json.dumps({"key": key, "question": told["question"], "answer": "equal"}).encode()
        told = json.loads(keep(ask(server, "POST", "/answer", body, Content_Type="application/json")))
    for path in (
        "/",
        "/start",
        "/nothing",
        "/image/a/left",
        f"/image/{key}/left",
        "/image/../../left",
        f"/{METHODS[0]}x",
    ):
        keep(ask(server, "GET", path))
    keep(ask(server, "POST", "/answer", body, Content_Type="application/json"))
    for secret in secrets:
        assert not any(secret.lower().encode() in text.lower() for text in said), secret


def test_a_picture_that_cannot_be_read_is_told_to_the_terminal_alone(images: Path, tmp_path: Path) -> None:
    for name in METHODS[:2]:
        flat(tmp_path / name / "a.png")
    given = folders.methods([str(tmp_path / name) for name in METHODS[:2]])
    known = database.Study(
        file=tmp_path / "s.sqlite", methods=given, pairs=folders.pairs(given), seed=0, asked=9, reading={}
    )  # fmt: skip
    database.create(known)
    lines: list[str] = []
    for server in running(known):
        server.say = lines.append
        token = post(server, "/join", name="Ann")["question"]
        for name in METHODS[:2]:
            (tmp_path / name / "a.png").write_bytes(b"no picture")
        status, body, _ = ask(server, "GET", f"/image/{token}/left")
        assert status == 500
        assert not any(name.encode() in body for name in (*METHODS, str(tmp_path)))
        assert any("a.png" in line for line in lines)
        assert ask(server, "GET", f"/image/{token}/visible")[0] == 404
        assert ask(server, "GET", "/")[0] == 200


BAD = {
    "traversal": ("GET", "/image/../../etc/passwd", None, {}, 404),
    "encoded traversal": ("GET", "/image/%2e%2e%2f%2e%2e%2fetc%2fpasswd/left", None, {}, 404),
    "absolute": ("GET", "//etc/passwd", None, {}, 404),
    "unknown token": ("GET", "/image/AAAAAAAAAAAAAAAAAAAAAAAA/left", None, {}, 404),
    "quoted token": ("GET", "/image/'%20OR%20'1'='1/left", None, {}, 404),
    "unknown side": ("GET", "/image/AAAA/middle", None, {}, 404),
    "another verb": ("PUT", "/join", b"{}", {}, 501),
    "get where post belongs": ("GET", "/join", None, {}, 404),
    "no JSON": ("POST", "/join", b"{name", {"Content_Type": "application/json"}, 400),
    "no text": ("POST", "/join", b"\xff\xfe\x00", {"Content_Type": "application/json"}, 400),
    "a list": ("POST", "/join", b"[1, 2]", {"Content_Type": "application/json"}, 400),
    "a deep list": ("POST", "/join", b"[" * 4000, {"Content_Type": "application/json"}, 400),
    "a number for a name": ("POST", "/join", b'{"name": 7}', {"Content_Type": "application/json"}, 400),
    "no name": ("POST", "/join", b"{}", {"Content_Type": "application/json"}, 400),
    "an empty name": ("POST", "/join", b'{"name": " "}', {"Content_Type": "application/json"}, 409),
    "a long name": ("POST", "/join", b'{"name": "' + b"a" * 61 + b'"}', {"Content_Type": "application/json"}, 409),
    "a control character": ("POST", "/join", b'{"name": "a\\u0007b"}', {"Content_Type": "application/json"}, 409),
    "half a character": ("POST", "/join", b'{"name": "\\ud800"}', {"Content_Type": "application/json"}, 409),
    "a form of another site": ("POST", "/join", b'{"name": "Eve"}', {"Content_Type": "text/plain"}, 415),
    "a huge body": ("POST", "/join", b"a" * (LARGEST + 1), {"Content_Type": "application/json"}, 413),
    "a length that is none": ("POST", "/join", b"", {"Content_Length": "-5"}, 411),
    "a length beyond all": ("POST", "/join", b"", {"Content_Length": "9" * 30}, 413),
    "an unknown key": ("POST", "/state", b'{"key": "AAAA"}', {"Content_Type": "application/json"}, 403),
    "an unknown answer": (
        "POST", "/answer", b'{"key": "A", "question": "A", "answer": "both"}', {"Content_Type": "application/json"}, 400
    ),
    "another site": (
        "POST", "/join", b'{"name": "Eve"}', {"Content_Type": "application/json", "Origin": "http://evil.example"}, 403
    ),
    "another host's name": ("GET", "/", None, {"Host": "evil.example"}, 403),
    "a long line": ("GET", "/" + "a" * 70000, None, {}, 414),
    "a huge header": ("GET", "/", None, {"X_Large": "a" * 70000}, 431),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_refused_and_the_server_goes_on(name: str, server: Server) -> None:
    verb, path, body, headers, expected = BAD[name]
    try:
        status = ask(server, verb, path, body, **headers)[0]
    except ConnectionError:
        status = expected  # it hung up on what it does not want to read
    assert status == expected
    assert ask(server, "GET", "/")[0] == 200
    assert sqlite3.connect(server.study.file).execute("SELECT count(*) FROM rater").fetchone() == (0,)


def test_a_name_of_another_gives_no_key_where_other_machines_come_in(study: database.Study) -> None:
    for server in running(study, host="0.0.0.0"):
        key = post(server, "/join", name="Ann")["key"]
        again = post(server, "/join", name="ann")
        assert again["status"] == 409
        assert "key" not in again
        assert post(server, "/state", key=key)["name"] == "Ann"
        assert ask(server, "GET", "/", Host="evil.example")[0] == 403


def test_a_study_with_a_password_shows_nothing_without_it(study: database.Study) -> None:
    right, wrong = (b64encode(text).decode() for text in (b"me:secret", b"me:wrong"))
    for server in running(study, auth=("me", "secret")):
        assert ask(server, "GET", "/")[0] == 401
        assert post(server, "/join", name="Ann")["status"] == 401
        assert ask(server, "GET", "/", Authorization=f"Basic {right}")[0] == 200
        assert [ask(server, "GET", "/", Authorization=f"Basic {wrong}")[0] for _ in range(6)] == [401] * 5 + [429]


def test_many_visitors_who_say_nothing_do_not_stop_the_others(server: Server) -> None:
    silent = [http.client.HTTPConnection("127.0.0.1", server.server_port) for _ in range(20)]
    for one in silent:
        one.connect()
    assert ask(server, "GET", "/")[0] == 200
    for one in silent:
        one.close()


def test_the_page_needs_nothing_from_elsewhere(server: Server) -> None:
    _, body, headers = ask(server, "GET", "/")
    text = body.decode()
    assert not re.findall(r"https?://|src=\"(?!data:)|@import|url\(", text)
    assert "default-src 'none'" in headers
    assert "unsafe" not in headers


def test_a_rater_named_by_the_command_needs_no_form(study: database.Study) -> None:
    for server in running(study, rater="Ann"):
        assert json.loads(ask(server, "GET", "/start")[1]) == {"rater": "Ann"}
        assert post(server, "/join", name="Eve")["name"] == "Ann"
