"""Live: the newest picture of each side, whatever the sources do."""

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
from time import monotonic, sleep

import numpy as np
import pytest
import torch

pytest.importorskip("av", reason="live needs the extra: pip install 'irvis[video]'")

import streams
import video_files
from irvis import creation, io
from irvis.errors import IrvisError
from irvis.live import Session, Wanted, place_of, telling
from irvis.live import recording as recordings
from irvis.live import window as windows
from irvis.live.joining import Joining
from irvis.live.moments import condition_of
from irvis.live.newest import Newest
from irvis.live.opening import Taking, opened_live, stamp
from irvis.live.pace import Clock, Delays, Rate
from irvis.live.place import Place
from irvis.live.views import Picture
from irvis.thermal import Sensing
from irvis.video.frame import Frame
from irvis.video.source import open_source
from irvis.video.steady import Following
from irvis.video.writer import Writer
from streams import Camera, clip, served, stamped, until


def session(visible: str | Path, infrared: str | Path, **wanted: object) -> Session:
    """A session that fuses by the mean, and keeps what it tells in `told`."""
    told: list[str] = []
    asked = Wanted(visible=place_of(str(visible)), infrared=place_of(str(infrared)), **wanted)
    made = Session(asked, creation.fuser("average"), tell=told.append)
    made.told = told
    return made


def run(made: Session, seconds: float = 20.0) -> Session:
    """To the end of its files."""
    made.start()
    try:
        assert made.wait(seconds), "it did not end"
    finally:
        made.stop()
    assert not made.problem
    return made


def frames_of(path: Path, gray: bool = False) -> list[Frame]:
    return list(open_source(str(path), gray=gray).frames())


def gray16(number: int) -> np.ndarray:
    return (streams.plain(number)[..., 0].astype(np.uint16) * 10) + 7000


# ------------------------------------------------------------------------------------------- sources


def test_a_camera_is_opened_by_v4l2_with_what_was_asked_for():
    place = place_of("2", "y16,640x512,9")
    assert (place.address, place.kind, place.format) == ("/dev/video2", "device", "v4l2")
    assert place.options == {"input_format": "gray16le", "video_size": "640x512", "framerate": "9"}
    assert place_of("/dev/video0", "mjpeg,1280x720,30000/1001").options == {
        "input_format": "mjpeg",
        "video_size": "1280x720",
        "framerate": "30000/1001",
    }
    assert place_of("0", "pixel_format=gray16le,channel=1").options == {"pixel_format": "gray16le", "channel": "1"}


def test_ffmpeg_is_told_what_was_asked_of_a_camera(monkeypatch):
    asked: list[dict] = []

    def refuse(file, mode, **how):
        asked.append({"file": file, **how})
        raise OSError("no camera in a test")

    monkeypatch.setattr("irvis.video.container.av.open", refuse)
    place = place_of("/dev/video2", "y16,640x512,9")
    with pytest.raises(IrvisError):
        opened_live(place, Taking(gray=True, timeout=2.0), None, threading.Event())
    assert asked == [
        {
            "file": "/dev/video2", "format": "v4l2", "timeout": 2.0,
            "options": {"input_format": "gray16le", "video_size": "640x512", "framerate": "9"},
        }
    ]  # fmt: skip


def test_passwords_of_addresses_are_not_shown():
    place = place_of("rtsp://me:secret@camera:554/stream?token=secret", "rtsp_transport=udp")
    assert place.kind == "stream"
    assert place.options["rtsp_transport"] == "udp"
    assert "secret" in place.address
    assert "secret" not in place.shown


@pytest.mark.parametrize(
    ("text", "form"), [("0", "640×"), ("0", "30,25"), ("rtsp://a/b", "y16"), ("clip.mp4", "y16"), ("0", "=3")]
)
def test_formats_that_mean_nothing_are_refused(text, form):
    with pytest.raises(IrvisError):
        place_of(text, form)


def test_a_cameras_own_stamp_counts_where_its_clock_is_the_systems():
    class Packet:
        pts, time_base = 5_000_000, Fraction(1, 1_000_000)

    assert stamp(5.03, Packet(), "video4linux2,v4l2") == 5.0
    assert stamp(5000.0, Packet(), "video4linux2,v4l2") == 5000.0
    assert stamp(5.03, Packet(), "mpjpeg") == 5.03


def test_a_camera_that_is_not_there_is_one_line():
    made = session("/dev/video97", "/dev/video98")
    with pytest.raises(IrvisError, match=r"(visible|infrared): /dev/video9.: no such file.*--wait") as error:
        made.start()
    assert "\n" not in str(error.value)


