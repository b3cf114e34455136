"""What stands in the table of an evaluation: methods, folders of fused images, and controls."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from .. import io, registry, weights
from ..color import luma, with_luma
from ..errors import IrvisError
from ..fuser import Fuser
from ..types import RGB, Gray, Pair

NOISE = 10 / 255
"""Deviation of the noise in the control `visible+noise`."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row: where its fused images come from."""

    name: str
    kind: Literal["method", "images", "control"]
    source: str
    """The method's text, the folder, or the control's name."""


def noisy(visible: RGB, infrared: Gray) -> RGB:
    """The visible image plus white noise: what a metric that rewards it takes for detail."""
    noise = torch.randn(visible[:, :1].shape, generator=torch.Generator().manual_seed(0))
    return (visible + NOISE * noise).clamp(0, 1)


def stretched_average(visible: RGB, infrared: Gray) -> RGB:
    """The plain average with its 1 % and 99 % percentiles stretched to black and white: contrast and nothing else."""
    average = (luma(visible) + infrared) / 2
    low, high = (torch.quantile(average.flatten(1), q, dim=1)[:, None, None, None] for q in (0.01, 0.99))
    return with_luma(visible, ((average - low) / (high - low).clamp_min(1e-6)).clamp(0, 1))


MADE: dict[str, Callable[[RGB, Gray], RGB]] = {"visible+noise": noisy, "stretched average": stretched_average}
PLAIN = ("visible", "infrared", "average", "laplacian")
CONTROLS = tuple(Entry(name=name, kind="control", source=name) for name in (*PLAIN, *MADE))
"""Rows that always stand there: a method that does not beat them has shown nothing."""


def gather(methods: Sequence[str], folders: Sequence[str]) -> list[Entry]:
    """The entries asked for, then the controls. A folder is "DIR" or "NAME=DIR".

    Raises IrvisError for unknown methods, folders that are not there, and names that come twice.
    """
    entries = []
    for text in methods:
        registry.find(registry.parse(text)[0])
        if text not in PLAIN:
            entries.append(Entry(name=text, kind="method", source=text))
    for text in folders:
        name, equals, place = text.partition("=")
        folder = Path(place if equals else text).expanduser()
        if not folder.is_dir():
            raise IrvisError(f"--fused {text}: {folder} is no folder")
        entries.append(Entry(name=name if equals else folder.resolve().name, kind="images", source=str(folder)))
    entries += CONTROLS
    names = [entry.name for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise IrvisError(f"{', '.join(twice)} stands there twice; name folders with --fused NAME=DIR")
    return entries


def fused(entry: Entry, pair: Pair, device: str = "cpu") -> RGB:
    """The fused image of a pair as an 8-bit file would hold it, (1, 3, h, w) in [0, 1] on the CPU."""
    if entry.kind == "images":
        return _read(Path(entry.source), pair)
    if entry.source in MADE:
        image: Tensor = MADE[entry.source](pair.visible, pair.infrared)
    else:
        image = fuser(entry.source, device)(pair.visible.to(device), pair.infrared.to(device)).cpu()
    return (image * 255).round().clamp(0, 255) / 255


@cache
def fuser(method: str, device: str = "cpu") -> Fuser:
    """The fuser of a method's text, kept for the whole evaluation."""
    name, chosen, options = registry.parse(method)
    return registry.create(name, weights=chosen, device=device, **options)


def fingerprint(entry: Entry, name: str) -> str:
    """Changes when the entry's result of the pair `name` may have changed."""
    if entry.kind == "images":
        path = find(Path(entry.source), name)
        return f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}"
    if entry.source in MADE:
        return f"{entry.source} {NOISE}"
    method_name, chosen, _ = registry.parse(entry.source)
    method = registry.find(method_name)
    if not method.learnable:
        return entry.source
    known = method.weights.get(chosen)
    return f"{entry.source} {known.sha256 if known else weights.digest(Path(chosen))}"


def digest(*parts: str) -> str:
    """A short name for what a result was made of."""
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def find(folder: Path, name: str) -> Path:
    """The fused image of the pair `name` in a folder: the same stem, in the pair's sub-folder or beside the others."""
    for stem in (folder / name, folder / Path(name).name):
        found = [path for path in stem.parent.glob(_literal(stem.name) + ".*") if path.suffix.lower() in io.READABLE]
        if len(found) > 1:
            raise IrvisError(f"{folder} holds {' and '.join(sorted(p.name for p in found))}: one image of {name} only")
        if found:
            return found[0]
    raise IrvisError(f"{folder} holds no image of {name}")


def _literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _read(folder: Path, pair: Pair) -> RGB:
    path = find(folder, pair.name)
    image = io.read_visible(path)[0]
    if image.shape[-2:] != pair.visible.shape[-2:]:
        (height, width), (own_height, own_width) = pair.visible.shape[-2:], image.shape[-2:]
        raise IrvisError(f"{path} is {own_width}×{own_height} and the pair is {width}×{height}")
    return image
