"""What a training starts from, other than random weights."""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from .. import convert, creation, weights
from ..errors import IrvisError


def filler(method: str, start: Path | None, encoder: Path | None) -> Callable[[nn.Module], None] | None:
    """A function that fills a new core: with all of `start`, then with `encoder` in the place of its own."""
    if encoder is not None and method != "maefuse":
        raise IrvisError(f"--encoder is for maefuse; {method} has no encoder that could come from elsewhere")
    if start is None and encoder is None:
        return None

    def fill(core: nn.Module) -> None:
        if start is not None:
            checkpoint = weights.find(creation.find(method), start)
            weights.fill(core, checkpoint.state, str(start))
        if encoder is not None:
            convert.load_encoder(core, encoder)

    return fill


def terms(method: str, start: Path | None, encoder: Path | None) -> dict[str, str]:
    """What the header of trained weights says of what they started from: its licence and what it was trained on."""
    known = [weights.facts_of(creation.find(method), start)] if start is not None else []
    if encoder is not None and encoder.suffix == ".safetensors":
        known.append(weights.header_of(encoder))
    found = {}
    for key, more in (("licence", " (of what it started from)"), ("trained_on", ", before this recipe")):
        if told := "; ".join(dict.fromkeys(facts[key].removesuffix(more) for facts in known if key in facts)):
            found[key] = told + more
    return found
