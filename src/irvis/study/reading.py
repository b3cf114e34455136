"""How a study's infrared files are read, as its file keeps it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from ..jobs import Reading
from ..thermal import Range, Sensing


def told(span: str | None, color: str, resize: bool, sensing: Sensing) -> dict[str, Any]:
    """For JSON. What is said of the sensor stays out where nothing was asked."""
    kept = asdict(replace(sensing, scale=None, keep=False))
    plain = {"range": span, "color": color, "resize": resize}
    return plain if sensing == Sensing() else {**plain, "sensing": kept}


def reading(kept: Mapping[str, Any]) -> Reading:
    """The same as a record."""
    span, facts = kept.get("range"), dict(kept.get("sensing", {}))
    for name in ("raw", "crop"):
        facts[name] = tuple(facts[name]) if facts.get(name) else None
    facts["conditions"] = tuple((name, value) for name, value in facts.get("conditions", ()))
    return Reading(
        range=Range.parse(str(span)) if span else None,
        color="gray" if kept.get("color") == "gray" else "refuse",
        resize=bool(kept.get("resize")),
        sensing=Sensing(**facts),
    )
