"""In what numbers a training computes: what was asked for, the nearest that the device has, or what is fastest."""

import warnings
from collections.abc import Callable

import torch

from .. import creation
from ..io import IrvisWarning
from ..runtime.backends import DTYPES
from ..runtime.substitutes import fastest, native, precision_instead
from ..spec import Precision
from .records import Recipe

BATCH, SIDE = 2, 128
"""Of the crops that the short measurement uses."""


def chosen(wanted: Precision, device: str, processes: int, recipe: Recipe) -> Precision:
    """fp32 in place of half precision that would be emulated, with an IrvisWarning; for "auto" the fastest.

    "auto" measures a few steps of the recipe's network. Several processes would not agree: they take bf16 where the
    device has it. fp16 has to be asked for.
    """
    kind = _kind(device)
    if wanted == "bf16":
        found, notice = precision_instead(wanted, kind)
        if notice:
            warnings.warn(notice, IrvisWarning, stacklevel=3)
        return found
    if wanted != "auto":
        return wanted
    candidates = [precision for precision in native(kind) if precision != "fp16"]
    return candidates[0] if processes > 1 else fastest(candidates, lambda one: _step(one, kind, recipe))


def _kind(device: str) -> str:
    if device != "auto":
        return "cuda" if device == "gpu" else device
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def _step(precision: Precision, kind: str, recipe: Recipe) -> Callable[[], object]:
    fuser = creation.create(recipe.method, weights=None, device=kind, **recipe.options)
    planes = 3 if fuser.spec.domain == "rgb" else 1
    side = -(-SIDE // fuser.spec.multiple) * fuser.spec.multiple
    images = [torch.rand(BATCH, count, side, side, device=kind) for count in (planes, 1)]

    def once() -> object:
        with torch.autocast(kind, DTYPES[precision], enabled=precision != "fp32"):
            loss = fuser.core(*images).float().mean()
        loss.backward()
        return float(loss.detach())  # waits for a GPU

    return once
