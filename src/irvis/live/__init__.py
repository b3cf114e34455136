"""Two live sources in, one picture out, as soon as may be: cameras, addresses, or files played at their speed."""

from .place import Place, place_of
from .session import Session
from .wanted import Wanted

__all__ = ["Place", "Session", "Wanted", "place_of"]
