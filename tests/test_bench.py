"""Speed: what is measured, counted and told. How fast anything is, no test says."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn

from irvis import demo, io
from irvis.bench import commands, job, machine, rounds, rows, tables, work
from irvis.bench.job import Job, Row
from irvis.bench.rounds import Result, gather, run, turns
from irvis.cli import main
from irvis.errors import IrvisError

ROW = Row(method="average", width=64, height=48)
SLOW = """
import time
NAME = "sleeper"
def fuse(visible, infrared):
    print("a word")
    time.sleep(0.5)
    return (visible.mean(1, keepdim=True) + infrared) / 2
"""


def irvis(*words: object) -> int:
    """Run the command line in this process; returns the exit status."""
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def result(*milliseconds: float, row: Row = ROW, **facts: object) -> Result:
    """A row that ran in two rounds."""
    seconds = tuple(one / 1000 for one in milliseconds)
    half = len(seconds) // 2
    return Result(row=row, name=row.method, rounds=(seconds[:half], seconds[half:]), **facts)


def test_sizes_are_width_by_height():
    assert rows.sizes("640x480, 1280×1024") == [(640, 480), (1280, 1024)]
    for wrong in ("640", "0x480", "axb", "640x480x3", ""):
        with pytest.raises(IrvisError):
            rows.sizes(wrong)
    with pytest.raises(IrvisError, match="batch"):
        rows.batches("1,0")


def test_every_combination_is_a_row_and_a_third_party_is_one_per_size_and_batch():
    made = rows.grid("a,b", "8x8,16x8", "1,4", "torch,openvino", "fp32,bf16", against=["dir/c.py"], error="0,0.1")
    assert len(made) == 2 * 2 * (2 * 2 * 2 * 2 + 1)
    assert len(set(made)) == len(made)
    assert [row.method for row in made if row.file] == ["c"] * 4
    assert len(rows.grid("a,a", "8x8", "1", "torch", "fp32")) == 1


@pytest.mark.parametrize(("stride", "groups", "bias"), [(1, 1, True), (2, 1, False), (1, 4, True)])
def test_operations_of_a_convolution_are_two_per_multiply_add(stride, groups, bias):
    layer = nn.Conv2d(4, 8, 3, stride=stride, padding=1, groups=groups, bias=bias)
    counted = work.flops(lambda visible, infrared: layer(visible), torch.rand(2, 4, 10, 12), torch.rand(2, 1, 10, 12))
    assert counted == 2 * 2 * 8 * (10 // stride) * (12 // stride) * (4 // groups) * 3 * 3


def test_operations_of_a_product_are_two_per_multiply_add():
    assert work.flops(torch.matmul, torch.rand(3, 5), torch.rand(5, 7)) == 2 * 3 * 5 * 7


def test_speed_is_the_median_and_p95_the_nearest_rank():
    found = result(*range(1, 21))
    assert found.median == pytest.approx(0.0105)
    assert found.p95 == pytest.approx(0.019)
    assert found.rate == pytest.approx(1 / 0.0105)
    assert result(8, 8, row=Row(method="a", width=8, height=8, batch=4)).rate == pytest.approx(500)


def test_ratios_are_taken_round_by_round_and_per_frame():
    batch = Row(method="a", width=8, height=8, batch=4)
    assert result(20, 80, row=batch).ratios(result(10, 10)) == pytest.approx([2, 0.5])


def test_the_share_of_the_ceiling_is_between_work_and_time():
    assert result(10, 10, flops=10**9, ceiling=4e11).share == pytest.approx(0.25)
    assert result(10, 10, flops=None, ceiling=4e11).share is None


def test_no_row_is_above_the_ceiling_even_where_it_beats_every_matrix_product():
    other = Row(method="b", width=8, height=8)
    fast, slow = ({"name": n, "seconds": [s], "memory": 0, "flops": 10**9, "counted": "as run", "threads": 1}
                  for n, s in (("average", 0.001), ("b", 0.002)))  # fmt: skip
    done = [(Job(task="fuse", row=ROW), fast), (Job(task="fuse", row=other), slow)]
    done.append((Job(task="ceiling", row=ROW), {"ceiling": 4e11}))
    assert [found.share for found in gather([ROW, other], done)] == pytest.approx([1, 0.5])
    hidden = (Job(task="fuse", row=ROW), fast | {"counted": "rewritten"})
    (found,) = gather([ROW], [hidden, done[2]])
    assert found.share is None


def test_emulated_half_precision_is_told_below_the_table(monkeypatch):
    half = result(1, 1, row=Row(method="a", width=8, height=8, precision="bf16"))
    for native, told in ((("fp32",), True), (("bf16", "fp32"), False)):
        monkeypatch.setattr("irvis.runtime.substitutes.native", lambda device, native=native: native)
        assert any("bf16 is emulated" in line for line in tables.notes([half])) is told


def test_rows_are_compared_with_the_first_of_their_size_that_ran():
    other = Row(method="b", width=8, height=8)
    broken = Result(row=ROW, name="average", problem="no")
    first, second, elsewhere = result(1, 1), result(4, 4), result(9, 9, row=other)
    found = [broken, first, second, elsewhere]
    assert tables.reference(second, found) is first
    assert tables.record(elsewhere, found)["ratio"] == 1
    assert tables.record(second, found)["ratio"] == pytest.approx(0.25)
    assert tables.record(broken, found)["problem"] == "no"


def test_the_ceiling_is_a_speed():
    assert work.ceiling("fp32", "cpu") > 1e8


def test_a_process_that_dies_is_a_problem_and_not_an_end(monkeypatch):
    for code, text in (("import os; os.kill(os.getpid(), 9)", "memory"), ("raise SystemExit('gone')", "gone")):
        monkeypatch.setattr(Job, "words", lambda self, code=code: [sys.executable, "-c", code])
        assert text in run(Job(task="fuse", row=ROW))["problem"]


def test_problems_of_any_round_are_told():
    done = [(Job(task="fuse", row=ROW), {"problem": "first"})]
    assert gather([ROW], done)[0].problem == "first"


@pytest.mark.parametrize(
    ("change", "text"),
    [({"runtime": "warp"}, "runtime"), ({"precision": "fp3"}, "precision"), ({"method": "nothing"}, "no method")],
)
def test_what_cannot_run_says_why(change, text):
    with pytest.raises(IrvisError, match=text):
        job.fuser_of(Row(**{"method": "average", "width": 8, "height": 8} | change))


def test_a_third_party_needs_a_file_with_fuse(tmp_path):
    with pytest.raises(IrvisError, match="not a file"):
        job.third_party(tmp_path / "none.py")
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(IrvisError, match="fuse"):
        job.third_party(tmp_path / "empty.py")
    (tmp_path / "named.py").write_text("def fuse(visible, infrared): return None")
    assert job.third_party(tmp_path / "named.py")[0] == "named"


def test_only_pictures_are_judged(monkeypatch):
    drawn = demo.embedded(size=(48, 64))
    monkeypatch.setattr(demo, "embedded", lambda: drawn)
    assert 0 < job.demo_quality(lambda visible, infrared: infrared, "cpu") <= 1
    assert job.demo_quality(lambda visible, infrared: None, "cpu") is None
    assert job.demo_quality(lambda visible, infrared: visible[..., :9, :9], "cpu") is None


def test_a_card_speaks_of_its_own_network_only():
    assert job.card(Row(method="encdec:tiny", width=8, height=8)) > 0.5
    assert job.card(Row(method="encdec:tiny:padding=zero", width=8, height=8)) is None
    assert job.card(Row(method="encdec:tiny", width=8, height=8, error=0.1)) is None
    assert job.card(ROW) is None


def test_hidden_operations_are_those_of_the_network_a_runtime_is_made_of():
    assert job.twin(Row(method="encdec:tiny", width=8, height=8, runtime="openvino"))[1] == "rewritten"
    assert job.twin(Row(method="laplacian", width=8, height=8, runtime="openvino"))[1] == "original"


def test_memory_is_that_of_the_process():
    found = job.measure(Job(task="fuse", row=Row(method="average", width=1920, height=1440, batch=4)))
    planes = 4 * 1920 * 1440 * 4  # more than a busy process has lying around
    assert found["memory"] > planes


def test_hardware_and_versions_are_named():
    facts = machine.facts()
    assert facts["cpu"]
    assert {"torch", "irvis", "openvino", "onnxruntime", "cores", "load"} <= set(facts)


@pytest.mark.slow
def test_rows_fail_alone_and_slower_code_ranks_slower(tmp_path, capfd):
    pytest.importorskip("matplotlib", reason="a plot needs an extra: pip install 'irvis[evaluate]'")
    (tmp_path / "slow.py").write_text(SLOW)
    plot = tmp_path / "new" / "plot.png"
    words = ["-m", "average,nothing", "--size", "64x48", "--runs", 2, "--rounds", 1, "--threads", 1, "--json"]
    assert irvis("bench", *words, "--against", tmp_path / "slow.py", "--plot", plot) == 0
    told = json.loads(capfd.readouterr().out)
    average, nothing, theirs = told["rows"]
    assert "there is no method 'nothing'" in nothing["problem"]
    assert theirs["method"] == "sleeper"
    assert theirs["median_ms"] >= 500
    assert theirs["frames_per_second"] < average["frames_per_second"]
    assert theirs["ratio"] < 1 == average["ratio"]
    assert [len(one) for one in average["rounds_ms"]] == [2]
    assert average["threads"] == 1
    assert 0 < average["qw_demo"] <= 1
    assert average["gflop_per_frame"] is None
    assert told["machine"]["cpu"]
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_rows_take_turns_and_one_that_fails_is_left_out(monkeypatch):
    bad, good = Row(method="bad", width=8, height=8), Row(method="good", width=8, height=8)
    answers = {"bad": {"problem": "broken"}, "good": {"seconds": [1.0]}}
    monkeypatch.setattr(rounds, "run", lambda job: answers[job.row.method] if job.task == "fuse" else {"ceiling": 1.0})
    order = [(job.task, job.row.method, job.count, job.judge) for job, _ in turns([bad, good], 2, 2)]
    assert order == [
        ("fuse", "bad", True, True),
        ("fuse", "good", True, True),
        ("ceiling", "good", False, False),
        ("fuse", "good", False, False),
        ("ceiling", "good", False, False),
    ]


def test_nothing_that_ran_is_an_error(capsys, monkeypatch):
    monkeypatch.setattr(rounds, "run", lambda job: {"problem": f"there is no method {job.row.method!r}"})
    assert irvis("bench", "-m", "nothing", "--size", "32x32", "--runs", 1) == 1
    text = capsys.readouterr()
    assert "there is no method 'nothing'" in text.out
    assert "nothing could be measured" in text.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--size", "big"], "WIDTHxHEIGHT"),
        (["--batch", "0"], "batch"),
        (["--runs", "0"], "--runs"),
        (["--error", "little"], "--error"),
        (["-m", ","], "nothing to measure"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_measured(words, text, capsys, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("something was started"))
    assert irvis("bench", *words) == 1
    assert text in capsys.readouterr().err


def test_the_table_keeps_what_rows_share_in_its_title_and_every_row_on_a_line():
    found = [result(1, 1, flops=10**9, ceiling=1e12, demo=0.7, threads=2), Result(row=ROW, name="b", problem="why not")]
    made = tables.table(found)
    assert str(made.title).startswith("size 64×48, batch 1, runtime torch, precision fp32")
    assert made.columns[0].header == "method"
    assert list(made.columns[-1].cells) == ["", "why not"]
    assert len(made.rows) == 2


def test_a_whole_folder_is_timed_with_decoding_and_encoding(tmp_path):
    for name in ("a", "b"):
        for kind, channels in (("vi", 3), ("ir", 1)):
            io.write(tmp_path / kind / f"{name}.png", torch.rand(1, channels, 24, 32))
    (row,) = commands.folder(["average"], tmp_path, times=1)
    assert row["pairs"] == 2
    assert row["pairs_per_second"] == pytest.approx(2 / row["seconds"])


def test_a_command_that_fails_has_no_time():
    with pytest.raises(IrvisError, match="gone"):
        commands._seconds([sys.executable, "-c", "raise SystemExit('gone')"])


@pytest.mark.slow
def test_the_start_is_timed_in_fresh_processes():
    rows = commands.startup(times=1)
    assert [row["command"].split(",")[0] for row in rows][1:] == [
        "irvis --help",
        "python -c 'import torch'",
        "irvis fuse",
    ]
    assert all(row["seconds"] > 0 for row in rows)
