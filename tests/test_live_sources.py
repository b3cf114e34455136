"""Live: cameras, files and streams as sources, and what happens when one stops."""

import json
import threading
from fractions import Fraction
from time import monotonic

import numpy as np
import pytest

pytest.importorskip("av", reason="live needs the extra: pip install 'irvis[video]'")

import streams
from irvis import creation
from irvis.errors import IrvisError
from irvis.live import Session, Wanted, place_of, summary
from irvis.live.pairing import condition_of
from irvis.live.sources import Taking, opened_live, stamp
from live_sessions import newest_of, run, session
from streams import Camera, clip, served, until

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
    told = json.dumps(summary.status(made))
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


# ------------------------------------------------------------------------------------------- streams


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
    assert newest_of(made).visible.shape == (96, 128, 3)


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
        until(lambda: is_marked(made, "infrared held"), what="holding")
        assert newest_of(made).infrared is not None
        until(lambda: is_marked(made, "infrared lost"), what="losing")
        picture = newest_of(made)
        assert np.array_equal(picture.fused, picture.visible)
        fused = made.fused
        until(lambda: made.fused > fused + 5, what="visible alone")
        infrared.start()
        until(lambda: made.infrared.state == "running", 30, "returning")
        until(lambda: not newest_of(made).marks, what="fusing")
        made.stop()
    assert made.infrared.returns == 1
    assert any(line.startswith("infrared lost") for line in made.told)
    assert any(line.startswith("infrared is back") for line in made.told)


def is_marked(made: Session, words: str) -> bool:
    return any(mark.startswith(words) for mark in newest_of(made).marks)


def test_a_session_that_waits_shows_the_side_that_is_there():
    with Camera() as visible, Camera() as infrared:
        infrared.stop()
        made = session(visible.address, infrared.address, wait=True)
        made.start()
        until(lambda: made.fused > 3)
        assert is_marked(made, "waiting for infrared")
        infrared.start()
        until(lambda: not newest_of(made).marks, 30)
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
    assert newest_of(made).fused.shape == (96, 128, 3)


def test_a_side_is_stale_then_lost_by_its_own_step():
    assert condition_of(0.5, 1 / 25, 3.0) == "running"
    assert condition_of(1.5, 1 / 25, 3.0) == "stale"
    assert condition_of(3.5, 1 / 25, 3.0) == "lost"
    assert condition_of(2.5, 1.0, 2.0) == "running"
    assert condition_of(3.5, 1.0, 2.0) == "lost"
