"""Flicker: how much a fused sequence changes from frame to frame, beside how much its sources do.

Sequences are iterables (generators, too) of frames (1, c, h, w) in [0, 1]; a few frames of each are held at a time.
Every figure is in gray levels of 255, and low is good only as far as the scene allows: `Change.gain` compares with the
sources, after Rockinger and Fechner's demand (Pixel-level image fusion: the case of image sequences, 1998) that a fused
sequence change when and where its sources do, and not otherwise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import zip_longest
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, grid_sample, pad

from ..color import gray
from ..errors import IrvisError
from ..types import Picture

CELLS = 8
"""Brightness is the mean over the cells of a grid of this many rows and columns."""
SMALLEST = 12
"""Side in pixels below which there is no optical flow."""
Triple = tuple[Tensor, Tensor, Tensor]
"""Fused, visible, infrared."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Mean change from one frame to the next, in gray levels of 255."""

    fused: float
    visible: float
    infrared: float
    steps: int
    """Pairs of consecutive frames."""
    share: float = 1.0
    """Part of the pixels that could be judged."""

    @property
    def gain(self) -> float:
        """Change of the fused sequence over the larger of its sources': 1 = no more than the livelier source.

        Infinite where only the fused sequence changes, NaN where nothing does.
        """
        livelier = max(self.visible, self.infrared)
        if livelier == 0:
            return float("inf") if self.fused > 0 else float("nan")
        return self.fused / livelier


def temporal_gain(fused: Iterable[Tensor], visible: Iterable[Tensor], infrared: Iterable[Tensor]) -> Change:
    """Change of brightness: what the eye sees as flicker where nothing moves.

    Brightness is luma averaged over the cells of an 8×8 grid, so that neither noise nor detail on the move weighs much;
    the change of a sequence is the mean of |difference| over cells and steps. A definition of ours, after the frame
    brightness by which flicker is found in tone mapping (Guthier et al., 2011), with place kept.
    Any weighted average of the sources with fixed weights has a gain of at most 1; weights that vary in time, or a
    contrast stretch that follows the scene, can have more.

    Raises
    ------
    IrvisError: fewer than two frames, sequences of different length or size.
    """
    changes, steps = np.zeros(3), 0
    for before, now in _steps(fused, visible, infrared):
        steps += 1
        for n, (a, b) in enumerate(zip(before, now, strict=True)):
            changes[n] += (_brightness(b) - _brightness(a)).abs().mean().item()
    return _change(changes / steps, steps)


def warped_difference(
    fused: Iterable[Tensor],
    visible: Iterable[Tensor],
    infrared: Iterable[Tensor],
    *,
    guide: Literal["visible", "infrared"] = "visible",
) -> Change:
    """Change along the motion: mean |F(t) - warped F(t-1)| over pixels seen in both frames.

    The warping error of Lai et al. (Learning Blind Video Temporal Consistency, ECCV 2018), as an absolute difference
    where they square it. The motion is DIS optical flow (Kroeger et al., ECCV 2016) of the `guide`, in place of their
    FlowNet2; the same motion and pixels serve fused and sources, which flatters the guide: it is what the motion was
    fitted to. Left out are pixels that come from outside the frame, pixels whose motion there and back does not meet,
    and motion boundaries, by the thresholds of Ruder et al. (2016) that they use.
    The mean runs over all pixels judged, of all steps, and over channels; NaN where none could be judged. Noise counts
    as change: a fused image smoother than its sources has a gain below 1.

    Raises
    ------
    IrvisError: OpenCV is not installed, fewer than two frames, sequences of different length or size, frames with a
        side below 12 pixels.
    """
    flow = _flow()
    totals, judged, pixels, steps = np.zeros(3), 0, 0, 0
    for before, now in _steps(fused, visible, infrared):
        steps += 1
        old, new = (_bytes(frames[1 if guide == "visible" else 2]) for frames in (before, now))
        back, forth = _motion(flow, new, old, now[0]), _motion(flow, old, new, now[0])
        seen = _seen(back, forth)
        judged, pixels = judged + int(seen.sum()), pixels + seen.numel()
        for n, (a, b) in enumerate(zip(before, now, strict=True)):
            difference = (b.double() - warped(a.double(), back)).abs().mean(1, keepdim=True)
            totals[n] += (difference * seen).sum().item() * 255
    return _change(totals / judged if judged else np.full(3, np.nan), steps, share=judged / pixels)


