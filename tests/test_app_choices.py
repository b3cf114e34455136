"""The web page without a server: names of files, methods and choices that a visitor may send."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from browser import pair
from irvis.errors import IrvisError

pytest.importorskip("gradio", reason="the page needs the extra: pip install 'irvis[app]'")

from app_actions import SETTINGS, refusal, run
from irvis.app import choices, fusing, names, viewer
from irvis.app import messages as telling
from irvis.app.actions import Actions
from irvis.app.sessions import Rooms
from irvis.app.settings import Settings


@pytest.fixture
def root(tmp_path):
    """Where uploads lie."""
    folder = (tmp_path / "root").resolve()
    (folder / "sent").mkdir(parents=True)
    return folder


@pytest.fixture
def actions(root):
    return Actions(settings=SETTINGS, root=root, rooms=Rooms(root, 30))


@given(st.text(max_size=300))
def test_safe_names_are_nothing_but_names(text):
    name = names.safe(text)
    assert name
    assert Path(name).name == name
    assert name not in (".", "..")
    assert not name.startswith(".")
    assert len(name.encode()) <= names.LONGEST
    assert not set(name) & set("<>&\"'\\/:*?|\0\n")
    assert names.safe(name) == name


def test_scripts_in_file_names_are_text(actions, root):
    name = "<img src=x onerror=alert(1)>.png"
    visible, infrared = pair(root / "sent")
    bad = root / "sent" / name
    visible.rename(bad)
    fused = run(actions, bad, infrared)
    view = viewer.view(fused.first, fused.files[fused.taken.pairs[0].name], fused.folder / "view")
    html = [view.html, telling.told(fused, "<b>"), telling.downloads(fused), telling.commands(fused)]
    assert "<img" not in "".join(html)
    assert "&lt;script&gt;" in telling.refused("<script>alert(1)</script>")


BAD = {
    "format": "/../../evil.png",
    "method": "encdec:/etc/passwd",
    "compare": ["average"] * 6,
    "options": "weight=0.5:/etc/passwd",
    "palette": "x",
    "polarity": "x",
    "alignment": "x",
    "hottest": 10**9,
    "quality": 0,
    "emissivity": 7,
    "distance": float("nan"),
    "infrared_range": "1" * 300,
    "names": "a b c",
    "crop": "yes",
    "nonsense": 1,
    "infrared_unit": ["counts"],
}


@pytest.mark.parametrize("name", BAD)
def test_choices_that_are_none_are_refused(name, actions, root):
    refusal(actions, *pair(root / "sent"), **{name: BAD[name]})


HEAVY = ("encdec:width=100000", "laplacian:levels=999999999", "maefuse:blocks=1000", "average:weight=1e9")


@pytest.mark.parametrize("text", ["average:/etc/passwd", "encdec:../x", "encdec:nowhere", "nothing", *HEAVY])
def test_methods_of_visitors_are_those_that_are_offered(text, actions, root):
    refusal(actions, *pair(root / "sent"), method=text)


def test_every_method_with_weights_or_without_need_of_any_is_offered():
    offered = {value for _, value in choices.methods()}
    assert {"encdec", "encdec:tiny", "average", "laplacian"} <= offered
    for text in offered:
        assert choices.checked(text) == text
        assert choices.about(text)[0]


def test_words_of_the_command_line_become_places_on_the_page(root):
    text = names.in_page_words(f"{root}/sent/a.png holds counts: --infrared-range 1%,99% or --align", root)
    assert str(root) not in text
    assert "--" not in text


def test_every_place_that_a_message_names_is_on_the_page(actions):
    from irvis.app import page

    said = str(page.build(actions).get_config_file())
    for place in names.WORDS.values():
        for part in re.findall(r"(\w+) → ([A-Z][\w -]*\w)", place):
            assert all(f"'{label}" in said for label in part), part


def test_whatever_a_method_fails_at_is_one_line_without_its_insides(actions, root, monkeypatch):
    def broken(*_):
        raise RuntimeError(f"secret of {root}\nand more")

    monkeypatch.setattr(fusing, "_first_look", broken)
    assert refusal(actions, *pair(root / "sent")) == "this cannot be fused (RuntimeError)."


def test_parameters_of_the_server_that_mean_nothing_are_refused():
    for bad in ({"port": 70000}, {"max_upload": 0}, {"queue": 0}, {"minutes": 0}, {"max_pixels": -1}):
        with pytest.raises(IrvisError, match=r"^--"):
            Settings(**bad)
    assert not Settings().outside
    assert not Settings(host="::1").outside
    assert Settings(host="0.0.0.0").outside
