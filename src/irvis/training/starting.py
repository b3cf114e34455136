"""What a training starts from, other than random weights."""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from .. import convert, registry, weights
from ..errors import IrvisError


def filler(method: str, start: Path | None, encoder: Path | None) -> Callable[[nn.Module], None] | None:
    """A function that fills a new core: with all of `start`, then with `encoder` in the place of its own."""
    if encoder is not None and method != "maefuse":
        raise IrvisError(f"--encoder is for maefuse; {method} has no encoder that could come from elsewhere")
    if start is None and encoder is None:
        return None

    def fill(core: nn.Module) -> None:
        if start is not None:
            checkpoint = weights.find(registry.find(method), start)
            weights.fill(core, checkpoint.state, str(start))
        if encoder is not None:
            convert.load_encoder(core, encoder)

    return fill
