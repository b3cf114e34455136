"""A FLIR record to facts: radiometric JPEG, FFF, and each frame of SEQ and CSQ."""

import struct
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from ..errors import IrvisError
from . import record
from .pixels import decoded
from .planck import ZERO_CELSIUS, Constants
from .radiometric import Alignment, Measurement, Palette, Radiometric

_TOOLS = {1: "spot", 2: "area", 3: "ellipse", 4: "line"}
_TOOL_HEADER, _TOOLS_START = 0x24, 12
_CAMERA_LENGTH = 0x310
_PALETTE_START = 0x70


def parse_record(data: bytes) -> Radiometric:
    """Everything below, of one record; without a thermal image it is an IrvisError."""
    found = record.blocks(data)
    if record.RAW not in found:
        raise IrvisError("the FLIR record inside holds no thermal image.")
    raw = found[record.RAW]
    camera = found.get(record.CAMERA, b"")
    constants = _constants(camera)
    return Radiometric(
        counts=decoded(raw, record.block_order(raw)),
        constants=constants,
        why_no_temperature="" if constants else "its FLIR record holds no Planck constants",
        model=_text(camera, 0xD4, 32),
        lens=_text(camera, 0x170, 32),
        software=_text(camera, 0x114, 16),
        taken=_time(camera),
        alignment=_alignment(found.get(record.ALIGNMENT, b"")),
        measurements=_measurements(found.get(record.TOOLS, b"")),
        palette=_palette(found.get(record.PALETTE, b"")),
        photo_file=found.get(record.PHOTO, b"")[32:],
    )


def _constants(camera: bytes) -> Constants | None:
    """None if the block ends before them or they are all zero, as cameras without calibration write them.

    Some files say the humidity in percent.
    """
    if len(camera) < _CAMERA_LENGTH:
        return None
    order = record.block_order(camera)
    emissivity, distance, reflected, air, window, glass, _, humidity = struct.unpack_from(order + "8f", camera, 0x20)
    r1, b, f = struct.unpack_from(order + "3f", camera, 0x58)
    alpha1, alpha2, beta1, beta2, x = struct.unpack_from(order + "5f", camera, 0x70)
    o, r2 = struct.unpack_from(order + "if", camera, 0x308)
    if not any((r1, b, f, o, r2)):
        return None
    return Constants(
        **{"r1": r1, "b": b, "f": f, "o": float(o), "r2": r2},
        emissivity=emissivity,
        distance=distance,
        reflected=reflected - ZERO_CELSIUS,
        atmospheric=air - ZERO_CELSIUS,
        humidity=humidity / 100 if humidity > 2 else humidity,
        window_temperature=window - ZERO_CELSIUS,
        window_transmission=glass,
        **{"alpha1": alpha1, "alpha2": alpha2, "beta1": beta1, "beta2": beta2, "x": x},
    )


def _time(camera: bytes) -> datetime | None:
    """Seconds since 1970, milliseconds, and minutes west of Greenwich; None if the clock was not set."""
    if len(camera) < 0x384 + 10:
        return None
    seconds, fraction, west = struct.unpack_from(record.block_order(camera) + "IIh", camera, 0x384)
    if not seconds:
        return None
    zone = timezone(timedelta(minutes=-west)) if abs(west) < 24 * 60 else UTC
    return datetime.fromtimestamp(seconds, zone) + timedelta(milliseconds=min(fraction & 0xFFFF, 999))


def _alignment(block: bytes) -> Alignment | None:
    """Always the low byte first. A scale that no pair of lenses has is no alignment."""
    if len(block) < 16:
        return None
    scale, x, y, left, right, top, bottom = struct.unpack_from("<f6h", block)
    return Alignment(scale, x, y, (left, top, right, bottom)) if 0.1 <= scale <= 50 else None


def _measurements(block: bytes) -> tuple[Measurement, ...]:
    """The tools on the screen; their readings are not stored. The list ends where it is damaged.

    Cameras with a single tool leave its length at 0: it fills the block.
    """
    found: list[Measurement] = []
    order, position = record.block_order(block), _TOOLS_START
    while position + _TOOL_HEADER <= len(block):
        (length,), (size,) = (struct.unpack_from(order + "H", block, position + at) for at in (0, 4))
        (kind,) = struct.unpack_from(order + "H", block, position + 10)
        length = length or len(block) - position
        tool = block[position : position + length]
        if length < _TOOL_HEADER + 4 or len(tool) < length or _TOOL_HEADER + size > length:
            break
        points = struct.unpack_from(f"{order}{size // 2}H", tool, _TOOL_HEADER)
        label = tool[_TOOL_HEADER + size :].decode("utf-16-le" if order == "<" else "utf-16-be", "replace")
        if kind in _TOOLS:
            found.append(Measurement(_TOOLS[kind], points, label.split("\0")[0]))
        position += length
    return tuple(found)


def _palette(block: bytes) -> Palette | None:
    """Y, Cr, Cb of each colour (BT.601, Y from 16 to 235) become RGB."""
    count = block[0] if block else 0
    if not count or len(block) < _PALETTE_START + 3 * count:
        return None
    luma, red, blue = np.frombuffer(block, np.uint8, 3 * count, _PALETTE_START).reshape(-1, 3).astype(float).T
    y, cr, cb = (luma - 16) * 255 / 219, (red - 128) * 255 / 224, (blue - 128) * 255 / 224
    rgb = np.stack((y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb), axis=1)
    return Palette(_text(block, 0x50, 32), rgb.round().clip(0, 255).astype(np.uint8))


def _text(block: bytes, start: int, length: int) -> str:
    """Printable ASCII up to the first zero; empty for anything else."""
    text = block[start : start + length].split(b"\0")[0].decode("ascii", "replace")
    return text.strip() if text.isascii() and text.isprintable() else ""