def test_no_password_is_told_of_an_address_that_does_not_answer():
    address = "http://me:secret@127.0.0.1:9/camera.mjpg?token=secret"
    made = session(address, address, wait=True)
    made.start()
    until(lambda: all(one.state == "lost" for one in made.captures))
    told = json.dumps(telling.status(made))
    made.stop()
    assert "127.0.0.1:9" in told
    assert "secret" not in told + "".join(made.told)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    made = session(clip(tmp_path / "v.mp4"), tmp_path / "none.mp4")
    with pytest.raises(IrvisError, match=r"infrared: .*none\.mp4"):
        made.start()


def test_a_source_that_never_sends_is_given_up():
    with Camera(silent=True) as silent, Camera() as camera:
        made = session(camera.address, silent.address, timeout=1.0)
        begun = monotonic()
        with pytest.raises(IrvisError, match="infrared: "):
            made.start()
        assert monotonic() - begun < 10


# -------------------------------------------------------------------------------------- newest first


def test_who_comes_late_finds_the_newest_and_nobody_who_puts_waits():
    place = Newest[int]()
    for value in range(1000):
        place.put(value)
    assert place.after(0) == (1000, 999)
    assert place.after(1000, timeout=0.01) is None
    place.close()
    assert place.after(1000) is None


def test_files_are_played_at_their_own_speed_side_by_side(tmp_path):
    made = run(session(clip(tmp_path / "v.mp4", 30), clip(tmp_path / "i.mp4", 30)))
    visible, infrared = made.captures
    assert max(visible.captured, infrared.captured) == 30  # it ends where the first of them does
    assert min(visible.captured, infrared.captured) >= 20
    assert visible.last.taken - visible._begun >= (visible.captured - 1) / 25
    assert made.fused >= visible.used - 1  # the last may come when it ends


def test_a_file_that_is_cut_short_says_so(tmp_path):
    visible = video_files.clip(tmp_path / "v.mkv", (video_files.picture(n, (96, 128)) for n in range(30)))
    infrared = video_files.clip(tmp_path / "i.mkv", (video_files.gray(n, (96, 128)) for n in range(30)))
    made = run(session(video_files.cut_short(visible, 0.7), infrared))
    assert any("cut short" in line for line in made.told)


def test_a_fusion_that_is_slow_drops_pictures_and_stays_at_the_newest(tmp_path):
    made = session(clip(tmp_path / "v.mp4", 30), clip(tmp_path / "i.mp4", 30))
    late: list[float] = []
    slow = made.fusing.fuser

    def fuse(*pair):
        late.append(monotonic() - made.visible.last.taken)
        sleep(0.2)
        return slow(*pair)

    fuse.method = slow.method
    made.fusing.fuser = fuse
    run(made)
    assert made.visible.captured >= 28
    assert made.fused <= 20
    assert made.visible.captured - made.visible.used >= 10
    assert np.median(late) < 0.2  # pictures are not queued: each fusion begins with one that has just come


def test_infrared_that_is_slower_is_held_and_not_dropped(tmp_path):
    made = run(session(clip(tmp_path / "v.mp4", 25), clip(tmp_path / "i.mp4", 5, rate=5)))
    assert made.infrared.captured == 5
    assert made.infrared.used >= 4
    assert made.fused > made.infrared.captured


def test_visible_that_is_slower_does_not_slow_infrared(tmp_path):
    made = run(session(clip(tmp_path / "v.mp4", 3, rate=2), clip(tmp_path / "i.mp4", 30, rate=20)))
    assert made.fused > 2 * made.visible.captured


def test_an_offset_pairs_infrared_with_the_visible_of_its_time(tmp_path):
    def numbered(number: int) -> np.ndarray:
        return np.full((48, 64, 3), 10 + 8 * number, np.uint8)

    made = session(clip(tmp_path / "v.mp4", 30, 20, numbered), clip(tmp_path / "i.mp4", 30, 20, numbered), offset=0.5)
    apart: list[float] = []
    make = made.fusing.joining

    def join(visible, infrared):
        apart.append(float((visible.mean() - infrared.mean()) * 255 / 8))
        return make(visible, infrared)

    made.fusing.joining = join
    run(made)
    assert np.median(apart) == pytest.approx(10, abs=3)  # frames, at 20 a second


def test_files_that_loop_begin_again_together(tmp_path):
    made = session(clip(tmp_path / "v.mp4", 10), clip(tmp_path / "i.mp4", 14), loop=True)
    made.start()
    until(lambda: made.visible.captured > 24)
    visible, infrared = made.visible.captured, made.infrared.captured
    made.stop()
    assert abs(visible - infrared) <= 4  # 14 frames against 10 would be 10 apart by now


# ----------------------------------------------------------------------------------------- streams


