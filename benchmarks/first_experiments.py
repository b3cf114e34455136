"""The three experiments that one would do first, on synthetic scenes, where the truth is known.

1. What only one camera sees must be in the fused picture: the contrast of the sign's letters (visible only) and of the
   pedestrians (infrared only), as a share of the contrast in the picture that shows them.
2. Trained with Qw alone: see `ablations.py`, rows "base" and "qw-only".
3. Swapped inputs: how much the result changes when infrared enters as visible and visible as infrared (gray, mean
   absolute difference in gray levels of 255); 0 = the method treats both alike.
"""

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from common import Rows, arguments
from irvis import creation
from irvis.color import luma
from irvis.data.scene import scene
from irvis.methods import METHODS

SEEDS, SIZE = range(100, 110), (480, 640)


def main() -> None:
    rows = Rows("first_experiments", arguments(__doc__))
    names = ["average", "max", "visible", "infrared", "laplacian", *(f"encdec:{n}" for n in METHODS["encdec"].weights)]
    for name in names:
        rows.add({"method": name}, lambda name=name: row_of(name), [name])
    note = (
        "Means over ten scenes at night. 1 = the contrast of the source that shows it, with its sign; 0 = gone; "
        "negative = inverted."
    )
    rows.write("First experiments: is what one camera sees kept?", note)


def row_of(name: str) -> dict[str, object]:
    kept = [experiment(name, seed) for seed in SEEDS]
    columns = ("letters kept", "pedestrians kept", "change when swapped")
    return {"method": name} | {c: sum(k[n] for k in kept) / len(kept) for n, c in enumerate(columns)}


@torch.inference_mode()
def experiment(name: str, seed: int) -> tuple[float, float, float]:
    """Share of the letters' and of the pedestrians' contrast that is kept, and the change when inputs are swapped."""
    drawn = scene(seed, SIZE)
    visible, infrared = drawn.tensors()
    plane, fuser = luma(visible), creation.fuser(name)
    fused = luma(fuser(visible, infrared))
    letters, board = torch.from_numpy(drawn.letters), torch.from_numpy(drawn.sign & ~drawn.letters)
    people = torch.from_numpy(drawn.people)
    beside = ring(people)
    kept = [
        contrast(fused, inside, outside) / contrast(source, inside, outside)
        for source, inside, outside in ((plane, letters, board), (infrared, people, beside))
    ]
    gray = fuser(plane.expand(-1, 3, -1, -1), infrared)
    swapped = fuser(infrared.expand(-1, 3, -1, -1), plane)
    return kept[0], kept[1], 255 * float((gray - swapped).abs().mean())


def contrast(image: Tensor, inside: Tensor, outside: Tensor) -> float:
    """Mean inside less mean outside."""
    return float(image[0, 0][inside].mean() - image[0, 0][outside].mean())


def ring(mask: Tensor, inner: int = 3, outer: int = 10) -> Tensor:
    """The pixels at a distance of `inner` to `outer` from a mask (h, w)."""
    grown = [max_pool2d(mask[None, None].float(), 2 * d + 1, 1, d)[0, 0] > 0 for d in (inner, outer)]
    return grown[1] & ~grown[0]


if __name__ == "__main__":
    main()