def _change(changes: NDArray[np.float64], steps: int, share: float = 1.0) -> Change:
    of_fused, of_visible, of_infrared = changes.tolist()
    return Change(fused=of_fused, visible=of_visible, infrared=of_infrared, steps=steps, share=share)


def _steps(
    fused: Iterable[Tensor], visible: Iterable[Tensor], infrared: Iterable[Tensor]
) -> Iterator[tuple[Triple, Triple]]:
    """Consecutive frames of the three sequences, checked."""
    before, count = None, 0
    for count, now in enumerate(zip_longest(fused, visible, infrared), 1):
        if any(frame is None for frame in now):
            raise IrvisError(f"the sequences differ in length: one ends after {count - 1} frames")
        sizes = {tuple(frame.shape[-2:]) for frame in (*now, *(before or ()))}
        if len(sizes) > 1:
            raise IrvisError(f"frame {count}: frames must be of one size, not {sorted(sizes)}")
        if before is not None:
            yield before, now
        before = now
    if count < 2:
        raise IrvisError(f"flicker needs at least two frames, not {count}")


def _brightness(frame: Picture) -> Tensor:
    """Mean level over the cells of the grid."""
    return adaptive_avg_pool2d(gray(frame.double()) * 255, CELLS)


def _flow() -> Any:
    """DIS optical flow."""
    try:
        opencv: Any = import_module("cv2")
    except ImportError as problem:
        raise IrvisError("this measure needs OpenCV for optical flow: pip install 'irvis[flow]'") from problem
    return opencv.DISOpticalFlow_create(opencv.DISOPTICAL_FLOW_PRESET_MEDIUM)


def _bytes(frame: Picture) -> NDArray[np.uint8]:
    """Gray levels, as the flow reads them."""
    if min(frame.shape[-2:]) < SMALLEST:
        raise IrvisError(f"optical flow needs frames of at least {SMALLEST}×{SMALLEST} pixels")
    levels: NDArray[np.uint8] = (gray(frame)[0, 0] * 255).round().clamp(0, 255).byte().cpu().numpy()
    return levels


def _motion(flow: Any, start: NDArray[np.uint8], end: NDArray[np.uint8], like: Tensor) -> Tensor:
    """(1, 2, h, w): how far each pixel of `start` moves right and down on its way to `end`."""
    return torch.from_numpy(flow.calc(start, end, None)).permute(2, 0, 1)[None].to(like.device, torch.float64)


def _seen(back: Tensor, forth: Tensor) -> Tensor:
    """(1, 1, h, w): whether the way back from a pixel stays in the frame, returns, and is no motion boundary."""
    place = _places(back)
    height, width = back.shape[-2:]
    inside = (place >= 0).all(1) & (place[:, 0] <= width - 1) & (place[:, 1] <= height - 1)
    again = warped(forth, back)
    meets = _squared(again + back) <= 0.01 * (_squared(again) + _squared(back)) + 0.5
    across, down = pad(back.diff(dim=-1), (0, 1)), pad(back.diff(dim=-2), (0, 0, 0, 1))
    smooth = _squared(across) + _squared(down) <= 0.01 * _squared(back) + 0.002
    return (inside & meets & smooth)[:, None]


def _squared(motion: Tensor) -> Tensor:
    """Length of a motion, squared: (1, h, w)."""
    return motion.square().sum(1)


def _places(motion: Tensor) -> Tensor:
    """(1, 2, h, w): column and row that each pixel's motion leads to."""
    rows, columns = (torch.arange(side, dtype=motion.dtype, device=motion.device) for side in motion.shape[-2:])
    return motion + torch.stack(torch.meshgrid(columns, rows, indexing="xy"))


def warped(image: Tensor, motion: Tensor) -> Tensor:
    """The image at the places that `motion` leads to, linear between pixels; the border pixel beyond."""
    height, width = image.shape[-2:]
    scale = motion.new_tensor([width - 1, height - 1]).clamp_min(1).view(1, 2, 1, 1)
    at = (_places(motion) / scale * 2 - 1).permute(0, 2, 3, 1)
    return grid_sample(image, at, mode="bilinear", padding_mode="border", align_corners=True)
