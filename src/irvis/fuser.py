"""`Fuser`: the one way every method is run on images."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from . import color, tiling
from .registry import Method, Spec
from .types import RGB, Gray, Scaled

FEATHER = 16
"""Width in pixels of the ramp between visible and fused where the infrared picture ends; it lies inside."""


class Fuser(nn.Module):
    """A fusion method made ready for images of any size.

    The core sees what its `Spec` asks for (a plane, a size it can take); colour, padding, tiles and
    range are handled here, once, for all methods.
    """

    def __init__(
        self,
        core: tiling.Core,
        spec: Spec,
        *,
        method: Method,
        options: Mapping[str, Any],
        tile: int | None = None,
    ) -> None:
        super().__init__()
        self.core: Any = core
        self.spec, self.tile = spec, tile
        self.method, self.options = method, dict(options)
        self.weights, self.precision = "", "fp32"
        """sha256 of the checkpoint, empty without one; and what the core was asked to compute in."""

    def with_tiles(self, tile: int | None) -> "Fuser":
        """Another fuser around the same core, with tiles of `tile` pixels a side: this one may be shared."""
        other = Fuser(self.core, self.spec, method=self.method, options=self.options, tile=tile)
        other.weights, other.precision = self.weights, self.precision
        return other.train(self.training)

    def forward(self, visible: RGB, infrared: Gray, valid: Tensor | None = None) -> Scaled:
        """Fuse a batch of registered pairs.

        Parameters
        ----------
        visible: colour in [0, 1]; gray pictures as three equal channels.
        infrared: in [0, 1], of the same height and width.
        valid: (b, 1, h, w), 1 (or true) where the infrared camera saw anything; elsewhere the visible picture
            shows, feathered.

        Returns
        -------
        The fused pictures in [0, 1], of the visible pictures' size (times `spec.scale`).
        """
        _check(visible, infrared, valid)
        fused = self._in_domain(visible, infrared)
        if valid is not None:
            share = self._resized(feathered(valid.to(visible)))
            fused = share * fused + (1 - share) * self._resized(visible)
        return fused.clamp(0, 1)

    def _in_domain(self, visible: RGB, infrared: Gray) -> Scaled:
        if self.spec.domain == "rgb":
            return tiling.run(self.core, visible, infrared, self.spec, self.tile)
        split, merge = _DOMAINS[self.spec.domain]
        plane = tiling.run(self.core, split(visible), infrared, self.spec, self.tile)
        return merge(self._resized(visible), plane)

    def _resized(self, image: Tensor) -> Tensor:
        if self.spec.scale == 1:
            return image
        return interpolate(image, scale_factor=self.spec.scale, mode="bilinear", align_corners=False)


_DOMAINS = {"luma": (color.luma, color.with_luma), "value": (color.value, color.with_value)}


def feathered(valid: Gray) -> Gray:
    """A mask of zeros and ones eroded and smoothed, so that it is 0 outside and rises over `FEATHER` pixels."""
    radius = FEATHER // 2
    size = 2 * radius + 1
    hole = 1 - valid
    for window, border in (((size, 1), (radius, 0)), ((1, size), (0, radius))):
        hole = max_pool2d(hole, window, stride=1, padding=border)
    for window, border in (((size, 1), (radius, 0)), ((1, size), (0, radius))):
        hole = avg_pool2d(hole, window, stride=1, padding=border, count_include_pad=False)
    return torch.minimum(1 - hole, valid)


def _check(visible: Tensor, infrared: Tensor, valid: Tensor | None) -> None:
    """Shapes and types, before anything inside stumbles over them."""
    batch, height, width = len(visible), *visible.shape[-2:]
    wanted = {"visible": (visible, (batch, 3, height, width)), "infrared": (infrared, (batch, 1, height, width))}
    if valid is not None:
        wanted["valid"] = (valid, (batch, 1, height, width))
    for name, (image, shape) in wanted.items():
        if tuple(image.shape) != shape:
            raise ValueError(f"{name} must have the shape {shape}, not {tuple(image.shape)}")
    if not (visible.is_floating_point() and infrared.is_floating_point()):
        raise ValueError(f"images must be floats in [0, 1], not {visible.dtype} and {infrared.dtype}")
