"""A study from folders to answers: who is asked what, what the server says and refuses, what is kept."""

import http.client
import json
import re
import shlex
import sqlite3
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from irvis import IrvisError, cli, io
from irvis.data.matching import match
from irvis.data.scene import scene
from irvis.study import asking, folders, store
from irvis.study.schedule import EVERY, Question, questions
from irvis.study.server import LARGEST, Server

METHODS = ("zebrafusion", "quaggamerge", "okapiblend")
NAMES = ("night/xylophone", "night/yacht", "day/zeppelin", "day/walrus")


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
def study(images: Path, tmp_path: Path) -> store.Study:
    return made(images, tmp_path / "study.sqlite")


def flat(path: Path, size: tuple[int, int] = (16, 16)) -> None:
    io.write(path, torch.full((1, 3, *size), 0.5))


def made(
    images: Path, file: Path, *, asked: int = 60, methods: tuple[str, ...] = METHODS, sources: bool = True
) -> store.Study:
    given = folders.methods([str(images / name) for name in methods])
    pairs = folders.pairs(given, match(images / "vi", images / "ir").pairs if sources else ())
    reading = {"range": None, "color": "refuse", "resize": False}
    store.create(store.Study(file=file, methods=given, pairs=pairs, seed=0, asked=asked, reading=reading))
    return store.load(file)


@pytest.fixture
def server(study: store.Study) -> Iterator[Server]:
    yield from running(study)


