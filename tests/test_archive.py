"""Archives: what is listed, what a worker does, and what a cluster of two workers makes of a killed one."""

import functools
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from irvis import create, jobs
from irvis.data import matching
from irvis.errors import IrvisError

fsspec = pytest.importorskip("fsspec", reason="archives need the extra: pip install 'irvis[ray]'")

from irvis import archive  # noqa: E402
from irvis.archive import cluster, listing, manifest, storage, work  # noqa: E402
from irvis.cli import fuse_archive  # noqa: E402
from irvis.options import FuseOptions  # noqa: E402


def plan(out: object, **facts: Any) -> archive.Plan:
    writing = jobs.Writing(out=Path(), if_exists=facts.pop("if_exists", "error"), format=facts.pop("format", "png"))
    return archive.Plan(
        out=storage.place(str(out)).url, method="average", reading=jobs.Reading(), writing=writing, **facts
    )


def save(path: Path, shape: tuple[int, ...] = (24, 32), seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)).save(path)


def pairs(root: Path, names: list[str], size: tuple[int, int] = (24, 32)) -> None:
    for seed, name in enumerate(names):
        save(root / "vi" / f"{name}.png", (*size, 3), seed)
        save(root / "ir" / f"{name}.png", size, seed + 1)


def listed(*words: Any) -> tuple[list[tuple[str, str, str]], set[str], set[str]]:
    """(name, visible, infrared) of the pairs and the lone files of both sides, in the order of the listing."""
    of = archive.source(*words)
    found = list(listing.folders(of))
    assert not any(folder.problem for folder in found)
    rows = [
        (pair.name, of.visible.of(pair.visible), of.infrared.of(pair.infrared))
        for folder in found
        for pair in folder.matches.pairs
    ]
    lone = [
        {side.of(path) for folder in found for path in getattr(folder.matches, which)}
        for side, which in ((of.visible, "only_visible"), (of.infrared, "only_infrared"))
    ]
    return rows, *lone


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for part in (out / ".irvis").rglob("*.jsonl") for line in part.read_text().splitlines()]


def outputs(out: Path) -> list[str]:
    """Every file but the manifest: what was left unfinished would be among them."""
    files = (path.relative_to(out) for path in out.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if path.parts[0] != manifest.HOME)


# ------------------------------------------------------------------------------------------------------- the listing


@pytest.mark.parametrize(
    ("files", "words", "patterns"),
    [
        (
            "vi/1.png ir/1.jpg vi/2.png ir/3.png vi/a/10.png vi/a/9.png ir/a/9.png ir/a/10.png vi/.x/1.png",
            "vi ir",
            None,
        ),
        ("s/Visible/1.png s/lwir/1.png s/readme.txt other/1.png", ".", None),
        ("p/1_W.png p/1_T.png p/q/2_W.png p/q/2_T.png p/3_W.png p/loose.png", "p", ("{id}_W", "{id}_T")),
        ("p/1.png p/1_T.png p/img2.png p/img10.png p/img2_T.png p/img10_T.png", "p", ("{id}", "{id}_T")),
        ("vi/f/1.png ir/g/1.png vi/1.png ir/1.png vi/h/2.png", "vi ir", None),
    ],
)
def test_an_archive_is_matched_as_folders_are(tmp_path, monkeypatch, files, words, patterns):
    for file in files.split():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    given = [str(tmp_path / word) for word in words.split()]
    expected = matching.match(*given, patterns=patterns)
    found, lone_visible, lone_infrared = listed(*given, *([None] if len(given) == 1 else []), patterns)
    assert set(found) == {(pair.name, str(pair.visible), str(pair.infrared)) for pair in expected.pairs}
    assert lone_visible == set(map(str, expected.only_visible))
    assert lone_infrared == set(map(str, expected.only_infrared))


def test_an_archive_in_memory_is_listed_folder_by_folder_in_natural_order():
    files = fsspec.filesystem("memory")
    for name in ("img10", "img2", "b/1", "a10/1", "a9/1"):
        files.pipe(f"/listing/vi/{name}.png", b"-")
        files.pipe(f"/listing/ir/{name}.png", b"-")
    found = [folder.name for folder in listing.folders(archive.source("memory://listing"))]
    rows, *_ = listed("memory://listing")
    assert found == ["", "a9", "a10", "b"]
    assert [name for name, *_ in rows] == ["img2", "img10", "a9/1", "a10/1", "b/1"]
    assert rows[0][1] == "memory://listing/vi/img2.png"


