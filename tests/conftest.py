"""What several test files share."""

import hashlib
import os
import signal
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # one thread per process, those that tests start included; before torch comes
    os.environ["OMP_NUM_THREADS"] = "1"

import pytest
from hypothesis import settings

settings.register_profile("brief", max_examples=25, deadline=None)
settings.load_profile("brief")


@pytest.fixture
def real_data() -> Path:
    """The folder of real pairs, where there is one."""
    return _folder("IRVIS_DATA", "data")


@pytest.fixture(params=["spread", pytest.param("every", marks=pytest.mark.slow)])
def golden_data(request):
    """Reference numbers for the metrics, where there are any: of a spread of pictures, and of every one."""
    from golden import Golden  # imports irvis, whose types are to be checked first

    return Golden(_folder("IRVIS_GOLDEN", "golden"), request.param == "every")


@pytest.fixture
def parity_data() -> Path:
    """The folder of vectors made by the authors' code, where there is one."""
    return _folder("IRVIS_PARITY", "parity")


@pytest.fixture
def zoo_data() -> Path:
    """The folder of published networks' weights, and of vectors made by their authors' code, where there is one."""
    return _folder("IRVIS_ZOO", "zoo")


def _folder(variable: str, name: str) -> Path:
    folder = Path(os.environ.get(variable, Path(__file__).parents[2] / "shared" / name))
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here; set {variable} to the folder that holds these files")
    return folder


@pytest.fixture(scope="module")
def searched_once():
    """The search for an alignment, which takes most of such a test, is done once for each pair of a file's tests."""
    from irvis import align
    from irvis.align import aligner, joint

    search, found = align.estimate, {}

    def estimate(visible, infrared, *words, **named):
        if "matcher" in named:
            return search(visible, infrared, *words, **named)
        key = (*(hashlib.sha1(one.numpy().tobytes()).digest() for one in (visible, infrared)), str((words, named)))
        if key not in found:
            found[key] = search(visible, infrared, *words, **named)
        return found[key]

    with pytest.MonkeyPatch.context() as patch:
        for place in (align, aligner, joint):
            patch.setattr(place, "estimate", estimate)
        yield


@pytest.fixture
def interruptible():
    """Ctrl-C is an exception, also where a shell began these tests in the background and told them to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
