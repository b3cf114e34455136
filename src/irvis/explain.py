"""How much of a fused picture came from either camera, for every pixel and scale."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.nn.functional import interpolate, pad

from . import sheet
from .color import luma
from .filters import box, expand, reduce
from .fuser import Fuser
from .types import RGB, Gray

LEVELS = 5
FROM_VISIBLE, FROM_INFRARED = (0.18, 0.55, 1.0), (1.0, 0.47, 0.10)
"""Colours of the picture."""


class Explanation(NamedTuple):
    """Where a fused picture comes from."""

    fused: RGB
    infrared_share: Tensor
    """(b, 6, h, w) in [0, 1]: of the detail of 2, 4, 8, 16 and 32 pixels, and of the brightness below, what share came
    from infrared; the rest came from the visible image."""
    amount: Tensor
    """(b, 6, h, w): how much there is, as mean deviation in [0, 1]; where it is near 0 a share says nothing."""


@torch.inference_mode()
def explained(fuser: Fuser, visible: RGB, infrared: Gray) -> Explanation:
    """Fuse a registered batch in [0, 1], as `fuser` does, and say where the picture comes from.

    A network that predicts gains (`encdec` with output "gains") tells exactly. For any other method the gains are
    estimated: in every neighbourhood of a band, those two that bring the bands of both images closest to the fused one.
    """
    fused = fuser(visible, infrared)
    planes = [_whole(image) for image in (luma(visible), infrared, luma(fused))]
    bands = [_bands(plane) for plane in planes]
    gains = _told(fuser.core, *planes[:2]) or [_estimated(*band) for band in zip(*bands, strict=True)]
    height, width = visible.shape[-2:]
    shares, amounts = [], []
    for of_visible, of_infrared, gain in zip(bands[0], bands[1], gains, strict=True):
        parts = box(torch.cat([gain[:, :1] * of_visible, gain[:, 1:] * of_infrared], 1).abs().flatten(0, 1)[:, None], 1)
        parts = parts.view(len(visible), 2, *of_visible.shape[-2:])
        total = parts.sum(1, keepdim=True)
        for found, kept in ((parts[:, 1:] / total.clamp_min(1e-6), shares), (total, amounts)):
            full = interpolate(found, size=planes[0].shape[-2:], mode="bilinear", align_corners=False)
            kept.append(full[..., :height, :width])
    return Explanation(fused, torch.cat(shares, 1), torch.cat(amounts, 1))


def picture(explanation: Explanation) -> Pillow.Image:
    """A sheet: the fused picture, all detail, and each scale: blue from visible, orange from infrared, black none."""
    share, amount = explanation.infrared_share, explanation.amount
    detail = amount[:, :-1]
    mean = (share[:, :-1] * detail).sum(1, keepdim=True) / detail.sum(1, keepdim=True).clamp_min(1e-6)
    cells = {
        "fused": explanation.fused,
        "all detail: blue from visible, orange from infrared": _coloured(mean, detail.sum(1, keepdim=True)),
    }
    for level in range(LEVELS):
        cells[f"detail of about {2 << level} pixels"] = _coloured(share[:, [level]], amount[:, [level]])
    cells["brightness"] = _coloured(share[:, [-1]], torch.ones_like(amount[:, [-1]]))
    return sheet.sheet(cells, columns=2 if share.shape[-1] > 2 * share.shape[-2] else 4, width=420)


def save(explanation: Explanation, path: Path) -> None:
    """Write the sheet of `picture` as PNG, whole or not at all."""
    sheet.save(picture(explanation), path)


def beside(path: Path) -> Path:
    """The file of the explanation of a fused file."""
    return path.with_name(f"{path.stem}.explain.png")


def _coloured(share: Tensor, amount: Tensor) -> RGB:
    ends = [share.new_tensor(colour).view(1, 3, 1, 1) for colour in (FROM_VISIBLE, FROM_INFRARED)]
    strong = amount.flatten(1).quantile(0.99, dim=1).view(-1, 1, 1, 1).clamp_min(1e-6)
    return torch.lerp(ends[0], ends[1], share) * (amount / strong).clamp(0, 1).sqrt()


def _whole(plane: Gray) -> Gray:
    """The plane up to the next multiple of 32, its border repeated."""
    height, width = plane.shape[-2:]
    return pad(plane, (0, -width % 2**LEVELS, 0, -height % 2**LEVELS), mode="replicate")


def _bands(plane: Gray) -> list[Tensor]:
    """The bands of a Laplacian pyramid, finest first, and the rest."""
    bands = []
    for _ in range(LEVELS):
        low = reduce(plane)
        bands.append(plane - expand(low))
        plane = low
    return [*bands, plane]


def _told(core: Any, visible: Gray, infrared: Gray) -> list[Tensor] | None:
    """The gains that the network itself applies, (b, 2, h, w) for each band and the rest; None where it has none."""
    network = getattr(core, "gains", None)
    if network is None:
        return None
    gains = network.explained(visible, infrared)[1]
    share = gains.infrared_share
    return [*gains.bands, torch.cat([gains.factor * (1 - share), gains.factor * share], 1)]


def _estimated(visible: Tensor, infrared: Tensor, fused: Tensor, radius: int = 2) -> Tensor:
    """(b, 2, h, w): least squares in windows, gains not below 0; where a band is empty, both alike."""
    products = torch.cat(
        [visible * visible, visible * infrared, infrared * infrared, visible * fused, infrared * fused]
    )
    vv, vi, ii, vf, jf = box(products, radius).chunk(5)
    vv, ii = vv + 1e-7, ii + 1e-7
    determinant = (vv * ii - vi * vi).clamp_min(1e-14)
    return torch.cat([(ii * vf - vi * jf) / determinant, (vv * jf - vi * vf) / determinant], 1).clamp_min(0)
