"""Two lenses, one picture: infrared brought onto visible, or a refusal."""

from .aligner import FAR, Aligner, accepting, align, misalignment
from .alignment import SURE, Alignment
from .estimate import estimate, near
from .fitting import Model
from .rig import Rig
from .search import Range

__all__ = [
    "FAR",
    "SURE",
    "Aligner",
    "Alignment",
    "Model",
    "Range",
    "Rig",
    "accepting",
    "align",
    "estimate",
    "misalignment",
    "near",
]
