"""Compares metrics with the numbers of the field's own codes, where the folder that holds them exists."""

import json
import math
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor


def golden_folder() -> Path:
    """The folder of reference numbers; skips the test where there is none."""
    folder = Path(os.environ.get("IRVIS_GOLDEN", Path(__file__).parents[2] / "shared" / "golden"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here; set IRVIS_GOLDEN to the folder that holds these files")
    return folder


@cache
def _numbers(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "golden.json").read_text())


@cache
def _picture(path: Path) -> Tensor:
    pixels = torch.from_numpy(np.array(Image.open(path)))
    return (pixels if pixels.ndim == 3 else pixels[..., None]).permute(2, 0, 1)[None] / 255


def disagreements(
    folder: Path, references: list[tuple[str, str]], metric: Callable[..., Tensor], except_for: tuple[str, ...] = ()
) -> list[str]:
    """The triples, but for those named, where a finite reference number is missed by more than a millionth."""
    numbers, compared, found = _numbers(folder), 0, []
    for triple, paths in numbers["triples"].items():
        known = [(suite, name, numbers["values"][suite].get(triple, {}).get(name)) for suite, name in references]
        known = [(*names, value) for *names, value in known if isinstance(value, float | int) and math.isfinite(value)]
        if not known or triple in except_for:
            continue
        got = metric(*(_picture(folder / paths[role]) for role in ("fused", "vi", "ir"))).item()
        compared += len(known)
        for suite, name, value in known:
            if not math.isclose(got, value, rel_tol=1e-6, abs_tol=1e-12):
                found.append(f"{suite} {name} {triple}: {got}, not {value}")
    assert compared, f"no finite reference number of {references}"
    return found
