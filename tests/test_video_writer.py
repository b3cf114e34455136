"""Videos out: what is written plays, has its name only when it is whole, and keeps times, colours and sound."""

import shutil
import signal
from contextlib import contextmanager, suppress
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

av = pytest.importorskip("av", reason="video needs the extra: pip install 'irvis[video]'")

from irvis.errors import IrvisError  # noqa: E402
from irvis.video.source import open_source  # noqa: E402
from irvis.video.writer import PictureWriter, Writer, part_of  # noqa: E402
from video_files import RATE, clip, counts, decoded, gray, picture  # noqa: E402


def write(path, frames, rate=RATE, times=None, **how):
    frames = list(frames)
    with Writer(path, rate=rate, size=frames[0].shape[:2], **how) as writer:
        for n, frame in enumerate(frames):
            writer.write(frame, n / rate if times is None else times[n])
    return writer


def stream_of(path):
    file = av.open(str(path))
    return file, file.streams.video[0]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.webm"])
def test_what_is_written_comes_back_at_its_times(name, tmp_path):
    write(tmp_path / name, map(picture, range(15)))
    back = decoded(tmp_path / name)
    assert [time for time, _ in back] == pytest.approx([float(n / RATE) for n in range(15)], abs=5.1e-4)
    assert np.abs(back[7][1].astype(int) - picture(7)).mean() < 4
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_same_frames_give_the_same_bytes(suffix, tmp_path):
    for name in "ab":
        write(tmp_path / f"{name}{suffix}", map(picture, range(6)))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_a_rational_rate_is_kept_exactly(tmp_path):
    write(tmp_path / "a.mp4", map(picture, range(30)))
    file, stream = stream_of(tmp_path / "a.mp4")
    with file:
        assert stream.average_rate == RATE
        assert all(frame.pts * frame.time_base == n / RATE for n, frame in enumerate(file.decode(stream)))


def test_a_variable_rate_is_kept_to_a_tenth_of_a_millisecond(tmp_path):
    times = [Fraction(0), Fraction(1, 30), Fraction(1, 7), Fraction(1, 3), Fraction(21, 20)]
    write(tmp_path / "a.mp4", map(picture, range(5)), rate=Fraction(25), times=times)
    assert [time for time, _ in decoded(tmp_path / "a.mp4")] == pytest.approx([float(t) for t in times], abs=1e-4)


def test_yuv_is_bt709_limited_and_says_so(tmp_path):
    colours = ((200, 40, 90), (20, 180, 60), (128, 128, 128), (250, 250, 250), (5, 5, 5))
    for n, colour in enumerate(colours):
        path = tmp_path / f"{n}.mp4"
        write(path, [np.full((48, 64, 3), colour, np.uint8)] * 3, crf=1)
        file, stream = stream_of(path)
        with file:
            frame = next(file.decode(stream))
            assert (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range) == (1, 1, 1, 1)
            levels = [float(np.frombuffer(memoryview(plane), np.uint8)[5]) for plane in frame.planes]
        red, green, blue = (c / 255 for c in colour)
        luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue  # ITU-R BT.709-6, and its quantisation to 8 bits
        expected = [16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748]
        assert np.abs(np.array(levels) - expected).max() <= 1.5


def test_gray_frames_are_gray_from_black_to_white(tmp_path):
    steps = np.repeat(np.linspace(0, 255, 8).astype(np.uint8), 8)[None].repeat(48, 0)
    write(tmp_path / "a.mp4", [steps] * 3, crf=1)
    _, back = decoded(tmp_path / "a.mp4")[1]
    assert np.abs(back[24, 4::8].astype(int) - steps[24, 4::8, None]).max() <= 3


def test_ffv1_keeps_colours_gray_and_counts_exactly(tmp_path):
    for name, make in (("colour", picture), ("gray", gray), ("counts", counts)):
        write(tmp_path / f"{name}.mkv", [make(n) for n in range(5)], codec="ffv1")
        with open_source(str(tmp_path / f"{name}.mkv"), gray=name != "colour") as source:
            for n, frame in enumerate(source.frames()):
                assert np.array_equal(frame.samples, make(n))


def test_no_size_is_changed(tmp_path):
    writer = write(tmp_path / "a.mp4", [picture(n, (47, 61)) for n in range(3)])
    assert decoded(tmp_path / "a.mp4")[0][1].shape == (47, 61, 3)
    assert any("4:4:4" in note for note in writer.notes)


def test_pixels_that_are_not_square_stay_so(tmp_path):
    write(tmp_path / "a.mp4", map(picture, range(3)), aspect=Fraction(16, 11))
    file, stream = stream_of(tmp_path / "a.mp4")
    with file:
        assert stream.sample_aspect_ratio == Fraction(16, 11)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_is_interrupted_plays_under_another_name(error, tmp_path):
    path = tmp_path / "a.mp4"
    writer = Writer(path, rate=RATE, size=(48, 64))

    def interrupted():
        with writer:
            for n in range(20):
                writer.write(picture(n), n / RATE)
            raise error

    with pytest.raises(error):
        interrupted()
    assert writer.part == part_of(path) == tmp_path / "a.part.mp4"
    assert [found.name for found in tmp_path.iterdir()] == ["a.part.mp4"]
    assert len(decoded(tmp_path / "a.part.mp4")) == 20


def noisy(path, count, **how):
    """A file of so many frames of noise."""
    noise = np.random.default_rng(0)
    return write(path, (noise.integers(0, 255, (120, 160, 3), np.uint8) for _ in range(count)), **how)


