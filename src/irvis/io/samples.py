"""Samples to tensors, and whether they are colours of a palette."""

import numpy as np
import torch

from ..types import Image
from .deep import Samples

COLOUR_LEVELS = 16
"""Coloured: max(R, G, B) - min(R, G, B) exceeds this many of 255 levels in over 1% of the pixels.

Measured, as the 99th percentile of that spread: gray infrared files of six public sets 0 (a camera's
coloured overlay reaches 47 in 0.1% of the pixels), pseudo-coloured thermal files 240 to 243.
"""

DARK = "its 16-bit samples use {bits} bits and are shown nearly black: multiply them to use 16 bits, or save 8 bits"
"""What to tell of `shallow` samples of a visible file."""
FULL = {"uint8": 255, "uint16": 65535}


def tensor(samples: Samples) -> Image:
    """(h, w, channels) as (1, channels, h, w) of float32, the numbers as they are."""
    return torch.from_numpy(np.ascontiguousarray(samples.transpose(2, 0, 1), np.float32))[None]


def extremes(samples: Samples) -> str:
    """The least and the greatest finite sample, and two percentiles between, as a text."""
    finite = samples[np.isfinite(samples)]
    if not finite.size:
        return "NaN to NaN"
    low, inner_low, inner_high, high = np.percentile(finite, (0, 1, 99, 100))
    return f"{low:g} to {high:g} (1%: {inner_low:g}, 99%: {inner_high:g})"


def shallow(samples: Samples) -> int | None:
    """How many bits 16-bit samples use, if no more than 14: counts of a sensor that fill the low bits of their words.

    None for other samples, and for a black picture.
    """
    most = int(samples.max()) if samples.dtype == np.uint16 and samples.size else 0
    return next((bits for bits in (8, 10, 12, 14) if 0 < most < 1 << bits), None)


def is_coloured(samples: Samples) -> bool:
    """By `COLOUR_LEVELS`."""
    if samples.shape[2] == 1:
        return False
    full = FULL.get(samples.dtype.name) or float(np.ptp(samples))
    red, green, blue = (samples[..., n] for n in range(3))
    high, low = (extreme(extreme(red, green), blue) for extreme in (np.maximum, np.minimum))
    spread = high.astype(np.float32) - low
    return bool((spread > COLOUR_LEVELS / 255 * full).mean() > 0.01)
