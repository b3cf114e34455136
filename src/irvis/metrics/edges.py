"""How well the edges of the sources live on in the fused image: Qabf, the Petrović–Kumar balance, Q_G.

All of them compare strength and direction of Sobel edges pixel by pixel and weigh the result by the sources' strength.
They test strengths for equality and derivatives for zero; on whole gray levels these tests are exact.
"""

from math import pi
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ..types import Picture
from .gradient import magnitude, sobel
from .maps import Levels, Values, levels, mean, ratio, shared, total
from .record import metric

Angles = Literal["line", "guarded", "turn"]
"""Direction of an edge: atan(up/right), 90° where right = 0; the same with 1e-5 for that 0; atan2(right, up)."""


class Edges(NamedTuple):
    """Strength (not divided by 8) and angle of the edge at every pixel."""

    strength: Levels
    angle: Levels


@shared
def edges(image: Levels, *, border: Literal["zero", "reflect"] = "zero", angles: Angles = "line") -> Edges:
    """Sobel edges of an image."""
    right, up = sobel(image, border)
    if angles == "turn":
        angle = torch.atan2(right, up + torch.finfo(torch.float64).eps)
    elif angles == "guarded":
        angle = (up / right.where(right != 0, 1e-5)).atan_()
    else:
        angle = (up / right).atan_().masked_fill_(right == 0, pi / 2)
    return Edges(magnitude(right, up), angle)


def _quotient(one: Levels, other: Levels) -> Levels:
    """Weaker by stronger; NaN where both are 0."""
    return torch.minimum(one, other).div_(torch.maximum(one, other))


def _folded(one: Edges, other: Edges) -> Levels:
    """1 where the edges are parallel, 0 where they are perpendicular, whichever way they point."""
    return (one.angle - other.angle).abs_().sub_(pi / 2).abs_().mul_(2 / pi)


def _sigmoid(value: Tensor, top: float, slope: float, middle: float) -> Tensor:
    return value.sub_(middle).mul_(slope).sigmoid_().mul_(top)


@metric("Qabf", better="high", bounds=(0, 1), paper="Xydeas and Petrović, 2000")
def qabf(fused: Picture, visible: Picture, infrared: Picture, *, full_turn: bool = False) -> Values:
    """Edge preservation Q^{AB/F}.

    Sobel strength g and angle a = atan(up/right), zeros outside the picture; G = weaker/stronger of the two strengths
    (where they are equal: the strength itself), D = 1 − |a_X − a_F|·2/π;
    Q_X = 0.9994/(1 + exp(−15(G − 0.5))) · 0.9879/(1 + exp(−22(D − 0.8)));
    Qabf = Σ (Q_A g_A + Q_B g_B) / Σ (g_A + g_B) (Xydeas & Petrović, Electronics Letters 36, 2000, in the form common to
    Tang, VIFB, CDDFuse, IVIF_ZOO). Range 0 to 1, higher is better; the constants let identical images reach 0.9753
    only. Constant sources have edges at the border only; NaN where both sources are black: no edge to preserve.

    full_turn: angles by atan2 over the full turn, and G = 1 where strengths are equal (Topanxal; 2–8% off).
    """
    angles: Angles = "turn" if full_turn else "line"
    f, v, i = (edges(levels(image), angles=angles) for image in (fused, visible, infrared))
    kept = _xydeas(v, f, full_turn).mul_(v.strength).add_(_xydeas(i, f, full_turn).mul_(i.strength))
    return ratio(total(kept), total(v.strength) + total(i.strength))


def _xydeas(source: Edges, fused: Edges, full_turn: bool) -> Levels:
    equal = source.strength.clamp_max(1) if full_turn else source.strength
    alike = torch.where(source.strength == fused.strength, equal, _quotient(source.strength, fused.strength))
    parallel = (source.angle - fused.angle).abs_().mul_(-2 / pi).add_(1)
    return _sigmoid(alike, 0.9994, 15, 0.5).mul_(_sigmoid(parallel, 0.9879, 22, 0.8))


