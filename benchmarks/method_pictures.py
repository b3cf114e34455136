"""Draw the pictures of docs/learn/choose-a-method.md: one synthetic street under six conditions, each by four methods.

`python benchmarks/method_pictures.py [NAME …]` draws all, or those named.
"""

import argparse

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from drawing import NOON, page, street
from irvis import creation
from irvis.data.scene import Conditions

SIZE, WIDTH = (288, 384), 300
METHODS = ("encdec", "hybrid-msd", "laplacian", "max")
CASES = {
    "day": NOON,
    "night": Conditions(darkness=0.9, glare=0.3),
    "glare": Conditions(darkness=0.9, glare=1.0),
    "noise": Conditions(darkness=1.0, glare=0.2, noise=4.0),
    "thermal": Conditions(),
    "near-infrared": Conditions(spectrum="near-infrared"),
}
COARSE = 4
"""Visible pixels across one pixel of the thermal camera."""


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *CASES], help="pictures; all if none is named")
    torch.set_num_threads(1)
    for name in parser.parse_args().names or CASES:
        visible, infrared = street(size=SIZE, conditions=CASES[name]).tensors()
        infrared = coarse(infrared) if name == "thermal" else infrared
        pictures = {"visible": visible, "infrared": infrared}
        pictures |= {method: creation.fuser(method)(visible, infrared) for method in METHODS}
        page(f"method-{name}", pictures, columns=3, width=WIDTH, colours=128)


def coarse(infrared: Tensor) -> Tensor:
    """As a small sensor sees it, brought to the visible size."""
    few = interpolate(infrared, scale_factor=1 / COARSE, mode="area")
    return interpolate(few, size=infrared.shape[-2:], mode="bicubic", align_corners=False).clamp(0, 1)


if __name__ == "__main__":
    main()
