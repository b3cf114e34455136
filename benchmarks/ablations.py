"""The ablations of the encoder-decoder network: one short training each, all alike but for the thing that is changed.

Trains every recipe `encdec-ablation-*` on the folders named (or finds finished runs in --runs) and reports Qw and Qe on
the validation pairs of the training folders: the test sets take no part.
"""

from pathlib import Path

import torch

from common import FIGURES, HERE, arguments, write
from irvis import creation
from irvis.color import luma
from irvis.demo import embedded
from irvis.losses import qe_index, qw_index
from irvis.sheet import around, largest, save, sheet
from irvis.training import loop, recipe, sources

FOLDERS = ("RoadScene", "TNO", "MSRS", "video/M3SVD_0115_1834", "video/M3SVD_0115_1847")


def main() -> None:
    chosen = arguments(__doc__, runs={"type": Path, "default": HERE.parent / "runs" / "ablations"})
    plans = [recipe.load(path) for path in recipe.shipped() if path.stem.startswith("encdec-ablation-")]
    rows = [row_of(plan, chosen) for plan in sorted(plans, key=lambda plan: plan.name != "encdec-ablation-base")]
    steps = plans[0].stages[0].epochs * plans[0].stages[0].steps
    note = (
        f"Width 16, {steps} steps of {plans[0].stages[0].batch} crops of 128×128, seed 0, on the validation pairs. "
        "One seed each: differences below 0.005 say nothing. Levels: how far the mean luma lies from that of the mean "
        "of both sources, in gray levels of 255 (large = the brightness has drifted)."
    )
    note += "\n\n![ablations](../figures/ablations.png)\n\nThe embedded scene, as each of them fuses it."
    draw([plan.name for plan in plans], chosen.runs)
    write("ablations", rows, "Ablations of the encoder-decoder network", note)


@torch.inference_mode()
def draw(names: list[str], runs: Path) -> None:
    """One sheet: the embedded pair and every ablation's picture of it."""
    pair, sign, people = embedded()
    pictures = {"visible": pair.visible, "infrared": pair.infrared}
    for name in names:
        fuser = creation.create("encdec", weights=runs / name / "best.safetensors")
        pictures[name.removeprefix("encdec-ablation-")] = fuser(pair.visible, pair.infrared)
    save(sheet(pictures, [around(sign), around(largest(people))], columns=4, width=250), FIGURES / "ablations.png")


def row_of(plan: recipe.Recipe, chosen) -> dict[str, object]:
    """Train (or find) one recipe and judge it on whole validation pairs."""
    found = sources.gather(plan.data, [chosen.data / "train" / name for name in FOLDERS], seed=plan.seed)
    out = chosen.runs / plan.name
    best = out / "best.safetensors"
    if not (out / "done").is_file():
        best = loop.train(plan, found, out, precision="bf16", resume=True)
        (out / "done").touch()
    fuser = creation.create(plan.method, weights=best)
    sums = torch.zeros(3)
    with torch.inference_mode():
        for index in range(len(found.validation)):
            visible, infrared = found.validation[index]
            fused = (fuser(visible, infrared) * 255).round() / 255
            drift = 255 * (luma(fused) - (luma(visible) + infrared) / 2).mean().abs()
            sums += torch.stack([qw_index(fused, visible, infrared)[0], qe_index(fused, visible, infrared)[0], drift])
    means = dict(zip(("Qw", "Qe", "levels"), (sums / len(found.validation)).tolist(), strict=True))
    parameters = sum(p.numel() for p in fuser.parameters())
    row = {"recipe": plan.name, "changed": plan.about.removeprefix("Ablation: ").split(".")[0].strip(), **means}
    print(row | {"parameters": f"{parameters:,}"}, flush=True)
    return row | {"parameters": f"{parameters:,}"}


if __name__ == "__main__":
    main()
