"""A batch of pairs through one or several fusers: every failure is noted and the rest goes on."""

from .folder import fuse_all, pace_for, write
from .pipeline import Pace
from .plan import Done, Reading, Writing, refuse, targets

__all__ = ["Done", "Pace", "Reading", "Writing", "fuse_all", "pace_for", "refuse", "targets", "write"]
