"""What is shown: the fused picture and what it came from, as pixels, JPEG or PNG, with words for what is amiss."""

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..errors import IrvisError

Pixels = NDArray[np.uint8]
View = Literal["fused", "visible", "infrared", "side"]
VIEWS: tuple[View, ...] = ("fused", "visible", "infrared", "side")
QUALITY = 85
"""Of the JPEGs of the page."""
WIDEST = 640
"""Pixels of a picture in the view side by side."""

_AMBER, _INK = (180, 95, 0), (255, 255, 255)


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """A moment, fused. `visible` and `infrared` are as they went in, infrared laid over visible.

    taken: when the newest picture in it was taken, on the monotonic clock.
    marks: what is amiss; drawn into the views, not into files.
    fresh: whether it shows something new.
    """

    taken: float
    fused: Pixels
    visible: Pixels | None
    infrared: Pixels | None
    marks: tuple[str, ...] = ()
    fresh: bool = True


def pixels_of(picture: Picture, view: View) -> Pixels:
    """(h, w, 3) of a view, marked. A side that is missing is black."""
    if view == "side":
        parts = [_part(picture, one) for one in ("visible", "infrared", "fused")]
        return _marked(np.concatenate(parts, axis=1), picture.marks)
    return _marked(_plain(picture, view), picture.marks)


def _plain(picture: Picture, view: View) -> Pixels:
    chosen = {"fused": picture.fused, "visible": picture.visible, "infrared": picture.infrared}[view]
    if chosen is None:
        return np.zeros_like(_plain(picture, "fused"))
    return chosen if chosen.ndim == 3 else np.repeat(chosen[..., None], 3, axis=2)


def _part(picture: Picture, view: View) -> Pixels:
    height, width = picture.fused.shape[:2]
    scale = min(1.0, WIDEST / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    part = Image.fromarray(_plain(picture, view))
    if part.size != size:
        part = part.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(part)


def _marked(pixels: Pixels, marks: Sequence[str]) -> Pixels:
    if not marks:
        return pixels
    page = Image.fromarray(pixels)
    draw = ImageDraw.Draw(page)
    size = max(10, round(min(page.size) / 22))
    font, edge, top = ImageFont.load_default(size=size), size // 2, size // 2
    for mark in marks:
        left, upper, right, lower = draw.textbbox((2 * edge, top + edge // 2), mark, font=font)
        draw.rectangle((left - edge, upper - edge // 2, right + edge, lower + edge // 2), fill=_AMBER)
        draw.text((2 * edge, top + edge // 2), mark, fill=_INK, font=font)
        top = round(lower) + edge
    return np.asarray(page)


def jpeg(pixels: Pixels) -> bytes:
    """As a JPEG file."""
    return _coded(pixels, "JPEG", quality=QUALITY)


def png(pixels: Pixels) -> bytes:
    """As a PNG file."""
    return _coded(pixels, "PNG", compress_level=3)


def _coded(pixels: Pixels, format: str, **options: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()


class Gallery:
    """JPEGs of the newest picture: each view is coded once, and only if somebody looks."""

    def __init__(self) -> None:
        self._kept: dict[View, tuple[int, bytes]] = {}
        self._busy = {view: threading.Lock() for view in VIEWS}

    def jpeg(self, number: int, picture: Picture, view: View) -> bytes:
        """Of the picture with this number."""
        with self._busy[view]:
            kept = self._kept.get(view)
            if kept is None or kept[0] != number:
                kept = number, jpeg(pixels_of(picture, view))
                self._kept[view] = kept
            return kept[1]


def view_of(text: str) -> View:
    """A view by its name."""
    for view in VIEWS:
        if view == text:
            return view
    raise IrvisError(f"{text[:40]!r} is no view; there are {', '.join(VIEWS)}")
