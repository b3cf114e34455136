"""Authors' checkpoints into ours: which code wrote a file is read off the names of its tensors."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import torch
from torch import Tensor

from . import registry, weights
from .errors import IrvisError
from .methods import encdec_authors

READERS = {"encdec": encdec_authors}
WRAPPERS = ("model", "state_dict", "model_state_dict", "net", "params")


def convert(checkpoint: Path, out: Path) -> str:
    """Read a published checkpoint and write ours to `out`; returns the method that it is for.

    Only tensors are read from the file (`weights_only`): no code in it can run.
    """
    state = read(checkpoint)
    for method, reader in READERS.items():
        if reader.recognises(state):
            options, ours = reader.converted(state)
            fuser = registry.create(method, weights=None, **options)
            weights.fill(fuser.core, ours, str(checkpoint))
            weights.save(
                out,
                fuser.core,
                method=method,
                options=options,
                source=checkpoint.name,
                licence="see the authors' terms",
            )
            return method
    raise IrvisError(f"{checkpoint}: not a checkpoint of a known code; known: {', '.join(READERS)}")


def read(checkpoint: Path) -> dict[str, Tensor]:
    """The state dict inside a file that `torch.save` wrote, without wrappers and `module.` prefixes."""
    if not checkpoint.is_file():
        raise IrvisError(f"{checkpoint}: no such file")
    try:
        content: Any = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        OSError,
        BadZipFile,
        ValueError,
        KeyError,
    ) as problem:
        raise IrvisError(f"{checkpoint}: not a readable PyTorch checkpoint of plain tensors") from problem
    for key in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(x, Tensor) for x in content.values()):
        raise IrvisError(f"{checkpoint}: holds no state dict")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}
