"""Phase congruency: features are where the Fourier components of an image agree in phase, whatever their contrast.

P. Kovesi, "Image Features From Phase Congruency", Videre 1(3), 1999, with the parameters of his phasecong2 of 2005.
"""

from collections.abc import Iterator
from math import cos, log, pi, sin, sqrt
from typing import NamedTuple

import torch
from torch import Tensor

from .maps import Levels, Values, shared

SCALES, ORIENTATIONS = 4, 6
SHORTEST, STEP = 3.0, 2.1
"""Wavelength in pixels of the finest filters, and the factor from scale to scale."""
BANDWIDTH, ANGULAR_DEVIATION = -log(0.55), pi / ORIENTATIONS / 1.2
"""Deviations of the filters' Gaussians: in the logarithm of frequency, in angle."""
SMALL = 1e-4


class Phase(NamedTuple):
    """Phase congruency, and the largest and least moment of its orientations: strength of edges and of corners."""

    congruency: Levels
    edge: Levels
    corner: Levels


class Filters(NamedTuple):
    """The filters of one orientation, fine to coarse, split into even and odd, on the half plane of a real spectrum."""

    even: list[Tensor]
    odd: list[Tensor]


@shared
def phase(image: Levels) -> Phase:
    """Phase congruency of an image and its moments; 0 everywhere on a constant one (but for ±5e-5 in the moments).

    With w·E the weighted energy of an orientation and A the sum of its amplitudes, PC = Σ w·E / (Σ A + 1e-4) over
    orientations; the moments are those of w·E/A over the orientations, the mixed one with a quarter of its weight, as
    in phasecong2.
    """
    height, width = image.shape[-2:]
    spectrum = torch.fft.rfft2(image - image.mean((2, 3), keepdim=True))
    spectra = spectrum, spectrum * -1j
    energies, amplitudes, along, across, mixed = (torch.zeros_like(image) for _ in range(5))
    for n, filters in enumerate(_bank(height, width, image.device)):
        energy, amplitude = _energy(spectra, filters, width)
        energies += energy
        amplitudes += amplitude
        squared = energy.div_(amplitude.clamp_min_(1e-300)).square_()
        x, y = cos(n * pi / ORIENTATIONS), sin(n * pi / ORIENTATIONS)
        along.add_(squared, alpha=x * x)
        across.add_(squared, alpha=y * y)
        mixed.add_(squared, alpha=x * y)
    both, gap = (across + along) / (ORIENTATIONS / 2), (along - across) / (ORIENTATIONS / 2)
    length = mixed.div_(ORIENTATIONS).square_().add_(gap.square_()).sqrt_().add_(SMALL)
    return Phase(energies.div_(amplitudes.add_(SMALL)), (both + length) / 2, (both - length) / 2)


def _energy(spectra: tuple[Tensor, Tensor], filters: Filters, width: int) -> tuple[Levels, Levels]:
    """Energy of one orientation above its noise, weighted by how many scales respond, and the sum of the amplitudes."""
    size = spectra[0].shape[-2], width
    even, odd = ([torch.fft.irfft2(s * one, s=size) for one in part] for s, part in zip(spectra, filters, strict=True))
    squares = [e.square().add_(o.square()) for e, o in zip(even, odd, strict=True)]
    noise = _noise(squares[0], filters, width).view(-1, 1, 1, 1)
    amplitudes = [square.sqrt_() for square in squares]
    amplitude, strongest = _sum(amplitudes), torch.stack(amplitudes).amax(0)
    sum_even, sum_odd = _sum(even), _sum(odd)
    apart = _sum([e.mul_(sum_odd).sub_(o.mul_(sum_even)).abs_() for e, o in zip(even, odd, strict=True)])
    squared = sum_even.square_().add_(sum_odd.square_())
    energy = (squared - apart).div_(squared.sqrt_().add_(SMALL)).sub_(noise).clamp_min_(0)
    share = (amplitude / strongest.add_(SMALL)).div_(SCALES)
    return energy.mul_(share.sub_(0.5).mul_(10).sigmoid_()), amplitude


