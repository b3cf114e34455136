"""How each method keeps the sign and the pedestrians as the weather gets worse, and on another spectrum.

Fog, rain, darkness and glare grow from nothing to the most that the scenes know (the encoder-decoder paper's open
question 3); near infrared stands for its open question 1. Contrasts as in `first_experiments.py`, but absolute: in gray
levels of 255, since the sources themselves lose theirs.
"""

import matplotlib
import torch

from common import FIGURES, Row, Rows, arguments
from first_experiments import SIZE, contrast, ring
from irvis import creation
from irvis.color import luma
from irvis.data.scene import Conditions, scene
from irvis.methods import METHODS

matplotlib.use("Agg")
from matplotlib import pyplot

SWEEPS, LEVELS = ("fog", "rain", "darkness", "glare"), {"none": 0.0, "half": 0.5, "most": 1.0}
PARTS = ("letters", "pedestrians")
SEEDS = range(200, 203)
SPECTRA = ("thermal", "near-infrared")


def main() -> None:
    rows = Rows("conditions", arguments(__doc__))
    shipped = [f"encdec:{name}" for name in METHODS["encdec"].weights]
    names = ["visible", "infrared", "average", "laplacian", *shipped]
    for what in (*SWEEPS, *SPECTRA):
        keys = [{"method": name, "condition": what} for name in names]
        rows.several(keys, swept, lambda key: [key["method"]])
    drawn(names, rows.rows)
    note = (
        "Contrast in gray levels of 255, mean of three scenes: letters against their board, pedestrians against the "
        "ground beside them. Other conditions as in `Conditions()`: night.\n\n![conditions](../figures/conditions.png)"
    )
    rows.write("Fog, rain, darkness, glare, and near infrared", note)


def swept(keys: list[Row]) -> list[Row]:
    """The rows of several methods under one condition."""
    what, names = keys[0]["condition"], [key["method"] for key in keys]
    asked = (
        {level: {what: value} for level, value in LEVELS.items()} if what in SWEEPS else {"none": {"spectrum": what}}
    )
    rows = {key["method"]: dict(key) for key in keys}
    for level, facts in asked.items():
        for name, both in kept(names, Conditions(**facts)).items():
            rows[name] |= {f"{part}, {level}": value for part, value in zip(PARTS, both, strict=True)}
    return list(rows.values())


def drawn(names: list[str], rows: list[Row]) -> None:
    """Contrasts over each condition, a line per method."""
    figure, axes = pyplot.subplots(2, len(SWEEPS), figsize=(4 * len(SWEEPS), 6.4), sharey="row", squeeze=False)
    found = {(row["method"], row["condition"]): row for row in rows}
    for column, what in enumerate(SWEEPS):
        for line, part in enumerate(PARTS):
            axes[line, column].set_title(f"{part}, {what}", fontsize=10)
            for name in names:
                values = [found[name, what][f"{part}, {level}"] for level in LEVELS]
                axes[line, column].plot(list(LEVELS.values()), values, label=name)
    for line in axes:
        line[0].set_ylabel("contrast, gray levels of 255")
    axes[0, -1].legend(fontsize=7, loc="center right")
    FIGURES.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(FIGURES / "conditions.png", dpi=80)


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
            fused = luma(creation.fuser(name)(visible, infrared))
            for n, (inside, outside) in enumerate(((letters, board), (people, beside))):
                sums[name][n] += 255 * abs(contrast(fused, inside, outside)) / len(SEEDS)
    return {name: (both[0], both[1]) for name, both in sums.items()}


if __name__ == "__main__":
    main()
