"""White-hot or black-hot where it cannot be told: one answer for pictures, folders, videos and live streams."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from irvis import io, jobs
from irvis.data.matching import match
from irvis.thermal import Sensing
from irvis.thermal.polarity import UNKNOWN

AUTO = Sensing(polarity="auto")


@pytest.fixture
def plain(tmp_path) -> np.ndarray:
    """Gray levels with nothing warm or cold in them, also as two files in vi and ir."""
    levels = np.random.default_rng(0).integers(100, 140, (48, 64), dtype=np.uint8)
    for name in ("vi", "ir"):
        (tmp_path / name).mkdir()
        for number in (1, 2):
            Image.fromarray(levels).save(tmp_path / name / f"{number}.png")
    return levels


def test_a_picture_and_a_folder_stay_as_they_are_and_say_so(plain, tmp_path):
    pairs = match(tmp_path / "vi", tmp_path / "ir").pairs
    with io.noting() as notes:
        shown = io.read_infrared(pairs[0].infrared, sensing=AUTO)
    assert len(notes) == 1
    assert notes[0].endswith(UNKNOWN)
    assert np.allclose(shown[0, 0].numpy(), plain / 255, atol=1e-6)
    with io.noting() as notes:
        reading = jobs.settled(pairs, jobs.Reading(sensing=AUTO))
    assert notes == [UNKNOWN]
    assert reading.sensing.polarity == "white-hot"


def test_a_video_and_a_live_stream_stay_as_they_are_and_say_so(plain, tmp_path):
    pytest.importorskip("av", reason="video needs the extra: pip install 'irvis[video]'")
    from irvis.live.thermal import Graying
    from irvis.video.frame import Frame
    from irvis.video.prepare import Asked, prepared
    from irvis.video.range_following import Following

    following = Following(sensing=AUTO)
    ready = prepared(Asked(visible=str(tmp_path / "vi"), infrared=str(tmp_path / "ir"), following=following))
    with ready.visible, ready.infrared:
        assert UNKNOWN in ready.notes
        assert ready.following.sensing.polarity == "white-hot"
    live = Graying(following)
    shown = live(Frame(time=Fraction(0), samples=plain))
    assert live.note == UNKNOWN
    assert np.allclose(shown.gray, plain / 255, atol=1e-6)
