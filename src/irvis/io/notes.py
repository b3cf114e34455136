"""What files say beside their pixels, other than EXIF and colour: XMP, nodata, with what irvis made them, the range.

The last two are a line of JSON each: in PNG text chunks named `MADE` and `KEYWORD`, in JPEG, WebP and TIFF the EXIF
UserComment, behind what the visible file said there. BMP holds none of these.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from .. import record
from ..errors import IrvisError
from ..types import Meta
from .decode import EXIF, _as_irvis_errors, _quiet

KEYWORD, MADE = "irvis-infrared", "irvis-made"
XMP_KEYWORD = "XML:com.adobe.xmp"

_NODATA, _USER_COMMENT, _XMP_TAG, _FOCAL_LENGTH = 42113, 0x9286, 700, 0x920A
_ORIENTATION = re.compile(rb"""(tiff:Orientation\s*(?:=\s*["']|>\s*))[2-8]""")
_ASCII, _UNICODE = b"ASCII\0\0\0", b"UNICODE\0"


def read_xmp(path: Path) -> bytes:
    """The XMP packet of an image file with orientation 1; empty without one, or if it cannot be read."""
    try:
        with _quiet(), Pillow.open(path) as image:
            found: Any = image.info.get("xmp") or image.info.get(XMP_KEYWORD) or _tiff_xmp(image)
    except Exception:  # pixels were read; what is odd about the metadata is left out
        return b""
    data = found.encode() if isinstance(found, str) else bytes(found or b"")
    return _ORIENTATION.sub(rb"\g<1>1", data.rstrip(b"\0"))


def _tiff_xmp(image: Pillow.Image) -> Any:
    tags = getattr(image, "tag_v2", {})
    return tags.get(_XMP_TAG)


def nodata_of(exif: bytes) -> float | None:
    """GDAL_NODATA of an EXIF block of ours, as a number; None without one."""
    if not exif:
        return None
    tags = Pillow.Exif()
    try:
        tags.load(exif)
        return float(str(tags[_NODATA]).strip("\0 ")) if _NODATA in tags else None
    except (ValueError, SyntaxError):
        return None


def focal_of(exif: bytes) -> float | None:
    """Focal length in mm of an EXIF block; None where it is not told."""
    tags = Pillow.Exif()
    try:
        tags.load(exif)
        length = float(tags.get_ifd(EXIF)[_FOCAL_LENGTH]) if exif else 0.0
    except Exception:  # a block that says it in another way says nothing
        return None
    return length if 0 < length < math.inf else None


def with_comment(exif: bytes, text: str) -> bytes:
    """An EXIF block whose UserComment ends in `text`; the block itself if there is no text."""
    if not text:
        return exif
    tags = Pillow.Exif()
    if exif:
        tags.load(exif)
    directory = dict(tags.get_ifd(EXIF))
    whole = " ".join(part for part in (_comment(directory.get(_USER_COMMENT)), text) if part)
    directory[_USER_COMMENT] = _ASCII + whole.encode() if whole.isascii() else _UNICODE + whole.encode("utf-16-le")
    kept = Pillow.Exif()
    for tag in tags:
        kept[tag] = dict(tags.get_ifd(tag)) if tag == 0x8825 else tags[tag]
    kept[EXIF] = directory
    return kept.tobytes()


def comment(meta: Meta) -> str:
    """What irvis says in a UserComment: with what the file is made, then the range."""
    return " ".join(part for part in (meta.made, meta.shown) if part)


def _comment(value: Any) -> str:
    """The text of a UserComment; its first eight bytes name the characters."""
    if not isinstance(value, bytes) or len(value) <= 8:
        return ""
    code, body = value[:8], value[8:]
    if code == _UNICODE:
        order = "utf-16-be" if body[:1] == b"\0" else "utf-16-le"
        return body.decode(order, "ignore").strip("\0 ")
    return body.decode("ascii", "ignore").strip("\0 ")


def read_made(path: Path) -> record.Record | None:
    """With what irvis made a file; None where it does not say so. Reads no pixels."""
    with _as_irvis_errors(path), _quiet(), Pillow.open(path) as image:
        text = image.info.get(MADE) or _comment(image.getexif().get_ifd(EXIF).get(_USER_COMMENT))
    return record.parsed(str(text))


def read_shown(path: Path) -> dict[str, Any] | None:
    """What became black and white of the infrared, as the fused file says it; None if it does not."""
    with _as_irvis_errors(path), _quiet(), Pillow.open(path) as image:
        text = image.info.get(KEYWORD) or _comment(image.getexif().get_ifd(EXIF).get(_USER_COMMENT))
    start = str(text).rfind('{"infrared"')  # a fused file fused again says it twice
    if start < 0:
        return None
    try:
        told: dict[str, Any] = json.loads(str(text)[start:])["infrared"]
    except (ValueError, KeyError) as error:
        raise IrvisError(f"{path}: what it says of the infrared range is damaged.") from error
    return told
