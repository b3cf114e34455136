"""Trained `encdec` networks rewritten for inference: the same call, the same result, less work."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from ..errors import IrvisError
from ..methods.encdec import EncoderDecoder
from .layered import LayeredNetwork
from .linear import LinearNetwork, is_linear


@torch.no_grad()
def collapse(core: EncoderDecoder, error: float = 0.0) -> LinearNetwork | LayeredNetwork | EncoderDecoder:
    """Rewrite a trained core for inference.

    Without activation (and with any fusion but "max") the network is a linear filter: it becomes a few filter banks,
    where these cost less than its layers. Otherwise its layers are merged in pairs. Both take any size that the core
    takes.

    Parameters
    ----------
    core: any `encdec` network; its weights are copied, later changes of them do not show.
    error: how far the output, in [0, 1], may be off for any images at all; 0 keeps it within 1e-5. More is taken from
        linear networks only: channels that matter little are left out. The error of real pictures is far smaller than
        what can be guaranteed: `difference` measures it.

    Returns
    -------
    The rewritten core; its `bound` is the guarantee.
    """
    if error < 0:
        raise IrvisError(f"error must not be negative, not {error}")
    core = copy.deepcopy(core).eval()
    if core.gains is not None:  # nothing in it can be merged
        return core
    layered = LayeredNetwork(core)
    if not is_linear(core):
        return layered
    banks = LinearNetwork(core, error)
    return banks if banks.operations < layered.operations else layered


@torch.no_grad()
def difference(
    core: EncoderDecoder, other: LinearNetwork | LayeredNetwork, pairs: Iterable[tuple[Tensor, Tensor]]
) -> tuple[float, float]:
    """The mean and the greatest absolute difference of two cores' outputs over pairs (visible, infrared)."""
    total, count, worst = 0.0, 0, 0.0
    for visible, infrared in pairs:
        error = (core(visible, infrared) - other(visible, infrared)).abs().double()
        total, count, worst = total + float(error.sum()), count + error.numel(), max(worst, float(error.max()))
    return total / count, worst


REWRITERS: dict[str, Callable[[Any, float], Any]] = {"encdec": collapse}
"""Method → from a trained core and the error that is allowed to one that gives the same with less work."""
