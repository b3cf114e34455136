"""What the measures are worth: a sum, whose weights were fitted to blind rankings (benchmarks/choosing.py).

The rankings are of vision models, not of people; docs/results/choosing.md says how far the sum predicts them.
"""

from collections.abc import Mapping
from typing import Any

WEIGHTS = {"tone": -0.087, "Qw": 9.6781, "targets": 1.4128, "noise": -1.4419}
"""Measure → what one more unit of it adds to the logarithm of the odds of being preferred."""
SPREAD = {"targets": 0.26, "detail": 0.11, "flicker": 0.25, "detection": 0.1}
"""Measure → the difference that counts as one step where a purpose asks for it: for the first two, the usual one."""
EMPHASIS: Mapping[str, Mapping[str, float]] = {
    "looking": {},
    "people": {"targets": 1.0},
    "vehicles": {"targets": 0.5, "detail": 0.5},
    "text": {"detail": 1.0},
}
"""Purpose → measure → steps in logarithms of odds: chosen by hand, not fitted."""
DETECTED = {"people", "vehicles"}
"""Purposes for which a detector, where there is one, takes the place of the emphasis."""
STEADY = -1.0
"""On a step of flicker."""


def weights(purpose: str, *, detected: bool = False) -> dict[str, float]:
    """Measure → weight of one unit."""
    emphasis = EMPHASIS[purpose]
    if detected and purpose in DETECTED:
        emphasis = {"detection": 1.0}
    steps = {**emphasis, "flicker": STEADY}
    return {
        name: WEIGHTS.get(name, 0.0) + (steps[name] / SPREAD[name] if name in steps else 0.0)
        for name in dict.fromkeys((*WEIGHTS, *steps))
    }


def contributions(away: Mapping[str, Any], purpose: str, *, detected: bool = False) -> dict[str, Any]:
    """Measure → weight times how far it is `away` from that of the average candidate."""
    return {name: w * away[name] for name, w in weights(purpose, detected=detected).items() if name in away}
