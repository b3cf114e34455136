"""Pictures of every kind that users hold, as tensors: paths, Pillow images, numpy arrays, tensors."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow

from .errors import IrvisError
from .types import Picture

FULL = {"uint8": 255, "uint16": 65535}
"""White, by the type of the pixels."""


def picture(source: Any, *, infrared: bool = False) -> Picture:
    """A picture as (b, 1 or 3, h, w) in [0, 1]; a float tensor of that shape is given back itself.

    Parameters
    ----------
    source: a path, a Pillow image, an array (h, w) or (h, w, channels), or a tensor (h, w), (channels, h, w) or
        (batch, channels, h, w), of uint8, uint16 or float in [0, 1].
    infrared: it is the infrared side, whose 16-bit values are a camera's counts and no gray levels.

    Raises
    ------
    IrvisError: another kind, shape or type, floats outside [0, 1], counts.
    """
    if isinstance(source, torch.Tensor):
        if source.ndim == 4 and source.is_floating_point() and source.shape[1] in (1, 3):
            return source
        return of_tensor(source)
    if isinstance(source, (str, PathLike)):
        from . import io

        return io.read_infrared(Path(source)) if infrared else io.read_visible(Path(source))[0]
    if infrared and (str(getattr(source, "dtype", "")).endswith("uint16") or getattr(source, "mode", "")[:1] == "I"):
        raise IrvisError("16-bit infrared holds counts: give it as it was fused, in 8 bits or in [0, 1]")
    return of_samples(samples(source))


def samples(source: Any) -> NDArray[Any]:
    """A Pillow image or an array as (h, w, 1 or 3) in this machine's byte order; alpha is dropped."""
    if isinstance(source, Pillow.Image):
        counts = source.mode in ("L", "RGB", "F", "I") or source.mode.startswith("I;16")
        plain = "L" if source.mode in ("1", "LA") else "RGB"
        source = np.array(source if counts else source.convert(plain))
    if not isinstance(source, np.ndarray):
        raise IrvisError(
            f"cannot read an image from {type(source).__name__}: give a path, Pillow image, array or tensor"
        )
    if source.ndim not in (2, 3) or (source.ndim == 3 and source.shape[2] not in (1, 3, 4)):
        raise IrvisError(f"an array must be (h, w) or (h, w, channels), not {source.shape}")
    planes = source[..., None] if source.ndim == 2 else source[..., :3]
    return np.ascontiguousarray(planes, source.dtype.newbyteorder("="))


def of_samples(pixels: NDArray[Any]) -> torch.Tensor:
    """Samples (h, w, 1 or 3) as (1, 1 or 3, h, w) in [0, 1]."""
    return _unit(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None], str(pixels.dtype))


def of_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor of any of the shapes as (b, 1 or 3, h, w) in [0, 1]."""
    planes = tensor[None, None] if tensor.ndim == 2 else tensor[None] if tensor.ndim == 3 else tensor
    return _unit(checked(planes), str(tensor.dtype).removeprefix("torch."))


def checked(batch: torch.Tensor) -> torch.Tensor:
    """The batch, if it is one."""
    if batch.ndim != 4 or batch.shape[1] not in (1, 3):
        raise IrvisError(f"a tensor must be (channels, h, w) or (batch, channels, h, w), not {tuple(batch.shape)}")
    return batch


def _unit(planes: torch.Tensor, dtype: str) -> torch.Tensor:
    """Float32 in [0, 1]."""
    if dtype not in FULL and not dtype.startswith(("float", "bfloat")):
        raise IrvisError(f"pixels must be uint8, uint16 or float in [0, 1], not {dtype}")
    image = planes.to(torch.float32) / FULL.get(dtype, 1)
    if not bool(((image >= 0) & (image <= 1)).all()):
        raise IrvisError(
            f"float pixels must be in [0, 1]; these are {float(image.min()):g} to {float(image.max()):g} "
            "(for infrared give infrared_range)"
        )
    return image
