"""Networks that others published, one file each; importing this package enters them into the registry."""

from . import (
    densefuse,
    didfuse,
    dualbranch,
    gifnet,
    ifcnn,
    lrrnet,
    lutfuse,
    reconet,
    seafusion,
    siba,
    tardal,
    u2fusion,
    ydtr,
)

__all__ = [
    "densefuse",
    "didfuse",
    "dualbranch",
    "gifnet",
    "ifcnn",
    "lrrnet",
    "lutfuse",
    "reconet",
    "seafusion",
    "siba",
    "tardal",
    "u2fusion",
    "ydtr",
]
