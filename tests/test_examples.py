"""The files of examples/ do what they say, as far as that can be tried without cameras, ROS and Docker."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import irvis

EXAMPLES = Path(__file__).parents[1] / "examples"
RANDOM = np.random.default_rng(0)
VISIBLE = RANDOM.integers(0, 256, (40, 48, 3), dtype=np.uint8)
INFRARED = RANDOM.integers(0, 256, (40, 48), dtype=np.uint8)


def example(name: str):
    """What a file defines."""
    return SimpleNamespace(**runpy.run_path(str(EXAMPLES / name)))


def test_opencv_gets_back_what_irvis_makes_of_the_same_colours(tmp_path):
    cv2 = pytest.importorskip("cv2")
    one = example("opencv_bgr.py")
    for name, image in (("v.png", VISIBLE), ("i.png", INFRARED)):
        Image.fromarray(image).save(tmp_path / name)
    np.testing.assert_array_equal(
        one.fuse_bgr(VISIBLE[..., ::-1].copy(), INFRARED, "average")[..., ::-1],
        irvis.fuse(VISIBLE, INFRARED, "average"),
    )
    one.main(str(tmp_path / "v.png"), str(tmp_path / "i.png"), str(tmp_path / "o.png"))
    assert cv2.imread(str(tmp_path / "o.png")).shape == VISIBLE.shape
    with pytest.raises(SystemExit, match="cannot be read"):
        one.main(str(tmp_path / "v.png"), str(tmp_path / "none.png"), str(tmp_path / "o.png"))


def test_the_loop_fuses_until_a_camera_ends_or_somebody_stops_it():
    pytest.importorskip("cv2")
    loop = example("webcam_loop.py")

    class Camera:
        def __init__(self, frame: np.ndarray, count: int) -> None:
            self.frame, self.left = frame, count

        def read(self) -> tuple[bool, np.ndarray | None]:
            self.left -= 1
            return (True, self.frame) if self.left >= 0 else (False, None)

    smaller = INFRARED[::2, ::2]
    fused = list(loop.frames(Camera(VISIBLE, 3), Camera(smaller, 9)))
    assert len(fused) == 3
    assert fused[0].shape == VISIBLE.shape


def message(image: np.ndarray, encoding: str, padding: int = 0) -> SimpleNamespace:
    rows = image.reshape(len(image), -1).view(np.uint8)
    data = np.pad(rows, ((0, 0), (0, padding)))
    return SimpleNamespace(
        height=image.shape[0], width=image.shape[1], encoding=encoding, is_bigendian=0, step=data.shape[1],
        data=data.tobytes(),
    )  # fmt: skip


def test_messages_of_ros_become_arrays_and_come_back_fused():
    node = example("ros2_node.py")
    np.testing.assert_array_equal(node.array_of(message(VISIBLE, "rgb8", padding=5)), VISIBLE)
    np.testing.assert_array_equal(node.array_of(message(VISIBLE, "bgr8")), VISIBLE[..., ::-1])
    counts = INFRARED.astype(np.uint16) * 8 + 7000
    np.testing.assert_array_equal(node.array_of(message(counts, "16UC1")), counts)
    fused = node.fused_array(message(VISIBLE, "rgb8"), message(counts, "mono16"), "average", "1%,99%")
    out = node.fill(SimpleNamespace(), fused)
    np.testing.assert_array_equal(node.array_of(out), fused)
    with pytest.raises(ValueError, match="yuv422"):
        node.array_of(message(INFRARED, "yuv422"))


def test_the_notebook_runs_from_top_to_bottom(monkeypatch):
    cells = json.loads((EXAMPLES / "fuse_a_pair.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    known: dict[str, object] = {}
    exec("\n".join(code), known)
    assert known["fused"].size == known["visible"].size


def test_the_dockerfile_copies_and_installs_what_is_there():
    lines = (EXAMPLES / "Dockerfile").read_text().splitlines()
    words = [line.split()[0] for line in lines if line and not line.startswith("#")]
    assert words[0] == "FROM"
    assert {"COPY", "RUN", "ENTRYPOINT"} <= set(words)
    project = (EXAMPLES.parent / "pyproject.toml").read_text()
    assert "\nvideo = " in project
    assert "torch>=2.6,<2.14" in project  # as in the file