def _sum(images: list[Tensor]) -> Tensor:
    total = images[0] + images[1]
    for image in images[2:]:
        total += image
    return total


def _noise(squares: Tensor, filters: Filters, width: int) -> Values:
    """The energy that noise is expected to stay under: its mean and two deviations, from the finest scale's median.

    `squares` are the squared amplitudes at the finest scale. Kovesi's 1.7 fits the estimate to this form of energy.
    """
    twice = torch.full_like(filters.even[0], 2.0)
    twice[:, 0] = 1  # the half plane holds these columns of the whole one once
    if width % 2 == 0:
        twice[:, -1] = 1
    finest = (filters.even[0].square() + filters.odd[0].square()).mul_(twice).sum()
    all_scales = _sum(filters.even).square_().mul_(twice).sum()
    power = _median(squares.flatten(1)) / log(2) / finest
    return (power * all_scales).sqrt() * ((sqrt(pi / 2) + 2 * sqrt(2 - pi / 2)) / 1.7)


def _median(values: Tensor) -> Values:
    """Median of each row; the mean of the two middle values where there are two."""
    count = values.shape[1]
    low = values.median(dim=1, keepdim=True).values
    above = values.masked_fill(values <= low, torch.inf).amin(dim=1, keepdim=True)
    high = torch.where((values <= low).sum(dim=1, keepdim=True) > count // 2, low, above)
    return (low if count % 2 else (low + high) / 2).flatten()


def _bank(height: int, width: int, device: torch.device) -> Iterator[Filters]:
    """Log-Gabor filters of every orientation: Gaussians of log frequency, times Gaussians of angle."""
    radial, angular = _planes(height=height, width=width, device=device)
    for half, half_mirrored in angular:
        pairs = [(one * half, mirrored * half_mirrored) for one, mirrored in radial]
        yield Filters([a + b for a, b in pairs], [a.sub_(b) for a, b in pairs])


Planes = tuple[tuple[Tensor, Tensor], ...]


@shared
def _planes(*, height: int, width: int, device: torch.device) -> tuple[Planes, Planes]:
    """The factors of the filters, each with its mirror image: per scale, and, halved, per orientation.

    The low-pass that rounds off the spectrum's corners lies one frequency off centre on odd sizes, as in phasecong2.
    """
    y, x = (_frequencies(n, device) for n in (height, width))
    radius = (y.square()[:, None] + x.square()).sqrt_()
    radius[0, 0] = 1
    angle = torch.atan2(-y[:, None], x)
    y, x = (
        torch.fft.fftshift(torch.arange(n, dtype=torch.float64, device=device) - n // 2) / n for n in (height, width)
    )
    low_pass = ((y.square()[:, None] + x.square()) / 0.45**2).pow_(15).add_(1).reciprocal_()
    low_pass[0, 0] *= 0
    waves = (radius * (SHORTEST * STEP**n) for n in range(SCALES))
    radial = (wave.log_().square_().div_(-2 * BANDWIDTH**2).exp_().mul_(low_pass) for wave in waves)
    away = ((angle - n * pi / ORIENTATIONS).abs_() for n in range(ORIENTATIONS))
    around = (torch.minimum(one, 2 * pi - one).square_() for one in away)
    angular = (one.div_(-2 * ANGULAR_DEVIATION**2).exp_().div_(2) for one in around)
    return tuple(map(_with_mirrored, radial)), tuple(map(_with_mirrored, angular))


def _frequencies(count: int, device: torch.device) -> Tensor:
    """−½ to ½ cycles per pixel in the order of an FFT; an odd number of them reaches both ends, as in phasecong2."""
    steps = torch.arange(count, dtype=torch.float64, device=device) - count // 2
    return torch.fft.ifftshift(steps / (count - count % 2))


def _with_mirrored(plane: Tensor) -> tuple[Tensor, Tensor]:
    """The half plane of a filter's frequencies k, and its values at −k."""
    half = plane.shape[1] // 2 + 1
    return plane[:, :half].contiguous(), plane.flip(0, 1).roll((1, 1), (0, 1))[:, :half].contiguous()
