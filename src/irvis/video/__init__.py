"""Moving pictures: streams in (`source`), pairs by time (`pairing`), steady gray (`steady`), files out (`writer`).

PyAV is imported only by what opens or writes a video file.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Frame": "frame", "Source": "frame", "Writer": "writer", "is_video": "source", "open_source": "source",
}  # fmt: skip
__all__ = ["Frame", "Source", "Writer", "is_video", "open_source"]


def __getattr__(name: str) -> Any:
    """The public names are imported on first use: some need PyAV."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
