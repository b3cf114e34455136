"""Small video files, made with PyAV itself and not with the writer under test."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = Fraction(30000, 1001)


def picture(number, size=(48, 64), seed=0, hot=False):
    """A frame (h, w, 3) with texture and a bright square that goes to the right, 2 pixels a frame."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    base = 70 + 40 * np.sin(columns / 5 + seed) + 20 * np.cos(rows / 4)
    left, edge = 4 + (2 * number) % (width - 16), 12
    inside = (columns >= left) & (columns < left + edge) & (rows >= 10) & (rows < 10 + edge)
    base = np.where(inside, 230 if hot else 150, base)
    colour = np.stack([base, base * 0.9, base * 0.8], -1)
    return np.clip(colour, 0, 255).astype(np.uint8)


def gray(number, size=(48, 64), seed=3):
    return picture(number, size, seed, hot=True)[..., 0]


def counts(number, size=(48, 64), seed=3, level=7000, gain=8):
    return (gray(number, size, seed).astype(np.uint16) * gain + level).astype(np.uint16)


def clip(path, frames, rate=RATE, codec="libx264", pixels="yuv420p", times=None, sound=None, **options):
    """A file of these pictures: (h, w, 3) RGB, (h, w) gray or counts."""
    frames = list(frames)
    with av.open(str(path), "w") as file:
        stream = add_video(file, frames, rate, codec, pixels, options)
        heard = add_sound(file, sound) if sound else None
        for number, samples in enumerate(frames):
            time = number / Fraction(rate) if times is None else Fraction(times[number])
            for packet in stream.encode(framed(samples, pixels, time)):
                file.mux(packet)
        file.mux(stream.encode(None))
        if heard is not None:
            hum(file, heard, len(frames) / float(rate))
    return path


def add_video(file, frames, rate, codec, pixels, options):
    stream = file.add_stream(codec, rate=rate, options={"g": "12", **options})
    stream.height, stream.width = frames[0].shape[:2]
    stream.pix_fmt, stream.codec_context.time_base = pixels, Fraction(1, 90000)
    return stream


def framed(samples, pixels, time):
    kind = "rgb24" if samples.ndim == 3 else "gray16le" if samples.dtype == np.uint16 else "gray"
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(samples), kind)
    if pixels != kind:
        frame = frame.reformat(format=pixels, dst_color_range=1 if pixels.startswith("yuv") else 2)
    frame.pts, frame.time_base = round(time * 90000), Fraction(1, 90000)
    return frame


def flat(y, u, v, size=(48, 64), colorspace=2, color_range=0, pixels="yuv420p"):
    """A YUV frame of one colour, given by its levels."""
    frame = av.VideoFrame(size[1], size[0], pixels)
    for plane, level in zip(frame.planes, (y, u, v), strict=True):
        plane.update(np.full(plane.buffer_size, level, np.uint8).tobytes())
    frame.colorspace, frame.color_range = colorspace, color_range
    return frame


def add_sound(file, codec):
    stream = file.add_stream(codec, rate=48000)
    stream.codec_context.layout = "mono"
    return stream


def hum(file, stream, seconds):
    """A tone of 440 Hz."""
    wave = (np.sin(2 * np.pi * 440 * np.arange(int(48000 * seconds)) / 48000) * 8000).astype(np.int16)[None]
    for start in range(0, wave.shape[1], 1024):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[:, start : start + 1024]), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))


def cut_short(path: Path, share: float) -> Path:
    """The same file without its end."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def decoded(path):
    """Times and RGB pictures of a file, by PyAV alone."""
    with av.open(str(path)) as file:
        return [(float(frame.time), frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]
