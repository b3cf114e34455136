"""Long work tells what it is at: every step to the listener of its thread, and on a terminal to the user."""

import io
from contextlib import suppress
from threading import Thread

import pytest
import torch
from PIL import Image

from irvis import tiling
from irvis.cli import common, fuse, main
from irvis.registry import Spec
from irvis.steps import listening, step


def heard(run):
    told = []
    with listening(lambda *words: told.append(words)):
        run()
    return told


@pytest.mark.parametrize("reach", [4, None], ids=["exact tiles", "blended tiles"])
def test_every_tile_is_told_with_its_number(reach):
    image = torch.rand(1, 1, 40, 60)
    told = heard(
        lambda: tiling.run(lambda seen, warm: seen + warm, image, image, Spec(domain="luma", reach=reach), tile=32)
    )
    assert len(told) > 2
    assert told == [("fusing", number, len(told)) for number in range(len(told))]


def test_nobody_hears_of_steps_outside_or_of_other_threads():
    step("before")
    told = heard(lambda: run_in_a_thread(lambda: step("elsewhere")))
    assert told == []


def run_in_a_thread(run):
    thread = Thread(target=run)
    thread.start()
    thread.join()


@pytest.fixture
def terminal(monkeypatch):
    """What a user at a terminal sees of progress."""
    screen = common._Plain(markup=False, highlight=False, file=io.StringIO(), force_terminal=True, width=90)
    monkeypatch.setattr(common, "errors", screen)
    return screen


def test_a_single_pair_shows_its_steps_on_a_terminal(terminal, tmp_path, monkeypatch):
    monkeypatch.setattr(fuse, "errors", terminal)
    for name in ("visible.png", "infrared.png"):
        Image.effect_noise((64, 48), 60).save(tmp_path / name)
    words = ["fuse", tmp_path / "visible.png", tmp_path / "infrared.png", "-o", tmp_path / "fused.png", "-m", "average"]
    with suppress(SystemExit):
        main([str(word) for word in words])
    assert (tmp_path / "fused.png").is_file()
    shown = terminal.file.getvalue()
    assert "loading" in shown
    assert "fusing" in shown


def test_a_bar_goes_back_to_no_length_at_the_next_step(terminal):
    with common.busy("loading"):
        step("fusing", 3, 4)
        step("writing")
    shown = terminal.file.getvalue()
    assert "writing" in shown
    assert "\x1b[?25h" in shown  # the cursor is shown again
