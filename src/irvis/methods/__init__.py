"""All fusion methods: one file each; importing this package fills the registry."""

from ..registry import METHODS
from . import average, encdec, guided, hybrid, maefuse, pyramid, select, two_scale, wavelet, zoo

__all__ = [
    "METHODS",
    "average",
    "encdec",
    "guided",
    "hybrid",
    "maefuse",
    "pyramid",
    "select",
    "two_scale",
    "wavelet",
    "zoo",
]
