"""Options as records: one for each question, the same for the command line, the page and Python.

A field is called what its flag is, without the dashes: `--infrared-range` is `InfraredOptions.infrared_range`.
"""

from .align import AlignOptions
from .compute import ComputeOptions
from .draw import DrawOptions
from .fuse import FuseOptions
from .infrared import InfraredOptions
from .output import OutputOptions
from .video import VideoOptions

__all__ = [
    "AlignOptions",
    "ComputeOptions",
    "DrawOptions",
    "FuseOptions",
    "InfraredOptions",
    "OutputOptions",
    "VideoOptions",
]
