"""FLIR ADAS 1.3 has two lenses and two frames: one homography brings its pairs into one."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from irvis.errors import IrvisError
from irvis.types import RGB

FLIR_HOMOGRAPHY = (
    (1.131823, -0.018799, -0.090810),
    (0.016040, 1.259234, -0.125260),
    (-0.000306, 0.002691, 1.0),
)
"""Visible → thermal of FLIR ADAS 1.3; x and y run from 0 to 1 over either frame, so it holds for any size.

One matrix for the whole set, estimated jointly from five public pairs (00007, 00026, 08863, 08889, 08922;
visible 1800×1600, thermal 640×512): correlation of locally normalised oriented gradients, coarse to fine;
four starts ended in one place. Left over, by matching 192 px blocks: median 6 px, 90th percentile 12 px of
1800×1600 (2 and 4 thermal pixels), over the half of the blocks with a clear match; single pairs are off by up
to 8 px as a whole, for neither parallax (the cameras stand 5 cm apart) nor timing is modelled. A pair left
out of the estimate has a median of 4 to 11 px. The lower corners rest on little texture: there, estimates
from four pairs differ by up to 36 px. Visible frames of other sizes (720×480 to 2048×1536) are unverified.
"""


def register_flir(
    visible: RGB, infrared: Float[Tensor, "b 1 thermal_h thermal_w"]
) -> tuple[Float[Tensor, "b 3 inner_h inner_w"], Float[Tensor, "b 1 inner_h inner_w"]]:
    """A pair of FLIR ADAS 1.3 in one frame: thermal resized, warped by FLIR_HOMOGRAPHY, borders cut off.

    Both results have the visible's size less 50 px on every side, or 200 px from 1 million pixels on: the
    crop of the encoder-decoder fusion paper, whose homography is not public. In smaller frames the thermal
    camera does not reach the rim of that crop everywhere: its edge is repeated there.
    Residual: see FLIR_HOMOGRAPHY.
    """
    height, width = visible.shape[-2:]
    border = 200 if height * width >= 1_000_000 else 50
    if min(height, width) <= 2 * border:
        raise IrvisError(f"A visible frame of {width}×{height} is too small to cut {border} px off each side.")
    resized = F.interpolate(infrared, (height, width), mode="bilinear", align_corners=False, antialias=True)
    grid = _homography_grid(height, width).to(resized).expand(len(resized), -1, -1, -1)
    warped = F.grid_sample(resized, grid, mode="bilinear", padding_mode="border", align_corners=False)
    inner = slice(border, -border)
    return visible[..., inner, inner], warped[..., inner, inner]


def _homography_grid(height: int, width: int) -> Float[Tensor, "1 h w 2"]:
    """Where each visible pixel's centre lies in the thermal frame, from -1 to 1: (1, h, w, 2)."""
    rows = (torch.arange(height, dtype=torch.float64) + 0.5) / height
    columns = (torch.arange(width, dtype=torch.float64) + 0.5) / width
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], dim=-1) @ torch.tensor(FLIR_HOMOGRAPHY, dtype=x.dtype).T
    return (2 * places[..., :2] / places[..., 2:] - 1)[None]
