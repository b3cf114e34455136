"""`irvis fuse` on videos: two files become one, whatever they are, and what is wrong is one clear line."""

import json
import os
import shutil
import signal
import threading
import time
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

av = pytest.importorskip("av", reason="video needs the extra: pip install 'irvis[video]'")

from irvis import api, cli, creation  # noqa: E402
from irvis.align.warp import laid_over  # noqa: E402
from irvis.data.scene import scene  # noqa: E402
from irvis.video.job import Asked, Coding, fuse_video  # noqa: E402
from irvis.video.prefetch import ahead  # noqa: E402
from irvis.video.range_following import Following  # noqa: E402
from irvis.video.source import open_source  # noqa: E402
from irvis.video.writer import PictureWriter  # noqa: E402
from thermal_files import flir_record  # noqa: E402
from thermal_files import scene as thermal_scene  # noqa: E402
from video_files import RATE, clip, counts, cut_short, decoded, gray, picture  # noqa: E402


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder with two videos of one second."""
    folder = tmp_path_factory.mktemp("clips")
    clip(folder / "visible.mp4", map(picture, range(30)))
    clip(folder / "thermal.mp4", map(gray, range(30)))
    return folder


@pytest.fixture
def run(clips, tmp_path, monkeypatch, capsys):
    """The command line in a folder with the two videos: exit status, output and messages."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(clips, tmp_path, dirs_exist_ok=True)

    def command(*words):
        capsys.readouterr()
        try:
            cli.main(["fuse", *map(str, words)])
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return command


AVERAGE = ("-m", "average", "--no-steady")


def test_two_videos_become_one_at_the_same_times(run, tmp_path):
    status, out, err = run("visible.mp4", "thermal.mp4", "-o", "fused.mp4", *AVERAGE, "--crf", "1")
    assert (status, err) == (0, "")
    assert "30 frames" in out
    back = decoded(tmp_path / "fused.mp4")
    assert [time for time, _ in back] == pytest.approx([float(n / RATE) for n in range(30)], abs=1e-6)
    seen, warm = (decoded(tmp_path / name)[10][1] / 255 for name in ("visible.mp4", "thermal.mp4"))
    luma = back[10][1] @ np.array([0.299, 0.587, 0.114]) / 255
    expected = (seen @ np.array([0.299, 0.587, 0.114]) + warm[..., 0]) / 2
    assert np.abs(luma - expected).mean() < 0.01


def test_frames_are_those_that_image_files_would_give(tmp_path):
    """The whole way through a video is the way of pictures, but for coding."""
    for kind, make in (("visible", picture), ("infrared", gray)):
        (tmp_path / kind).mkdir()
        for n in range(4):
            Image.fromarray(make(n)).save(tmp_path / kind / f"{n}.png")
    asked = Asked(visible=str(tmp_path / "visible"), infrared=str(tmp_path / "infrared"))
    coding = Coding(out=tmp_path / "out.mkv", codec="ffv1", hold=False)
    fuse_video(asked, {"laplacian": creation.fuser("laplacian")}, coding)
    for n, (_, found) in enumerate(decoded(tmp_path / "out.mkv")):
        whole = np.asarray(
            api.fuse(tmp_path / "visible" / f"{n}.png", tmp_path / "infrared" / f"{n}.png", "laplacian"), int
        )
        assert np.abs(found.astype(int) - whole).max() <= 1


def test_infrared_of_sixteen_bits_and_another_rate_is_taken(run, tmp_path):
    clip(tmp_path / "y16.mkv", map(counts, range(9)), rate=9, codec="ffv1", pixels="gray16le")
    status, out, err = run("visible.mp4", "y16.mkv", "-o", "fused.mkv", *AVERAGE)
    assert (status, err) == (0, "")
    assert "30 frames" in out


