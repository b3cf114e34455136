"""Thermal numbers: their range, what is asked of their files, and how temperatures are drawn."""

from .asked import Drawing, Sensing
from .range import Range, Scale, scale_of, scaled, settled, to_unit

__all__ = ["Drawing", "Range", "Scale", "Sensing", "scale_of", "scaled", "settled", "to_unit"]
