"""A batch of pairs through one or several fusers: every failure is noted and the rest goes on."""

from .folder import fuse_all, pace_for, write
from .large import divided, stream_all
from .pipeline import Pace
from .plan import Done, Reading, Writing, refuse, targets
from .settling import settled

__all__ = [
    "Done",
    "Pace",
    "Reading",
    "Writing",
    "divided",
    "fuse_all",
    "pace_for",
    "refuse",
    "settled",
    "stream_all",
    "targets",
    "write",
]
