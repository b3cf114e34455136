"""`Fuser`: the one way every method is run on images."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import interpolate

from . import color, tiling
from .rim import Rim, rim_of
from .spec import Method, Spec
from .types import RGB, Gray, Scaled


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

    def forward(self, visible: RGB, infrared: Gray, valid: Tensor | Rim | None = None) -> Scaled:
        """Fuse a batch of registered pairs.

        Parameters
        ----------
        visible: colour in [0, 1]; gray pictures as three equal channels.
        infrared: in [0, 1], of the same height and width.
        valid: (b, 1, h, w), 1 (or true) where the infrared camera saw anything; elsewhere the visible picture
            shows. Towards the rim infrared takes the local mean of visible, and the last pixels are feathered. A
            `Rim` is such a mask made ready, for many pairs.

        Returns
        -------
        The fused pictures in [0, 1], of the visible pictures' size (times `spec.scale`).
        """
        _check(visible, infrared, valid.valid.expand(len(visible), -1, -1, -1) if isinstance(valid, Rim) else valid)
        if valid is None:
            return self._in_domain(visible, infrared).clamp(0, 1)
        rim = valid if isinstance(valid, Rim) else rim_of(valid.to(visible))
        fused = self._in_domain(visible, rim.fit(infrared, self.plane(visible)))
        share = self._resized(rim.share)
        return (share * fused + (1 - share) * self._resized(visible)).clamp(0, 1)

    def plane(self, visible: RGB) -> Gray:
        """Of the visible picture, the plane that is like infrared: V where the method fuses it, else luma."""
        return color.value(visible) if self.spec.domain == "value" else color.luma(visible)

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
