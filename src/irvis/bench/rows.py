"""What is measured: one row per size, batch, method, runtime and precision."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Literal

from ..errors import IrvisError

OWN = "own"
"""Runtime and precision of what others wrote."""
FLOATS = ("fp32", "bf16", "fp16")
"""Precisions in which torch multiplies matrices."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing to measure."""

    method: str
    """"NAME[:WEIGHTS][:option=value…]", or a name for `file`."""
    width: int
    height: int
    batch: int = 1
    runtime: str = "torch"
    precision: str = "fp32"
    error: float = 0.0
    """How far a rewritten network may be off."""
    device: str = "cpu"
    threads: int | None = None
    """None leaves the number to torch."""
    tile: int | None = None
    """Side of tiles in pixels."""
    file: str = ""
    """Python file of a third party whose `fuse(visible, infrared)` is measured instead of a method."""

    @property
    def size(self) -> str:
        return f"{self.width}×{self.height}"

    @property
    def kind(self) -> tuple[str, ...]:
        """What decides how the picture looks."""
        return self.method, self.runtime, self.precision, str(self.error), self.file


@dataclass(frozen=True, kw_only=True)
class Job:
    """What one process does."""

    task: Literal["fuse", "ceiling"]
    row: Row
    runs: int = 1
    count: bool = False
    """Whether operations are counted, too."""
    judge: bool = False
    """Whether the result is judged, too."""

    def words(self) -> list[str]:
        """The command that does it."""
        return [sys.executable, "-m", "irvis.bench.job", json.dumps(asdict(self))]


def sizes(text: str) -> list[tuple[int, int]]:
    """Widths and heights in pixels.

    >>> sizes("640x480,1280x1024")
    [(640, 480), (1280, 1024)]
    """
    found = []
    for part in _parts(text):
        width, _, height = part.lower().replace("×", "x").partition("x")
        if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
            raise IrvisError(f"a size is WIDTHxHEIGHT, such as 640x480, not {part!r}")
        found.append((int(width), int(height)))
    return found


def batches(text: str) -> list[int]:
    """Numbers of pairs that are fused at once."""
    parts = _parts(text)
    for part in parts:
        if not part.isdigit() or not int(part):
            raise IrvisError(f"a batch is 1 pair or more, not {part!r}")
    return [int(part) for part in parts]


def grid(
    methods: str, size: str, batch: str, runtimes: str, precisions: str, *, against: Sequence[str] = (),
    error: str = "0", device: str = "cpu", threads: int | None = None, tile: int | None = None,
) -> list[Row]:  # fmt: skip
    """Every combination of what is listed by commas; each file of `against` stands once per size and batch."""
    kinds = [(*kind, "") for kind in product(_parts(methods), _parts(runtimes), _parts(precisions), _errors(error))]
    kinds += [(_stem(file), OWN, OWN, 0.0, file) for file in against]
    rows = [
        Row(
            method=method, width=width, height=height, batch=number, runtime=runtime, precision=precision,
            error=allowed, device=device, threads=threads, tile=None if file else tile, file=file,
        )
        for (width, height), number in product(sizes(size), batches(batch))
        for method, runtime, precision, allowed, file in kinds
    ]  # fmt: skip
    return list(dict.fromkeys(rows))


def _errors(text: str) -> list[float]:
    try:
        return [float(part) for part in _parts(text)]
    except ValueError:
        raise IrvisError(f"--error is a number such as 0.02, or several by commas, not {text!r}") from None


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise IrvisError(
            "nothing to measure: --method, --size, --batch, --runtime, --precision and --error name one or more"
        )
    return parts


def _stem(file: str) -> str:
    return file.replace("\\", "/").rpartition("/")[2].removesuffix(".py")
