"""Counts of a calibrated camera to degrees C and back.

The measurement formula that FLIR prints in its camera manuals, with the constants as its files name them:

    W(T)   = R1 / (R2 (exp(B / T) - F)) - O        what a black body of T kelvin reads, in counts
    counts = w (t (e W(object) + (1 - e) W(reflected)) + (1 - t) W(air)) + (1 - w) W(window)
    t      = X exp(-sqrt(d) (alpha1 + beta1 sqrt(h))) + (1 - X) exp(-sqrt(d) (alpha2 + beta2 sqrt(h)))
    h      = humidity exp(1.5587 + 0.06939 a - 0.00027816 a^2 + 0.00000068455 a^3)

e: emissivity, t: transmission of the air over the distance d in metres, h: its water in g/m^3 at a degrees C,
w: transmission of a window or lens in front of the camera.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import IrvisError

ZERO_CELSIUS = 273.15
"""Kelvin."""


@dataclass(frozen=True, kw_only=True)
class Constants:
    """What turns counts into temperatures. Temperatures in degrees C, distance in metres, fractions in [0, 1].

    The first five are the camera's calibration. Those from `emissivity` to `window_transmission` describe
    the scene and may be replaced by what is known better: `with_conditions`. The last five are the air's.
    Nothing is checked here, so that a file with impossible values still gives its counts.
    """

    r1: float
    b: float
    f: float
    o: float
    r2: float
    emissivity: float = 1.0
    distance: float = 0.0
    reflected: float = 20.0
    atmospheric: float = 20.0
    humidity: float = 0.5
    window_temperature: float = 20.0
    window_transmission: float = 1.0
    alpha1: float = 0.006569
    alpha2: float = 0.01262
    beta1: float = -0.002276
    beta2: float = -0.00667
    x: float = 1.9


CONDITIONS = tuple(field.name for field in fields(Constants))[5:12]
"""What of the constants describes the scene."""


def with_conditions(constants: Constants, **conditions: float | None) -> Constants:
    """The constants with these conditions of the scene; None leaves what the file says."""
    for name in conditions:
        if name not in CONDITIONS:
            raise IrvisError(f"{name!r} is no condition of a measurement; there are {', '.join(CONDITIONS)}.")
    given = {name: value for name, value in conditions.items() if value is not None}
    return replace(constants, **given)


def celsius(counts: NDArray[Any], constants: Constants, *, required: bool = True) -> NDArray[np.float32]:
    """The temperature of every count, in degrees C; impossible constants are an IrvisError.

    NaN where a count lies below what the reflections, the air and the window alone would give: no
    temperature explains it under these conditions. If that is so everywhere, it is an IrvisError, where `required`.
    """
    gain, offset = _line(constants)
    signal = (np.asarray(counts, np.float64) - offset) / gain + constants.o
    with np.errstate(all="ignore"):
        kelvin = constants.b / np.log(constants.r1 / (constants.r2 * signal) + constants.f)
    possible = (signal > 0) & np.isfinite(kelvin) & (kelvin > 0)
    if required and not possible.any():
        raise IrvisError(
            "the counts give no temperature above absolute zero under these constants and conditions: "
            "check emissivity, distance and the reflected, atmospheric and window temperatures."
        )
    return np.where(possible, kelvin - ZERO_CELSIUS, np.nan).astype(np.float32)


def counts(celsius: NDArray[Any], constants: Constants) -> NDArray[np.float64]:
    """What the camera would read, not rounded, from an object of these temperatures: the inverse of `celsius`."""
    gain, offset = _line(constants)
    return gain * _black_body(np.asarray(celsius, np.float64), constants) + offset


def transmission(constants: Constants) -> float:
    """Of the air between the object and the camera; 1 is clear."""
    if not constants.distance:
        return 1.0
    a = constants.atmospheric
    water = constants.humidity * math.exp(1.5587 + 0.06939 * a - 0.00027816 * a**2 + 0.00000068455 * a**3)
    root, damp = math.sqrt(constants.distance), math.sqrt(water)
    first = math.exp(-root * (constants.alpha1 + constants.beta1 * damp))
    second = math.exp(-root * (constants.alpha2 + constants.beta2 * damp))
    return constants.x * first + (1 - constants.x) * second


def _line(constants: Constants) -> tuple[float, float]:
    """(gain, offset) of counts = gain W(object) + offset."""
    _refuse_impossible(constants)
    try:
        air = transmission(constants)
    except OverflowError:
        air = math.nan
    if not 0 < air <= 1 + 1e-6:
        raise IrvisError(
            f"over {constants.distance:g} m the formula gives air of {constants.atmospheric:g} C and humidity "
            f"{constants.humidity:g} a transmission of {air:g}, which is impossible: type a shorter --distance."
        )
    glass, emissivity = constants.window_transmission, constants.emissivity
    offset = (
        _share(glass * air * (1 - emissivity), constants.reflected, constants)
        + _share(glass * (1 - air), constants.atmospheric, constants)
        + _share(1 - glass, constants.window_temperature, constants)
    )
    return glass * air * emissivity, offset


def _share(share: float, celsius: float, constants: Constants) -> float:
    """Counts that a part of the light adds; the temperature of no part at all may be anything."""
    return share * float(_black_body(celsius, constants)) if share else 0.0


def _black_body(celsius: Any, constants: Constants) -> Any:
    """W of the formula; NaN at and below absolute zero and where F leaves nothing."""
    kelvin = np.asarray(celsius, np.float64) + ZERO_CELSIUS
    with np.errstate(all="ignore"):
        rest = np.exp(constants.b / np.where(kelvin > 0, kelvin, np.nan)) - constants.f
        return constants.r1 / (constants.r2 * np.where(rest > 0, rest, np.nan)) - constants.o


def refuse_impossible_conditions(conditions: Mapping[str, float]) -> None:
    """What no file's constants make possible; a temperature may be anything where it has no share."""
    _refuse_impossible(with_conditions(Constants(r1=1, b=1, f=1, o=0, r2=1), **conditions))


