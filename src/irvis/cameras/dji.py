"""DJI R-JPEG without a FLIR record: counts in APP3 segments, low byte first (H20T and its successors).

These files hold no Planck constants; the numbers beside the counts belong to a formula that only DJI's Thermal SDK
knows. So there are counts and no temperature, unless the user brings a decoder (`Sensing.decoder`). Files of DJI's
cameras with a FLIR core (XT, XT 2) hold a FLIR record and are read by `flir`.
"""

from ..errors import IrvisError
from . import jpeg, pixels
from .radiometric import MAX_COUNTS, Radiometric, checked

SENSORS = ((640, 512), (640, 480), (336, 256), (160, 120), (1280, 1024))
"""(width, height) of published sensors, for a picture that is no multiple of its counts."""
WHY = (
    "DJI files of this kind hold counts and no Planck constants; only DJI's Thermal SDK knows their temperatures: "
    "fuse the counts, or let the SDK decode them (--decoder FILE.py:FUNCTION; docs/learn/thermal.md shows how)"
)


def parse_segments(parts: list[jpeg.Segment]) -> Radiometric | None:
    """Counts of a DJI picture; None if it is no DJI picture or has none."""
    data = b"".join(part.payload for part in parts if part.marker == jpeg.APP3)
    if not data or not jpeg.is_dji(parts):
        return None
    width, height = _size(len(data) // 2, jpeg.picture_size(parts))
    counts = checked(pixels.raw(data, width, height, "<"))
    return Radiometric(counts, why_no_temperature=WHY, model=jpeg.model(parts), stated=jpeg.stated(parts))


def _size(count: int, picture: tuple[int, int] | None) -> tuple[int, int]:
    """Of the picture, of half or a quarter of it (pictures may be enlarged), or of a published sensor."""
    sizes = [(picture[0] // times, picture[1] // times) for times in (1, 2, 4)] if picture else []
    for width, height in (*sizes, *SENSORS):
        if width * height == count <= MAX_COUNTS:
            return width, height
    shown = "{} x {}".format(*picture) if picture else "unknown"
    raise IrvisError(
        f"an unknown DJI layout: {count} counts beside a picture of {shown} pixels fit no known sensor, "
        "or the file is cut short."
    )
