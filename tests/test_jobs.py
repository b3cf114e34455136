"""Folders: stages overlap, results keep their order, and nothing half-done is left behind."""

import errno
import os
import random
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import irvis
from irvis import creation, io, jobs, record
from irvis.data.matching import Match, match
from irvis.errors import IrvisError, NoSpace
from irvis.io import decode
from irvis.jobs import pipeline
from irvis.jobs.pipeline import Ended, Pace, Stages, flow

SEVERAL = Pace(cores=2, readers=3, fusers=2, writers=2, batch=1)
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def within(seconds: float, stream: Iterator) -> list:
    """All of a stream, drawn in a thread so that a deadlock fails and does not hang."""
    found: list = []
    drawing = threading.Thread(target=lambda: found.extend(stream), daemon=True)
    drawing.start()
    drawing.join(seconds)
    assert not drawing.is_alive(), "a deadlock"
    return found


# ------------------------------------------------------------------- the flow, with stages that only count


@dataclass(frozen=True)
class Number:
    """An item that was read."""

    value: int
    kind: str = "all"
    pixels: int = 1


def stages(
    read: Callable = Number, fuse: Callable[[Sequence], Sequence] = list, write: Callable = lambda made: made.value
) -> Stages:
    return Stages(read=read, fuse=fuse, write=write)


@pytest.mark.parametrize("pace", [SEVERAL, Pace(cores=1, readers=1, fusers=1, writers=1, batch=4)])
def test_results_come_in_the_order_of_the_items_whatever_each_takes(pace):
    chance = random.Random(0)

    def slow(made: Number) -> int:
        time.sleep(chance.random() / 200)
        return made.value

    assert within(20, flow(range(60), stages(write=slow), pace)) == list(range(60))


@pytest.mark.parametrize("slow", ["fuse", "write"])
def test_reading_never_runs_further_ahead_than_the_pace_says(slow):
    read, written, ahead, lock = [], [], [], threading.Lock()

    def reading(value: int) -> Number:
        with lock:
            read.append(value)
            ahead.append(len(read) - len(written))
        return Number(value)

    def fuse(batch: Sequence[Number]) -> list[Number]:
        time.sleep(0.003 if slow == "fuse" else 0)
        return list(batch)

    def write(made: Number) -> int:
        time.sleep(0.003 if slow == "write" else 0)
        with lock:
            written.append(made.value)
        return made.value

    within(20, flow(range(50), stages(reading, fuse, write), SEVERAL))
    assert max(ahead) <= SEVERAL.ahead
    assert len(read) == 50


def test_who_draws_no_results_stops_the_reading():
    read: list[int] = []
    with closing(flow(range(100), stages(lambda value: read.append(value) or Number(value)), SEVERAL)) as results:
        assert next(results) == 0
        time.sleep(0.05)
        assert len(read) <= SEVERAL.ahead + 1


def test_pairs_of_many_pixels_are_read_only_while_there_is_room(monkeypatch):
    monkeypatch.setattr(pipeline, "PIXELS", 100)
    inside, most, lock = set(), [], threading.Lock()

    def reading(value: int) -> Number:
        with lock:
            inside.add(value)
            most.append(len(inside))
        return Number(value, pixels=60)

    def write(made: Number) -> int:
        time.sleep(0.002)
        with lock:
            inside.remove(made.value)
        return made.value

    pace = Pace(cores=1, readers=1, fusers=1, writers=1, batch=10)
    within(20, flow(range(30), stages(reading, write=write), pace))
    assert max(most) <= 3  # two that fill the room and the one whose size is not known yet


def test_a_batch_holds_one_kind_and_no_more_than_the_pace_says():
    batches: list[list[Number]] = []
    several = threading.Event()

    def reading(value: int) -> Number:
        if value == 8:
            several.set()
        return Number(value, kind="odd" if value % 2 else "even")

    def fuse(batch: Sequence[Number]) -> list[Number]:
        several.wait(10)
        batches.append(list(batch))
        return list(batch)

    pace = Pace(cores=1, readers=2, fusers=1, writers=1, batch=3)
    assert within(20, flow(range(40), stages(reading, fuse), pace)) == list(range(40))
    assert max(map(len, batches)) == 3
    assert all(len({one.kind for one in batch}) == 1 for batch in batches)


def test_nothing_waits_for_a_batch_to_fill():
    pace = Pace(cores=1, readers=1, fusers=1, writers=1, batch=64)
    assert within(20, flow(range(3), stages(), pace)) == [0, 1, 2]


