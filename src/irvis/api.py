"""The front door: `irvis.fuse` takes paths, Pillow images, arrays or tensors and gives back the same kind."""

from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow

from . import io, registry
from .color import gray
from .errors import IrvisError
from .fuser import Fuser
from .thermal import Range, to_unit


def fuse(
    visible: Any,
    infrared: Any,
    method: str = "encdec",
    *,
    infrared_range: str | tuple[float, float] | None = None,
    infrared_color: str = "refuse",
    color: str = "keep",
    device: str = "cpu",
) -> Any:
    """Fuse one registered pair.

    Parameters
    ----------
    visible, infrared: paths, Pillow images, numpy arrays (h, w) or (h, w, channels) of uint8, uint16 or float
        in [0, 1], or tensors (channels, h, w) or (batch, channels, h, w) of uint8 or float in [0, 1]; of one size.
    method: "NAME[:WEIGHTS][:option=value…]", as on the command line. Models are kept between calls.
    infrared_range: what becomes black and white: counts (7000, 9000) or "7000,9000", or percentiles "1%,99%".
        Needed for uint16 infrared and for floats outside [0, 1].
    infrared_color: "refuse" pseudo-coloured infrared, or take its "gray".
    color: "keep" the visible image's colours, or "gray".
    device: "cpu", "cuda", …

    Returns
    -------
    The fused image, of the kind, size, depth and layout of `visible`; a Pillow image where `visible` is a path.

    Raises
    ------
    IrvisError: sizes differ, a range is needed, an unreadable file, an unknown method.
    """
    if color not in ("keep", "gray"):
        raise IrvisError(f"color is 'keep' or 'gray', not {color!r}")
    span = _range(infrared_range)
    seen, back = _visible(visible)
    warm = _infrared(infrared, span, infrared_color).to(seen.device)
    if seen.shape[-2:] != warm.shape[-2:] or len(seen) != len(warm):
        raise IrvisError(
            f"visible is {_size(seen)} and infrared is {_size(warm)}: align them first, or resize the infrared"
        )
    with torch.inference_mode():
        fused = fuser(method, device)(seen.to(device), warm.to(device)).to(seen.device)
    return back(gray(fused) if color == "gray" else fused)


@lru_cache(maxsize=4)
def fuser(method: str, device: str = "cpu") -> Fuser:
    """The fuser for "NAME[:WEIGHTS][:option=value…]"; the last four are kept."""
    name, weights, options = registry.parse(method)
    return registry.create(name, weights=weights, device=device, **options)


def _visible(source: Any) -> tuple[torch.Tensor, Any]:
    """The image as (b, 3, h, w), and the way back to the kind it came in."""
    if isinstance(source, (str, PathLike)):
        image, meta = io.read_visible(Path(source))
        return image, lambda fused: _to_pillow(fused, 16 if meta.depth == 16 and fused.shape[1] == 1 else 8)
    if isinstance(source, Pillow.Image):
        sixteen = source.mode.startswith("I;16")
        return _from_array(_pillow_array(source)), lambda fused: _to_pillow(fused, 16 if sixteen else 8)
    if isinstance(source, np.ndarray):
        return _from_array(source), lambda fused: _to_array(fused, source)
    if isinstance(source, torch.Tensor):
        return _from_tensor(source), lambda fused: _to_tensor(fused, source)
    raise IrvisError(f"cannot read an image from {type(source).__name__}: give a path, Pillow image, array or tensor")


def _infrared(source: Any, span: Range | None, color: str) -> torch.Tensor:
    if color not in ("refuse", "gray"):
        raise IrvisError(f"infrared_color is 'refuse' or 'gray', not {color!r}")
    if isinstance(source, (str, PathLike)):
        return io.read_infrared(Path(source), range=span, color=color)  # type: ignore[arg-type]
    if isinstance(source, Pillow.Image):
        source = _pillow_array(source)
    if span is not None or _counts(source):
        source = _to_range(source, span)
    image = _from_array(source) if isinstance(source, np.ndarray) else _from_tensor(source)
    if color == "refuse" and bool((image.amax(1) - image.amin(1) > io.COLOUR_LEVELS / 255).float().mean() > 0.01):
        raise IrvisError(
            "the infrared image is pseudo-coloured: use the camera's gray output, or infrared_color='gray'"
        )
    return gray(image)


