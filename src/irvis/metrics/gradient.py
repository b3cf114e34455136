"""How much a fused image changes from pixel to pixel: SF, AG, EI; and against its sources: Q_SF and Q_M."""

from typing import Literal

import torch
from torch import Tensor

from ..types import Picture, Scaled
from .maps import Border, Levels, Values, extended, levels, mean, ratio, shared, total
from .record import metric


@metric("SF", better="high", bounds=(0, 360.63), unit="gray levels", paper="Eskicioglu and Fisher, 1995")
def sf(
    fused: Picture, visible: Picture, infrared: Picture, *, per_pixel: bool = False, side_by_side: bool = False
) -> Values:
    """Spatial frequency.

    √(RF² + CF²); RF² and CF² are the mean squared differences of horizontal and of vertical neighbours (Eskicioglu &
    Fisher, IEEE Trans. Communications 43, 1995). Range 0 to 255·√2, in gray levels; higher is read as sharper, though
    noise raises it most. The sources are not looked at. A constant image gives 0.

    per_pixel: divide both sums by the number of pixels, not of differences (VIFB, thfylsty; 0.1–0.5% smaller).
    side_by_side: do not turn colour into gray, but set the three channels side by side in one wide image, differences
    across the seams included (VIFB on colour images). Gray images stay as they are.
    """
    image = levels(_side_by_side(fused) if side_by_side else fused)
    pixels = image[0].numel()
    down, right = image.diff(dim=2), image.diff(dim=3)
    rows = total(right.square_()) / (pixels if per_pixel else right[0].numel())
    columns = total(down.square_()) / (pixels if per_pixel else down[0].numel())
    return (rows + columns).sqrt()


@shared
def _side_by_side(image: Picture) -> Scaled:
    return torch.cat(image.split(1, dim=1), dim=3)


@metric("AG", better="high", bounds=(0, 255), unit="gray levels", paper="Cui et al., 2015")
def ag(
    fused: Picture,
    visible: Picture,
    infrared: Picture,
    *,
    differences: Literal["central", "forward"] = "central",
    per_pixel: bool = False,
) -> Values:
    """Average gradient.

    Σ √((gx² + gy²)/2) / ((h−1)(w−1)) over all pixels, gx and gy central differences, one-sided at the border (Cui et
    al., Optics Communications 341, 2015). In gray levels, from 0; higher is read as sharper, though noise raises it
    most. The sources are not looked at. A constant image gives 0.

    differences: "forward" takes next − this on the (h−1)(w−1) pixels that have both neighbours ("definition" DF); it
    is 14–40% larger on photographs.
    per_pixel: divide by h·w (CDDFuse and IVIF_ZOO with central differences, thfylsty's AverageGradient with forward
    ones).
    """
    image = levels(fused)
    height, width = image.shape[-2:]
    if differences == "central":
        down, right = _central(image, 2), _central(image, 3)
    else:
        down, right = image.diff(dim=2)[..., :-1], image.diff(dim=3)[..., :-1, :]
    count = height * width if per_pixel else (height - 1) * (width - 1)
    return total(down.square_().add_(right.square_()).div_(2).sqrt_()) / count


def _central(image: Levels, dim: int) -> Tensor:
    """Half of next less previous pixel; at the border the difference to the only neighbour."""
    steps = image.diff(dim=dim)
    count = steps.shape[dim]
    inner = (steps.narrow(dim, 0, count - 1) + steps.narrow(dim, 1, count - 1)).mul_(0.5)
    return torch.cat([steps.narrow(dim, 0, 1), inner, steps.narrow(dim, count - 1, 1)], dim)


@metric("EI", better="high", bounds=(0, 1442.5), unit="gray levels", paper="Rajalingam and Priya, 2018")
def ei(
    fused: Picture, visible: Picture, infrared: Picture, *, border: Literal["replicate", "zero"] = "replicate"
) -> Values:
    """Edge intensity.

    Mean of √(gx² + gy²), gx and gy by the 3×3 Sobel masks (weights 1 2 1), border pixels repeated: the definition of
    the VIFB benchmark, which cites Rajalingam & Priya 2018. In gray levels times 8, from 0; higher is read as sharper,
    though noise raises it most. The sources are not looked at. A constant image gives 0.

    border: "zero" reads zeros outside the picture (IVIF_ZOO; up to 25% larger, and not 0 on a constant image).
    """
    right, up = sobel(levels(fused), border)
    return mean(magnitude(right, up))


