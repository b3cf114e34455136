"""What stands in the table of an evaluation: methods, folders of fused images, and controls."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from .. import creation, files, io, weights
from ..color import luma, with_luma
from ..data.matching import Match
from ..errors import IrvisError
from ..fuser import Fuser
from ..imports import digest_of
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
    low, high = np.quantile(average.numpy(), (0.01, 0.99))
    return with_luma(visible, ((average - float(low)) / max(float(high - low), 1e-6)).clamp(0, 1))


MADE: dict[str, Callable[[RGB, Gray], RGB]] = {"visible+noise": noisy, "stretched average": stretched_average}
PLAIN = ("visible", "infrared", "average", "laplacian")
CONTROLS = tuple(Entry(name=name, kind="control", source=name) for name in (*PLAIN, *MADE))
"""Rows that always stand there: a method that does not beat them has shown nothing."""


def gather(methods: Sequence[str], folders: Sequence[str]) -> list[Entry]:
    """The entries asked for, in that order, then the controls that were not. A folder is "DIR" or "NAME=DIR".

    Raises IrvisError for unknown methods, folders that are not there, and names that come twice.
    """
    entries = [Entry(name=text, kind="method", source=text) for text in methods]
    for text in folders:
        name, equals, place = text.partition("=")
        whole = not equals or Path(text).is_dir()  # a folder's own name may hold "="
        folder = Path(text if whole else place).expanduser()
        if not folder.is_dir():
            raise IrvisError(f"--fused {text}: {folder} is no folder")
        entries.append(Entry(name=folder.resolve().name if whole else name, kind="images", source=str(folder)))
    entries += [control for control in CONTROLS if control.name not in methods]
    names = [entry.name for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise IrvisError(f"{', '.join(twice)} stands there twice; name folders with --fused NAME=DIR")
    return entries


def stems(matches: Sequence[Match]) -> dict[str, tuple[str, ...]]:
    """Pair → what its fused image may be called, without suffix: its name, and what is unique among the pairs of its
    last part and of its visible file's stem."""
    last = Counter(Path(match.name).name for match in matches)
    visible = Counter(match.visible.stem for match in matches)
    names = {}
    for match in matches:
        short, seen = Path(match.name).name, match.visible.stem
        also = [*([short] if last[short] == 1 else []), *([seen] if visible[seen] == 1 else [])]
        names[match.name] = tuple(dict.fromkeys([match.name, *also]))
    return names


def fused(entry: Entry, pair: Pair, names: Sequence[str], device: str = "cpu") -> RGB:
    """The fused image of a pair as an 8-bit file would hold it, (1, 3, h, w) in [0, 1] on the CPU.

    `names`: what the image may be called in a folder (see `stems`).
    """
    if entry.kind == "images":
        return _read(Path(entry.source), pair, names)
    if entry.source in MADE:
        image: Tensor = MADE[entry.source](pair.visible, pair.infrared)
    else:
        image = fuser(entry.source, device)(pair.visible.to(device), pair.infrared.to(device)).cpu()
    return (image * 255).round().clamp(0, 255) / 255


@cache
def fuser(method: str, device: str = "cpu") -> Fuser:
    """The fuser of a method's text, kept for the whole evaluation."""
    file = weights.file_of(creation.parse(method)[1])
    before = weights_of(method) if file.is_file() else ""
    made = creation.create(method, device=device)
    if before and files.digest(file) != before:
        raise IrvisError(f"{file} changed while it was read; is a training still writing it?")
    return made


@cache
def weights_of(method: str) -> str:
    """The sha256 of a method's weights, as they were when first asked for; empty where it has none."""
    return creation.weights_of(method)


def code(method: str = "") -> str:
    """A digest of the sources that make numbers, of a method's pictures where one is named."""
    made = [creation.find(creation.parse(method)[0]).build.__module__] if method else []
    return digest_of("irvis.evaluate.compute", *made)


def fingerprint(entry: Entry, names: Sequence[str]) -> str:
    """Changes when the entry's result of a pair may have changed."""
    if entry.kind == "images":
        path = find(Path(entry.source), names)
        return f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}"
    method = "" if entry.source in MADE else entry.source
    return f"{entry.source} {weights_of(method) if method else ''} {code(method)}"


def digest(*parts: str) -> str:
    """A short name for what a result was made of."""
    return sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def find(folder: Path, names: Sequence[str]) -> Path:
    """The image in a folder that has one of these names; more than one for a name, or none, is an error."""
    for name in names:
        suffixes = (*io.READABLE, *(suffix.upper() for suffix in io.READABLE))
        found = [path for suffix in suffixes if (path := folder / f"{name}{suffix}").is_file()]
        if len(found) > 1:
            raise IrvisError(f"{folder} holds {' and '.join(sorted(p.name for p in found))}: one image of {name} only")
        if found:
            return found[0]
    raise IrvisError(f"{folder} holds no image of {names[0]} (looked for {', '.join(f'{name}.*' for name in names)})")


def _read(folder: Path, pair: Pair, names: Sequence[str]) -> RGB:
    path = find(folder, names)
    image = io.read_visible(path)[0]
    if image.shape[-2:] != pair.visible.shape[-2:]:
        (height, width), (own_height, own_width) = pair.visible.shape[-2:], image.shape[-2:]
        raise IrvisError(f"{path} is {own_width}×{own_height} and the pair is {width}×{height}")
    return image