def test_one_file_may_hold_both_streams(run, tmp_path):
    with av.open(str(tmp_path / "both.mkv"), "w") as file:
        streams = []
        for codec, pixels in (("ffv1", "gray16le"), ("libx264", "yuv420p")):
            stream = file.add_stream(codec, rate=25)
            stream.height, stream.width, stream.pix_fmt = 48, 64, pixels
            streams.append(stream)
        for n in range(10):
            for stream, one, kind in ((streams[0], counts(n), "gray16le"), (streams[1], picture(n), "rgb24")):
                frame = av.VideoFrame.from_ndarray(one, kind)
                frame.pts, frame.time_base = n, Fraction(1, 25)
                file.mux(stream.encode(frame))
        for stream in streams:
            file.mux(stream.encode(None))
    status, out, _ = run("both.mkv", "-o", "fused.mp4", *AVERAGE)
    assert status == 0
    assert "10 frames" in out
    colours = decoded(tmp_path / "fused.mp4")[5][1].astype(int)
    assert np.ptp(colours, axis=2).max() > 10  # counts were not taken for the visible side
    assert run("visible.mp4", "-o", "x.mp4", *AVERAGE)[0] == 1


def test_folders_and_counted_images_become_a_video(run, tmp_path):
    for kind, make in (("vi", picture), ("ir", gray)):
        (tmp_path / "pairs" / kind).mkdir(parents=True)
        for n in range(6):
            Image.fromarray(make(n)).save(tmp_path / "pairs" / kind / f"{n:03d}.png")
    for words in (("pairs",), ("pairs/vi", "pairs/ir"), ("pairs/vi/%03d.png", "pairs/ir/*.png")):
        status, _, err = run(*words, "-o", "fused.mp4", *AVERAGE, "--fps", "10", "--if-exists", "overwrite")
        assert (status, err) == (0, "")
        assert decoded(tmp_path / "fused.mp4")[-1][0] == pytest.approx(0.5)
    (tmp_path / "pairs" / "vi" / "002.png").unlink()
    run("pairs/vi", "pairs/ir", "-o", "hole.mp4", *AVERAGE, "--fps", "10")
    assert [round(time, 3) for time, _ in decoded(tmp_path / "hole.mp4")] == [0, 0.1, 0.3, 0.4, 0.5]


def test_the_offset_is_found_by_what_moves(run, tmp_path):
    """A thing that goes to and fro, never twice alike; infrared was started 1.2 s later."""

    def at(time, warm):
        rows, columns = np.mgrid[:48, :64]
        place = 32 + 5 * sum(np.sin(time * speed + speed**2) for speed in (0.7, 1.3, 2.9, 3.7))
        inside = (columns - place) ** 2 + (rows - 24) ** 2 < 60
        return np.where(inside, 230 if warm else 30, 100 + 0 * rows).astype(np.uint8)

    clip(tmp_path / "v.mp4", (at(n / 15, False) for n in range(240)), rate=15, preset="veryfast")
    clip(tmp_path / "i.mp4", (at(n / 15 + 1.2, True) for n in range(240)), rate=15, preset="veryfast")
    status, _, err = run("v.mp4", "i.mp4", "-o", "f.mp4", *AVERAGE, "--sync", "auto", "--duration", "2")
    assert status == 0
    assert float(err.split("moved by ")[1].split(" s")[0]) == pytest.approx(1.2, abs=0.05)
    status, _, err = run("visible.mp4", "thermal.mp4", "-o", "g.mp4", *AVERAGE, "--sync", "auto")
    assert status == 1
    assert "--offset" in err


def test_a_name_with_a_colon_is_no_protocol(run, tmp_path):
    (tmp_path / "visible.mp4").rename(tmp_path / "12:30.mp4")
    assert run("12:30.mp4", "thermal.mp4", "-o", "12:30 fused.mp4", *AVERAGE)[0] == 0


def test_several_methods_give_several_files_and_a_folder_gets_pictures(run, tmp_path):
    assert run("visible.mp4", "thermal.mp4", "-o", "fused.mp4", "-m", "average,max")[0] == 0
    assert {path.name for path in tmp_path.glob("fused*")} == {"fused-average.mp4", "fused-max.mp4"}
    assert run("visible.mp4", "thermal.mp4", "-o", "out", "-m", "max", "--duration", "0.2")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir())[:2] == ["000001.png", "000002.png"]


