"""Live: recordings, and the command line."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import types
from fractions import Fraction
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

pytest.importorskip("av", reason="live needs the extra: pip install 'irvis[video]'")

import streams
from irvis.live import place_of
from irvis.live import recording as recordings
from irvis.live import window as windows
from irvis.live.place import Place
from irvis.live.views import Picture
from irvis.video.frame import Frame
from irvis.video.source import open_source
from irvis.video.writer import Writer
from live_sessions import gray16, run, session
from streams import clip, until


def frames_of(path: Path, gray: bool = False) -> list[Frame]:
    return list(open_source(str(path), gray=gray).frames())


# ---------------------------------------------------------------------------------------- recordings


def test_recordings_of_all_three_streams_play_and_infrared_is_exact(tmp_path):
    infrared = tmp_path / "i.mkv"
    with Writer(infrared, rate=Fraction(10), size=(96, 128), codec="ffv1") as writer:
        for number in range(10):
            writer.write(gray16(number), Fraction(number, 10))
    made = session(clip(tmp_path / "v.mp4", 25), infrared, out=tmp_path / "out" / "fused.mp4", raw=tmp_path / "raw")
    run(made)
    fused, visible = frames_of(tmp_path / "out" / "fused.mp4"), frames_of(tmp_path / "raw" / "visible.mkv")
    thermal = frames_of(tmp_path / "raw" / "infrared.mkv", gray=True)
    assert len(fused) == made.recorders["fused"].written > 5
    assert len(visible) >= 15
    assert len(thermal) >= 6
    originals = [gray16(number) for number in range(10)]
    for frame in thermal:
        assert any(np.array_equal(frame.samples, one) for one in originals)
    assert thermal[-1].time - thermal[0].time == pytest.approx(0.1 * (len(thermal) - 1), abs=0.5)


def test_a_recording_that_fails_is_told_and_the_display_goes_on(tmp_path, monkeypatch):
    def full(self, samples, time):
        raise OSError(28, "No space left on device")

    files = clip(tmp_path / "v.mp4", 15), clip(tmp_path / "i.mp4", 15)
    monkeypatch.setattr(recordings.Writer, "write", full)
    made = run(session(*files, out=tmp_path / "f.mp4"))
    assert made.fused > 5
    assert any("recording failed" in line for line in made.told)
    assert "No space left" in made.recorders["fused"].told
    assert not (tmp_path / "f.mp4").exists()


def test_a_recording_that_cannot_keep_up_leaves_frames_out_and_nobody_waits(tmp_path, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(recordings, "ROOM", 0)
    write = recordings.Writer.write

    def slow(self, samples, time):
        gate.wait(10)
        write(self, samples, time)

    monkeypatch.setattr(recordings.Writer, "write", slow)
    recorder = recordings.Recorder(tmp_path / "f.mkv")
    recorder.begin(0.0, None)
    begun = monotonic()
    for number in range(200):
        recorder.offer(streams.plain(number), number / 25)
    assert monotonic() - begun < 5
    gate.set()
    recorder.close()
    assert recorder.dropped > 150
    assert len(frames_of(tmp_path / "f.mkv")) == recorder.written == 200 - recorder.dropped


def command(*words: object, **more: object) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "irvis.cli", "live", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment, **more,
    )  # fmt: skip


# -------------------------------------------------------------------------------------- command line


def test_ctrl_c_ends_with_statistics_and_a_file_that_plays(tmp_path, interruptible):
    from urllib.request import urlopen

    visible, infrared = clip(tmp_path / "v.mp4"), clip(tmp_path / "i.mp4")
    out = tmp_path / "fused.mp4"
    done = command(visible, infrared, "--loop", "-m", "average", "-o", out, "--page", "0")
    address = done.stdout.readline().split()[1]
    assert address.startswith("http://127.0.0.1:")
    until(lambda: json.loads(urlopen(address + "/status", timeout=10).read())["fused"] > 10, 30)
    done.send_signal(signal.SIGINT)
    told, problems = done.communicate(timeout=60)
    assert done.returncode == 0, problems
    assert "dropped" in told
    assert f"wrote {out}" in told
    assert len(frames_of(out)) > 5


def test_words_that_mean_nothing_are_refused(tmp_path, capsys):
    from irvis.cli import main

    visible, infrared = clip(tmp_path / "v.mp4", 3), clip(tmp_path / "i.mp4", 3)
    for words, answer in (
        (["--batch", "4"], "--batch is for files"),
        (["--hold", "0"], "--hold"),
        (["--offset", "60"], "--offset"),
        (["--page", "here"], "no place for a page"),
        (["--window", "--page", "8080"], "exclude"),
        (["--crf", "20"], "--out"),
        (["-o", str(visible)], "input"),
        (["--codec", "none", "-o", "a.mp4"], "no codec"),
        (["--frame", "3"], "--frame"),
        (["--align", "--align-flow"], "--align-flow"),
        (["--range-seconds", "-1"], "--range-seconds"),
    ):
        with pytest.raises(SystemExit):
            main(["live", str(visible), str(infrared), *words])
        assert answer in capsys.readouterr().err


def test_what_means_nothing_for_streams_is_not_offered(capsys):
    from irvis.cli import main

    with pytest.raises(SystemExit):
        main(["live", "--help"])
    told = capsys.readouterr().out
    assert "--align" in told
    for option in ("--batch", "--workers", "--memory", "--ray", "--frame", "--align-flow"):
        assert option not in told


def test_a_window_without_a_display_is_one_line(tmp_path, monkeypatch, capsys):
    from irvis.cli import main

    monkeypatch.delenv("DISPLAY", raising=False)
    if sys.platform != "linux":
        pytest.skip("windows need no DISPLAY here")
    visible, infrared = clip(tmp_path / "v.mp4", 3), clip(tmp_path / "i.mp4", 3)
    with pytest.raises(SystemExit):
        main(["live", str(visible), str(infrared), "--window", "-m", "average"])
    assert "--window needs" in capsys.readouterr().err


def test_a_window_shows_the_newest_picture_until_it_is_closed(monkeypatch):
    shown: list[bytes] = []
    window, module = FakeWindow(), types.ModuleType("tkinter")
    module.Label = lambda *a, **b: types.SimpleNamespace(pack=lambda **c: None, configure=lambda **c: None)
    module.PhotoImage = lambda data: shown.append(data)
    monkeypatch.setitem(sys.modules, "tkinter", module)
    made = session("v.mp4", "i.mp4")
    made.pictures.put(Picture(taken=0.0, fused=streams.plain(0), visible=None, infrared=None))
    windows.show(made, window, seconds=60)
    for _ in range(3):
        window.run()
    assert len(shown) == 1
    window.keys["2"](None)
    made.pictures.put(Picture(taken=0.1, fused=streams.plain(1), visible=None, infrared=None))
    window.run()
    assert len(shown) == 2
    assert max(shown[1][-1000:]) == 0  # the visible one, which is missing
    made.stop()
    window.run()
    assert window.closed


class FakeWindow:
    """As much of tkinter as a window needs."""

    def __init__(self) -> None:
        self.keys: dict = {}
        self.waiting: list = []
        self.closed = False

    def bind(self, key, call) -> None:
        self.keys[key] = call

    def after(self, milliseconds, call) -> None:
        if milliseconds < 1000:
            self.waiting.append(call)

    def mainloop(self) -> None:
        pass

    def destroy(self) -> None:
        self.closed = True

    def run(self) -> None:
        waiting, self.waiting = self.waiting, []
        for call in waiting:
            call()


def test_pictures_for_the_window_are_ppm():
    data = windows.ppm(streams.plain(0), most=64)
    assert data.startswith(b"P6 64 48 255\n")
    assert len(data) == len(b"P6 64 48 255\n") + 64 * 48 * 3


def test_places_are_plain_records():
    assert math.isclose(float(place_of("0", "29.97").rate), 29.97)
    assert isinstance(place_of("clip.mp4"), Place)
