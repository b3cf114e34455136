"""What feature mutual information compares: pictures turned into maps of one kind of feature."""

import math
from typing import Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from .maps import Levels, extended, separable, shared

Feature = Literal["pixel", "gradient", "edge", "dct", "wavelet"]
Map = Float64[Tensor, "b 1 high wide"]

TAPS = 102
"""Length of MATLAB's 'dmey' filters: the Meyer filter cut at ±50 around its centre, and a 0 in front."""


@shared
def feature_map(image: Levels, *, feature: Feature) -> Map:
    """The picture's pixels, horizontal gradient, Sobel edges (0 and 1), discrete cosine or Meyer wavelet transform."""
    makers = {"pixel": lambda x: x, "gradient": gradient, "edge": edges, "dct": cosines, "wavelet": wavelets}
    made: Map = makers[feature](image)
    return made


def gradient(image: Levels) -> Map:
    """Horizontal central differences, one-sided at the border."""
    return torch.gradient(image, dim=3)[0]


def edges(image: Levels) -> Map:
    """1 on the thinned Sobel edges, 0 elsewhere, as MATLAB's edge(image) draws them.

    A pixel is an edge where its squared gradient exceeds four times the picture's mean and, along the larger of the two
    derivatives, is at least that of the pixel before and more than that of the pixel after; outside it is 0.
    """
    slope, ramp = torch.tensor([-1.0, 0.0, 1.0]), torch.tensor([1.0, 2.0, 1.0])
    across, down = separable(image, ramp, slope, "replicate"), separable(image, slope, ramp, "replicate")
    power = across.square() + down.square()
    around = extended(power, 1, 1, 1, 1, "zero")
    left, right = around[..., 1:-1, :-2], around[..., 1:-1, 2:]
    above, below = around[..., :-2, 1:-1], around[..., 2:, 1:-1]
    upright = (across.abs() >= down.abs()) & (left <= power) & (power > right)
    level = (down.abs() >= across.abs()) & (above <= power) & (power > below)
    return ((power > 4 * power.mean((2, 3), keepdim=True)) & (upright | level)).double()


def cosines(image: Levels) -> Map:
    """The orthonormal discrete cosine transform (II) of the whole picture."""
    height, width = image.shape[-2:]
    return cosine_matrix(height).to(image.device) @ image @ cosine_matrix(width).to(image.device).T


def cosine_matrix(size: int) -> Float64[Tensor, "n n"]:
    """Rows are the orthonormal cosines."""
    n = torch.arange(size, dtype=torch.float64)
    matrix = torch.cos(math.pi / size * torch.outer(n, n + 0.5)) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


def wavelets(image: Levels) -> Map:
    """One level of the discrete Meyer wavelet transform, its four parts side by side, stretched to [0, 1].

    As MATLAB's dwt2 with 'dmey': the picture mirrored at its border, each part ⌊(size + 101)/2⌋ pixels high and wide;
    [approximation, horizontal edges; vertical edges, diagonals]. PyWavelets' filter of that name is another (62 taps).
    """
    (low, high), (left, right) = (wavelet_matrices(size) for size in image.shape[-2:])
    rows = [side.to(image.device) @ image for side in (low, high)]
    columns = [side.to(image.device).T for side in (left, right)]
    upper, lower = (torch.cat([part @ column for part in rows], dim=3) for column in columns)
    parts = torch.cat([upper, lower], dim=2)
    least, largest = parts.amin((2, 3), keepdim=True), parts.amax((2, 3), keepdim=True)
    return (parts - least) / (largest - least).clamp_min(1e-300)


def wavelet_matrices(size: int) -> tuple[Float64[Tensor, "n size"], Float64[Tensor, "n size"]]:
    """What takes a line of pixels to its low-pass and to its high-pass part."""
    low = meyer_filter()
    high = low.flip(0) * (-1.0) ** torch.arange(1, TAPS + 1)
    count = (size + TAPS - 1) // 2
    touched = (2 * torch.arange(count)[:, None] + torch.arange(TAPS) + 2 - TAPS) % (2 * size)
    touched = torch.minimum(touched, 2 * size - 1 - touched)  # pixels of the line, mirrored at both ends
    empty = torch.zeros(count, size, dtype=torch.float64)
    made = [empty.scatter_add(1, touched, taps.flip(0).expand(count, TAPS)) for taps in (low, high)]
    return made[0], made[1]


def meyer_filter() -> Float64[Tensor, "102"]:
    """The Meyer scaling filter cos(π/2·ν(3|ω|/π − 1)), ν(x) = x⁴(35 − 84x + 70x² − 20x³), as 102 taps of sum √2.

    From the formula; the taps that MATLAB stores differ by less than 1e-10.
    """
    frequency = torch.arange(2049, dtype=torch.float64) / 2048
    x = (3 * frequency - 1).clamp(0, 1)
    response = torch.cos(math.pi / 2 * x**4 * (35 - 84 * x + 70 * x**2 - 20 * x**3))
    half = torch.fft.irfft(response)[: TAPS // 2]
    taps = torch.cat([torch.zeros(1, dtype=torch.float64), half[1:].flip(0), half])
    return taps * math.sqrt(2) / taps.sum()
