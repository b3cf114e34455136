"""The web page in a real browser: drop, fuse, look, take away."""

import re
from urllib.parse import urlparse

import pytest

from browser import (
    DESKTOP,
    PHONE,
    READY,
    choose,
    chromium,
    compare,
    downloaded,
    drop,
    fuse,
    kelvin,
    opened,
    pair,
    send,
    served,
    shifted,
    videos,
)
from irvis import cli


@pytest.fixture(scope="module")
def server():
    with served(max_upload=5_000_000, max_pixels=2_000_000) as one:
        yield one


@pytest.fixture(scope="module")
def browser(server):
    with chromium() as one:
        yield one


def split(page):
    """Where the border between the pictures is, in percent."""
    return int(page.locator(".handle").get_attribute("aria-valuenow"))


def clips(page):
    return page.locator(".pane img").last.evaluate("one => one.style.clipPath")


def test_a_pair_is_dropped_fused_looked_at_and_taken_away_as_the_command_line_writes_it(browser, server, tmp_path):
    visible, infrared = pair(tmp_path)
    with opened(browser, server.address) as page:
        send(page, visible, infrared)
        choose(page, "method", "encdec:tiny")
        fuse(page)
        assert split(page) == 50
        before, box = clips(page), page.locator(".pane").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 60, steps=4)
        page.mouse.up()
        assert split(page) == 25
        assert clips(page) != before
        page.locator(".handle").focus()
        page.keyboard.press("ArrowRight")
        assert split(page) == 27
        page.locator("select.left").select_option("infrared")
        page.wait_for_selector(READY)
        assert page.locator(".label.first").inner_text() == "Infrared"
        page.wait_for_selector("table.metrics")
        assert "Qabf" in page.locator("table.metrics").inner_text()
        assert re.search(r"160×120 · encdec:tiny \d+\.\d\d s", page.locator("#message").inner_text())
        got = downloaded(page, tmp_path)
        asked = page.asked
    with pytest.raises(SystemExit):
        cli.main(["fuse", str(visible), str(infrared), "-o", str(tmp_path / "typed.png"), "-m", "encdec:tiny"])
    assert got.read_bytes() == (tmp_path / "typed.png").read_bytes()
    assert len(asked) > 20
    assert {urlparse(url).netloc for url in asked if url.startswith("http")} == {urlparse(server.address).netloc}


def test_a_file_that_is_none_is_told_and_the_next_one_is_fused(browser, server, tmp_path):
    visible, infrared = pair(tmp_path)
    bad = tmp_path / "<img src=x onerror=alert(1)>.png"
    bad.write_bytes(visible.read_bytes()[:200])
    with opened(browser, server.address) as page:
        send(page, bad, infrared)
        page.click("#fuse")
        told = page.locator("#message .refused")
        told.wait_for()
        assert "cannot be read" in told.inner_text()
        assert page.locator("#message img").count() == 0
        page.locator("#visible button[aria-label^=Clear]").click()
        send(page, visible)
        choose(page, "method", "average")
        fuse(page)
        assert page.locator("#message .refused").count() == 0
        assert page.dialogs == []


def test_pictures_side_by_side_are_enlarged_in_step_and_tell_their_degrees(browser, server, tmp_path):
    visible, infrared = kelvin(tmp_path)
    with opened(browser, server.address) as page:
        send(page, visible, infrared)
        choose(page, "method", "average")
        compare(page, "max")
        page.get_by_role("button", name="Temperatures").click()
        page.locator("#kelvin_per_count textarea").fill("0.01")
        fuse(page)
        page.get_by_role("button", name="Side by side").click()
        page.wait_for_selector(READY)
        assert page.locator(".pane").count() == 4
        assert page.locator(".pane .label").all_inner_texts() == ["Visible", "Infrared", "average", "max"]
        page.get_by_role("button", name="Larger").click()
        placed = page.locator(".pane img").evaluate_all("all => all.map(one => one.style.transform + one.style.width)")
        assert len(set(placed)) == 1
        assert page.locator("output").inner_text() == "1.5×"
        page.locator("irvis-viewer[measured]").wait_for()
        page.locator(".pane").nth(2).hover(position={"x": 50, "y": 50})
        x, y, degrees = re.fullmatch(r"(\d+), (\d+) · (-?\d+\.\d) °C", page.locator(".readout").inner_text()).groups()
    from PIL import Image

    with Image.open(infrared) as counts:
        assert abs(counts.getpixel((int(x), int(y))) / 100 - 273.15 - float(degrees)) < 0.051