def _refuse_impossible(constants: Constants) -> None:
    values = asdict(constants)
    strange = [name for name, value in values.items() if not math.isfinite(value)]
    strange += [name for name in ("r1", "b", "f", "r2") if not values[name] > 0]
    strange += [name for name in ("emissivity", "window_transmission") if not 0 < values[name] <= 1]
    strange += [] if 0 <= constants.humidity <= 1 else ["humidity"]
    strange += [] if constants.distance >= 0 else ["distance"]
    matters = {
        "reflected": constants.emissivity < 1,
        "atmospheric": constants.distance > 0,
        "window_temperature": constants.window_transmission < 1,
    }
    strange += [name for name, used in matters.items() if used and not values[name] > -ZERO_CELSIUS]
    if strange:
        name = strange[0]
        raise IrvisError(f"no temperature: {_LEGAL[name]}, not {values[name]:g}{_ADVICE.get(name, '')}.")


_ADVICE = {name: f"; type a better one with --{name.replace('_', '-')}" for name in CONDITIONS}
_LEGAL = {
    **{name: f"the Planck constant {name.upper()} must be above 0" for name in ("r1", "b", "f", "r2")},
    **{name: f"{name} must be finite" for name in ("o", "alpha1", "alpha2", "beta1", "beta2", "x")},
    "emissivity": "the emissivity must lie above 0 and at most at 1",
    "window_transmission": "the window transmission must lie above 0 and at most at 1",
    "humidity": "the relative humidity must lie between 0 and 1",
    "distance": "the distance must be 0 m or more",
    "reflected": "the reflected temperature must lie above -273.15 C",
    "atmospheric": "the atmospheric temperature must lie above -273.15 C",
    "window_temperature": "the window temperature must lie above -273.15 C",
}
