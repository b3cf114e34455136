"""PyAV, or an error that names the extra; and what FFmpeg says as one line."""

from ..errors import IrvisError

try:
    import av
except ImportError as missing:
    raise IrvisError("video needs PyAV: pip install 'irvis[video]'") from missing

__all__ = ["av", "reason"]


def reason(error: Exception) -> str:
    """What went wrong, without FFmpeg's number for it."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split()).rstrip(".").replace("Invalid data found when processing input", "it is damaged")
