"""Files of weights laid out as authors publish them, with values that the name of each tensor tells."""

import json
import runpy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def tensors(zoo: Path, name: str) -> dict[str, dict[str, Tensor]]:
    """Part of the network → the tensors of that part, under the authors' names."""
    layout = json.loads((zoo / name / "keys.json").read_text())
    made = runpy.run_path(str(zoo / "weights_recipe.py"))["tensor_for"]
    parts: dict[str, dict[str, Tensor]] = {}
    for key, shape in layout["keys"].items():
        part, _, inner = key.rpartition(":")
        recipe = layout["recipe"][part or "all"]
        first = layout.get("aliases", {}).get(inner, inner)
        values = made(recipe["prefix"] + first, shape, recipe["gain"])
        parts.setdefault(part, {})[inner] = torch.zeros(shape) if values is None else torch.from_numpy(values)
    return parts


def write(zoo: Path, name: str, folder: Path) -> Path:
    """The file, or the folder of files, of a network."""
    parts = tensors(zoo, name)
    if name == "rfnnest":
        for part, state in parts.items():
            torch.save(state, folder / f"{part}.model")
        return folder
    torch.save(_wrapped(name, parts), folder / "weights.pth")
    return folder / "weights.pth"


def _wrapped(name: str, parts: dict[str, dict[str, Tensor]]) -> Any:
    if name == "cddfuse":
        return {part: {f"module.{key}": x for key, x in state.items()} for part, state in parts.items()}
    state = parts[""]
    if name == "superfusion":
        return {"DM": {"refiner.weight": torch.zeros(1)}, "FN": state, "ep": 3}
    if name == "bdlfusion":
        return {**{f"enhance_net.{key}": x for key, x in state.items()}, "discriminator.net.0.weight": torch.zeros(1)}
    return {"deepfuse": {"model": state}, "defusion": {"epoch": 1, "state_dict": state}}.get(name, state)
