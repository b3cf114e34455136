"""An explanation as a picture that is understood at once: the fused picture, its sources in colour, every scale."""

import torch
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import interpolate

from .color import luma
from .sheet import INK, MARGIN, PAPER, to_pillow
from .types import RGB, Gray

WIDTH, HEADER, CAPTION = 1600, 92, 30
LONGEST = 800
"""Pixels of the planes that the sheet needs."""
FROM_VISIBLE, FROM_BOTH, FROM_INFRARED = (0.12, 0.50, 1.0), (0.80, 0.80, 0.80), (1.0, 0.45, 0.0)
"""Colours of a share of 0, of one half, and of 1."""
SHADE = "#9aa3b0"
"""Of words that matter less."""
WORDS = (
    "Finest lines and texture", "Fine detail", "Small things", "Things of middle size", "Large things",
    "Brightness of areas",
)  # fmt: skip


def drawn(
    fused: RGB, infrared_share: Tensor, amount: Tensor, *, exact: bool, title: str = "", number: int = 0
) -> Pillow.Image:
    """The sheet of one pair of a batch; the planes are those of an `Explanation`."""
    fused, share, amount = (plane[[number]].float().cpu() for plane in (fused, infrared_share, amount))
    detail = amount[:, :-1].sum(1, keepdim=True)
    mean = (share[:, :-1] * amount[:, :-1]).sum(1, keepdim=True) / detail.clamp_min(1e-7)
    half, third = (WIDTH - 3 * MARGIN) // 2, (WIDTH - 4 * MARGIN) // 3
    rows = [[
        _cell("Fused picture", "", to_pillow(fused), half),
        _cell("Where its detail comes from", _told(mean, detail), to_pillow(_laid_on(fused, mean, detail)), half),
    ]]  # fmt: skip
    cells = []
    for level, words in enumerate(WORDS):
        plane, much = share[:, [level]], amount[:, [level]]
        size = f" ({2 << level} pixels)" if level < len(WORDS) - 1 else ""
        cells.append(_cell(words + size, _told(plane, much), to_pillow(_coloured(plane, much)), third))
    return _page(_header(title, exact), [*rows, cells[:3], cells[3:]])


def _told(share: Gray, amount: Gray) -> str:
    """The share of infrared over the whole picture."""
    total = float(amount.sum())
    if total / amount.numel() < 1e-4:
        return "nothing there"
    return f"{100 * float((share * amount).sum()) / total:.0f} % from infrared"


def _hue(share: Gray) -> RGB:
    """(b, 3, h, w): blue, light gray, orange."""
    visible, both, infrared = (share.new_tensor(c).view(1, 3, 1, 1) for c in (FROM_VISIBLE, FROM_BOTH, FROM_INFRARED))
    return torch.where(share < 0.5, visible.lerp(both, 2 * share), both.lerp(infrared, 2 * share - 1))


def _strength(amount: Gray) -> Gray:
    """0 where there is nothing, 1 where there is much of this picture's detail."""
    strong = amount.flatten().kthvalue(max(round(0.98 * amount.numel()), 1))[0].clamp_min(4 / 255)
    return (amount / strong).clamp(0, 1).sqrt()


def _coloured(share: Gray, amount: Gray) -> RGB:
    return _hue(share) * _strength(amount)


def _laid_on(fused: RGB, share: Gray, amount: Gray) -> RGB:
    """The colours on the fused picture in gray, so that things are found again."""
    gray = interpolate(luma(fused), size=share.shape[-2:], mode="area")
    return torch.lerp((0.6 * gray).expand(-1, 3, -1, -1), _hue(share) * (0.4 + 0.6 * gray), 0.85 * _strength(amount))


def _header(title: str, exact: bool) -> Pillow.Image:
    head = Pillow.new("RGB", (WIDTH, HEADER), PAPER)
    draw = ImageDraw.Draw(head)
    words = "Where this picture comes from" + (f": {title}" if title else "")
    draw.text((MARGIN, 6), words, fill=INK, font=_font(24))
    how = "exact: the weights of the network itself" if exact else "estimated by comparing the fused picture with both"
    draw.text((WIDTH - MARGIN, 12), how, fill=SHADE, font=_font(16), anchor="ra")
    top, left, width = 50, MARGIN + 250, 420
    middle = top + 14
    draw.text((left - 12, middle), "from the visible camera", fill=INK, font=_font(20), anchor="rm")
    bar = _hue(torch.linspace(0, 1, width).expand(1, 1, 28, width))
    head.paste(to_pillow(bar), (left, top))
    draw.text((left + width // 2, middle), "both", fill="#202020", font=_font(16), anchor="mm")
    draw.text((left + width + 12, middle), "from infrared", fill=INK, font=_font(20), anchor="lm")
    draw.text((WIDTH - MARGIN, middle), "the darker, the less there is to see", fill=INK, font=_font(20), anchor="rm")
    return head


def _cell(name: str, told: str, picture: Pillow.Image, width: int) -> Pillow.Image:
    """A captioned picture, as wide as the cell and no higher than it."""
    scale = min(width / picture.width, width / picture.height)
    size = max(round(scale * picture.width), 1), max(round(scale * picture.height), 1)
    cell = Pillow.new("RGB", (width, CAPTION + size[1]), PAPER)
    draw = ImageDraw.Draw(cell)
    draw.text((2, CAPTION // 2), name, fill=INK, font=_font(18), anchor="lm")
    draw.text((width - 2, CAPTION // 2), told, fill=SHADE, font=_font(18), anchor="rm")
    cell.paste(picture.resize(size, Pillow.Resampling.LANCZOS), ((width - size[0]) // 2, CAPTION))
    return cell


def _page(header: Pillow.Image, rows: list[list[Pillow.Image]]) -> Pillow.Image:
    height = header.height + sum(row[0].height + MARGIN for row in rows)
    page = Pillow.new("RGB", (WIDTH, height), PAPER)
    page.paste(header, (0, 0))
    top = header.height
    for row in rows:
        for n, cell in enumerate(row):
            page.paste(cell, (MARGIN + n * (cell.width + MARGIN), top))
        top += row[0].height + MARGIN
    return page


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)
