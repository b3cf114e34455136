"""The command line, run as users run it: its words, its files, its exit status."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from irvis.cli import app, main

RANDOM = np.random.default_rng(0)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def irvis(*words: object) -> int:
    """Run the command line in this process; returns the exit status."""
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def picture(path: Path, *shape: int, dtype: type = np.uint8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype=dtype)).save(path)
    return path


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        picture(tmp_path / "vis" / f"{name}.png", 20, 24, 3)
        picture(tmp_path / "ir" / f"{name}.png", 20, 24)
    return tmp_path


def test_a_pair_is_fused_into_the_named_file(folders):
    out = folders / "new" / "fused.png"
    assert irvis("fuse", folders / "vis/a.png", folders / "ir/a.png", "-o", out, "-m", "average") == 0
    assert Image.open(out).size == (24, 20)


def test_two_folders_are_fused_by_stem_and_the_rest_is_listed(folders, capsys):
    picture(folders / "vis" / "alone.png", 20, 24, 3)
    assert (
        irvis("fuse", folders / "vis", folders / "ir", "-o", folders / "out", "-m", "average", "--format", "jpg") == 0
    )
    assert sorted(path.name for path in (folders / "out").iterdir()) == ["a.jpg", "b.jpg", "c.jpg"]
    text = capsys.readouterr()
    assert "alone.png" in text.err
    assert "3 of 3 pairs" in text.out


def test_one_folder_with_both_inside(folders):
    assert irvis("fuse", folders, "-o", folders / "out", "-m", "max") == 0
    assert len(list((folders / "out").glob("*.png"))) == 3


def test_stems_that_differ_are_matched_by_patterns(tmp_path):
    for n in (1, 2):
        picture(tmp_path / "all" / f"{n}_W.png", 9, 9, 3)
        picture(tmp_path / "all" / f"{n}_T.png", 9, 9)
    words = ["fuse", tmp_path / "all", "-o", tmp_path / "out", "-m", "average", "--match", "{id}_W", "{id}_T"]
    assert irvis(*words) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1.png", "2.png"]


def test_quoted_globs(folders):
    words = ["fuse", f"{folders}/vis/*.png", f"{folders}/ir/*.png", "-o", folders / "out", "-m", "average"]
    assert irvis(*words) == 0
    assert len(list((folders / "out").glob("*.png"))) == 3


def test_several_methods_have_a_folder_each(folders):
    assert (
        irvis("fuse", folders / "vis", folders / "ir", "-o", folders / "out", "-m", "average,laplacian:levels=2") == 0
    )
    assert sorted(p.name for p in (folders / "out").iterdir()) == ["average", "laplacian-levels-2"]


def test_existing_files_stop_the_job_before_it_begins(folders, capsys):
    words = ["fuse", folders / "vis", folders / "ir", "-o", folders / "out", "-m", "average"]
    assert irvis(*words) == 0
    before = {path: path.stat().st_mtime_ns for path in (folders / "out").iterdir()}
    assert irvis(*words) == 1
    assert "--if-exists skip" in capsys.readouterr().err
    assert before == {path: path.stat().st_mtime_ns for path in (folders / "out").iterdir()}


def test_skip_resumes_and_only_whole_files_count(folders, capsys):
    words = ["fuse", folders / "vis", folders / "ir", "-o", folders / "out", "-m", "average"]
    assert irvis(*words) == 0
    whole, half, gone = (folders / "out" / f"{name}.png" for name in "abc")
    content, stamp = half.read_bytes(), whole.stat().st_mtime_ns
    half.write_bytes(content[: len(content) // 2])
    gone.unlink()
    assert irvis(*words, "--if-exists", "skip") == 0
    assert half.read_bytes() == content
    assert gone.is_file()
    assert whole.stat().st_mtime_ns == stamp
    assert "1 were there already" in capsys.readouterr().out


def test_a_failure_is_reported_at_the_end_and_the_rest_is_done(folders, capsys):
    (folders / "ir" / "b.png").write_bytes(b"not a picture")
    assert irvis("fuse", folders / "vis", folders / "ir", "-o", folders / "out", "-m", "average") == 1
    assert sorted(path.name for path in (folders / "out").iterdir()) == ["a.png", "c.png"]
    text = capsys.readouterr().err
    assert "failed: b:" in text
    assert "1 of 3 pairs failed" in text


def test_a_lone_pair_that_fails_says_why_in_one_line(folders, capsys):
    (folders / "ir" / "b.png").write_bytes(b"not a picture")
    assert irvis("fuse", folders / "vis/b.png", folders / "ir/b.png", "-o", folders / "o.png", "-m", "average") == 1
    text = capsys.readouterr()
    assert text.out == ""
    assert text.err.startswith("error: ")
    assert "b.png is not an image file" in text.err
    assert text.err.count("\n") == 1


def test_folders_whose_names_say_that_the_sides_are_swapped_are_warned_of(folders, capsys):
    words = ["-m", "average", "--infrared-color", "gray"]
    assert irvis("fuse", folders / "ir", folders / "vis", "-o", folders / "turned", *words) == 0
    assert "swapped?" in capsys.readouterr().err
    assert irvis("fuse", folders / "vis", folders / "ir", "-o", folders / "right", *words) == 0
    assert "swapped" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["fuse", "vis/a.png", "ir/a.png"], "--out is missing"),
        (["fuse"], "VISIBLE is missing"),
        (["fuse", "vis/a.png", "ir/a.png", "-o"], "-o requires an argument"),
        (["fuse", "vis/a.png", "ir/a.png", "-o", "o.png", "--metod", "max"], "Did you mean --method?"),
        (["fuse", "vis/a.png", "ir/a.png", "third.png", "-o", "o.png"], "too many words: third.png"),
        (["fuze", "vis/a.png"], 'Did you mean "fuse"?'),
    ],
)
def test_words_that_no_verb_knows_are_one_line_that_leads_to_examples(words, text, capsys):
    assert irvis(*words) == 2
    told = capsys.readouterr().err.strip()
    assert told.startswith("error: ")
    assert told.endswith(f"irvis {'--help' if words[0] == 'fuze' else 'fuse --help'}")
    assert text in told
    assert "\n" not in told


def test_a_stopped_verb_says_how_it_goes_on(folders, capsys, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("irvis.jobs.fuse_all", stop)
    assert irvis("fuse", folders / "vis", folders / "ir", "-o", folders / "out", "-m", "average") == 130
    assert "irvis fuse … --if-exists skip" in capsys.readouterr().err


def test_an_output_never_replaces_an_input(folders, capsys):
    words = [
        "fuse",
        folders / "vis",
        folders / "ir",
        "-o",
        folders / "vis",
        "-m",
        "average",
        "--if-exists",
        "overwrite",
    ]
    assert irvis(*words) == 1
    assert "is an input" in capsys.readouterr().err


def test_swapped_inputs_draw_a_warning(tmp_path, capsys):
    picture(tmp_path / "v.png", 20, 20)
    picture(tmp_path / "i.png", 20, 20, 3)
    words = ["fuse", tmp_path / "v.png", tmp_path / "i.png", "-o", tmp_path / "o.png", "-m", "average"]
    assert irvis(*words) == 1
    assert "swapped" in capsys.readouterr().err
    assert irvis(*words, "--infrared-color", "gray") == 0
    assert "warning" in capsys.readouterr().err


def test_16_bit_infrared_asks_for_a_range(tmp_path, capsys):
    picture(tmp_path / "v.png", 20, 20, 3)
    picture(tmp_path / "i.png", 20, 20, dtype=np.uint16)
    words = ["fuse", tmp_path / "v.png", tmp_path / "i.png", "-o", tmp_path / "o.png", "-m", "average"]
    assert irvis(*words) == 1
    assert "--infrared-range" in capsys.readouterr().err
    assert irvis(*words, "--infrared-range", "1%,99%") == 0


def test_sizes_that_differ_are_named(tmp_path, capsys):
    picture(tmp_path / "v.png", 20, 30, 3)
    picture(tmp_path / "i.png", 10, 15)
    words = ["fuse", tmp_path / "v.png", tmp_path / "i.png", "-o", tmp_path / "o.png", "-m", "average"]
    assert irvis(*words) == 1
    text = capsys.readouterr().err
    assert "30x20" in text
    assert "15x10" in text
    assert irvis(*words, "--resize-infrared") == 0
    assert Image.open(tmp_path / "o.png").size == (30, 20)


def test_color_gray_writes_one_channel(folders):
    words = ["fuse", folders / "vis/a.png", folders / "ir/a.png", "-o", folders / "o.png", "-m", "average"]
    assert irvis(*words, "--color", "gray") == 0
    assert Image.open(folders / "o.png").mode == "L"


def test_exif_gps_and_profile_of_the_visible_file_are_kept(tmp_path):
    image = Image.fromarray(RANDOM.integers(0, 255, (20, 30, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    exif.get_ifd(0x8825)[1] = "N"
    image.save(tmp_path / "v.jpg", exif=exif, icc_profile=PROFILE)
    picture(tmp_path / "i.png", 30, 20)
    assert irvis("fuse", tmp_path / "v.jpg", tmp_path / "i.png", "-o", tmp_path / "o.jpg", "-m", "average") == 0
    fused = Image.open(tmp_path / "o.jpg")
    assert fused.size == (20, 30)
    assert fused.getexif()[0x010F] == "Camera"
    assert fused.getexif().get(0x0112, 1) == 1
    assert fused.getexif().get_ifd(0x8825)[1] == "N"
    assert fused.info["icc_profile"] == PROFILE


def test_tiles_change_nothing_for_a_local_method(folders):
    words = ["fuse", folders / "vis/a.png", folders / "ir/a.png", "-m", "laplacian:levels=2"]
    assert irvis(*words, "-o", folders / "whole.png") == 0
    assert irvis(*words, "-o", folders / "tiled.png", "--tile", "8") == 0
    whole, tiled = (np.asarray(Image.open(folders / f"{name}.png"), int) for name in ("whole", "tiled"))
    assert abs(whole - tiled).max() <= 1


def test_demo_draws_a_sheet_and_a_fused_file(tmp_path, capsys):
    assert irvis("demo", "-o", tmp_path / "demo", "-m", "average,laplacian") == 0
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {
        "visible.png",
        "infrared.png",
        "fused.png",
        "sheet.png",
    }
    text = capsys.readouterr().out
    assert "sheet.png" in text
    assert " s for 640×480" in text


def test_methods_and_doctor_list_everything(capsys):
    assert irvis("methods", "--json") == 0
    listed = {entry["name"] for entry in json.loads(capsys.readouterr().out)}
    assert {"average", "max", "visible", "infrared", "laplacian", "encdec"} <= listed
    assert irvis("methods") == 0
    assert "encdec" in capsys.readouterr().out
    assert irvis("metrics", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {"default", "vifb", "tang", "cddfuse", "zoo", "pyfusionsr", "liu"} == {p["name"] for p in told["profiles"]}
    assert irvis("metrics") == 0
    assert "Qabf" in capsys.readouterr().out
    assert irvis("doctor") == 0
    text = capsys.readouterr().out
    assert "torch" in text
    assert all(f"extra {name}" in text for name in ("align", "evaluate", "train", "video"))


def test_every_method_has_a_line_of_advice_from_a_page_of_results_and_the_default_is_marked(capsys):
    from irvis import listing

    for entry in listing.methods():
        assert entry["best_for"], entry["name"]
        assert not entry["measured_in"] or (Path(__file__).parents[1] / entry["measured_in"]).is_file()
    assert [entry["name"] for entry in listing.methods() if entry["default"]] == ["encdec"]
    assert irvis("methods") == 0
    assert "encdec (default)" in capsys.readouterr().out


def test_one_method_is_shown_with_all_its_facts(capsys):
    assert irvis("methods", "encdec") == 0
    text = capsys.readouterr().out
    for fact in ("width=", "weights tiny", "sha256", "best for"):
        assert fact in text
    assert irvis("methods", "laplaican") == 1
    assert "Did you mean 'laplacian'?" in capsys.readouterr().err


def test_names_to_type_stay_whole_in_a_narrow_terminal():
    from rich.console import Console

    from irvis import listing

    narrow = Console(width=80, record=True, file=StringIO())
    for table in listing.tables():
        narrow.print(table)
    text = narrow.export_text()
    assert "encdec:synthetic" in text
    assert "maefuse:default" in text
    assert "…" not in text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["fuse", "missing/", "nothing/", "-o", "out"], "missing"),
        (["train", "no-recipe", "-o", "out"], "there is no recipe 'no-recipe'"),
        (["train", "encdec-tiny", "-o", "out"], "--data"),
        (["convert", "missing.pth"], "missing.pth"),
        (["demo", "-m", "nothing"], "there is no method 'nothing'"),
    ],
)
def test_a_wrong_request_is_one_line_and_status_1(words, text, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert irvis(*words) == 1
    lines = capsys.readouterr().err.strip().split("\n")
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert text in lines[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["vis/a.png", "ir/a.png", "-o", "o.gif"], "irvis writes .png"),
        (["vis/a.png", "ir/a.png", "-o", "o.png", "-m", "average,max"], "give a folder"),
        (["vis/a.png", "ir/a.png", "-o", "o.png", "--format", "tiff"], "--format is for folders"),
        (["vis", "ir", "-o", "vis/a.png"], "is a file"),
        (["vis", "ir", "-o", "out", "--tile", "0"], "--tile"),
        (["vis", "ir", "-o", "out", "--quality", "0"], "--quality"),
        (["vis", "ir", "-o", "out", "--infrared-range", ""], "range"),
        (["vis", "ir", "-o", "out", "-m", "average:weight=2"], "weight must be in"),
        (["vis", "ir", "-o", "out", "-m", ""], "there is no method"),
        (["vis", "ir", "-o", "out", "--device", "warp"], "give cpu, cuda, cuda:1 or mps"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(words, text, folders, capsys, monkeypatch):
    monkeypatch.chdir(folders)
    before = sorted(folders.rglob("*"))
    assert irvis("fuse", *(words if "-m" in words else [*words, "-m", "average"])) == 1
    assert text in capsys.readouterr().err
    assert sorted(folders.rglob("*")) == before


def test_globs_without_a_stem_of_their_own_stay_inside_out(tmp_path):
    picture(tmp_path / "g" / "vis.png", 9, 9, 3)
    picture(tmp_path / "g" / "ir.png", 9, 9)
    words = ["fuse", f"{tmp_path}/g/vis*.png", f"{tmp_path}/g/ir*.png", "-o", tmp_path / "out", "-m", "average"]
    assert irvis(*words) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["g.png"]


def test_brackets_in_a_name_are_just_brackets(folders, capsys):
    out = folders / "a[red]x[/red].png"
    assert irvis("fuse", folders / "vis/a.png", folders / "ir/a.png", "-o", out, "-m", "average") == 0
    assert out.is_file()
    assert "a[red]x[/red].png" in capsys.readouterr().out


def test_a_gray_visible_file_gives_a_gray_file_and_a_colour_one_a_colour_file(tmp_path):
    picture(tmp_path / "gray.png", 20, 20)
    Image.new("RGB", (20, 20), (90, 90, 90)).save(tmp_path / "colour.png")
    picture(tmp_path / "i.png", 20, 20)
    for name, mode in (("gray", "L"), ("colour", "RGB")):
        out = tmp_path / f"{name}-fused.png"
        assert irvis("fuse", tmp_path / f"{name}.png", tmp_path / "i.png", "-o", out, "-m", "average") == 0
        assert Image.open(out).mode == mode


def test_every_verb_explains_itself_with_an_example(capsys):
    for verb in ("demo", "fuse", "train", "convert", "metrics", "methods", "doctor"):
        with pytest.raises(SystemExit):
            app([verb, "--help"])
        assert f"irvis {verb}" in capsys.readouterr().out


def test_help_imports_nothing_heavy():
    code = "import sys, irvis.cli; print([m for m in ('torch', 'numpy', 'PIL') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--memory", "plenty"), "no amount of memory"),
        (("--memory", "2GB", "--ray"), "--memory is for this machine"),
        (("--batch", "0"), "--batch is 1 or more"),
    ],
)
def test_how_it_is_computed_is_checked_before_any_file_is_read(tmp_path, capsys, words, problem):
    with pytest.raises(SystemExit):
        main(["fuse", "nowhere/", "nothing/", "-o", str(tmp_path / "out"), *words])
    assert problem in capsys.readouterr().err


def test_weights_for_research_only_are_told_once_in_one_line(folders, capsys):
    words = ("fuse", folders / "vis", folders / "ir", "-o", folders / "out", "--if-exists", "overwrite", "-m")
    assert irvis(*words, "average,encdec:tiny,encdec") == 0
    [note] = [line for line in capsys.readouterr().err.splitlines() if "research" in line]
    assert note.startswith("note: encdec:tiny, encdec: weights for research: the terms of ")
    assert "encdec:synthetic, Apache-2.0" in note
    assert irvis(*words, "encdec:synthetic,laplacian") == 0
    assert "research" not in capsys.readouterr().err
