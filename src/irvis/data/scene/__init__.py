"""Synthetic street scenes seen by a visible and an infrared camera, with known truth.

One geometry, two sets of surface properties: what a thing reflects and how warm it is. So the truth is
known: the sign's letters exist for the visible camera only, pedestrians in the dark for the infrared one.
"""

from dataclasses import dataclass

import numpy as np
import torch

from ...types import RGB, Gray
from .arrays import Floats, Mask
from .conditions import Conditions, random_conditions
from .light import make_sky
from .render import Picture, render
from .sensors import bloom, expose, near_infrared, thermal
from .street import build
from .weather import rain_streaks, snow_flakes, veil

__all__ = ["Conditions", "Scene", "random_conditions", "scene"]


NIGHT = Conditions()
"""The default: a clear night with street lamps."""


@dataclass(frozen=True)
class Scene:
    """A registered pair and its truth."""

    visible: Floats
    """(h, w, 3) in [0, 1], sRGB-like, in steps of 1/255."""
    infrared: Floats
    """(h, w) in [0, 1], white is hot (thermal) or bright (near infrared), in steps of 1/255."""
    sign: Mask
    """(h, w): the sign's board with its text, whose contrast only the visible camera shows."""
    letters: Mask
    """(h, w): the strokes of the sign's text."""
    people: Mask
    """(h, w): pedestrians where nothing hides them; the infrared camera shows them in the dark and in fog."""
    text: str
    """What the sign says."""
    depth: Floats
    """(h, w) metres along the optical axis, inf for the sky."""

    def tensors(self) -> tuple[RGB, Gray]:
        """The pair as (1, 3, h, w) and (1, 1, h, w)."""
        visible = torch.from_numpy(np.ascontiguousarray(self.visible.transpose(2, 0, 1)))
        return visible[None], torch.from_numpy(self.infrared)[None, None]


def scene(seed: int, size: tuple[int, int] = (480, 640), conditions: Conditions = NIGHT) -> Scene:
    """Return the street of a seed as both cameras see it.

    Parameters
    ----------
    seed: any integer >= 0; the same seed, size and conditions give the same arrays.
    size: height and width in pixels, 16..2000 each.
    conditions: light, weather and sensors; they never move anything in the street
        (but trees stand bare in snow).

    Raises
    ------
    ValueError: a size outside 16..2000 or a negative seed.
    """
    height, width = size
    if not (16 <= height <= 2000 and 16 <= width <= 2000):
        raise ValueError(f"size must lie between 16 and 2000 pixels a side, not {height} x {width}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, not {seed}")
    samples = 4 if height * width <= 80 * 80 else 3 if height * width <= 160 * 160 else 2
    lamps = float(np.clip((conditions.darkness - 0.25) / 0.25, 0.0, 1.0))
    world = build(seed, (height, width), samples, lamps, bare=conditions.snow > 0.0)
    overcast = max(conditions.rain, conditions.snow, conditions.fog, 0.3 * float(seed % 3 == 1))
    sky = make_sky(conditions.darkness, min(1.0, overcast))
    picture = render(world, conditions, sky)
    rng = np.random.default_rng([seed, 20])
    exposure = 1.0 / (1.05 + 0.62 * max(sky.ambient) + 0.2 * sky.sun[0])
    return Scene(
        visible=_visible(picture, conditions, exposure, rng),
        infrared=_infrared(picture, conditions, seed, rng),
        sign=picture.cover[..., 1] >= 0.5,
        letters=picture.cover[..., 2] >= 0.5,
        people=picture.cover[..., 0] >= 0.5,
        text=world.text,
        depth=picture.depth,
    )


def _visible(picture: Picture, conditions: Conditions, exposure: float, rng: np.random.Generator) -> Floats:
    size = (picture.depth.shape[0], picture.depth.shape[1])
    radiance = picture.radiance
    floor = 0.02 / exposure
    if conditions.rain > 0.0:
        radiance = veil(radiance, 0.6 * rain_streaks(size, conditions.rain, rng), 1.5, floor)
    if conditions.snow > 0.0:
        radiance = veil(radiance, snow_flakes(size, conditions.snow, rng), 2.2, 3.0 * floor)
    radiance = bloom(radiance * np.float32(exposure), conditions.glare)
    return expose(radiance, 1.0, conditions.darkness**2, conditions.noise, rng)


def _infrared(picture: Picture, conditions: Conditions, seed: int, rng: np.random.Generator) -> Floats:
    if conditions.spectrum == "near-infrared":
        return near_infrared(picture.near, conditions.noise, rng)
    warmth = picture.warmth
    size = (warmth.shape[0], warmth.shape[1])
    if conditions.rain > 0.0:
        warmth = warmth - 0.8 * rain_streaks(size, conditions.rain, rng)
    if conditions.snow > 0.0:
        warmth = warmth - 1.2 * snow_flakes(size, conditions.snow, rng)
    return thermal(warmth, conditions.noise, np.random.default_rng(20), rng)