def _counts(source: Any) -> bool:
    return isinstance(source, (np.ndarray, torch.Tensor)) and str(source.dtype).endswith(("int16", "int32"))


def _to_range(source: Any, span: Range | None) -> Any:
    counts = source.cpu().numpy() if isinstance(source, torch.Tensor) else np.asarray(source)
    if span is None:
        raise IrvisError(
            f"infrared {counts.dtype} needs a range: it holds {counts.min()} to {counts.max()}; "
            "give infrared_range=(low, high) or '1%,99%'"
        )
    unit = to_unit(counts, span)
    return torch.from_numpy(unit) if isinstance(source, torch.Tensor) else unit


def _range(span: str | tuple[float, float] | None) -> Range | None:
    if span is None:
        return None
    return Range.parse(span) if isinstance(span, str) else Range(float(span[0]), float(span[1]))


def _pillow_array(image: Pillow.Image) -> NDArray[Any]:
    keep = image.mode in ("L", "RGB", "F") or image.mode.startswith("I;16")
    return np.array(image if keep else image.convert("RGB"))


_FULL = {"uint8": 255, "uint16": 65535}


def _from_array(array: NDArray[Any]) -> torch.Tensor:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise IrvisError(f"an array must be (h, w) or (h, w, channels), not {array.shape}")
    planes = array[..., None] if array.ndim == 2 else array[..., :3]
    return _unit(torch.from_numpy(np.array(planes.transpose(2, 0, 1), order="C"))[None], str(array.dtype))


def _from_tensor(tensor: torch.Tensor) -> torch.Tensor:
    planes = {2: tensor[None, None], 3: tensor[None], 4: tensor}.get(tensor.ndim)
    if planes is None or planes.shape[1] not in (1, 3):
        raise IrvisError(f"a tensor must be (channels, h, w) or (batch, channels, h, w), not {tuple(tensor.shape)}")
    return _unit(planes, str(tensor.dtype).removeprefix("torch."))


def _unit(planes: torch.Tensor, dtype: str) -> torch.Tensor:
    """Three channels of float32 in [0, 1]."""
    if dtype not in _FULL and not dtype.startswith(("float", "bfloat")):
        raise IrvisError(f"pixels must be uint8, uint16 or float in [0, 1], not {dtype}")
    image = planes.to(torch.float32) / _FULL.get(dtype, 1)
    if not bool(((image >= 0) & (image <= 1)).all()):
        raise IrvisError(
            f"float pixels must be in [0, 1]; these are {float(image.min()):g} to {float(image.max()):g} "
            "(for infrared give infrared_range)"
        )
    return image.expand(-1, 3, -1, -1)


def _to_array(fused: torch.Tensor, like: NDArray[Any]) -> NDArray[Any]:
    planes = _depth(fused, str(like.dtype))[0].permute(1, 2, 0).cpu().numpy().astype(like.dtype)
    return planes[..., 0] if like.ndim == 2 or planes.shape[2] == 1 else planes[..., : min(like.shape[2], 3)]


def _to_tensor(fused: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    planes = _depth(fused, str(like.dtype).removeprefix("torch.")).to(like.dtype)
    planes = planes[:, : like.shape[-3]] if like.ndim > 2 else planes[:, :1]
    return {2: planes[0, 0], 3: planes[0], 4: planes}[like.ndim] if like.ndim < 4 else planes


def _depth(fused: torch.Tensor, dtype: str) -> torch.Tensor:
    return (fused * _FULL[dtype]).round() if dtype in _FULL else fused


def _to_pillow(fused: torch.Tensor, depth: int) -> Pillow.Image:
    planes = _depth(fused, f"uint{depth}")[0].cpu().numpy().astype(f"uint{depth}")
    return Pillow.fromarray(planes[0] if len(planes) == 1 or depth == 16 else planes.transpose(1, 2, 0))


def _size(image: torch.Tensor) -> str:
    count, _, height, width = image.shape
    return f"{width}×{height}" if count == 1 else f"{count} × {width}×{height}"
