"""What made a fused video: the comment of the file; of a folder, what its first picture says."""

from pathlib import Path

from .. import io, record
from ..errors import IrvisError
from .container import local, opened

COMMENT = "comment"


def read_made(path: Path) -> record.Record | None:
    """With what irvis made a video or a folder of pictures; None where it does not say so. Decodes nothing."""
    if path.is_dir():
        first = min(path.glob("[0-9]*.*"), default=None)
        return io.read_made(first) if first is not None and first.suffix.lower() in io.WRITABLE else None
    try:
        with opened(local(str(path))) as container:
            return record.parsed(next((told for key, told in container.metadata.items() if key.lower() == COMMENT), ""))
    except IrvisError:  # no video at all
        return None


def sizes_of(path: Path) -> int | None:
    """Bytes of a video, or of all images of a folder; None for a device, an address, or a pattern."""
    if path.is_dir():
        return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    return path.stat().st_size if path.is_file() else None
