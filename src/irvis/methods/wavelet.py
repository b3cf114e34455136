"""Dual-tree complex wavelet fusion: the stronger of two complex coefficients, the mean of what is left.

Lewis, O'Callaghan, Nikolov, Bull & Canagarajah, Pixel- and region-based image fusion with complex wavelets,
Information Fusion 2007. The transform: Kingsbury, Complex wavelets for shift invariant analysis and filtering of
signals, Applied and Computational Harmonic Analysis 2001; the quarter-shift filter: Kingsbury, A dual-tree complex
wavelet transform with improved orthogonality and symmetry properties, ICIP 2000.

Along an axis the samples of both trees stand side by side: a, b, a, b, … Beyond the border the picture is mirrored
(the border pixel repeated), which turns one tree into the other.
"""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pixel_shuffle, pixel_unshuffle

from ..registry import Spec, register
from ..types import Gray

LOW, HIGH = (0, -1 / 20, 1 / 4, 3 / 5, 1 / 4, -1 / 20, 0), tuple(t / 280 for t in (3, -15, -73, 170, -73, -15, 3))
"""First scale, biorthogonal of 5 and 7 taps; to merge they change places, and every second sign changes."""
QUARTER = (
    0.051130405283831656, -0.013975370246888838, -0.10983605166597087, 0.26383956105893763, 0.7666284677930372,
    0.5636557101270515, 0.0008736226952170968, -0.1002312195074762, -0.0016896812725281543, -0.006181881892116438,
)  # fmt: skip
"""All further scales, orthonormal: the low-pass of tree a, whose time reverse is that of tree b."""
OVERLAP = 8
"""Samples by which a quarter-shift filter reaches beyond the four that it stands for."""


def _spec(levels: int = 4) -> Spec:
    if not 1 <= levels <= 6:
        raise ValueError(f"levels must be 1 to 6, not {levels}")
    return Spec(domain="luma", multiple=2**levels, reach=19 * 2 ** (levels - 1) - 13)


_PAPER = (
    "https://research-information.bris.ac.uk/en/publications/pixel-and-region-based-image-fusion-with-complex-wavelets"
)


@register("wavelet", spec=_spec, paper=_PAPER)
def wavelet(luma: Gray, infrared: Gray, levels: int = 4) -> Gray:
    """Dual-tree complex wavelets: the stronger coefficient per scale and direction, the mean of the coarsest rest.

    Six directions per scale; of two complex coefficients that of the larger magnitude is kept (the visible one where
    both are alike). The result may leave [0, 1].
    """
    low, details = torch.cat([luma, infrared]), []
    for level in range(levels):
        low, bands = analyse(low, level)
        details.append(_stronger(*bands.chunk(2)))
    fused = torch.stack(low.chunk(2)).mean(0)
    for level in reversed(range(levels)):
        fused = synthesise(fused, details[level], level)
    return fused


def analyse(image: Tensor, level: int) -> tuple[Tensor, Tensor]:
    """One scale: the rest, (n, 1, …), and the details (n, 3, …) across columns, rows and both."""
    bands = _split(_split(image, level).mT, level).mT
    return bands[:, :1], bands[:, 1:]


def synthesise(low: Tensor, bands: Tensor, level: int) -> Tensor:
    """The inverse of `analyse`."""
    return _merge(_merge(torch.cat([low, bands], 1).mT, level).mT, level)


def directions(bands: Tensor) -> Tensor:
    """Details as complex coefficients: (n, 3, h, w) -> (n, 3, 2 directions, real and imaginary, h/2, w/2)."""
    aa, ab, ba, bb = pixel_unshuffle(bands, 2).unflatten(1, (3, 4)).unbind(2)
    return torch.stack([aa - bb, ab + ba, aa + bb, ab - ba], 2).unflatten(2, (2, 2)) / 2**0.5


