"""How each method keeps the sign and the pedestrians as the weather gets worse, and on another spectrum.

Fog, rain, darkness and glare grow from nothing to the most that the scenes know (the encoder-decoder paper's open
question 3); near infrared stands for its open question 1. Contrasts as in `first_experiments.py`, but absolute: in gray
levels of 255, since the sources themselves lose theirs.
"""

import matplotlib
import torch

from common import FIGURES, arguments, write
from first_experiments import SIZE, contrast, ring
from irvis import api
from irvis.color import luma
from irvis.data.scene import Conditions, scene
from irvis.methods import METHODS

matplotlib.use("Agg")
from matplotlib import pyplot

SWEEPS = {
    "fog": (0.0, 0.5, 1.0),
    "rain": (0.0, 0.5, 1.0),
    "darkness": (0.0, 0.5, 1.0),
    "glare": (0.0, 0.5, 1.0),
}
SEEDS = range(200, 203)
SPECTRA = ("thermal", "near-infrared")


def main() -> None:
    arguments(__doc__)
    shipped = [f"encdec:{name}" for name in METHODS["encdec"].weights]
    names = ["visible", "infrared", "average", "laplacian", *shipped]
    rows = []
    figure, axes = pyplot.subplots(2, len(SWEEPS), figsize=(4 * len(SWEEPS), 6.4), sharey="row", squeeze=False)
    for column, (what, levels) in enumerate(SWEEPS.items()):
        scores = {level: kept(names, Conditions(**{what: level})) for level in levels}
        for name in names:
            for line, part in enumerate(("letters", "pedestrians")):
                axes[line, column].plot(levels, [scores[level][name][line] for level in levels], label=name)
                axes[line, column].set_title(f"{part}, {what}", fontsize=10)
            first, last = scores[levels[0]][name], scores[levels[-1]][name]
            rows.append({"method": name, "condition": what} | _columns(first, "none") | _columns(last, "most"))
            print(rows[-1], flush=True)
    for spectrum in SPECTRA:
        for name, both in kept(names, Conditions(spectrum=spectrum)).items():
            rows.append({"method": name, "condition": spectrum} | _columns(both, "none"))
    for line in axes:
        line[0].set_ylabel("contrast, gray levels of 255")
    axes[0, -1].legend(fontsize=7, loc="center right")
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(FIGURES / "conditions.png", dpi=80)
    note = (
        "Contrast in gray levels of 255, mean of three scenes: letters against their board, pedestrians against the "
        "ground beside them. Other conditions as in `Conditions()`: night.\n\n![conditions](../figures/conditions.png)"
    )
    write("conditions", rows, "Fog, rain, darkness, glare, and near infrared", note)


@torch.inference_mode()
def kept(names: list[str], conditions: Conditions) -> dict[str, tuple[float, float]]:
    """Mean contrast of letters and pedestrians in each method's pictures."""
    sums = {name: [0.0, 0.0] for name in names}
    for seed in SEEDS:
        drawn = scene(seed, SIZE, conditions)
        visible, infrared = drawn.tensors()
        letters, board = torch.from_numpy(drawn.letters), torch.from_numpy(drawn.sign & ~drawn.letters)
        people = torch.from_numpy(drawn.people)
        beside = ring(people)
        for name in names:
            fused = luma(api.fuser(name)(visible, infrared))
            for n, (inside, outside) in enumerate(((letters, board), (people, beside))):
                sums[name][n] += 255 * abs(contrast(fused, inside, outside)) / len(SEEDS)
    return {name: (both[0], both[1]) for name, both in sums.items()}


def _columns(both: tuple[float, float], level: str) -> dict[str, float]:
    return {f"letters, {level}": both[0], f"pedestrians, {level}": both[1]}


if __name__ == "__main__":
    main()
