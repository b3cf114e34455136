"""Thermal gray does not pump and jumps with the camera where it jumps; what is fused is still where nothing moves."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch

from checking import check  # noqa: F401  annotations are checked while these run
from irvis import creation, io
from irvis.metrics.flicker import temporal_gain, warped_difference
from irvis.thermal import Range, Sensing
from irvis.video.frame import Frame
from irvis.video.gain_changes import line, thin
from irvis.video.numbers import Numbers
from irvis.video.range_following import Following, steady
from irvis.video.scoring import flicker
from irvis.video.stabilise import Moment, stabilise

RATE = 30


def scene(number, size=(96, 128), noise=3.0, seed=0):
    """Counts of a scene with structure, a warm thing that goes to the right, and noise."""
    random = np.random.default_rng((seed, number))
    rows, columns = np.mgrid[: size[0], : size[1]]
    field = 7000 + 150 * np.sin(columns / 17) + 100 * np.cos(rows / 11) + (columns > 80) * 120
    left = 10 + number // 2
    field = np.where((columns >= left) & (columns < left + 12) & (rows > 30) & (rows < 60), 7600, field)
    return field + random.normal(0, noise, size)


def stream(pictures, rate=RATE, dtype=np.uint16):
    return [
        Frame(time=Fraction(n, rate), samples=np.clip(np.round(one), 0, np.iinfo(dtype).max).astype(dtype), bits=16)
        for n, one in enumerate(pictures)
    ]


def levels(shown, part=np.s_[5:25, 5:60]):
    """Mean gray of a part where nothing moves."""
    return np.array([float(one.gray[part].mean()) for one in shown])


def test_the_range_follows_slowly_what_each_frame_alone_would_make_pump():
    """A hot thing that comes and goes, large enough to move the 99th percentile."""
    pictures = [scene(n) for n in range(90)]
    for n in range(30, 60):
        pictures[n][60:90, 90:120] = 9000
    alone = levels(steady(stream(pictures), Following(seconds=0)))
    followed = levels(steady(stream(pictures), Following(seconds=10)))
    assert np.abs(np.diff(alone)).max() > 0.15
    assert np.abs(np.diff(followed)).max() < 0.01


def test_a_range_that_follows_arrives():
    pictures = [scene(0) for _ in range(10)] + [scene(0) + 5 * n for n in range(200)]
    last = list(steady(stream(pictures), Following(seconds=1)))[-1]
    assert last.scale.low == pytest.approx(np.percentile(pictures[-1], 1), rel=0.02)


def shutter(after, gain=1.0, frozen=20):
    """40 frames, one of them again and again, and 40 whose levels lie elsewhere."""
    before = [scene(n) for n in range(40)]
    return [*before, *[before[-1]] * frozen, *[scene(n) * gain + after for n in range(40 + frozen, 80 + frozen)]]


@pytest.mark.parametrize(("after", "gain"), [(400, 1.0), (-250, 1.0), (3000, 0.25), (-9000, 2.0)])
def test_a_shutter_and_a_gain_switch_leave_the_gray_where_it_was(after, gain):
    shown = list(steady(stream(shutter(after, gain)), Following(seconds=10)))
    gray = levels(shown)
    assert np.abs(np.diff(gray)).max() < 0.02
    assert abs(gray[-1] - gray[0]) < 0.05


def test_frames_behind_a_shutter_and_the_step_after_it_are_marked():
    shown = list(steady(stream(shutter(400)), Following()))
    events = [one.event for one in shown]
    assert set(events[:40]) == {""}
    assert events[60] == "step"
    assert events[50:60] == ["frozen"] * 10
    assert set(events[61:]) == {""}


def test_a_gain_switch_without_a_shutter_is_a_step():
    events = [one.event for one in steady(stream(shutter(2500, 0.3, frozen=0)), Following())]
    assert [n for n, event in enumerate(events) if event] == [40]
    assert events[40] == "step"


def test_slow_thermal_frames_that_repeat_are_not_frozen():
    """9 frames a second in a file of 30."""
    pictures = [scene(9 * n // 30) for n in range(120)]
    assert {one.event for one in steady(stream(pictures), Following())} == {""}


def test_motion_noise_and_a_pan_are_no_events():
    moving = [scene(4 * n) for n in range(40)]
    wide = scene(0, (96, 400), noise=0)
    random = np.random.default_rng(1)
    pan = [wide[:, 3 * n : 3 * n + 128] + random.normal(0, 5, (96, 128)) for n in range(60)]
    noisy = [scene(0, noise=60, seed=n) for n in range(30)]
    for pictures in (moving, pan, noisy):
        assert {one.event for one in steady(stream(pictures), Following())} == {""}


def test_another_scene_begins_with_a_range_of_its_own():
    random = np.random.default_rng(5)
    other = 3000 + 900 * random.random((24, 32)).repeat(4, 0).repeat(4, 1)
    after = [other + random.normal(0, 3, other.shape) for _ in range(5)]
    shown = list(steady(stream([scene(n) for n in range(20)] + after), Following()))
    assert shown[20].event == "cut"
    assert shown[20].scale.low == pytest.approx(np.percentile(other, 1), rel=0.01)


def test_eight_bits_are_taken_as_they_are_unless_levelling_is_asked_for():
    pictures = [(scene(n) - 6700) / 5 for n in range(60)]
    pumped = [one * (1 - 0.004 * n) + 1.0 * n for n, one in enumerate(pictures)]
    as_they_are = levels(steady(stream(pumped, dtype=np.uint8), Following()))
    levelled = levels(steady(stream(pumped, dtype=np.uint8), Following(level=True, seconds=60)))
    assert as_they_are == pytest.approx(levels(steady(stream(pumped, dtype=np.uint8), Following(seconds=1))))
    assert np.ptp(as_they_are) > 0.04
    assert np.ptp(levelled) < 0.25 * np.ptp(as_they_are)


@pytest.mark.parametrize("noise", [0.5, 4, 8])
def test_a_gain_that_jumps_is_undone_in_eight_bits_behind_noise_too(noise):
    random = np.random.default_rng(2)
    base = (scene(0, noise=0) - 7000) / 500
    gains = [35 if n // 20 % 2 == 0 else 90 for n in range(60)]
    pumped = [128 + gain * base + random.normal(0, noise, base.shape) for gain in gains]
    shown = list(steady(stream([np.clip(one, 0, 255) for one in pumped], dtype=np.uint8), Following(level=True)))
    assert np.abs(np.diff(levels(shown))).max() < 1.5 / 255
    contrast = np.array([np.ptp(np.percentile(one.gray, (10, 90))) for one in shown])
    assert contrast.max() / contrast.min() < 1.35


def test_a_range_in_counts_or_degrees_stays():
    frames = stream(shutter(400))
    for span in (Range.parse("6500,8000"), Range.parse("5C,60C")):
        sensing = Sensing(kelvin_per_count=0.04)
        scales = {one.scale for one in steady(frames, Following(range=span, sensing=sensing))}
        assert [(scale.low, scale.high) for scale in scales] == [(span.low, span.high)]


@pytest.mark.parametrize("text", ["1%,99%,equalised", "contrast-limited"])
def test_curves_follow_too(text):
    pictures = [scene(n) for n in range(30)]
    for n in range(10, 20):
        pictures[n][60:90, 90:120] = 9000
    shown = steady(stream(pictures), Following(range=Range.parse(text), seconds=20))
    assert np.abs(np.diff(levels(shown))).max() < 0.02


def test_black_hot_streams_are_inverted():
    plain, black = (
        next(steady(stream([scene(0)]), Following(sensing=Sensing(polarity=polarity)))).gray
        for polarity in ("white-hot", "black-hot")
    )
    assert plain + black == pytest.approx(np.ones_like(plain), abs=1e-6)


def test_degrees_of_a_stream_are_those_of_the_camera(real_data):
    from irvis import cameras

    [path] = sorted((real_data / "cameras" / "radiometric" / "raw").glob("*.seq"))
    found = next(cameras.frames(path))
    frame = Frame(time=Fraction(0), samples=found.counts, bits=16, radiometric=found)
    numbers = Numbers(Sensing())
    assert numbers.of(frame, "celsius") == pytest.approx(cameras.celsius(found), nan_ok=True)


def test_the_line_through_two_frames_is_found_behind_motion_and_noise():
    before, now = scene(0), scene(30, seed=1) * 1.7 - 300
    found = line(thin(before), thin(now))
    assert (found.gain, found.level) == (pytest.approx(1.7, rel=0.03), pytest.approx(-300, abs=200))


# ---------------------------------------------------------------------------------------- fused


def moments(visible, infrared, method):
    fuser = creation.fuser(method)
    with torch.inference_mode():
        return [Moment(visible=a, infrared=b, fused=(fuser(a, b),)) for a, b in zip(visible, infrared, strict=True)]


def noisy(level, count=10, seed=0):
    """A still scene, seen by two noisy cameras."""
    from irvis.data.scene import scene as drawn

    generator = torch.Generator().manual_seed(seed)
    return tuple(
        [(one + level * torch.randn(one.shape, generator=generator)).clamp(0, 1) for _ in range(count)]
        for one in drawn(3, (96, 128)).tensors()
    )


@pytest.mark.parametrize("level", [1.5 / 255, 4 / 255, 10 / 255])
@pytest.mark.parametrize("method", ["laplacian", "encdec:tiny", "max"])
def test_a_still_scene_with_noise_flickers_no_more_than_its_inputs(method, level):
    visible, infrared = noisy(level)
    held = [fused for (fused,) in stabilise(moments(visible, infrared, method))]
    assert temporal_gain(held, visible, infrared).gain <= 1
    pytest.importorskip("cv2", reason="the second measure needs the extra: pip install 'irvis[flow]'")
    assert warped_difference(held, visible, infrared).gain <= 1


def test_what_moves_is_left_alone():
    """A square that moves over a still scene: where it was and where it is, the picture is that of the moment."""
    visible, infrared = noisy(2 / 255, 8)
    for n, one in enumerate(visible):
        one[..., 40:60, 20 + 8 * n : 40 + 8 * n] = 1.0
    frames = moments(visible, infrared, "laplacian")
    for n, (before, now) in enumerate(pairwise(stabilise(frames)), 1):
        for left in (12 + 8 * n, 32 + 8 * n):
            place = np.s_[..., 42:58, left + 1 : left + 7]
            assert torch.equal(now[0][place], frames[n].fused[0][place])
        assert not torch.equal(now[0], before[0])


def test_after_a_cut_nothing_is_kept():
    visible, infrared = noisy(2 / 255, 4)
    frames = moments(visible, infrared, "average")
    cut = [*frames[:2], Moment(visible=visible[2], infrared=infrared[2], fused=frames[2].fused, cut=True)]
    assert torch.equal(list(stabilise(cut))[2][0], frames[2].fused[0])


def sequence(folder):
    paths = sorted((folder / "vi").iterdir())[:5]
    return [io.read_pair(path, next((folder / "ir").glob(f"{path.stem}.*")))[1:3] for path in paths]


@pytest.mark.parametrize("name", ["train/video/M3SVD_0115_1847", "test/video/TNO_Duine"])
def test_real_sequences_flicker_less_and_none_more(name, real_data):
    visible, infrared = zip(*sequence(real_data / name), strict=True)
    frames = moments(visible, infrared, "laplacian")
    raw, held = [one.fused[0] for one in frames], [fused for (fused,) in stabilise(frames)]
    assert temporal_gain(held, visible, infrared).gain <= temporal_gain(raw, visible, infrared).gain
    pytest.importorskip("cv2", reason="the second measure needs the extra: pip install 'irvis[flow]'")
    assert warped_difference(held, visible, infrared).gain < warped_difference(raw, visible, infrared).gain


def test_flicker_is_scored_without_the_moments_at_which_the_camera_jumped():
    shown = list(steady(stream(shutter(2500, 0.5)), Following(range=Range.parse("3000,10000"))))
    infrared = [torch.from_numpy(one.gray)[None, None] for one in shown]
    visible = [torch.zeros_like(one) for one in infrared]
    events = [one.event for one in shown]
    whole = temporal_gain(infrared, visible, infrared)
    without = flicker(temporal_gain, infrared, visible, infrared, events)
    assert without.fused < 0.5 * whole.fused
    assert without.steps < whole.steps
    alone = temporal_gain(infrared[:40], visible[:40], infrared[:40])
    assert flicker(temporal_gain, infrared[:40], visible[:40], infrared[:40], [""] * 40) == alone
    assert flicker(temporal_gain, infrared[:2], visible[:2], infrared[:2], ["step", ""]) is None