def test_a_disk_that_fills_up_ends_a_file_while_it_can_still_be_finished(tmp_path, monkeypatch):
    left = iter(range(20_000_000, 0, -1_000_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=next(left)))
    with pytest.raises(IrvisError, match="disk is full"):
        noisy(tmp_path / "a.mp4", 30)
    assert [found.name for found in tmp_path.iterdir()] == ["a.part.mp4"]
    assert len(decoded(tmp_path / "a.part.mp4")) > 10


@pytest.mark.parametrize(("suffix", "kept"), [(".mkv", ["a.part.mkv"]), (".mp4", [])])
def test_a_file_that_cannot_be_finished_is_kept_where_it_plays(suffix, kept, tmp_path):
    with limited(200_000), pytest.raises(IrvisError, match="cannot be written"):
        noisy(tmp_path / f"a{suffix}", 40, codec="h264")
    assert [found.name for found in tmp_path.iterdir()] == kept


@contextmanager
def limited(size):
    """Files may not grow beyond so many bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_generator_that_is_closed_finishes_its_file(tmp_path):
    def frames():
        with Writer(tmp_path / "a.mkv", rate=RATE, size=(48, 64)) as writer:
            for n in range(100):
                writer.write(picture(n), n / RATE)
                yield n

    running = frames()
    for _ in range(10):
        next(running)
    running.close()
    assert len(decoded(tmp_path / "a.part.mkv")) == 10


def test_an_interrupt_before_the_first_frame_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), Writer(tmp_path / "a.mp4", rate=RATE, size=(48, 64)):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "how", "told"),
    [
        ("a.mp4", {"codec": "h265000"}, "no codec"),
        ("a.mp4", {"codec": "aac"}, "not pictures"),
        ("a.webm", {"codec": "h264"}, "takes no"),
        ("a.avi", {}, "irvis writes"),
        ("a.mp4", {"pixel_format": "gray16le"}, "takes no gray16le"),
        ("a.mkv", {"codec": "ffv1", "crf": 3}, "no --crf"),
    ],
)
def test_what_cannot_be_written_is_one_line(name, how, told, tmp_path):
    with pytest.raises(IrvisError, match=told) as error:
        write(tmp_path / name, map(picture, range(2)), **how)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_counts_are_refused_by_a_codec_of_pictures(tmp_path):
    with pytest.raises(IrvisError, match="ffv1"):
        write(tmp_path / "a.mp4", map(counts, range(2)))


# ------------------------------------------------------------------------------------------ sound


def heard(path):
    """Seconds and codec of the sound."""
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        frames = list(file.decode(stream))
        return frames[0].time, frames[-1].time + frames[-1].samples / frames[-1].sample_rate, stream.codec_context.name


def packets(path):
    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux(file.streams.audio[0]) if packet.size]


@pytest.mark.parametrize("target", ["b.mp4", "b.mkv", "b.mov"])
def test_sound_is_copied_packet_by_packet(target, tmp_path):
    source = clip(tmp_path / "a.mp4", map(picture, range(45)), sound="aac")
    write(tmp_path / target, map(picture, range(45)), audio_from=str(source))
    before, after = packets(source), packets(tmp_path / target)
    assert len(after) >= len(before) - 1
    assert after in (before[: len(after)], before[1:])  # the first is not heard, and Matroska cannot say so
    assert decoded(tmp_path / target)[0][0] == 0


def test_sound_moves_up_with_the_pictures_that_follow(tmp_path):
    source = clip(tmp_path / "a.mkv", map(picture, range(60)), sound="flac")
    write(tmp_path / "b.mkv", map(picture, range(30)), audio_from=str(source), audio_start=Fraction(1))
    begin, end, _ = heard(tmp_path / "b.mkv")
    assert 0 <= begin < 0.12
    assert end == pytest.approx(30 / float(RATE), abs=0.12)


def test_sound_that_a_file_does_not_take_is_coded_anew_and_told(tmp_path):
    source = clip(tmp_path / "a.mkv", map(picture, range(30)), sound="pcm_s16le")
    writer = write(tmp_path / "b.webm", map(picture, range(30)), audio_from=str(source))
    begin, end, codec = heard(tmp_path / "b.webm")
    assert "opus" in codec
    assert begin == pytest.approx(0, abs=0.05)
    assert end == pytest.approx(1, abs=0.1)
    assert any("coded anew" in note for note in writer.notes)


# --------------------------------------------------------------------------------------- pictures


def test_a_folder_gets_numbered_pictures_and_their_times(tmp_path):
    with PictureWriter(tmp_path / "out") as writer:
        for n in range(3):
            writer.write(picture(n), n / RATE)
    with open_source(str(tmp_path / "out")) as source:
        assert all(np.array_equal(frame.samples, picture(n)) for n, frame in enumerate(source.frames()))
    lines = (tmp_path / "out" / "times.csv").read_text().split()
    assert lines[2] == "000002.png,0.033367"


def test_a_shorter_video_leaves_no_pictures_of_the_longer_one_before_it(tmp_path):
    def written(count, format="png", error=None):
        with suppress(KeyboardInterrupt), PictureWriter(tmp_path / "out", format=format) as writer:
            for n in range(count):
                writer.write(picture(n), n / RATE)
            if error is not None:
                raise error
        return sorted(path.name for path in (tmp_path / "out").iterdir())

    written(5)
    (tmp_path / "out" / "notes.png").write_bytes(b"mine")
    assert written(2) == ["000001.png", "000002.png", "notes.png", "times.csv"]
    assert written(3, error=KeyboardInterrupt) == [
        "000001.png",
        "000002.png",
        "000003.png",
        "notes.png",
        "times.part.csv",
    ]
    assert written(1, format="jpg") == ["000001.jpg", "notes.png", "times.csv"]
