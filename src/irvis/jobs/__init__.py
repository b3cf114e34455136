"""A batch of pairs through one or several fusers: every failure is noted and the rest goes on."""

from .folder import fuse_all, pace_for, write
from .large import divided, stream_all
from .pipeline import Pace
from .plan import ADVICE, Done, Reading, Writing, outputs, record_of, refuse, refuse_others, targets
from .sequence_range import settled

__all__ = [
    "ADVICE",
    "Done",
    "Pace",
    "Reading",
    "Writing",
    "divided",
    "fuse_all",
    "outputs",
    "pace_for",
    "record_of",
    "refuse",
    "refuse_others",
    "settled",
    "stream_all",
    "targets",
    "write",
]
