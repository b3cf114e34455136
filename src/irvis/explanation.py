"""How much of a fused picture came from either camera, for every pixel and scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate, pad

from .filters import box, double, expand, reduce
from .fuser import Fuser
from .rim import rim_of
from .types import RGB, Gray, Scaled

if TYPE_CHECKING:
    from PIL import Image as Pillow

LEVELS = 5
"""Planes of detail, of 2, 4, 8 … pixels; one more plane is the brightness below."""
_NOTHING = 1e-7


@dataclass(frozen=True)
class Explanation:
    """Where fused pictures come from. Planes are: detail of 2, 4, 8, 16 and 32 pixels, and the brightness below."""

    fused: RGB
    """(b, 3, h, w) in [0, 1]: what `fuse` gives."""
    infrared_share: Tensor
    """(b, 6, h, w) in [0, 1]: what part of each plane came from infrared; one half where there is nothing."""
    amount: Tensor
    """(b, 6, h, w), 0 or more: how much there is, as mean deviation of [0, 1]; near 0, a share says little."""
    exact: bool
    """The network's own gains; false: estimated by comparing the fused picture with both images."""

    @property
    def visible_share(self) -> Tensor:
        """(b, 6, h, w) in [0, 1]: the rest, which came from the visible image."""
        return 1 - self.infrared_share

    def picture(self, title: str = "", number: int = 0) -> "Pillow.Image":
        """A sheet of one pair of the batch: blue came from the visible camera, orange from infrared."""
        from . import explanation_sheet

        planes = self.fused, self.infrared_share, self.amount
        return explanation_sheet.drawn(*planes, exact=self.exact, title=title, number=number)


@torch.no_grad()
def explained(
    fuser: Fuser, visible: RGB, infrared: Gray, valid: Tensor | None = None, *, longest: int | None = None
) -> Explanation:
    """Fuse a registered batch as `fuser` does, and say where the pictures come from.

    A network that predicts gains (`encdec` with output "gains", run by torch) tells exactly. For any other method the
    gains are estimated: in every neighbourhood of a band those two, not below 0, that bring the bands of both images
    closest to the fused one.

    Parameters
    ----------
    visible, infrared, valid: as of `Fuser.forward`.
    longest: the longer side, in pixels, of the planes where the pictures are larger; None: as large as they are.
    """
    rim = None if valid is None else rim_of(valid.to(visible))
    fused = fuser(visible, infrared, rim)
    height, width = visible.shape[-2:]
    plane = fuser.plane
    infrared = infrared if rim is None else rim.fit(infrared, plane(visible))
    pictures = plane(visible), infrared, interpolate(plane(fused), size=(height, width), mode="area")
    parts, exact = contributions(fuser.core, *map(_whole, pictures))
    if rim is not None:
        parts = _where_seen(parts, _whole(plane(visible)), _whole(rim.share))
    scale = min(1.0, (longest or max(height, width)) / max(height, width))
    size = max(round(scale * height), 1), max(round(scale * width), 1)
    amounts = [_spread(part, (height, width), size) for part in parts]
    shares = [(amount[:, 1:] + _NOTHING) / (amount.sum(1, keepdim=True) + 2 * _NOTHING) for amount in amounts]
    total = torch.cat([amount.sum(1, keepdim=True) for amount in amounts], 1)
    return Explanation(fused, torch.cat(shares, 1).clamp(0, 1), total, exact)


def contributions(core: Any, visible: Gray, infrared: Gray, fused: Gray) -> tuple[list[Tensor], bool]:
    """What each image gives to each band of the fused one: (b, 2, h / 2ⁿ, w / 2ⁿ), finest first, then the base.

    True where the network itself tells: then `collapsed` of the sums is the fused plane. Sides are multiples of 32.
    """
    sources = [torch.cat(pair, 1) for pair in zip(_bands(visible), _bands(infrared), strict=True)]
    network = next((part for name in ("gains", "scales") if (part := getattr(core, name, None)) is not None), None)
    if network is not None and getattr(core, "infrared_gamma", 1) == 1:
        gains = network.explained(visible, infrared)[1]
        share = gains.infrared_share
        told = [*gains.bands, torch.cat([gains.factor * (1 - share), gains.factor * share], 1)]
        return [gain * source for gain, source in zip(told, sources, strict=True)], True
    aims = _bands(fused)
    details = [_estimated(source, aim) for source, aim in zip(sources[:-1], aims[:-1], strict=True)]
    return [*details, _estimated_base(sources[-1], aims[-1])], False


