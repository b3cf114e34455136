"""How much the fused picture says, and how much of it comes from the sources: entropies of gray-level histograms.

All of these see a picture as a bag of gray levels: shuffling the pixels of all three pictures alike changes nothing.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from ..types import Picture
from .maps import Levels, Values, entropy_of, histogram, joint_histogram, levels, mean, ratio, shared, stretched
from .record import metric

Distribution = Float64[Tensor, "b 256"]
"""Probability of each gray level."""


@metric("EN", better="high", bounds=(0, 8), unit="bit", paper="Roberts, van Aardt and Ahmed 2008")
def entropy(fused: Picture, visible: Picture, infrared: Picture, *, guard: float = 0.0, darkest: int = 0) -> Values:
    """Entropy.

    Roberts, van Aardt and Ahmed 2008: −Σ p·log₂ p over the 256 gray levels of the fused picture; 0..8 bits, high is
    better (noise raises it too). A constant picture gives 0. The sources are not looked at.
    `guard` is added to p inside the logarithm (IVIF_ZOO: 1e-7); levels below `darkest` are counted as `darkest`
    (the torch port of Topanxal: 1).
    """
    return _guarded_entropy(histogram(_clipped(levels(fused), low=darkest)), guard)


@metric("MI", better="high", bounds=(0, 16), unit="bit", paper="Qu, Zhang and Yan 2002")
def mutual_information(
    fused: Picture, visible: Picture, infrared: Picture, *,
    unit: Literal["bit", "nat"] = "bit", joint: Literal["exact", "saturated", "rows"] = "exact",
) -> Values:  # fmt: skip
    """Mutual information of the sources and the fused picture.

    Qu, Zhang and Yan 2002: I(visible; fused) + I(infrared; fused), where I(X; Y) = H(X) + H(Y) − H(X, Y) of 256-bin
    histograms; 0..16 bits, high is better. Identical pictures give 2·H; a constant fused picture gives 0, and a
    constant source adds 0.
    `unit="nat"`: as VIFB and CDDFuse print it (bits·ln 2). `joint="saturated"`: Tang's code counts levels 254 and 255
    as one in the joint histogram only, so the value is too large where there are saturated pixels. `joint="rows"`: the
    code of RFN-Nest and NestFuse takes each row of pixels for one sample, and so returns 2·H(fused).
    """
    f = levels(fused)
    if joint == "rows":
        bits = 2 * entropy_of(histogram(f))
    else:
        bits = sum_of_both(f, levels(visible), levels(infrared), saturated=joint == "saturated")
    return bits * math.log(2) if unit == "nat" else bits


@metric("NMI", better="high", bounds=(0, 2), paper="Hossny, Nahavandi and Creighton 2008")
def normalised_mutual_information(
    fused: Picture, visible: Picture, infrared: Picture, *, by: Literal["pairs", "sources"] = "pairs"
) -> Values:
    """Normalised mutual information (Q_MI).

    Hossny, Nahavandi and Creighton 2008: 2·[I(visible; fused) / (H(visible) + H(fused)) + I(infrared; fused) /
    (H(infrared) + H(fused))]; 0..2, high is better. Identical pictures give 2. NaN where the fused picture and a
    source are both constant, for then there is no information that could be shared (0/0).
    `by="sources"`: IVIF_ZOO's 2·(I + I) / (H(visible) + H(infrared) + 1e-10), without H(fused).
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    if by == "sources":
        whole = _guarded_entropy(histogram(v), 1e-10) + _guarded_entropy(histogram(i), 1e-10) + 1e-10
        return 2 * sum_of_both(f, v, i) / whole
    of_fused = entropy_of(histogram(f))
    shares = [ratio(information(x, f), entropy_of(histogram(x)) + of_fused) for x in (v, i)]
    return 2 * (shares[0] + shares[1])


