"""What is made of a pair's temperatures once it is fused: colours, marks, and maps beside the file."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .. import io
from ..align.warp import at_scale
from ..errors import IrvisError
from ..io.encode import write_map
from ..thermal import Drawing
from ..types import RGB, Meta, Pair, Thermal

IRONBOW = "ironbow"


def sidecars(path: Path) -> tuple[Path, Path]:
    """Of a fused file: the map aligned to it, and the one at native resolution."""
    return path.with_name(f"{path.stem}.celsius.tiff"), path.with_name(f"{path.stem}.native.celsius.tiff")


def refuse_without_degrees(pair: Pair, drawing: Drawing, infrared: Path) -> None:
    """Before anything is fused: temperatures are asked for and the file gives none."""
    if (drawing.sidecar or drawing.measures) and pair.thermal is not None and pair.thermal.problem:
        raise IrvisError(f"{infrared}: {pair.thermal.problem}")


def drawn(picture: RGB, pair: Pair, drawing: Drawing) -> tuple[RGB, tuple[str, ...]]:
    """The fused picture with colours and marks, and the temperatures to tell."""
    from ..thermal import overlay, palette
    from ..thermal.spots import aligned, spots

    thermal, (height, width) = _thermal(pair), picture.shape[2:]
    scale, name = width / pair.visible.shape[3], drawing.palette or IRONBOW
    if drawing.coloured:
        colour = palette.with_edges if drawing.msx else palette.tinted
        values = aligned(thermal, height, width, scale)
        picture = colour(picture.expand(1, 3, -1, -1), values, thermal.low, thermal.high, name)
    found = spots(thermal, drawing, height, width, scale)
    if found or drawing.coloured:
        legend = name if drawing.coloured else None
        picture = overlay.annotated(picture.expand(1, 3, -1, -1), found, legend, thermal)
    return picture, tuple(spot.text for spot in found)


def write_sidecars(path: Path, picture: RGB, pair: Pair) -> None:
    """Degrees C as float32 TIFF, NaN where there are none: aligned to the fused picture, and native."""
    from ..thermal.spots import aligned

    thermal, (height, width) = _thermal(pair), picture.shape[2:]
    laid, native = sidecars(path)
    scale = width / pair.visible.shape[3]
    facts = json.loads(thermal.about) | {"fused": path.name, "low": thermal.low, "high": thermal.high}
    place = _place(thermal, picture.shape[-2:], scale)
    write_map(laid, aligned(thermal, height, width, scale), Meta(exif=pair.meta.exif), json.dumps(facts))
    write_map(native, thermal.values, Meta(), json.dumps(facts | place))


def _place(thermal: Thermal, size: Sequence[int], scale: float) -> dict[str, list[float]]:
    """Where the fused picture's pixels lie in the native map: a matrix; nothing where lenses bend lines."""
    if thermal.placement.ndim == 3:
        return {}
    height, width = size
    matrix = at_scale(thermal.placement, (round(height / scale), round(width / scale)), (height, width))
    return {"matrix": matrix.ravel().tolist()}


def meta_of(pair: Pair, drawing: Drawing) -> Meta:
    """A coloured picture is not gray, whatever the visible file was."""
    return replace(pair.meta, gray=pair.meta.gray and not drawing.coloured)


def whole(path: Path, drawing: Drawing) -> bool:
    """Whether the fused file and all that belongs beside it are there to their last pixel."""
    beside = sidecars(path) if drawing.sidecar else ()
    return all(io.is_complete(file) for file in (path, *beside))


def _thermal(pair: Pair) -> Thermal:
    assert pair.thermal is not None
    return pair.thermal
