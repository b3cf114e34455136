"""What metrics share: 8-bit levels, windows, filters, histograms, and a memory for maps that several metrics need.

Everything here is float64, and images are (b, 1, h, w) of levels 0..255 unless said. A function decorated with `shared`
computes its map once per image inside `with sharing():`, however many metrics and fused images ask for it; outside it
computes anew. The functions stay pure either way.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn.functional import pad

from ..types import Picture

P = ParamSpec("P")
R = TypeVar("R")
Levels = Float64[Tensor, "b 1 h w"]
Values = Float64[Tensor, " b"]
Border = Literal["valid", "zero", "replicate", "reflect"]
"""How a filter treats the border: leave it out, or repeat zeros, the border pixel, or the picture mirrored in it."""

SMALLEST = 8
"""Pictures with a side below this are refused."""

_MEMORY: ContextVar["Memory | None"] = ContextVar("memory", default=None)


class Memory:
    """Maps kept while `sharing()`; it holds the images too, so that their identity stays theirs."""

    def __init__(self) -> None:
        self.kept: dict[Any, tuple[tuple[Any, ...], Any]] = {}

    def forget(self, *images: Tensor) -> None:
        """Drop every map that was made from one of `images`, directly or through other maps."""
        gone = {id(image) for image in images}
        for key, (made_from, made) in list(self.kept.items()):  # in order of making: a map stands after its sources
            if any(id(source) in gone for source in made_from):
                gone |= set(_identities(made))
                del self.kept[key]


def _identities(made: Any) -> Iterator[int]:
    """The identity of a map, and of every part of it where it is a tuple."""
    yield id(made)
    for part in made if isinstance(made, tuple) else ():
        yield from _identities(part)


@contextmanager
def sharing() -> Iterator[Memory]:
    """While this lasts, maps are computed once. Give it one pair at a time, and `forget` fused images.

    Inside another `sharing()` it is that one's memory that is used.
    """
    memory = _MEMORY.get() or Memory()
    token = _MEMORY.set(memory)
    try:
        yield memory
    finally:
        _MEMORY.reset(token)


def shared(function: Callable[P, R]) -> Callable[P, R]:
    """Remember what `function` made of its images (positional) and options (keyword)."""

    @wraps(function)
    def recalled(*images: P.args, **options: P.kwargs) -> R:
        memory = _MEMORY.get()
        if memory is None:
            return function(*images, **options)
        key = (function, tuple(map(id, images)), tuple(sorted(options.items())))
        if key not in memory.kept:
            memory.kept[key] = images, function(*images, **options)
        made: R = memory.kept[key][1]
        return made

    return recalled


@shared
def levels(image: Picture) -> Levels:
    """The gray levels 0..255 of an image in [0, 1], as its 8-bit file would hold them.

    Pixels are rounded to 8 bits first; colour becomes gray by MATLAB's rgb2gray (its weights, rounded half up), which
    differs from PIL's and OpenCV's by one level in fewer than 0.04% of pixels.
    """
    if min(image.shape[-2:]) < SMALLEST:
        raise ValueError(f"metrics need images of at least {SMALLEST}×{SMALLEST} pixels, not {tuple(image.shape[-2:])}")
    whole = (image.double() * 255 + 0.5).floor().clamp(0, 255)
    if whole.shape[1] == 1:
        return whole
    red, green, blue = whole.split(1, dim=1)
    return (0.298936021 * red + 0.587043074 * green + 0.114020904 * blue + 0.5).floor()


@shared
def channels(image: Picture) -> tuple[Tensor, Tensor, Tensor]:
    """The three channels of an image, each (b, 1, h, w); a gray image three times."""
    red, green, blue = image.expand(-1, 3, -1, -1).split(1, dim=1)
    return red, green, blue


@shared
def stretched(image: Levels) -> Levels:
    """Levels stretched to 0..255 and rounded half up, as Liu's and VIFB's codes begin; a constant image stays."""
    low, high = image.amin((2, 3), keepdim=True), image.amax((2, 3), keepdim=True)
    wide = (image - low) / (high - low).clamp_min(1e-300) * 255
    return torch.where(high > low, (wide + 0.5).floor(), image)


def extended(image: Tensor, above: int, below: int, left: int, right: int, border: Border) -> Tensor:
    """The image with a border around it."""
    if border == "valid":
        return image
    mode = {"zero": "constant", "replicate": "replicate", "reflect": "reflect"}[border]
    return pad(image, (left, right, above, below), mode=mode)


def separable(image: Tensor, column: Tensor, row: Tensor, border: Border = "valid") -> Tensor:
    """Correlation with the outer product of two 1-D kernels, as a sum of shifted images: exact on integers."""
    tall, wide = len(column), len(row)
    image = extended(image, tall // 2, (tall - 1) // 2, wide // 2, (wide - 1) // 2, border)
    height, width = image.shape[-2] - tall + 1, image.shape[-1] - wide + 1
    rows = _sum(row, lambda n: image[..., n : n + width])
    return _sum(column, lambda n: rows[..., n : n + height, :])


def filtered(image: Tensor, kernel: Tensor, border: Border = "valid") -> Tensor:
    """Correlation with a small kernel (h, w) that is not separable, as a sum of shifted images: exact on integers."""
    tall, wide = kernel.shape
    image = extended(image, tall // 2, (tall - 1) // 2, wide // 2, (wide - 1) // 2, border)
    height, width = image.shape[-2] - tall + 1, image.shape[-1] - wide + 1

    def shifted(n: int) -> Tensor:
        return image[..., n // wide : n // wide + height, n % wide : n % wide + width]

    return _sum(kernel.flatten(), shifted)


def _sum(weights: Tensor, shifted: Callable[[int], Tensor]) -> Tensor:
    total: Tensor | None = None
    for n, weight in enumerate(weights.tolist()):
        if weight:
            total = shifted(n) * weight if total is None else total.add_(shifted(n), alpha=weight)
    return torch.zeros_like(shifted(0)) if total is None else total


def gaussian(size: int, deviation: float) -> Tensor:
    """A Gaussian of `size` taps whose sum is 1; its outer product is MATLAB's fspecial('gaussian')."""
    x = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    taps = torch.exp(-x.square() / (2 * deviation**2))
    return taps / taps.sum()


