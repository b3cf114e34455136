"""Legibility: what a recogniser of PP-OCR reads of the signs of synthetic scenes, whose texts are known.

python benchmarks/text.py --reader ch_PP-OCRv4_rec_infer.onnx
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from common import Rows, arguments
from irvis import api
from irvis.data.scene import Conditions, scene
from irvis.evaluate.tasks import legibility
from irvis.evaluate.tasks.legibility import Line
from irvis.types import RGB, Gray

SIZE, SEEDS = (480, 640), range(1, 7)
WEATHER = {
    "clear day": Conditions(darkness=0.1), "night": Conditions(darkness=0.9), "fog": Conditions(darkness=0.3, fog=0.7),
}  # fmt: skip
METHODS = ("visible", "infrared", "encdec:default", "encdec:tiny", "hybrid-msd", "laplacian", "average")
MARGIN = 2


def main() -> None:
    chosen = arguments(
        __doc__, reader=dict(type=Path, required=True, help="the recogniser"),
        show=dict(metavar="METHODS", help="by commas: print these, keep nothing"),
    )  # fmt: skip
    reader = legibility.network(chosen.reader)
    signs = {weather: [drawn(seed, weather) for seed in SEEDS] for weather in WEATHER}
    if chosen.show:
        for name in chosen.show.split(","):
            print(row(name, reader, signs), flush=True)
        return
    rows = Rows("text", chosen)
    for name in METHODS:
        rows.add({"method": name}, partial(row, name, reader, signs), [name])
    note = (
        f"PP-OCRv4's recogniser, the sign of {len(SEEDS)} synthetic streets in each weather, {SIZE[1]}×{SIZE[0]}. "
        "Infrared does not see the letters. Characters: 1 less the edit distance by length; texts: all right."
    )
    rows.write("Legibility of signs", note)


def drawn(seed: int, weather: str) -> tuple[RGB, Gray, Line]:
    """Both pictures of a street, and its sign."""
    found = scene(seed, SIZE, WEATHER[weather])
    rows, columns = np.nonzero(found.sign)
    box = (
        max(int(columns.min()) - MARGIN, 0), max(int(rows.min()) - MARGIN, 0),
        min(int(columns.max()) + MARGIN, SIZE[1]), min(int(rows.max()) + MARGIN, SIZE[0]),
    )  # fmt: skip
    return *found.tensors(), Line(box=box, text=found.text)


@torch.inference_mode()
def row(name: str, reader: legibility.Recogniser, signs: dict[str, list[tuple[RGB, Gray, Line]]]) -> dict[str, object]:
    """What is read of one method's pictures, weather by weather, in percent."""
    fuse = api.fuser(name)
    found: dict[str, object] = {"method": name}
    for weather, pairs in signs.items():
        said = {str(n): [read(reader, fuse(v, i), line)] for n, (v, i, line) in enumerate(pairs)}
        texts = {str(n): [line] for n, (_, _, line) in enumerate(pairs)}
        values = legibility.measures(said, texts, np.ones((1, len(pairs))))
        found |= {f"{weather}, {key}, %": round(100 * float(of[0])) for key, of in values.items()}
    return found


def read(reader: legibility.Recogniser, picture: RGB, line: Line) -> str:
    left, top, right, bottom = line.box
    return reader((picture[..., top:bottom, left:right] * 255).round() / 255)


if __name__ == "__main__":
    main()
