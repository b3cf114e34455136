"""Rain, snow and smoke between the street and the camera."""

import numpy as np
from PIL import Image, ImageDraw

from .arrays import Floats, blur


def rain_streaks(size: tuple[int, int], amount: float, rng: np.random.Generator) -> Floats:
    """Return (h, w) coverage 0..1 by falling drops, motion-blurred into slanted streaks."""
    height, width = size
    count = int(amount * (40 + 0.004 * height * width))
    image = Image.new("L", (2 * width, 2 * height))
    draw = ImageDraw.Draw(image)
    slant = float(rng.uniform(-0.18, 0.18))
    near = rng.uniform(0.0, 1.0, count) ** 3
    starts = rng.uniform((-0.1 * width, -0.1 * height), (1.1 * width, height), (count, 2)) * 2.0
    for (x, y), close in zip(starts.tolist(), near.tolist(), strict=True):
        length = (0.02 + 0.12 * close) * 2.0 * height
        draw.line([x, y, x + slant * length, y + length], int(70 + 150 * close), 1 + int(close * height / 200.0))
    small = image.resize((width, height), Image.Resampling.BOX)
    return blur(np.asarray(small, dtype=np.float32) / np.float32(255.0), 0.4)


def snow_flakes(size: tuple[int, int], amount: float, rng: np.random.Generator) -> Floats:
    """Return (h, w) coverage 0..1 by falling flakes: many small and far, a few large and out of focus."""
    height, width = size
    count = int(amount * (30 + 0.0035 * height * width))
    image = Image.new("L", (2 * width, 2 * height))
    draw = ImageDraw.Draw(image)
    near = rng.uniform(0.0, 1.0, count) ** 5
    places = rng.uniform(0.0, (2.0 * width, 2.0 * height), (count, 2))
    order = np.argsort(near, kind="stable")
    for (x, y), close in zip(places[order].tolist(), near[order].tolist(), strict=True):
        radius = max(0.7, (0.0016 + 0.011 * close) * 2.0 * height)
        ink = int(235 - 120 * close)
        draw.ellipse([x - radius, y - radius, x + radius, y + 1.25 * radius], fill=ink)
    small = image.resize((width, height), Image.Resampling.BOX)
    return blur(np.asarray(small, dtype=np.float32) / np.float32(255.0), 0.0008 * height + 0.3)


def veil(radiance: Floats, cover: Floats, brightness: float, floor: float) -> Floats:
    """Return (h, w, 3) radiance behind drops or flakes, which shine with the light around them."""
    result = radiance.copy()
    sigma = max(1.0, 0.02 * radiance.shape[0])
    for channel in range(radiance.shape[2]):
        around = blur(np.minimum(radiance[..., channel], 2.5), sigma)
        lit = brightness * around + floor
        result[..., channel] += cover * (lit - 0.35 * radiance[..., channel])
    return result
