"""Light, weather and sensor settings of a synthetic scene."""

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What time it is, what is in the air and how noisy the cameras are.

    Parameters
    ----------
    darkness: 0 (noon) .. 1 (moonless night; street lamps and headlights remain).
    fog: 0..1, hides distance in the visible, little in long-wave infrared.
    smoke: 0..1, a local plume in front of some pedestrians.
    rain, snow: 0..1.
    glare: 0..1, blooming of headlights and lamps in the visible.
    noise: 0..4, multiplies the noise of both sensors; 0 is clean.
    spectrum: what the second camera sees: "thermal" is long-wave emission, "near-infrared" is
        reflected light just beyond red, with an active illuminator at night.

    Raises
    ------
    ValueError: a number outside its range, or an unknown spectrum.
    """

    darkness: float = 0.8
    fog: float = 0.0
    smoke: float = 0.0
    rain: float = 0.0
    snow: float = 0.0
    glare: float = 0.4
    noise: float = 1.0
    spectrum: Literal["thermal", "near-infrared"] = "thermal"

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name == "spectrum":
                continue
            value = getattr(self, field.name)
            upper = 4.0 if field.name == "noise" else 1.0
            if not 0.0 <= value <= upper:
                raise ValueError(f"{field.name} must lie in [0, {upper:g}], not {value!r}")
        if self.spectrum not in ("thermal", "near-infrared"):
            raise ValueError(f'spectrum must be "thermal" or "near-infrared", not {self.spectrum!r}')


def random_conditions(seed: int) -> Conditions:
    """Return a varied draw for training: night, dusk or day, half of the time with some weather.

    Thermal throughout, because one training set has one second camera.
    """
    rng = np.random.default_rng([seed, 77])
    low, high = ((0.0, 0.25), (0.35, 0.65), (0.7, 1.0))[int(rng.choice(3, p=(0.2, 0.25, 0.55)))]
    weather = {"fog": 0.0, "smoke": 0.0, "rain": 0.0, "snow": 0.0}
    if rng.random() < 0.55:
        weather[str(rng.choice(list(weather), p=(0.4, 0.25, 0.2, 0.15)))] = float(rng.uniform(0.2, 1.0))
    return Conditions(
        darkness=float(rng.uniform(low, high)),
        glare=float(rng.uniform(0.0, 1.0)),
        noise=float(rng.uniform(0.3, 1.8)),
        fog=weather["fog"],
        smoke=weather["smoke"],
        rain=weather["rain"],
        snow=weather["snow"],
    )
