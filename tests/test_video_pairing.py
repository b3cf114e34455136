"""Two streams become pairs by their times; what moves in both tells how far apart they were started."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from irvis.errors import IrvisError
from irvis.video.frame import Frame
from irvis.video.pairing import blended, paired
from irvis.video.time_offset import motion_of, offset_of


def stream(rate, seconds, start=0.0, number=lambda n: n):
    """Frames of one number each, which is their place."""
    return [
        Frame(
            time=Fraction(n) / Fraction(rate) + Fraction(start), samples=np.full((4, 4), number(n), np.uint16), bits=16
        )
        for n in range(round(seconds * rate))
    ]


def value(frame):
    return int(frame.samples[0, 0])


@pytest.mark.parametrize("rate", [1, 9, Fraction(30000, 1001), 60])
def test_every_visible_frame_gets_the_infrared_that_is_nearest_in_time(rate):
    visible, infrared = stream(25, 4), stream(rate, 4)
    for both in paired(visible, infrared):
        nearest = min(abs(frame.time - both.visible.time) for frame in infrared)
        assert abs(both.infrared.time - both.visible.time) == nearest


def test_pairs_have_the_times_of_the_visible_frames_whatever_their_steps():
    times = [Fraction(0), Fraction(1, 10), Fraction(4, 10), Fraction(41, 100), Fraction(9, 10)]
    visible = [Frame(time=time, samples=np.zeros((2, 2), np.uint8)) for time in times]
    assert [both.time for both in paired(visible, stream(30, 2))] == times


def test_an_offset_moves_infrared():
    pairs = paired(stream(10, 1), stream(10, 1), offset=Fraction(3, 10))
    assert [(value(both.visible), value(both.infrared)) for both in pairs] == [(n + 3, n) for n in range(7)]
    first = next(paired(stream(10, 1), stream(10, 1), offset=Fraction(-4, 10)))
    assert (first.time, value(first.visible), value(first.infrared)) == (0, 0, 4)


def test_fusion_lasts_as_long_as_both_streams():
    told = []
    pairs = list(paired(stream(10, 3), stream(10, 1, start=1), trouble=told))
    assert [value(both.visible) for both in pairs] == list(range(10, 20))
    assert [both.time for both in pairs] == [Fraction(n, 10) for n in range(10)]
    assert len(told) == 2


def test_infrared_between_two_of_its_frames_can_be_mixed():
    frames = stream(1, 3, number=lambda n: 1000 * n)
    mixed = [
        value(both.infrared if both.later is None else blended(both.infrared, both.later, both.share))
        for both in paired(stream(10, 2), frames, match="interpolated")
    ]
    assert mixed == list(range(0, 2000, 100))


def test_another_rate_takes_the_frame_that_is_nearest_to_each_of_its_times():
    pairs = list(paired(stream(30, 2), stream(30, 2), rate=Fraction(10)))
    assert [both.time for both in pairs] == [Fraction(n, 10) for n in range(20)]
    assert [value(both.visible) for both in pairs] == [3 * n for n in range(20)]
    doubled = [value(both.visible) for both in paired(stream(10, 1), stream(10, 1), rate=Fraction(20))]
    assert all(after - before in (0, 1) for before, after in pairwise(doubled))


def test_a_pause_of_infrared_is_told_and_bridged():
    told = []
    infrared = [frame for frame in stream(10, 6) if not 1 <= frame.time < 4]
    assert len(list(paired(stream(10, 6), infrared, trouble=told))) == 60
    assert sum("pauses" in line for line in told) == 1


def test_frames_are_known_to_be_the_same_again():
    fresh = [both.fresh for both in paired(stream(30, 1), stream(10, 1))]
    assert sum(fresh) == 10


def test_a_stream_without_frames_pairs_with_nothing():
    assert list(paired(stream(10, 1), [])) == []
    assert list(paired([], stream(10, 1))) == []


# ----------------------------------------------------------------------------------------- motion


def walk(times, seed):
    """Where something is that speeds up and slows down, in pixels."""
    random = np.random.default_rng(seed)
    speeds, phases = np.exp(random.uniform(np.log(0.3), np.log(4), 8)), random.uniform(0, 10, 8)
    return sum(np.sin(times * speed + phase) / speed for speed, phase in zip(speeds, phases, strict=True))


def moving(seed, rate, begin, seconds, warm, noise=2.0):
    random = np.random.default_rng(1000 + seed + warm)
    rows, columns = np.mgrid[:48, :64]
    for n in range(int(seconds * rate)):
        at = 32 + 14 * walk(begin + n / rate, seed)
        inside = (columns - at) ** 2 + (rows - 24) ** 2 < 64
        still = 120 + 0 * columns if warm else 60 + 30 * np.sin(columns / 3)
        picture = np.where(inside, 220 if warm else 20, still) + random.normal(0, noise, rows.shape)
        yield Frame(time=Fraction(n) / Fraction(rate), samples=np.clip(picture, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(("rate", "true"), [(30, 1.3), (9, -2.2), (9, 0.0)])
def test_what_moves_in_both_tells_their_offset(rate, true):
    found = offset_of(motion_of(moving(3, 30, 0, 20, False)), motion_of(moving(3, rate, true, 20, True)))
    assert found.sure
    assert found.seconds == pytest.approx(true, abs=0.08)


@pytest.mark.parametrize("drift", [0, 0.0057, -0.0057])
def test_clocks_that_drift_are_not_taken_for_one_offset(drift):
    slow = [replace(one, time=one.time * Fraction(1 + drift)) for one in moving(3, 10, 1.3, 60, True)]
    found = offset_of(motion_of(moving(3, 10, 0, 60, False)), motion_of(slow))
    assert found.sure
    assert found.drifts == bool(drift)
    assert found.begin == pytest.approx(1.3, abs=0.15)
    assert 0 < found.drift_error < 0.0015
    assert 0 < found.error < 0.15
    assert found.drift == pytest.approx(-drift, abs=0.0015)


@pytest.mark.parametrize("stamps", ["right", "nominal"])
def test_two_rates_stay_within_a_frame_for_seventeen_minutes(stamps):
    """30 and 29.83 frames a second; with nominal stamps the second camera is believed to take 30, too."""
    slow = Fraction("29.83")
    rate, drift = (slow, Fraction(0)) if stamps == "right" else (Fraction(30), Fraction(30) / slow - 1)
    nothing = np.zeros((1, 1), np.uint8)
    last = range(16 * 60 * 30, 17 * 60 * 30)  # of the last minute: errors of clocks add up until then
    seen = (Frame(time=Fraction(n, 30), samples=nothing) for n in last)
    warm = (Frame(time=n / rate, samples=nothing) for n in last)
    apart = count = 0
    for both in paired(seen, warm, drift=drift):
        apart, count = max(apart, abs(both.visible.time - both.infrared.time)), count + 1
    assert count > 1500
    assert apart <= Fraction(1, 30)


@pytest.mark.parametrize("seed", range(4))
def test_streams_of_different_scenes_are_not_believed(seed):
    found = offset_of(motion_of(moving(seed, 25, 0, 20, False)), motion_of(moving(seed + 50, 9, 0, 20, True)))
    assert not found.sure


def test_a_still_scene_tells_no_offset():
    still = [Frame(time=Fraction(n, 10), samples=np.full((48, 64), 9, np.uint8)) for n in range(50)]
    with pytest.raises(IrvisError, match="--offset"):
        offset_of(motion_of(still), motion_of(still))


def test_noise_tells_no_offset():
    random = np.random.default_rng(0)
    first, second = (
        [Frame(time=Fraction(n, 10), samples=random.integers(0, 255, (48, 64), np.uint8)) for n in range(200)]
        for _ in range(2)
    )
    assert not offset_of(motion_of(first), motion_of(second)).sure
