"""Sizes: run a core on images of any size, whole or in tiles.

A core that sees only so far (`Spec.reach`) gives the same picture tiled as whole: tiles start on the core's
grid, carry a halo and are cropped. A core that sees everything is run on overlapping tiles whose seams are blended.
"""

from collections.abc import Callable, Iterator
from itertools import product

import torch
from torch import Tensor
from torch.nn.functional import pad

from .registry import Spec
from .types import Gray, Image, Scaled

Core = Callable[[Image, Gray], Scaled]


def run(core: Core, visible: Image, infrared: Gray, spec: Spec, tile: int | None = None) -> Scaled:
    """`core` on a batch of any size. `tile` (pixels a side) bounds the memory; None = whole images."""
    if spec.window is not None:
        return blended(core, visible, infrared, spec, spec.window)
    if tile is None or max(visible.shape[-2:]) <= tile:
        return padded(core, visible, infrared, spec)
    tiled = blended if spec.reach is None else exact
    return tiled(core, visible, infrared, spec, tile)


def padded(core: Core, visible: Image, infrared: Gray, spec: Spec) -> Scaled:
    """`core` on images padded at the right and the bottom to `spec.multiple`, and cropped back."""
    height, width = visible.shape[-2:]
    below, right = -height % spec.multiple, -width % spec.multiple
    fused = core(*(_extend(image, right, below, spec.fill) for image in (visible, infrared)))
    return fused[..., : height * spec.scale, : width * spec.scale]


def exact(core: Core, visible: Image, infrared: Gray, spec: Spec, size: int) -> Scaled:
    """Tiles with a halo of at least `spec.reach`, cropped: equal to the whole image."""
    assert spec.reach is not None
    step = _up_to(max(size, 1), spec.multiple)
    halo = _up_to(spec.reach, spec.multiple)
    height, width = visible.shape[-2:]
    fused: Tensor | None = None
    for top, left in product(range(0, height, step), range(0, width, step)):
        bottom, right = min(top + step, height), min(left + step, width)
        above, before = max(top - halo, 0), max(left - halo, 0)
        seen = (..., slice(above, bottom + halo), slice(before, right + halo))
        part = padded(core, visible[seen], infrared[seen], spec)
        fused = _canvas(part, height, width, spec.scale) if fused is None else fused
        keep = (..., _span(top - above, bottom - above, spec), _span(left - before, right - before, spec))
        fused[..., _span(top, bottom, spec), _span(left, right, spec)] = part[keep]
    assert fused is not None
    return fused


def blended(core: Core, visible: Image, infrared: Gray, spec: Spec, size: int) -> Scaled:
    """Windows of `size` pixels on the core's grid that overlap by about a quarter, mixed with linear ramps."""
    size = _up_to(size, spec.multiple)
    height, width = visible.shape[-2:]
    right, below = (max(size, _up_to(length, spec.multiple)) - length for length in (width, height))
    visible, infrared = (_extend(image, right, below, spec.fill) for image in (visible, infrared))
    fused: Tensor | None = None
    total: Tensor | None = None
    for top, left in product(*(list(_starts(length, size, spec.multiple)) for length in visible.shape[-2:])):
        window = (..., slice(top, top + size), slice(left, left + size))
        part = core(visible[window], infrared[window])
        weight = _ramp(size * spec.scale, size * spec.scale // 4, part)
        if fused is None or total is None:
            fused = _canvas(part, visible.shape[-2], visible.shape[-1], spec.scale)
            total = torch.zeros_like(fused[:1, :1])
        place = (..., _span(top, top + size, spec), _span(left, left + size, spec))
        fused[place] += part * weight
        total[place] += weight
    assert fused is not None
    assert total is not None
    return (fused / total)[..., : height * spec.scale, : width * spec.scale]


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
    return -(-length // multiple) * multiple


def _starts(length: int, size: int, multiple: int) -> Iterator[int]:
    yield from range(0, length - size, _up_to(size - size // 4, multiple))
    yield length - size


def _ramp(size: int, overlap: int, like: Tensor) -> Tensor:
    side = torch.arange(1, size + 1).minimum(torch.arange(size, 0, -1)).clamp(max=max(overlap, 1)).to(like)
    return side[:, None] * side
