"""The web page without a server: what is taken in, what is refused, what comes out."""

import asyncio
import re
import shutil
import stat
import struct
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import thermal_files
from browser import kelvin, pair, shifted, typed, videos
from irvis import io
from irvis.align import aligner
from irvis.errors import IrvisError
from irvis.metrics import METRICS, measure
from pictures import chunk

pytest.importorskip("gradio", reason="the page needs the extra: pip install 'irvis[app]'")

from irvis.app import asking, choices, examples, fusing, names, scores, uploads, viewer
from irvis.app import guard as guards
from irvis.app import messages as telling
from irvis.app.actions import Actions
from irvis.app.guard import Guard
from irvis.app.sessions import GRACE, MOST, Rooms
from irvis.app.settings import Settings

SETTINGS = Settings(max_upload=3_000_000, max_pixels=1_000_000)


@pytest.fixture
def root(tmp_path):
    """Where uploads lie."""
    folder = (tmp_path / "root").resolve()
    (folder / "sent").mkdir(parents=True)
    return folder


@pytest.fixture
def actions(root):
    return Actions(settings=SETTINGS, root=root, rooms=Rooms(root, 30))


def quiet(share, text):
    assert 0 <= share <= 1
    assert text


def run(actions, visible, infrared=None, **sent):
    sent = {"method": "average", **sent, "visible": str(visible), "infrared": infrared and str(infrared)}
    return actions.run("someone", sent, quiet)


def refusal(actions, visible, infrared=None, **sent):
    """One line, without a place of the server; nothing is left behind."""
    with pytest.raises(IrvisError) as caught:
        run(actions, visible, infrared, **sent)
    text = str(caught.value)
    assert "\n" not in text
    assert str(actions.root) not in text
    assert not list(actions.root.glob("rooms/*/fused-*"))
    return text


# ------------------------------------------------------------------------------- the same as the command line


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


# ----------------------------------------------------------------------------------------- what looks wrong


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


# --------------------------------------------------------------------------------------------- uploads