def sobel(image: Tensor, border: Border) -> tuple[Tensor, Tensor]:
    """Derivatives to the right and upwards by the Sobel masks, not divided by 8: exact on whole levels.

    Columns are summed first, then rows, from top left on: where the levels are fractions, the rounding is MATLAB's
    too.
    """
    wide = extended(image, 1, 1, 1, 1, border)
    above, below = wide[..., :-2, :], wide[..., 2:, :]
    sums, steps = (above + 2 * wide[..., 1:-1, :]).add_(below), above - below
    right = sums[..., 2:] - sums[..., :-2]
    return right, (steps[..., :-2] + 2 * steps[..., 1:-1]).add_(steps[..., 2:])


def magnitude(right: Tensor, up: Tensor) -> Tensor:
    """√(right² + up²); equal for equal sums of squares, to the last bit."""
    return right.square().add_(up.square()).sqrt_()


@metric("Q_SF", better="none", bounds=(-1, float("inf")), paper="Zheng et al., 2007")
def q_sf(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Spatial frequency error ratio.

    (SF_F − SF_R) / SF_R, SF² = Σ of squared differences along rows, columns and, weighted 1/√2, both diagonals; the
    reference R takes at each place the larger difference of the two sources (Zheng et al., Information Fusion 8, 2007,
    in the form of Liu's metricZheng). From −1; best is 0: below it detail is lost, above it detail (or noise) was
    added; most methods lie below. Identical images give exactly 0. NaN where both sources are constant: nothing to
    compare with.
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    activity = _weighed(*(total(step.square()) for step in _steps(f)))
    return ratio(activity, _activity_of_sources(v, i)).sqrt() - 1


@shared
def _activity_of_sources(visible: Levels, infrared: Levels) -> Values:
    """Squared spatial frequency, times the number of pixels, of the larger of the two sources' differences."""
    pairs = zip(_steps(visible), _steps(infrared), strict=True)
    return _weighed(*(total(torch.maximum(a.square(), b.square())) for a, b in pairs))


def _steps(image: Levels) -> tuple[Tensor, ...]:
    """Differences along rows, columns, falling and rising diagonals."""
    falling = image[..., 1:, 1:] - image[..., :-1, :-1]
    rising = image[..., 1:, :-1] - image[..., :-1, 1:]
    return image.diff(dim=3), image.diff(dim=2), falling, rising


def _weighed(rows: Values, columns: Values, falling: Values, rising: Values) -> Values:
    return rows + columns + (falling + rising) * 0.5**0.5


@metric("Q_M", better="high", bounds=(0, 3), paper="Wang and Liu, 2008")
def q_m(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Multi-scale edge preservation.

    Orthonormal Haar wavelet, two levels s; for a source X, the edge preservation EP_X = Σ exp(−|d_X − d_F|) over the
    horizontal, vertical and diagonal detail d, and its weight W_X = Σ d_X²;
    Q_s = Σ (EP_A W_A + EP_B W_B) / Σ (W_A + W_B), Q_M = Q_1^⅔ · Q_2^⅓ (Wang & Liu, ICSP 2008, in the form of Liu's
    metricPWW). Range 0 to 3, higher is better, identical images give 3. The exponential of a difference in gray levels
    makes it severe: a few levels off count as nothing. A last odd row or column is left out. NaN where both sources
    have no detail on one of the levels (constant images).
    """
    bands = [haar(levels(image)) for image in (fused, visible, infrared)]
    fine, coarse = (_preserved(*scale) for scale in zip(*bands, strict=True))
    return fine ** (2 / 3) * coarse ** (1 / 3)


def _preserved(fused: Tensor, visible: Tensor, infrared: Tensor) -> Values:
    kept, weight = torch.zeros((), device=fused.device), torch.zeros((), device=fused.device)
    for source in (visible, infrared):
        energy = source.square().sum(1)
        alike = (source - fused).abs_().neg_().exp_().sum(1)
        kept, weight = kept + total(alike * energy), weight + total(energy)
    return ratio(kept, weight)


@shared
def haar(image: Levels) -> tuple[Tensor, Tensor]:
    """Horizontal, vertical and diagonal Haar details (b, 3, ⌊h/s⌋, ⌊w/s⌋) for s = 2 and 4, exactly."""
    low, fine = _haar_step(image)
    return fine, _haar_step(low)[1]


def _haar_step(image: Tensor) -> tuple[Tensor, Tensor]:
    even = image[..., : image.shape[-2] // 2 * 2, : image.shape[-1] // 2 * 2]
    top, bottom = even[..., 0::2, :], even[..., 1::2, :]
    low, high = top + bottom, top - bottom
    left, right = low[..., 0::2], low[..., 1::2]
    above, beside = high[..., 0::2], high[..., 1::2]
    details = torch.cat([above + beside, left - right, above - beside], dim=1)
    return (left + right) / 2, details / 2
