"""What the tests of the page without a server share."""

import pytest

from irvis.errors import IrvisError

pytest.importorskip("gradio", reason="the page needs the extra: pip install 'irvis[app]'")

from irvis.app.settings import Settings

SETTINGS = Settings(max_upload=3_000_000, max_pixels=1_000_000)


def quiet(share, text):
    assert 0 <= share <= 1
    assert text


def run(actions, visible, infrared=None, **sent):
    sent = {"method": "average", **sent, "visible": str(visible), "infrared": infrared and str(infrared)}
    return actions.run("someone", sent, quiet)


def refusal(actions, visible, infrared=None, **sent):
    """One line, without a place of the server; nothing is left behind."""
    with pytest.raises(IrvisError) as caught:
        run(actions, visible, infrared, **sent)
    text = str(caught.value)
    assert "\n" not in text
    assert str(actions.root) not in text
    assert not list(actions.root.glob("rooms/*/fused-*"))
    return text