def png(width, height, kind=0, rest=b""):
    """A PNG that claims a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rest + pixels + chunk(b"IEND", b"")


def tiff(count):
    """A TIFF whose only directory entry claims `count` numbers."""
    entry = struct.pack("<HHII", 256, 4, count, 8)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + entry + struct.pack("<I", 0)


WRONG = {
    "empty.png": b"",
    "words.png": b"these are words, and no picture\n" * 100,
    "program.exe": b"MZ" + bytes(3000),
    "page.html": b"<html><script>alert(1)</script></html>",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "paper.pdf": b"%PDF-1.7\n" + bytes(300),
    "bomb.png": png(60000, 60000),
    "wide.png": png(2**31 - 1, 1),
    "large.png": png(1001, 1000),
    "text.png": png(64, 64, rest=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000)))),
    "directory.tiff": tiff(2**31),
    "bomb.tiff": b"II*\0" + struct.pack("<IHHHIIHHIII", 8, 2, 256, 4, 1, 2**31 - 1, 257, 4, 1, 2**31 - 1, 0),
    "film.mp4": b"\0\0\0\x18ftypisom" + bytes(400),
    "list.mp4": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n",
    "concat.mkv": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "heavy.png": bytes(3_000_001),
    "cut.jpg": thermal_files.jpeg([])[:300],
    "exif.jpg": thermal_files.jpeg([thermal_files.segment(0xE1, b"Exif\0\0" + b"\xff" * 60000)] * 40)[:200_000],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_bearable_picture_is_refused_in_a_line(name, actions, root):
    visible, infrared = pair(root / "sent")
    bad = root / "sent" / name
    bad.write_bytes(WRONG[name])
    begun = time.perf_counter()
    for sides in ((bad, infrared), (visible, bad)):
        text = refusal(actions, *sides)
        assert len(text) < 400
    assert time.perf_counter() - begun < 10
    assert run(actions, visible, infrared).downloads  # and the next one is served


def test_bombs_are_refused_by_their_header_alone(actions, root):
    bomb = root / "sent" / "bomb.png"
    for width, height, text in ((60000, 60000, "exceeds limit"), (20000, 20000, "= 400 million pixels")):
        bomb.write_bytes(png(width, height))
        assert text in refusal(actions, bomb, pair(root / "sent")[1])


def outside(tmp_path, root):
    """Files that exist, but not among the uploads."""
    visible, _ = pair(tmp_path)
    link = root / "sent" / "link.png"
    link.symlink_to(visible)
    back = root / "sent" / ".." / ".." / "visible.png"
    aunt = tmp_path / "root-of-another" / "visible.png"
    aunt.parent.mkdir()
    aunt.write_bytes(visible.read_bytes())
    named = [
        "/etc/passwd",
        "/proc/self/environ",
        "visible.png",
        "a\0b",
        "x" * 5000,
        "file:///etc/passwd",
        "http://a.b/c",
    ]
    return [visible, link, back, aunt, root / "sent", *named]


def test_only_uploads_are_read(actions, root, tmp_path):
    for path in outside(tmp_path, root):
        assert "not uploaded here" in refusal(actions, path, pair(root / "sent")[1])


def test_nothing_chosen_is_told(actions):
    with pytest.raises(IrvisError, match="try an example"):
        actions.run("someone", {"visible": None, "infrared": None}, quiet)


def test_videos_are_looked_at_before_they_are_fused(actions, root, monkeypatch):
    visible, infrared = videos(root / "sent")
    assert "choose the other" in refusal(actions, visible)
    assert "MP4" in refusal(actions, visible, pair(root / "sent")[1])
    small = Actions(settings=Settings(max_pixels=1000), root=root, rooms=Rooms(root, 30))
    assert "more than this page takes" in refusal(small, visible, infrared)
    visible.write_bytes(visible.read_bytes()[: visible.stat().st_size // 3])
    refusal(actions, visible, infrared)


# ------------------------------------------------------------------------------------------------ ZIPs


def entry(name, mode=0o644):
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    made.compress_type = zipfile.ZIP_DEFLATED
    return made


def archive(root, *entries):
    path = root / "sent" / "bad.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for info, data in entries:
            packed.writestr(info, data)
    return path


def test_zips_write_only_below_their_folder(actions, root, tmp_path):
    data = pair(root / "sent")[0].read_bytes()
    for name in ("../vi/a.png", "vi/../../a.png", "/tmp/a.png", "..\\a.png", "C:\\a.png", "vi/C:a.png"):
        before = {path for path in tmp_path.rglob("*") if "rooms" not in path.parts}
        text = refusal(actions, archive(root, (entry(name), data), (entry("ir/a.png"), data)))
        assert "ZIP" in text
        after = {path for path in tmp_path.rglob("*") if "rooms" not in path.parts}
        assert after - before <= {root / "sent" / "bad.zip"}
        assert not Path("/tmp/a.png").exists()


def test_links_in_zips_are_refused(actions, root):
    bad = archive(root, (entry("vi/a.png", stat.S_IFLNK | 0o777), b"/etc/passwd"), (entry("ir/a.png"), b"x"))
    assert "link" in refusal(actions, bad)


def test_zips_that_grow_too_large_are_refused_before_they_do(actions, root):
    zeros = bytes(13_000_000)  # 13 kB packed
    bad = archive(root, (entry("vi/a.png"), zeros), (entry("ir/a.png"), zeros))
    assert bad.stat().st_size < 100_000
    assert "larger than this page takes" in refusal(actions, bad)


def test_zips_that_lie_of_a_size_are_refused(actions, root):
    bad = archive(root, (entry("vi/a.png"), bytes(13_000_000)), (entry("ir/a.png"), b"x"))
    told = struct.pack("<I", 13_000_000)
    bad.write_bytes(bad.read_bytes().replace(told, struct.pack("<I", 1000)))
    refusal(actions, bad)
    assert sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) < 1_000_000


def test_zips_with_a_password_or_without_pictures_or_with_too_many_or_damaged_are_refused(actions, root):
    data = pair(root / "sent")[0].read_bytes()
    locked = archive(root, (entry("vi/a.png"), data))
    raw = bytearray(locked.read_bytes())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.find(mark) + at] |= 1
    locked.write_bytes(bytes(raw))
    assert "password" in refusal(actions, locked)
    assert "no pictures" in refusal(actions, archive(root, (entry("read.me"), b"hello")))
    assert "at most" in refusal(actions, archive(root, *((entry(f"{n}.txt"), b"") for n in range(2001))))
    assert "both be called" in refusal(actions, archive(root, (entry("vi/a?.png"), data), (entry("vi/a*.png"), data)))
    whole = archive(root, (entry("vi/a.png"), data), (entry("ir/a.png"), data)).read_bytes()
    broken = root / "sent" / "broken.zip"
    broken.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in refusal(actions, broken)
    inner = archive(root, (entry("vi/a.png"), whole), (entry("ir/a.png"), whole))
    assert "not an image" in refusal(actions, inner)
    assert "alone" in refusal(actions, inner, pair(root / "sent")[1])


# --------------------------------------------------------------------------------------- names and choices


@given(st.text(max_size=300))
def test_safe_names_are_nothing_but_names(text):
    name = names.safe(text)
    assert name
    assert Path(name).name == name
    assert name not in (".", "..")
    assert not name.startswith(".")
    assert len(name.encode()) <= names.LONGEST
    assert not set(name) & set("<>&\"'\\/:*?|\0\n")
    assert names.safe(name) == name


def test_scripts_in_file_names_are_text(actions, root):
    name = "<img src=x onerror=alert(1)>.png"
    visible, infrared = pair(root / "sent")
    bad = root / "sent" / name
    visible.rename(bad)
    fused = run(actions, bad, infrared)
    view = viewer.view(fused.first, fused.files[fused.taken.pairs[0].name], fused.folder / "view")
    html = [view.html, telling.told(fused, "<b>"), telling.downloads(fused), telling.commands(fused)]
    assert "<img" not in "".join(html)
    assert "&lt;script&gt;" in telling.refused("<script>alert(1)</script>")


BAD = {
    "format": "/../../evil.png",
    "method": "encdec:/etc/passwd",
    "compare": ["average"] * 6,
    "options": "weight=0.5:/etc/passwd",
    "palette": "x",
    "polarity": "x",
    "alignment": "x",
    "hottest": 10**9,
    "quality": 0,
    "emissivity": 7,
    "distance": float("nan"),
    "infrared_range": "1" * 300,
    "names": "a b c",
    "crop": "yes",
    "nonsense": 1,
    "infrared_unit": ["counts"],
}


@pytest.mark.parametrize("name", BAD)
def test_choices_that_are_none_are_refused(name, actions, root):
    refusal(actions, *pair(root / "sent"), **{name: BAD[name]})


HEAVY = ("encdec:width=100000", "laplacian:levels=999999999", "maefuse:blocks=1000", "average:weight=1e9")


@pytest.mark.parametrize("text", ["average:/etc/passwd", "encdec:../x", "encdec:nowhere", "nothing", *HEAVY])
def test_methods_of_visitors_are_those_that_are_offered(text, actions, root):
    refusal(actions, *pair(root / "sent"), method=text)


def test_every_method_with_weights_or_without_need_of_any_is_offered():
    offered = {value for _, value in choices.methods()}
    assert {"encdec", "encdec:tiny", "average", "laplacian"} <= offered
    for text in offered:
        assert choices.checked(text) == text
        assert choices.about(text)[0]


def test_words_of_the_command_line_become_places_on_the_page(root):
    text = names.in_page_words(f"{root}/sent/a.png holds counts: --infrared-range 1%,99% or --align", root)
    assert str(root) not in text
    assert "--" not in text


def test_every_place_that_a_message_names_is_on_the_page(actions):
    from irvis.app import page

    said = str(page.build(actions).get_config_file())
    for place in names.WORDS.values():
        for part in re.findall(r"(\w+) → ([A-Z][\w -]*\w)", place):
            assert all(f"'{label}" in said for label in part), part


def test_whatever_a_method_fails_at_is_one_line_without_its_insides(actions, root, monkeypatch):
    def broken(*_):
        raise RuntimeError(f"secret of {root}\nand more")

    monkeypatch.setattr(fusing, "_first_look", broken)
    assert refusal(actions, *pair(root / "sent")) == "this cannot be fused (RuntimeError)."


def test_parameters_of_the_server_that_mean_nothing_are_refused():
    for bad in ({"port": 70000}, {"max_upload": 0}, {"queue": 0}, {"minutes": 0}, {"max_pixels": -1}):
        with pytest.raises(IrvisError, match=r"^--"):
            Settings(**bad)
    assert not Settings().outside
    assert not Settings(host="::1").outside
    assert Settings(host="0.0.0.0").outside


# ------------------------------------------------------------------------------------------------ rooms


def test_rooms_are_left_and_swept(tmp_path):
    now = [0.0]
    rooms = Rooms(tmp_path, 30, clock=lambda: now[0])
    first, second = rooms.open("../../a"), rooms.open("b")
    assert first.parent == second.parent == tmp_path / "rooms"
    assert rooms.open("b") == second
    rooms.leave("b")
    now[0] = GRACE - 1
    rooms.sweep()
    assert second.is_dir()
    rooms.back("b")
    now[0] = GRACE + 1
    rooms.sweep()
    assert second.is_dir()
    rooms.leave("b")
    now[0] += GRACE
    rooms.sweep()
    assert not second.exists()
    assert first.is_dir()
    now[0] = 1801.0
    rooms.sweep()
    assert not first.exists()
    assert not rooms.rooms


def test_the_visitor_unseen_for_longest_makes_room(tmp_path):
    rooms = Rooms(tmp_path, 10)
    folders = [rooms.open(str(n)) for n in range(MOST + 3)]
    assert [folder.is_dir() for folder in folders] == [False] * 3 + [True] * MOST


def test_uploads_that_nobody_used_for_long_are_removed(tmp_path, monkeypatch):
    rooms = Rooms(tmp_path, 10)
    old = tmp_path / "abc"
    old.mkdir()
    (old / "a.png").write_bytes(b"x")
    (tmp_path / "broken-off").write_bytes(b"x")
    rooms.sweep()
    assert old.is_dir()
    monkeypatch.setattr("irvis.app.sessions.time.time", lambda: old.parent.stat().st_mtime + 700)
    rooms.sweep()
    assert not list(tmp_path.iterdir())


def test_requests_leave_no_more_files_than_one(actions, root):
    files = pair(root / "sent")
    run(actions, *files)
    count = len(list(root.rglob("*")))
    for _ in range(5):
        run(actions, *files)
        with pytest.raises(IrvisError):
            run(actions, "/etc/passwd", files[1])
    assert len(list(root.rglob("*"))) == count


# ------------------------------------------------------------------------------------------------ guard


async def nobody(scope, receive, send):
    raise AssertionError


def scope(path, method="GET", host="127.0.0.1:7860", **headers):
    listed = [(b"host", host.encode()), *((name.encode(), str(value).encode()) for name, value in headers.items())]
    return {"type": "http", "path": path, "method": method, "headers": listed}


def test_the_guard_lets_pass_what_the_page_needs_and_nothing_else(root):
    guard = Guard(nobody, SETTINGS, root, Rooms(root, 30))
    inside = root / "sent" / "a.png"
    for path in (
        "/",
        "/config",
        "/assets/x.js",
        f"/gradio_api/file={inside}",
        "/gradio_api/heartbeat/abc",
        "/gradio_api/queue/data",
    ):
        assert guard.refusal(scope(path)) == (0, "")
    for path in ("/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/call/v2/fuse"):
        assert guard.refusal(scope(path, "POST")) == (0, "")
    for path in (
        "/gradio_api/proxy=http://a.b/", "/gradio_api/stream/x", "/gradio_api/vibe-edit", "/monitoring", "/docs",
        "/monitoring/x", "/gradio_api/deep_link", "/gradio_api/dev/reload", "/gradio_api/file/a",
        "/gradio_api/custom_component/1/a/b/c", "/gradio_api/run-history/buckets",
    ):  # fmt: skip
        assert guard.refusal(scope(path))[0] == 404
    for path in (
        "/gradio_api/run/fuse",
        "/gradio_api/api/fuse",
        "/gradio_api/component_server",
        "/gradio_api/call/other",
    ):
        assert guard.refusal(scope(path, "POST"))[0] == 404
    for path in ("/etc/passwd", f"{root}/../x", "http://a.b/c", "visible.png", f"{root}-2/a", f"{root}/%2e%2e/x"):
        assert guard.refusal(scope(f"/gradio_api/file={path}"))[0] == 403
    assert guard.refusal(scope("/", host="evil.example"))[0] == 403
    assert guard.refusal(scope("/gradio_api/upload", "POST", **{"content-length": 10**9}))[0] == 413
    assert guard.refusal(scope("/gradio_api/queue/join", "POST", **{"content-length": 2 * 10**6}))[0] == 413


def test_another_hosts_name_is_good_only_where_a_password_is_asked_for(root):
    for settings, status in ((Settings(auth=("a", "b")), 0), (Settings(host="0.0.0.0"), 403)):
        assert Guard(nobody, settings, root, Rooms(root, 30)).refusal(scope("/", host="our.example"))[0] == status
    guard = Guard(nobody, Settings(host="0.0.0.0"), root, Rooms(root, 30))
    assert guard.refusal(scope("/", host="192.168.1.2:7860")) == (0, "")


@pytest.mark.parametrize("path", ["/login", "/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/call/v2/fuse"])
def test_what_another_site_sends_is_refused_whatever_its_form(path, root):
    guard = Guard(nobody, SETTINGS, root, Rooms(root, 30))
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        told = scope(path, "POST", **headers, **{"content-type": "multipart/form-data; boundary=x"})
        assert guard.refusal(told)[0] == 403
    for headers in ({}, {"origin": "http://127.0.0.1:7860"}, {"sec-fetch-site": "same-origin"}):
        assert guard.refusal(scope(path, "POST", **headers)) == (0, "")


def test_a_body_that_comes_too_slowly_ends(monkeypatch):
    clock = iter(range(0, 1000, 10))

    async def drop():
        return {"type": "http.request", "body": b"abc", "more_body": True}

    async def silence():
        await asyncio.sleep(60)

    async def messages(receive, count):
        timed = guards.in_time(receive, lambda: next(clock))
        return [(await timed())["type"] for _ in range(count)]

    assert asyncio.run(messages(drop, 3)) == ["http.request", "http.request", "http.disconnect"]
    monkeypatch.setattr(guards, "SLOW", 0.01)
    assert asyncio.run(messages(silence, 1)) == ["http.disconnect"]


def test_uploads_wait_while_the_disk_is_full(root):
    guard = Guard(nobody, Settings(max_upload=10), root, Rooms(root, 30))
    (root / "sent" / "a").write_bytes(bytes(1000))
    assert guard.refusal(scope("/gradio_api/upload", "POST"))[0] == 503


def test_names_of_controls_are_those_of_the_wish(actions):
    import gradio

    from irvis.app import controls

    with gradio.Blocks():
        asked = controls.controls()
    known = {*asking.CHOICES, *asking.TEXTS, *asking.NUMBERS, *asking.SWITCHES, *asking.FILES, "compare"}
    assert set(asked) - set(controls.OTHERS) == known


def test_an_upload_is_copied_under_a_name_that_is_only_a_name(root, tmp_path):
    visible, infrared = pair(root / "sent")
    odd = root / "sent" / "a;rm -rf ~ $(x).png"
    visible.rename(odd)
    taken = uploads.take((str(odd), str(infrared)), root, tmp_path / "room", SETTINGS)
    assert taken.pairs[0].visible.name == "a_rm -rf _ _(x).png"
