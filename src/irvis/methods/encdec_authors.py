"""Reads the checkpoints of the encoder-decoder paper's authors (github.com/ferhatcan/pyFusionSR).

Their state dict names the visible branch `model_eo` and the infrared one `model_ir`, counts fusion layers from the
deepest level, and holds decoders that are not used (`model_*.decoder`) and second names of tied tensors.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..errors import IrvisError
from .encdec import LEVELS

_BRANCHES = {"visible_encoder": "model_eo", "infrared_encoder": "model_ir"}


def recognises(state: Mapping[str, Tensor]) -> bool:
    """Whether this is a state dict of theirs."""
    return "fusion_layers.0.weight" in state and any(name.startswith("model_eo.encoder.") for name in state)


def converted(state: Mapping[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Our options and our state dict."""
    names = _names()
    missing = sorted(theirs for theirs in names.values() if theirs not in state)
    if missing:
        raise IrvisError(f"the checkpoint lacks {', '.join(missing[:3])}{' …' if len(missing) > 3 else ''}")
    ours = {name: state[theirs] for name, theirs in names.items()}
    planes, width = ours["decoder.output.weight"].shape[:2]
    options = {"width": width, "padding": "zero", "domain": "rgb" if planes == 3 else "luma"}
    return options, ours


def _names() -> dict[str, str]:
    names = {"decoder.output.weight": "out_layer.output_layer.0.weight"}
    for ours, theirs in _BRANCHES.items():
        names[f"{ours}.layers.0.weight"] = f"{theirs}.encoder.input_layer.0.weight"
        for n in range(1, LEVELS):
            names[f"{ours}.layers.{n}.weight"] = f"{theirs}.encoder.encoder_layer_{n}.weight"
    for n in range(LEVELS):
        names[f"decoder.layers.{n}.weight"] = f"out_layer.layer{n + 1}.weight"
        for kind in ("weight", "bias"):
            names[f"fusion.{LEVELS - 1 - n}.mix.{kind}"] = f"fusion_layers.{n}.{kind}"
    return names
