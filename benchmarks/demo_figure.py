"""Draw docs/figures/demo.png, the picture in the README: the embedded pair and what the default weights make of it."""

import torch

from common import FIGURES, arguments
from irvis import creation
from irvis.demo import embedded
from irvis.sheet import around, largest, save, sheet


@torch.inference_mode()
def main() -> None:
    arguments(__doc__)
    pair, sign, people = embedded()
    pictures = {
        "visible": pair.visible,
        "infrared": pair.infrared,
        "fused": creation.fuser("encdec")(pair.visible, pair.infrared),
    }
    save(sheet(pictures, [around(sign), around(largest(people))], width=480), FIGURES / "demo.png")


if __name__ == "__main__":
    main()
