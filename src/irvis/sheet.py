"""Picture sheets: images side by side with captions, and the same details of each enlarged below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from .files import whole
from .types import Image, Pair

MARGIN, CAPTION = 8, 26
ACROSS = 3
WIDEST = 640
"""Pixels of one picture of a comparison; smaller ones keep their size, from 320 on."""
FRAMES = ("#ff5a36", "#2fb5ff", "#ffc61a", "#5fd35f")
PAPER, INK = "#16181c", "#eceff4"


@dataclass(frozen=True)
class Box:
    """A detail: pixels of the full picture."""

    left: int
    top: int
    right: int
    bottom: int


def around(mask: torch.Tensor, aspect: float = 1.5, margin: float = 0.15) -> Box:
    """The box of `aspect` (width over height) around the true pixels of a mask (h, w), with some room."""
    rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
    height, width = mask.shape
    if not len(rows):
        return Box(0, 0, width, height)
    tall = float(rows[-1] - rows[0] + 1) * (1 + 2 * margin)
    wide = float(columns[-1] - columns[0] + 1) * (1 + 2 * margin)
    wide, tall = min(max(wide, tall * aspect), width), min(max(tall, wide / aspect), height)
    left = min(max(int((rows.new_tensor(0) + columns[0] + columns[-1]) / 2 - wide / 2), 0), width - int(wide))
    top = min(max(int((rows[0] + rows[-1]) / 2 - tall / 2), 0), height - int(tall))
    return Box(left, top, left + int(wide), top + int(tall))


def largest(mask: torch.Tensor) -> torch.Tensor:
    """Of a mask (h, w), the run of neighbouring columns that holds most of it."""
    columns = mask.any(0)
    starts = torch.cat([columns[:1], columns[1:] & ~columns[:-1]]).cumsum(0) * columns
    counts = torch.bincount(starts, weights=mask.sum(0).double())
    counts[0] = -1
    return mask & (starts == counts.argmax())


def sheet(
    pictures: Mapping[str, Image], details: Sequence[Box] = (), *, columns: int = 3, width: int = 480
) -> Pillow.Image:
    """One sheet of captioned pictures, each (1, 1|3, h, w) in [0, 1], `columns` beside each other.

    `width` is that of one picture on the sheet; details are framed in it and enlarged below it.
    """
    cells = [_cell(name, to_pillow(image), details, width) for name, image in pictures.items()]
    columns = min(columns, len(cells))
    rows = [cells[n : n + columns] for n in range(0, len(cells), columns)]
    heights = [max(cell.height for cell in row) for row in rows]
    size = (columns * (width + MARGIN) + MARGIN, sum(heights) + MARGIN * (len(rows) + 1))
    page = Pillow.new("RGB", size, PAPER)
    top = MARGIN
    for row, height in zip(rows, heights, strict=True):
        for n, cell in enumerate(row):
            page.paste(cell, (MARGIN + n * (width + MARGIN), top))
        top += height + MARGIN
    return page


def compared(pair: Pair, fused: Mapping[str, Image]) -> Pillow.Image:
    """Both images of a pair and the results of several methods side by side, each under its name."""
    infrared = pair.infrared if pair.valid is None else pair.infrared * pair.valid
    width = min(max(pair.visible.shape[-1], WIDEST // 2), WIDEST)
    pictures = {"visible": pair.visible, "infrared": infrared}
    pictures |= {f"fused: {method}": picture for method, picture in fused.items()}
    return sheet(pictures, columns=2 if len(pictures) == 4 else ACROSS, width=width)


def save(page: Pillow.Image, path: Path) -> None:
    """Write a sheet as PNG, whole or not at all."""
    with whole(path) as unfinished:
        page.save(unfinished, "PNG", compress_level=3)  # a third of the time, an eighth larger


def to_pillow(image: Image) -> Pillow.Image:
    """The first picture of a batch as 8-bit RGB."""
    planes = (image[0].detach().clamp(0, 1) * 255).round().to(torch.uint8).expand(3, -1, -1)
    return Pillow.fromarray(planes.permute(1, 2, 0).cpu().numpy())


def _cell(name: str, picture: Pillow.Image, details: Sequence[Box], width: int) -> Pillow.Image:
    full = _fitted(picture, width)
    scale = full.width / picture.width
    draw = ImageDraw.Draw(full)
    for box, frame in zip(details, FRAMES, strict=False):
        corners = [round(edge * scale) for edge in (box.left, box.top, box.right, box.bottom)]
        draw.rectangle([corners[0], corners[1], corners[2] - 1, corners[3] - 1], outline=frame, width=2)
    zooms = [_zoom(picture, box, frame, width, len(details)) for box, frame in zip(details, FRAMES, strict=False)]
    below = max((zoom.height for zoom in zooms), default=-MARGIN) + MARGIN
    cell = Pillow.new("RGB", (width, CAPTION + full.height + below), PAPER)
    ImageDraw.Draw(cell).text((2, 3), name, fill=INK, font=ImageFont.load_default(size=16))
    cell.paste(full, (0, CAPTION))
    for n, zoom in enumerate(zooms):
        cell.paste(zoom, (n * (zoom.width + MARGIN), CAPTION + full.height + MARGIN))
    return cell


def _zoom(picture: Pillow.Image, box: Box, frame: str, width: int, count: int) -> Pillow.Image:
    across = (width - MARGIN * (count - 1)) // count
    part = _fitted(picture.crop((box.left, box.top, box.right, box.bottom)), across)
    ImageDraw.Draw(part).rectangle([0, 0, part.width - 1, part.height - 1], outline=frame, width=2)
    return part


def _fitted(picture: Pillow.Image, width: int) -> Pillow.Image:
    height = max(round(picture.height * width / picture.width), 1)
    return picture.resize((width, height), Pillow.Resampling.LANCZOS)
