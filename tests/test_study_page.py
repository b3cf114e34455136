"""The page of a study in a real browser: keys, zoom in step, a phone, two raters at once."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from irvis import io
from irvis.data.matching import match
from irvis.study import asking, database, folders
from irvis.study.server import Server

CHROMIUM = Path("/usr/bin/chromium")
WAIT = 15_000
HERE = ("http://127.0.0.1:", "data:")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="a browser test needs playwright")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not here")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Three methods on three pairs of 60×40, five questions each."""
    random = torch.Generator().manual_seed(0)
    for stem in "abc":
        for name in ("one", "two", "three", "vi"):
            io.write(tmp_path / name / f"{stem}.png", torch.rand(1, 3, 40, 60, generator=random))
        io.write(tmp_path / "ir" / f"{stem}.png", torch.rand(1, 1, 40, 60, generator=random))
    given = folders.methods([str(tmp_path / name) for name in ("one", "two", "three")])
    pairs = folders.pairs(given, match(tmp_path / "vi", tmp_path / "ir").pairs)
    reading = {"range": None, "color": "refuse", "resize": False}
    database.create(
        database.Study(file=tmp_path / "s.sqlite", methods=given, pairs=pairs, seed=0, asked=5, reading=reading)
    )
    server = Server(database.load(tmp_path / "s.sqlite"), "127.0.0.1", 0, say=lambda _: None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def visit(browser: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """Opens the page, with a name if one is given. What it complains of, or asks of other hosts, is an error."""
    troubles: list[str] = []

    def opened(name: str | None, **options: Any) -> Any:
        page = browser.new_context(**options).new_page()
        page.set_default_timeout(WAIT)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda problem: troubles.append(str(problem)))
        page.on("request", lambda asked: troubles.append(asked.url) if not asked.url.startswith(HERE) else None)
        page.goto(server.address)
        if name is not None:
            page.fill("#name", name)
            page.click("#join button")
            shows(page, 1)
        return page

    yield opened
    assert [trouble for trouble in troubles if "409" not in trouble and "ERR_FAILED" not in trouble] == []


def shows(page: Any, number: int) -> None:
    """Wait until a question is there, with its pictures."""
    page.wait_for_function(
        "n => document.querySelector('.count').textContent.startsWith(`${n} of`)"
        " && !document.querySelector('.stage').classList.contains('busy')",
        arg=number,
    )


def transforms(page: Any) -> list[str]:
    return page.eval_on_selector_all(".pane:not([hidden]) img", "all => all.map(one => one.style.transform)")


def said(server: Server, name: str) -> list[str]:
    return [one.said for one in asking.answers(server.study.file) if one.rater == name]


def test_keys_answer_and_undo(visit: Callable[..., Any], server: Server) -> None:
    page = visit("Ann")
    for place, key in enumerate(("ArrowLeft", "Space", "ArrowRight"), start=2):
        page.keyboard.press(key)
        shows(page, place)
    assert said(server, "Ann") == ["left", "equal", "right"]
    page.keyboard.press("u")
    shows(page, 3)
    assert said(server, "Ann") == ["left", "equal"]
    page.reload()
    shows(page, 3)
    for place in (4, 5):
        page.keyboard.press("ArrowLeft")
        shows(page, place)
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#end:visible")
    assert "all 5 questions" in page.text_content("#end")
    page.click("#back")
    shows(page, 5)


def test_a_key_that_is_held_answers_once(visit: Callable[..., Any], server: Server) -> None:
    page = visit("Ann")
    for _ in range(3):
        page.keyboard.down("ArrowLeft")
    shows(page, 2)
    page.wait_for_timeout(300)
    assert said(server, "Ann") == ["left"]


def test_both_pictures_zoom_and_move_in_step(visit: Callable[..., Any], server: Server) -> None:
    page = visit("Ann", viewport={"width": 1200, "height": 700})
    page.wait_for_function(
        "() => [...document.querySelectorAll('.pane:not([hidden]) img')].every(i => i.style.transform)"
    )
    whole = transforms(page)
    assert whole[0] == whole[1]
    box = page.locator(".one").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.4)
    page.mouse.wheel(0, -500)
    page.wait_for_function("() => document.querySelector('.stage').classList.contains('zoomed')")
    near = transforms(page)
    assert near[0] == near[1] != whole[0]
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4, steps=3)
    page.mouse.up()
    moved = transforms(page)
    assert moved[0] == moved[1]
    shift = [float(re.findall(r"-?[\d.]+", text)[0]) for text in (near[0], moved[0])]
    assert shift[1] - shift[0] == pytest.approx(-box["width"] * 0.15, abs=1)
    page.keyboard.press("0")
    page.wait_for_function("() => !document.querySelector('.stage').classList.contains('zoomed')")
    assert transforms(page) == whole


def test_sources_are_shown_when_asked_for_and_names_never(visit: Callable[..., Any], server: Server) -> None:
    page = visit("Ann")
    assert not page.is_visible(".warm")
    page.keyboard.press("s")
    page.wait_for_function("() => document.querySelector('.warm img').naturalWidth === 60")
    assert len(transforms(page)) == 4
    assert not re.search(r"\b(one|two|three)\.png|sqlite", page.content())


@pytest.mark.parametrize("size", [(390, 844), (844, 390)], ids=["upright", "lying"])
def test_a_phone_shows_everything_without_scrolling(
    size: tuple[int, int], visit: Callable[..., Any], server: Server
) -> None:
    width, height = size
    phone = {"viewport": {"width": width, "height": height}, "is_mobile": True, "has_touch": True}
    page = visit("Ann", **phone)
    page.tap("#sources")
    page.wait_for_selector(".warm:visible")
    shown = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert shown == [width, height]
    for place in page.locator("footer button, .pane, header button:visible").all():
        box = place.bounding_box()
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= width + 0.5
        assert box["y"] + box["height"] <= height + 0.5
    for button in page.locator("footer button").all():
        assert button.bounding_box()["height"] >= 36
    page.tap("[data-said=right]")
    shows(page, 2)
    assert said(server, "Ann") == ["right"]


def test_two_people_at_once_and_a_name_with_a_script_in_it(visit: Callable[..., Any], server: Server) -> None:
    name = "<img src=x onerror=alert(1)>"
    ann, eve = visit("Ann"), visit(name)
    ann.keyboard.press("ArrowLeft")
    eve.keyboard.press("ArrowRight")
    shows(ann, 2)
    shows(eve, 2)
    assert (said(server, "Ann"), said(server, name)) == (["left"], ["right"])
    eve.keyboard.press("?")
    assert name in eve.text_content("#help")


def test_a_window_that_was_overtaken_goes_to_the_next_question(visit: Callable[..., Any], server: Server) -> None:
    page = visit("Ann")
    key = asking.join(server.study, "Ann")
    asking.answer(server.study, key, asking.standing(server.study, key).current, "equal")
    page.keyboard.press("ArrowLeft")
    shows(page, 2)
    assert said(server, "Ann") == ["equal"]
    page.keyboard.press("ArrowRight")
    shows(page, 3)
    assert said(server, "Ann") == ["equal", "right"]


def test_a_study_that_is_gone_is_told(visit: Callable[..., Any], server: Server) -> None:
    page = visit(None)
    page.route("**/join", lambda route: route.abort())
    page.fill("#name", "Ann")
    page.click("#join button")
    page.wait_for_selector("#say:visible")
    assert "does not answer" in page.text_content("#say")
