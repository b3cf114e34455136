"""Naturalness of the fused image alone: how its local contrast is distributed, against that of photographs.

Both metrics look at contrast in units of its surroundings, N = (F - μ) / (σ + 1) with Gaussian local mean and deviation
(7×7, 7/6 pixels), and at the products of neighbours in N, at full and at half size (MATLAB's antialiased bicubic). To
each distribution a generalised Gaussian is fitted, its two sides apart for products (Lasmar, Stitou and Berthoumieu,
2009); shapes are looked up in steps of 0.001 between 0.2 and 10, as the authors do. Both were made with visible
photographs in mind, and neither asks what the sources show: read them beside metrics that do.

Where |F - μ| is below 1e-9 levels N is 0. In the authors' MATLAB code flat areas (and linear ramps) hold rounding noise
instead, whose signs are counted: there its numbers depend on the machine, elsewhere ours are its numbers.

The trained figures in `natural.safetensors` are those of the NIQE and BRISQUE software releases. Copyright (c) 2011
The University of Texas at Austin, Laboratory for Image and Video Engineering (LIVE) and Center for Perceptual Systems
(CPS); the header of that file holds the notices in their entirety.
"""

import hashlib
import math
from collections.abc import Mapping
from functools import cache, reduce
from importlib.resources import files

import torch
from safetensors.torch import load
from torch import Tensor

from ..errors import IrvisError
from ..types import Picture
from .maps import Border, Values, levels, mean, ratio, smooth
from .record import metric

SHA256 = "6fdd2a46e698c11ec15996d4d6c50229fe9badeb2d8bb36c9201a08cde104630"
BLOCK = 96
"""Side of the blocks of NIQE."""
FLAT = 1e-9
"""Levels of contrast that are rounding."""
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
HALVING = tuple(n / 256 for n in (-3, -9, 29, 111, 111, 29, -9, -3))
"""Keys' cubic stretched by 2: what MATLAB's imresize(·, 0.5) weighs eight pixels with."""
GAMMA, RHO = 0.05, -153.591
"""Of the support vector regression in BRISQUE: width of its kernel, and its offset."""


