"""Writers of thermal cameras' files, by their published layout, for the tests of the readers."""

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

CONSTANTS = {"r1": 15000.0, "b": 1400.0, "f": 1.0, "o": -5000, "r2": 0.0125}
SCENE = (0.95, 2.0, 293.15, 290.15, 295.15, 0.98, 0.0, 0.5)
"""Emissivity, metres, reflected, air and window in kelvin, window transmission, nothing, humidity."""
AIR = (0.006569, 0.01262, -0.002276, -0.00667, 1.9)
SECONDS, MILLISECONDS, WEST = 1_365_758_641, 131, -120


def scene(height=24, width=32, seed=0):
    """Counts like a room: a smooth wall, a warm body and noise."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    warm = 900 * np.exp(-((rows - height / 2) ** 2 + (columns - width / 3) ** 2) / 30)
    return (14000 + 10 * columns + warm + random.integers(0, 12, (height, width))).astype(np.uint16)


def png16(counts):
    file = BytesIO()
    Image.fromarray(counts).save(file, "PNG")
    return file.getvalue()


def raw_block(counts, order="<", kind="raw", size=None):
    """`kind`: raw samples, png (the wrong byte order, as FLIR writes it), png_right, or bytes given as they are."""
    width, height = size or counts.shape[::-1]
    samples = {
        "raw": lambda: counts.astype(order + "u2").tobytes(),
        "png": lambda: png16(counts.byteswap()),
        "png_right": lambda: png16(counts),
    }
    data = kind if isinstance(kind, bytes) else samples[kind]()
    return struct.pack(order + "3H26x", 2, width, height) + data


def camera_block(order="<", constants=None, scene=SCENE, model=b"FLIR Test"):
    block = bytearray(2476)
    values = CONSTANTS | (constants or {})
    struct.pack_into(order + "H", block, 0, 2)
    struct.pack_into(order + "8f", block, 0x20, *scene)
    struct.pack_into(order + "3f", block, 0x58, values["r1"], values["b"], values["f"])
    struct.pack_into(order + "5f", block, 0x70, *AIR)
    struct.pack_into(order + "if", block, 0x308, values["o"], values["r2"])
    struct.pack_into(order + "IIh", block, 0x384, SECONDS, MILLISECONDS, WEST)
    block[0xD4 : 0xD4 + len(model)] = model
    return bytes(block)


def photo_block(data):
    return struct.pack("<3H26x", 3, 64, 48) + data


def tools_block(order="<"):
    """A spot at (5, 7) named 1 and an area."""
    tools = ((1, (5, 7), "1"), (2, (2, 3, 10, 8), "box"))
    body = b""
    for kind, points, label in tools:
        text = label.encode("utf-16-le" if order == "<" else "utf-16-be") + b"\0\0"
        head = struct.pack(order + "6H24x", 0x24 + 2 * len(points) + len(text), 256, 2 * len(points), 4, 0, kind)
        body += head + struct.pack(f"{order}{len(points)}H", *points) + text
    return struct.pack(order + "H10x", 1) + body


def palette_block():
    """Black, white, and red of BT.601, as Y, Cr, Cb."""
    head = bytearray(0x70)
    head[0], head[0x50 : 0x50 + 4] = 3, b"Test"
    return bytes(head) + bytes((16, 128, 128, 235, 128, 128, 81, 240, 90))


def alignment_block(scale=1.5, x=6, y=-4):
    return struct.pack("<f6h", scale, x, y, 0, 31, 0, 23) + bytes(80)


def record(blocks, order=">", magic=b"FFF\0"):
    """`blocks`: (kind, bytes); two free places follow in the directory."""
    count = len(blocks) + 2
    position = 64 + 32 * count
    directory, body = b"", b""
    for kind, block in blocks:
        directory += struct.pack(order + "HHIIIIIII", kind, 1, 100, 1, position + len(body), len(block), 0, 0, 0)
        body += block
    header = magic + b"TEST".ljust(16, b"\0") + struct.pack(order + "3I", 100, 64, count)
    return header.ljust(64, b"\0") + directory + bytes(64) + body


def flir_record(counts, order="<", header=">", kind="raw", extra=(), camera=None):
    blocks = [(0x20, camera_block(order) if camera is None else camera), (1, raw_block(counts, order, kind)), *extra]
    return record(blocks, header)


def segment(marker, payload):
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def flir_segments(data, size=700):
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return [segment(0xE1, b"FLIR\0\x01" + bytes((n, len(pieces) - 1)) + piece) for n, piece in enumerate(pieces)]


def jpeg(segments, size=(64, 48)):
    file = BytesIO()
    Image.new("RGB", size, (120, 60, 20)).save(file, "JPEG")
    data = file.getvalue()
    return data[:2] + b"".join(segments) + data[2:]


def xmp(text):
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text)


def dji_jpeg(counts, picture=None):
    data = counts.astype("<u2").tobytes()
    pieces = [segment(0xE3, data[at : at + 60000]) for at in range(0, len(data), 60000)]
    facts = xmp(b'<x xmlns:drone-dji="d" tiff:Make="DJI" tiff:Model="ZH20T"/>')
    return jpeg([facts, *pieces], picture or counts.shape[::-1])


def ycbcr_png(rgb):
    """The planes Y, Cb, Cr of a picture, stored as if they were red, green and blue."""
    planes = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
    file = BytesIO()
    Image.fromarray(planes).save(file, "PNG")
    return file.getvalue()


def png_bomb(width, height):
    """A PNG whose header claims a size that its few bytes hold as zeros."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def hikmicro_jpeg(counts, claimed=None):
    """Counts behind the picture, with the block of conditions that follows them."""
    width, height = claimed or counts.shape[::-1]
    head = b"HDRI" + struct.pack("<2I2I24x", 0, 0, width, height)
    conditions = b"HIPT" + bytes(36) + struct.pack("<f", 0.95) + bytes(152)
    return jpeg([]) + head + counts.astype("<u2").tobytes() + conditions


