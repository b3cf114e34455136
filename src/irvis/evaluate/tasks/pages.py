"""Boxes drawn on pictures."""

from collections.abc import Mapping

import numpy as np
import torch
from PIL import ImageDraw, ImageFont

from ...sheet import FRAMES, to_pillow
from ...types import RGB
from .boxes import Boxes
from .detection import SURE, Detection


def drawn(image: RGB, pair: str, entry: str, detection: Detection) -> RGB:
    """The picture with the boxes that are found with some confidence, a colour and a name for each class."""
    found: Mapping[str, Boxes] = detection.found.get(entry, {})
    if pair not in found:
        return image
    page = to_pillow(image)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=max(page.width // 50, 10))
    one = found[pair]
    for corners, kind in zip(one.corners[one.scores >= SURE], one.classes[one.scores >= SURE], strict=True):
        frame = FRAMES[int(kind) % len(FRAMES)]
        pen.rectangle([*corners], outline=frame, width=max(page.width // 300, 2))
        pen.text((corners[0] + 3, corners[1] + 2), detection.names[int(kind)], fill=frame, font=font)
    return torch.from_numpy(np.array(page)).permute(2, 0, 1)[None] / 255
