"""Infrared and visible image fusion.

>>> import irvis
>>> fused = irvis.fuse("visible.png", "infrared.png")        # doctest: +SKIP
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "compare": "api", "create": "creation", "explain": "api", "fuse": "api",
    "fuse_folder": "batch", "fuse_video": "batch",
    "Fuser": "fuser", "METHODS": "methods", "Spec": "spec", "register": "registry", "IrvisError": "errors",
}  # fmt: skip
__all__ = [
    "METHODS",
    "Fuser",
    "IrvisError",
    "Spec",
    "__version__",
    "compare",
    "create",
    "explain",
    "fuse",
    "fuse_folder",
    "fuse_video",
    "register",
]


def __getattr__(name: str) -> Any:
    """The public names are imported on first use, so that `import irvis` and the command line start at once."""
    if name not in _HOMES:
        if not name.startswith("_") and find_spec(f"{__name__}.{name}") is not None:
            return import_module(f".{name}", __name__)  # irvis.cameras.read after nothing but import irvis
        raise AttributeError(f"module 'irvis' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
