"""Pictures as FFmpeg decodes them, to upright samples: matrix, range and rotation are applied here and nowhere else.

The matrix is the file's; where it says none: BT.601 below 720 lines, BT.709 from there on. Range likewise: limited,
except gray and RGB formats, whose numbers are taken as they are unless the file says limited. Alpha is dropped.
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cameras.layouts import layout_of
from .frame import Samples, full_range
from .library import av

_SHARP = (
    av.video.reformatter.Interpolation.BILINEAR
    | av.video.reformatter.Interpolation.ACCURATE_RND
    | av.video.reformatter.Interpolation.FULL_CHR_H_INT
)
"""Of swscale; exact to half a level of 255, where its default is off by up to 3."""
_LIMITED, _FULL = 1, 2  # AVCOL_RANGE_MPEG, AVCOL_RANGE_JPEG
_UNSPECIFIED = (0, 2, 3)  # AVCOL_SPC_RGB, _UNSPECIFIED, _RESERVED
_BT601, _BT709, _BT2020, _240M, _FCC = 5, 1, 9, 7, 4  # SWS_CS_*
_MATRICES = {1: _BT709, 4: _FCC, 5: _BT601, 6: _BT601, 7: _240M, 9: _BT2020, 10: _BT2020}
_HD = 720
_PRIMARIES_2020 = 9
_LUMA_BROADCAST = ("h264", "hevc", "mpeg2video", "mpeg4", "vp8", "vp9", "av1")
"""Codecs whose gray is luma, limited where nothing else is said."""
_HDR = {16: "PQ", 18: "HLG"}


def bits_of(pixels: Any) -> int:
    """Of the first component of a pixel format."""
    return int(pixels.components[0].bits)


def is_gray(pixels: Any) -> bool:
    """Whether a pixel format has nothing but gray."""
    return str(pixels.name).startswith("gray") and "f" not in pixels.name


def hides_counts(picture: av.VideoFrame) -> bool:
    """Whether it is of a camera module whose YUYV is half picture, half counts."""
    layout = layout_of(picture.width, picture.height)
    return picture.format.name == "yuyv422" and layout is not None and layout.stacked


def samples_of(picture: av.VideoFrame, *, gray: bool = False, codec: str = "") -> Samples:
    """Upright samples of a decoded picture.

    gray: the luma of YUV (of RGB, its BT.601 luma) as (h, w) uint8; a gray picture is (h, w) in any case, uint8, or
        uint16 where it has more than 8 bits. Otherwise (h, w, 3) uint8.
        Of a camera module that hides its counts in YUYV, their words.
    codec: FFmpeg's name, for gray pictures that say nothing of their range.
    """
    if is_gray(picture.format):
        return upright(_gray(picture, codec), picture)
    if not gray:
        return upright(rgb(picture), picture)
    if hides_counts(picture):
        return np.ascontiguousarray(picture.to_ndarray(), np.uint8).view("<u2")[..., 0]
    if not picture.format.is_rgb and bits_of(picture.format) == 8 and picture.format.is_planar:
        luma = plane(picture)
        return upright(luma.copy() if _range(picture) == _FULL else full_range(luma), picture)
    return upright(_luma_of(rgb(picture)), picture)


def rgb(picture: av.VideoFrame) -> NDArray[np.uint8]:
    """(h, w, 3), full range, as stored."""
    named: dict[str, Any] = (
        {} if picture.format.is_rgb else {"src_colorspace": matrix(picture), "src_color_range": _range(picture)}
    )
    return np.ascontiguousarray(
        picture.to_ndarray(format="rgb24", interpolation=_SHARP, dst_color_range=_FULL, threads=1, **named), np.uint8
    )


def matrix(picture: av.VideoFrame) -> int:
    """swscale's number for the matrix between RGB and YUV."""
    if picture.colorspace in _UNSPECIFIED:
        wide = picture.color_primaries == _PRIMARIES_2020
        return _BT2020 if wide else _BT601 if picture.height < _HD else _BT709
    return _MATRICES.get(picture.colorspace, _BT709)


def told_of(picture: av.VideoFrame) -> list[str]:
    """What a user should know of how a picture is stored."""
    notes = []
    if picture.color_trc in _HDR:
        notes.append(f"it is HDR ({_HDR[picture.color_trc]}): its colours will look pale; convert it to SDR before")
    if picture.interlaced_frame:
        notes.append("it is interlaced: each picture holds the lines of two moments; deinterlace it before")
    return notes


def plane(picture: av.VideoFrame) -> NDArray[np.uint8]:
    """The first plane (h, w) of an 8-bit picture, without padding; a view."""
    first = picture.planes[0]
    rows = np.frombuffer(memoryview(first), np.uint8).reshape(-1, first.line_size)
    return rows[: picture.height, : picture.width]


def turned(picture: av.VideoFrame) -> int:
    """Degrees, counter-clockwise, by which its display matrix turns it: 0, 90, 180 or 270."""
    return round(picture.rotation / 90) % 4 * 90


def upright(samples: Samples, picture: av.VideoFrame) -> Samples:
    """Turned and mirrored as the file's display matrix says, in steps of a quarter turn.

    The matrix takes the pixel at (x, y) to (a x + c y, b x + d y).
    """
    a, b, c, d = _display_matrix(picture)
    if lies(picture):
        samples, a, d = samples.swapaxes(0, 1), c, b
    if a > 0 and d > 0:
        return samples
    return np.ascontiguousarray(samples[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def lies(picture: av.VideoFrame) -> bool:
    """Whether its stored width is its height when upright."""
    a, b, c, d = _display_matrix(picture)
    return abs(b) + abs(c) > abs(a) + abs(d)


def _display_matrix(picture: av.VideoFrame) -> tuple[int, int, int, int]:
    found: Any = picture.side_data
    for data in found:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = struct.unpack("=5i", bytes(data)[:20])
            return a, b, c, d
    return 1, 0, 0, 1


def _gray(picture: av.VideoFrame, codec: str) -> Samples:
    if bits_of(picture.format) > 8:
        return np.array(picture.to_ndarray(), np.uint16)
    gray = plane(picture)
    said = picture.color_range
    if said == _LIMITED or (said != _FULL and codec in _LUMA_BROADCAST):
        return full_range(gray)
    return gray.copy()


def _range(picture: av.VideoFrame) -> int:
    full = picture.color_range == _FULL or picture.format.name.startswith("yuvj")
    return _FULL if full else _LIMITED


def _luma_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BT.601, as for image files; the channel itself where all three are alike."""
    red, green, blue = (pixels[..., n].astype(np.float32) for n in range(3))
    luma = green + np.float32(0.299) * (red - green) + np.float32(0.114) * (blue - green)
    return np.asarray(np.round(luma), np.uint8)
