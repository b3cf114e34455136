"""Filters that several methods share: box, Gaussian, guided, bilateral, and the two steps of a Laplacian pyramid.

Each takes planes (b, 1, h, w) of any size on any device, treats the pictures of a batch one by one and gives back
their type. Half precision is computed in single; where differences of means would cancel, in double.
"""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import conv1d, conv2d, conv_transpose2d, pad

from .types import Gray, Scaled

Border = Literal["replicate", "symmetric"]


def single(image: Tensor) -> Tensor:
    """`image` in at least single precision."""
    return image.float() if image.dtype in (torch.float16, torch.bfloat16) else image


def double(image: Tensor) -> Tensor:
    """`image` in double precision; in single where the device has no double (mps)."""
    return image.float() if image.device.type == "mps" else image.double()


def extended(image: Tensor, amount: int, border: Border) -> Tensor:
    """`image` with its rows continued by `amount` pixels at both ends.

    "replicate" repeats the last pixel, "symmetric" mirrors with the last pixel twice, again and again if need be.
    """
    size = image.shape[-1]
    at = torch.arange(-amount, size + amount, device=image.device)
    if border == "replicate":
        return image.index_select(-1, at.clamp(0, size - 1))
    at = at.remainder(2 * size)
    return image.index_select(-1, torch.minimum(at, 2 * size - 1 - at))


def box(image: Gray, radius: int, border: Border | Literal["inside"] = "inside") -> Gray:
    """Mean over the window of 2·radius+1 pixels a side; "inside": over the part of it that lies in the picture."""
    wide = double(image)
    for _ in range(2):  # along the rows, then turned, which is faster than along the columns
        size = wide.shape[-1]
        if border == "inside":
            wide = _window_means(wide, radius)
        else:
            wide = _window_means(extended(wide, radius, border), radius).narrow(-1, radius, size)
        wide = wide.transpose(-1, -2).contiguous()
    return wide.to(image.dtype)


def _window_means(image: Tensor, radius: int) -> Tensor:
    """Means along the rows, by differences of running sums."""
    size = image.shape[-1]
    sums = image.cumsum(-1)
    none = torch.zeros_like(sums[..., :1]).expand(*sums.shape[:-1], radius + 1)
    everything = sums[..., -1:].expand(*sums.shape[:-1], radius)
    sums = torch.cat([none, sums, everything], -1)
    at = torch.arange(size, device=image.device)
    count = (at + radius).clamp_max(size - 1) - (at - radius).clamp_min(0) + 1
    return (sums.narrow(-1, 2 * radius + 1, size) - sums.narrow(-1, 0, size)) * (1 / count.to(image.dtype))


def gaussian(image: Gray, sigma: float, radius: int | None = None, border: Border = "symmetric") -> Gray:
    """Gaussian mean of standard deviation `sigma` pixels, cut off at `radius` (3 `sigma`, rounded down)."""
    radius = math.floor(3 * sigma) if radius is None else radius
    at = torch.arange(-radius, radius + 1, dtype=torch.float64) / sigma
    weights = (-at.square() / 2).exp()
    weights = (weights / weights.sum()).to(single(image)).view(1, 1, -1)
    values = single(image)
    for _ in range(2):  # along the rows, then turned
        wide = extended(values, radius, border)
        values = conv1d(wide.flatten(0, 2).unsqueeze(1), weights).view(values.shape)
        values = values.transpose(-1, -2).contiguous()
    return values.to(image.dtype)


def guided(guide: Gray, image: Gray, radius: int, epsilon: float) -> Gray:
    """Guided filter (He, Sun & Tang, 2010): in each window the straight line of `guide` that fits `image` best.

    Slope a = cov(guide, image) / (var(guide) + epsilon), offset b = mean(image) − a·mean(guide), both averaged over the
    windows of 2·radius+1 pixels that hold a pixel. `epsilon` is in squares of the guide's unit: variances well above
    it are edges and are kept. Means at the border are those of `box`.
    """
    wide, values = double(guide), double(image)
    if guide is image:
        mean_guide, square = box(torch.cat([wide, wide * wide]), radius).chunk(2)
        mean, product = mean_guide, square
    else:
        stack = torch.cat([wide, values, wide * wide, wide * values])
        mean_guide, mean, square, product = box(stack, radius).chunk(4)
    slope = (product - mean_guide * mean) / (square - mean_guide.square() + epsilon)
    slope, offset = box(torch.cat([slope, mean - slope * mean_guide]), radius).chunk(2)
    return (slope * wide + offset).to(image.dtype)


