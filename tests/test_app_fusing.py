"""The web page without a server: what comes out is what the command line writes, and what it tells of it."""

import re
import shutil
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

import thermal_files
from browser import kelvin, pair, shifted, typed, videos
from irvis import io
from irvis.align import aligner
from irvis.metrics import METRICS, measure

pytest.importorskip("gradio", reason="the page needs the extra: pip install 'irvis[app]'")

from app_actions import SETTINGS, refusal, run
from irvis.app import examples, scores, viewer
from irvis.app import messages as telling
from irvis.app.actions import Actions
from irvis.app.sessions import Rooms


@pytest.fixture
def root(tmp_path):
    """Where uploads lie."""
    folder = (tmp_path / "root").resolve()
    (folder / "sent").mkdir(parents=True)
    return folder


@pytest.fixture
def actions(root):
    return Actions(settings=SETTINGS, root=root, rooms=Rooms(root, 30))


def zipped(folder, *seeds):
    """An archive of pairs in two folders."""
    archive = folder / "pairs.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for seed in seeds:
            (folder / str(seed)).mkdir()
            for path, side in zip(pair(folder / str(seed), seed), ("vi", "ir"), strict=True):
                packed.write(path, f"{side}/{seed}.png")
    return archive


def flir(folder):
    """A radiometric JPEG with its photo."""
    photo = thermal_files.jpeg([], (64, 48))
    extra = [(0x0E, thermal_files.photo_block(photo)), (0x2A, thermal_files.alignment_block(1.0, 0, 0))]
    record = thermal_files.flir_record(thermal_files.scene(), extra=extra)
    path = folder / "FLIR0001.jpg"
    path.write_bytes(thermal_files.jpeg(thermal_files.flir_segments(record)))
    return path, None


def same(one, other):
    """Byte for byte; of videos, whose encoder does not say the same twice, time for time and nearly pixel for pixel."""
    if one.suffix != ".mp4":
        return one.read_bytes() == other.read_bytes()
    import video_files

    pairs = zip(video_files.decoded(one), video_files.decoded(other), strict=True)
    return all(a == b and np.abs(x.astype(int) - y).mean() < 3 for (a, x), (b, y) in pairs)


CASES = {
    "plain": (pair, {}),
    "network, two methods, jpg": (pair, {"method": "encdec:tiny", "compare": ["max"], "format": "jpg", "quality": 80}),
    "options": (pair, {"method": "laplacian", "options": "levels=2", "gray": True, "format": "tiff"}),
    "sixteen bits without a range": (kelvin, {}),
    "degrees that are only shown": (kelvin, {"kelvin_per_count": 0.01}),
    "degrees": (kelvin, {"kelvin_per_count": 0.01, "palette": "dusk", "hottest": 2, "infrared_range": "10C,30C"}),
    "edges and maps": (kelvin, {"kelvin_per_count": 0.01, "msx": True, "maps": True}),
    "black-hot, equalised": (pair, {"polarity": "black-hot", "infrared_range": "equalised"}),
    "aligned": (shifted, {"alignment": "align", "crop": True, "compare": ["max"]}),
    "one radiometric file": (flir, {"palette": "ironbow", "emissivity": 0.9}),
    "stretched": (lambda folder: (pair(folder)[0], smaller(folder)), {"alignment": "stretch"}),
    "videos": (videos, {"method": "average", "compare": ["max"]}),
    "a ZIP": (lambda folder: (zipped(folder, 3, 4), None), {"format": "webp", "compare": ["max"]}),
}


def smaller(folder):
    with Image.open(folder / "infrared.png") as whole:
        whole.resize((80, 60)).save(folder / "small.png")
    return folder / "small.png"


# ---------------------------------------------------------------------- the same as the command line