def collapsed(bands: Sequence[Tensor]) -> Tensor:
    """The plane whose bands these are, finest first, the base last."""
    *details, plane = bands
    for band in reversed(details):
        plane = expand(plane) + band
    return plane


def _whole(plane: Gray) -> Scaled:
    """The plane up to the next multiple of 32, its border repeated."""
    height, width = plane.shape[-2:]
    return pad(plane, (0, -width % 2**LEVELS, 0, -height % 2**LEVELS), mode="replicate")


def _bands(plane: Gray) -> list[Tensor]:
    """The bands of a Laplacian pyramid, finest first, and the base."""
    bands = []
    for _ in range(LEVELS):
        low = reduce(plane)
        bands.append(plane - expand(low))
        plane = low
    return [*bands, plane]


def _estimated(sources: Tensor, fused: Tensor, radius: int = 2) -> Tensor:
    """Least squares in windows, gains not below 0; where both bands are alike, both give as much."""
    visible, infrared = (double(band) for band in sources.split(1, 1))
    aim = double(fused)
    products = [visible * visible, visible * infrared, infrared * infrared, visible * aim, infrared * aim]
    vv, vi, ii, vf, jf = box(torch.cat(products), radius).chunk(5)
    vv, ii = vv + _NOTHING, ii + _NOTHING
    both = vv * ii - vi * vi
    of_visible, of_infrared = (ii * vf - vi * jf) / both, (vv * jf - vi * vf) / both
    alone_visible, alone_infrared = (vf / vv).clamp_min(0), (jf / ii).clamp_min(0)
    gain_visible = torch.where(of_infrared < 0, alone_visible, of_visible.clamp_min(0))
    gain_infrared = torch.where(of_visible < 0, alone_infrared, of_infrared.clamp_min(0))
    return (torch.cat([gain_visible, gain_infrared], 1) * sources).to(sources.dtype)


def _estimated_base(sources: Tensor, fused: Tensor, radius: int = 1) -> Tensor:
    """Least squares in windows: the share in [0, 1] on the way from the visible base to infrared's."""
    visible, infrared = sources.split(1, 1)
    apart, gone = infrared - visible, fused - visible
    share = (box(apart * gone, radius) + 0.5e-6) / (box(apart * apart, radius) + 1e-6)
    share = share.clamp(0, 1)
    return torch.cat([(1 - share) * visible, share * infrared], 1)


def _where_seen(parts: Sequence[Tensor], visible: Gray, seen: Gray) -> list[Tensor]:
    """The contributions where the infrared camera saw only a part: elsewhere the visible picture shows."""
    shown = []
    for part, band in zip(parts, _bands(visible), strict=True):
        here = adaptive_avg_pool2d(seen, (part.shape[-2], part.shape[-1]))
        shown.append(torch.cat([here * part[:, :1] + (1 - here) * band, here * part[:, 1:]], 1))
    return shown


def _spread(part: Tensor, picture: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Mean absolute contributions over 3×3 of their own pixels, brought to `size` for a picture that was padded."""
    mean = box(part.abs().flatten(0, 1)[:, None], 1).view(part.shape)
    padded = [side + -side % 2**LEVELS for side in picture]
    full = [max(round(whole * to / side), to) for whole, to, side in zip(padded, size, picture, strict=True)]
    if full[0] < part.shape[-2]:
        return interpolate(mean, size=full, mode="area")[..., : size[0], : size[1]]
    return interpolate(mean, size=full, mode="bilinear", align_corners=False)[..., : size[0], : size[1]]