def test_a_folder_with_an_ambiguous_name_is_told_and_the_others_go_on(tmp_path):
    pairs(tmp_path, ["1", "a/1"])
    save(tmp_path / "vi" / "a" / "1.jpg")
    found = {f.name: f for f in listing.folders(archive.source(str(tmp_path / "vi"), str(tmp_path / "ir")))}
    assert len(found[""].matches.pairs) == 1
    assert "would both be called a/1" in found["a"].problem


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("nowhere", "ir"), "no such folder"),
        (("vi/1.png", "ir/1.png"), "no single files"),
        (("vi/*.png", "ir"), "a glob is one long list"),
        (("vi", "vi"), "given for both sides"),
        (("vi",), "no visible and infrared sub-folder"),
        (("unheard://vi", "ir"), "unheard"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path, monkeypatch, words, text):
    pairs(tmp_path, ["1"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IrvisError, match=text.replace("*", r"\*")):
        archive.source(*words)


def test_a_listing_reads_one_folder_ahead_and_no_further(tmp_path, monkeypatch):
    pairs(tmp_path, [f"{n}/1" for n in range(20)])
    of, asked, entries = archive.source(str(tmp_path / "vi"), str(tmp_path / "ir")), [], storage.entries
    monkeypatch.setattr(storage, "entries", lambda *words: asked.append(words) or entries(*words))
    found = listing.folders(of)
    next(found)
    next(found)
    assert len(asked) <= 2 * 4  # both sides of the root, of the two folders taken, and of the one that follows
    found.close()


# ---------------------------------------------------------------------------------------------------------- one worker


def worker(of: archive.Plan) -> work.Worker:
    made = work.Worker(of)
    made.ready()
    return made


def jobs_of(*words: str) -> tuple[work.Job, ...]:
    return tuple(work.Job(*row) for row in listed(*words)[0])


def test_a_worker_writes_to_any_file_system_what_one_machine_would(tmp_path):
    pairs(tmp_path, ["1", "a/2"])
    local, there = plan(tmp_path / "out"), plan("memory://worker/out")
    found = jobs_of(str(tmp_path / "vi"), str(tmp_path / "ir"))
    for of in (local, there):
        assert worker(of).fuse(work.Chunk("part", found)) == work.Tally(fused=2)
    [*_] = jobs.fuse_all(
        matching.match(tmp_path / "vi", tmp_path / "ir").pairs,
        {"average": create("average")},
        jobs.Reading(),
        jobs.Writing(out=tmp_path / "alone"),
    )
    files = fsspec.filesystem("memory")
    for name in ("1.png", "a/2.png"):
        expected = (tmp_path / "alone" / name).read_bytes()
        assert (tmp_path / "out" / name).read_bytes() == expected
        assert files.cat(f"/worker/out/{name}") == expected
    assert outputs(tmp_path / "out") == ["1.png", "a/2.png"]
    assert not [name for name in files.find("/worker/out") if name.endswith(".part")]


def test_a_failure_names_the_address_and_the_others_are_done(tmp_path):
    files = fsspec.filesystem("memory")
    pairs(tmp_path, ["1", "2", "3"])
    files.put(str(tmp_path / "vi"), "/failing/vi", recursive=True)
    files.put(str(tmp_path / "ir"), "/failing/ir", recursive=True)
    files.pipe("/failing/vi/2.png", b"no image")
    files.pipe("/failing/vi/4.png", b"-")
    gone = work.Job("4", "memory://failing/vi/4.png", "memory://failing/ir/4.png")
    found = (*jobs_of("memory://failing"), gone)
    told = worker(plan(tmp_path / "out")).fuse(work.Chunk("part", found))
    problems = dict(told.problems)
    assert told.fused == 2
    assert problems.keys() == {"2", "4"}
    assert problems["2"].startswith("memory://failing/vi/2.png is not an image file")
    assert problems["4"].startswith("memory://failing/ir/4.png cannot be fetched")
    assert {row["name"]: row["status"] for row in rows_of(tmp_path / "out")} == {
        "1": "fused", "2": "failed", "3": "fused", "4": "failed",
    }  # fmt: skip


def test_a_second_try_keeps_what_is_whole_and_makes_halves_again(tmp_path):
    pairs(tmp_path, ["1", "2", "3"])
    found, of = jobs_of(str(tmp_path / "vi"), str(tmp_path / "ir")), plan(tmp_path / "out")
    first = worker(of)
    first.fuse(work.Chunk("part", found))
    half = tmp_path / "out" / "2.png"
    half.write_bytes(half.read_bytes()[:-200])
    (tmp_path / "out" / "3.png").unlink()
    assert first.fuse(work.Chunk("part", found, lost=1)) == work.Tally(fused=2, kept=1)
    assert first.fuse(work.Chunk("part", found, lost=0)) == work.Tally(fused=3)
    overwriting = worker(plan(tmp_path / "out", if_exists="overwrite"))
    assert overwriting.fuse(work.Chunk("part", found, lost=1)) == work.Tally(fused=3)
    assert len(rows_of(tmp_path / "out")) == 3


def here(of: archive.Source, by: archive.Plan, chunks: int | None = None) -> tuple[int, int]:
    """(fused, skipped) of a run in this process, one pair a chunk, stopped after so many."""
    report, opening = archive.Report(), archive.opened(by)
    for chunk in islice(archive.chunked(archive.missing(of, by, report, opening), by, 9, opening), chunks):
        report.add(worker(by).fuse(chunk))
    assert not report.problems
    return report.fused, report.skipped


def test_after_an_overwriting_run_was_stopped_only_its_own_outputs_are_kept(tmp_path):
    pairs(tmp_path, ["1", "2", "3"])
    of, out = archive.source(str(tmp_path / "vi"), str(tmp_path / "ir")), tmp_path / "out"
    assert here(of, plan(out)) == (3, 0)
    assert here(of, plan(out, if_exists="overwrite"), chunks=1) == (1, 0)
    assert here(of, plan(out, if_exists="skip")) == (2, 1)


def test_a_pair_that_would_be_written_outside_the_archive_is_a_failure(tmp_path, monkeypatch):
    pairs(tmp_path, ["1"])
    found = matching.Matches((matching.Match("../x", Path("1.png"), Path("1.png")),))
    monkeypatch.setattr(listing, "folders", lambda _: iter([listing.Folder("", found)]))
    of, by = archive.source(str(tmp_path / "vi"), str(tmp_path / "ir")), plan(tmp_path / "out")
    report = archive.Report()
    assert not list(archive.missing(of, by, report, archive.opened(by)))
    assert report.problems == [("../x", f"the pair would be written outside {by.out}")]


def test_outputs_of_one_machine_are_kept_and_noted(tmp_path):
    pairs(tmp_path, ["1", "2"])
    of, out = archive.source(str(tmp_path / "vi"), str(tmp_path / "ir")), tmp_path / "out"
    first = matching.match(tmp_path / "vi", tmp_path / "ir").pairs[:1]
    [*_] = jobs.fuse_all(first, {"average": create("average")}, jobs.Reading(), jobs.Writing(out=out))
    assert here(of, plan(out, if_exists="skip")) == (1, 1)
    assert {row["name"]: row["status"] for row in rows_of(out)} == {"1": "kept", "2": "fused"}


def test_an_output_that_something_else_made_is_a_failure_and_stays(tmp_path):
    pairs(tmp_path, ["1", "2"])
    out = tmp_path / "out"
    save(out / "1.png", (24, 32, 3))
    before = (out / "1.png").read_bytes()
    [one, two] = jobs_of(str(tmp_path / "vi"), str(tmp_path / "ir"))
    told = worker(plan(out, if_exists="skip")).fuse(work.Chunk("part", (replace(one, there=True), two)))
    assert told.problems == ((one.name, f"{out / '1.png'} does not say what made it: {jobs.ADVICE}"),)
    assert told.fused == 1
    assert (out / "1.png").read_bytes() == before


def test_a_chunk_that_kills_its_workers_is_taken_apart_and_ends():
    some = tuple(work.Job(str(n), "", "") for n in range(3))
    [again] = cluster.retried(work.Chunk("p", some))
    assert (again.jobs, again.lost) == (some, 1)
    apart = cluster.retried(again)
    assert [(chunk.part, chunk.jobs) for chunk in apart] == [(f"p.{n}", (job,)) for n, job in enumerate(some)]
    [last] = cluster.retried(apart[0])
    assert cluster.retried(last) == ()


# ----------------------------------------------------------------------------------------------------------- a cluster


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Two workers on this machine."""
    found = pytest.importorskip("ray", reason="archives need the extra: pip install 'irvis[ray]'")
    found.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR",
               object_store_memory=100_000_000)  # fmt: skip
    yield found
    found.shutdown()


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker in this process stands for the cluster, which has two CPUs."""
    resources = SimpleNamespace(cluster_resources=lambda: {"CPU": 2.0})

    def run(_: Any, of: archive.Plan, chunks: Iterator[work.Chunk], *size: int) -> Iterator[tuple[work.Tally, int]]:
        one = worker(of)
        return ((one.fuse(chunk), 0) for chunk in chunks)

    monkeypatch.setattr(cluster, "connected", lambda address: nullcontext(resources))
    monkeypatch.setattr(cluster, "run", run)


def fuse(root: Path, of: archive.Plan, **more: Any) -> archive.Report:
    return archive.fuse_archive(archive.source(str(root / "vi"), str(root / "ir")), of, **more)


@pytest.mark.slow
def test_a_killed_worker_loses_nothing_and_a_restart_does_what_is_missing(ray, tmp_path):
    names = [f"f{n % 3}/{n}" for n in range(120)]
    pairs(tmp_path, names, (192, 256))
    (tmp_path / "vi" / "f0" / "3.png").write_bytes(b"no image")
    out, killed = tmp_path / "out", []

    def kill(report: archive.Report) -> None:
        if report.fused > 30 and not killed:
            *_, idle = sorted((out / ".irvis").rglob("*.jsonl"), key=lambda part: part.stat().st_mtime_ns)
            idle_worker = json.loads(idle.read_text().splitlines()[0])["worker"]
            [busy] = {row["worker"] for row in rows_of(out)} - {idle_worker}
            killed.append(busy)
            os.kill(int(busy.split(":")[1]), signal.SIGKILL)

    report = fuse(tmp_path, plan(out, chunk=8), show=kill)
    assert killed
    assert report.lost == 1
    assert (report.pairs, report.fused + report.skipped, report.failed) == (120, 119, 1)
    assert report.problems[0][0] == "f0/3"
    assert outputs(out) == sorted(f"{name}.png" for name in names if name != "f0/3")
    assert set(Counter(row["name"] for row in rows_of(out)).values()) == {1}

    save(tmp_path / "vi" / "f0" / "3.png", (192, 256, 3))
    (out / "f1" / "1.png").unlink()
    half = out / "f2" / "2.png"
    half.write_bytes(half.read_bytes()[:-10])
    whole = {path: path.stat().st_mtime_ns for path in out.rglob("*.png") if path != half}
    again = fuse(tmp_path, plan(out, chunk=8, if_exists="skip"))
    assert (again.fused, again.skipped, again.failed, again.lost) == (3, 117, 0, 0)
    assert outputs(out) == sorted(f"{name}.png" for name in names)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in whole.items())


