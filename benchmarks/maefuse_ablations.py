"""Guided training against its alternatives: every recipe `maefuse-ablation-*`, from one encoder and decoder.

Trains each on the folders named (or finds finished runs in --runs), starting from --start, the weights that
`maefuse-tiny` leaves after its third stage. Reports EN, CC, SCD and the block pattern on the validation pairs of the
training folders, the losses on the way (figures 5 and 9 of the paper), and the pictures of the embedded scene (figures
1, 6, 8, 10, 11).
"""

import csv
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ablations import FOLDERS
from common import FIGURES, HERE, arguments, write
from irvis import creation
from irvis.demo import embedded
from irvis.metrics import measure
from irvis.sheet import around, largest, save, sheet
from irvis.training import loop, recipe, sources, starting
from maefuse import METRICS, pattern

NAMES = ("base", "one-stage", "open", "batch", "pointwise", "pointwise-one-stage")


def main() -> None:
    chosen = arguments(
        __doc__,
        runs={"type": Path, "default": HERE.parent / "runs" / "maefuse-ablations"},
        start={"type": Path, "default": HERE.parent / "runs" / "maefuse" / "stage3.safetensors"},
    )
    rows = [row_of(name, chosen) for name in NAMES]
    curves(chosen.runs)
    modules(chosen.runs)
    options(chosen.runs)
    plan = recipe.load("maefuse-ablation-base")
    steps = sum(stage.epochs * stage.steps for stage in plan.stages)
    note = (
        f"{steps} steps of {plan.stages[0].batch} crops each, seed 0, one run each; validation pairs, luma. The "
        "encoder and the decoder are the same frozen ones.\n\n"
        "![training](../figures/maefuse-curves.png)\n\nThe fusion losses on the validation pairs.\n\n"
        "![modules](../figures/maefuse-modules.png)\n\nThe mean of both images' features; then, with attention over "
        "all patches and over the same patch: CFM aligned only; CFM trained; everything; and what one stage without "
        "alignment gives.\n\n"
        "![options](../figures/maefuse-options.png)\n\nInfrared gamma, and the infrared features as guide."
    )
    write("maefuse_ablations", rows, "Guided training of MaeFuse against its alternatives", note)


def row_of(name: str, chosen) -> dict[str, object]:
    """Train (or find) one recipe and judge it on whole validation pairs."""
    plan = recipe.load(f"maefuse-ablation-{name}")
    found = sources.gather(plan.data, [chosen.data / "train" / folder for folder in FOLDERS], seed=plan.seed)
    out = chosen.runs / name
    if not (out / "done").is_file():
        start = starting.filler("maefuse", chosen.start, None)
        loop.train(plan, found, out, precision="bf16", resume=True, start=start)
        (out / "done").touch()
    fuser = creation.create("maefuse", weights=out / "last.safetensors")
    sums: dict[str, float] = {}
    for index in range(len(found.validation)):
        for key, value in judged(fuser, *found.validation[index]).items():
            sums[key] = sums.get(key, 0.0) + value / len(found.validation)
    print(name, sums, flush=True)
    return {"recipe": f"maefuse-ablation-{name}", **sums}


@torch.inference_mode()
def judged(fuser, visible: Tensor, infrared: Tensor) -> dict[str, float]:
    fused = (fuser(visible, infrared) * 255).round() / 255
    values = {key: value.item() for key, value in measure(fused, visible, infrared, metrics=METRICS).items()}
    patch = fuser.spec.multiple
    plain = pattern((visible.mean(1, keepdim=True) + infrared) / 2, patch)
    return {**values, "block pattern": pattern(fused.mean(1, keepdim=True), patch) / plain}


def curves(runs: Path) -> None:
    """The validation losses of every recipe's fusing steps, over all steps of its training."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for name in NAMES:
        stages = recipe.load(f"maefuse-ablation-{name}").stages
        before = [sum(s.epochs * s.steps for s in stages[:n]) for n in range(len(stages))]
        with (runs / name / "log.csv").open() as file:
            points = [
                (before[int(row["stage"])] + int(row["step"]), float(row["value"]))
                for row in csv.DictReader(file)
                if row["kind"] == "validation" and row["term"] == "total"
                and stages[int(row["stage"])].step.startswith("fuse")
            ]  # fmt: skip
        axes.plot(*zip(*points, strict=True), "o-", ms=4, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("intensity + 5 gradient, validation")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(FIGURES / "maefuse-curves.png", dpi=110)


def modules(runs: Path) -> None:
    """Figures 1, 6, 8: what each module gives at each point of the training, with either attention."""
    views: dict[str, tuple[Path, dict[str, object]]] = {
        "mean of features": (runs / "base" / "last.safetensors", {"fusion": "mean"})
    }
    for kind, two, one in (("token", "base", "one-stage"), ("pointwise", "pointwise", "pointwise-one-stage")):
        views |= {
            f"{kind}: CFM aligned": (runs / two / "stage1.safetensors", {"fusion": "cfm"}),
            f"{kind}: CFM trained": (runs / two / "stage2.safetensors", {"fusion": "cfm"}),
            f"{kind}: MFM trained": (runs / two / "last.safetensors", {}),
            f"{kind}: one stage": (runs / one / "last.safetensors", {}),
        }
    draw(views, FIGURES / "maefuse-modules.png")


def options(runs: Path) -> None:
    """Figures 10 and 11: infrared gamma, and the infrared features as guide (that needs attention over all patches)."""
    last = runs / "pointwise" / "last.safetensors"
    views = {f"gamma {gamma}": (last, {"infrared_gamma": gamma}) for gamma in (1.0, 0.8, 0.6, 0.4)}
    token = {
        f"token, {guide} guide": (runs / "base" / "last.safetensors", {"guide": guide}) for guide in ("cfm", "infrared")
    }
    draw({**views, **token}, FIGURES / "maefuse-options.png")


@torch.inference_mode()
def draw(views: dict[str, tuple[Path, dict[str, object]]], path: Path) -> None:
    """The embedded scene by different weights and options."""
    pair, sign, people = embedded()
    pictures = {"visible": pair.visible, "infrared": pair.infrared}
    for name, (weights, facts) in views.items():
        pictures[name] = creation.create("maefuse", weights=weights, **facts)(pair.visible, pair.infrared)
    save(sheet(pictures, [around(sign), around(largest(people))], columns=4, width=300), path)


if __name__ == "__main__":
    main()
