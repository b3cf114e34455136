"""What a rater sees of a question: pixels in a fresh PNG that carries nothing else."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from PIL import Image as Pillow

from .. import io
from ..data.matching import Match
from ..evaluate.compute import read
from ..jobs import Reading
from ..types import Image
from .database import Study
from .reading import reading
from .schedule import Question

Side = Literal["left", "right", "visible", "infrared"]
SIDES: tuple[Side, ...] = ("left", "right", "visible", "infrared")
KEPT = 16
"""Encoded pictures that are kept in memory."""

_one = Lock()
"""Pictures are decoded one after the other: many raters need no more memory than one."""


def picture(study: Study, question: Question, side: Side) -> bytes:
    """A PNG of 8 bits. KeyError where the pair's sources are not known."""
    one = study.pairs[question.pair]
    if side in ("left", "right"):
        method = list(study.methods)[question.left if side == "left" else question.right]
        return _result(one.results[method])
    if one.sources is None:
        raise KeyError("this study has no sources")
    return _source(one.sources, side == "infrared", reading(study.reading))


@lru_cache(KEPT)
def _result(path: Path) -> bytes:
    with _one:
        return _png(io.read_visible(path)[0])


@lru_cache(KEPT)
def _source(sources: Match, infrared: bool, reading: Reading) -> bytes:
    with _one, io.noting():
        pair = read(sources, reading)
        return _png(pair.infrared if infrared else pair.visible)


def _png(image: Image) -> bytes:
    levels = np.floor(image[0].permute(1, 2, 0).numpy() * 255 + 0.5).clip(0, 255).astype(np.uint8)
    stream = BytesIO()
    Pillow.fromarray(levels if levels.shape[2] == 3 else levels[..., 0]).save(stream, "PNG", compress_level=3)
    return stream.getvalue()
