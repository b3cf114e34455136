"""All fusion methods: one file each; importing this package fills the registry."""

from ..registry import METHODS
from . import average, encdec, pyramid, select

__all__ = ["METHODS", "average", "encdec", "pyramid", "select"]
