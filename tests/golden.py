"""Reference numbers: what the field's own codes returned on stored images, read from the folder of `golden_data`."""

import functools
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from irvis.metrics.maps import sharing

RELATIVE, ABSOLUTE = 1e-6, 1e-9
CANCELS = {("ivif_zoo_python", "VIF"): 1e-3}
"""Codes that subtract nearly equal numbers in float32: the order of summation shows (3.3e-4 with AVX2 alone)."""


SPREAD = ("vifb/walking2/DLF", "tno/08/SeAFusion", "vifb_rgb/walking2/DLF", "degenerate/", "fmi/")
"""Small triples of every suite: what the usual tests compare; the tests marked slow compare all."""


@dataclass(frozen=True)
class Golden:
    """The reference numbers of every triple, or of `SPREAD`."""

    folder: Path
    every: bool = False

    def holds(self, triple: str) -> bool:
        return self.every or triple.startswith(SPREAD)


@functools.cache
def numbers(golden: Golden) -> dict:
    """The whole tree, without the triples that are not asked for."""
    tree = json.loads((golden.folder / "golden.json").read_text())
    values = {suite: _held(golden, of) for suite, of in tree["values"].items()}
    return {**tree, "triples": _held(golden, tree["triples"]), "values": values}


def _held(golden: Golden, by_triple: dict) -> dict:
    return {triple: value for triple, value in by_triple.items() if golden.holds(triple)}


@functools.cache
def image(file: Path) -> torch.Tensor:
    pixels = torch.from_numpy(np.array(Image.open(file))) / 255
    return pixels[None, None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)[None]


def images(golden: Golden, entry: dict) -> list[torch.Tensor]:
    """Fused, visible, infrared."""
    return [image(golden.folder / entry[role]) for role in ("fused", "vi", "ir")]


Row = tuple[str, str, Callable]
"""Suite, metric there, ours."""


def finite(golden: Golden, suite: str, name: str) -> dict[str, float]:
    """The reference value of every triple where it is a finite number."""
    values = {triple: of.get(name) for triple, of in numbers(golden)["values"][suite].items()}
    return {k: v for k, v in values.items() if isinstance(v, int | float) and math.isfinite(v)}


def differences(golden: Golden, rows: list[Row], left_out: Callable = lambda *_: False) -> dict:
    """Where gray triples differ from the references: {(suite, metric, triple): (ours, theirs)}.

    Triples for which left_out(triple, entry) holds are left out; a row without any triple is an error.
    """
    references = [finite(golden, suite, name) for suite, name, _ in rows]
    wrong, counts = {}, dict.fromkeys(range(len(rows)), 0)
    for triple, entry in numbers(golden)["triples"].items():
        if triple.startswith("vifb_rgb") or left_out(triple, entry):
            continue
        three = images(golden, entry)
        with sharing():
            for n, (suite, name, metric) in enumerate(rows):
                if triple in references[n]:
                    counts[n] += 1
                    value, reference = metric(*three).item(), references[n][triple]
                    if not abs(value - reference) <= CANCELS.get((suite, name), RELATIVE) * abs(reference) + ABSOLUTE:
                        wrong[suite, name, triple] = value, reference
    assert all(counts.values()), "a row has no triple to compare"
    return wrong


def by_channel(golden: Golden, name: str, metric: Callable) -> Iterator[tuple[float, float]]:
    """Ours and VIFB's value of the colour triples: the mean of the channels, each beside the infrared image."""
    for triple, reference in finite(golden, "vifb_matlab", name).items():
        if triple.startswith("vifb_rgb"):
            fused, visible, infrared = images(golden, numbers(golden)["triples"][triple])
            channels = [metric(fused[:, c : c + 1], visible[:, c : c + 1], infrared).item() for c in range(3)]
            yield sum(channels) / 3, reference


def disagreements(
    golden: Golden, references: list[tuple[str, str]], metric: Callable, except_for: tuple[str, ...] = ()
) -> list[str]:
    """The triples, but for those named, where a finite reference number is missed."""
    found, compared = [], 0
    for suite, name in references:
        for triple, value in finite(golden, suite, name).items():
            if triple in except_for:
                continue
            got = metric(*images(golden, numbers(golden)["triples"][triple])).item()
            compared += 1
            if not math.isclose(got, value, rel_tol=RELATIVE, abs_tol=1e-12):
                found.append(f"{suite} {name} {triple}: {got}, not {value}")
    assert compared, f"no finite reference number of {references}"
    return found