def running(study: store.Study, host: str = "127.0.0.1", **options: Any) -> Iterator[Server]:
    server = Server(study, host, 0, say=lambda _: None, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


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


def irvis(*words: object) -> int:
    """Run the command line in this process; returns the exit status."""
    try:
        cli.main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def answer_all(study: store.Study, name: str, say: Any) -> None:
    key = asking.join(study, name)
    while (token := asking.standing(study, key).current) is not None:
        asking.answer(study, key, token, say(asking.question(study, token)))


# ----------------------------------------------------------------------------------- who is asked what


def plan(rater: int, asked: int, methods: int = 4, pairs: int = 12, seed: int = 0) -> list[Question]:
    return list(islice(questions([range(methods)] * pairs, methods, rater, seed), asked))


def first(rows: list[Question]) -> list[Question]:
    return [row for row in rows if row.repeats is None]


def test_every_couple_of_methods_is_asked_equally_often() -> None:
    for asked in range(1, 80):
        counts = Counter(frozenset((row.left, row.right)) for row in first(plan(0, asked)))
        numbers = [counts[frozenset(couple)] for couple in combinations(range(4), 2)]
        assert max(numbers) - min(numbers) <= 1


def test_no_question_comes_twice_but_the_repeats_which_swap_the_sides() -> None:
    rows = plan(3, 1000)
    fresh = first(rows)
    assert len({(row.pair, *sorted((row.left, row.right))) for row in fresh}) == len(fresh) == 12 * 6
    repeats = [(place, row) for place, row in enumerate(rows) if row.repeats is not None]
    assert len(repeats) == 12 * 6 // (EVERY - 1)
    for place, row in repeats:
        earlier = rows[row.repeats]
        assert (row.pair, row.left, row.right) == (earlier.pair, earlier.right, earlier.left)
        assert earlier.repeats is None
        assert place - row.repeats > 4
    assert len({row.repeats for _, row in repeats}) == len(repeats)


def test_a_method_is_on_either_side_equally_often() -> None:
    sides = Counter((row.left, row.right) for row in first(plan(1, 1000)))
    assert all(sides[a, b] == sides[b, a] == 6 for a, b in combinations(range(4), 2))


def test_order_and_sides_are_the_same_for_a_seed_and_others_for_another_rater_or_seed() -> None:
    assert plan(0, 60) == plan(0, 60)
    assert plan(0, 60) != plan(1, 60)
    assert plan(0, 60) != plan(0, 60, seed=1)


def test_fewer_questions_are_the_first_of_more() -> None:
    assert plan(2, 20) == plan(2, 60)[:20]


def test_raters_together_see_all_pairs_and_have_questions_in_common() -> None:
    each = [{(row.pair, frozenset((row.left, row.right))) for row in first(plan(rater, 30))} for rater in range(8)]
    assert len(set.union(*each)) > 2 * 30
    assert all(len(one & other) >= 6 for one, other in combinations(each, 2))
    counts = Counter(pair for one in each for pair, _ in one)
    assert min(counts.values()) >= 4
    many = Counter(
        frozenset((row.left, row.right)) for rater in range(40) for row in first(plan(rater, 20, methods=10))
    )
    assert max(many.values()) <= 2 * min(many.values())


def test_what_a_folder_lacks_is_not_asked() -> None:
    rows = list(questions([[0, 1], [0, 1, 2], [1, 2]], 3, 0, 0))
    asked = {(row.pair, frozenset((row.left, row.right))) for row in first(rows)}
    assert asked == {
        (0, frozenset((0, 1))),
        (2, frozenset((1, 2))),
        *((1, frozenset(c)) for c in ((0, 1), (0, 2), (1, 2))),
    }


# -------------------------------------------------------------------------------------------- folders


def test_pairs_are_those_that_two_folders_have(images: Path, tmp_path: Path) -> None:
    for name, stems in (("one", "ab"), ("two", "bc"), ("three", "bd")):
        for stem in stems:
            flat(tmp_path / name / f"{stem}.png")
    given = folders.methods([str(tmp_path / name) for name in ("one", "two", "three")])
    (found,) = folders.pairs(given)
    assert (found.name, set(found.results)) == ("b", {"one", "two", "three"})


def test_results_are_found_by_the_names_that_evaluate_takes(images: Path, tmp_path: Path) -> None:
    for name in NAMES:
        flat(tmp_path / "flat" / f"{Path(name).name}.jpg", (48, 64))
    given = folders.methods([str(images / METHODS[0]), f"flat={tmp_path / 'flat'}"])
    assert {one.name for one in folders.pairs(given, match(images / "vi", images / "ir").pairs)} == set(NAMES)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("{images}/zebrafusion",), "two folders or more"),
        (("{images}/zebrafusion", "{images}/nowhere"), "is no folder"),
        (("{images}/zebrafusion", "{images}/zebrafusion"), "two folders are called zebrafusion"),
        (("{images}/zebrafusion", "{empty}"), "holds no image"),
        (("{images}/zebrafusion", "{strange}"), "shares no pair"),
        (("{images}/zebrafusion", "{small}"), "have one size"),
        (("{images}/zebrafusion", "{images}/quaggamerge", "--visible", "{images}/vi"), "belong together"),
        (("{images}/zebrafusion", "{images}/quaggamerge", "--infrared-range", "1%,99%"), "give both"),
        (("{images}/zebrafusion", "{images}/quaggamerge", "--questions", "0"), "1 or more"),
        ((), "which results?"),
        (("--report", "{empty}/none.sqlite"), "no such study"),
    ],
)
def test_what_cannot_be_a_study_is_one_clear_line(
    words: tuple[str, ...], text: str, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for name, stem, size in (("strange", "other", (48, 64)), ("small", NAMES[0], (24, 32))):
        flat(tmp_path / name / f"{stem}.png", size)
    places = {name: tmp_path / name for name in ("empty", "strange", "small")}
    assert irvis("study", *(word.format(images=images, **places) for word in words), "-o", tmp_path / "s.sqlite") == 1
    told = capsys.readouterr().err.strip()
    assert text in told
    assert "\n" not in told
    assert not (tmp_path / "s.sqlite").exists()


# --------------------------------------------------------------------------------------------- store


def test_a_study_comes_back_as_it_was_written(images: Path, study: store.Study) -> None:
    assert tuple(study.methods) == METHODS
    assert {one.name for one in study.pairs} == set(NAMES)
    assert store.load(study.file) == study


def test_a_name_goes_on_where_it_was_and_can_undo_to_the_beginning(study: store.Study) -> None:
    key = asking.join(study, " Ann  Lee ")
    tokens = []
    for said in ("left", "equal", "right"):
        tokens.append(asking.standing(study, key).current)
        asking.answer(study, key, tokens[-1], said)
    assert asking.join(study, "ann lee") == key
    assert asking.standing(study, key).done == 3
    for expected in (*reversed(tokens), tokens[0]):
        assert asking.undo(study, key).current == expected
    assert asking.answers(study.file) == []


def test_only_the_question_that_is_asked_can_be_answered(study: store.Study) -> None:
    key, other = asking.join(study, "a"), asking.join(study, "b")
    now = asking.standing(study, key)
    for token in (now.following, asking.standing(study, other).current, "nonsense"):
        with pytest.raises(ValueError, match="not the question"):
            asking.answer(study, key, token, "left")
    asking.answer(study, key, now.current, "left")
    with pytest.raises(ValueError, match="not the question"):
        asking.answer(study, key, now.current, "right")
    assert [one.said for one in asking.answers(study.file)] == ["left"]


def test_more_questions_can_be_asked_later_and_other_images_not(images: Path, tmp_path: Path) -> None:
    known = made(images, tmp_path / "s.sqlite", asked=3)
    answer_all(known, "a", lambda _: "left")
    more = store.go_on(known.file, asked=9)
    asking.ask_more(more)
    key = asking.join(more, "a")
    assert (asking.standing(more, key).done, asking.standing(more, key).total) == (3, 9)
    with pytest.raises(IrvisError, match="other images"):
        store.go_on(known.file, given=made(images, tmp_path / "t.sqlite", methods=METHODS[:2]))
    with pytest.raises(IrvisError, match="--seed 0"):
        store.go_on(known.file, seed=1)


def test_a_study_moves_with_its_images(images: Path, tmp_path: Path) -> None:
    known = made(images, tmp_path / "s.sqlite", sources=False)
    assert known.pairs[0].sources is None
    given = made(images, tmp_path / "t.sqlite")
    assert store.go_on(known.file, given=given).pairs == given.pairs


@pytest.mark.parametrize("change", ["PRAGMA user_version=99", "PRAGMA application_id=1"])
def test_a_file_of_another_form_is_refused(study: store.Study, change: str) -> None:
    with sqlite3.connect(study.file) as base:
        base.execute(change)
    with pytest.raises(IrvisError, match=r"another version|no study"):
        store.load(study.file)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite").write_text("these are no answers, " * 100)
    with pytest.raises(IrvisError, match="not a database"):
        store.load(tmp_path / "s.sqlite")


def test_a_study_that_is_killed_while_people_answer_keeps_every_answer_it_confirmed(study: store.Study) -> None:
    program = (
        "import sys; from pathlib import Path; from irvis.study import asking, store\n"
        "study = store.load(Path(sys.argv[1])); key = asking.join(study, sys.argv[2])\n"
        "while True:\n"
        "    token = asking.standing(study, key).current\n"
        "    asking.answer(study, key, token, 'left') if token else [asking.undo(study, key) for _ in range(9)]\n"
        "    print(token, flush=True)\n"
    )
    rater = subprocess.Popen([sys.executable, "-c", program, str(study.file), "a"], stdout=subprocess.PIPE, text=True)
    confirmed = {rater.stdout.readline().strip() for _ in range(6)}
    rater.kill()
    rater.communicate()
    with sqlite3.connect(study.file) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        answered = {token for (token,) in base.execute("SELECT token FROM question WHERE answer IS NOT NULL")}
    assert confirmed <= answered


def test_raters_at_once_lose_nothing(study: store.Study) -> None:
    names = [f"rater {n}" for n in range(6)]
    threads = [threading.Thread(target=answer_all, args=(study, name, lambda _: "equal")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = Counter(one.rater for one in asking.answers(study.file))
    assert counts == dict.fromkeys(names, len(plan(0, 60, methods=3, pairs=4)))


# -------------------------------------------------------------------------------------------- server


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


def test_pictures_are_the_pixels_of_the_files(server: Server, study: store.Study) -> None:
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
    known = store.Study(
        file=tmp_path / "s.sqlite", methods=given, pairs=folders.pairs(given), seed=0, asked=9, reading={}
    )  # fmt: skip
    store.create(known)
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


def test_a_name_of_another_gives_no_key_where_other_machines_come_in(study: store.Study) -> None:
    for server in running(study, host="0.0.0.0"):
        key = post(server, "/join", name="Ann")["key"]
        again = post(server, "/join", name="ann")
        assert again["status"] == 409
        assert "key" not in again
        assert post(server, "/state", key=key)["name"] == "Ann"
        assert ask(server, "GET", "/", Host="evil.example")[0] == 403


def test_a_study_with_a_password_shows_nothing_without_it(study: store.Study) -> None:
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


def test_a_rater_named_by_the_command_needs_no_form(study: store.Study) -> None:
    for server in running(study, rater="Ann"):
        assert json.loads(ask(server, "GET", "/start")[1]) == {"rater": "Ann"}
        assert post(server, "/join", name="Eve")["name"] == "Ann"


# -------------------------------------------------------------------------------------------- report


def test_a_report_ranks_what_people_prefer_and_names_the_metric_that_agrees(
    study: store.Study, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        answer_all(study, name, lambda asked: "left" if asked.left < asked.right else "right")
    assert irvis("study", "--report", study.file, "--metrics", "CC,Qw,EN", "--json", "--workers", 1) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in told["methods"]] == list(METHODS)
    assert [row["lost"] for row in told["methods"]] == [0, 8, 16]
    assert all(row["interval"][0] < row["strength"] < row["interval"][1] for row in told["methods"])
    assert told["agreement"]["same"] == 1
    assert [(row["same"], row["repeats"]) for row in told["raters"]] == [(1, 1), (1, 1)]
    assert {row["metric"] for row in told["metrics"]} == {"CC", "Qw", "EN"}
    assert told["people"]["agrees"] == 1
    assert any("never lost: zebrafusion" in note for note in told["notes"])
    assert any("only 2 raters" in note for note in told["notes"])
    assert irvis("study", "--report", study.file, "--metrics", "CC", "--workers", 1) == 0
    assert "zebrafusion" in capsys.readouterr().out


def test_a_report_of_no_answers_or_no_sources_is_one_clear_line(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = made(images, tmp_path / "s.sqlite", sources=False)
    assert irvis("study", "--report", known.file) == 1
    assert "no answers yet" in capsys.readouterr().err
    answer_all(known, "a", lambda _: "equal")
    assert irvis("study", "--report", known.file) == 0
    assert "without --visible and --infrared" in capsys.readouterr().out
    assert irvis("study", "--report", known.file, "--metrics", "nonsense") == 0


def test_the_command_serves_until_it_is_interrupted(images: Path, tmp_path: Path, interruptible: None) -> None:
    file = tmp_path / "s.sqlite"
    words = [
        *(images / name for name in METHODS),
        "-o",
        file,
        "--port",
        0,
        "--visible",
        images / "vi",
        "--infrared",
        images / "ir",
    ]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "irvis.cli", "study", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert "3 methods, 4 pairs" in lines[0]
        port = int(re.search(r"127\.0\.0\.1:(\d+)", lines[1])[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
        time.sleep(0.1)
        process.send_signal(2)
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert "go on: irvis study -o" in told
    assert "Traceback" not in told
    assert len(store.load(file).pairs) == 4


def test_a_port_that_is_taken_is_one_clear_line(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert irvis("study", "-o", server.study.file, "--port", server.server_port) == 1
    assert "give another --port" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------- the manual

PAGE = Path(__file__).parents[1] / "docs/learn/study.md"


def test_every_command_of_the_manual_is_understood() -> None:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line.startswith("irvis")]
    assert len(commands) >= 5
    for command in commands:
        assert cli.app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)[0] is not None


def test_the_query_of_the_manual_lists_every_answer(study: store.Study) -> None:
    answer_all(study, "a", lambda _: "left")
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with sqlite3.connect(study.file) as base:
        rows = base.execute(query).fetchall()
    told = asking.answers(study.file)
    assert [(row[0], row[2], row[4]) for row in rows] == [("a", METHODS[one.left], "left") for one in told]
