"""Files that appear whole or not at all, whatever ends the run that writes them."""

import subprocess
import sys

import pytest

from irvis import files

WRITES_UNTIL_IT_IS_KILLED = """
import sys, time
from pathlib import Path
from irvis.files import unfinished
with unfinished(Path(sys.argv[1]), ".mp4") as place:
    place.write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def writing(tmp_path):
    """Another process that is writing a.mp4."""
    words = [sys.executable, "-c", WRITES_UNTIL_IT_IS_KILLED, str(tmp_path / "a.mp4")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        files._remove_stale.cache_clear()
        yield process
        process.kill()


def fail(place):
    place.write_bytes(b"new")
    raise OSError("the disk is full")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_run_left_is_removed_by_the_next(writing, tmp_path):
    assert len(names(tmp_path)) == 1
    writing.kill()
    writing.wait()
    with files.whole(tmp_path / "a.mp4") as place:
        place.write_bytes(b"whole")
    assert names(tmp_path) == ["a.mp4"]


def test_what_another_run_is_writing_is_left_alone(writing, tmp_path):
    with files.whole(tmp_path / "a.mp4") as place:
        place.write_bytes(b"whole")
    assert len(names(tmp_path)) == 2


def test_a_file_that_fails_leaves_nothing_and_what_was_there_stays(tmp_path):
    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(OSError, match="full"), files.whole(tmp_path / "a.png") as place:
        fail(place)
    assert names(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["n" * 251 + ".png", "é" * 120, ".hidden", "a.b.c"])
def test_any_name_that_a_folder_takes_can_be_written(name, tmp_path):
    with files.whole(tmp_path / name) as place:
        place.write_bytes(b"whole")
    assert names(tmp_path) == [name]


def test_hidden_files_of_others_stay(tmp_path):
    for name in (".a.part", ".a.png.12345678.part2", "a.png.12345678.part"):
        (tmp_path / name).write_bytes(b"")
    with files.whole(tmp_path / "b.png") as place:
        place.write_bytes(b"whole")
    assert names(tmp_path) == [".a.part", ".a.png.12345678.part2", "a.png.12345678.part", "b.png"]
