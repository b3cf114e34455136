"""Reads the checkpoints of MaeFuse's authors (github.com/Henry-Lee-real/MaeFuse).

Their state dict holds a masked autoencoder, `model1`, and the fusion layer, `model2`, with `cross_model` (CFM),
`merge_model`, `fc1`, `fc2` and `ln` (MFM). Positions are fixed and stored; here they follow from the formula.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..errors import IrvisError
from ..nn import mae

_FUSION = {
    "cross_model": "cfm.attention", "merge_model": "mfm.attention",
    "widen": "mfm.perceptron.widen", "narrow": "mfm.perceptron.narrow", "ln": "mfm.norm",
}  # fmt: skip
_HEADS = {768: 12}
"""Heads of the encoder where there are not 16; the authors' other attentions always have 16."""


def recognises(state: Mapping[str, Tensor]) -> bool:
    """Whether this is a state dict of theirs."""
    return all(any(name.startswith(part) for name in state) for part in ("model1.patch_embed", "model2."))


def converted(state: Mapping[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Our options and our state dict. Heads cannot be read off the file: the official ones are assumed."""
    parts: dict[str, dict[str, Tensor]] = {"model1": {}, "model2": {}}
    for name, tensor in state.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    known = mae.read(parts.pop("model1"), "the checkpoint")
    layer = parts.pop("model2")
    if parts:
        raise IrvisError(f"the checkpoint has parts that are not of MaeFuse: {', '.join(sorted(parts))}")
    if known.grid or "embed.weight" not in known.decoder:
        raise IrvisError("the checkpoint is not of MaeFuse, which has sin-cos positions and a decoder")
    layer.pop("pos_embed", None)
    ours = {f"encoder.{name}": tensor for name, tensor in known.encoder.items()}
    ours |= {f"decoder.{name}": tensor for name, tensor in known.decoder.items()}
    for name, tensor in mae.renamed(layer).items():
        part, _, rest = name.partition(".")
        ours[f"{_FUSION.get(part, part)}.{rest}"] = tensor
    options = {
        "width": known.width, "blocks": known.blocks, "heads": _HEADS.get(known.width, 16), "patch": known.patch,
        "decoder_width": len(known.decoder["embed.weight"]),
        "decoder_blocks": len({name.split(".")[1] for name in known.decoder if name.startswith("blocks.")}),
        "decoder_heads": 16, "fusion_heads": 16, "attention": "pointwise", "tokens": 1600,
    }  # fmt: skip
    return options, ours