def test_a_part_of_a_video_begins_at_zero(run, tmp_path):
    assert run("visible.mp4", "thermal.mp4", "-o", "f.mp4", *AVERAGE, "--start", "0.5", "--duration", "0:00.2")[0] == 0
    back = decoded(tmp_path / "f.mp4")
    assert back[0][0] == 0
    assert len(back) == 6
    whole = [one for time, one in decoded(tmp_path / "visible.mp4") if time >= 0.5]
    assert np.abs(np.diff([back[0][1].mean(), whole[0].mean()])) < 30


def test_another_rate_is_what_it_says(run, tmp_path):
    assert run("visible.mp4", "thermal.mp4", "-o", "f.mp4", *AVERAGE, "--fps", "10")[0] == 0
    times = [time for time, _ in decoded(tmp_path / "f.mp4")]
    assert times == pytest.approx([n / 10 for n in range(11)], abs=1e-4)  # the last frame is seen until 1.001 s


def test_sound_of_visible_is_copied_unless_it_is_not_wanted(run, tmp_path):
    clip(tmp_path / "loud.mp4", map(picture, range(30)), sound="aac")
    for words, streams in (((), 1), (("--no-audio",), 0)):
        assert run("loud.mp4", "thermal.mp4", "-o", "f.mp4", *AVERAGE, *words, "--if-exists", "overwrite")[0] == 0
        with av.open(str(tmp_path / "f.mp4")) as file:
            assert len(file.streams.audio) == streams


def test_nothing_is_overwritten_unasked(run, tmp_path):
    (tmp_path / "fused.mp4").write_bytes(b"mine")
    status, _, err = run("visible.mp4", "thermal.mp4", "-o", "fused.mp4", *AVERAGE)
    assert status == 1
    assert "--if-exists" in err
    status, _, err = run("visible.mp4", "thermal.mp4", "-o", "fused.mp4", *AVERAGE, "--if-exists", "skip")
    assert status == 1
    assert "fused.mp4 does not say what made it" in err
    assert (tmp_path / "fused.mp4").read_bytes() == b"mine"
    status, _, err = run("visible.mp4", "thermal.mp4", "-o", "visible.mp4", "--if-exists", "overwrite")
    assert status == 1
    assert "is an input" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("visible.mp4", "none.mp4"), "none.mp4: no such file"),
        (("visible.mp4", "thermal.mp4", "--codec", "nothing"), "no codec"),
        (("visible.mp4", "thermal.mp4", "--match", "{id}a", "{id}b"), "--match"),
        (("visible.mp4", "thermal.mp4", "--frame", "3"), "--frame"),
        (("visible.mp4", "thermal.mp4", "--memory", "2GB"), "--memory"),
        (("visible.mp4", "thermal.mp4", "--fps", "fast"), "--fps"),
        (("visible.mp4", "thermal.mp4", "--start", "a:b"), "--start"),
        (("visible.mp4", "thermal.mp4", "--start", "30"), "--start 30 leaves nothing: visible is 1.00 s"),
        (("visible.mp4", "thermal.mp4", "--offset", "99"), "no moment was fused"),
        (("visible.mp4", "thermal.mp4", "--sync", "auto", "--offset", "1"), "--offset"),
        (("visible.mp4", "thermal.mp4", "--range-seconds", "2", "--range-per", "sequence"), "--range-seconds"),
        (("visible.mp4", "thermal.mp4", "--align", "--align-flow"), "align-flow"),
        (("visible.mp4", "thermal.mp4", "--hottest", "1"), "no calibration"),
        (("visible.mp4", "thermal.mp4", "--infrared-stream", "4"), "no 4"),
        (("visible.mp4", "thermal.mp4", "--crf", "99"), "--crf of libx264 is 0 to 51"),
        (("visible.mp4", "thermal.mp4", "--codec", "mjpeg"), "mjpeg cannot code 64x48"),
    ],
)
def test_what_cannot_be_done_is_one_line(words, told, run, tmp_path):
    status, _, err = run(*words, "-o", "x.mp4", *(("-m", "average") if "--hottest" not in words else ()))
    assert status == 1
    assert told in err
    assert err.count("\n") <= 3
    assert not list(tmp_path.glob("x*"))