@pytest.mark.parametrize(("pixels", "together", "threads"), [(1, 4, {1}), (600, 2, {3}), (10_000, 1, {4})])
def test_large_pairs_have_more_threads_and_fewer_beside_them(pixels, together, threads, monkeypatch):
    monkeypatch.setattr(pipeline, "FUSED_PIXELS", 1000)
    inside, most, used, lock = [], [], set(), threading.Lock()

    def fuse(batch: Sequence[Number]) -> list[Number]:
        with lock:
            inside.append(batch)
            most.append(len(inside))
            used.add(torch.get_num_threads())
        time.sleep(0.01)
        with lock:
            inside.remove(batch)
        return list(batch)

    pace = Pace(cores=4, readers=4, fusers=4, writers=1)
    within(20, flow(range(16), stages(lambda value: Number(value, pixels=pixels), fuse), pace))
    assert max(most) <= together
    assert used == threads


def test_torch_has_as_many_threads_after_a_flow_as_before():
    before, after = torch.get_num_threads(), []
    torch.set_num_threads(3)
    try:
        list(flow(range(8), stages(), SEVERAL))
        fresh = threading.Thread(target=lambda: after.append(torch.get_num_threads()))
        fresh.start()
        fresh.join()
        assert [torch.get_num_threads(), *after] == [3, 3]
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("stage", ["read", "fuse", "write"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_a_stage_raises_ends_the_flow_at_the_place_of_its_item(stage, error):
    def wrong(given):
        if getattr(given[0] if isinstance(given, list) else given, "value", given) == 7:
            raise error
        return Number(given) if stage == "read" else list(given) if stage == "fuse" else given.value

    results = flow(range(1000), stages(**{stage: wrong}), SEVERAL)
    drawn: list[int] = []
    with pytest.raises(error):
        drawn.extend(results)
    assert drawn == list(range(7))


def test_an_item_may_end_when_it_is_read():
    read = stages(lambda value: Ended(-value) if value % 3 == 0 else Number(value))
    assert within(20, flow(range(7), read, SEVERAL)) == [0, 1, 2, -3, 4, 5, -6]
    assert within(20, flow([3], read, SEVERAL)) == [-3]


# ------------------------------------------------------------------------------------------- files


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[Match, ...]:
    """Twelve pairs of two sizes."""
    for number in range(12):
        size = (20, 24) if number % 3 else (17, 31)
        save(tmp_path / "vis" / f"{number}.png", RANDOM.integers(0, 255, (*size, 3), np.uint8))
        save(tmp_path / "ir" / f"{number}.png", RANDOM.integers(0, 255, size, np.uint8))
    return match(tmp_path / "vis", tmp_path / "ir").pairs


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


class Core(torch.nn.Module):
    """The mean, after `before` saw the batch."""

    def __init__(self, before: Callable[[torch.Tensor], object]) -> None:
        super().__init__()
        self.before = before

    def forward(self, visible, infrared):
        self.before(visible)
        return (visible + infrared) / 2


def fuser(before: Callable[[torch.Tensor], object]) -> irvis.Fuser:
    made = creation.fuser("average")
    return irvis.Fuser(Core(before), made.spec, method=made.method, options=made.options)


def run(pairs: Sequence[Match], out: Path, *, pace: Pace = SEVERAL, **words) -> list[jobs.Done]:
    fusers = words.pop("fusers", None) or {"average": creation.fuser("average")}
    writing = jobs.Writing(out=out, **words)
    return within(30, jobs.fuse_all(pairs, fusers, jobs.Reading(), writing, pace=pace))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_threads_and_batches_change_no_file(pairs, tmp_path):
    fusers = {name: creation.fuser(name) for name in ("average", "laplacian")}
    alone = Pace(cores=1, readers=1, fusers=1, writers=1)
    batches = Pace(cores=2, readers=3, fusers=1, writers=2, batch=5)
    made = {}
    for name, pace in (("alone", alone), ("several", SEVERAL), ("batches", batches)):
        done = run(pairs, tmp_path / name, pace=pace, fusers=fusers)
        assert [one.name for one in done] == [pair.name for pair in pairs]
        made[name] = [files(tmp_path / name / method) for method in fusers]
    assert made["alone"] == made["several"] == made["batches"]


def test_a_machine_of_one_core_gives_the_same_files(pairs, tmp_path, monkeypatch):
    threads = torch.get_num_threads()
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    torch.set_num_threads(1)
    try:
        pace = jobs.pace_for()
        assert (pace.cores, pace.readers, pace.fusers, pace.writers) == (1, 1, 1, 1)
        assert not any(one.problem for one in run(pairs, tmp_path / "one", pace=pace))
    finally:
        torch.set_num_threads(threads)
    run(pairs, tmp_path / "several")
    assert files(tmp_path / "one") == files(tmp_path / "several")


def test_a_trained_network_gives_a_pair_one_result_in_every_batch(pairs, tmp_path):
    fusers = {"tiny": creation.fuser("encdec:tiny")}
    run(pairs, tmp_path / "one", fusers=fusers)
    run(pairs, tmp_path / "five", fusers=fusers, pace=Pace(cores=1, readers=2, fusers=1, writers=1, batch=5))
    for path in sorted((tmp_path / "one").iterdir()):
        one, five = (np.asarray(Pillow.open(tmp_path / name / path.name), int) for name in ("one", "five"))
        assert np.abs(one - five).max() <= 1  # a level may round the other way


def test_a_folder_gives_what_pair_after_pair_gives(real_data, tmp_path):
    pairs, average = match(real_data / "test" / "MSRS27").pairs[:5], creation.fuser("average")
    assert not any(one.problem for one in run(pairs, tmp_path / "folder"))
    for pair in pairs:
        read = io.read_pair(pair.visible, pair.infrared)
        made = record.text(io.read_made(tmp_path / "folder" / f"{pair.name}.png") or {})
        meta = replace(read.meta, made=made)
        io.write(tmp_path / "alone" / f"{pair.name}.png", average(read.visible, read.infrared), meta)
    assert files(tmp_path / "folder") == files(tmp_path / "alone")


@pytest.mark.parametrize("batch", [1, 4])
def test_every_failure_is_told_of_its_own_pair_and_the_rest_is_done(pairs, tmp_path, batch):
    pairs[2].infrared.write_bytes(b"not a picture")
    save(pairs[5].visible, np.full((20, 24, 3), 255, np.uint8))

    def refuse_white(visible: torch.Tensor) -> None:
        if (visible.amin(dim=(1, 2, 3)) > 0.99).any():
            raise ValueError("too bright\nand more")

    out = tmp_path / "out"
    (out / "8.png").mkdir(parents=True)  # a folder where a file is to be
    pace = Pace(cores=2, readers=3, fusers=1, writers=2, batch=batch)
    done = run(pairs, out, pace=pace, fusers={"core": fuser(refuse_white)}, if_exists="overwrite")
    assert [one.name for one in done] == [pair.name for pair in pairs]
    problems = {one.name: one.problem for one in done if one.problem}
    assert list(problems) == ["2", "5", "8"]
    assert "cannot be read" in problems["2"] or "not an image" in problems["2"]
    assert problems["5"] == "ValueError: too bright"
    assert "cannot be written" in problems["8"]
    assert len([path for path in out.iterdir() if path.is_file()]) == 9
    assert not list(out.glob(".*"))


@pytest.mark.parametrize("count", [1, 12])
def test_a_full_disk_ends_the_batch_with_one_line(count, pairs, tmp_path, monkeypatch):
    tried: list[Path] = []

    def full(path: Path, data: bytes) -> int:
        tried.append(path)
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    writing, average = jobs.Writing(out=tmp_path / "out"), {"average": creation.fuser("average")}
    with pytest.raises(NoSpace, match=r"0.png cannot be written: No space left on device\. Free some space"):
        list(jobs.fuse_all(pairs[:count], average, jobs.Reading(), writing, pace=SEVERAL))
    assert len(tried) < len(pairs)
    assert not list((tmp_path / "out").iterdir())


def test_a_full_disk_ends_pairs_over_the_memory_too(pairs, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "out/0.tiff")

    monkeypatch.setattr("irvis.streaming.tiled.write", full)
    writing, average = jobs.Writing(out=tmp_path / "out", format="tiff"), {"average": creation.fuser("average")}
    with pytest.raises(NoSpace, match=r"out/0.tiff: No space left on device\. Free some space"):
        list(jobs.stream_all(pairs, average, jobs.Reading(), writing, memory=10**9))


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("interrupt", ["raised in the fuse stage", "sent by the terminal"])
def test_an_interrupt_leaves_only_whole_files(interrupt, pairs, tmp_path):
    seen: list[int] = []

    def stop(_: torch.Tensor) -> None:
        seen.append(1)
        if len(seen) == 6:
            if interrupt == "raised in the fuse stage":
                raise KeyboardInterrupt
            signal.raise_signal(signal.SIGINT)

    out = tmp_path / "out"
    stream = jobs.fuse_all(pairs, {"core": fuser(stop)}, jobs.Reading(), jobs.Writing(out=out), pace=SEVERAL)
    with closing(stream), pytest.raises(KeyboardInterrupt):
        list(stream)
    written = list(out.iterdir()) if out.exists() else []
    assert all(path.suffix == ".png" and io.is_complete(path) for path in written)
    assert len(written) < len(pairs) or interrupt == "sent by the terminal"
    done = run(pairs, out, if_exists="skip")
    assert {one.name for one in done if one.skipped} == {path.stem for path in written}
    assert not any(one.problem for one in done)


def test_thirty_interruptions_leave_no_half_file(pairs, tmp_path, monkeypatch):
    """Before a pair is fused, half way through its file, and before the file has its name."""
    run(pairs, tmp_path / "whole")
    whole, write, rename = files(tmp_path / "whole"), Path.write_bytes, Path.replace
    for number in range(30):
        left = [number // 3]

        def due(what: int, number: int = number, left: list[int] = left) -> bool:
            left[0] -= what == number % 3
            return what == number % 3 and left[0] < 0

        def stop(_: torch.Tensor, due: Callable = due) -> None:
            if due(0):
                raise KeyboardInterrupt

        def half(path: Path, data: bytes, due: Callable = due) -> int:
            if due(1):
                write(path, data[: len(data) // 2])
                raise KeyboardInterrupt
            return write(path, data)

        def unnamed(path: Path, to: Path, due: Callable = due) -> Path:
            if due(2):
                raise KeyboardInterrupt
            return rename(path, to)

        out = tmp_path / str(number)
        stream = jobs.fuse_all(pairs, {"average": fuser(stop)}, jobs.Reading(), jobs.Writing(out=out), pace=SEVERAL)
        with monkeypatch.context() as patch, closing(stream):
            patch.setattr(Path, "write_bytes", half)
            patch.setattr(Path, "replace", unnamed)
            with pytest.raises(KeyboardInterrupt):
                list(stream)
        left_there = files(out) if out.exists() else {}
        assert left_there.items() <= whole.items()
        assert not any(one.problem for one in run(pairs, out, if_exists="skip"))
        assert files(out) == whole


def test_skip_keeps_whole_files_and_makes_the_others_anew(pairs, tmp_path):
    run(pairs, tmp_path / "out")
    before = files(tmp_path / "out")
    (tmp_path / "out" / "3.png").write_bytes(before["3.png"][:50])
    (tmp_path / "out" / "4.png").unlink()
    done = run(pairs, tmp_path / "out", if_exists="skip")
    assert [one.name for one in done if not one.skipped] == ["3", "4"]
    assert files(tmp_path / "out") == before


def test_a_warning_reaches_the_pair_it_is_about(pairs, tmp_path):
    coloured = np.zeros((20, 24, 3), np.uint8)
    coloured[..., 0] = 200
    for number in (1, 4):
        save(pairs[number].visible, RANDOM.integers(0, 255, (20, 24), np.uint8))
        save(pairs[number].infrared, coloured)
    fusers, writing = {"average": creation.fuser("average")}, jobs.Writing(out=tmp_path / "out")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = within(30, jobs.fuse_all(pairs, fusers, jobs.Reading(color="gray"), writing, pace=SEVERAL))
    assert [one.name for one in done if one.notes] == ["1", "4"]
    assert all("swapped" in done[number].notes[0] for number in (1, 4))
    assert not any(one.problem for one in done)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files as Linux lists them")
def test_many_pairs_need_few_open_files(pairs, tmp_path):
    many = [Match(f"{n}", pairs[n % 12].visible, pairs[n % 12].infrared) for n in range(150)]
    counted: list[int] = []
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    watching = fuser(lambda _: counted.append(len(os.listdir("/proc/self/fd"))))  # noqa: PTH208
    done = run(many, tmp_path / "out", fusers={"core": watching})
    assert len(files(tmp_path / "out")) == 150
    assert not any(one.problem for one in done)
    assert max(counted) <= before + 2 * (SEVERAL.readers + SEVERAL.writers)


def test_a_pair_that_would_be_written_outside_out_stops_the_job(pairs, tmp_path):
    wrong = [*pairs[:3], Match("../x", pairs[0].visible, pairs[0].infrared)]
    fusers, writing = {"average": creation.fuser("average")}, jobs.Writing(out=tmp_path / "out")
    with pytest.raises(IrvisError, match="outside"):
        list(jobs.fuse_all(wrong, fusers, jobs.Reading(), writing, pace=SEVERAL))


# ----------------------------------------------------------------------------------------- reading


def test_files_are_decoded_at_the_same_time(pairs, tmp_path, monkeypatch):
    both, decode_one = threading.Barrier(2, timeout=20), decode._decode_with_pillow

    def meet(*words):
        both.wait()
        return decode_one(*words)

    monkeypatch.setattr(decode, "_decode_with_pillow", meet)
    settings = list(warnings.filters), Pillow.MAX_IMAGE_PIXELS
    threads = [threading.Thread(target=io.read_visible, args=(pair.visible,)) for pair in pairs[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not both.broken
    assert (list(warnings.filters), Pillow.MAX_IMAGE_PIXELS) == settings


def test_warnings_of_others_survive_while_files_are_read(pairs, monkeypatch):
    decode_one = decode._decode_with_pillow

    def meanwhile(*words):
        warnings.warn("not about the file", UserWarning, stacklevel=1)
        return decode_one(*words)

    monkeypatch.setattr(decode, "_decode_with_pillow", meanwhile)
    with pytest.warns(UserWarning, match="not about the file"):
        io.read_visible(pairs[0].visible)
