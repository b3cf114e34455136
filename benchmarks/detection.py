"""Detection on the 27 pairs of MSRS with labels: average precision of persons and cars, found by a small YOLOX.

    python benchmarks/detection.py --show encdec,runs/new/best.safetensors     methods or weights: printed, not kept
    python benchmarks/detection.py                                             every method, into docs/results
    python benchmarks/detection.py --zoo weights/                              with the published networks there

The boxes were drawn by others on their own fused pictures, and there are only 75 persons and 28 cars: differences
below a tenth say little.
"""

from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch

from common import Rows, arguments, every_method
from irvis import creation, io
from irvis.data.matching import match
from irvis.evaluate.tasks import detector, labels, scoring
from irvis.evaluate.tasks.boxes import Array, Boxes
from irvis.published import SUFFIXES, recognised
from irvis.types import RGB, Gray

SIZE, DRAWS = (480, 640), 1000
COLOURED = ", colours of visible"
CAMERAS, KINDS = ("visible", "infrared"), ("person", "car")
NOTE = (
    "YOLOX-nano, 416×416, finds with a score of 0.01 or more. The boxes were drawn by others on their own fused "
    "pictures: 75 persons, 28 cars on 27 pictures. Average precision as COCO counts it, at an overlap of 0.5, with the "
    "95 % interval of a bootstrap over the pictures. Over visible: the paired difference of the mean of both classes "
    "from that of the better camera, which is the visible one; where the interval holds 0, the detector was not shown "
    "to gain or lose. Infrared is the camera's gray picture; lent the colours of the visible one, as the method "
    "`infrared` does, it shows the same detector more cars. Networks that do not come with irvis are run from their "
    "authors' files."
)


def main() -> None:
    chosen = arguments(
        __doc__, show=dict(metavar="METHODS", help="by commas: print these, keep nothing"),
        zoo=dict(type=Path, help="folder of published weights, a folder for each network"),
    )  # fmt: skip
    bench = Bench(chosen.data, chosen.threads)
    if chosen.show:
        for name in chosen.show.split(","):
            print(*(f"{key} {value}" for key, value in bench.row(name, name).items()), sep="  ", flush=True)
        return
    rows = Rows("detection", chosen)
    names = [*CAMERAS, f"infrared{COLOURED}", *(one for one in every_method() if one not in CAMERAS)]
    for name in names:
        rows.add({"method": name}, partial(bench.row, name, name), [name])
    for method, name, text in published(chosen.zoo) if chosen.zoo else ():
        rows.add({"method": name}, partial(bench.row, name, text), [method])
    if not chosen.zoo:
        rows.rows += [row for row in rows.before if not any(row["method"] == one["method"] for one in rows.rows)]
    rows.write("Detection on MSRS27", NOTE)


def published(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Method, what its row is called, and what to run, for every file of weights (or folder of one's parts)."""
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        whole = recognised(str(place))
        if whole is None or whole.published is None:
            raise SystemExit(f"{place} holds no network that irvis knows")
        if len(whole.published.marks) > 1:
            yield whole.name, whole.name, f"{whole.name}:{place}"
            continue
        files = sorted(path for path in place.iterdir() if path.suffix in SUFFIXES)
        for path in files:
            yield whole.name, f"{whole.name}, {path.stem}" if len(files) > 1 else whole.name, f"{whole.name}:{path}"


def gray(visible: RGB, infrared: Gray) -> RGB:
    """What the infrared camera gives; the method `infrared` lends it the colours of the visible picture."""
    return infrared.expand_as(visible)


class Bench:
    """The pairs, what is on them, and the detector."""

    def __init__(self, data: Path, threads: int) -> None:
        self.pairs = match(data / "test" / "MSRS27").pairs
        self.names = [pair.name for pair in self.pairs]
        self.network = detector.load(data / "detection" / "yolox_nano.onnx", threads=threads)
        sizes = dict.fromkeys(self.names, SIZE)
        truth = labels.read(data / "detection" / "MSRS27_labels", sizes, self.network.classes)
        self.truth = [truth[name] for name in self.names]
        self.times = np.concatenate([np.ones((1, len(self.names))), scoring.draws(self.names, DRAWS)])
        self.precision = cache(self.precision)

    def row(self, name: str, text: str) -> dict[str, object]:
        """AP50 of each class, of both, and of both over the better camera."""
        values = self.precision(text)
        mean = np.mean([*values.values()], 0)
        change = mean - np.mean([*self.precision("visible").values()], 0)
        each = {f"AP50 {kind}": _told(value) for kind, value in values.items()}
        return {"method": name, **each, "AP50, both": _told(mean), "over visible": _told(change, sign="+")}

    @torch.inference_mode()
    def precision(self, text: str) -> dict[str, Array]:
        """Class → average precision on all pictures, then on every draw of them, of the method's 8-bit pictures."""
        fuse = gray if text == "infrared" else creation.fuser(text.removesuffix(COLOURED))
        found = []
        for files in self.pairs:
            pair = io.read_pair(files.visible, files.infrared)
            found.append(self.network((fuse(pair.visible, pair.infrared) * 255).round() / 255))
        return {kind: self._scored(found, kind) for kind in KINDS}

    def _scored(self, found: Sequence[Boxes], kind: str) -> Array:
        place = self.network.classes.index(kind)
        return scoring.precision(scoring.count(found, self.truth, place, 0.5), self.times)


def _told(values: Array, sign: str = "") -> str:
    low, high = np.quantile(values[1:], (0.025, 0.975))
    return f"{values[0]:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"


if __name__ == "__main__":
    main()