def smooth(image: Tensor, size: int, deviation: float, border: Border = "valid") -> Tensor:
    """Gaussian smoothing; where the picture is smaller than the window, the largest odd window that fits."""
    size = min(size, min(image.shape[-2:]) - 1 + min(image.shape[-2:]) % 2) if border == "valid" else size
    taps = gaussian(size, deviation)
    return separable(image, taps, taps, border)


@shared
def local_mean(image: Levels, size: int = 11, deviation: float = 1.5, border: Border = "valid") -> Tensor:
    """Gaussian-weighted local mean."""
    return smooth(image, size, deviation, border)


@shared
def local_moment(a: Levels, b: Levels, size: int = 11, deviation: float = 1.5, border: Border = "valid") -> Tensor:
    """Gaussian-weighted local mean of a·b."""
    return smooth(a * b, size, deviation, border)


@shared
def histogram(image: Levels) -> Float64[Tensor, "b 256"]:
    """Probability of each of the 256 levels."""
    counts = torch.stack([torch.bincount(one.flatten().long(), minlength=256) for one in image])
    return counts.double() / counts.sum(1, keepdim=True)


@shared
def joint_histogram(a: Levels, b: Levels) -> Float64[Tensor, "b 256 256"]:
    """Probability of each pair of levels (level of a, level of b)."""
    both = (a.long() * 256 + b.long()).flatten(1)
    counts = torch.stack([torch.bincount(one, minlength=65536) for one in both])
    return counts.double().view(-1, 256, 256) / both.shape[1]


def entropy_of(probability: Tensor) -> Values:
    """Shannon entropy in bits of each batch item; 0·log 0 = 0."""
    return -torch.special.xlogy(probability, probability).flatten(1).sum(1) / math.log(2) + 0.0  # never -0


def mean(image: Tensor) -> Values:
    """Mean of each batch item."""
    return image.flatten(1).mean(1)


def total(image: Tensor) -> Values:
    """Sum of each batch item."""
    return image.flatten(1).sum(1)


def ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """The quotient; NaN where the denominator is 0, without a warning."""
    return torch.where(denominator != 0, numerator / denominator.where(denominator != 0, 1.0), torch.nan)
