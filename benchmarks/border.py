"""What the border of a picture costs: zeros against the repeated border.

A window of 256×256 is cut out of a scene and fused; the same window is cut out of the fused scene, where the network
saw what lies around it. The difference (mean over the outer 4 px, and over the rest, in gray levels of 255) is what the
padding invents.
"""

import torch

from common import Rows, arguments
from irvis import creation
from irvis.color import luma
from irvis.data.scene import random_conditions, scene
from irvis.methods import METHODS

WINDOW = (slice(112, 368), slice(192, 448))
SEEDS, RIM = range(300, 308), 4


@torch.inference_mode()
def main() -> None:
    rows = Rows("border", arguments(__doc__))
    for name in METHODS["encdec"].weights:
        for padding in ("replicate", "zero"):
            if padding == "zero" and METHODS["encdec"].weights[name].options.get("output") == "gains":
                continue  # it repeats the border whatever is asked
            key = {"weights": name, "padding": padding}
            rows.add(key, lambda key=key: key | costs(**key), [f"encdec:{name}"])
    note = (
        "Gray levels of 255, mean of eight scenes; smaller is better. All these weights were trained with the repeated "
        "border: trained with zeros, the network would make up for part of the difference."
    )
    rows.write("What the border costs", note)


def costs(weights: str, padding: str) -> dict[str, float]:
    """Mean change in the outer pixels, and inside."""
    fuser, sums = creation.fuser(f"encdec:{weights}:padding={padding}"), torch.zeros(2)
    for seed in SEEDS:
        visible, infrared = scene(seed, (480, 640), random_conditions(seed)).tensors()
        whole = luma(fuser(visible, infrared))[:, :, *WINDOW]
        alone = luma(fuser(visible[:, :, *WINDOW], infrared[:, :, *WINDOW]))
        change = 255 * (whole - alone).abs()[0, 0]
        inside = change[RIM:-RIM, RIM:-RIM]
        rim = (change.sum() - inside.sum()) / (change.numel() - inside.numel())
        sums += torch.stack([rim, inside.mean()]) / len(SEEDS)
    return {"outer 4 px": float(sums[0]), "inside": float(sums[1])}


if __name__ == "__main__":
    main()