@pytest.mark.parametrize("case", CASES)
def test_a_file_of_the_page_equals_that_of_the_command_it_shows(case, actions, root, tmp_path, monkeypatch):
    files, sent = CASES[case]
    monkeypatch.setattr(aligner, "estimate", lambda *pair: None)  # the search itself is slow, and told of elsewhere
    monkeypatch.setattr(aligner, "trusted", lambda found: np.array([[1.0, 0, 10], [0, 1, 6], [0, 0, 1]]))
    fused = run(actions, *files(root / "sent"), **sent)
    place = tmp_path / "typed"
    place.mkdir()
    for side in ("visible", "infrared", "pairs"):
        if (fused.folder / side).is_dir():
            shutil.copytree(fused.folder / side, place / side)
    sources = {path for path in place.rglob("*") if path.is_file()}
    for line in fused.commands:
        typed(line, place, monkeypatch)
    made = {path for path in place.rglob("*") if path.is_file()} - sources
    assert len(made) >= len(fused.commands)
    for path in made:
        assert same(path, fused.folder / path.relative_to(place))


def test_a_zip_comes_back_as_a_zip_of_all_fused_files(actions, root):
    fused = run(actions, zipped(root / "sent", 3, 4), compare=["max"])
    with zipfile.ZipFile(fused.downloads[0]) as packed:
        assert packed.namelist() == [f"fused/{method}/{n}.png" for method in ("average", "max") for n in (3, 4)]
        assert packed.read("fused/max/3.png") == fused.files["3"]["max"].read_bytes()


