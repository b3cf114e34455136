"""The front door: `irvis.fuse` takes paths, Pillow images, arrays or tensors and gives back the same kind."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from PIL import Image as Pillow

from . import io, pictures, sheet
from .color import gray
from .creation import fuser
from .errors import IrvisError
from .explanation import Explanation, explained
from .spec import Precision, Runtime
from .thermal import Range
from .types import Pair


def fuse(
    visible: Any,
    infrared: Any,
    method: str = "encdec",
    *,
    infrared_range: str | tuple[float, float] | None = None,
    infrared_color: str = "refuse",
    color: str = "keep",
    device: str = "cpu",
    runtime: Runtime = "torch",
    precision: Precision | None = None,
) -> Any:
    """Fuse one registered pair.

    Parameters
    ----------
    visible, infrared: paths (one radiometric file for both: its photo and its counts), Pillow images,
        numpy arrays (h, w) or (h, w, channels) of uint8, uint16 or float
        in [0, 1], or tensors (channels, h, w) or (batch, channels, h, w) of uint8 or float in [0, 1]; of one size.
    method: "NAME[:WEIGHTS][:option=value…]", as on the command line. Models are kept between calls.
    infrared_range: what becomes black and white: counts (7000, 9000) or "7000,9000", degrees "20C,40C", or percentiles
        "1%,99%"; a curve may follow: "1%,99%,equalised".
        Needed for uint16 infrared and for floats outside [0, 1].
    infrared_color: "refuse" pseudo-coloured infrared, or take its "gray".
    color: "keep" the visible image's colours, or "gray".
    device: "cpu", "cuda", …
    runtime, precision: what runs the network, and how exactly (see `irvis.create`).

    Returns
    -------
    The fused image, of the kind, size, depth and layout of `visible`; a Pillow image where `visible` is a path.

    Raises
    ------
    IrvisError: sizes differ, a range is needed, an unreadable file, an unknown method.
    """
    if color not in ("keep", "gray"):
        raise IrvisError(f"color is 'keep' or 'gray', not {color!r}")
    of_visible, of_infrared, back = _pair(visible, infrared, infrared_range, infrared_color)
    with torch.no_grad():  # no inference tensors: the result is the caller's to compute with
        fused = fuser(method, device, runtime, precision)(of_visible.to(device), of_infrared.to(device)).to(
            of_visible.device
        )
    return back(gray(fused) if color == "gray" else fused)


def explain(
    visible: Any,
    infrared: Any,
    method: str = "encdec",
    *,
    infrared_range: str | tuple[float, float] | None = None,
    infrared_color: str = "refuse",
    device: str = "cpu",
) -> Explanation:
    """Fuse one registered pair, and say for every pixel and scale how much came from either camera.

    Parameters
    ----------
    visible, infrared, method, infrared_range, infrared_color, device: as of `irvis.fuse`.

    Returns
    -------
    A record of tensors on the CPU (`.numpy()` makes arrays of them); b is 1, or the batch of tensors that have one.
    The six planes are the detail of about 2, 4, 8, 16 and 32 pixels, and the brightness below it.
        `fused`: (b, 3, h, w) in [0, 1];
        `infrared_share`, `visible_share`: (b, 6, h, w) in [0, 1], their sum is 1; one half where there is nothing;
        `amount`: (b, 6, h, w), 0 or more: the mean deviation that both cameras give together, of [0, 1];
        `exact`: true for networks that predict gains (`encdec` as it is by default): these are the gains. For other
        methods they are estimated, by comparing the fused picture with both images;
        `picture(title)`: all of it as one Pillow image, the one that `irvis fuse --explain` writes.

    Raises
    ------
    IrvisError: as `irvis.fuse`.
    """
    of_visible, of_infrared, _ = _pair(visible, infrared, infrared_range, infrared_color)
    found = explained(fuser(method, device), of_visible.to(device), of_infrared.to(device))
    planes = {name: getattr(found, name).cpu() for name in ("fused", "infrared_share", "amount")}
    return replace(found, **planes)


def compare(
    visible: Any,
    infrared: Any,
    methods: str | Sequence[str] = ("encdec", "laplacian", "max"),
    *,
    infrared_range: str | tuple[float, float] | None = None,
    infrared_color: str = "refuse",
    device: str = "cpu",
) -> Pillow.Image:
    """Both images of one registered pair and its fusions by several methods side by side, each under its name.

    Parameters
    ----------
    methods: each as `method` of `irvis.fuse`; several in one text are separated by commas.
    visible, infrared, infrared_range, infrared_color, device: as of `irvis.fuse`.

    Returns
    -------
    One picture, the one that `irvis fuse --sheet` writes; of a batch, its first pair.

    Raises
    ------
    IrvisError: as `irvis.fuse`.
    """
    names = methods.split(",") if isinstance(methods, str) else list(methods)
    of_visible, of_infrared, _ = _pair(visible, infrared, infrared_range, infrared_color)
    with torch.inference_mode():
        fused = {
            name: fuser(name, device)(of_visible[:1].to(device), of_infrared[:1].to(device)).cpu() for name in names
        }
    return sheet.compared(Pair("", of_visible[:1].cpu(), of_infrared[:1].cpu()), fused)


def _pair(
    visible: Any, infrared: Any, infrared_range: str | tuple[float, float] | None, infrared_color: str
) -> tuple[torch.Tensor, torch.Tensor, Any]:
    """Both images as batches of one size, and the way back to the kind of the visible one."""
    if infrared_color not in ("refuse", "gray"):
        raise IrvisError(f"infrared_color is 'refuse' or 'gray', not {infrared_color!r}")
    span = _range(infrared_range)
    back: Any
    if _same_file(visible, infrared):
        pair = io.read_pair(visible, infrared, range=span, color="gray" if infrared_color == "gray" else "refuse")
        of_visible, of_infrared, back = pair.visible, pair.infrared, partial(_to_pillow, dtype="uint8")
    else:
        of_visible, back = _visible(visible)
        of_infrared = _infrared(infrared, span, infrared_color).to(of_visible.device)
    if of_visible.shape[-2:] != of_infrared.shape[-2:] or len(of_visible) != len(of_infrared):
        raise IrvisError(
            f"visible is {_size(of_visible)} and infrared is {_size(of_infrared)}: align them first, or resize the "
            "infrared"
        )
    return of_visible, of_infrared, back


def _same_file(visible: Any, infrared: Any) -> bool:
    """A radiometric file given for both sides: its photo and its counts."""
    paths = isinstance(visible, (str, PathLike)) and isinstance(infrared, (str, PathLike))
    return paths and Path(visible) == Path(infrared)


def _visible(source: Any) -> tuple[torch.Tensor, Any]:
    """The image as (b, 3, h, w), and the way back to the kind it came in."""
    if isinstance(source, (str, PathLike)):
        image, meta = io.read_visible(Path(source))
        depth = 16 if meta.depth == 16 and meta.gray else 8
        return image, lambda fused: _to_pillow(gray(fused) if meta.gray else fused, f"uint{depth}")
    if isinstance(source, Pillow.Image):
        samples = pictures.samples(source)
        return _colours(pictures.of_samples(samples)), lambda fused: _to_pillow(
            gray(fused) if samples.shape[2] == 1 else fused, str(samples.dtype)
        )
    if isinstance(source, torch.Tensor):
        return _colours(pictures.of_tensor(source)), lambda fused: _to_tensor(fused, source)
    samples = pictures.samples(source)
    return _colours(pictures.of_samples(samples)), lambda fused: _to_array(fused, source)


def _colours(image: torch.Tensor) -> torch.Tensor:
    return image.expand(-1, 3, -1, -1)


def _infrared(source: Any, span: Range | None, color: Any) -> torch.Tensor:
    if isinstance(source, (str, PathLike)):
        return io.read_infrared(Path(source), range=span, color=color)
    if isinstance(source, torch.Tensor):
        batch = {2: source[None, None], 3: source[None], 4: source}.get(source.ndim, source)
        batch = batch.float() if batch.is_floating_point() else batch  # numpy has no bfloat16
        each = [one.detach().cpu().permute(1, 2, 0).numpy() for one in pictures.checked(batch)]
        return torch.cat([_infrared_of(samples, span, color) for samples in each])
    return _infrared_of(pictures.samples(source), span, color)


def _infrared_of(samples: NDArray[Any], span: Range | None, color: Any) -> torch.Tensor:
    """Samples (h, w, 1 or 3); floats in [0, 1] need no range."""
    if span is None and samples.dtype.kind == "f" and samples.min() >= 0 and samples.max() <= 1:
        span = Range(0.0, 1.0)
    return io.infrared_of(samples, span, color)


def _range(span: str | tuple[float, float] | None) -> Range | None:
    if span is None:
        return None
    if isinstance(span, str):
        return Range.parse(span)
    try:
        low, high = span
        return Range(float(low), float(high))
    except (TypeError, ValueError) as problem:
        raise IrvisError(f"infrared_range is (low, high) or '1%,99%', not {span!r}") from problem


def _to_array(fused: torch.Tensor, like: NDArray[Any]) -> NDArray[Any]:
    single = like.ndim == 2 or like.shape[2] == 1
    planes = _depth(gray(fused) if single else fused, str(like.dtype.newbyteorder("=")))
    pixels: NDArray[Any] = planes[0].permute(1, 2, 0).cpu().numpy().astype(like.dtype)
    flat = like.ndim == 2 or (pixels.shape[2] == 1 and like.shape[2] > 1)
    return pixels[..., 0] if flat else pixels


def _to_tensor(fused: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    single = like.ndim == 2 or like.shape[-3] == 1
    planes = _depth(gray(fused) if single else fused, str(like.dtype).removeprefix("torch.")).to(like.dtype)
    return {2: planes[0, 0], 3: planes[0]}.get(like.ndim, planes)


def _depth(fused: torch.Tensor, dtype: str) -> torch.Tensor:
    return (fused * pictures.FULL[dtype]).round() if dtype in pictures.FULL else fused


def _to_pillow(fused: torch.Tensor, dtype: str) -> Pillow.Image:
    """Gray of 8 or 16 bits or float, or RGB of 8 bits: what Pillow has modes for."""
    dtype = dtype if fused.shape[1] == 1 else "uint8"
    planes = _depth(fused, dtype)[0].cpu().numpy().astype(dtype)
    return Pillow.fromarray(planes[0] if len(planes) == 1 else planes.transpose(1, 2, 0))


def _size(image: torch.Tensor) -> str:
    count, _, height, width = image.shape
    return f"{width}×{height}" if count == 1 else f"{count} × {width}×{height}"
