"""Every fused file says what made it, and a run that resumes keeps only what it would make itself."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import irvis
from irvis import creation, io, jobs, record, streaming
from irvis.cli import main
from irvis.data.matching import match
from irvis.files import method_name
from irvis.thermal import Range, Scale, Sensing
from irvis.types import Meta

RANDOM = np.random.default_rng(0)


def command(*words: object) -> int:
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def picture(path: Path, *shape: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RANDOM.integers(0, 255, shape, dtype=np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a", "b"):
        picture(tmp_path / "vi" / f"{name}.png", 20, 24, 3)
        picture(tmp_path / "ir" / f"{name}.png", 20, 24)
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ------------------------------------------------------------------------------------------------ what a file says


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "webp"])
@pytest.mark.parametrize("shown", ["", '{"infrared": {"low": 1.0}}'])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_file_says_what_made_it_beside_the_range(suffix, shown, depth, tmp_path):
    made, path = record.text({"irvis": "1", "method": "average", "options": {"weight": 0.5}}), tmp_path / f"f.{suffix}"
    image = torch.rand(1, 3, 8, 9)
    io.write(path, image, Meta(depth=depth, made=made, shown=shown))
    assert io.read_made(path) == {"irvis": "1", "method": "average", "options": {"weight": 0.5}}
    assert io.read_shown(path) == ({"low": 1.0} if shown else None)


def test_a_file_of_others_says_nothing(tmp_path):
    picture(tmp_path / "a.png", 4, 4)
    assert io.read_made(tmp_path / "a.png") is None


def test_the_record_of_a_file_that_was_fused_again_is_the_last_one(folder):
    assert command("fuse", "vi/a.png", "ir/a.png", "-o", "one.jpg", "-m", "average") == 0
    assert command("fuse", "one.jpg", "ir/a.png", "-o", "two.jpg", "-m", "max") == 0
    made = io.read_made(folder / "two.jpg")
    assert made is not None
    assert (made["irvis"], made["method"]) == (irvis.__version__, "max")
    assert made["inputs"] == [(folder / name).stat().st_size for name in ("one.jpg", "ir/a.png")]


def test_a_record_is_small_and_names_the_weights_by_their_hash():
    curve = tuple(np.linspace(0, 1, 4096))
    sensing = Sensing(scale=Scale(0, 1, levels=curve))
    reading = jobs.Reading(range=Range(0, 1), sensing=sensing, watched=frozenset("abc"))
    fuser = creation.fuser("encdec:tiny")
    made = jobs.record_of(fuser, reading, jobs.Writing(out=Path("o")))
    assert made["weights"] == fuser.method.weights["tiny"].sha256
    assert len(record.text(made)) < 1000
    other = replace(sensing, scale=Scale(0, 1, levels=(*curve[:-1], 2.0)))
    assert record.different(made, jobs.record_of(fuser, replace(reading, sensing=other), jobs.Writing(out=Path("o"))))
    unwatched = replace(reading, watched=frozenset())
    assert record.different(made, jobs.record_of(fuser, unwatched, jobs.Writing(out=Path("o")))) == ""


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (None, "does not say what made it"),
        ({"irvis": "1", "method": "max"}, "was made by max, not by average"),
        ({"irvis": "0", "method": "average"}, "was made with irvis 0 (not 1)"),
        ({"irvis": "1", "method": "average", "reading": {"resize": True}}, "was made with other reading"),
        ({"irvis": "1", "method": "average", "inputs": [1, 2]}, "was made of other files"),
        ({"irvis": "1", "method": "average", "inputs": [3, 4]}, ""),
    ],
)
def test_what_differs_is_said(found, text):
    wanted = {"irvis": "1", "method": "average", "inputs": [3, 4]}
    assert record.different(None if found is None else {"inputs": [3, 4]} | found, wanted) == text


# ----------------------------------------------------------------------------------------------------------- resuming

WORDS = ("fuse", "vi", "ir", "-o", "out", "--if-exists", "skip")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("-m", "average"), ("-m", "max")),
        (("-m", "average"), ("-m", "average:weight=0.3")),
        (("-m", "encdec:tiny"), ("-m", "encdec")),
        (("-m", "average"), ("-m", "average", "--infrared-range", "10,20")),
        (("-m", "average"), ("-m", "average", "--color", "gray")),
        (("-m", "average", "--format", "jpg"), ("-m", "average", "--format", "jpg", "--quality", "80")),
    ],
)
def test_resuming_in_another_way_stops_before_anything_is_done(first, second, folder, capsys):
    assert command(*WORDS, *first) == 0
    assert command(*WORDS, *first) == 0
    assert "2 were there already" in capsys.readouterr().out
    before = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    sorted((folder / "out").iterdir())[0].unlink()
    assert command(*WORDS, *second) == 1
    err = "".join(line for line in capsys.readouterr().err.splitlines(True) if not line.startswith("note: "))
    assert err.startswith("error: out/b.")
    assert err.count("\n") == 1
    assert "--if-exists overwrite" in err
    kept = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    assert kept.items() < before.items()


def test_a_file_of_others_is_never_taken_for_a_result(folder, capsys):
    picture(folder / "out" / "a.png", 20, 24, 3)
    assert command(*WORDS, "-m", "average") == 1
    assert "does not say what made it" in capsys.readouterr().err


def test_an_input_that_was_replaced_is_no_reason_to_keep_the_result(folder, capsys):
    assert command(*WORDS, "-m", "average") == 0
    Image.fromarray(np.zeros((20, 24, 3), np.uint8)).save(folder / "vi" / "b.png")
    assert command(*WORDS, "-m", "average") == 1
    assert "out/b.png was made of other files" in capsys.readouterr().err


def test_jobs_keep_by_the_record_too(folder):
    pairs = match("vi", "ir").pairs
    picture(folder / "out" / "a.png", 20, 24, 3)
    writing = jobs.Writing(out=folder / "out", if_exists="skip")
    done = list(jobs.fuse_all(pairs, {"average": creation.fuser("average")}, jobs.Reading(), writing))
    assert "does not say what made it" in done[0].problem
    assert not done[1].problem


def test_pairs_over_the_memory_are_kept_by_the_record_and_to_the_last_pixel(folder):
    pairs, fusers = match("vi", "ir").pairs, {"average": creation.fuser("average")}
    writing = jobs.Writing(out=folder / "out", format="tiff", if_exists="skip")
    memory = streaming.parse_memory("500MB")

    def run(**words):
        return list(jobs.stream_all(pairs, fusers, jobs.Reading(**words), writing, memory=memory))

    assert [(one.problem, one.skipped) for one in run()] == [("", False)] * 2
    half = folder / "out" / "a.tiff"
    whole_bytes = half.read_bytes()
    half.write_bytes(whole_bytes[: len(whole_bytes) // 2])
    assert [one.skipped for one in run()] == [False, True]
    assert half.read_bytes() == whole_bytes
    assert all("was made with other reading" in one.problem for one in run(range=Range(10, 20)))


def test_a_folder_may_be_resumed_with_another_tile_where_that_changes_nothing(folder, capsys):
    assert command(*WORDS, "-m", "average") == 0
    assert command(*WORDS, "-m", "average", "--tile", "64") == 0
    assert command(*WORDS[:5], "-m", "hmsd-gf", "--if-exists", "overwrite") == 0
    assert command(*WORDS, "-m", "hmsd-gf", "--tile", "64") == 1
    assert "other tile" in capsys.readouterr().err


# -------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("encdec:tiny", "encdec-tiny"),
        ("laplacian:levels=5", "laplacian-levels-5"),
        ("encdec:runs/mine/best.safetensors", "encdec-runs_mine_best.safetensors"),
    ],
)
def test_a_method_has_one_name_in_files(method, name):
    assert method_name(method) == name


def test_two_methods_of_one_name_do_not_overwrite_each_other(folder, capsys):
    assert command("fuse", "vi", "ir", "-o", "out", "-m", "encdec:a/b.safetensors,encdec:a_b.safetensors") == 1
    assert "would both be written to" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------- outputs among the inputs


@pytest.mark.parametrize(
    "words",
    [
        ("vi", "ir", "-o", "vi", "--format", "jpg"),
        ("vi", "ir", "-o", "ir/fused"),
        (".", "-o", "vi", "--format", "jpg"),
        (".", "-o", "rgb"),
        ("vi/*", "ir/*", "-o", "vi", "--format", "jpg"),
        ("vi/**/*.png", "ir/**/*.png", "-o", "vi/fused"),
    ],
)
def test_results_never_lie_where_the_next_run_takes_them_for_inputs(words, folder, capsys):
    before = sorted(folder.rglob("*"))
    assert command("fuse", *words, "-m", "average") == 1
    err = capsys.readouterr().err
    assert "choose another --out" in err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        (".", "-o", "fused"),
        ("vi", "ir", "-o", "fused"),
        ("vi/*.png", "ir/*.png", "-o", "vi", "--format", "jpg"),
        ("vi", "ir", "-o", "vi/.fused"),
        ("vi/a.png", "ir/a.png", "-o", "vi/fused.png"),
    ],
)
def test_where_the_next_run_sees_nothing_of_them_results_may_lie(words, folder):
    assert command("fuse", *words, "-m", "average") == 0
    assert command("fuse", *words, "-m", "average", "--if-exists", "skip") == 0


def test_with_patterns_only_what_fits_them_is_among_the_inputs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "p" / "1_W.png", 20, 24, 3)
    picture(tmp_path / "p" / "1_T.png", 20, 24)
    assert command("fuse", "p", "-o", "p", "--match", "{id}_W", "{id}_T", "-m", "average") == 0
    assert command("fuse", "p", "-o", "p/x", "--match", "{id}", "{id}_T", "-m", "average") == 1
    assert "choose another --out" in capsys.readouterr().err


# ----------------------------------------------------------------------------------------------------------- signals

STOPPED = """
import sys
from irvis import jobs
from irvis.cli import main
before = jobs.fuse_all
def slowly(*given, **words):
    import time
    for done in before(*given, **words):
        print("one", flush=True)
        time.sleep(0.5)
        yield done