def ijpeg(counts, frames=2, claimed=None):
    """Of an InfiRay P2 Pro: gray with 0x80 between, then counts of kelvin x 64, in segments of 65,523 bytes."""
    width, height = claimed or counts.shape[::-1]
    facts = bytes(4) + b"IJPEG" + bytes(31) + struct.pack("<3H34x", frames, width, height)
    shown = np.full(counts.shape, 0x8080, "<u2").tobytes() + counts.astype("<u2").tobytes()
    pieces = [segment(0xE3, shown[at : at + 65523]) for at in range(0, len(shown), 65523)]
    return jpeg([segment(0xE2, facts), *pieces])


def irg(counts, magic=b"\xca\xac", flag=0, photo=b"", claimed=None):
    """InfiRay's own format: header of 128 bytes, shown bytes, counts, photo."""
    width, height = claimed or counts.shape[::-1]
    head = magic + struct.pack("<HI3H", 128, counts.size, height, width, flag)
    return head.ljust(126, b"\0") + magic[::-1] + bytes(counts.size) + counts.astype("<u2").tobytes() + photo


def uni_t_bmp(gray, unit=0, most=35.0, least=20.0):
    """A coloured BMP, the bytes below its colours, a palette of 512 bytes and what the camera states."""
    file = BytesIO()
    Image.fromarray(np.stack((gray, 0 * gray, 255 - gray), axis=2)).save(file, "BMP")
    facts = struct.pack("<B2h21x", unit, round(10 * most), round(10 * least))
    return file.getvalue() + gray.tobytes() + bytes(512) + facts


def zoomed(ratio):
    """An EXIF segment that states a digital zoom, as a signed or unsigned fraction of 1000."""
    head = b"II*\0" + struct.pack("<I", 8)
    first = struct.pack("<HHHII", 1, 0x8769, 4, 1, 26) + bytes(4)
    exif = struct.pack("<HHHII", 1, 0xA404, 5, 1, 44) + bytes(4)
    return segment(0xE1, b"Exif\0\0" + head + first + exif + struct.pack("<ii", round(1000 * ratio), 1000))
