"""White-hot or black-hot? What the infrared image alone tells, and how far that goes.

Four observations, each turning its sign when the image is inverted, so that evidence(1 - image) = -evidence(image):
the lower third is warmer than the upper one; what is smooth in the upper half (sky, far walls) is cold; and what is
small and stands out, at two scales, is rather hot (people, engines, lamps) than cold. Their weighted sum is the
logarithm of the odds for white-hot. The rim, where frames and writing lie, is left out.

The weights come from a logistic regression without intercept, none below 0, on 183 white-hot pairs of RoadScene, TNO
and MSRS and two sequences of M3SVD, each set with the same weight (sequences with 0.3).
"""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F

from ..filters import gaussian
from ..types import Gray

WEIGHTS = (0.21, 1.50, 1.43, 1.55)
SURE = 2.0
"""From these odds on (as a logarithm; 7 to 1) there is an answer, below it is unknown."""
UNKNOWN = "white-hot or black-hot cannot be told: infrared stays as it is; say --polarity"
PAIRS = 4
"""The pairs of a folder are no independent witnesses: their mean counts as that of so many."""
SIDE = 160
"""Long side in pixels of the image that is looked at."""
LEAST = 32
"""Images with a shorter side below this are not judged."""
RIM = 0.06
"""Share of the height and width that is cut off at each border."""


def evidence(infrared: Gray) -> float:
    """Logarithm of the odds that bright is hot; 0 for an image that is constant or too small."""
    height, width = infrared.shape[2:]
    if min(height, width) < LEAST:
        return 0.0
    top, left = round(height * RIM), round(width * RIM)
    infrared = infrared[:, :, top : height - top, left : width - left]
    height, width = infrared.shape[2:]
    scale = SIDE / max(height, width)
    image = F.interpolate(infrared, (max(round(height * scale), LEAST), max(round(width * scale), LEAST)), mode="area")
    deviation = float(image.std())
    if deviation < 1e-4:
        return 0.0
    image = (image - image.mean()) / deviation
    seen = (_warm_below(image), _cold_and_smooth_above(image), _hot_spots(image, 1.5), _hot_spots(image, 3.0))
    return sum(weight * value for weight, value in zip(WEIGHTS, seen, strict=True))


def verdict(odds: float) -> str:
    """white-hot, black-hot or unknown."""
    return "unknown" if abs(odds) < SURE else "white-hot" if odds > 0 else "black-hot"


def decided(odds: float) -> tuple[Literal["white-hot", "black-hot"], str]:
    """The polarity that --polarity auto decides on, and a note where it cannot: infrared then stays as it is."""
    found = verdict(odds)
    return ("black-hot" if found == "black-hot" else "white-hot"), UNKNOWN if found == "unknown" else ""


def together(odds: Sequence[float]) -> float:
    """The evidence of a folder."""
    return sum(odds) / len(odds) * min(len(odds), PAIRS) if odds else 0.0


def _warm_below(image: Gray) -> float:
    third = image.shape[2] // 3
    return float(image[:, :, 2 * third :].mean() - image[:, :, :third].mean())


def _cold_and_smooth_above(image: Gray) -> float:
    """Minus the mean of the upper half where there is least detail; the image has mean 0 and deviation 1."""
    detail = (image - gaussian(image, 2.0)).abs()
    quiet = (detail <= detail.flatten().quantile(0.25))[:, :, : image.shape[2] // 2]
    if quiet.float().mean() < 0.05:
        return 0.0
    return -float(image[:, :, : image.shape[2] // 2][quiet].mean())


def _hot_spots(image: Gray, sigma: float) -> float:
    """Skewness of the details of a size (difference of Gaussians), squeezed into ±1."""
    detail = gaussian(image, sigma) - gaussian(image, 2 * sigma)
    detail = detail - detail.mean()
    skewness = (detail**3).mean() / (detail**2).mean().clamp_min(1e-9) ** 1.5
    return float(torch.tanh(skewness / 2))
