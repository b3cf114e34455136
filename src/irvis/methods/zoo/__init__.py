"""Networks that others published, one file each; importing this package enters them into the registry."""

from . import seafusion

__all__ = ["seafusion"]
