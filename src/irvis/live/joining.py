"""Where infrared lies in visible, found out once, from the first pictures, while the stream goes on."""

import threading
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from ..align.warp import Placement
from ..errors import IrvisError
from ..io import Laying
from ..types import RGB, Scaled
from ..video.frame import Frame
from ..video.registration import Lay, placed, same
from .views import Pixels

TRIES = 5
"""Pairs that an alignment is tried with: a camera's first pictures may be dark."""


class Joining:
    """How infrared comes to lie over visible, for a whole session. Nobody waits for it: it is looked for in a thread.

    laying: asked once, of the first pair that gives a sure answer. None: the pair is registered.
    resize: scale infrared to the visible's size.
    tell: gets a line once it is known.
    """

    def __init__(self, laying: Laying | None, resize: bool, device: str, tell: Callable[[str], None]) -> None:
        self.laying, self.resize, self.device, self.tell = laying, resize, device, tell
        self._lay: Lay | None = None
        self._tried = 0
        self._search: threading.Thread | None = None
        self._found: Placement | Exception | None = None

    def __call__(self, visible: RGB, infrared: Scaled) -> Lay | None:
        """None while it is not known; an IrvisError when that is given up."""
        if self._lay is None:
            sizes = (visible.shape[-2], visible.shape[-1]), (infrared.shape[-2], infrared.shape[-1])
            if self.laying is None:
                self._lay = same(*sizes, self.resize)
            else:
                self._lay = self._placed(visible, infrared, self.laying)
        return self._lay

    def _placed(self, visible: RGB, infrared: Scaled, laying: Laying) -> Lay | None:
        if self._search is None:
            self._begin(visible.cpu().clone(), infrared.cpu().clone(), laying)
        if self._search is None or self._search.is_alive():
            return None
        found, self._search = self._found, None
        if isinstance(found, Exception):
            if self._tried >= TRIES or not isinstance(found, IrvisError):
                raise found
            return None
        assert found is not None
        sizes = (visible.shape[-2], visible.shape[-1]), (infrared.shape[-2], infrared.shape[-1])
        lay = placed(found, *sizes, crop=laying.crop).to(self.device)
        seen = 1.0 if lay.valid is None else float(lay.valid.mean())
        self.tell(f"infrared is aligned: it covers {seen:.0%} of the picture")
        return lay

    def _begin(self, visible: RGB, infrared: Scaled, laying: Laying) -> None:
        """Look at one pair, aside."""

        def search() -> None:
            try:
                with torch.inference_mode():
                    self._found = laying.where(visible, infrared, None)
            except Exception as error:
                self._found = error

        self._tried += 1
        self._search = threading.Thread(target=search, name="align", daemon=True)
        self._search.start()


def visible_of(frame: Frame) -> Pixels:
    """A visible frame as (h, w, 3), 8 bits."""
    samples = frame.samples
    if samples.dtype != np.uint8:
        samples = np.asarray(np.round(samples * (255 / (2**frame.bits - 1))), np.uint8)
    return samples if samples.ndim == 3 else np.repeat(samples[..., None], 3, axis=2)


def image_of(pixels: Pixels, device: str) -> RGB:
    """(h, w, 3) as (1, 3, h, w) in [0, 1]."""
    own = pixels if pixels.flags.writeable else pixels.copy()  # torch warns of those that are not
    planes = torch.from_numpy(own).to(device).permute(2, 0, 1)[None]
    return planes.to(torch.float32, memory_format=torch.contiguous_format).div_(255)


def pixels_of(picture: Scaled) -> Pixels:
    """(1, c, h, w) in [0, 1] as (h, w, 3), 8 bits."""
    levels = picture[0].mul(255).add_(0.5).clamp_(0, 255).to(torch.uint8).expand(3, -1, -1)
    pixels: NDArray[np.uint8] = levels.permute(1, 2, 0).contiguous().cpu().numpy()
    return pixels


def part_of(pixels: Pixels, lay: Lay) -> Pixels:
    """`Lay.seen` of pixels."""
    (top, left), (height, width) = lay.corner, lay.size
    return pixels[top : top + height, left : left + width]
