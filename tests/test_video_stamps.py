"""Laws of time stamps: where a stream begins, leaps and clocks that go back, winding forward, what is cut short."""

from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av")

from irvis.video.audio import Audio  # noqa: E402
from irvis.video.pairing import paired  # noqa: E402
from irvis.video.source import open_source  # noqa: E402
from irvis.video.writer import Writer  # noqa: E402
from video_files import clip, decoded, gray, picture  # noqa: E402

RATE = Fraction(25)


def pictures(count, size=(48, 64)):
    return (picture(n, size) for n in range(count))


def times(path, start=0):
    source = open_source(str(path))
    return [frame.time for frame in source.frames(Fraction(start))], source


@pytest.mark.parametrize("suffix", [".ts", ".mkv", ".mp4"])
def test_sound_that_begins_a_little_earlier_pairs_no_picture_with_its_neighbour(suffix, tmp_path):
    seen = open_source(str(clip(tmp_path / f"v{suffix}", pictures(20), rate=RATE, sound="aac")))
    warm = open_source(str(clip(tmp_path / "i.mp4", map(gray, range(20)), rate=RATE)), gray=True)
    for number, both in enumerate(paired(seen.frames(), warm.frames())):
        assert round(both.infrared.time * RATE) == number


@pytest.mark.parametrize("suffix", [".ts", ".mkv", ".mp4"])
@pytest.mark.parametrize("number", [1, 20, 49])
def test_winding_forward_loses_no_frame_even_without_an_index(suffix, number, tmp_path):
    path = clip(tmp_path / f"a{suffix}", pictures(50), rate=RATE, sound="aac", g="25")
    assert times(path, number / RATE)[0] == [n / RATE for n in range(number, 50)]


@pytest.mark.parametrize("shift", [-1, 5])
@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
def test_a_clock_that_does_not_begin_at_zero_is_no_damage(suffix, shift, tmp_path):
    path = clip(tmp_path / f"a{suffix}", pictures(40), rate=RATE, times=[shift + n / RATE for n in range(40)])
    found, source = times(path)
    assert found == [n / RATE for n in range(40)]
    assert source.trouble == []
    assert source.facts.duration in (None, Fraction(40, 25))


def rising(stamps):
    from irvis.video.stamps import rising

    trouble: list[str] = []

    def made():
        for number, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(np.full((16, 16), number, np.uint8), "gray")
            frame.pts, frame.time_base = stamp, Fraction(1, 25)
            yield frame

    return [time * 25 for _, time in rising(made(), RATE, Fraction(0), trouble)], trouble


def test_one_damaged_stamp_costs_one_frame_and_is_told():
    found, trouble = rising([0, 1, 2, 40_000, 4, 5, 6])
    assert found == [0, 1, 2, 4, 5, 6]
    assert len(trouble) == 1
    assert "1 frame" in trouble[0]


def test_a_pause_is_no_damage():
    stamps = [0, 1, 2, 500, 501, 502, 9000]
    assert rising(stamps) == (stamps, [])


def test_a_clock_that_goes_back_is_told():
    found, trouble = rising([0, 1, 2, 3, 0, 1, 2, 3, 4])
    assert found == [0, 1, 2, 3, 4]
    assert "3 frame" in trouble[0]
    assert rising([0, 1, 1, 2]) == ([0, 1, 2], [])


def test_a_rate_that_varies_is_a_remark_and_no_damage(tmp_path):
    stamps = [Fraction(n + n // 10, 25) for n in range(60)]
    found, source = times(clip(tmp_path / "a.mp4", pictures(60), rate=RATE, times=stamps))
    assert found == stamps
    assert source.trouble == []
    assert any("missing" in line for line in source.remarks)


def test_a_last_frame_that_stays_for_long_is_not_cut_short(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.codec_context.flags |= av.codec.context.Flags.frame_duration
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(picture(number), "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base, frame.duration = number, RATE**-1, 1 if number < 19 else 125
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    found, source = times(tmp_path / "a.mp4")
    assert len(found) == 20
    assert source.facts.duration > 5
    assert source.trouble == []


# ------------------------------------------------------------------------------------------ sound


def write(path, sound, count=50):
    with Writer(path, rate=RATE, size=(48, 64), audio_from=str(sound)) as writer:
        for number in range(count):
            writer.write(picture(number), number / RATE)
    return decoded(path)


def test_damaged_sound_does_not_harm_the_pictures(tmp_path):
    path = clip(tmp_path / "a.ts", pictures(100), rate=RATE, sound="aac")
    with av.open(str(path)) as file:
        places = [packet.pos for packet in file.demux(file.streams.audio[0]) if packet.pos]
    data = bytearray(path.read_bytes())
    for place in places[2::3]:
        data[place + 20 : place + 60] = bytes(40)
    path.write_bytes(data)
    assert len(write(tmp_path / "b.mp4", path, 100)) == 100


def test_sound_whose_clock_begins_again_does_not_harm_the_pictures(tmp_path):
    path = clip(tmp_path / "a.ts", pictures(50), rate=RATE, sound="aac")
    path.write_bytes(path.read_bytes() * 2)
    assert len(write(tmp_path / "b.mp4", path)) == 50


def test_one_damaged_stamp_of_sound_does_not_end_it(tmp_path, monkeypatch):
    path = clip(tmp_path / "a.mkv", pictures(50), rate=RATE, sound="aac")
    rises, seen = Audio._rises, []

    def damaged(self, packet):
        seen.append(packet)
        if len(seen) == 20:
            packet.pts = packet.dts = 5_000_000
        return rises(self, packet)

    monkeypatch.setattr(Audio, "_rises", damaged)
    write(tmp_path / "b.mp4", path)
    with av.open(str(tmp_path / "b.mp4")) as file:
        ends = [packet.pts * packet.time_base for packet in file.demux(file.streams.audio[0]) if packet.pts is not None]
    assert ends[-1] > 1.9
    assert len(ends) >= len(seen) - 2
