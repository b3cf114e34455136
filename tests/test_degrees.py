"""Files that give degrees C themselves: tables of temperatures, and files that a decoder of the user's reads."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from irvis import IrvisError, io
from irvis.cli import main
from irvis.io.degrees import of_table
from irvis.thermal import Sensing

HEIGHT, WIDTH = 24, 32
DEGREES = np.round(15 + 20 * np.random.default_rng(0).random((HEIGHT, WIDTH)), 2).astype(np.float32)


def table(separator: str = ";", decimal: str = ".", before: str = "", after: str = "", numbers=DEGREES) -> str:
    rows = [separator.join(f"{value:.2f}".replace(".", decimal) for value in row) for row in numbers]
    return before + "\n".join(rows) + "\n" + after


HEADER = "Camera;Some 384\nEmissivity;0.95\nUnit;°C\n\n"
TABLES = {
    "semicolons": table(),
    "decimal commas": table(";", ","),
    "commas": table(","),
    "tabs": table("\t", ","),
    "a separator at the end of each row": table().replace("\n", ";\n"),
    "lines of text before": table(before=HEADER),
    "lines of text after": table(after="\nMin;15.0\nMax;35.0\n"),
    "in quotes": "\n".join(";".join(f'"{value:.2f}"' for value in row) for row in DEGREES),
    "with units": "\n".join(";".join(f"{value:.2f} °C" for value in row) for row in DEGREES),
    "fahrenheit": table(before="Unit;°F\n", numbers=DEGREES * 1.8 + 32),
    "kelvin": table(before="Temperature unit: Kelvin\n", numbers=DEGREES + 273.15),
    "numbered rows and columns": "x;"
    + ";".join(map(str, range(WIDTH)))
    + "\n"
    + "\n".join(f"{n};" + ";".join(f"{value:.2f}" for value in row) for n, row in enumerate(DEGREES)),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 50)).save("v.png")
    return tmp_path


def fuse(*words: object) -> int:
    try:
        main(["fuse", *map(str, words), "-m", "average"])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_temperatures_is_read_as_degrees(tmp_path, name):
    path = tmp_path / "t.csv"
    path.write_text(TABLES[name], encoding="utf-8")
    found = of_table(path)[..., 0]
    assert found.shape == (HEIGHT, WIDTH)
    np.testing.assert_allclose(found, DEGREES, atol=0.01)


@pytest.mark.parametrize("coding", ["utf-16", "latin-1", "utf-8-sig"])
def test_a_table_is_read_in_the_codings_that_programs_write(tmp_path, coding):
    path = tmp_path / "t.csv"
    path.write_text(TABLES["lines of text before"], encoding=coding)
    np.testing.assert_allclose(of_table(path)[..., 0], DEGREES, atol=0.01)


def test_cells_without_a_number_hold_no_data(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TABLES["semicolons"].replace(f"{DEGREES[3, 4]:.2f}", "---", 1))
    assert np.isnan(of_table(path)).sum() == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no table of temperatures"),
        ("name;score\na;1\nb;2\n", "no table of temperatures"),
        (table(numbers=np.full((4, 5), 20.0)), "everywhere"),
        (table(numbers=DEGREES + 20000), "counts, not degrees"),
        ("\x00\x01" * 50, "no table of temperatures"),
    ],
)
def test_what_is_no_table_of_temperatures_is_one_line(tmp_path, text, told):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(IrvisError, match=told):
        of_table(path)


def test_a_table_is_fused_and_its_temperatures_survive(place):
    Path("t.csv").write_text(TABLES["decimal commas"])
    assert fuse("v.png", "t.csv", "-o", "o.png", "--temperature-sidecar") == 0
    np.testing.assert_allclose(tifffile.imread("o.celsius.tiff"), DEGREES, atol=0.01)


def test_a_folder_of_tables_is_fused(place):
    for folder in ("vi", "ir"):
        (place / folder).mkdir()
    for name in "ab":
        Image.new("RGB", (WIDTH, HEIGHT), (90, 120, 50)).save(place / "vi" / f"{name}.png")
        (place / "ir" / f"{name}.csv").write_text(TABLES["semicolons"])
    assert fuse("vi", "ir", "-o", "out") == 0
    assert {path.name for path in (place / "out").iterdir()} == {"a.png", "b.png"}


def test_words_that_contradict_a_table_are_refused(place, capsys):
    Path("t.csv").write_text(TABLES["semicolons"])
    assert fuse("v.png", "t.csv", "-o", "o.png", "--infrared-unit", "counts") != 0
    assert "read as degrees C" in capsys.readouterr().err


DECODER = """
import numpy as np

def celsius(path):
    return np.fromfile(path, np.uint16).reshape(24, 32) / 100 - 273.15

def wrong(path):
    return [1, 2, 3]

def failing(path):
    raise RuntimeError("no licence")
"""


@pytest.fixture
def odd(place: Path) -> Path:
    """A file of no format that irvis knows."""
    (place / "mine.py").write_text(DECODER)
    path = place / "t.odd"
    ((DEGREES.astype(float) + 273.15) * 100).round().astype(np.uint16).tofile(path)
    return path


def test_a_decoder_of_the_user_gives_the_degrees_of_any_file(odd):
    assert fuse("v.png", odd, "-o", "o.png", "--decoder", "mine.py:celsius", "--temperature-sidecar") == 0
    np.testing.assert_allclose(tifffile.imread("o.celsius.tiff"), DEGREES, atol=0.011)


def test_a_decoder_works_in_python(odd):
    pair = io.read_pair("v.png", odd, sensing=Sensing(decoder="mine.py:celsius", keep=True))
    np.testing.assert_allclose(pair.thermal.values, DEGREES, atol=0.011)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mine.py:wrong", "shape (height, width) are wanted"),
        ("mine.py:failing", "no licence"),
        ("mine.py:nothing", "defines no function"),
        ("other.py:celsius", "is not a file"),
        ("celsius", "names no decoder"),
    ],
)
def test_what_is_wrong_with_a_decoder_is_one_line(odd, capsys, name, told):
    assert fuse("v.png", odd, "-o", "o.png", "--decoder", name) != 0
    err = capsys.readouterr().err
    assert told in err.replace("\n", " ")
    assert "Traceback" not in err
