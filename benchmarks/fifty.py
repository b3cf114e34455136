"""Train on fifty pairs, as docs/learn/train.md says: the recipe is the page's own, the pairs are synthetic scenes.

Fifty scenes are written as files and trained on, from the shipped tiny weights and from random ones; ten others are
judged. The figure shows one of these ten.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor

from common import HERE, Row, Rows, arguments
from drawing import page
from irvis import creation, io
from irvis.data.scene import random_conditions, scene
from irvis.metrics import measure

PAIRS, JUDGED, SIZE = 50, 10, (240, 320)
METRICS = ("Qw", "Qe", "Qabf", "VIF", "CC")
SHOWN = 54
TRAINED = {"fifty pairs, from tiny": ["--start", "tiny"], "fifty pairs, from nothing": []}


def main() -> None:
    rows = Rows("fifty", arguments(__doc__ or ""))
    for name, method in {"tiny, as shipped": "encdec:tiny", "default, as shipped": "encdec"}.items():
        rows.add({"weights": name}, lambda name=name, method=method: row(name, method, 0.0) | {"ended": ""}, [method])
    keys = [{"weights": name} for name in TRAINED]
    rows.several(keys, trained, lambda key: ["encdec:tiny"] if "tiny" in key["weights"] else [])
    note = (
        f"{PAIRS} synthetic scenes of {SIZE[1]}×{SIZE[0]} pixels, day to night, all weathers; the last tenth "
        f"validates. Means over {JUDGED} other scenes. Seconds are those of the whole command `irvis train`, other "
        "work beside it. The recipe is the one in [Train](../learn/train.md).\n\n"
        "![One of the ten](../figures/learn-train.png)"
    )
    rows.write("Training on fifty pairs", note)


def trained(keys: list[Row]) -> list[Row]:
    """Train, judge, and draw all beside the shipped ones."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        drawn(place / "pairs")
        (place / "mine.toml").write_text(recipe())
        made = {key["weights"]: train(place, key["weights"], TRAINED[key["weights"]]) for key in keys}
        methods = {name: f"encdec:{file}" for name, (file, _, _) in made.items()}
        found = [row(name, methods[name], seconds) | {"ended": ended} for name, (_, seconds, ended) in made.items()]
        pictures({"tiny, as shipped": "encdec:tiny", "default, as shipped": "encdec", **methods})
    return found


def recipe() -> str:
    """The recipe that the page shows first."""
    text = (HERE.parent / "docs" / "learn" / "train.md").read_text()
    return re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0]


def drawn(folder: Path) -> None:
    for number in range(PAIRS):
        visible, infrared = scene(number, SIZE, random_conditions(number)).tensors()
        io.write(folder / "visible" / f"{number:03}.png", visible)
        io.write(folder / "infrared" / f"{number:03}.png", infrared)


def train(place: Path, name: str, words: list[str]) -> tuple[Path, float, str]:
    """The weights that come out, the seconds of the command, and why it stopped before its end."""
    out = place / name.split()[-1]
    command = ["train", "mine.toml", "--data", "pairs", "--out", str(out), "--precision", "bf16", *words]
    begun = perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "irvis.cli", *command], cwd=place, check=False, capture_output=True, text=True
    )
    said = done.stderr.strip().split("\n")[-1] if done.returncode else ""
    print(name, said)
    return out / "best.safetensors", perf_counter() - begun, said


@torch.inference_mode()
def row(name: str, method: str, seconds: float) -> dict[str, object]:
    values = []
    for number in range(PAIRS, PAIRS + JUDGED):
        visible, infrared = judged(number)
        fused = creation.fuser(method)(visible, infrared)
        values.append([float(value) for value in measure(fused, visible, infrared, metrics=METRICS).values()])
    means = torch.tensor(values).mean(0).tolist()
    return {"weights": name, **dict(zip(METRICS, means, strict=True)), "seconds": round(seconds) or ""}


def judged(number: int) -> tuple[Tensor, Tensor]:
    return scene(number, SIZE, random_conditions(number)).tensors()


@torch.inference_mode()
def pictures(methods: dict[str, str]) -> None:
    visible, infrared = judged(SHOWN)
    shown = {"visible": visible, "infrared": infrared}
    shown |= {name: creation.fuser(method)(visible, infrared) for name, method in methods.items()}
    page("learn-train", shown, columns=3)


if __name__ == "__main__":
    main()
