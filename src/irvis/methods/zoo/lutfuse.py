"""LUT-Fuse: a look-up table of four coordinates in place of a network, distilled from one.

Yi et al., LUT-Fuse: towards extremely fast infrared and visible image fusion via distillation to learnable look-up
tables, ICCV 2025.
"""

from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from ...color import with_luma
from ...registry import Spec, register
from ...spec import File, Published
from ...types import RGB, Gray
from . import parts, scripts
from .parts import convolution

PUBLISHED = Published(
    title="LUT-Fuse",
    year=2025,
    source="github.com/zyb5/LUT-Fuse",
    licence="MIT",
    files=(
        File(
            path="ckpts/fine_tuned_lut.npy",
            sha256="e237e9807915e2252b3a3f5905e7badefdb89c07ac1e80dbc390a526e31ed6a0",
            size=262272,
        ),
        File(
            path="ckpts/generator_context.pth",
            sha256="e79da8ecfdc3512a1c9f55efc1d47238154b596df2db48b6f01b235fdf575900",
            size=38648,
        ),
    ),
    marks={"table.": "array", "context.": "output_layer.1.weight"},
)
SOBEL = ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0))


def _spec(as_published: bool = False, **_: object) -> Spec:
    return Spec(domain="rgb", least=16 if as_published else 2, budget=None if as_published else parts.BUDGET)


@register("lutfuse", spec=_spec, published=PUBLISHED, small={"bins": 4, "width": 4})
class LUTFuse(nn.Module):
    """LUT-Fuse: luma, gradient, context and infrared look the fused luma up in a learned table (Yi et al. 2025).

    Parameters
    ----------
    bins: steps of the table along each coordinate (16 in the paper).
    width: channels of the small network that makes the context (16 in the paper).
    as_published: give the authors' script's picture, resized to multiples of 16 (here back again), cut to 8 bits.
    """

    def __init__(self, bins: int = 16, width: int = 16, as_published: bool = False) -> None:
        super().__init__()
        self.bins, self.as_published = bins, as_published
        self.context = Context(width)
        ramp = torch.linspace(0, 1, bins)
        four = torch.stack(
            [ramp.reshape([-1 if n == axis else 1 for n in range(4)]).expand([bins] * 4) for axis in (0, 3)]
        )
        self.table: Any = nn.Module()
        self.table.array = nn.Parameter(four.mean(0)[..., None].clone())

    def forward(self, visible: RGB, infrared: Gray) -> RGB:
        """Fuse RGB and infrared in [0, 1]."""
        if not self.as_published:
            return with_luma(visible, self.luma(visible, infrared))
        size = visible.shape[-2:]
        less = [length // 16 * 16 for length in size]
        of_visible, of_infrared = (scripts.resized(image, less) for image in (visible, infrared))
        return scripts.resized(scripts.truncated(self.raw(of_visible, of_infrared)), list(size))

    def raw(self, visible: RGB, infrared: Gray) -> RGB:
        """The authors' fusion: 0 to 1 in, values of no fixed range out."""
        red, green, blue = visible.split(1, dim=1)
        cb = 0.5 - 0.168736 * red - 0.331264 * green + 0.5 * blue - 0.5
        cr = 0.5 + 0.5 * red - 0.418688 * green - 0.081312 * blue - 0.5
        y = self.luma(visible, infrared)
        return torch.cat([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], 1)

    def luma(self, visible: RGB, infrared: Gray) -> Gray:
        """The fused luma, as the table gives it."""
        red, green, blue = visible.split(1, dim=1)
        y = 0.299 * red + 0.587 * green + 0.114 * blue
        context = self.context(torch.cat([visible, infrared], 1) * 255)
        return self._looked_up(y, _gradient(y), context, infrared)

    def _looked_up(self, *coordinates: Gray) -> Gray:
        """The table between its steps, linear along each coordinate."""
        table, whole = self.table.array.flatten(), 255 / (256 / self.bins)
        below = [(x * whole).detach().floor().clamp(0, self.bins - 1) for x in coordinates]
        above = [(low + 1).clamp(max=self.bins - 1) for low in below]
        parts = [x * whole - low for x, low in zip(coordinates, below, strict=True)]
        corners = {}
        for corner in product((0, 1), repeat=4):
            index = torch.zeros_like(below[0])
            for low, high, side in zip(below, above, corner, strict=True):
                index = index * self.bins + (high if side else low)
            corners[corner] = table[index.long()]
        for part in reversed(parts):
            corners = {
                corner: corners[(*corner, 0)] * (1 - part) + corners[(*corner, 1)] * part
                for corner in {key[:-1] for key in corners}
            }
        return corners[()]


class Context(nn.Module):
    """A small network that sees both images: one plane in [0, 1]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(*_layer(4, width))
        self.mid_layer = nn.Sequential(*(layer for _ in range(3) for layer in _layer(width, width)))
        self.output_layer = nn.Sequential(nn.Dropout(0.5), convolution(width, 1), nn.Sigmoid())

    def forward(self, both: Tensor) -> Gray:
        x = self.input_layer(both)
        return self.output_layer(self.mid_layer(x) + x)


def _layer(into: int, out: int) -> tuple[nn.Module, ...]:
    return convolution(into, out), nn.LeakyReLU(0.2), nn.InstanceNorm2d(out, affine=True)


def _gradient(y: Gray) -> Gray:
    """Magnitude of Sobel's gradient, 0 to 1 in each picture."""
    kernel = y.new_tensor(SOBEL)
    both = conv2d(y, torch.stack([kernel, kernel.T])[:, None], padding=1)
    size = (both.square().sum(1, keepdim=True) + torch.finfo(y.dtype).tiny).sqrt()  # its slope at 0 stays finite
    return scripts.stretched(size, 1e-8)
