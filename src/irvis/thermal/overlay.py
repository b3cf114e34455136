"""Marks and a legend drawn into a picture of any depth: pixels that nothing is drawn on keep their numbers."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from ..types import RGB, Thermal
from .palette import colours
from .spots import Spot

LEAST = 120
"""A picture with a shorter side below this, pixels, has no room for a legend or for the numbers of spots."""

_INK, _EDGE = (255, 255, 255, 255), (0, 0, 0, 255)
_Box = tuple[float, float, float, float]


def annotated(picture: RGB, spots: Sequence[Spot], legend: str | None, thermal: Thermal) -> RGB:
    """The picture with a mark and a number at each spot, and the legend bar of a palette at its right."""
    height, width = picture.shape[2:]
    page = Pillow.new("RGBA", (width, height))
    draw = ImageDraw.Draw(page)
    size = max(round(min(height, width) / 32), 10)
    taken: list[_Box] = []
    if legend is not None and min(height, width) >= LEAST:
        taken.append(_legend(page, draw, legend, thermal, size, spots))
    taken += [_mark(draw, spot, size) for spot in spots]
    for spot in spots if min(height, width) >= LEAST else ():
        _label(draw, spot, size, page.size, taken)
    return _laid_over(picture, page)


def _laid_over(picture: RGB, page: Pillow.Image) -> RGB:
    pixels = torch.from_numpy(np.asarray(page).copy()).permute(2, 0, 1)[None] / 255
    ink = pixels[:, 3:]
    return torch.where(ink > 0, picture * (1 - ink) + pixels[:, :3] * ink, picture)


def _mark(draw: ImageDraw.ImageDraw, spot: Spot, size: int) -> _Box:
    """A cross with an open middle; gives back the room it takes."""
    arm, gap, line = max(size // 2, 3), max(size // 5, 1), max(size // 10, 1)
    arms = ((-arm, 0, -gap, 0), (gap, 0, arm, 0), (0, -arm, 0, -gap), (0, gap, 0, arm))
    for fill, wide in ((_EDGE, line + 2), (_INK if not spot.hottest else (255, 90, 54, 255), line)):
        for x0, y0, x1, y1 in arms:
            draw.line((spot.x + x0, spot.y + y0, spot.x + x1, spot.y + y1), fill=fill, width=wide)
    return _around(spot, arm)


def _around(spot: Spot, arm: int) -> _Box:
    return spot.x - arm, spot.y - arm, spot.x + arm, spot.y + arm


def _label(draw: ImageDraw.ImageDraw, spot: Spot, size: int, page: tuple[int, int], taken: list[_Box]) -> None:
    """The number of a spot, where it covers nothing drawn before."""
    font = ImageFont.load_default(size=size)
    wide, high = _extent(draw, spot.value, font)
    off = size * 0.7
    places = (
        (spot.x + off, spot.y - off - high),
        (spot.x - off - wide, spot.y - off - high),
        (spot.x + off, spot.y + off),
        (spot.x - off - wide, spot.y + off),
    )
    boxes = [(left, top, left + wide, top + high) for left, top in places]
    inside = [box for box in boxes if min(box) >= 0 and box[2] < page[0] and box[3] < page[1]]
    free = [box for box in inside if not any(_meet(box, other) for other in taken)]
    box = (free or inside or boxes)[0]
    taken.append(box)
    _write(draw, box[0], box[1], spot.value, font)


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _legend(
    page: Pillow.Image, draw: ImageDraw.ImageDraw, name: str, thermal: Thermal, size: int, spots: Sequence[Spot]
) -> _Box:
    """The bar, hot end up, with round numbers at its right; gives back the room it takes.

    It is at the right of the picture, or at the left where it covers fewer of the spots.
    """
    width, height = page.size
    font = ImageFont.load_default(size=size)
    unit = "°C" if thermal.unit == "celsius" else "counts"
    ticks = round_numbers(min(thermal.low, thermal.high), max(thermal.low, thermal.high))
    texts = [_number(tick) for tick in ticks]
    wide = math.ceil(max(_extent(draw, text, font)[0] for text in [*texts, unit]))
    bar, long, edge = size, round(height * 0.6), round(size * 0.6)
    top, room = round(height * 0.2), bar + edge + wide + edge
    boxes = [(start, top - 2 * size, start + room, top + long + size) for start in (width - room, edge)]
    box = min(boxes, key=lambda box: sum(_meet(box, _around(spot, size)) for spot in spots))
    left = box[0]
    pixels = colours(name, np.linspace(1, 0, long, dtype=np.float32))[:, None].repeat(bar, axis=1)
    draw.rectangle((left - 1, top - 1, left + bar, top + long), fill=_EDGE)
    page.paste(Pillow.fromarray((pixels * 255).round().astype(np.uint8)), (left, top))
    _write(draw, left + bar + edge, top - 1.8 * size, unit, font)
    for tick, text in zip(ticks, texts, strict=True):
        y = top + (long - 1) * (1 - (tick - thermal.low) / (thermal.high - thermal.low))
        draw.line((left + bar - size // 4, y, left + bar, y), fill=_EDGE, width=max(size // 10, 1))
        _write(draw, left + bar + edge, y - size * 0.6, text, font)
    return box


def round_numbers(low: float, high: float, most: int = 7) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between two numbers, at most so many."""
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _number(value: float) -> str:
    return f"{value:.10g}" if abs(value) >= 1e-9 else "0"


def _extent(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> tuple[float, float]:
    left, _, right, bottom = draw.textbbox((0, 0), text, font=font)
    return right - left, bottom


def _write(
    draw: ImageDraw.ImageDraw, x: float, y: float, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    draw.text((x, y), text, fill=_INK, font=font, stroke_width=2, stroke_fill=_EDGE)
