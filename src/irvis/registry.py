"""The table of all fusion methods, which `register` fills."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from .spec import Method, Spec

__all__ = ["DEFAULT", "METHODS", "Spec", "register"]

METHODS: dict[str, Method] = {}
DEFAULT = "encdec"
"""The method where none is named."""


def register(name: str, *, spec: Spec | Callable[..., Spec], **facts: Any) -> Callable[[Any], Any]:
    """Enter the decorated core (a module class or a function) into `METHODS`.

    Parameters
    ----------
    name: what the method is called, as in `irvis.create(name)`. The first line of the core's docstring is its summary.
    spec: what the core expects of its inputs, or a function of its options that says it.
    facts: more fields of `irvis.spec.Method`: paper, weights, small.

    Raises
    ------
    ValueError: the name is taken.
    """

    def enter(build: Any) -> Any:
        if name in METHODS:
            raise ValueError(f"method {name!r} is registered twice")
        summary = (inspect.getdoc(build) or "").split("\n")[0]
        of = spec if callable(spec) else partial(_same, spec)
        METHODS[name] = Method(name=name, build=build, spec=of, summary=summary, **facts)
        return build

    return enter


def _same(spec: Spec, **_: Any) -> Spec:
    """The Spec of a method whose options do not change it."""
    return spec
