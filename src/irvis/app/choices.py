"""What can be chosen on the page, read off the registries."""

import re

from .. import creation, registry
from ..errors import IrvisError
from ..spec import Method
from ..thermal.palette import PALETTES
from .names import safe

DEFAULT = "encdec"
LARGEST = 16
"""A number among a method's options may be so large, or twice its default: visitors share the memory."""


def methods() -> list[tuple[str, str]]:
    """(label, "NAME[:WEIGHTS]") of every method; learned ones first, and only with weights."""
    from .. import methods as _  # noqa: F401  fills METHODS

    ordered = sorted(registry.METHODS.values(), key=lambda method: (not method.learnable, method.name))
    return [choice for method in ordered for choice in _choices(method)]


def _choices(method: Method) -> list[tuple[str, str]]:
    if not method.learnable:
        return [(method.name, method.name)]
    texts = [method.name if weights == "default" else f"{method.name}:{weights}" for weights in method.weights]
    return [(text, text) for text in texts]


def about(text: str) -> tuple[str, str]:
    """What a method does in a sentence, and what its weights were trained on; empty where it has none."""
    name, weights, _ = creation.parse(text)
    method = creation.find(name)
    facts = method.weights.get(weights)
    return method.summary, f"Trained on {facts.trained_on}. Licence: {facts.licence}." if facts else ""


def options(text: str) -> str:
    """The options of a method with their defaults, as the field for them shows."""
    found = creation.find(creation.parse(text)[0]).options
    return ", ".join(f"{name}={value}" for name, value in found.items()) or "this method has none"


def with_options(text: str, typed: str) -> str:
    """ "NAME:option=value…" of a method and of what was typed: "levels=5, window=9"."""
    parts = [part.strip() for part in typed.split(",") if part.strip()]
    for part in parts:
        if not re.fullmatch(r"\w+=[\w.-]+", part):
            raise IrvisError(f"{safe(part)} is no option: type option=value, several by commas.")
    return ":".join([text, *parts])


def checked(text: str) -> str:
    """The text of a method that visitors may use: offered here, with options of a size that a server can bear."""
    name, weights, chosen = creation.parse(text)
    offered = name if weights == "default" else f"{name}:{weights}"
    if offered not in {value for _, value in methods()}:
        raise IrvisError(f"there is no method {safe(offered)} here.")
    usual = creation.find(name).options
    for option, value in chosen.items():
        normal = usual.get(option)
        most = max(LARGEST, 2 * normal) if isinstance(normal, (int, float)) else LARGEST
        if isinstance(value, (int, float)) and not abs(value) <= most:
            raise IrvisError(f"{safe(option)} is up to {most:g} on this page; more is for irvis fuse.")
    return text


def palettes() -> list[str]:
    """Names of the palettes."""
    return list(PALETTES)