def test_streams_over_http_are_fused_as_they_come():
    with Camera(rate=20) as visible, Camera(rate=10) as infrared:
        made = session(visible.address, infrared.address)
        made.start()
        until(lambda: made.fused > 20)
        made.stop()
    assert not made.problem
    assert made.visible.captured > 1.3 * made.infrared.captured


def test_a_transport_stream_over_udp_is_fused():
    with streams.cast() as address, Camera(rate=20) as infrared:
        asked = Wanted(
            visible=place_of(address, "analyzeduration=300000"), infrared=place_of(infrared.address), timeout=10.0
        )  # fmt: skip
        made = Session(asked, creation.fuser("average"), tell=lambda line: None)
        made.start()
        until(lambda: made.visible.used > 10)
        made.stop()
    assert _newest(made).visible.shape == (96, 128, 3)


def test_a_clip_that_a_server_sends_at_real_speed_ends_the_session(tmp_path):
    path = clip(tmp_path / "v.mkv", 25)
    with served(path, 1.0) as address:
        made = run(session(address, clip(tmp_path / "i.mp4", 60)))
    assert made.visible.captured >= 20


def test_a_stream_that_stops_is_held_then_lost_and_opened_again_when_it_returns():
    with Camera(rate=20) as visible, Camera(rate=20) as infrared:
        made = session(visible.address, infrared.address, hold=3.0, timeout=1.0)
        made.start()
        until(lambda: made.fused > 5)
        infrared.stop()
        until(lambda: _marked(made, "infrared held"), what="holding")
        assert _newest(made).infrared is not None
        until(lambda: _marked(made, "infrared lost"), what="losing")
        picture = _newest(made)
        assert np.array_equal(picture.fused, picture.visible)
        fused = made.fused
        until(lambda: made.fused > fused + 5, what="visible alone")
        infrared.start()
        until(lambda: made.infrared.state == "running", 30, "returning")
        until(lambda: not _newest(made).marks, what="fusing")
        made.stop()
    assert made.infrared.returns == 1
    assert any(line.startswith("infrared lost") for line in made.told)
    assert any(line.startswith("infrared is back") for line in made.told)


def _newest(made: Session):
    found = made.pictures.after(0, timeout=5)
    assert found is not None
    return found[1]


def _marked(made: Session, words: str) -> bool:
    return any(mark.startswith(words) for mark in _newest(made).marks)


def test_a_session_that_waits_shows_the_side_that_is_there():
    with Camera() as visible, Camera() as infrared:
        infrared.stop()
        made = session(visible.address, infrared.address, wait=True)
        made.start()
        until(lambda: made.fused > 3)
        assert _marked(made, "waiting for infrared")
        infrared.start()
        until(lambda: not _newest(made).marks, 30)
        made.stop()


def test_a_stream_whose_size_changes_keeps_that_of_its_beginning():
    def growing(number: int) -> np.ndarray:
        return np.full((96, 128, 3) if number < 10 else (144, 192, 3), 100, np.uint8)

    with Camera(growing) as visible, Camera() as infrared:
        made = session(visible.address, infrared.address)
        made.start()
        until(lambda: made.visible.captured > 20 or made.problem)
        made.stop()
    assert not made.problem
    assert _newest(made).fused.shape == (96, 128, 3)


def test_a_side_is_stale_then_lost_by_its_own_step():
    assert condition_of(0.5, 1 / 25, 3.0) == "running"
    assert condition_of(1.5, 1 / 25, 3.0) == "stale"
    assert condition_of(3.5, 1 / 25, 3.0) == "lost"
    assert condition_of(2.5, 1.0, 2.0) == "running"
    assert condition_of(3.5, 1.0, 2.0) == "lost"


# ----------------------------------------------------------------------------------------- pictures


def test_pairs_of_two_sizes_need_a_word_about_it(tmp_path):
    def small(number: int) -> np.ndarray:
        return streams.plain(number)[::2, ::2]

    visible, infrared = clip(tmp_path / "v.mp4", 10), clip(tmp_path / "i.mp4", 10, draw=small)
    made = session(visible, infrared)
    made.start()
    made.wait(10)
    made.stop()
    assert "--resize-infrared" in made.problem
    assert run(session(visible, infrared, resize=True)).fused


def test_infrared_lies_where_a_placement_says_and_visible_shows_elsewhere(tmp_path):
    asked: list[int] = []

    def where(visible, infrared, focal):
        asked.append(1)
        return np.array([[1.0, 0, -32], [0, 1, 0], [0, 0, 1]])

    bright = clip(tmp_path / "i.mp4", 10, draw=lambda number: np.full((96, 128, 3), 255, np.uint8))
    dark = clip(tmp_path / "v.mp4", 10, draw=lambda number: np.zeros((96, 128, 3), np.uint8))
    made = run(session(dark, bright, laying=io.Laying(where=where)))
    fused = _newest(made).fused
    assert fused[:, :28].max() < 10
    assert fused[:, 80:].min() > 100
    assert len(asked) == 1
    made = run(session(dark, bright, laying=io.Laying(where=where, crop=True)))
    assert _newest(made).fused.shape == (96, 96, 3)