def bilateral(image: Gray, sigma: float, range_sigma: float) -> Gray:
    """Bilateral filter of an image in [0, 1] on a grid (Paris & Durand, ECCV 2006): means of near pixels of like value.

    `sigma` is in pixels, `range_sigma` in units of value. A picture becomes a volume (height / sigma, width / sigma,
    value / range_sigma, the values counted from the picture's least) of sums and counts, each pixel in its nearest
    cell; the volume is smoothed by (1 4 6 4 1)/16 along each side, a deviation of one cell, and read out at each
    pixel's own place by linear interpolation. Beyond the border there is nothing to take the mean of.
    """
    values = single(image)
    height, width = image.shape[-2:]
    rows, columns = (torch.arange(side, device=image.device) / sigma for side in (height, width))
    layers = (values - values.amin((1, 2, 3), keepdim=True)).clamp(0, 1) / range_sigma
    places = [layers, rows.to(values).view(-1, 1).expand_as(values), columns.to(values).expand_as(values)]
    # One cell more than needed on each side, so that reading never has to look for the end.
    sides = [math.ceil(last) + 2 for last in (1 / range_sigma, (height - 1) / sigma, (width - 1) / sigma)]
    total, count = (_read(_smoothed(volume), places) for volume in _splatted(values, places, sides))
    return (total / count).to(image.dtype)


def _cell(places: list[Tensor], sides: list[int]) -> Tensor:
    """The number of the cell, layer by layer and row by row, that each place rounded down lies in."""
    layer, row, column = (place.long() for place in places)
    return ((layer * sides[1] + row) * sides[2] + column).flatten(1)


def _splatted(values: Tensor, places: list[Tensor], sides: list[int]) -> list[Tensor]:
    """(b, *sides): the sum of the values in each cell, and their number."""
    nearest = _cell([place + 0.5 for place in places], sides)
    empty = values.new_zeros(values.shape[0], math.prod(sides))
    planes = (values, torch.ones_like(values))
    return [empty.scatter_add(1, nearest, plane.flatten(1)).unflatten(1, sides) for plane in planes]


def _smoothed(volume: Tensor) -> Tensor:
    """1 4 6 4 1 along each side; not divided by their sum, as only ratios of volumes matter."""
    for dim in (1, 2, 3):
        wide = pad(volume, [0, 0] * (3 - dim) + [2, 2])
        outer, inner, middle, inner_too, outer_too = (wide.narrow(dim, n, volume.shape[dim]) for n in range(5))
        volume = (outer + outer_too).add(inner + inner_too, alpha=4).add(middle, alpha=6)
    return volume


def _read(volume: Tensor, places: list[Tensor]) -> Tensor:
    """The volume at places between its cells."""
    sides, flat = list(volume.shape[1:]), volume.flatten(1)
    cell = _cell(places, sides)
    steps = [(n * sides[1] + m) * sides[2] + k for n in (0, 1) for m in (0, 1) for k in (0, 1)]
    values = [flat[:, step:].gather(1, cell).view(places[0].shape) for step in steps]
    for place in reversed(places):
        part = place - place.floor()
        values = [torch.lerp(below, above, part) for below, above in zip(values[::2], values[1::2], strict=True)]
    return values[0]


def reduce(image: Gray) -> Scaled:
    """The next coarser level of a Gaussian pyramid (Burt & Adelson 1983): half the size; sides must be even."""
    return conv2d(pad(image, (2, 2, 2, 2), mode="replicate"), _binomial(image), stride=2)


def expand(image: Gray) -> Scaled:
    """A level brought to the size of the next finer one: twice its own."""
    # The repeated border is one coarse pixel, so 2 + 2 fine pixels are cut off each side again.
    wide = pad(image, (1, 1, 1, 1), mode="replicate")
    return conv_transpose2d(wide, 4 * _binomial(image), stride=2, padding=4, output_padding=1)


def _binomial(like: Tensor) -> Tensor:
    row = torch.tensor([1.0, 4, 6, 4, 1], device=like.device, dtype=like.dtype) / 16
    return (row[:, None] * row)[None, None]
