"""Reads encoders of masked autoencoders as their authors (github.com/facebookresearch/mae) and timm name the parts.

A class token, a mask token and the place of the class token in the positions are dropped: features are of patches.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import IrvisError
from .vit import Encoder, resampled, sincos

_PARTS = {
    "norm1": "attention_norm", "norm2": "perceptron_norm", "attn": "attention", "mlp": "perceptron",
    "proj": "output", "fc1": "widen", "fc2": "narrow", "out_proj": "output",
    "decoder_embed": "embed", "decoder_blocks": "blocks", "decoder_norm": "norm", "decoder_pred": "pixels",
}  # fmt: skip
_TOKENS = ("cls_token", "mask_token")


@dataclass(frozen=True, kw_only=True)
class Read:
    """Two state dicts in our names, and the facts that shapes tell. Heads cannot be read off shapes."""

    encoder: Mapping[str, Tensor]
    decoder: Mapping[str, Tensor]
    """Empty where the file has none."""
    width: int
    blocks: int
    patch: int
    grid: int
    """0 where the positions are those of the formula; else they were learned on a square of this side."""


def read(state: Mapping[str, Tensor], source: str) -> Read:
    """The encoder (and the decoder, if there is one) of a state dict; parts that have no place here are an error."""
    if "patch_embed.proj.weight" not in state:
        raise IrvisError(f"{source}: not a masked autoencoder: it has no patch_embed.proj.weight")
    theirs = {name: tensor for name, tensor in state.items() if name not in _TOKENS}
    narrow = {name: theirs.pop(name) for name in list(theirs) if name.startswith("decoder_")}
    width, channels, patch, _ = theirs["patch_embed.proj.weight"].shape
    if channels != 3:
        raise IrvisError(f"{source}: its patches have {channels} channels, not 3")
    grid, positions = _positions(theirs.pop("pos_embed", None), source)
    if "decoder_pos_embed" in narrow and _positions(narrow.pop("decoder_pos_embed"), source)[0]:
        raise IrvisError(f"{source}: the positions of its decoder are not those of the formula")
    encoder = {name.replace("patch_embed.output", "patches"): tensor for name, tensor in renamed(theirs).items()}
    blocks = len({name.split(".")[1] for name in encoder if name.startswith("blocks.")})
    if grid:
        encoder["positions"] = positions
    with torch.device("meta"):
        wanted = Encoder(width, blocks, 1, patch, grid).state_dict()
    compare(encoder, wanted, source)
    return Read(encoder=encoder, decoder=renamed(narrow), width=width, blocks=blocks, patch=patch, grid=grid)


def fill(encoder: Encoder, state: Mapping[str, Tensor], source: str) -> None:
    """Load a masked autoencoder's encoder into `encoder`; learned positions are resampled to its grid."""
    found = read(state, source)
    ours = encoder.patches.out_channels, len(encoder.blocks), encoder.patches.kernel_size[0]
    if (found.width, found.blocks, found.patch) != ours:
        theirs = f"width={found.width} blocks={found.blocks} patch={found.patch}"
        raise IrvisError(
            f"{source}: an encoder of {theirs}; here it is width={ours[0]} blocks={ours[1]} patch={ours[2]}"
        )
    values = dict(found.encoder)
    places = values.pop("positions", None)
    if places is not None and encoder.positions is None:
        raise IrvisError(f"{source}: its positions were learned; create the network with grid={found.grid}")
    if encoder.positions is not None:
        like = encoder.positions[None]
        values["positions"] = sincos(like) if places is None else resampled(places, like)
    encoder.load_state_dict(values)


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our names for theirs; stacked query, key and value layers become a query and a context layer."""
    ours: dict[str, Tensor] = {}
    for name, tensor in state.items():
        *path, last = (_PARTS.get(part, part) for part in name.replace("in_proj_", "qkv.").split("."))
        if path and path[-1] == "qkv":
            stem, width = ".".join(path[:-1]), len(tensor) // 3
            ours[f"{stem}.query.{last}".lstrip(".")] = tensor[:width]
            ours[f"{stem}.context.{last}".lstrip(".")] = tensor[width:]
        else:
            ours[".".join([*path, last])] = tensor
    return ours


def compare(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: str) -> None:
    """Every tensor that is wanted is there in its shape, and no other."""
    _none(wanted.keys() - state.keys(), f"{source}: the checkpoint lacks")
    _none(state.keys() - wanted.keys(), f"{source}: the checkpoint has parts that this network does not know:")
    wrong = {name for name, tensor in wanted.items() if state[name].shape != tensor.shape}
    _none(wrong, f"{source}: the checkpoint has the wrong shape in")


def _none(names: Iterable[str], problem: str) -> None:
    listed = sorted(names)
    if listed:
        raise IrvisError(f"{problem} {', '.join(listed[:3])}{f' and {len(listed) - 3} more' if listed[3:] else ''}")


def _positions(stored: Tensor | None, source: str) -> tuple[int, Tensor]:
    """The side of the grid and (side, side, width) where positions were learned; 0 where they are the formula's."""
    if stored is None:
        return 0, torch.empty(0)
    if stored.ndim != 3 or len(stored) != 1:
        raise IrvisError(f"{source}: positions of the shape {tuple(stored.shape)} are not known")
    count = stored.shape[1]
    side = math.isqrt(count)
    if count - side**2 not in (0, 1):
        raise IrvisError(f"{source}: {count} positions are not those of a square grid")
    places = stored[0, count - side**2 :].unflatten(0, (side, side))
    formula = stored.shape[2] % 4 == 0 and torch.allclose(places.float(), sincos(places[None].float()), atol=1e-3)
    return (0 if formula else side), places