def undirected(coefficients: Tensor) -> Tensor:
    """The inverse of `directions`."""
    first, second, third, fourth = coefficients.flatten(2, 3).unbind(2)
    trees = torch.stack([first + third, second + fourth, second - fourth, third - first], 2)
    return pixel_shuffle(trees.flatten(1, 2), 2) / 2**0.5


def _stronger(a: Tensor, b: Tensor) -> Tensor:
    a, b = directions(a), directions(b)
    return undirected(torch.where(_energy(a) >= _energy(b), a, b))


def _energy(coefficients: Tensor) -> Tensor:
    return coefficients.square().sum(3, keepdim=True)


def _split(image: Tensor, level: int) -> Tensor:
    """Low-pass and high-pass of every row: (n, c, h, w) -> (n, 2c, h, w or w/2), all lows first."""
    if level == 0:
        wide = _mirrored(image, 3)
        halves = torch.cat([_correlated(wide, LOW), _correlated(wide, HIGH)], 1)
    else:
        trees = conv2d(_mirrored(image, OVERLAP), _quarter(image), stride=(1, 4))
        halves = torch.stack([_side_by_side(half) for half in trees.chunk(2, 1)], 1)
    return halves.unflatten(0, image.shape[:2]).transpose(1, 2).flatten(1, 2)


def _merge(image: Tensor, level: int) -> Tensor:
    """The inverse of `_split`."""
    halves = image.unflatten(1, (2, -1)).transpose(1, 2)
    n, c = halves.shape[:2]
    halves = halves.flatten(0, 1)
    if level == 0:
        low, high = (_mirrored(half, 3) for half in halves.split(1, 1))
        whole = _correlated(low, _alternated(HIGH)) + _correlated(high, _alternated(LOW))
    else:
        trees = torch.cat([_apart(_mirrored(half, OVERLAP // 2)) for half in halves.split(1, 1)], 1)
        whole = conv_transpose2d(trees, _quarter(image), stride=(1, 4), padding=(0, 2 * OVERLAP))
    return whole.unflatten(0, (n, c))[:, :, 0]


def _correlated(rows: Tensor, taps: tuple[float, ...]) -> Tensor:
    """A sum of shifted images: many times faster here than a convolution of one channel."""
    width = rows.shape[-1] - len(taps) + 1
    whole = torch.zeros_like(rows[..., :width])
    for n, tap in enumerate(taps):
        whole.add_(rows[..., n : n + width], alpha=tap)
    return whole


def _side_by_side(trees: Tensor) -> Tensor:
    """Tree a and tree b as one row: (n, 2, h, w) -> (n, h, 2w)."""
    return trees.permute(0, 2, 3, 1).flatten(2)


def _apart(rows: Tensor) -> Tensor:
    """The inverse of `_side_by_side`, for (n, 1, h, w)."""
    return rows[:, 0].unflatten(2, (-1, 2)).permute(0, 3, 1, 2)


def _mirrored(image: Tensor, by: int) -> Tensor:
    """Rows extended on both sides by their mirror image, over and over where they are short: one image per channel."""
    width, rows = image.shape[-1], image.flatten(0, 1)[:, None]
    beyond = torch.arange(by, device=image.device) % (2 * width)
    before = torch.minimum(beyond, 2 * width - 1 - beyond)
    return torch.cat([rows[..., before.flip(0)], rows, rows[..., width - 1 - before]], -1)


def _alternated(taps: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(tap if n % 2 else -tap for n, tap in enumerate(taps))


def _quarter(like: Tensor) -> Tensor:
    """Low-pass of trees a and b, high-pass of trees a and b: tree a on every second of 20 samples, b between."""
    none = [0.0] * len(QUARTER)
    high = _alternated(QUARTER)
    pairs = [(QUARTER, none), (none, QUARTER[::-1]), (none, high), (high[::-1], none)]
    rows = [[tap for pair in zip(*both, strict=True) for tap in pair] for both in pairs]
    return torch.tensor(rows, device=like.device, dtype=like.dtype)[:, None, None]