@metric("CE", better="low", bounds=(-math.log2(math.e) / math.e, math.inf), unit="bit", paper="Bulanon et al. 2009")
def cross_entropy(
    fused: Picture, visible: Picture, infrared: Picture, *, of: Literal["histograms", "sigmoids"] = "histograms"
) -> Values:
    """Cross entropy.

    Bulanon, Burks and Alchanatis 2009, as VIFB computes it: ½·[D(visible, fused) + D(infrared, fused)], D(X, F) =
    Σ p_X·log₂(p_X / p_F) over the levels that occur in both; low is better. Because other levels are left out it
    is no true divergence: it may be negative (≥ −0.531 bits), and pictures without a common level give 0. Identical
    pictures give 0.
    `of="sigmoids"`: IVIF_ZOO's binary cross entropy of sigmoids of gray levels, in float32: another quantity.
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    if of == "sigmoids":
        return _sigmoid_cross_entropy(f, v, i)
    return (_divergence(histogram(v), histogram(f)) + _divergence(histogram(i), histogram(f))) / 2


@metric("Q_NCIE", better="high", bounds=(1 - math.log(3, 256), 1), paper="Wang, Shen and Zhang 2005")
def correlation_information_entropy(
    fused: Picture, visible: Picture, infrared: Picture, *, correlation: Literal["nonlinear", "pearson"] = "nonlinear"
) -> Values:
    """Nonlinear correlation information entropy.

    Wang, Shen and Zhang 2005: 1 + Σ (λ/3)·log₂₅₆(λ/3) over the eigenvalues of the 3×3 matrix of nonlinear correlations
    I(X; Y) / (8 bits) of visible, infrared and fused picture, its diagonal 1; 0.802 (independent) to 1, high is
    better. A constant picture is independent of every other and of itself: three give 0.802. Identical pictures give
    less than 1 unless their entropy is 8 bits.
    `correlation="pearson"`: IVIF_ZOO puts Pearson's correlation in its place.
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    pairs = torch.stack([_correlation(a, b, correlation) for a, b in ((v, i), (v, f), (i, f))], dim=-1)
    one = torch.ones_like(pairs[:, 0])
    vi, vf, jf = pairs.unbind(-1)
    matrix = torch.stack([one, vi, vf, vi, one, jf, vf, jf, one], dim=-1).view(-1, 3, 3)
    share = torch.linalg.eigvalsh(matrix).clamp_min(0) / 3
    return 1 + torch.special.xlogy(share, share).sum(-1) / math.log(256)


@metric("Q_TE", better="high", bounds=(0, math.inf), paper="Cvejic, Canagarajah and Bull 2006")
def tsallis_information(
    fused: Picture, visible: Picture, infrared: Picture, *,
    form: Literal["cvejic", "nava", "entropies"] = "cvejic", liu: bool = False,
) -> Values:  # fmt: skip
    """Tsallis mutual information.

    Cvejic, Canagarajah and Bull 2006 (q = 1.85): I_q(visible; fused) + I_q(infrared; fused), where I_q(X; Y) =
    (1 − Σ p_XY^q / (p_X·p_Y)^(q−1)) / (1 − q); ≥ 0, high is better, and a constant picture adds 0. The scale depends on
    the pictures (identical ones give (Σ p_X^(2−q) − 1)/(q − 1) twice), so compare methods on the same pictures only.
    `form="nava"`: Nava et al. 2007 (q = 0.43137), that sum over H_q(visible) + H_q(infrared) − I_q(visible; infrared),
    H_q = (1 − Σ p^q) / (q − 1); NaN where both sources are constant (0/0).
    `liu=True`: as Liu's code has it, levels stretched, each level of one picture paired with the wrong marginal (the
    matrix transposed), and for Nava H^q (Shannon) in place of H_q and + in place of −; published values are of this
    kind. `form="entropies"`: IVIF_ZOO's H(infrared) + H(visible) − H(fused), which is neither.
    """
    f, v, i = levels(fused), levels(visible), levels(infrared)
    if form == "entropies":
        of_visible, of_infrared, of_fused = (_guarded_entropy(histogram(x), 1e-10) for x in (v, i, f))
        return of_visible + of_infrared - of_fused
    f, v, i = (stretched(f), stretched(v), stretched(i)) if liu else (f, v, i)
    q = 1.85 if form == "cvejic" else 0.43137
    both = _tsallis(v, f, q=q, transposed=liu) + _tsallis(i, f, q=q, transposed=liu)
    if form == "cvejic":
        return both
    of_sources = _tsallis(v, i, q=q, transposed=liu)
    if liu:
        whole = sum((entropy_of(histogram(x)) ** q for x in (v, i)), of_sources)
    else:
        whole = sum((_tsallis_entropy(histogram(x), q) for x in (v, i)), -of_sources)
    return ratio(both, whole)


