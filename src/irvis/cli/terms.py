"""Methods are loaded, and the terms of their weights told: one line where they are for research only."""

import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import IrvisError
from ..options import ComputeOptions
from .common import busy, errors

if TYPE_CHECKING:
    from ..fuser import Fuser

RESEARCH = "research"


def loaded(methods: Sequence[str], compute: ComputeOptions) -> "dict[str, Fuser]":
    """The fusers of methods, by their texts; what gave way to something else is told."""
    from ..io import IrvisWarning

    with busy("loading"), warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", IrvisWarning)
        fusers = {method: compute.fuser(method) for method in methods}
    for one in noted:
        errors.print(f"note: {one.message}")
    tell_terms(methods)
    return fusers


def tell_terms(methods: Iterable[str]) -> None:
    """Tell once of the weights that are for research only, and of shipped ones that are not."""
    bound = {method: licence for method in methods if RESEARCH in (licence := _licence(method))}
    if not bound:
        return
    licences = "; ".join(dict.fromkeys(bound.values()))
    errors.print(f"note: {', '.join(bound)}: {licences} (free of these terms: {', '.join(_free())})")


def _licence(method: str) -> str:
    from .. import creation, weights

    with suppress(IrvisError):  # a method or file that cannot be had is told where it is made
        name, chosen, _ = creation.parse(method)
        return weights.facts_of(creation.find(name), chosen).get("licence", "")
    return ""


def _free() -> list[str]:
    from ..methods import METHODS

    named = [(f"{one.name}:{name}", facts) for one in METHODS.values() for name, facts in one.weights.items()]
    free = [f"-m {name}, {facts.licence}" for name, facts in named if RESEARCH not in facts.licence]
    return [*free, "and methods without weights, as -m laplacian"]