def test_files_dropped_on_the_large_panel_go_to_their_fields_which_have_names_and_thumbnails(browser, server, tmp_path):
    visible, infrared = pair(tmp_path)
    with opened(browser, server.address) as page:
        for side in ("Visible", "Infrared"):
            assert page.get_by_role("button", name=f"{side}: drop a file or choose one").count() == 1
        drop(page, "#viewer", infrared, visible)
        for path in (visible, infrared):
            page.wait_for_selector(f"#{path.stem} .file-preview")
            assert path.stem in page.locator(f"#{path.stem} .file-preview").inner_text()
            page.wait_for_function(f"document.querySelector('#{path.stem} .thumb')?.naturalWidth > 0")
        choose(page, "method", "average")
        page.locator("#explain input").check()
        fuse(page)
        page.wait_for_function("document.querySelector('#explained img')?.naturalWidth > 0")
        page.locator("#cancel").wait_for(state="hidden")


def test_a_shifted_pair_is_aligned_by_one_click(browser, server, tmp_path):
    with opened(browser, server.address) as page:
        send(page, *shifted(tmp_path))
        choose(page, "method", "average")
        fuse(page)
        assert "Infrared looks shifted" in page.locator("#message").inner_text()
        before = page.locator("irvis-viewer").get_attribute("data")
        page.locator("#align").click()
        page.wait_for_function(
            "before => document.querySelector('irvis-viewer').getAttribute('data') !== before",
            arg=before,
        )
        page.locator("#align").wait_for(state="hidden")
        assert "shifted" not in page.locator("#message").inner_text()


def test_two_videos_become_one_that_plays(browser, server, tmp_path):
    with opened(browser, server.address) as page:
        send(page, *videos(tmp_path))
        choose(page, "method", "average")
        page.click("#fuse")
        page.locator(".films video").wait_for()
        page.wait_for_function("document.querySelector('.films video').readyState >= 2")
        assert page.locator(".films video").evaluate("one => [one.videoWidth, one.videoHeight]") == [64, 48]
        assert downloaded(page, tmp_path).suffix == ".mp4"
        send_pictures = pair(tmp_path)
        for name in ("visible", "infrared"):
            page.locator(f"#{name} button[aria-label^=Clear]").click()
        send(page, *send_pictures)
        fuse(page)
        page.locator(".films").wait_for(state="detached")


def test_two_users_at_once_see_their_own_pictures(browser, server, tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder, seed in zip(folders, (3, 4), strict=True):
        folder.mkdir()
        pair(folder, seed)
    with opened(browser, server.address) as one, opened(browser, server.address) as two:
        for page, folder in zip((one, two), folders, strict=True):
            send(page, folder / "visible.png", folder / "infrared.png")
            choose(page, "method", "average")
        for page in (one, two):
            page.click("#fuse")
        got = []
        for page, folder in zip((one, two), folders, strict=True):
            page.wait_for_selector(READY)
            got.append(downloaded(page, folder).read_bytes())
    for folder, data in zip(folders, got, strict=True):
        files = [str(folder / f"{side}.png") for side in ("visible", "infrared")]
        with pytest.raises(SystemExit):
            cli.main(["fuse", *files, "-o", str(folder / "typed.png"), "-m", "average"])
        assert data == (folder / "typed.png").read_bytes()


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_on_a_phone_nothing_reaches_beyond_the_screen(scheme, browser, server, tmp_path):
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    how = {"has_touch": True, "is_mobile": True, "color_scheme": scheme}
    with opened(browser, server.address, PHONE, **how) as page:
        assert page.evaluate(fits)
        send(page, *pair(tmp_path))
        choose(page, "method", "average")
        compare(page, "max")
        fuse(page)
        page.wait_for_selector("table.metrics")
        for name in ("Alignment", "Infrared", "Temperatures", "File"):
            page.locator("#more").get_by_role("button", name=name).click()
        assert page.evaluate(fits)
        assert page.locator(".pane").bounding_box()["width"] > 0.85 * PHONE["width"]
        page.locator("irvis-viewer").get_by_role("button", name="Side by side").click()
        page.wait_for_selector(READY)
        assert page.evaluate(fits)
        box = page.locator(".pane").first.bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        assert re.match(r"\d+, \d+", page.locator(".readout").inner_text())


def test_the_page_stands_on_its_own_without_a_network(browser, server):
    """Whatever is not this server is unreachable, as in a laboratory without a line."""
    with opened(browser, server.address, DESKTOP) as page:
        page.context.route(lambda url: urlparse(url).netloc != urlparse(server.address).netloc, lambda one: one.abort())
        begun, failed = [], []  # what the page before had begun is broken off by the reload
        page.on("request", lambda request: begun.append(request))
        page.on("requestfailed", lambda request: failed.append(request))
        page.reload()
        page.wait_for_selector("#fuse")
        page.wait_for_function("document.querySelector('#method input')?.value === 'encdec'")
        assert [one.url for one in failed if one in begun and "/heartbeat/" not in one.url] == []