@pytest.mark.usefixtures("no_cluster")
def test_an_archive_on_a_web_server_is_fused_and_told_of(tmp_path, capsys):
    pytest.importorskip("aiohttp", reason="http paths need pip install aiohttp")
    pairs(tmp_path, ["a b/1", "2", "bad"])
    (tmp_path / "vi" / "bad.png").write_bytes(b"no image")
    save(tmp_path / "vi" / "lone.png")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        out = plan(tmp_path / "out").out
        with pytest.raises(IrvisError, match="1 failed; all are in"):
            fuse_archive.fuse_archive(f"{url}/vi", f"{url}/ir/", None, "average", out, FuseOptions.of())
        with pytest.raises(IrvisError, match="nothing can be written to a web server"):
            archive.fuse_archive(archive.source(f"{url}/vi", f"{url}/ir"), plan(f"{url}/out"))
    finally:
        server.shutdown()
    told = capsys.readouterr()
    assert "fused 2 of 3 pairs" in told.out
    assert f"failed: bad: {url}/vi/bad.png is not an image file" in told.err
    assert "no partner for 1 visible: lone.png" in told.err
    assert outputs(tmp_path / "out") == ["2.png", "a b/1.png"]


def test_what_is_in_the_way_is_refused_before_work_begins(tmp_path):
    pairs(tmp_path, ["1"])
    out = tmp_path / "out"
    save(out / "something.png")
    with pytest.raises(IrvisError, match="is not empty; use --if-exists skip"):
        fuse(tmp_path, plan(out))
    with pytest.raises(IrvisError, match="which is read; choose another --out"):
        fuse(tmp_path, plan(tmp_path / "vi" / "fused"))
    manifest.begin(storage.place(str(out)), {"method": "laplacian", "overwritten": False})
    with pytest.raises(IrvisError, match="was made by laplacian, not by average: choose another --out"):
        fuse(tmp_path, plan(out, if_exists="skip"))


