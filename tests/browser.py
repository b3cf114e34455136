"""A server of the page in this process, a headless Chromium before it, and pairs to send."""

import shlex
import shutil
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from irvis import cli, io
from irvis.align.warp import laid_over
from irvis.data.scene import scene

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
READY = "irvis-viewer[ready]"
PATIENCE = 120_000
"""Milliseconds until a step of a page counts as hanging: on a busy machine half a minute is too little."""


@contextmanager
def served(**choices: Any) -> Iterator[Any]:
    """A running server; `choices` are those of `Settings`."""
    pytest.importorskip("gradio", reason="the page needs the extra: pip install 'irvis[app]'")
    from irvis.app.server import serving
    from irvis.app.settings import Settings

    with serving(Settings(port=0, **choices)) as server:
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        httpx.get(f"{server.address}/theme.css", timeout=60)
        yield server
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's own browser, or whichever Chromium is installed; a skip without one."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium here: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, address: str, size: dict[str, int] = DESKTOP, **how: Any) -> Iterator[Any]:
    """The page in a browser of its own; `page.asked` lists the addresses that it asked for."""
    context = browser.new_context(viewport=size, accept_downloads=True, **how)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.asked, page.dialogs = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(address)
    page.wait_for_selector("#fuse")
    page.wait_for_selector("#visible input[type=file]", state="attached")
    yield page
    context.close()


def send(page: Any, visible: Path, infrared: Path | None = None) -> None:
    """Choose files and wait until they are there."""
    for name, path in (("visible", visible), ("infrared", infrared)):
        if path is not None:
            page.set_input_files(f"#{name} input[type=file]", path)
            page.wait_for_selector(f"#{name} .file-preview")


def drop(page: Any, place: str, *files: Path) -> None:
    """Files dropped on a part of the page."""
    sent = [(path.name, b64encode(path.read_bytes()).decode()) for path in files]
    page.evaluate(
        """([place, sent]) => {
            const held = new DataTransfer();
            for (const [name, text] of sent)
              held.items.add(new File([Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))], name));
            for (const kind of ["dragover", "drop"])
              document.querySelector(place).dispatchEvent(
                new DragEvent(kind, { dataTransfer: held, bubbles: true, cancelable: true }));
        }""",
        [place, sent],
    )


def choose(page: Any, control: str, text: str) -> None:
    """An entry of a list."""
    box = page.locator(f"#{control} input[role=listbox], #{control} input[role=combobox]").first
    box.click()
    page.locator(f"#{box.get_attribute('aria-controls')} [role=option][aria-label='{text}']").click()
    page.keyboard.press("Escape")


def compare(page: Any, text: str) -> None:
    """Another method beside the first."""
    page.locator("#more").get_by_role("button", name="Compare with").click()
    page.locator("#compare").get_by_label(text, exact=True).check()


def fuse(page: Any) -> None:
    """Press the button and wait for the pictures of this result."""
    before = page.locator("irvis-viewer").get_attribute("data") if page.locator("irvis-viewer").count() else ""
    page.click("#fuse")
    page.wait_for_function(
        "before => { const one = document.querySelector('irvis-viewer');"
        " return one && one.getAttribute('data') !== before && one.hasAttribute('ready'); }",
        arg=before,
    )


def downloaded(page: Any, folder: Path) -> Path:
    """The first file that is offered."""
    with page.expect_download() as event:
        page.locator(".downloads a").first.click()
    target: Path = folder / event.value.suggested_filename
    event.value.save_as(target)
    return target


@cache
def drawn(seed: int = 3, height: int = 120, width: int = 160) -> Any:
    """A synthetic pair as tensors."""
    return scene(seed, (height, width)).tensors()


def pair(folder: Path, seed: int = 3, size: tuple[int, int] = (120, 160)) -> tuple[Path, Path]:
    """Its files."""
    visible, infrared = drawn(seed, *size)
    paths = folder / "visible.png", folder / "infrared.png"
    io.write(paths[0], visible)
    io.write(paths[1], infrared)
    return paths


def shifted(folder: Path) -> tuple[Path, Path]:
    """A pair of two lenses: in the middle infrared has to move right by 10 and up by 6 pixels."""
    visible, infrared = drawn(3, 240, 320)
    there = np.array([[0.97, 0.0, 15.0], [0.0, 0.97, -2.0], [0, 0, 1.0]])
    over, valid = laid_over(infrared, there, (240, 320))
    paths = folder / "visible.png", folder / "infrared.png"
    io.write(paths[0], visible)
    io.write(paths[1], over * valid)
    return paths


def kelvin(folder: Path, seed: int = 3) -> tuple[Path, Path]:
    """A pair whose infrared file holds kelvin × 100 in 16 bits."""
    visible, infrared = drawn(seed)
    io.write(folder / "visible.png", visible)
    counts = (28000 + 3000 * infrared[0, 0].numpy()).round().astype(np.uint16)
    Image.fromarray(counts).save(folder / "kelvin.tiff")
    return folder / "visible.png", folder / "kelvin.tiff"


def videos(folder: Path, frames: int = 8) -> tuple[Path, Path]:
    """Two videos of the same street, in the day and by its warmth."""
    video_files = pytest.importorskip("video_files", reason="videos need the extra: pip install 'irvis[video]'")
    paths = folder / "visible.mp4", folder / "infrared.mp4"
    video_files.clip(paths[0], [video_files.picture(n) for n in range(frames)])
    video_files.clip(paths[1], [video_files.gray(n) for n in range(frames)])
    return paths


def typed(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page says is the same on the command line, typed there."""
    words = shlex.split(command)
    assert words[0] == "irvis"
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as over:
        cli.main(words[1:])
    assert over.value.code == 0
