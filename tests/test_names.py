"""What a method is called: the same words everywhere, and a question where a word is nearly one."""

from pathlib import Path

import pytest
import torch

import irvis
from irvis import creation, weights
from irvis.evaluate import entries
from irvis.methods.encdec import EncoderDecoder


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a training, in the folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    weights.save(tmp_path / "run/best.safetensors", EncoderDecoder(width=4), method="encdec", options={"width": 4})
    return tmp_path / "run"


def test_create_takes_the_words_of_the_command_line():
    fuser = irvis.create("encdec:paper:padding=zero")
    assert fuser.options == {"width": 64, "activation": "none", "padding": "zero"}
    assert irvis.create("laplacian:levels=3").options == {"levels": 3}
    assert irvis.create("encdec:paper", padding="zero").options["padding"] == "zero"


@pytest.mark.parametrize(
    ("text", "facts", "words"),
    [
        ("encdec:tiny", {"weights": "paper"}, "two weights"),
        ("encdec:tiny", {"weights": None}, "two weights"),
        ("laplacian:levels=3", {"levels": 4}, "levels is given twice"),
        ("average:tiny", {}, "average has no weights"),
    ],
)
def test_what_is_said_twice_or_means_nothing_is_refused(text, facts, words):
    with pytest.raises(irvis.IrvisError, match=words):
        irvis.create(text, **facts)


def test_the_folder_of_a_run_stands_for_its_best_weights_everywhere(run):
    assert irvis.create("encdec:run").options["width"] == 4
    assert irvis.create("encdec", weights=run).options["width"] == 4
    assert creation.fuser("encdec:run").options["width"] == 4
    assert entries.fuser("encdec:run").options["width"] == 4
    assert entries.weights_of("encdec:run") == weights.digest(run / "best.safetensors")
    (run / "best.safetensors").unlink()
    with pytest.raises(irvis.IrvisError, match="without best"):
        irvis.create("encdec:run")


def test_a_file_alone_says_by_its_header_what_it_is(run):
    for text in ("run", "run/best.safetensors", str(run)):
        assert irvis.create(text).method.name == "encdec"
    (run / "other.safetensors").write_bytes(b"nothing")
    with pytest.raises(irvis.IrvisError, match="not a readable safetensors file"):
        irvis.create("run/other.safetensors")


@pytest.mark.parametrize(
    ("text", "meant"),
    [("laplaican", "laplacian"), ("encdec:tinny", "tiny"), ("encdec:widht=8", "width"), ("encdeq", "encdec")],
)
def test_a_word_that_is_nearly_right_is_asked_about(text, meant):
    with pytest.raises(irvis.IrvisError, match=f"Did you mean '{meant}'"):
        irvis.create(text)


def test_tiles_of_one_caller_are_not_those_of_the_next():
    tiled, whole = creation.fuser("encdec:tiny", tile=64), creation.fuser("encdec:tiny")
    assert (tiled.tile, whole.tile) == (64, None)
    assert tiled.core is whole.core
    tiled.tile = 32
    assert creation.fuser("encdec:tiny").tile is None


def test_a_kept_fuser_that_was_made_in_inference_mode_runs_outside_of_it():
    creation._kept.cache_clear()
    with torch.inference_mode():
        fuser = creation.fuser("encdec:tiny")
    assert fuser(torch.rand(1, 3, 64, 64), torch.rand(1, 1, 64, 64)).shape == (1, 3, 64, 64)
