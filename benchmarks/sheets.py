"""Picture sheets of every real test set at full size, and the paper's zooms drawn anew (VIFB carWhite, fight, labMan).

They show other people's images, so they go to the ignored folder runs/pictures and are never committed.
"""

import torch

from common import PICTURES, SETS, arguments
from irvis import creation, io
from irvis.data.matching import match
from irvis.methods import METHODS
from irvis.sheet import Box, save, sheet

ZOOMS = {
    "carWhite": (Box(230, 0, 400, 110), Box(90, 110, 200, 180)),
    "fight": (Box(165, 135, 275, 210), Box(255, 170, 345, 230)),
    "labMan": (Box(200, 80, 340, 200), Box(170, 170, 370, 300)),
}


@torch.inference_mode()
def main() -> None:
    chosen = arguments(__doc__, methods={"help": "by commas"}, sets={"default": ",".join(SETS)})
    shipped = [f"encdec:{name}" for name in METHODS["encdec"].weights]
    names = chosen.methods.split(",") if chosen.methods else ["laplacian", *shipped]
    for each in chosen.sets.split(","):
        for files in match(chosen.data / "test" / each).pairs:
            pictures, _ = fused(files, names)
            width = next(iter(pictures.values())).shape[-1]
            save(sheet(pictures, columns=3, width=width), PICTURES / each / f"{files.name}.png")
    zooms(chosen.data, names)


def fused(files, names) -> tuple[dict[str, torch.Tensor], io.Pair]:
    """Both sources and every method's picture."""
    pair = io.read_pair(files.visible, files.infrared)
    pictures = {"visible": pair.visible, "infrared": pair.infrared}
    return pictures | {name: creation.fuser(name)(pair.visible, pair.infrared) for name in names}, pair


def zooms(data, names) -> None:
    """The paper's Fig. 3: four published methods and ours, with the details below."""
    for files in match(data / "test" / "VIFB").pairs:
        if files.name not in ZOOMS:
            continue
        pictures, _ = fused(files, names)
        for peer in ("GFF", "HMSD_GF", "Hybrid_MSD", "TIF"):
            pictures[f"{peer}, published"] = io.read_visible(data / "peers" / "VIFB" / peer / f"{files.name}.jpg")[0]
        save(sheet(pictures, ZOOMS[files.name], columns=4, width=420), PICTURES / "zooms" / f"{files.name}.png")


if __name__ == "__main__":
    main()
