"""Sizes: run a core on images of any size, whole or in tiles.

A core that sees only so far (`Spec.reach`) gives the same picture tiled as whole: tiles start on the core's
grid, carry a halo and are cropped. A core that sees everything is run on overlapping tiles whose seams are blended.
"""

from collections.abc import Callable, Iterator
from itertools import product
from math import isqrt
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from .spec import Spec
from .steps import step
from .types import Gray, Image, Scaled

Core = Callable[[Image, Gray], Scaled]


def run(core: Core, visible: Image, infrared: Gray, spec: Spec, tile: int | None = None) -> Scaled:
    """`core` on a batch of any size. `tile` (pixels a side) bounds the memory; None = whole up to `spec.budget`."""
    height, width = visible.shape[-2:]
    if spec.window is not None:
        return blended(core, visible, infrared, spec, (spec.window, spec.window))
    if tile is None and spec.budget is not None and height * width > spec.budget:
        tile = isqrt(spec.budget)
    if tile is None or max(height, width) <= tile:
        return padded(core, visible, infrared, spec)
    if spec.reach is not None:
        return exact(core, visible, infrared, spec, tile)
    return blended(core, visible, infrared, spec, (min(tile, height), min(tile, width)))


def padded(core: Core, visible: Image, infrared: Gray, spec: Spec) -> Scaled:
    """`core` on images padded at the right and the bottom to `spec.multiple` and `spec.least`, and cropped back."""
    height, width = visible.shape[-2:]
    below, right = (_up_to(max(n, spec.least), spec.multiple) - n for n in (height, width))
    fused = core(*(_extend(image, right, below, spec.fill) for image in (visible, infrared)))
    return fused[..., : height * spec.scale, : width * spec.scale]


def exact(core: Core, visible: Image, infrared: Gray, spec: Spec, size: int) -> Scaled:
    """Tiles with a halo of at least `spec.reach`, cropped: equal to the whole image."""
    assert spec.reach is not None
    side = _up_to(max(size, 1), spec.multiple)
    halo = _up_to(spec.reach, spec.multiple)
    height, width = visible.shape[-2:]
    fused: Tensor | None = None
    starts = list(product(range(0, height, side), range(0, width, side)))
    for number, (top, left) in enumerate(starts):
        step("fusing", number, len(starts))
        bottom, right = min(top + side, height), min(left + side, width)
        above, before = max(top - halo, 0), max(left - halo, 0)
        seen = (..., slice(above, bottom + halo), slice(before, right + halo))
        part = padded(core, visible[seen], infrared[seen], spec)
        fused = _canvas(part, height, width, spec.scale) if fused is None else fused
        keep = (..., _span(top - above, bottom - above, spec), _span(left - before, right - before, spec))
        fused[..., _span(top, bottom, spec), _span(left, right, spec)] = part[keep]
    assert fused is not None
    return fused


def blended(core: Core, visible: Image, infrared: Gray, spec: Spec, window: tuple[int, int]) -> Scaled:
    """Windows (height, width) on the core's grid that overlap by about a quarter, mixed with linear ramps."""
    height, width = visible.shape[-2:]
    rows, columns = (_up_to(max(length, spec.least), spec.multiple) for length in window)
    below, right = (
        max(rows, _up_to(height, spec.multiple)) - height,
        max(columns, _up_to(width, spec.multiple)) - width,
    )
    visible, infrared = (_extend(image, right, below, spec.fill) for image in (visible, infrared))
    fused: Tensor | None = None
    total: Tensor | None = None
    lines = (
        _starts(length, side, spec.multiple) for length, side in zip(visible.shape[-2:], (rows, columns), strict=True)
    )
    starts = list(product(*lines))
    for number, (top, left) in enumerate(starts):
        step("fusing", number, len(starts))
        seen = (..., slice(top, top + rows), slice(left, left + columns))
        part = core(visible[seen], infrared[seen])
        weight = _ramp(rows * spec.scale, part)[:, None] * _ramp(columns * spec.scale, part)
        share = part * weight
        if fused is None or total is None:
            fused = _canvas(share, visible.shape[-2], visible.shape[-1], spec.scale)
            total = torch.zeros_like(fused[:1, :1])
        place = (..., _span(top, top + rows, spec), _span(left, left + columns, spec))
        fused[place] += share
        total[place] += weight
    assert fused is not None
    assert total is not None
    return (fused / total).to(part.dtype)[..., : height * spec.scale, : width * spec.scale]


class Span(NamedTuple):
    """One row or one column of windows over a picture too big to be held."""

    seen: slice
    """What the core is given."""
    kept: slice
    """What is taken of its answer."""
    weight: Tensor
    """Of each kept line; a pixel's weights may add up to any positive number."""


def spans(length: int, size: int, spec: Spec) -> list[Span]:
    """The windows of `exact` (finite reach) or of `blended` along a side, each giving `size` pixels."""
    size = _up_to(size, spec.multiple)
    if spec.reach is None or spec.window is not None:
        starts = _starts(max(size, _up_to(length, spec.multiple)), size, spec.multiple)
        parts = [slice(start, min(start + size, length)) for start in starts]
        ramp = _ramp(size, torch.empty(0))
        return [Span(part, part, ramp[: part.stop - part.start]) for part in parts]
    halo = _up_to(spec.reach, spec.multiple)
    parts = [slice(start, min(start + size, length)) for start in range(0, length, size)]
    return [
        Span(slice(max(part.start - halo, 0), min(part.stop + halo, length)), part, torch.ones(part.stop - part.start))
        for part in parts
    ]


def _extend(image: Tensor, right: int, below: int, fill: float | None) -> Tensor:
    if not right and not below:
        return image
    if fill is not None:
        return pad(image, (0, right, 0, below), value=fill)
    return pad(image, (0, right, 0, below), mode="replicate")


def _canvas(part: Tensor, height: int, width: int, scale: int) -> Tensor:
    return part.new_zeros(*part.shape[:2], height * scale, width * scale)


def _span(start: int, stop: int, spec: Spec) -> slice:
    return slice(start * spec.scale, stop * spec.scale)


def _up_to(length: int, multiple: int) -> int:
    return (length + multiple - 1) // multiple * multiple  # nothing negative: ONNX rounds quotients towards zero


def _starts(length: int, size: int, multiple: int) -> Iterator[int]:
    yield from range(0, length - size, _up_to(size - size // 4, multiple))
    yield length - size


def _ramp(size: int, like: Tensor) -> Tensor:
    """Rises over the first quarter of a window to 1, falls over the last, above 0 everywhere; not below float32."""
    rise = max(size // 4, 1)
    side = torch.arange(1, size + 1).minimum(torch.arange(size, 0, -1)).clamp(max=rise) / rise
    return side.to(like.device, torch.promote_types(like.dtype, torch.float32))