jobs.fuse_all = slowly
main(sys.argv[1:])
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("kind", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow), signal.SIGKILL])
def test_a_process_that_is_ended_leaves_no_half_and_no_hidden_file_for_the_next_run(kind, folder):
    for number in range(8):
        picture(folder / "vi" / f"{number}.png", 20, 24, 3)
        picture(folder / "ir" / f"{number}.png", 20, 24)
    running = subprocess.Popen(
        [sys.executable, "-c", STOPPED, *WORDS, "-m", "average"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=folder, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )  # fmt: skip
    assert running.stdout is not None
    running.stdout.readline()
    if kind == signal.SIGKILL:  # where it has begun a file
        (folder / "out" / ".7.png.0123abcd.part").write_bytes(b"half")
    running.send_signal(kind)
    _, told = running.communicate(timeout=60)
    if kind != signal.SIGKILL:
        assert running.returncode == 128 + kind
        assert "stopped; go on with irvis fuse … --if-exists skip" in told
        assert "Traceback" not in told
        assert not list((folder / "out").glob(".*"))
    assert all(io.is_complete(path) for path in (folder / "out").glob("*.png"))
    (folder / "out" / "7.png").unlink(missing_ok=True)  # so that there is something to do
    assert command(*WORDS, "-m", "average") == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(
        path.name for path in (folder / "vi").iterdir()
    )


def test_signals_mean_what_they_meant_before_once_a_verb_is_over(folder):
    assert command("methods") == 0
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
