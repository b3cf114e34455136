"""What several networks of the zoo share: their Spec, and layers that occur in more than one of them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from ...registry import Spec

BUDGET = 1 << 21
"""Pixels; larger pictures are tiled."""


def luma(reach: int | None = None, **facts: Any) -> Callable[..., Spec]:
    """The Spec of a network that fuses luma; `as_published` gives it whole pictures in RGB, as the script gets them."""
    return partial(_spec, Spec(domain="luma", reach=reach, budget=None if reach is None else BUDGET, **facts))


def _spec(usual: Spec, as_published: bool = False, **_: object) -> Spec:
    return Spec(domain="rgb") if as_published else usual