class Balance(NamedTuple):
    """Where the sources' edge information went; the first three sum to 1."""

    kept: Values
    lost: Values
    added: Values
    added_double: Values
    """Petrović's first form of `added`, in which both sources' misses count with both weights."""


@metric("Qabf_petrovic", better="high", bounds=(0, 1), paper="Petrović and Xydeas, 2005; Shreyamsha Kumar, 2013")
def qabf_petrovic(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Edge information kept (Petrović–Kumar QABF).

    Sobel/8 strength g (picture mirrored at its border) and angle a; G = weaker/stronger strength (0 if either is 0),
    D = ||a_X − a_F| − π/2|·2/π; Q_X = √(0.9999/(1 + exp(−19(G − 0.5))) · 0.9995/(1 + exp(−22(D − 0.5))));
    weight w_X = g_X^1.5 where g_X ≥ 2 gray levels, else 0.001; QABF = Σ (Q_A w_A + Q_B w_B) / Σ (w_A + w_B)
    (Petrović & Xydeas, ICCV 2005; Shreyamsha Kumar, Signal, Image and Video Processing 7, 2013). Range 0 to 1, higher
    is better; QABF + Labf + Nabf = 1. Identical images with edges give 0.9997. Constant images: 0.0087, for without
    edges nothing is kept.
    """
    return balance(levels(fused), levels(visible), levels(infrared)).kept


@metric("Labf", better="low", bounds=(0, 1), paper="Petrović and Xydeas, 2005; Shreyamsha Kumar, 2013")
def labf(fused: Picture, visible: Picture, infrared: Picture) -> Values:
    """Edge information lost (Petrović–Kumar LABF).

    Σ ((1 − Q_A) w_A + (1 − Q_B) w_B) / Σ (w_A + w_B), the upper sum over the pixels where the fused edge is not
    stronger than both sources' edges; Q and w as in Qabf_petrovic. Range 0 to 1, lower is better. Identical images:
    0.0003. Constant images: 0.9913.
    """
    return balance(levels(fused), levels(visible), levels(infrared)).lost


@metric("Nabf", better="low", bounds=(0, 1), paper="Shreyamsha Kumar, 2013")
def nabf(
    fused: Picture,
    visible: Picture,
    infrared: Picture,
    *,
    petrovic: bool = False,
    permuted: bool = False,
    white: float = 255,
    floor: float = 0.001,
    border: Literal["zero", "reflect"] = "reflect",
    full_turn: bool = False,
) -> Values:
    """Artefacts: edge information added (Petrović–Kumar NABF).

    Σ ((1 − Q_A) w_A + (1 − Q_B) w_B) / Σ (w_A + w_B), the upper sum over artefact pixels, where the fused edge is
    stronger than both sources' edges; Q and w as in Qabf_petrovic. Range 0 to 1, lower is better. Identical and
    constant images give 0. NaN only where floor = 0 and no source has an edge of strength 2.

    petrovic: Petrović's first form, Σ (2 − Q_A − Q_B)(w_A + w_B) / Σ (w_A + w_B) over the same pixels (range 0 to 2).
    permuted: the fused image stands for the infrared one and the infrared one is judged (Tang since March 2023, a
    bug).
    white: the value of a white pixel; 1 (hli1221, Tang before) keeps all strengths below 2 and all weights at `floor`.
    floor: weight below the threshold; IVIF_ZOO has 0.
    border, full_turn: "zero", True with white=2040 are Topanxal's (Sobel not divided by 8, atan2).
    """
    if permuted:
        fused, infrared = infrared, fused
    shares = balance(
        levels(fused), levels(visible), levels(infrared), white=white, floor=floor, border=border, full_turn=full_turn
    )
    return shares.added_double if petrovic else shares.added


@shared
def balance(
    fused: Levels,
    visible: Levels,
    infrared: Levels,
    *,
    white: float = 255,
    floor: float = 0.001,
    border: Literal["zero", "reflect"] = "reflect",
    full_turn: bool = False,
) -> Balance:
    """Petrović and Kumar's account of edge information; options as in `nabf`."""
    angles: Angles = "turn" if full_turn else "line"
    images = (scaled(image, white=white) for image in (fused, visible, infrared))
    f, *sources = (edges(image, border=border, angles=angles) for image in images)
    (kept_v, weight_v), (kept_i, weight_i) = ((_petrovic(s, f), _weight(s.strength / 8, floor)) for s in sources)
    artefact = (f.strength > sources[0].strength) & (f.strength > sources[1].strength)
    weight = weight_v + weight_i
    kept = kept_v * weight_v + kept_i * weight_i
    missing, whole = weight - kept, total(weight)
    double = (2 - kept_v - kept_i).mul_(weight).mul_(artefact)
    added, gone = total(missing * artefact), total(missing.mul_(~artefact))
    return Balance(ratio(total(kept), whole), ratio(gone, whole), ratio(added, whole), ratio(total(double), whole))


@shared
def scaled(image: Levels, *, white: float) -> Levels:
    """Levels on a scale whose white is `white`."""
    return image if white == 255 else image / (255 / white)


def _petrovic(source: Edges, fused: Edges) -> Levels:
    alike = _quotient(source.strength, fused.strength).nan_to_num_(0.0)
    return _sigmoid(alike, 0.9999, 19, 0.5).mul_(_sigmoid(_folded(source, fused), 0.9995, 22, 0.5)).sqrt_()


def _weight(strength: Levels, floor: float) -> Levels:
    return torch.where(strength >= 2, strength * strength.sqrt(), floor)


@metric("Q_G", better="high", bounds=(0, 1), paper="Xydeas and Petrović, 2000; Liu et al., 2012")
def q_g(
    fused: Picture,
    visible: Picture,
    infrared: Picture,
    *,
    pool: Literal["pixels", "picture", "lost", "added"] = "pixels",
) -> Values:
    """Gradient-based metric Q_G of Liu's toolbox.

    A relative of Qabf with other constants, a folded angle and another mean: G = weaker/stronger Sobel strength,
    D = ||a_X − a_F| − π/2|·2/π, Q_X = 1/(1 + exp(−10(G − 0.5))) · 1/(1 + exp(−20(D − 0.75)));
    Q_G = mean over pixels of (Q_A g_A + Q_B g_B) / (g_A + g_B) (Liu et al., IEEE TPAMI 34, 2012, code metricXydeas).
    Zeros outside the picture; strengths and derivatives of 0 count as 1e-5. Range 0 to 1, higher is better; identical
    images give 0.9867, as constant ones do.

    pool: "picture" is one quotient of sums for the whole picture, "lost" and "added" are Labf and Nabf (Petrović's
    form, range 0 to 2; lower is better) with these constants: pyFusionSR's three variants.
    """
    f, v, i = (_guarded(levels(image)) for image in (fused, visible, infrared))
    kept_v, kept_i = _liu(v, f), _liu(i, f)
    weight = v.strength + i.strength
    kept = kept_v * v.strength + kept_i * i.strength
    if pool == "pixels":
        return mean(kept / weight)
    if pool == "lost":
        kept = (weight - kept) * ((f.strength < v.strength) & (f.strength < i.strength))
    elif pool == "added":
        kept = (2 - kept_v - kept_i) * weight * ((f.strength > v.strength) & (f.strength > i.strength))
    return total(kept) / total(weight)


@shared
def _guarded(image: Levels) -> Edges:
    strength, angle = edges(image, angles="guarded")
    return Edges(strength.clamp_min(1e-5), angle)


def _liu(source: Edges, fused: Edges) -> Levels:
    alike = _quotient(source.strength, fused.strength)
    return _sigmoid(alike, 1, 10, 0.5).mul_(_sigmoid(_folded(source, fused), 1, 20, 0.75))
