"""irvis align and what irvis fuse and irvis check make of unregistered pairs, from files to files."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from irvis import io
from irvis.align import rig_file
from irvis.align.warp import laid_over
from irvis.cli import main
from irvis.data.scene import scene
from irvis.thermal import Range
from irvis.types import Meta

pytestmark = pytest.mark.usefixtures("searched_once")
SIZE = (240, 320)
TRUTH = np.array([[1.1, 0.02, -20], [-0.02, 1.1, 8], [0, 0, 1.0]])
"""Registered pixels to warped ones."""


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """vi and ir of two scenes, infrared warped; ok: one of them registered; other: infrared of the other scene."""
    folder = tmp_path_factory.mktemp("pairs")
    for name, number in (("a", 3), ("b", 4)):
        visible, infrared = scene(number, SIZE).tensors()
        warped, seen = laid_over(infrared, np.linalg.inv(TRUTH), SIZE)
        io.write(folder / "vi" / f"{name}.png", visible)
        io.write(folder / "ir" / f"{name}.png", warped * seen)
        io.write(folder / "ir16" / f"{name}.png", (warped * seen * 0.1), Meta(depth=16))
        io.write(folder / "registered" / f"{name}.png", infrared)
    return folder


def run(*words: object) -> int:
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def place(facts: dict) -> float:
    """Mean distance of an estimate from the truth at a few places."""
    points = np.array([[60, 60, 1], [250, 60, 1], [160, 180, 1.0]])
    found, truth = (points @ np.array(matrix).T for matrix in (facts["matrix"], TRUTH))
    return float(np.linalg.norm(found[:, :2] / found[:, 2:] - truth[:, :2], axis=1).mean())


def test_a_pair_is_estimated_and_told(files, capsys):
    assert run("align", files / "vi" / "a.png", files / "ir" / "a.png", "--json") == 0
    (facts,) = json.loads(capsys.readouterr().out)
    assert place(facts) < 2
    assert facts["scale"] == pytest.approx(1 / 1.1, abs=0.02)
    assert facts["confidence"] > 2


def test_a_folder_is_aligned_with_its_counts_and_fused_as_it_is(files, tmp_path, capsys):
    assert run("align", files / "vi", files / "ir16", "-o", tmp_path / "out", "--sheets") == 0
    assert capsys.readouterr().out.count("infrared moves by") == 2
    assert (tmp_path / "out/visible/a.png").read_bytes() == (files / "vi/a.png").read_bytes()
    aligned = io.read_infrared(tmp_path / "out/infrared/a.png", range=Range(0, 65535))
    truth = io.read_infrared(files / "registered/a.png") * 0.1
    valid = io.read_infrared(tmp_path / "out/valid/a.png") > 0.5
    assert float((aligned - truth)[valid].abs().mean()) < 0.004
    assert (tmp_path / "out/sheets/a.jpg").is_file()
    assert run("fuse", tmp_path / "out", "-o", tmp_path / "fused", "-m", "average", "--infrared-range", "0,6554") == 0
    assert len(list((tmp_path / "fused").glob("*.png"))) == 2


def test_what_is_there_is_not_overwritten_unasked_and_skip_resumes(files, tmp_path, capsys):
    words = ("align", files / "vi/a.png", files / "ir/a.png", "-o", tmp_path / "out")
    assert run(*words) == 0
    before = (tmp_path / "out/infrared/a.png").stat().st_mtime_ns
    assert run(*words) == 1
    assert "exists" in capsys.readouterr().err
    assert run(*words, "--if-exists", "skip") == 0
    assert "was there already" in capsys.readouterr().out
    assert (tmp_path / "out/infrared/a.png").stat().st_mtime_ns == before


def test_cropping_leaves_only_what_both_saw(files, tmp_path):
    assert run("align", files / "vi/a.png", files / "ir/a.png", "-o", tmp_path, "--crop-to-overlap") == 0
    visible, infrared = (io.read_infrared(tmp_path / side / "a.png", color="gray") for side in ("visible", "infrared"))
    assert visible.shape == infrared.shape
    assert visible.shape[-1] < SIZE[1]
    assert not (tmp_path / "valid").exists()


def test_pairs_of_unlike_scenes_are_refused_and_the_others_done(files, tmp_path, capsys):
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    (mixed / "a.png").write_bytes((files / "ir/a.png").read_bytes())
    io.write(mixed / "b.png", scene(17, SIZE).tensors()[1].flip(3))
    assert run("align", files / "vi", mixed, "-o", tmp_path / "out") == 1
    told = capsys.readouterr()
    assert "b: no alignment found" in told.out
    assert "1 of 2 pairs were not aligned" in told.err
    assert [path.name for path in (tmp_path / "out/infrared").iterdir()] == ["a.png"]


def test_a_rig_of_many_pairs_is_saved_and_applied(files, tmp_path, capsys):
    rig = tmp_path / "rig.json"
    assert run("align", files / "vi", files / "ir", "--save", rig, "--distance", 12) == 0
    assert "from 2 pairs" in capsys.readouterr().out
    made = rig_file.load(rig)
    assert made.distance == 12
    assert place({"matrix": made.matrix}) < 2
    assert run("fuse", files / "vi", files / "ir", "-o", tmp_path / "fused", "-m", "average", "--rig", rig) == 0
    assert run("align", files / "vi", files / "ir", "-o", tmp_path / "out", "--rig", rig) == 0
    assert capsys.readouterr().out.count("aligned by the rig") == 2
    far = ("fuse", files / "vi", files / "ir", "-o", tmp_path / "far", "-m", "average", "--rig", rig, "--distance", 3)
    assert run(*far) == 1
    assert "12 m" in capsys.readouterr().err


def test_points_make_a_rig(files, tmp_path):
    points = np.array([[30, 40], [280, 50], [60, 200], [250, 190], [160, 120]])
    ends = points @ TRUTH[:2, :2].T + TRUTH[:2, 2]
    (tmp_path / "points.csv").write_text("\n".join(",".join(map(str, row)) for row in np.c_[points, ends]))
    words = ("align", files / "vi/a.png", files / "ir/a.png", "--points", tmp_path / "points.csv")
    assert run(*words, "--save", tmp_path / "rig.json", "--model", "affine") == 0
    assert np.allclose(rig_file.load(tmp_path / "rig.json").matrix, TRUTH, atol=1e-6)


def test_a_matcher_of_the_user_is_asked(files, tmp_path, capsys):
    pytest.importorskip("cv2", reason="needs opencv-python-headless (extra align)")
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "def match(visible, infrared):\n"
        "    there = np.random.default_rng(0).uniform([30, 30], [290, 200], (60, 2))\n"
        f"    matrix = np.array({TRUTH.tolist()})\n"
        "    return there, there @ matrix[:2, :2].T + matrix[:2, 2]\n"
    )
    words = ("align", files / "vi/a.png", files / "ir/a.png", "--matcher", f"{tmp_path / 'mine.py'}:match", "--json")
    assert run(*words) == 0
    assert place(json.loads(capsys.readouterr().out)[0]) < 0.1


def test_fuse_aligns_and_shows_visible_where_infrared_saw_nothing(files, tmp_path):
    words = ("fuse", files / "vi/a.png", files / "ir/a.png", "-m", "infrared", "--align")
    assert run(*words, "-o", tmp_path / "fused.png") == 0
    fused, visible = (io.read_visible(path)[0] for path in (tmp_path / "fused.png", files / "vi/a.png"))
    registered = io.read_infrared(files / "registered/a.png")
    assert fused.shape == visible.shape
    corner = (..., slice(0, 4), slice(0, 8))  # of the visible image, outside what the warped infrared shows
    assert torch.allclose(fused[corner], visible[corner], atol=0.02)
    middle = (..., slice(80, 160), slice(100, 220))
    assert float((fused.mean(1, keepdim=True) - registered)[middle].abs().mean()) < 0.04
    assert run(*words, "-o", tmp_path / "cropped.png", "--crop-to-overlap") == 0
    assert io.read_visible(tmp_path / "cropped.png")[0].shape[-1] < SIZE[1]


def test_fuse_warns_of_registered_pairs_that_look_shifted(files, tmp_path, capsys):
    infrared = io.read_infrared(files / "registered/a.png")
    io.write(tmp_path / "shifted.png", torch.roll(infrared, (9, -14), (2, 3)))
    assert run("fuse", files / "vi/a.png", tmp_path / "shifted.png", "-o", tmp_path / "x.png", "-m", "average") == 0
    assert "looks shifted" in capsys.readouterr().err
    assert run("fuse", files / "vi/a.png", files / "registered/a.png", "-o", tmp_path / "y.png", "-m", "average") == 0
    assert "shifted" not in capsys.readouterr().err


def test_check_finds_shifted_pairs(files, tmp_path, capsys):
    infrared = io.read_infrared(files / "registered/a.png")
    io.write(tmp_path / "ir/a.png", torch.roll(infrared, (9, -14), (2, 3)))
    (tmp_path / "vi").mkdir()
    (tmp_path / "vi/a.png").write_bytes((files / "vi/a.png").read_bytes())
    assert run("check", tmp_path, "--json") == 0
    assert "misaligned" in capsys.readouterr().out


def test_temperatures_go_where_the_picture_goes(files, tmp_path):
    """The warped file holds kelvin × 100: the aligned map shows the registered temperatures."""
    registered = io.read_infrared(files / "registered/a.png")
    warped, seen = laid_over(registered, np.linalg.inv(TRUTH), SIZE)
    io.write(tmp_path / "k.png", (29000 + 2000 * warped) / 65535 * seen, Meta(depth=16))
    words = ("fuse", files / "vi/a.png", tmp_path / "k.png", "-o", tmp_path / "f.png", "-m", "average", "--align")
    assert run(*words, "--infrared-range", "29000,31000", "--kelvin-per-count", "0.01", "--temperature-sidecar") == 0
    import tifffile

    degrees = tifffile.imread(tmp_path / "f.celsius.tiff")
    assert degrees.shape == SIZE
    truth = (29000 + 2000 * registered[0, 0].numpy()) / 100 - 273.15
    assert np.abs(degrees - truth)[60:200, 60:260].mean() < 0.6
    native = tifffile.imread(tmp_path / "f.native.celsius.tiff")
    assert native.shape == SIZE


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--rig", "nowhere.json", "-o", "out"), "nowhere.json"),
        (("--points", "nowhere.csv"), "nowhere.csv"),
        (("--sheets",), "--out"),
        (("--board", "9x6:25"), "--save"),
        (("--rig", "a.json", "--points", "b.csv"), "exclude"),
    ],
)
def test_words_that_do_not_fit_are_one_line(files, capsys, words, problem):
    assert run("align", files / "vi/a.png", files / "ir/a.png", *words) == 1
    told = capsys.readouterr().err
    assert problem in told
    assert told.count("\n") == 1


def test_fuse_refuses_words_of_aligning_without_aligning(files, tmp_path, capsys):
    words = ("fuse", files / "vi/a.png", files / "ir/a.png", "-o", tmp_path / "x.png")
    for extra in (("--crop-to-overlap",), ("--align-model", "shift"), ("--align", "--resize-infrared")):
        assert run(*words, *extra) == 1
        assert "--align" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()


def test_a_rig_applied_to_nothing_or_saved_over_a_picture_is_refused(files, tmp_path, capsys):
    pair = (tmp_path / "a.png", files / "ir/a.png")
    pair[0].write_bytes((files / "vi/a.png").read_bytes())
    assert run("align", *pair, "--rig", "rig.json") == 1
    assert "--out" in capsys.readouterr().err
    assert run("align", *pair, "--save", pair[0]) == 1
    assert ".json" in capsys.readouterr().err
    assert pair[0].read_bytes() == (files / "vi/a.png").read_bytes()


def test_json_stays_json_beside_a_saved_rig_and_a_file_that_cannot_be_read_is_left_out(files, tmp_path, capsys):
    broken = tmp_path / "ir"
    broken.mkdir()
    (broken / "a.png").write_bytes((files / "ir/a.png").read_bytes()[:3000])
    (broken / "b.png").write_bytes((files / "ir/b.png").read_bytes())
    words = ("align", files / "vi", broken, "--save", tmp_path / "rig.json", "--json")
    assert run(*words) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["used"] == ["b"]
    assert "left out: a:" in told.err
    assert run(*words, "-o", tmp_path / "out", "--if-exists", "overwrite") == 1
    assert [bool(one["problem"]) for one in json.loads(capsys.readouterr().out)] == [True, False]


def test_a_rig_is_made_by_the_matcher_that_is_given(files, tmp_path, capsys):
    pytest.importorskip("cv2", reason="needs opencv-python-headless (extra align)")
    (tmp_path / "mine.py").write_text("def match(visible, infrared):\n    raise RuntimeError('was asked')\n")
    (tmp_path / "torn.py").write_text("def match(:\n")
    words = ("align", files / "vi/a.png", files / "ir/a.png", "--save", tmp_path / "rig.json", "--matcher")
    for name, problem in (("mine.py", "was asked"), ("torn.py", "SyntaxError")):
        assert run(*words, f"{tmp_path / name}:match") == 1
        assert problem in capsys.readouterr().err
    assert not (tmp_path / "rig.json").exists()


def test_a_pair_that_was_interrupted_is_done_again(files, tmp_path, monkeypatch):
    """Infrared comes last: where it is, all files of the pair are."""
    words = ("align", files / "vi/a.png", files / "ir/a.png", "-o", tmp_path, "--if-exists", "skip")
    written = io.write

    def torn(path, *rest, **more):
        if path.parent.name == "valid":
            raise KeyboardInterrupt
        written(path, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr("irvis.jobs.aligning.io.write", torn)
        assert run(*words) not in (0, 1)
    assert run(*words) == 0
    assert all((tmp_path / kind / "a.png").is_file() for kind in ("visible", "infrared", "valid"))


def test_a_rig_is_not_overwritten_unasked(files, tmp_path, capsys):
    rig = tmp_path / "rig.json"
    rig.write_text("mine")
    words = ("align", files / "vi/a.png", files / "ir/a.png", "--save", rig)
    assert run(*words) == 1
    assert "exists" in capsys.readouterr().err
    assert rig.read_text() == "mine"
    assert run(*words, "--if-exists", "overwrite") == 0
    assert rig_file.load(rig).used == ("a",)


def test_pixels_without_a_number_are_not_valid_and_stale_files_go(files, tmp_path):
    import tifffile

    warm = io.read_infrared(files / "ir/a.png")[0, 0].numpy() * 50
    warm[100:140, 150:200] = np.nan
    tifffile.imwrite(tmp_path / "a.tiff", warm)
    words = ("align", files / "vi/a.png", tmp_path / "a.tiff", "-o", tmp_path / "out", "--infrared-range", "0,50")
    assert run(*words) == 0
    valid = io.read_infrared(tmp_path / "out/valid/a.png")[0, 0].numpy()
    aligned = tifffile.imread(tmp_path / "out/infrared/a.tiff")
    assert np.isnan(aligned[110, 170])
    assert valid[110, 170] == 0
    assert valid[60, 100] == 1
    assert run(*words, "--if-exists", "overwrite", "--crop-to-overlap") == 0
    assert not (tmp_path / "out/valid/a.png").exists()