@shared
def information(a: Levels, b: Levels, *, saturated: bool = False) -> Values:
    """I(a; b) in bits; `saturated` merges levels 254 and 255 in the joint histogram, not in the marginal ones."""
    highest = 254 if saturated else 255
    joint = joint_histogram(_clipped(a, high=highest), _clipped(b, high=highest))
    return (entropy_of(histogram(a)) + entropy_of(histogram(b)) - entropy_of(joint)).clamp_min(0)


def sum_of_both(fused: Levels, visible: Levels, infrared: Levels, *, saturated: bool = False) -> Values:
    """I(visible; fused) + I(infrared; fused) in bits."""
    return information(visible, fused, saturated=saturated) + information(infrared, fused, saturated=saturated)


@shared
def _clipped(image: Levels, *, low: int = 0, high: int = 255) -> Levels:
    return image if (low, high) == (0, 255) else image.clamp(low, high)


def _guarded_entropy(probability: Distribution, guard: float) -> Values:
    """Entropy with `guard` inside the logarithm, in float32 as IVIF_ZOO computes it."""
    if not guard:
        return entropy_of(probability)
    single = probability.float()
    return -(single * torch.log2(single + guard)).sum(1).double()


def _divergence(of: Distribution, by: Distribution) -> Values:
    common = (of > 0) & (by > 0)
    return (of * torch.log2(of.where(common, 1.0) / by.where(common, 1.0))).sum(1)


def _sigmoid_cross_entropy(fused: Levels, visible: Levels, infrared: Levels) -> Values:
    f, v, i = (torch.sigmoid(x.float()) for x in (fused, visible, infrared))
    f, target = f.clamp(1e-7, 1 - 1e-7), ((i + v) / 2).clamp(1e-7, 1 - 1e-7)
    return mean(torch.nn.functional.binary_cross_entropy(f, target, reduction="none").double())


def _correlation(a: Levels, b: Levels, kind: Literal["nonlinear", "pearson"]) -> Values:
    if kind == "nonlinear":
        return information(a, b) / 8
    x, y = (one - one.mean((2, 3), keepdim=True) for one in (a, b))
    return mean(x * y) / (mean(x * x) * mean(y * y)).sqrt().clamp_min(1e-300)


@shared
def _tsallis(a: Levels, b: Levels, *, q: float, transposed: bool) -> Values:
    """I_q(a; b); `transposed` pairs each level of a with b's marginal at that level, and the other way round."""
    joint = joint_histogram(a, b)
    of_a, of_b = (histogram(b), histogram(a)) if transposed else (histogram(a), histogram(b))
    apart = of_a[:, :, None] * of_b[:, None, :]
    terms = torch.where(apart > 0, joint**q * apart.where(apart > 0, 1.0) ** (1 - q), 0.0)
    gain = (terms.sum((1, 2)) - 1) / (q - 1)
    return gain if transposed else gain.clamp_min(0)


def _tsallis_entropy(probability: Distribution, q: float) -> Values:
    return (1 - (probability**q).where(probability > 0, 0.0).sum(1)) / (q - 1)
