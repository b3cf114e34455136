"""The channels of a linear network that matter: sorted by what reaches and what leaves them, and what a cut costs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from .filter_bank import FIRST, INNER, LAST, Kernels

Places = dict[tuple[int, int], Tensor]


@dataclass(frozen=True)
class Basis:
    """Features f of one level in coordinates z = read f, f = write z, the most important first.

    grams: for each place of a cell, G = F W⁻¹ Fᵀ of the filters F (coordinates, inputs) that make them, W diagonal.
    weights: for each place, the sum over W: by Cauchy and Schwarz |row F x| ≤ √(sum · row G rowᵀ) for all |x| ≤ 1.
    """

    read: Tensor
    write: Tensor
    grams: Places
    weights: dict[tuple[int, int], float]


def balanced(reaching: Iterable[tuple[tuple[int, int], Tensor]], leaving: Kernels) -> Basis:
    """The basis in which features are reached and seen by the same singular values (Moore 1981: balanced truncation).

    reaching: for each place, the filters (channels, inputs) that make the features.
    leaving: what the features add to the output (values, channels, 3, 3), for each place.
    """
    grams, weights = {}, {}
    for place, filters in reaching:
        envelope = filters.square().mean(0).sqrt()
        envelope = torch.where(envelope > 0, envelope.clamp(min=0.02 * float(envelope.max())), 0)
        rows = (filters * torch.where(envelope > 0, envelope.rsqrt(), 0)).double()
        grams[place], weights[place] = rows @ rows.T, float(envelope.sum())
    seen = sum(_gram(kernel) for kernel in leaving.values())
    reached = sum(grams.values())
    reach_root, seen_root = _root(reached), _root(seen)  # type: ignore[arg-type]
    left, values, right = torch.linalg.svd(seen_root.T @ reach_root, full_matrices=False)
    kept = values > 1e-12 * values[0]
    scale = values[kept].rsqrt()
    read = scale[:, None] * (left[:, kept].T @ seen_root.T)
    write = reach_root @ right[kept].T * scale
    inside = {place: read @ gram @ read.T for place, gram in grams.items()}
    return Basis(read, write, inside, weights)


def bound(basis: Basis, rank: int, leaving: Kernels) -> float:
    """How far the output before tanh can be off, for inputs in [-1, 1], if only the first `rank` coordinates are kept.

    The error of an output value is a linear function of the inputs; it cannot exceed the sum of the magnitudes of its
    coefficients, which the weighted norm of `Basis.grams` bounds for each of the 3 × 3 cells.
    """
    rest = {place: gram[rank:, rank:].float() for place, gram in basis.grams.items()}
    write = basis.write[:, rank:].float()
    worst = 0.0
    for place, kernel in leaving.items():
        total = torch.zeros(len(kernel))
        for y, x in product(range(3), range(3)):
            taps = kernel[:, :, y, x] @ write
            norms = [
                basis.weights[cell] ** 0.5 * ((taps @ rest[cell]) * taps).sum(1).clamp(min=0).sqrt()
                for cell in product(_cells(place[0], y), _cells(place[1], x))
            ]
            total += torch.stack(norms).amax(0) if norms else 0
        worst = max(worst, float(total.max()))
    return worst


def rank_for(basis: Basis, error: float, leaving: Kernels, step: int = 8) -> int:
    """The fewest coordinates, in steps of `step`, whose bound is at most `error`; all where that is not enough."""
    full, inside = len(basis.read), {(INNER, INNER): leaving[INNER, INNER]}
    low, high = 0, -(-full // step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(basis, step * middle, inside) <= error else (middle, high)
    while step * high < full and bound(basis, step * high, leaving) > error:
        high += 1
    return min(step * high, full)


def _cells(place: int, offset: int) -> Iterator[int]:
    """The places that a cell may have, seen from a block at `place`: before it (0), at it (1) or after it (2)."""
    if offset == 1:
        yield place
    elif offset == 0 and place != FIRST:
        yield from (FIRST, INNER)
    elif offset == 2 and place != LAST:
        yield from (INNER, LAST)


def _gram(kernel: Tensor) -> Tensor:
    rows = kernel.movedim(1, 3).flatten(0, 2).double()
    return rows.T @ rows


def _root(gram: Tensor) -> Tensor:
    """A factor R of a symmetric matrix, R Rᵀ = gram."""
    values, vectors = torch.linalg.eigh(gram)
    return vectors * values.clamp(min=0).sqrt()
