"""The web page without a server: which files and ZIPs are taken in, and which are refused."""

import stat
import struct
import time
import zipfile
import zlib
from pathlib import Path

import pytest

import thermal_files
from browser import pair, videos
from irvis.errors import IrvisError
from pictures import chunk

pytest.importorskip("gradio", reason="the page needs the extra: pip install 'irvis[app]'")

from app_actions import SETTINGS, quiet, refusal, run
from irvis.app.actions import Actions
from irvis.app.sessions import Rooms
from irvis.app.settings import Settings


@pytest.fixture
def root(tmp_path):
    """Where uploads lie."""
    folder = (tmp_path / "root").resolve()
    (folder / "sent").mkdir(parents=True)
    return folder


@pytest.fixture
def actions(root):
    return Actions(settings=SETTINGS, root=root, rooms=Rooms(root, 30))


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


# ------------------------------------------------------------------------------------------- uploads


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


# ---------------------------------------------------------------------------------------------- ZIPs


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