def test_words_of_videos_are_refused_for_pictures(run, tmp_path):
    for name, make in (("v.png", picture), ("i.png", gray)):
        Image.fromarray(make(0)).save(tmp_path / name)
    status, _, err = run("v.png", "i.png", "-o", "f.png", "--codec", "h264")
    assert status == 1
    assert "--codec is for videos" in err


def test_what_of_infrared_comes_after_visible_is_told(run, tmp_path):
    clip(tmp_path / "long.mp4", map(gray, range(90)))
    status, _, err = run("visible.mp4", "long.mp4", "-o", "f.mp4", *AVERAGE)
    assert status == 0
    assert "visible ends first: 2.0 s" in err
    assert "ends first" not in run("visible.mp4", "long.mp4", "-o", "g.mp4", "--duration", "0.5", *AVERAGE)[2]


@pytest.mark.parametrize("out", ["f.mp4", "f.mkv", "f.mov", "f"])
def test_a_video_is_kept_only_as_it_would_be_made_now(out, run, tmp_path):
    words = ("visible.mp4", "thermal.mp4", "-o", out, "--if-exists", "skip", "--duration", "0.1", "--no-steady")
    assert run(*words, "-m", "average")[0] == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert "there already" in run(*words, "-m", "average")[1]
    for other, told in (
        (("-m", "max"), "was made by average, not by max"),
        (("-m", "average", "--color", "gray"), "was made with other coding"),
        (("-m", "average", "--offset", "1"), "was made with other streams"),
    ):
        status, _, err = run(*words, *other)
        assert (status, err.count("\n")) == (1, 1)
        assert f"{out} {told}" in err
    clip(tmp_path / "thermal.mp4", map(gray, range(20)))
    assert "was made of other files" in run(*words, "-m", "average")[2]
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert {path: stamp for path, stamp in after.items() if path.name != "thermal.mp4"}.items() <= before.items()


def interrupted(folder):
    with PictureWriter(folder) as writer:
        writer.write(picture(0), Fraction(0))
        raise KeyboardInterrupt


def test_a_folder_that_was_interrupted_is_not_there_already(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "f")
    words = ("visible.mp4", "thermal.mp4", "-o", "f", "--duration", "0.3", "--if-exists", "skip", *AVERAGE)
    assert "9 frames" in run(*words)[1]
    assert [path.name for path in (tmp_path / "f").glob("*.csv")] == ["times.csv"]
    assert "there already" in run(*words)[1]


def test_damage_is_told_once_however_often_a_stream_is_read(run, tmp_path):
    cut_short(clip(tmp_path / "i.mkv", map(counts, range(60)), codec="ffv1", pixels="gray16le"), 0.5)
    clip(tmp_path / "v.mp4", map(picture, range(60)))
    status, _, err = run("v.mp4", "i.mkv", "-o", "g.mp4", "--range-per", "sequence", *AVERAGE)
    assert (status, err.count("cut short")) == (1, 1)


def test_every_freeze_of_infrared_is_told(run, tmp_path):
    frames = [gray(8 if 8 <= n < 16 else 24 if 24 <= n < 30 else n) for n in range(40)]
    clip(tmp_path / "i.mkv", frames, codec="ffv1", pixels="gray")
    clip(tmp_path / "v.mp4", map(picture, range(40)))
    _, _, err = run("v.mp4", "i.mkv", "-o", "f.mp4", *AVERAGE)
    assert err.count("frozen") == 2


