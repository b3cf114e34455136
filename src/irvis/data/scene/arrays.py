"""Array types and small image tools of the scene: noise tiles, resizing, blurring."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.floating[Any]]
"""Float arrays: float32 wherever there are many."""
Mask = NDArray[np.bool_]
Labels = NDArray[np.uint8]
Indices = NDArray[np.int32]
Point = tuple[float, float, float]
"""Metres in the world: x to the right of the road's axis, y up, z along the road."""

TILE = 512
"""Side of a noise tile: a power of two, so that wrapping is a bit mask."""


def noise_tile(rng: np.random.Generator, roughness: float) -> Floats:
    """Return (TILE, TILE) periodic noise of mean 0 and deviation 1, spectrum 1 / frequency^roughness."""
    rows = np.fft.fftfreq(TILE)[:, None]
    columns = np.fft.rfftfreq(TILE)[None, :]
    frequency = np.sqrt(rows**2 + columns**2)
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.standard_normal((TILE, TILE))) * frequency**-roughness
    spectrum[0, 0] = 0.0
    tile = np.fft.irfft2(spectrum, s=(TILE, TILE))
    result: Floats = (tile / tile.std()).astype(np.float32)
    return result


def lookup(tile: Floats, row: Floats, column: Floats) -> Floats:
    """Return the tile's values at any coordinates in tile pixels, nearest and wrapped around."""
    wrapped = (np.floor(row).astype(np.int32) & (TILE - 1)) * TILE
    result: Floats = tile.ravel()[wrapped + (np.floor(column).astype(np.int32) & (TILE - 1))]
    return result


def patch(tile: Floats, shape: tuple[int, int], step: tuple[float, float], offset: int) -> Floats:
    """Return a (height, width) piece of the wrapped tile, `step` tile pixels per output pixel."""
    rows = ((np.arange(shape[0]) * step[0]).astype(np.int64) + offset) & (TILE - 1)
    columns = ((np.arange(shape[1]) * step[1]).astype(np.int64) + 3 * offset) & (TILE - 1)
    result: Floats = tile[rows[:, None], columns[None, :]]
    return result


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """Return 0 below `low`, 1 above `high` and a smooth ramp between them."""
    ramp: Floats = np.clip((value - low) * (1.0 / (high - low)), 0.0, 1.0)
    result: Floats = ramp * ramp * (3.0 - 2.0 * ramp)
    return result


def resize(plane: Floats, size: tuple[int, int]) -> Floats:
    """Return one (h, w) plane at another (height, width), bilinear; shrinking averages."""
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.array(image.resize((size[1], size[0]), Image.Resampling.BILINEAR), dtype=np.float32)


def reduce(image: Floats, factor: int) -> Floats:
    """Return the mean of every factor x factor block of an (h, w) or (h, w, channels) image."""
    blocks = image.reshape(image.shape[0] // factor, factor, image.shape[1] // factor, factor, -1)
    mean = blocks[:, 0, :, 0].copy()
    for row in range(factor):
        for column in range(factor):
            if row or column:
                mean += blocks[:, row, :, column]
    mean *= 1.0 / factor**2
    return mean.reshape(mean.shape[:2] + image.shape[2:])


def blur(plane: Floats, sigma: float) -> Floats:
    """Return an (h, w) plane blurred by a Gaussian of `sigma` pixels with replicated borders."""
    if sigma < 0.1:
        return plane
    if sigma > 4.0:
        height, width = plane.shape
        factor = sigma / 3.0
        small = resize(plane, (max(1, round(height / factor)), max(1, round(width / factor))))
        return resize(blur(small, 3.0), (height, width))
    reach = max(1, int(3.0 * sigma + 0.5))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = [float(weight) for weight in kernel / kernel.sum()]
    for axis in (0, 1):
        widths = [(0, 0), (0, 0)]
        widths[axis] = (reach, reach)
        padded = np.pad(plane, widths, mode="edge")
        length = plane.shape[axis]
        total = np.zeros_like(plane)
        for shift, weight in enumerate(weights):
            piece = padded[shift : shift + length] if axis == 0 else padded[:, shift : shift + length]
            total += weight * piece
        plane = total
    return plane
