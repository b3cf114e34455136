"""What the controls say, as a request. A program may send anything under their names: all of it is looked at here."""

from collections.abc import Mapping
from typing import Any, get_args

from ..errors import IrvisError
from ..options import FuseOptions
from ..thermal.asked import Polarity, Unit
from . import choices
from .names import safe
from .request import Format, Request

ALIGN, STRETCH, REGISTERED = "align", "stretch", "registered"
METHODS = 6
"""At most, of one request."""
SPOTS = 5
LONGEST = 200
"""Characters of a text."""

CHOICES: dict[str, tuple[str, ...]] = {
    "alignment": (REGISTERED, ALIGN, STRETCH),
    "polarity": get_args(Polarity),
    "infrared_unit": get_args(Unit),
    "palette": tuple(choices.palettes()),
    "format": get_args(Format),
}
"""Controls with a list."""
TEXTS = ("method", "options", "infrared_range", "names")
NUMBERS = ("hottest", "emissivity", "distance", "reflected", "kelvin_per_count", "quality")
SWITCHES = ("infrared_color", "gray", "msx", "maps", "crop", "sync", "explain")
FILES = ("visible", "infrared")
NAMED = (
    "infrared_range", "polarity", "infrared_unit", "emissivity", "distance", "reflected", "kelvin_per_count",
    "palette", "msx",
)  # fmt: skip
"""Controls that are called what the option of `irvis fuse` is."""

RESET: dict[str, Any] = {
    "alignment": REGISTERED, "infrared_range": "", "palette": "", "kelvin_per_count": "", "names": "",
}  # fmt: skip
"""Controls that an example sets, and what they are otherwise."""


def request_of(sent: Mapping[str, Any], seconds: int | None = None) -> Request:
    """The choices as a record; what they cannot be is an IrvisError. `seconds`: of videos that are fused."""
    said = {name: value for name, value in sent.items() if name not in FILES and value not in (None, "", [])}
    said |= {name: _number(name, said[name]) for name in NUMBERS if name in said}
    for name, value in said.items():
        _refuse(name, value)
    first = choices.with_options(said.get("method", choices.DEFAULT), said.get("options", ""))
    how = said.get("alignment", REGISTERED)
    if said.get("explain") and seconds:
        raise IrvisError("what came from which camera is shown for pictures, not for videos.")
    return Request(
        methods=tuple(choices.checked(name) for name in dict.fromkeys([first, *said.get("compare", [])])),
        match=_patterns(said.get("names")),
        options=FuseOptions.of(
            **{name: said[name] for name in NAMED if name in said},
            infrared_color="gray" if said.get("infrared_color") else "refuse",
            resize_infrared=how == STRETCH, align=how == ALIGN, explain=said.get("explain", False),
            crop_to_overlap=said.get("crop", False) and how == ALIGN, temperature_sidecar=said.get("maps", False),
            color="gray" if said.get("gray") else "keep", if_exists="overwrite",
            format=None if said.get("format") == "png" else said.get("format"),
            hottest=int(said.get("hottest", 0)), quality=int(said.get("quality", 95)),
            sync="auto" if said.get("sync") and seconds else "stamps", duration=str(seconds) if seconds else None,
        ),
    )  # fmt: skip


def _number(name: str, value: Any) -> Any:
    """What was typed into a field for a number."""
    if not isinstance(value, str):
        return value
    try:
        return float(value.strip().replace(",", "."))
    except ValueError:
        raise IrvisError(f"{name.replace('_', ' ')} is a number, not {safe(value)}.") from None


def _refuse(name: str, value: Any) -> None:
    """What is no value of the control."""
    if name in CHOICES:
        fits, wanted = value in CHOICES[name], f"one of {', '.join(CHOICES[name])}"
    elif name in TEXTS:
        fits, wanted = isinstance(value, str) and len(value) <= LONGEST, f"a text of up to {LONGEST} characters"
    elif name in NUMBERS:
        fits, wanted = isinstance(value, (int, float)) and abs(value) < 1e9, "a number"
    elif name in SWITCHES:
        fits, wanted = isinstance(value, bool), "true or false"
    elif name == "compare":
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        fits, wanted = texts and len(value) < METHODS, f"up to {METHODS - 1} methods"
    else:
        raise IrvisError(f"there is no choice {safe(str(name))}.")
    if fits and name == "hottest":
        fits, wanted = 0 <= value <= SPOTS, f"0 to {SPOTS}"
    if not fits:
        raise IrvisError(f"{name.replace('_', ' ')} is {wanted}.")


def _patterns(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    parts = text.split()
    if len(parts) != 2:
        raise IrvisError('names in a ZIP are two words with {id} in them, such as "{id}_W {id}_T".')
    return parts[0], parts[1]
