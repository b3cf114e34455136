"""What a pretrained encoder is worth to MaeFuse: random weights, our masked autoencoder, and DINOv2, each frozen.

Trains `maefuse-ablation-encoder` on the folders named for each (or finds finished runs in --runs): a decoder first,
then both modules. --own is what `maefuse-tiny` leaves after its first stage (masked autoencoding alone), --dinov2 what
`benchmarks/dinov2.py` writes. Reports how well the decoder draws the validation pairs' images (PSNR), and EN, CC, SCD
and the block pattern of the fused ones.
"""

from dataclasses import replace
from pathlib import Path

import torch

from ablations import FOLDERS
from common import FIGURES, HERE, arguments, write
from irvis import creation
from irvis.color import luma
from irvis.demo import embedded
from irvis.sheet import around, largest, save, sheet
from irvis.training import loop, recipe, sources, starting
from maefuse_ablations import judged

TINY = {"size": "tiny", "patch": 8, "blocks": 6}
LARGER = {"size": "small", "patch": 14, "blocks": 12, "grid": 37}
"""DINOv2 ViT-S/14."""


def main() -> None:
    runs = HERE.parent / "runs"
    chosen = arguments(
        __doc__,
        runs={"type": Path, "default": runs / "maefuse-encoders"},
        own={"type": Path, "default": runs / "maefuse" / "stage1.safetensors"},
        dinov2={"type": Path, "default": runs / "dinov2.safetensors"},
    )
    encoders = {
        "random": (TINY, None),
        "masked autoencoder": (TINY, chosen.own),
        "DINOv2 ViT-S/14": (LARGER, chosen.dinov2),
    }
    rows = [row_of(name, options, encoder, chosen) for name, (options, encoder) in encoders.items()]
    draw(chosen.runs, encoders)
    plan = recipe.load("maefuse-ablation-encoder")
    steps = [sum(stage.epochs * stage.steps for stage in part) for part in (plan.stages[:1], plan.stages[1:])]
    note = (
        f"{steps[0]} steps for the decoder, {steps[1]} for the modules, {plan.stages[0].batch} crops each, seed 0, one "
        "run each; validation pairs, luma. The encoder never learns. DINOv2 is larger and has patches of 14 pixels, "
        "the others of 8: only the first two rows differ in nothing but the training of the encoder.\n\n"
        "![pictures](../figures/maefuse-encoders.png)"
    )
    write("maefuse_encoders", rows, "MaeFuse on frozen encoders", note)


def folder(name: str) -> str:
    return name.lower().replace(",", "").replace(" ", "-").replace("/", "-")


def row_of(name: str, options: dict[str, object], encoder: Path | None, chosen) -> dict[str, object]:
    """Train (or find) one and judge it on whole validation pairs."""
    plan = recipe.load("maefuse-ablation-encoder")
    plan = replace(plan, options={**plan.options, **options})
    folders = [chosen.data / "train" / each for each in FOLDERS]
    found = sources.gather(plan.data, folders, images=[chosen.data / "train" / "single"], seed=plan.seed)
    out = chosen.runs / folder(name)
    if not (out / "done").is_file():
        start = starting.filler("maefuse", None, encoder) if encoder else None
        loop.train(plan, found, out, precision="bf16", resume=True, start=start)
        (out / "done").touch()
    fuser = creation.create("maefuse", weights=out / "last.safetensors")
    sums: dict[str, float] = {}
    count = len(found.validation)
    for index in range(count):
        pair = found.validation[index]
        values = {"PSNR of drawn images": drawn(fuser, *pair), **judged(fuser, *pair)}
        for key, value in values.items():
            sums[key] = sums.get(key, 0.0) + value / count
    print(name, sums, flush=True)
    return {"encoder": name, **sums}


@torch.inference_mode()
def drawn(fuser, visible: torch.Tensor, infrared: torch.Tensor) -> float:
    """PSNR of what the decoder draws of the encoder's features of each image alone, in dB."""
    patch = fuser.spec.multiple
    rows, columns = (side // patch * patch for side in visible.shape[-2:])
    planes = torch.cat([luma(visible), infrared])[..., :rows, :columns]
    error = (fuser.core.reconstruction(planes).clamp(0, 1) - planes).square().mean((1, 2, 3))
    return (-10 * error.log10()).mean().item()


@torch.inference_mode()
def draw(runs: Path, names) -> None:
    """The embedded scene by each."""
    pair, sign, people = embedded()
    pictures = {"visible": pair.visible, "infrared": pair.infrared}
    for name in names:
        fuser = creation.create("maefuse", weights=runs / folder(name) / "last.safetensors")
        pictures[name] = fuser(pair.visible, pair.infrared)
    save(
        sheet(pictures, [around(sign), around(largest(people))], columns=3, width=380), FIGURES / "maefuse-encoders.png"
    )


if __name__ == "__main__":
    main()