def test_nobody_waits_while_infrared_is_aligned():
    go, told = threading.Event(), []

    def where(visible, infrared, focal):
        go.wait(20)
        return np.eye(3)

    joining = Joining(io.Laying(where=where), False, "cpu", told.append)
    pair = torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)
    begun = monotonic()
    assert joining(*pair) is None
    assert joining(*pair) is None
    assert monotonic() - begun < 10
    go.set()
    until(lambda: joining(*pair) is not None)
    assert len(told) == 1


def test_a_method_is_told_with_its_weights():
    assert telling.status(session("v.mp4", "i.mp4", method="encdec:tiny"))["method"] == "encdec:tiny"


def test_an_alignment_that_is_not_sure_ends_the_session_with_its_reason(tmp_path):
    def where(visible, infrared, focal):
        raise IrvisError("no alignment found")

    made = session(clip(tmp_path / "v.mp4", 25), clip(tmp_path / "i.mp4", 25), laying=io.Laying(where=where))
    made.start()
    made.wait(10)
    made.stop()
    assert made.problem == "no alignment found"


def test_counts_get_a_range_that_does_not_pump_and_black_hot_is_turned(tmp_path):
    visible = clip(tmp_path / "v.mp4", 10)
    infrared = tmp_path / "i.mkv"
    with Writer(infrared, rate=Fraction(25), size=(96, 128), codec="ffv1") as writer:
        for number in range(10):
            writer.write(gray16(0), Fraction(number, 25))
    white = _newest(run(session(visible, infrared))).infrared
    assert white.max() > 250
    assert white.min() < 5
    black = Following(sensing=Sensing(polarity="black-hot"))
    turned = _newest(run(session(visible, infrared, following=black))).infrared
    assert np.abs(turned.astype(int) + white - 255).max() <= 1


def test_a_palette_colours_the_picture_and_keeps_its_brightness(tmp_path):
    visible, infrared = clip(tmp_path / "v.mp4", 10), clip(tmp_path / "i.mp4", 10)
    gray = _newest(run(session(visible, infrared))).fused.astype(float)
    hot = _newest(run(session(visible, infrared, palette="ironbow"))).fused.astype(float)
    weights = np.array([0.299, 0.587, 0.114])
    assert np.ptp(hot, axis=2).max() > 30
    assert np.median(np.abs(hot @ weights - gray @ weights)) < 3


# ----------------------------------------------------------------------------------------- latency


def test_the_latency_that_is_told_is_that_of_the_whole_path_but_for_the_way_to_the_looker():
    from irvis.live import server as servers

    with Camera(stamped, rate=15) as visible, Camera(rate=15) as infrared:
        made = session(visible.address, infrared.address)
        made.start()
        page = servers.serving(made, "127.0.0.1", 0)
        page.start()
        ages = [streams.age(streams.pixels_of(one)) for one in streams.looked_at(page.address + "/fused.mjpg", 25)]
        told = telling.status(made)["capture_to_sent_ms"]
        page.close()
        made.stop()
    assert told["count"] >= 20
    assert 0 < told["median"] <= np.median(ages) + 1
    assert np.median(ages) - told["median"] < 1000  # drawing, coding, the way in, decoding


def test_rates_fall_when_nothing_comes_and_delays_are_those_of_the_last_seconds():
    rate = Rate()
    for number in range(10):
        rate.add(number / 10)
    assert rate.at(1.0) == pytest.approx(10)
    assert rate.step == pytest.approx(0.1)
    assert rate.at(9.0) == 0
    delays = Delays()
    delays.add(monotonic() - 0.5)
    assert 500 <= delays.told()["median"] < 1500
    assert delays.told(last=0.0)["count"] == 0


def test_a_clock_waits_for_what_cannot_keep_up_and_not_for_the_absent():
    clock, stop = Clock(1), threading.Event()
    clock.start()
    sleep(0.7)
    clock.wait_for(0.0, stop)
    assert clock.late >= 0.7
    begun = monotonic()
    clock.wait_for(0.5, stop)
    assert monotonic() - begun >= 0.1
    lonely = Clock(2)
    lonely.give_up()
    lonely.start()


# --------------------------------------------------------------------------------------- recordings


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


# ------------------------------------------------------------------------------------- command line


def command(*words: object, **more: object) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "irvis.cli", "live", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment, **more,
    )  # fmt: skip


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
