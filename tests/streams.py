"""Streams as cameras send them: clips over HTTP at real speed, MJPEG drawn as it is sent, servers that stop and return.

A picture may carry the time at which it was drawn, as bits that survive coding, scaling and fusing: `stamped`, `read`.
"""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.request import urlopen

import av
import numpy as np
from PIL import Image

from irvis.video.writer import Writer

SIZE = 96, 128
BITS = 24
"""Of the time in ms: 4.6 hours."""
CELL = SIZE[1] // 8
"""Pixels of a bit; eight to a row."""
Draw = Callable[[int], np.ndarray]


def plain(number: int) -> np.ndarray:
    """A gray square that moves over a gray ground."""
    picture = np.full((*SIZE, 3), 90, np.uint8)
    left = 4 * number % (SIZE[1] - 24)
    picture[40:64, left : left + 24] = 200
    return picture


def stamped(number: int) -> np.ndarray:
    """A picture with the time at which it was drawn, in ms of the monotonic clock, in its upper part."""
    picture, code = plain(number), int(monotonic() * 1000) % 2**BITS
    for bit in range(BITS):
        top, left = bit // 8 * CELL, bit % 8 * CELL
        picture[top : top + CELL, left : left + CELL] = 230 if code >> bit & 1 else 20
    return picture


def age(pixels: np.ndarray) -> float:
    """Milliseconds since a `stamped` picture was drawn."""
    gray, code = pixels.mean(axis=2), 0
    middle = (gray[: 3 * CELL].max() + gray[: 3 * CELL].min()) / 2
    for bit in range(BITS):
        top, left = bit // 8 * CELL, bit % 8 * CELL
        code |= int(gray[top + 3 : top + CELL - 3, left + 3 : left + CELL - 3].mean() > middle) << bit
    return (int(monotonic() * 1000) - code) % 2**BITS


def clip(path: Path, count: int = 25, rate: int = 25, draw: Draw = plain) -> Path:
    """A video file."""
    first = draw(0)
    with Writer(path, rate=Fraction(rate), size=first.shape[:2]) as writer:
        for number in range(count):
            writer.write(draw(number), Fraction(number, rate))
    return path


class Camera:
    """An MJPEG stream over HTTP, one picture every 1 / rate seconds, drawn when it is sent.

    It can be stopped and started again at the same address; `silent`, it answers and sends nothing.
    """

    def __init__(self, draw: Draw = plain, rate: float = 20.0, *, silent: bool = False) -> None:
        self.draw, self.rate, self.silent = draw, rate, silent
        self.asked = 0
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._running = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/camera.mjpg"

    def start(self) -> None:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.asked += 1
                camera._send(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._running.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._running.clear()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _send(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=here")
        handler.send_header("Connection", "close")
        handler.end_headers()
        number, begun = 0, monotonic()
        while self._running.is_set():
            if self.silent:
                sleep(0.05)
                continue
            file = io.BytesIO()
            Image.fromarray(self.draw(number)).save(file, "JPEG", quality=90)
            head = f"--here\r\nContent-Type: image/jpeg\r\nContent-Length: {file.tell()}\r\n\r\n".encode()
            try:
                handler.wfile.write(head + file.getvalue() + b"\r\n")
            except OSError:
                return
            number += 1
            sleep(max(0.0, begun + number / self.rate - monotonic()))

    def __enter__(self) -> "Camera":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


@contextmanager
def served(path: Path, seconds: float) -> Iterator[str]:
    """The address of a file that is sent over so many seconds, as it would come from a camera."""
    data = path.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            parts = max(1, round(20 * seconds))
            for number in range(parts):
                try:
                    self.wfile.write(data[len(data) * number // parts : len(data) * (number + 1) // parts])
                except OSError:
                    return
                sleep(seconds / parts)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/{path.name}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def cast(rate: int = 20) -> Iterator[str]:
    """The address of an MPEG transport stream over UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address = f"udp://127.0.0.1:{free.getsockname()[1]}"
    halt = threading.Event()
    caster = threading.Thread(target=_cast, args=(address, rate, halt), daemon=True)
    caster.start()
    try:
        yield address
    finally:
        halt.set()
        caster.join(10)


def _cast(address: str, rate: int, halt: threading.Event) -> None:
    with av.open(address, "w", format="mpegts") as out:
        stream = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "tune": "zerolatency", "g": "5"})
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        number, begun = 0, monotonic()
        while not halt.is_set():
            out.mux(stream.encode(av.VideoFrame.from_ndarray(plain(number), "rgb24")))
            number += 1
            sleep(max(0.0, begun + number / rate - monotonic()))


def looked_at(address: str, count: int) -> Iterator[bytes]:
    """So many pictures of an MJPEG page, as JPEG files, as they come."""
    with urlopen(address, timeout=10) as answer:
        for _ in range(count):
            length = 0
            while (line := answer.readline()) != b"\r\n":
                assert line, "the stream ended"
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            yield answer.read(length)
            answer.readline()


def pixels_of(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def until(true: Callable[[], object], seconds: float = 15.0, what: str = "it") -> None:
    """Wait for something to become true; generous, as machines are busy."""
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, f"{what} did not happen within {seconds} s"
        sleep(0.02)
