"""Two lenses, one picture: infrared brought onto visible, or a refusal."""

from .aligner import FAR, Aligner, misalignment
from .estimate import SURE, Alignment, estimate, near
from .fitting import Model
from .rig import Rig
from .search import Range

__all__ = ["FAR", "SURE", "Aligner", "Alignment", "Model", "Range", "Rig", "estimate", "misalignment", "near"]
