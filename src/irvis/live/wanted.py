"""What is asked of a live session."""

from dataclasses import dataclass, field
from pathlib import Path

from ..io import Laying
from ..video.container import Color
from ..video.range_following import Following
from .place import Place


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked of a session."""

    visible: Place
    infrared: Place
    method: str = ""
    """As it was asked for, with its weights; empty: the method's own name."""
    following: Following = field(default_factory=Following)
    color: Color = "refuse"
    laying: Laying | None = None
    resize: bool = False
    palette: str | None = None
    steady: bool = True
    """Whether the fused picture is kept still where nothing moves, see `video.stabilise`."""
    offset: float = 0.0
    """Seconds that are added to infrared's time, as for files."""
    hold: float = 3.0
    """Seconds that the last picture of a side is shown when no more come."""
    timeout: float = 5.0
    """Seconds without anything after which a stream is opened anew."""
    loop: bool = False
    wait: bool = False
    """Whether sources may be missing at first."""
    out: Path | None = None
    codec: str | None = None
    crf: float | None = None
    raw: Path | None = None
    """Folder of both streams as they came."""
