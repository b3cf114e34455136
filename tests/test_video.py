"""Video streams in: time stamps, colours, ranges, rotation, and files that are damaged."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

av = pytest.importorskip("av", reason="video needs the extra: pip install 'irvis[video]'")

from irvis.errors import IrvisError  # noqa: E402
from irvis.thermal import Sensing  # noqa: E402
from irvis.video import decode  # noqa: E402
from irvis.video.source import is_video, open_source  # noqa: E402
from thermal_files import flir_record  # noqa: E402
from thermal_files import scene as thermal_scene  # noqa: E402
from video_files import RATE, clip, counts, cut_short, flat, gray, picture  # noqa: E402


def all_of(path, **how):
    with open_source(str(path), **how) as source:
        return source, list(source.frames())


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts"])
def test_frames_come_at_the_exact_multiples_of_a_rational_rate(suffix, tmp_path):
    source, frames = all_of(clip(tmp_path / f"a{suffix}", map(picture, range(20))))
    assert [frame.time for frame in frames] == [n / RATE for n in range(20)]
    assert source.facts.rate == RATE
    assert source.trouble == []
    assert (source.facts.width, source.facts.height) == (64, 48)


def test_a_variable_rate_keeps_its_time_stamps(tmp_path):
    times = [0, Fraction(1, 10), Fraction(3, 10), Fraction(31, 100), 1]
    _, frames = all_of(clip(tmp_path / "a.mkv", map(picture, range(5)), times=times))
    assert [float(frame.time) for frame in frames] == pytest.approx([float(time) for time in times], abs=5e-4)


def test_reading_may_begin_anywhere(tmp_path):
    source = open_source(str(clip(tmp_path / "a.mp4", map(picture, range(40)))))
    whole = list(source.frames())
    later = list(source.frames(whole[25].time))
    assert [frame.time for frame in later] == [frame.time for frame in whole[25:]]
    assert np.array_equal(later[0].samples, whole[25].samples)


# The constants of ITU-R BT.601-7, BT.709-6 and BT.2020-2: luma weights of red and blue.
MATRICES = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}


def by_the_standard(levels, weights, limited):
    y, u, v = ((levels[0] - 16) / 219, *((c - 128) / 224 for c in levels[1:])) if limited else (
        levels[0] / 255, *((c - 128) / 255 for c in levels[1:]))  # fmt: skip
    red, blue = weights
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    return np.clip([r, (y - red * r - blue * b) / (1 - red - blue), b], 0, 1) * 255


@pytest.mark.parametrize("limited", [True, False])
@pytest.mark.parametrize("colorspace", MATRICES)
def test_yuv_becomes_rgb_by_the_matrix_and_range_of_the_file(colorspace, limited):
    for levels in ((100, 110, 150), (180, 128, 128), (60, 140, 120), (200, 100, 140), (16, 128, 128), (235, 128, 128)):
        frame = flat(*levels, colorspace=colorspace, color_range=1 if limited else 2)
        expected = by_the_standard(levels, MATRICES[colorspace], limited)
        assert np.abs(decode.samples_of(frame)[20, 20] - expected).max() <= 1


@pytest.mark.parametrize(("size", "weights"), [((576, 64), MATRICES[5]), ((720, 64), MATRICES[1])])
def test_without_a_matrix_it_is_bt601_below_720_lines_and_bt709_from_there(size, weights):
    frame = flat(100, 110, 150, size=size)
    assert np.abs(decode.samples_of(frame)[20, 20] - by_the_standard((100, 110, 150), weights, True)).max() <= 1


def test_gray_of_a_limited_yuv_stream_is_full_range():
    assert decode.samples_of(flat(16, 128, 128), gray=True)[0, 0] == 0
    assert decode.samples_of(flat(235, 128, 128), gray=True)[0, 0] == 255
    assert decode.samples_of(flat(77, 128, 128, color_range=2), gray=True)[0, 0] == 77


@pytest.mark.parametrize(
    ("pixels", "bits", "most"), [("gray16le", 16, 65535), ("gray10le", 10, 1023), ("gray12le", 12, 4095)]
)
def test_counts_of_more_than_eight_bits_are_untouched(pixels, bits, most, tmp_path):
    sent = [np.minimum(counts(n, level=40, gain=3), most) for n in range(6)]
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=9)
        stream.height, stream.width, stream.pix_fmt = 48, 64, pixels
        for n, one in enumerate(sent):
            frame = av.VideoFrame.from_ndarray(one, pixels)
            frame.pts = n
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    source, frames = all_of(path, gray=True)
    assert source.facts.counts
    assert {frame.bits for frame in frames} == {bits}
    assert all(np.array_equal(frame.samples, one) for frame, one in zip(frames, sent, strict=True))


def test_pseudo_coloured_infrared_is_refused_unless_its_brightness_is_asked_for(tmp_path):
    rows, columns = np.mgrid[:48, :64]
    rainbow = np.stack([columns * 4, rows * 5, 255 - columns * 4], -1).astype(np.uint8)
    path = clip(tmp_path / "a.mp4", [rainbow] * 3)
    with pytest.raises(IrvisError, match="pseudo-coloured"):
        open_source(str(path), gray=True)
    _, frames = all_of(path, gray=True, color="gray")
    assert frames[0].samples.ndim == 2


@pytest.mark.parametrize(
    ("degrees", "mirrored"), [(0, False), (90, False), (180, False), (270, False), (0, True), (90, True)]
)
def test_pictures_are_turned_and_mirrored_as_the_file_says(degrees, mirrored, tmp_path):
    stored, path = picture(3), tmp_path / "a.mov"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"crf": "1"})
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write a rotation (18 can)")
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv444p"
        stream.set_display_rotation(degrees, hflip=mirrored)
        file.mux(stream.encode(av.VideoFrame.from_ndarray(stored, "rgb24")))
        file.mux(stream.encode(None))
    source, [frame] = all_of(path)
    expected = np.rot90(stored, degrees // 90)  # PyAV: "a counter-clockwise rotation", flips "mirror after it"
    expected = expected[:, ::-1] if mirrored else expected
    assert frame.samples.shape == expected.shape == (source.facts.height, source.facts.width, 3)
    assert np.abs(frame.samples.astype(int) - expected).mean() < 4


def test_pixels_that_are_not_square_are_told(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.height, stream.width = 48, 64
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        file.mux(stream.encode(av.VideoFrame.from_ndarray(picture(0), "rgb24")))
        file.mux(stream.encode(None))
    with open_source(str(path)) as source:
        assert source.facts.aspect == Fraction(16, 11)


# --------------------------------------------------------------------------------- images in sequence


def images(folder, numbers, make=picture, suffix="png"):
    folder.mkdir(exist_ok=True)
    for n in numbers:
        Image.fromarray(make(n)).save(folder / f"frame_{n:04d}.{suffix}")
    return folder


@pytest.mark.parametrize("text", ["{0}", "{0}/*.png", "{0}/frame_%04d.png"])
def test_images_are_a_stream_of_the_rate_that_is_said(text, tmp_path):
    folder = images(tmp_path / "frames", range(8, 13))
    source, frames = all_of(text.format(folder), rate=Fraction(10))
    assert [frame.time for frame in frames] == [Fraction(n, 10) for n in range(5)]
    assert np.array_equal(frames[2].samples, picture(10))
    assert source.facts.frames == 5


def test_a_missing_number_leaves_its_time_empty_and_is_told(tmp_path):
    source, frames = all_of(images(tmp_path / "frames", [0, 1, 2, 5, 6]), rate=Fraction(10))
    assert [float(frame.time) for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.5, 0.6])
    assert any("2 of 7" in line for line in source.trouble)


def test_numbers_that_step_by_more_are_a_count_too(tmp_path):
    _, frames = all_of(images(tmp_path / "frames", [0, 10, 20, 40]), rate=Fraction(10))
    assert [float(frame.time) for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.4])


def test_an_image_that_cannot_be_read_or_has_another_size_is_left_out(tmp_path):
    folder = images(tmp_path / "frames", range(5))
    (folder / "frame_0002.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    Image.fromarray(picture(3, (40, 40))).save(folder / "frame_0003.png")
    source, frames = all_of(folder, rate=Fraction(10))
    assert [float(frame.time) for frame in frames] == pytest.approx([0, 0.1, 0.4])
    assert len(source.trouble) == 2


def test_sixteen_bit_images_are_counts_on_the_infrared_side(tmp_path):
    folder = images(tmp_path / "frames", range(3), counts)
    source, frames = all_of(folder, gray=True)
    assert source.facts.counts
    assert np.array_equal(frames[1].samples, counts(1))


def test_headless_counts_are_a_stream_of_frames(tmp_path):
    path = tmp_path / "camera.bin"
    path.write_bytes(b"".join(counts(n).tobytes() for n in range(4)))
    _, frames = all_of(path, gray=True, rate=Fraction(9), sensing=Sensing(raw=(64, 48, "<")))
    assert [frame.time for frame in frames] == [Fraction(n, 9) for n in range(4)]
    assert np.array_equal(frames[3].samples, counts(3))


def test_a_flir_recording_is_counts_at_the_times_of_the_camera(real_data):
    [path] = sorted((real_data / "cameras" / "radiometric" / "raw").glob("*.seq"))
    source, frames = all_of(path, gray=True)
    assert source.facts.counts
    assert len(frames) > 1
    assert all(later.time > before.time for before, later in pairwise(frames))
    assert frames[0].radiometric.constants is not None


def test_telemetry_rows_and_what_is_cropped_are_no_image(tmp_path):
    words = [np.vstack([np.zeros((2, 160), np.uint16), counts(n, (120, 160))]) for n in range(3)]
    path = clip(tmp_path / "lepton.mkv", words, codec="ffv1", pixels="gray16le")
    source, frames = all_of(path, gray=True)
    assert (source.facts.height, source.facts.width) == (120, 160)
    assert np.array_equal(frames[1].samples, counts(1, (120, 160)))
    _, frames = all_of(path, gray=True, sensing=Sensing(crop=(10, 20, 64, 48)))
    assert np.array_equal(frames[1].samples, words[1][20:68, 10:74])


# -------------------------------------------------------------------------------------- bad files


@pytest.mark.parametrize("missing", [4, 700, -40])
def test_a_flir_recording_that_is_cut_gives_its_whole_frames_and_says_so(missing, tmp_path):
    records = [flir_record(thermal_scene(seed=seed)) for seed in range(4)]
    data = b"".join(records)
    path = tmp_path / "cut.seq"
    path.write_bytes(data[:-missing] if missing > 0 else data + records[0][:-missing])
    source, frames = all_of(path, gray=True)
    assert len(frames) == (3 if missing > 0 else 4)
    assert ["cut short" in line for line in source.trouble] == [True]


def test_headless_counts_whose_last_frame_is_cut_say_so(tmp_path):
    path = tmp_path / "a.y16"
    path.write_bytes(b"".join(counts(n).tobytes() for n in range(4))[:-4])
    source, frames = all_of(path, gray=True, sensing=Sensing(raw=(64, 48, "<")))
    assert len(frames) == 3
    assert ["left out" in line for line in source.trouble] == [True]


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_a_file_that_is_cut_short_gives_what_it_has_and_says_so(suffix, tmp_path):
    path = cut_short(clip(tmp_path / f"a{suffix}", (picture(n, (96, 128)) for n in range(60))), 0.5)
    source, frames = all_of(path)
    assert 5 < len(frames) < 55
    if suffix == ".mkv":  # a transport stream does not say how long it is
        assert any("cut short" in line for line in source.trouble)


def test_damaged_packets_in_the_middle_are_left_out_and_told(tmp_path):
    path = clip(tmp_path / "a.mkv", (picture(n, (96, 128)) for n in range(60)), codec="ffv1", pixels="yuv420p")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20000] = bytes(20000)
    path.write_bytes(data)
    source, frames = all_of(path)
    assert 20 < len(frames) <= 60
    assert frames[-1].time == 59 / RATE
    assert len(frames) == 60 or any("missing" in line or "damaged" in line for line in source.trouble)


def test_pictures_that_change_their_size_are_scaled_to_the_first_and_told(tmp_path):
    for name, size in (("a", (48, 64)), ("b", (96, 128))):
        clip(tmp_path / f"{name}.h264", (picture(n, size) for n in range(12)))
    (tmp_path / "both.h264").write_bytes((tmp_path / "a.h264").read_bytes() + (tmp_path / "b.h264").read_bytes())
    source, frames = all_of(tmp_path / "both.h264")
    assert {frame.size for frame in frames} == {(48, 64)}
    assert len(frames) >= 20
    assert sum("128x96" in line for line in source.trouble) == 1


@pytest.mark.parametrize("content", [b"", b"this is no video at all" * 100])
def test_a_file_that_is_no_video_is_one_line(content, tmp_path):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(IrvisError, match=r"a\.mp4") as told:
        open_source(str(tmp_path / "a.mp4"))
    assert "\n" not in str(told.value)


def test_a_file_without_pictures_says_so(tmp_path):
    with av.open(str(tmp_path / "a.mkv"), "w") as file:
        from video_files import add_sound, hum

        hum(file, add_sound(file, "aac"), 0.5)
    with pytest.raises(IrvisError, match="no video stream"):
        open_source(str(tmp_path / "a.mkv"))


def test_a_file_that_is_not_there_and_a_stream_that_is_not_there_are_said(tmp_path):
    with pytest.raises(IrvisError, match="no such file"):
        open_source(str(tmp_path / "none.mp4"))
    with pytest.raises(IrvisError, match="no 3"):
        open_source(str(clip(tmp_path / "a.mp4", map(picture, range(3)))), stream=3)


def test_names_tell_what_moves():
    assert all(map(is_video, ("a.MP4", "b/c.mkv", "frames/%04d.png", "x/%d.tiff")))
    assert not any(map(is_video, ("a.png", "folder", "night/*.png", "100%.jpg")))


def test_frames_of_gray_yuv_are_the_same_as_infrared_and_as_visible(tmp_path):
    path = clip(tmp_path / "a.mp4", map(gray, range(4)), crf="1")
    _, warm = all_of(path, gray=True)
    _, seen = all_of(path)
    assert np.abs(seen[2].samples.astype(int) - warm[2].samples[..., None]).max() <= 2
    assert np.abs(warm[2].samples.astype(int) - gray(2)).mean() < 2
