"""What the viewer on the page gets: pictures that a browser can show, degrees under the cursor, their addresses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch.nn.functional import interpolate

from .. import io
from ..files import method_name
from ..types import Pair, Picture, Scaled
from .names import address, safe, shown

LOSSLESS = 2_500_000
"""Pixels up to which a picture is shown as it is; larger ones are shown smaller, as JPEG."""
DEGREES = 400_000
"""Numbers of a temperature map that are sent, at most."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What the custom element `irvis-viewer` reads, and the pair it was made of."""

    data: Mapping[str, Any]

    @property
    def html(self) -> str:
        """The element with its data; names in it are text."""
        return f'<irvis-viewer data="{shown(json.dumps(self.data))}"></irvis-viewer>'


def view(pair: Pair, fused: Mapping[str, Path], folder: Path) -> View:
    """Write the pictures of a pair and its fused files into `folder`, as a browser shows them."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [_picture("visible", "Visible", pair.visible, folder), _infrared(pair, folder)]
    size = pair.visible.shape[-2:]
    for method, path in fused.items():
        image, _ = io.read_visible(path)
        size = image.shape[-2:]
        pictures.append(_picture(f"fused-{safe(method_name(method))}", method, image, folder))
    data = {"width": size[1], "height": size[0], "pictures": pictures, "thermal": _degrees(pair, folder)}
    return View(data=data)


def _infrared(pair: Pair, folder: Path) -> dict[str, str]:
    """As the method saw it; black where the camera saw nothing."""
    image = pair.infrared if pair.valid is None else pair.infrared * pair.valid
    return _picture("infrared", "Infrared", image, folder)


def _picture(name: str, label: str, image: Picture, folder: Path) -> dict[str, str]:
    height, width = image.shape[-2:]
    small = height * width <= LOSSLESS
    path = folder / f"{name}.{'png' if small else 'jpg'}"
    io.write(path, image if small else _smaller(image), quality=92)
    return {"name": name, "label": label, "address": address(path)}


def _smaller(image: Picture) -> Scaled:
    height, width = image.shape[-2:]
    share = (LOSSLESS / (height * width)) ** 0.5
    size = max(1, round(height * share)), max(1, round(width * share))
    smaller: Scaled = interpolate(image, size, mode="bicubic", antialias=True).clamp(0, 1)
    return smaller


def _degrees(pair: Pair, folder: Path) -> dict[str, Any] | None:
    """Degrees C (or counts, where the file gives none) over the picture: float32, rows from the top."""
    from ..thermal.spots import aligned

    thermal = pair.thermal
    if thermal is None or (thermal.unit == "counts" and not _says_more(pair)):
        return None
    height, width = pair.visible.shape[-2:]
    share = min(1.0, (DEGREES / (height * width)) ** 0.5)
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    if share == 1:
        values = aligned(thermal, height, width)
    else:
        whole = aligned(thermal, height, width)
        at_rows, at_columns = (np.arange(n) * m // n for n, m in ((rows, height), (columns, width)))
        values = whole[np.ix_(at_rows, at_columns)]
    path = folder / "thermal.bin"
    path.write_bytes(np.ascontiguousarray(values, "<f4").tobytes())
    return {"address": address(path), "width": columns, "height": rows, "unit": thermal.unit}


def _says_more(pair: Pair) -> bool:
    """Whether counts are more than the gray levels that are seen anyway."""
    return pair.thermal is not None and pair.thermal.values.size > 0 and float(np.nanmax(pair.thermal.values)) > 255
