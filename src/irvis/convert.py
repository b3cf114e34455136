"""Authors' checkpoints into ours: which code wrote a file is read off the names of its tensors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from . import creation, published, weights
from .errors import IrvisError, said
from .methods import encdec_authors, maefuse_authors
from .nn import mae, mobile_sam

READERS: dict[str, Any] = {"encdec": encdec_authors, "maefuse": maefuse_authors}
WRAPPERS = ("model", "state_dict", "model_state_dict", "net", "params")


def convert(checkpoint: Path, out: Path, given: str = "") -> str:
    """Read a published checkpoint and write ours to `out`; returns the method that it is for.

    `given` is "METHOD:option=value…", for what a file does not tell ("maefuse:heads=4").
    Only tensors are read from the file (`weights_only`): no code in it can run.
    """
    wanted, _, chosen = creation.parse(given)
    if wanted:
        creation.find(wanted)
    if wanted not in READERS and (known := published.recognised(str(checkpoint))):
        if wanted not in ("", known.name):
            raise IrvisError(f"{checkpoint}: holds weights of {known.name}, not of {wanted}")
        fuser = creation.create(known.name, weights=checkpoint, **chosen)
        _save(out, fuser.core, known.name, fuser.options, checkpoint)
        return known.name
    state = read(checkpoint)
    for method, reader in READERS.items():
        if reader.recognises(state):
            if wanted not in ("", method):
                raise IrvisError(f"{checkpoint}: holds weights of {method}, not of {wanted}")
            try:
                options, ours = reader.converted(state)
            except (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as problem:
                raise IrvisError(f"{checkpoint}: not quite weights of {method} ({said(problem)})") from problem
            options |= chosen
            creation.check_options(creation.find(method), options)
            _compare(method, options, ours, checkpoint)
            fuser = creation.create(method, weights=None, **options)
            weights.fill(fuser.core, ours, str(checkpoint))
            _save(out, fuser.core, method, options, checkpoint)
            return method
    raise published.unknown(str(checkpoint))


def _save(out: Path, core: Any, method: str, options: Mapping[str, Any], checkpoint: Path) -> None:
    facts = creation.find(method).published
    licence = f"see the authors' terms; stated: {facts.licence}" if facts else "see the authors' terms"
    weights.save(out, core, method=method, options=options, source=checkpoint.name, licence=licence)


def _compare(method: str, options: Mapping[str, Any], state: Mapping[str, Tensor], checkpoint: Path) -> None:
    """What does not fit the network of these options is told before that network is built."""
    try:
        weights.compare(creation.find(method), options, state, str(checkpoint))
    except (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, AssertionError) as problem:
        raise IrvisError(f"{checkpoint}: no network of {method} is like this ({said(problem)})") from problem


def load_encoder(core: Any, checkpoint: Path) -> None:
    """Fill the encoder of `core`: from a masked autoencoder's checkpoint (.pth or .safetensors), official, timm's, or
    ours; TinyViT from an ONNX graph of MobileSAM or weights of ours.
    """
    scaled = getattr(core, "scales", None)
    encoder, prefix = (core.encoder, "encoder.") if scaled is None else (scaled.encoder, "scales.encoder.")
    if checkpoint.suffix == ".onnx":
        state = {f"{prefix}{name}": tensor for name, tensor in mobile_sam.read(checkpoint).items()}
    else:
        state = read(checkpoint)
    part = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
    if not part and scaled is None:
        mae.fill(encoder, state, str(checkpoint))
        return
    mae.compare(part, encoder.state_dict(), str(checkpoint))
    encoder.load_state_dict(part)


def read(checkpoint: Path) -> dict[str, Tensor]:
    """The state dict inside a .safetensors file or one that `torch.save` wrote, without wrappers and `module.`."""
    if not checkpoint.is_file():
        raise IrvisError(f"{checkpoint}: no such file")
    content: Any
    try:
        if checkpoint.suffix == ".safetensors":
            content = load_file(checkpoint)
        else:
            content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as problem:  # a damaged pickle may raise anything
        kind = "safetensors file" if checkpoint.suffix == ".safetensors" else "PyTorch checkpoint of plain tensors"
        raise IrvisError(f"{checkpoint}: not a readable {kind}") from problem
    for key in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(x, Tensor) for x in content.values()):
        raise IrvisError(f"{checkpoint}: holds no state dict")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}