def test_eight_bits_have_no_range_that_jumps(run, tmp_path):
    """They are taken as they are: one line where a camera's gain moves them, none where that is undone."""
    frames = [gray(n) // 3 if 8 <= n < 16 else gray(n) for n in range(24)]
    clip(tmp_path / "i.mkv", frames, codec="ffv1", pixels="gray")
    _, _, err = run("visible.mp4", "i.mkv", "-o", "f.mp4", *AVERAGE)
    assert "the range" not in err
    assert "jumps at 0.27 s and 1 more time(s): 8 bits are taken as they are; --level-infrared undoes it" in err
    _, _, err = run("visible.mp4", "i.mkv", "-o", "g.mp4", "--level-infrared", *AVERAGE)
    assert "jump" not in err


def test_a_picture_whose_name_looks_counted_is_a_picture(run, tmp_path):
    for name, made in (("50%done.png", picture), ("i[1].png", gray)):
        Image.fromarray(made(0)).save(tmp_path / name)
    assert run("50%done.png", "i[1].png", "-o", "f.png", "-m", "average")[0] == 0
    assert run("50%done.png", "i[1].png", "-o", "f.mp4", *AVERAGE)[0] == 0


def test_an_output_below_a_file_is_one_line(run, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = run("visible.mp4", "thermal.mp4", "-o", "file/f.mp4", *AVERAGE)
    assert status == 1
    assert "cannot be written" in err
    assert err.count("\n") == 1


def test_what_is_hotter_than_a_sidecar_can_say_is_told(run, tmp_path):
    clip(tmp_path / "k.mkv", (counts(n, level=5000) for n in range(4)), codec="ffv1", pixels="gray16le")
    clip(tmp_path / "v.mp4", map(picture, range(4)))
    words = "--temperature-sidecar", "--kelvin-per-count", "0.1", "--infrared-range", "0C,700C"
    status, _, err = run("v.mp4", "k.mkv", "-o", "f.mp4", *words, *AVERAGE)
    assert (status, "ends at 382.2" in err) == (0, True), err


def test_infrared_of_another_size_needs_a_word(run, tmp_path):
    clip(tmp_path / "small.mp4", (gray(n, (24, 32)) for n in range(30)))
    status, _, err = run("visible.mp4", "small.mp4", "-o", "f.mp4", *AVERAGE)
    assert status == 1
    assert "--resize-infrared" in err
    assert run("visible.mp4", "small.mp4", "-o", "f.mp4", *AVERAGE, "--resize-infrared")[0] == 0


def test_streams_that_are_cut_short_are_fused_as_far_as_they_go_and_the_exit_says_so(run, tmp_path):
    clip(tmp_path / "long.mkv", (gray(n) for n in range(60)), codec="ffv1", pixels="gray")
    cut_short(tmp_path / "long.mkv", 0.3)
    status, out, err = run("visible.mp4", "long.mkv", "-o", "f.mp4", *AVERAGE)
    assert status == 1
    assert "cut short" in err
    frames = len(decoded(tmp_path / "f.mp4"))
    assert 5 < frames < 30
    assert f"{frames} frames" in out


def test_a_thermal_recording_that_is_cut_is_fused_as_far_as_it_goes_and_the_exit_says_so(run, tmp_path):
    data = b"".join(flir_record(thermal_scene(48, 64, seed)) for seed in range(6))
    (tmp_path / "cut.seq").write_bytes(data[:-4])
    status, _, err = run("visible.mp4", "cut.seq", "-o", "f.mp4", *AVERAGE, "--fps", "30")
    assert status == 1
    assert "frame 5 is cut short" in err
    assert len(decoded(tmp_path / "f.mp4")) == 5


# ------------------------------------------------------------------------------------- alignment


LENSES = np.array([[0.9, 0, 22], [0, 0.9, -7], [0, 0, 1.0]])


@pytest.fixture(scope="module")
def two_lenses(tmp_path_factory):
    """A still scene that two cameras see with different lenses, with noise."""
    folder = tmp_path_factory.mktemp("lenses")
    seen, warm = scene(3, (240, 320)).tensors()
    over, valid = laid_over(warm, LENSES, (240, 320))
    random = np.random.default_rng(0)

    def frames(image):
        whole = image[0].permute(1, 2, 0).numpy() * 255
        whole = whole if whole.shape[2] == 3 else whole[..., 0]
        return [np.clip(whole + random.normal(0, 2, whole.shape), 0, 255).astype(np.uint8) for _ in range(3)]

    clip(folder / "visible.mp4", frames(seen), crf="8")
    clip(folder / "thermal.mkv", frames(over * valid), codec="ffv1", pixels="gray")
    return folder


def test_infrared_of_another_lens_is_aligned_by_several_moments(run, two_lenses, tmp_path):
    words = two_lenses / "visible.mp4", two_lenses / "thermal.mkv", "-m", "infrared", "--no-steady", "--align"
    status, _, err = run(*words, "-o", "f.mkv", "--codec", "ffv1")
    assert status == 0
    assert "aligned by" in err
    _, warm = scene(3, (240, 320)).tensors()
    fused = decoded(tmp_path / "f.mkv")[1][1] @ np.array([0.299, 0.587, 0.114]) / 255
    middle = np.s_[60:180, 80:240]
    truth = warm[0, 0].numpy()[middle]
    assert np.corrcoef(fused[middle].ravel(), truth.ravel())[0, 1] > 0.95


def test_a_rig_is_applied_to_every_frame(run, two_lenses, tmp_path):
    from irvis.align import Rig, rig_file

    rig = Rig(
        visible=(240, 320), infrared=(240, 320), matrix=np.linalg.inv(LENSES), distance=None, residual=None,
        model="similarity", used=("a",), made="2025-01-01",
    )  # fmt: skip
    rig_file.save(rig, tmp_path / "rig.json")
    words = two_lenses / "visible.mp4", two_lenses / "thermal.mkv", "-m", "infrared", "--no-steady"
    assert run(*words, "--rig", "rig.json", "-o", "f.mkv", "--codec", "ffv1")[0] == 0
    _, warm = scene(3, (240, 320)).tensors()
    fused = decoded(tmp_path / "f.mkv")[1][1] @ np.array([0.299, 0.587, 0.114]) / 255
    middle = np.s_[60:180, 80:240]
    assert np.corrcoef(fused[middle].ravel(), warm[0, 0].numpy()[middle].ravel())[0, 1] > 0.97
    assert run(*words, "--rig", "rig.json", "-o", "c.mkv", "--crop-to-overlap")[0] == 0
    assert decoded(tmp_path / "c.mkv")[0][1].shape < (240, 320, 3)


# ---------------------------------------------------------------------------------- temperatures


@pytest.fixture
def kelvin(tmp_path):
    """Hundredths of a kelvin: 20 to 40 °C."""
    frames = [np.round((gray(n, (144, 192)) / 255 * 20 + 20 + 273.15) * 100).astype(np.uint16) for n in range(6)]
    clip(tmp_path / "kelvin.mkv", frames, rate=6, codec="ffv1", pixels="gray16le")
    clip(tmp_path / "large.mp4", (picture(n, (144, 192)) for n in range(6)), rate=6)
    return frames


WARM = ("large.mp4", "kelvin.mkv", "-m", "average", "--kelvin-per-count", "0.01")


def test_temperatures_are_written_as_counts_that_read_back(run, kelvin, tmp_path):
    status, _, err = run(*WARM, "-o", "f.mp4", "--temperature-sidecar")
    assert (status, err) == (0, "")
    for name in ("f.celsius.mkv", "f.native.celsius.mkv"):
        with open_source(str(tmp_path / name), gray=True) as source:
            frames = list(source.frames())
        assert [frame.time for frame in frames] == [Fraction(n, 6) for n in range(6)]
        assert all(np.array_equal(frame.samples, one) for frame, one in zip(frames, kelvin, strict=True))
        with av.open(str(tmp_path / name)) as file:
            about = {key.upper(): text for key, text in file.metadata.items()}
            assert json.loads(about["COMMENT"])["unit"] == "kelvin"
            assert json.loads(about["COMMENT"])["per_count"] == 0.01


def test_spots_and_the_hottest_are_told_over_the_whole_video(run, kelvin):
    status, out, _ = run(*WARM, "-o", "f.mp4", "--spot", "150,130", "--hottest", "1", "--infrared-range", "20C,40C")
    assert status == 0
    warmest = max(float(one.max()) for one in kelvin) / 100 - 273.15
    assert "hottest" in out
    assert f"{warmest:.1f} °C" in out
    assert "spot 150,130: " in out


@pytest.mark.parametrize("words", [("--palette", "ironbow"), ("--msx",)])
def test_palettes_colour_a_video(words, run, kelvin, tmp_path):
    assert run(*WARM[:2], *WARM[4:], "-o", "f.mp4", *words)[0] == 0
    frame = decoded(tmp_path / "f.mp4")[3][1].astype(int)
    assert np.ptp(frame, axis=2).mean() > 20


# ------------------------------------------------------------------------------------- interrupts


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Two videos of thirty seconds."""
    folder = tmp_path_factory.mktemp("long")
    for name, make in (("v.mp4", picture), ("i.mp4", gray)):
        clip(folder / name, [make(n) for n in range(20)] * 45, preset="ultrafast")
    return folder


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_what_was_fused_as_a_part_that_plays(how, run, long, tmp_path):
    def interrupt():
        while not list(tmp_path.glob(".f.*")):
            time.sleep(0.005)
        time.sleep(0.1)
        os.kill(os.getpid(), how)

    waiting = threading.Thread(target=interrupt, daemon=True)
    waiting.start()
    status, _, err = run(long / "v.mp4", long / "i.mp4", "-o", "f.mp4", *AVERAGE)
    assert status == 128 + how, err
    assert "f.part.mp4" in err
    assert {path.name for path in tmp_path.glob("*f.*")} == {"f.part.mp4"}
    assert 1 <= len(decoded(tmp_path / "f.part.mp4")) < 900


def test_what_a_killed_video_job_left_is_gone_once_the_job_was_done_again(run, tmp_path):
    left = tmp_path / "left"

    def killed(done, total):
        if done == 5 and not left.exists():
            shutil.copytree(tmp_path, left)  # what lies there when the power goes

    asked = Asked(visible=str(tmp_path / "visible.mp4"), infrared=str(tmp_path / "thermal.mp4"))
    fuse_video(asked, {"average": creation.fuser("average")}, Coding(out=tmp_path / "f.mp4"), show=killed)
    assert [path.name for path in left.glob(".*")], "nothing was left to be removed"
    assert not (left / "f.mp4").exists()
    words = (left / "visible.mp4", left / "thermal.mp4", "-o", left / "f.mp4", *AVERAGE, "--if-exists", "skip")
    assert "30 frames" in run(*words)[1]
    assert {path.name for path in left.iterdir()} == {"visible.mp4", "thermal.mp4", "f.mp4"}
    assert len(decoded(left / "f.mp4")) == 30


def test_a_video_fused_twice_by_a_network_is_the_same_to_the_bit(run, tmp_path):
    for out in ("a.mp4", "b.mp4"):
        assert run("visible.mp4", "thermal.mp4", "-o", out, "-m", "encdec:tiny")[0] == 0
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_thread_that_runs_ahead_keeps_the_order_tells_errors_and_ends():
    closed = []

    def numbers(count, error=None):
        try:
            yield from range(count)
            if error is not None:
                raise error
        finally:
            closed.append(True)

    assert list(ahead(numbers(20), 3)) == list(range(20))
    with pytest.raises(KeyError):
        list(ahead(numbers(2, KeyError("x"))))
    running = ahead(numbers(10**9), 2)
    assert [next(running), next(running)] == [0, 1]
    running.close()
    assert len(closed) == 3


def test_little_is_in_memory_however_long_the_video(tmp_path):
    """Frames that wait are bounded by count: nothing is decoded far ahead of what is written."""
    clip(tmp_path / "v.mp4", map(picture, range(120)))
    clip(tmp_path / "i.mp4", map(gray, range(120)))
    from irvis.video import run

    real = run.image_of
    seen = []

    def watched(frame, device="cpu"):
        seen.append(frame.time)
        return real(frame, device)

    run.image_of = watched
    try:
        waiting = []
        fuse_video(
            Asked(visible=str(tmp_path / "v.mp4"), infrared=str(tmp_path / "i.mp4"), following=Following()),
            {"average": creation.fuser("average")},
            Coding(out=tmp_path / "f.mp4", hold=False),
            show=lambda done, total: waiting.append(len(seen) - done),
        )
    finally:
        run.image_of = real
    assert max(waiting) <= 2 * run.AHEAD + 6
