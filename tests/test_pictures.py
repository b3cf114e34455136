"""Every function that takes a picture takes what another one gives."""

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import irvis
from irvis.data.scene import scene
from irvis.errors import IrvisError
from irvis.metrics import measure
from irvis.pictures import picture

METRICS = ("EN", "SD", "CC")


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Eight bits, (48, 64, 3) and (48, 64)."""
    one = scene(3, (48, 64))
    return (255 * one.visible).round().astype(np.uint8), (255 * one.infrared).round().astype(np.uint8)


def kinds(pair):
    """The pair as arrays, Pillow images and tensors."""
    tensors = [torch.from_numpy(np.atleast_3d(one)).permute(2, 0, 1) for one in pair]
    yield "arrays", pair
    yield "Pillow images", tuple(map(Pillow.fromarray, pair))
    yield "bytes, no batch", tuple(tensors)
    yield "floats", tuple(one[None].float() / 255 for one in tensors)


def test_what_fuse_returns_can_be_measured_whatever_its_kind(pair):
    found = {}
    for kind, (visible, infrared) in kinds(pair):
        fused = irvis.fuse(visible, infrared, "average")
        values = measure(fused, visible, infrared, metrics=METRICS)
        found[kind] = [float(value) for value in values.values()]
    first = found.pop("arrays")
    for kind, values in found.items():
        assert values == pytest.approx(first, rel=1e-3), kind  # a float of half a level is rounded either way


def test_files_can_be_measured_too(pair, tmp_path):
    paths = tmp_path / "visible.png", tmp_path / "infrared.png"
    for path, pixels in zip(paths, pair, strict=True):
        Pillow.fromarray(pixels).save(path)
    fused = irvis.fuse(*paths, "average")
    assert isinstance(fused, Pillow.Image)
    by_path, by_array = (measure(fused, *both, metrics=METRICS) for both in (paths, pair))
    assert {k: float(v) for k, v in by_path.items()} == {k: float(v) for k, v in by_array.items()}


def test_counts_are_not_taken_for_gray_levels(pair):
    visible, infrared = pair
    for counts in (infrared.astype(np.uint16) * 30, Pillow.fromarray(infrared.astype(np.uint16) * 30)):
        with pytest.raises(IrvisError, match="counts"):
            measure(visible, visible, counts, metrics=METRICS)


def test_a_batch_of_floats_is_not_copied():
    batch = torch.rand(2, 3, 8, 8)
    assert picture(batch) is batch


@pytest.mark.parametrize("wrong", [object(), np.zeros((2, 3, 4, 5)), np.zeros((8, 8), bool), torch.zeros(8)])
def test_what_is_no_picture_is_named(wrong):
    with pytest.raises(IrvisError, match=r"cannot read|array must be|pixels must be|tensor must be"):
        picture(wrong)
