"""Detection on the 27 pairs of MSRS with labels: average precision of persons and cars, found by a small YOLOX.

    python benchmarks/detection.py --show encdec,runs/new/best.safetensors     methods or weights: printed, not kept
    python benchmarks/detection.py                                             every method, into docs/results

The boxes were drawn by others on their own fused pictures, and there are only 75 persons and 28 cars: differences
below a tenth say little.
"""

import torch

from common import Rows, arguments, every_method
from irvis import creation, io
from irvis.data.matching import Match, match
from irvis.evaluate.tasks import detector, labels, scoring

SIZE = 480, 640
NOTE = (
    "YOLOX-nano, 416×416. The boxes were drawn by others on their own fused pictures: 75 persons, 28 cars on 27 "
    "pictures, so that differences below a tenth say little. Average precision as COCO counts it, at an overlap of 0.5."
)


def main() -> None:
    chosen = arguments(__doc__, show=dict(metavar="METHODS", help="by commas: print these, keep nothing"))
    folder, pairs = chosen.data / "detection", match(chosen.data / "test" / "MSRS27").pairs
    network = detector.load(folder / "yolox_nano.onnx", threads=chosen.threads)
    truth = labels.read(folder / "MSRS27_labels", dict.fromkeys((pair.name for pair in pairs), SIZE), network.classes)
    if chosen.show:
        for name in chosen.show.split(","):
            _, *values = row_of(name, pairs, network, truth).items()
            print(name, *(f"{key} {value:.3f}" for key, value in values), sep="  ", flush=True)
        return
    rows = Rows("detection", chosen)
    for name in ["visible", "infrared", *(one for one in every_method() if one not in ("visible", "infrared"))]:
        rows.add({"method": name}, lambda name=name: row_of(name, pairs, network, truth), [name])
    rows.write("Detection on MSRS27", NOTE)


@torch.inference_mode()
def row_of(name: str, pairs: tuple[Match, ...], network: detector.Detector, truth: dict) -> dict[str, object]:
    """AP50 of each class, as the method's 8-bit pictures give it."""
    fuse, found = creation.fuser(name), []
    for files in pairs:
        pair = io.read_pair(files.visible, files.infrared)
        found.append(network((fuse(pair.visible, pair.infrared) * 255).round() / 255))
    true = [truth[files.name] for files in pairs]
    values = {
        f"AP50 {kind}": float(scoring.precision(scoring.count(found, true, network.classes.index(kind), 0.5))[0])
        for kind in ("person", "car")
    }
    return {"method": name, **values}


if __name__ == "__main__":
    main()
