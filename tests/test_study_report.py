"""A study: its report, its command and its manual."""

import http.client
import json
import re
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from irvis import cli, io
from irvis.data.scene import scene
from irvis.study import asking, database
from irvis.study.server import Server
from studies import METHODS, NAMES, answer_all, irvis, made, running


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


# -------------------------------------------------------------------------------------------- report


def test_a_report_ranks_what_people_prefer_and_names_the_metric_that_agrees(
    study: database.Study, capsys: pytest.CaptureFixture[str]
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
    assert len(database.load(file).pairs) == 4


def test_a_port_that_is_taken_is_one_clear_line(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert irvis("study", "-o", server.study.file, "--port", server.server_port) == 1
    assert "give another --port" in capsys.readouterr().err


PAGE = Path(__file__).parents[1] / "docs/learn/study.md"


# ---------------------------------------------------------------------------------------- the manual


def test_every_command_of_the_manual_is_understood() -> None:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line.startswith("irvis")]
    assert len(commands) >= 5
    for command in commands:
        assert cli.app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)[0] is not None


def test_the_query_of_the_manual_lists_every_answer(study: database.Study) -> None:
    answer_all(study, "a", lambda _: "left")
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with sqlite3.connect(study.file) as base:
        rows = base.execute(query).fetchall()
    told = asking.answers(study.file)
    assert [(row[0], row[2], row[4]) for row in rows] == [("a", METHODS[one.left], "left") for one in told]
