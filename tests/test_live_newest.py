"""Live: the newest picture of each side is fused, and how late it is."""

import threading
from fractions import Fraction
from time import monotonic, sleep

import numpy as np
import pytest
import torch

pytest.importorskip("av", reason="live needs the extra: pip install 'irvis[video]'")

import streams
import video_files
from irvis import io
from irvis.errors import IrvisError
from irvis.live import summary
from irvis.live.joining import Joining
from irvis.live.latest import Newest
from irvis.live.timing import Clock, Delays, Rate
from irvis.thermal import Sensing
from irvis.video.range_following import Following
from irvis.video.writer import Writer
from live_sessions import gray16, newest_of, run, session
from streams import Camera, clip, stamped, until

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


def test_a_fusion_that_is_slow_drops_pictures_and_stays_at_thenewest_of(tmp_path):
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


# ------------------------------------------------------------------------------------------ pictures


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
    fused = newest_of(made).fused
    assert fused[:, :28].max() < 10
    assert fused[:, 80:].min() > 100
    assert len(asked) == 1
    made = run(session(dark, bright, laying=io.Laying(where=where, crop=True)))
    assert newest_of(made).fused.shape == (96, 96, 3)


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
    assert summary.status(session("v.mp4", "i.mp4", method="encdec:tiny"))["method"] == "encdec:tiny"


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
    white = newest_of(run(session(visible, infrared))).infrared
    assert white.max() > 250
    assert white.min() < 5
    black = Following(sensing=Sensing(polarity="black-hot"))
    turned = newest_of(run(session(visible, infrared, following=black))).infrared
    assert np.abs(turned.astype(int) + white - 255).max() <= 1


def test_a_palette_colours_the_picture_and_keeps_its_brightness(tmp_path):
    visible, infrared = clip(tmp_path / "v.mp4", 10), clip(tmp_path / "i.mp4", 10)
    gray = newest_of(run(session(visible, infrared))).fused.astype(float)
    hot = newest_of(run(session(visible, infrared, palette="ironbow"))).fused.astype(float)
    weights = np.array([0.299, 0.587, 0.114])
    assert np.ptp(hot, axis=2).max() > 30
    assert np.median(np.abs(hot @ weights - gray @ weights)) < 3


# ------------------------------------------------------------------------------------------- latency


def test_the_latency_that_is_told_is_that_of_the_whole_path_but_for_the_way_to_the_looker():
    from irvis.live import server as servers

    with Camera(stamped, rate=15) as visible, Camera(rate=15) as infrared:
        made = session(visible.address, infrared.address)
        made.start()
        page = servers.serving(made, "127.0.0.1", 0)
        page.start()
        ages = [streams.age(streams.pixels_of(one)) for one in streams.looked_at(page.address + "/fused.mjpg", 25)]
        told = summary.status(made)["capture_to_sent_ms"]
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
