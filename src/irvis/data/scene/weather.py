"""Shapes of the weather: rain streaks, snow flakes and a plume of smoke."""

import numpy as np
from PIL import Image, ImageDraw

from .arrays import Floats, blur, patch, smoothstep


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
        radius = max(0.7, (0.0014 + 0.0075 * close) * 2.0 * height)
        ink = int(235 - 120 * close)
        draw.ellipse([x - radius, y - radius, x + radius, y + 1.25 * radius], fill=ink)
    small = image.resize((width, height), Image.Resampling.BOX)
    return blur(np.asarray(small, dtype=np.float32) / np.float32(255.0), 0.0011 * height + 0.3)


def veil(radiance: Floats, cover: Floats, brightness: float, floor: float) -> Floats:
    """Return (h, w, 3) radiance behind drops or flakes, which shine with the light around them."""
    result = radiance.copy()
    sigma = max(1.0, 0.02 * radiance.shape[0])
    for channel in range(radiance.shape[2]):
        around = blur(np.minimum(radiance[..., channel], 2.5), sigma)
        lit = brightness * around + floor
        result[..., channel] += cover * (lit - 0.35 * radiance[..., channel])
    return result


def plume(size: tuple[int, int], noises: tuple[Floats, Floats], seed: int) -> Floats:
    """Return (h, w) optical thickness of drifting smoke, dense at the foot, 0..about 3."""
    y = np.linspace(1.0, 0.0, size[0], dtype=np.float32)[:, None]
    x = np.linspace(-1.0, 1.0, size[1], dtype=np.float32)[None, :]
    billow = patch(noises[1], size, (100.0 / size[0], 100.0 / size[1]), seed)
    curl = patch(noises[1], size, (480.0 / size[0], 480.0 / size[1]), seed + 77)
    middle = -0.28 + 0.5 * y**1.4 + 0.07 * billow
    width = 0.17 + 0.36 * y
    body = np.exp(-(((x - middle) / width) ** 2)) * smoothstep(-0.02, 0.16, y + 0.04 * curl) * (1.0 - 0.7 * y)
    body *= np.clip((1.0 - y) * 3.0, 0.0, 1.0) * np.clip((1.0 - np.abs(x)) * 4.0, 0.0, 1.0)
    result: Floats = np.clip(body * (2.2 + 1.3 * billow + 1.3 * curl), 0.0, None).astype(np.float32)
    return result
