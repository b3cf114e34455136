"""Inputs that people have: each is made small, given to `irvis fuse` as a user would, and its outcome is written down.

The files are made by the writers that the tests use (tests/thermal_files.py), by the makers' published layouts; none
is a camera's own.
"""

import contextlib
import io as text_io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import tifffile
from PIL import Image

from common import Row, Rows, arguments
from irvis.cli import main as irvis

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import thermal_files as files

SIZE = (48, 64)
COUNTS = files.scene(*SIZE)
KELVIN = (290 + (COUNTS.astype(float) - COUNTS.min()) / 100).astype(np.float32)
CELSIUS = KELVIN - np.float32(273.15)


@dataclass(frozen=True, kw_only=True)
class Input:
    """What people have, how it is made in an empty folder, and what they type after `irvis fuse`."""

    name: str
    make: Callable[[], None]
    command: str


def photo(name: str = "v.png", size: tuple[int, int] = SIZE) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)).save(name)


def beside(name: str, data: bytes) -> Callable[[], None]:
    """A photo and a file of these bytes."""

    def make() -> None:
        photo()
        Path(name).write_bytes(data)

    return make


def tiff(name: str, *pages: np.ndarray) -> Callable[[], None]:
    def make() -> None:
        photo()
        tifffile.imwrite(name, pages[0] if len(pages) == 1 else np.stack(pages), photometric="minisblack")

    return make


def bordered(value: float) -> np.ndarray:
    numbers = CELSIUS.copy()
    numbers[:4], numbers[:, :4] = value, value
    return numbers


def table() -> None:
    photo()
    rows = "\n".join(";".join(f"{value:.2f}".replace(".", ",") for value in row) for row in CELSIUS)
    Path("t.csv").write_text(f"Emissivity;0,95\nUnit;°C\n\n{rows}\n")


def duo() -> None:
    photo("v.png", (384, 512))
    upper = (16 * (290 + files.scene(384, 512) / 4000)).astype(np.uint16)
    np.concatenate((upper, np.zeros((100, 512), np.uint16))).tofile("t.raw")


def stacked() -> None:
    photo("v.png", (192, 256))
    picture = np.full((192, 256), 0x8080, np.uint16)
    tifffile.imwrite("t.tif", np.concatenate((picture, (64 * (290 + files.scene(192, 256) / 1000)).astype(np.uint16))))


def dji_folder() -> None:
    for number in ("0227", "0228"):
        photo(f"flight/DJI_20260101_{number}_V.JPG", (96, 128))
        Image.fromarray((COUNTS >> 7).astype(np.uint8)).save(f"flight/DJI_20260101_{number}_T.JPG")


def adas() -> None:
    for number in ("000018", "000019"):
        photo(f"v/video-A-frame-{number}-Xa{number}.jpg")
        Image.fromarray((COUNTS >> 7).astype(np.uint8)).save(_in("t", f"video-B-frame-{number}-Yb{number}.jpg"))


def mixed_depths() -> None:
    for name, numbers in (("a", COUNTS), ("b", (COUNTS >> 7).astype(np.uint8))):
        photo(f"v/{name}.png")
        tifffile.imwrite(_in("t", f"{name}.tif"), numbers)


def mixed_sizes() -> None:
    for name, size in (("a", (96, 120)), ("b", (60, 80))):
        photo(f"v/{name}.png", size)
        Image.fromarray((COUNTS >> 7).astype(np.uint8)).save(_in("t", f"{name}.png"))


def dead_pixels() -> None:
    numbers = COUNTS.copy()
    numbers[10:14, 20:24] = 0
    tiff("t.tif", numbers)()


def decoder() -> None:
    beside("t.JPG", files.dji_jpeg(COUNTS))()
    Path("mine.py").write_text(
        "import numpy as np\ndef celsius(path):\n    return np.linspace(10, 40, 48 * 64, dtype='f4').reshape(48, 64)\n"
    )


def _in(folder: str, name: str) -> Path:
    Path(folder).mkdir(exist_ok=True)
    return Path(folder) / name


