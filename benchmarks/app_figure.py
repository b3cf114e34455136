"""docs/figures/app.png and app-phone.png: the web page with synthetic scenes, as a headless Chromium shows it."""

import shutil
import threading
from pathlib import Path
from typing import Any

from PIL import Image

from common import FIGURES
from irvis.app.server import serving
from irvis.app.settings import Settings


def main() -> None:
    from playwright.sync_api import sync_playwright

    with serving(Settings(port=0)) as server, sync_playwright() as playwright:
        thread = threading.Thread(target=server.run)
        thread.start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        desktop(browser, server.address, FIGURES / "app.png")
        phone(browser, server.address, FIGURES / "app-phone.png")
        browser.close()
        server.stop()
        thread.join()


def desktop(browser: Any, address: str, path: Path) -> None:
    page = browser.new_page(viewport={"width": 1180, "height": 800})
    page.goto(address)
    example(page, "Night street")
    page.wait_for_selector("table.metrics")
    page.mouse.move(0, 0)
    page.wait_for_timeout(500)
    shot(page, path)


def phone(browser: Any, address: str, path: Path) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark"
    )
    page = context.new_page()
    page.goto(address)
    example(page, "Thermal camera")
    page.locator("irvis-viewer[measured]").wait_for()
    box = page.locator(".pane").bounding_box()
    page.evaluate("height => window.scrollTo(0, height)", box["y"] + box["height"] - 700)
    box = page.locator(".pane").bounding_box()
    page.touchscreen.tap(box["x"] + 0.76 * box["width"], box["y"] + 0.62 * box["height"])
    shot(page, path)


def example(page: Any, name: str) -> None:
    page.get_by_role("button", name=name).click()
    page.wait_for_selector("irvis-viewer[ready]")
    page.wait_for_timeout(2000)


def shot(page: Any, path: Path) -> None:
    """With a palette: a third of the bytes."""
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE).save(path, optimize=True)


if __name__ == "__main__":
    main()
