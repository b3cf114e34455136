"""A thousand requests to `irvis app`, each with pictures of its own, one in ten damaged: its memory and files.

Every request uploads two files and fuses them as a visitor of its own who never says goodbye.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
from PIL import Image

from common import arguments, write
from irvis.data.scene import scene

SIZE = (240, 320)
MINUTES = 1.0
API = "/gradio_api"


def main() -> None:
    chosen = arguments(__doc__, requests={"type": int, "default": 1000}, method={"default": "encdec:tiny"})
    rows, taken = [], list[float]()
    with tempfile.TemporaryDirectory() as place, served(Path(place), chosen.threads) as (address, process):
        with httpx.Client(base_url=address, timeout=60) as client:
            for number in range(chosen.requests):
                begun = time.perf_counter()
                request(client, number, chosen.method)
                taken.append(time.perf_counter() - begun)
                if number + 1 in (1, 10, 100) or (number + 1) % 200 == 0:
                    rows.append(row(f"{number + 1} requests", process.pid, Path(place), taken))
            time.sleep(60 * MINUTES + 15)
            rows.append(row(f"{60 * MINUTES:.0f} s later", process.pid, Path(place), taken))
        process.terminate()
        process.wait(20)
        rows.append(row("stopped", None, Path(place), taken))
    note = (
        f"{chosen.method}, {SIZE[1]}×{SIZE[0]}, one request after another, every tenth with a damaged file. Files of "
        f"visitors go after {MINUTES:g} min here (`--minutes`, 30 by default), or when 64 newer visitors came; uploads "
        "after the same time. Seconds: median of the last 100 requests, upload and download included."
    )
    write("app", rows, "The web page: memory and files", note)


@contextmanager
def served(place: Path, threads: int) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    words = [sys.executable, "-m", "irvis.cli", "app", "--port", "0", "--minutes", str(MINUTES)]
    environment = {**os.environ, "TMPDIR": str(place), "OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, env=environment, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0], process
    finally:
        process.kill()


def request(client: httpx.Client, number: int, method: str) -> None:
    """Upload, fuse, download."""
    damaged = number % 10 == 9
    sent = {}
    for side, picture in zip(("visible", "infrared"), pictures(number), strict=True):
        data = picture[: len(picture) // 3] if damaged else picture
        [path] = client.post(f"{API}/upload", files={"files": (f"{side}.png", data)}).json()
        sent[side] = {"path": path}
    event = client.post(f"{API}/call/v2/fuse", json={**sent, "method": method}).json()["event_id"]
    answer = client.get(f"{API}/call/fuse/{event}").text
    assert ("event: error" if damaged else "event: complete") in answer, answer
    if not damaged:
        file, _ = json.loads(re.findall(r"event: complete\ndata: (.*)", answer)[0])
        assert client.get(f"{API}/file={file['path']}").content.startswith(b"\x89PNG")


def pictures(number: int) -> Iterator[bytes]:
    """A street with a number of its own in a corner."""
    drawn = _street()
    for samples in drawn:
        one = samples.copy()
        one[0, :32] = (
            np.array([number >> bit & 1 for bit in range(32)], np.uint8).reshape(-1, *[1] * (one.ndim - 2)) * 255
        )
        file = BytesIO()
        Image.fromarray(one).save(file, "PNG", compress_level=1)
        yield file.getvalue()


def _street() -> tuple[Any, Any]:
    if not _KEPT:
        one = scene(3, SIZE)
        _KEPT.extend([(255 * one.visible).round().astype(np.uint8), (255 * one.infrared).round().astype(np.uint8)])
    return _KEPT[0], _KEPT[1]


_KEPT: list[Any] = []


def row(when: str, pid: int | None, place: Path, taken: list[float]) -> dict[str, Any]:
    files = [path for path in place.rglob("*") if path.is_file()]
    memory = 0 if pid is None else int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {
        "": when, "resident MiB": f"{memory / 2**20:.0f}", "files": len(files),
        "MB on disk": f"{sum(path.stat().st_size for path in files) / 1e6:.1f}",
        "s a request": f"{median(taken[-100:]):.3f}",
    }  # fmt: skip


if __name__ == "__main__":
    main()
