"""Authors' checkpoints into ours: which code wrote a file is read off the names of its tensors."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from . import published, registry, weights
from .errors import IrvisError
from .methods import encdec_authors, maefuse_authors
from .nn import mae

READERS: dict[str, Any] = {"encdec": encdec_authors, "maefuse": maefuse_authors}
WRAPPERS = ("model", "state_dict", "model_state_dict", "net", "params")


def convert(checkpoint: Path, out: Path, given: str = "") -> str:
    """Read a published checkpoint and write ours to `out`; returns the method that it is for.

    `given` is "METHOD:option=value…", for what a file does not tell ("maefuse:heads=4").
    Only tensors are read from the file (`weights_only`): no code in it can run.
    """
    wanted, _, chosen = registry.parse(given)
    if wanted not in READERS and (known := published.recognised(str(checkpoint))):
        if wanted not in ("", known.name):
            raise IrvisError(f"{checkpoint}: holds weights of {known.name}, not of {wanted}")
        fuser = registry.create(known.name, weights=checkpoint, **chosen)
        _save(out, fuser.core, known.name, fuser.options, checkpoint)
        return known.name
    state = read(checkpoint)
    for method, reader in READERS.items():
        if reader.recognises(state):
            if wanted not in ("", method):
                raise IrvisError(f"{checkpoint}: holds weights of {method}, not of {wanted}")
            options, ours = reader.converted(state)
            options |= chosen
            fuser = registry.create(method, weights=None, **options)
            weights.fill(fuser.core, ours, str(checkpoint))
            _save(out, fuser.core, method, options, checkpoint)
            return method
    raise published.unknown(str(checkpoint))


def _save(out: Path, core: Any, method: str, options: Mapping[str, Any], checkpoint: Path) -> None:
    facts = registry.find(method).published
    licence = f"see the authors' terms; stated: {facts.licence}" if facts else "see the authors' terms"
    weights.save(out, core, method=method, options=options, source=checkpoint.name, licence=licence)


def load_encoder(core: Any, checkpoint: Path) -> None:
    """Fill `core.encoder` from a masked autoencoder's checkpoint (.pth or .safetensors): official, timm's, or ours."""
    state = read(checkpoint)
    part = {name.removeprefix("encoder."): tensor for name, tensor in state.items() if name.startswith("encoder.")}
    if part:
        mae.compare(part, core.encoder.state_dict(), str(checkpoint))
        core.encoder.load_state_dict(part)
    else:
        mae.fill(core.encoder, state, str(checkpoint))


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
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        OSError,
        BadZipFile,
        ValueError,
        KeyError,
        SafetensorError,
    ) as problem:
        kind = "safetensors file" if checkpoint.suffix == ".safetensors" else "PyTorch checkpoint of plain tensors"
        raise IrvisError(f"{checkpoint}: not a readable {kind}") from problem
    for key in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(x, Tensor) for x in content.values()):
        raise IrvisError(f"{checkpoint}: holds no state dict")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}