@metric("NIQE", better="low", bounds=(0, math.inf), paper="Mittal, Soundararajan and Bovik, 2013")
def niqe(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Natural image quality evaluator.

    √((m - n)ᵀ ((M + N)/2)⁺ (m - n)): m, M are mean and covariance of 36 features over the fused image's 96×96 blocks,
    n, N those of 125 photographs. 0 upward, low = like photographs; the sources are not looked at. As in the authors'
    MATLAB release: rows and columns beyond whole blocks are cut away first, border pixels repeat.
    A feature that a block does not define (no negative or no positive products, as in a flat block) is left out of the
    mean, and its block out of the covariance. Fewer than two blocks with all features, as in pictures smaller than
    96×192 and in flat ones: NaN, for there is no covariance.
    """
    f = levels(fused)
    rows, columns = f.shape[-2] // BLOCK, f.shape[-1] // BLOCK
    if rows * columns < 2:
        return f.new_full(f.shape[:1], torch.nan)
    whole = f[..., : rows * BLOCK, : columns * BLOCK]
    features = torch.cat([_block_features(whole, BLOCK), _block_features(halved(whole), BLOCK // 2)], dim=-1)
    return torch.stack([_distance(one) for one in features])


@metric("BRISQUE", better="low", bounds=(-math.inf, math.inf), paper="Mittal, Moorthy and Bovik, 2012")
def brisque(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Blind/referenceless image spatial quality evaluator.

    Support vector regression (774 vectors, trained on the LIVE database) from 36 features of the whole fused image to
    the score that people gave distorted photographs. Typically 0 (best) to 100 (worst), not clipped; the sources are
    not looked at. As in the authors' MATLAB release (zeros beyond the border), less its detour through text files that
    rounds features to six digits, by which the score moves by less than 0.001.
    Where products have no negative or no positive values, as in a flat image: NaN (nothing to fit).
    """
    f = levels(fused)
    return regressed(torch.cat([_picture_features(f), _picture_features(halved(f))], dim=-1))


def regressed(features: Tensor) -> Values:
    """The score that the support vectors of BRISQUE give features (b, 36), after scaling to their range."""
    figures = model(features.device)
    low, high = figures["brisque_range"]
    scaled = (features - low) / (high - low) * 2 - 1
    distances = (scaled[:, None] - figures["brisque_vectors"]).square().sum(-1)
    return (-GAMMA * distances).exp() @ figures["brisque_weights"] - RHO


@cache
def model(device: torch.device) -> Mapping[str, Tensor]:
    """The trained figures; the file holds the support vectors in billionths, as whole numbers."""
    content = (files("irvis") / "metrics" / "natural.safetensors").read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise IrvisError("natural.safetensors is damaged or was changed (sha256 differs); reinstall irvis")
    figures = {name: tensor.to(device, torch.float64) for name, tensor in load(content).items()}
    return figures | {"brisque_vectors": figures["brisque_vectors"] / 1e9}


def normalised(image: Tensor, border: Border) -> Tensor:
    """Contrast in units of its surroundings, N."""
    local = smooth(image, 7, 7 / 6, border)
    deviation = (smooth(image.square(), 7, 7 / 6, border) - local.square()).abs_().sqrt_()
    contrast = image - local
    return contrast.masked_fill_(contrast.abs() < FLAT, 0).div_(deviation.add_(1))


def halved(image: Tensor) -> Tensor:
    """MATLAB's imresize(image, 0.5): bicubic, antialiased, mirrored at the border; odd sides are rounded up."""
    for axis in (-2, -1):
        size = image.shape[axis]
        at = torch.arange(-3, size + 3 + size % 2, device=image.device).remainder(2 * size)
        image = image.index_select(axis, at.minimum(2 * size - 1 - at)).movedim(axis, -1)
        count = (size + 1) // 2
        taps = (tap * image[..., n::2][..., :count] for n, tap in enumerate(HALVING))
        image = reduce(torch.add, taps).movedim(-1, axis)
    return image


def _block_features(image: Tensor, side: int) -> Tensor:
    """The 18 features of NIQE at one scale: (b, blocks, 18)."""
    rows, columns = image.shape[-2] // side, image.shape[-1] // side
    cut = normalised(image, "replicate").view(-1, rows, side, columns, side)
    blocks = cut.transpose(2, 3).reshape(-1, rows * columns, side, side)
    shape, left, right = fitted(blocks)
    features = [shape, (left + right) / 2 * _spread(shape)]
    for product in _products(blocks):
        shape, left, right = fitted(product)
        spread = _spread(shape)
        features += [shape, _centre(shape, left, right), left * spread, right * spread]
    return torch.stack(features, dim=-1)


def _picture_features(image: Tensor) -> Tensor:
    """The 18 features of BRISQUE at one scale: (b, 18)."""
    contrast = normalised(image, "zero")
    features = [_symmetric_shape(contrast), mean(contrast.square())]
    for product in _products(contrast):
        shape, left, right = (part.squeeze(1) for part in fitted(product))
        features += [shape, _centre(shape, left, right), left.square(), right.square()]
    return torch.stack(features, dim=-1)


def _products(contrast: Tensor) -> list[Tensor]:
    """Each pixel times its neighbour, around the corner at the border."""
    return [contrast * contrast.roll(shift, (-2, -1)) for shift in NEIGHBOURS]


def fitted(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A generalised Gaussian with two sides, fitted over the last two dimensions: shape, left and right deviation.

    NaN where there are no negative or no positive values.
    """
    negative, positive = values.clamp(max=0), values.clamp(min=0)
    below, above = negative.square().sum((-2, -1)), positive.square().sum((-2, -1))
    left = ratio(below, (values < 0).sum((-2, -1))).sqrt()
    right = ratio(above, (values > 0).sum((-2, -1))).sqrt()
    count = values.shape[-2] * values.shape[-1]
    peaked = ratio((positive.sum((-2, -1)) - negative.sum((-2, -1))).square() / count, below + above)
    skew = left / right
    peaked = peaked * (skew**3 + 1) * (skew + 1) / (skew.square() + 1).square()
    return _looked_up(_ratios(values.device), peaked), left, right


def _symmetric_shape(values: Tensor) -> Tensor:
    """Shape of a generalised Gaussian, fitted over each batch item; nearest in E N² / (E |N|)²."""
    peaked = ratio(mean(values.square()), mean(values.abs()).square())
    ratios = 1 / _ratios(values.device).flip(0)
    return 10.2 - _looked_up(ratios, peaked)


def _looked_up(table: Tensor, value: Tensor) -> Tensor:
    """The shape whose entry in the ascending table is nearest; NaN stays."""
    above = torch.searchsorted(table, value.contiguous()).clamp(1, len(table) - 1)
    nearest = above - (value - table[above - 1] <= table[above] - value).long()
    return ((nearest + 200).double() / 1000).where(value.isfinite(), torch.nan)


@cache
def _ratios(device: torch.device) -> Tensor:
    """(E |x|)² / E x² of a generalised Gaussian x of shape 0.2, 0.201 … 10: Γ(2/a)² / (Γ(1/a) Γ(3/a))."""
    inverse = 1000 / torch.arange(200, 10001, dtype=torch.float64, device=device)
    return (2 * torch.lgamma(2 * inverse) - torch.lgamma(inverse) - torch.lgamma(3 * inverse)).exp()


def _spread(shape: Tensor) -> Tensor:
    """Scale of a generalised Gaussian of deviation 1: √(Γ(1/a) / Γ(3/a))."""
    return ((torch.lgamma(1 / shape) - torch.lgamma(3 / shape)) / 2).exp()


def _centre(shape: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Mean of a generalised Gaussian with two sides."""
    return (right - left) * _spread(shape) * (torch.lgamma(2 / shape) - torch.lgamma(1 / shape)).exp()


def _distance(features: Tensor) -> Tensor:
    """Of one picture's blocks (blocks, 36) from photographs."""
    figures = model(features.device)
    known = features[~features.isnan().any(1)]
    if len(known) < 2:
        return features.new_tensor(torch.nan)
    away = features.nanmean(0) - figures["niqe_mean"]
    inverse = torch.linalg.pinv((known.T.cov() + figures["niqe_covariance"]) / 2)
    return (away @ inverse @ away).clamp_min(0).sqrt()