TELL = "-o o.png --temperature-sidecar --hottest 1"
INPUTS = [
    Input(name="TIFF of three pages", make=tiff("t.tif", *3 * [COUNTS]), command="v.png t.tif -o o.png"),
    Input(name="the same, one page", make=tiff("t.tif", *3 * [COUNTS]),
          command="v.png t.tif -o o.png --frame 1 --infrared-range 1%,99%"),
    Input(name="float °C with a -9999 border", make=tiff("t.tif", bordered(-9999)),
          command=f"v.png t.tif {TELL} --infrared-unit celsius"),
    Input(name="float °C with a -3.4e38 border", make=tiff("t.tif", bordered(-3.4e38)),
          command=f"v.png t.tif {TELL} --infrared-unit celsius"),
    Input(name="HIKMICRO JPEG", make=beside("t.jpg", files.hikmicro_jpeg(COUNTS)), command="v.png t.jpg -o o.png"),
    Input(name="HIKMICRO JPEG, temperatures", make=beside("t.jpg", files.hikmicro_jpeg(COUNTS)),
          command=f"v.png t.jpg {TELL}"),
    Input(name="InfiRay P2 Pro JPEG", make=beside("t.jpg", files.ijpeg((64 * KELVIN).astype(np.uint16))),
          command=f"v.png t.jpg {TELL}"),
    Input(name="InfiRay IRG", make=beside("t.irg", files.irg((16 * KELVIN).astype(np.uint16))),
          command=f"v.png t.irg {TELL}"),
    Input(name="Topdon TC002C Duo raw", make=duo, command=f"v.png t.raw {TELL} --infrared-raw 512x484"),
    Input(name="Topdon TC001 frame", make=stacked, command=f"v.png t.tif {TELL}"),
    Input(name="UNI-T BMP", make=beside("t.bmp", files.uni_t_bmp((COUNTS >> 7).astype(np.uint8))),
          command="v.png t.bmp -o o.png"),
    Input(name="FLIR ADAS v2 names", make=adas,
          command='v t -o out --match "video-A-frame-{id}-*" "video-B-frame-{id}-*"'),
    Input(name="DJI folder, _V and _T", make=dji_folder, command="flight -o out --resize-infrared"),
    Input(name="DJI R-JPEG, temperatures", make=beside("t.JPG", files.dji_jpeg(COUNTS)), command=f"v.png t.JPG {TELL}"),
    Input(name="DJI R-JPEG with a decoder", make=decoder, command=f"v.png t.JPG {TELL} --decoder mine.py:celsius"),
    Input(name="temperature table (CSV)", make=table, command=f"v.png t.csv {TELL}"),
    Input(name="a block of dead pixels", make=dead_pixels, command="v.png t.tif -o o.png --infrared-range 1%,99%"),
    Input(name="8-bit files among 16-bit ones", make=mixed_depths, command="v t -o out --infrared-range 1%,99%"),
    Input(name="photos of several sizes", make=mixed_sizes, command="v t -o out --resize-infrared"),
]  # fmt: skip


def main() -> None:
    rows = Rows("inputs", arguments(__doc__))
    for one in INPUTS:
        key: Row = {"input": one.name, "command": f"irvis fuse {one.command} -m average"}
        rows.add(key, lambda key=key, one=one: {**key, **tried(one)})
    note = (
        "Each input is made small by `benchmarks/inputs.py`, by its published layout; none is a camera's own file. "
        "Commands run in one process; seconds depend on the load of the machine."
    )
    rows.write("Inputs that people have", note)


def tried(one: Input) -> Row:
    """What became of it."""
    begun_in, said = Path.cwd(), text_io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            one.make()
            begun, status = perf_counter(), 0
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                try:
                    irvis(["fuse", *shlex.split(one.command), "-m", "average"])
                except SystemExit as stop:
                    status = int(stop.code or 0)
            seconds = perf_counter() - begun
            made = sorted(path.name for path in Path().rglob("o*.*")) + sorted(
                path.name for path in Path("out").glob("*")
            )
        finally:
            os.chdir(begun_in)
    lines = [line for line in re.sub(r" in \d+\.\d+ s", "", said.getvalue()).splitlines() if line.strip()]
    told = " · ".join(line.replace("|", "/") for line in lines[:3])
    return {
        "outcome": "fused" if status == 0 else "refused",
        "said": told,
        "files": ", ".join(made),
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
