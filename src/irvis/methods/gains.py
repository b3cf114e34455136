"""The encoder-decoder network that predicts how to combine the images instead of the fused pixels.

Both images are taken apart exactly, into the bands of a Laplacian pyramid (Burt & Adelson 1983) and a base. Encoders,
1×1 fusion and decoder, as in `encdec`, see the images at half their size and less, and give for every pixel of every
band two gains, one for each image, and for the base a share and a factor. The fused image is made of the images' own
detail: it cannot be softer than they are, draw a grid, or drift where both are flat.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, pad, pixel_shuffle, pixel_unshuffle, relu

from ..filters import expand, reduce
from ..types import Gray, Scaled

LEVELS = 5
LARGEST_GAIN = 1.6
"""Of a band's detail."""
REACH = 140
"""How far, in pixels, one input pixel can influence the output: traced through gradients, as a test does."""
BASE_FACTOR = 0.4
"""How far the base may be brightened or darkened, as a share of it."""


class Gains(NamedTuple):
    """What of each image goes into the fused one."""

    bands: list[Tensor]
    """Finest first: (b, 2, h, w) at 1/2ⁿ of the size, the gain of the visible image's detail, then of infrared's."""
    infrared_share: Gray
    """Of the base, in [0, 1]."""
    factor: Gray
    """On the base, in [0.6, 1.4]."""


class GainDecoder(nn.Module):
    """Features at 1/2 … 1/32 of the size, `channels` of them, to the gains of every band, and to the fused image."""

    def __init__(self, channels: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.decoder = nn.ModuleList(nn.Conv2d(a + b, a, 3) for a, b in pairwise(channels))
        # The finest band is seen at half size, its four pixels beside each other.
        details = [(channels[0] + 8, 8), *((n + 2, 2) for n in channels[:-1])]
        self.heads = nn.ModuleList(_head(into, hidden, out) for into, out in details)
        self.base = nn.Sequential(nn.Conv2d(channels[-1], hidden, 1), nn.ReLU(), nn.Conv2d(hidden, 2, 1))

    def composed(self, fused: Sequence[Tensor], visible: Gray, infrared: Gray) -> tuple[Gray, Gains]:
        """The fused plane, and what of each image went into it."""
        features = self._decoded(fused)
        bands, base = decomposed(torch.cat([visible, infrared]))
        gains = []
        for level, (band, head) in enumerate(zip(bands, self.heads, strict=True)):
            of_both = torch.cat(band.chunk(2), 1)
            found = head(_extended(torch.cat([features[max(level - 1, 0)], 4 * of_both], 1)))
            gains.append(LARGEST_GAIN * found.sigmoid())
        share, factor = self.base(features[-1]).chunk(2, 1)
        share, factor = share.sigmoid(), 1 + BASE_FACTOR * factor.tanh()
        of_visible, of_infrared = base.chunk(2)
        plane = factor * torch.lerp(of_visible, of_infrared, share)
        for band, gain in zip(reversed(bands[1:]), reversed(gains[1:]), strict=True):
            plane = expand(plane) + _weighted(band, gain)
        plane = pixel_shuffle(phases(plane) + _weighted(bands[0], gains[0]), 2)
        finest = torch.cat([pixel_shuffle(gain, 2) for gain in gains[0].chunk(2, 1)], 1)
        return plane, Gains([finest, *gains[1:]], share, factor)

    def _decoded(self, fused: Sequence[Tensor]) -> list[Tensor]:
        """From the coarsest features on, each of the finer ones with what was decoded before."""
        features = [fused[-1]]
        for layer, skip in zip(reversed(self.decoder), reversed(fused[:-1]), strict=True):
            above = interpolate(features[-1], scale_factor=2.0, mode="nearest")
            features.append(relu(layer(_extended(torch.cat([skip, above], 1)))))
        return features[::-1]


class GainNetwork(GainDecoder):
    """Encoders, 1×1 fusion and decoder, a head for every band; `width` channels at half size, doubled up to 6 times."""

    def __init__(self, width: int) -> None:
        channels = [min(width << n, 6 * width) for n in range(LEVELS)]
        super().__init__(channels, max(3 * width // 2, 8))
        self.visible_encoder = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2) for a, b in pairwise([1, *channels]))
        self.infrared_encoder = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2) for a, b in pairwise([1, *channels]))
        self.fusion = nn.ModuleList(nn.Conv2d(2 * n, n, 1) for n in channels)

    def forward(self, visible: Gray, infrared: Gray) -> Gray:
        """Fuse planes in [0, 1] whose sides are multiples of 32."""
        return self.explained(visible, infrared)[0]

    def explained(self, visible: Gray, infrared: Gray) -> tuple[Gray, Gains]:
        """The fused plane, and what of each image went into it."""
        of_visible, of_infrared, fused = 2 * visible - 1, 2 * infrared - 1, []
        for first, second, mix in zip(self.visible_encoder, self.infrared_encoder, self.fusion, strict=True):
            of_visible, of_infrared = relu(first(_extended(of_visible))), relu(second(_extended(of_infrared)))
            fused.append(relu(mix(torch.cat([of_infrared, of_visible], 1))))
        return self.composed(fused, visible, infrared)


def decomposed(planes: Gray) -> tuple[list[Tensor], Scaled]:
    """Bands of a Laplacian pyramid, finest first, and the base; the finest band as (b, 4, h/2, w/2), see `phases`."""
    low = reduce(planes)
    bands = [pixel_unshuffle(planes, 2) - phases(low)]
    for _ in range(LEVELS - 1):
        lower = reduce(low)
        bands.append(low - expand(lower))
        low = lower
    return bands, low


def phases(coarse: Gray) -> Tensor:
    """`filters.expand`, its four pixels for each coarse one as channels: (b, 1, h, w) -> (b, 4, h, w)."""
    even, odd = coarse.new_tensor([1.0, 6, 1]) / 8, coarse.new_tensor([0.0, 4, 4]) / 8
    kernels = torch.stack([a[:, None] * b for a in (even, odd) for b in (even, odd)])[:, None]
    return conv2d(_extended(coarse), kernels)


def _weighted(band: Tensor, gain: Tensor) -> Tensor:
    visible, infrared = band.chunk(2)
    for_visible, for_infrared = gain.chunk(2, 1)
    return for_visible * visible + for_infrared * infrared


def _head(into: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(into, hidden, 3), nn.ReLU(), nn.Conv2d(hidden, out, 1))


def _extended(image: Tensor) -> Tensor:
    return pad(image, (1, 1, 1, 1), mode="replicate")