def test_a_bad_pair_of_a_zip_does_not_stop_the_others(actions, root):
    archive = zipped(root / "sent", 3, 4)
    damaged = root / "sent" / "damaged.zip"
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(damaged, "w") as packed:
        for name in whole.namelist():
            data = whole.read(name)
            packed.writestr(name, data[: len(data) // 2] if name == "ir/3.png" else data)
    fused = run(actions, damaged)
    assert list(fused.files["4"]) == ["average"]
    assert not fused.files["3"]
    assert fused.number == 1
    assert any(note.startswith("3:") for note in fused.notes)


# ---------------------------------------------------------------------------------- what looks wrong


def test_a_shifted_pair_is_told_of(actions, root):
    files = shifted(root / "sent")
    before = run(actions, *files)
    assert before.shift is not None
    assert np.hypot(before.shift[0] - 10, before.shift[1] + 6) < 3
    assert "should move" in telling.told(before, "320×240")


def test_sizes_that_differ_are_refused_with_the_button_that_helps(actions, root):
    visible, _ = pair(root / "sent")
    text = refusal(actions, visible, smaller(root / "sent"))
    assert "Align and fuse" in text
    assert "--" not in text


def test_swapped_files_are_refused_with_the_button_that_swaps_them(actions, root):
    visible, _ = pair(root / "sent")
    gray, coloured = root / "sent" / "gray.png", root / "sent" / "coloured.png"
    shape = np.linspace(0, 255, 160 * 120).reshape(120, 160).astype(np.uint8)
    Image.fromarray(shape).save(gray)
    Image.fromarray(np.stack([shape, 255 - shape, shape // 3], 2)).save(coloured)
    changed = actions.fuse({"visible": str(gray), "infrared": str(coloured)}, "someone", lambda share, text: None)
    assert changed["swap"]["visible"]
    changed = actions.fuse({"visible": str(visible)}, "someone", lambda share, text: None)
    assert not changed["swap"]["visible"]


def test_a_cancelled_fusion_stops_at_its_next_step_and_the_next_one_runs(actions, root):
    files = dict(zip(("visible", "infrared"), map(str, pair(root / "sent")), strict=True))
    sent = files | {"method": "average", "compare": ["max"]}
    changed = actions.fuse(sent, "someone", lambda share, text: actions.cancel("someone"))
    assert "Cancelled" in changed["message"]
    assert not list(actions.root.glob("rooms/*/fused-*"))
    assert "viewer" in actions.fuse(sent, "someone", lambda share, text: None)


def test_what_came_from_which_camera_is_shown_and_offered(actions, root):
    files = dict(zip(("visible", "infrared"), map(str, pair(root / "sent")), strict=True))
    changed = actions.fuse(files | {"method": "average", "explain": True}, "someone", lambda share, text: None)
    assert changed["explains"]["visible"]
    assert ".explain.png" in changed["explained"]
    assert ".explain.png" in changed["downloads"]
    assert "--explain" in changed["command"]
    assert not actions.fuse(files, "someone", lambda share, text: None)["explains"]["visible"]


def test_hints_are_read_with_a_contrast_of_four_and_a_half(actions):
    from irvis.app import page

    look = page.theme()
    for name in page.QUIET:
        value = getattr(look, name).removeprefix("*")
        ground = "#0f172a" if name.endswith("_dark") else "#ffffff"
        assert contrast(getattr(look, value), ground) >= 4.5, name


def contrast(one: str, other: str) -> float:
    """Of two colours, after WCAG 2."""
    levels = [[int(text[n : n + 2], 16) / 255 for n in (1, 3, 5)] for text in (one, other)]
    linear = [[x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in row] for row in levels]
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in linear)
    return (light + 0.05) / (dark + 0.05)


def test_numbers_under_the_cursor_are_those_of_the_file(actions, root):
    files = kelvin(root / "sent")
    fused = run(actions, *files, kelvin_per_count=0.01)
    data = viewer.view(fused.first, fused.files["visible"], fused.folder / "view").data
    thermal = data["thermal"]
    values = np.frombuffer((fused.folder / "view" / "thermal.bin").read_bytes(), "<f4")
    counts = np.asarray(Image.open(files[1]))
    assert thermal["unit"] == "celsius"
    assert np.allclose(values.reshape(thermal["height"], thermal["width"]), counts / 100 - 273.15, atol=1e-3)


def test_pictures_of_the_viewer_are_the_fused_file_itself_as_long_as_it_is_small(actions, root):
    fused = run(actions, *pair(root / "sent"))
    viewer.view(fused.first, fused.files["visible"], fused.folder / "view")
    assert torch.equal(
        io.read_visible(fused.folder / "view" / "fused-average.png")[0], io.read_visible(fused.downloads[0])[0]
    )


def test_large_pictures_are_shown_smaller(tmp_path, monkeypatch, actions, root):
    monkeypatch.setattr(viewer, "LOSSLESS", 1000)
    monkeypatch.setattr(viewer, "DEGREES", 500)
    fused = run(actions, *kelvin(root / "sent"), kelvin_per_count=0.01)
    data = viewer.view(fused.first, fused.files["visible"], fused.folder / "view").data
    assert (data["width"], data["height"]) == (160, 120)
    with Image.open(fused.folder / "view" / "visible.jpg") as picture:
        assert picture.width * picture.height <= 1000
    assert data["thermal"]["width"] * data["thermal"]["height"] <= 500


def test_metrics_of_the_page_are_those_of_the_library(actions, root):
    fused = run(actions, *pair(root / "sent"))
    judged = scores.judge(fused.first, fused.files["visible"])
    image, _ = io.read_visible(fused.downloads[0])
    wanted = measure(image, fused.first.visible, fused.first.infrared, metrics=["VIF", "Qabf"])
    assert judged["average"]["VIF"] == float(wanted["VIF"][0])
    assert judged["average"]["Qabf"] == float(wanted["Qabf"][0])


@pytest.mark.parametrize("name", scores.MEANINGS)
def test_metrics_say_in_a_sentence_what_they_mean_and_where_they_end(name):
    text = scores.sentence(METRICS[name])
    assert re.fullmatch(r"[A-Z][^.]+\. \S+ to \S+.*\.", text)


def test_of_several_methods_the_best_of_each_metric_stands_out():
    table = scores.table({"a": dict.fromkeys(scores.MEANINGS, 1.0), "b": dict.fromkeys(scores.MEANINGS, 2.0)})
    rows = re.findall(r"<tr><th title.*?</tr>", table)
    assert len(rows) == len(scores.MEANINGS)
    for row, name in zip(rows, scores.MEANINGS, strict=True):
        best = 1 if METRICS[name].better == "high" else 0
        assert [" class=best" in cell for cell in re.findall(r"<td[^>]*>[\d.–]+", row)] == [best == 0, best == 1]


@pytest.mark.parametrize("example", examples.EXAMPLES, ids=lambda example: example.name)
def test_examples_are_drawn_on_the_spot_and_fused(example, actions, root, monkeypatch):
    monkeypatch.setattr(examples, "SIZE", (96, 128))
    visible, infrared = example.draw(root / "sent")
    assert run(actions, visible, infrared, **example.choices).downloads
