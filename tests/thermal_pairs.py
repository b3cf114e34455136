"""Pairs with a radiometric file, and how the tests fuse them."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

import thermal_files as files
from irvis import cameras, io
from irvis.cli import main

HEIGHT, WIDTH = 24, 32
COUNTS = files.scene(HEIGHT, WIDTH)
RANDOM = np.random.default_rng(0)
PHOTO = RANDOM.integers(0, 256, (48, 64, 3), dtype=np.uint8)


def fuse(*words: object) -> int:
    """Run `irvis fuse`, with the method average if none is given; returns the exit status."""
    method = [] if "-m" in words or "--msx" in words else ["-m", "average"]
    try:
        main(["fuse", *method, *map(str, words)])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def camera_file(path: Path, counts=COUNTS, photo=None, aligned=None, camera=None, segments=()) -> Path:
    """A FLIR radiometric JPEG; `aligned`: (scale, x, y)."""
    extra = []
    if photo is not None:
        buffer = BytesIO()
        Image.fromarray(photo).save(buffer, "JPEG", quality=100, subsampling=0)
        extra.append((0x0E, files.photo_block(buffer.getvalue())))
    if aligned is not None:
        extra.append((0x2A, files.alignment_block(*aligned)))
    data = files.flir_record(counts, extra=tuple(extra), camera=camera)
    path.write_bytes(files.jpeg([*segments, *files.flir_segments(data)], counts.shape[::-1]))
    return path


def visible_file(path: Path, size=(WIDTH, HEIGHT), **options) -> Path:
    width, height = size
    Image.fromarray(RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path, **options)
    return path


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def known_celsius(path: Path, **conditions) -> np.ndarray:
    return cameras.celsius(cameras.required(path), **conditions)


def gray(path: Path, **options) -> np.ndarray:
    return io.read_infrared(path, **options)[0, 0].numpy()
