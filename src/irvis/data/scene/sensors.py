"""The two cameras: what lens, pixels and automatic gain make of radiance and temperature."""

import numpy as np

from .arrays import Floats, blur, resize


def vignette(size: tuple[int, int], strength: float) -> Floats:
    """Return (h, w) relative brightness, 1 in the middle and 1 - strength in the corners."""
    rows = np.linspace(-1.0, 1.0, size[0], dtype=np.float32)[:, None]
    columns = np.linspace(-1.0, 1.0, size[1], dtype=np.float32)[None, :]
    result: Floats = 1.0 - strength * 0.5 * (rows**2 + columns**2)
    return result


def bloom(radiance: Floats, glare: float) -> Floats:
    """Return (h, w, 3) radiance with the light that the lens scatters around bright spots."""
    if glare == 0.0:
        return radiance
    size = min(radiance.shape[:2])
    result = radiance.copy()
    for channel in range(3):
        bright = np.clip(radiance[..., channel] - 1.2, 0.0, 90.0)
        for spread, weight in ((0.004, 0.16), (0.014, 0.09), (0.045, 0.06), (0.13, 0.035)):
            result[..., channel] += (weight * glare * 3.2) * blur(bright, max(0.3, spread * size))
    return result


def tone_curve(linear: Floats) -> Floats:
    """Return display values in [0, 1] of exposed light: a soft shoulder, then the sRGB curve."""
    clipped = np.clip(linear, 0.0, None)
    shoulder = clipped * (1.0 + clipped / 16.0) / (1.0 + clipped)
    low = 12.92 * shoulder
    high = 1.055 * np.power(np.maximum(shoulder, 1e-6), 1.0 / 2.4) - 0.055
    result: Floats = np.clip(np.where(shoulder <= 0.0031308, low, high), 0.0, 1.0).astype(np.float32)
    return result


def expose(radiance: Floats, exposure: float, gain: float, noise: float, rng: np.random.Generator) -> Floats:
    """Return the visible camera's (h, w, 3) picture in [0, 1], 8-bit steps.

    `gain` in [0, 1] is how far the amplifier is turned up: shot and read noise grow with it.
    """
    size = (radiance.shape[0], radiance.shape[1])
    scale = min(1.0, min(size) / 240.0)
    light = np.stack([blur(radiance[..., channel], 0.55 * scale) for channel in range(3)], axis=-1)
    light *= (exposure * vignette(size, 0.3))[..., None]
    if noise > 0.0:
        grain = rng.standard_normal(light.shape, dtype=np.float32)
        gray = rng.standard_normal((*size, 1), dtype=np.float32)
        grain = 0.75 * grain + 0.65 * gray
        shot = (0.01 + 0.04 * gain) * np.sqrt(np.clip(light, 0.0, None) + 1e-6)
        light += noise * grain * np.sqrt(shot**2 * 0.35 + (0.001 + 0.0026 * gain) ** 2)
    return np.round(tone_curve(light) * 255.0) / np.float32(255.0)


def agc(warmth: Floats) -> Floats:
    """Return white-hot grey in [0, 1] from kelvin above the air, stretched between the scene's extremes.

    The cold sky is compressed, so that the street keeps most of the range.
    """
    low, middle, high = (float(v) for v in np.percentile(warmth, (4.0, 50.0, 99.6)))
    low = min(max(low, middle - 7.0), middle - 4.0)
    high = min(max(high, middle + 9.0), middle + 14.5)
    level = (warmth - low) / (high - low)
    level = 0.06 + 0.9 * np.where(level > 0.0, np.clip(level, 0.0, None) ** 1.3, level)
    shoulder = np.where(level > 0.88, 0.88 + 0.12 * np.tanh((level - 0.88) / 0.12), level)
    toe = np.where(shoulder < 0.14, 0.02 + 0.12 * np.exp((shoulder - 0.14) / 0.6), shoulder)
    return np.clip(toe, 0.0, 1.0).astype(np.float32)


def thermal(warmth: Floats, noise: float, fixed: np.random.Generator, moving: np.random.Generator) -> Floats:
    """Return the long-wave camera's (h, w) picture in [0, 1], 8-bit steps.

    The fixed pattern (column offsets, a few uneven spots) stays with the camera; the rest is temporal.
    """
    size = (warmth.shape[0], warmth.shape[1])
    scale = min(1.0, min(size) / 240.0)
    image = blur(warmth, 0.85 * scale)
    gray = agc(image)
    gray = gray + 0.3 * (gray - blur(gray, 0.025 * min(size)))
    image = gray * vignette(size, 0.12)
    if noise > 0.0:
        columns = fixed.standard_normal((1, size[1]), dtype=np.float32)
        spots = resize(fixed.standard_normal((6, 8), dtype=np.float32), size)
        pattern = 0.004 * columns + 0.006 * spots + 0.003 * fixed.standard_normal(size, dtype=np.float32)
        image = image + noise * (pattern + 0.009 * moving.standard_normal(size, dtype=np.float32))
    return np.round(np.clip(image, 0.0, 1.0) * 255.0) / np.float32(255.0)


def near_infrared(radiance: Floats, noise: float, rng: np.random.Generator) -> Floats:
    """Return the near-infrared camera's (h, w) picture in [0, 1] with automatic exposure, 8-bit steps."""
    size = (radiance.shape[0], radiance.shape[1])
    scale = min(1.0, min(size) / 240.0)
    light = blur(radiance, 0.7 * scale) * vignette(size, 0.3)
    light *= 0.32 / max(float(np.median(light)) * 1.3 + 0.1 * float(np.mean(np.minimum(light, 3.0))), 1e-4)
    if noise > 0.0:
        grain = rng.standard_normal(size, dtype=np.float32)
        light = light + noise * grain * (0.02 * np.sqrt(np.clip(light, 0.0, None)) + 0.004)
    return np.round(tone_curve(light) * 255.0) / np.float32(255.0)