@pytest.mark.slow
def test_an_unusable_method_is_one_error(ray, tmp_path):
    pairs(tmp_path, ["1"])
    with pytest.raises(IrvisError, match="there is no method"):
        fuse(tmp_path, replace(plan(tmp_path / "out"), method="nosuch"), workers=1)


@pytest.mark.usefixtures("no_cluster")
def test_a_cluster_without_room_and_folders_without_pairs_are_one_line(tmp_path):
    pairs(tmp_path, ["1"])
    with pytest.raises(IrvisError, match="no room for any workers on cuda: it has 2 CPUs and 0 GPUs"):
        fuse(tmp_path, plan(tmp_path / "out", device="cuda"))
    for side in ("vi", "ir"):
        (tmp_path / "empty" / side).mkdir(parents=True)
    with pytest.raises(IrvisError, match="No visible file below"):
        fuse(tmp_path / "empty", plan(tmp_path / "out"), workers=1)


# ------------------------------------------------------------------------------------------------------ object storage


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 server on this machine, for this process and those it starts."""
    pytest.importorskip("s3fs", reason="S3 paths need pip install s3fs")
    server = pytest.importorskip("moto.server", reason="a local S3 server: pip install 'moto[server]'")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    made = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": f"http://{host}:{port}"})
    monkeypatch.setenv("FSSPEC_S3_ENDPOINT_URL", f"http://{host}:{port}")
    name = f"archive-{port}"
    storage._opened(f"s3://{name}")[0].mkdir(name)
    yield f"s3://{name}"
    made.stop()


def test_an_archive_in_object_storage_is_read_written_and_resumed(bucket, tmp_path):
    pairs(tmp_path, ["1", "a/2"])
    for path in tmp_path.rglob("*.png"):
        storage.store(path, f"{bucket}/in/{path.relative_to(tmp_path).as_posix()}")
    of, there = archive.source(f"{bucket}/in"), plan(f"{bucket}/out", if_exists="skip")
    assert here(of, there) == (2, 0)
    assert here(of, there) == (0, 2)
    files, path = storage._opened(f"{bucket}/out/a/2.png")
    whole = files.cat_file(path)
    files.pipe(path, b"half")
    assert here(of, there) == (1, 1)
    assert files.cat_file(path) == whole


@pytest.mark.slow
def test_workers_of_a_cluster_read_and_write_object_storage(bucket, tmp_path):
    pytest.importorskip("ray", reason="archives need the extra: pip install 'irvis[ray]'")
    names = [f"{n % 2}/{n}" for n in range(12)]
    pairs(tmp_path, names)
    for path in tmp_path.rglob("*.png"):
        storage.store(path, f"{bucket}/in/{path.relative_to(tmp_path).as_posix()}")
    words = ["fuse", f"{bucket}/in", "-o", f"{bucket}/out", "-m", "average", "--ray", "local", "--workers", "2"]
    for told in ("fused 12 of 12 pairs", "12 were there already"):
        command = [sys.executable, "-m", "irvis.cli", *words, "--if-exists", "skip"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert told in ran.stdout, ran.stdout + ran.stderr
    files, path = storage._opened(f"{bucket}/out")
    fused = [name.removeprefix(f"{path}/") for name in files.find(path) if name.endswith(".png")]
    assert sorted(fused) == sorted(f"{name}.png" for name in names)
