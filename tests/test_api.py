"""The front door gives back what it was given, fused."""

import sys
from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import irvis
from irvis.creation import fuser

RANDOM = np.random.default_rng(0)
VISIBLE = RANDOM.integers(0, 256, (30, 41, 3), dtype=np.uint8)
INFRARED = RANDOM.integers(0, 256, (30, 41), dtype=np.uint8)


def expected() -> np.ndarray:
    visible = torch.from_numpy(VISIBLE).permute(2, 0, 1)[None] / 255
    fused = irvis.create("average")(visible, torch.from_numpy(INFRARED)[None, None] / 255)
    return (fused[0].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)


def test_every_kind_gives_the_same_picture_and_its_own_kind_back(tmp_path):
    Image.fromarray(VISIBLE).save(tmp_path / "v.png")
    Image.fromarray(INFRARED).save(tmp_path / "i.png")
    kinds = {
        "path": (tmp_path / "v.png", str(tmp_path / "i.png")),
        "pillow": (Image.fromarray(VISIBLE), Image.fromarray(INFRARED)),
        "array": (VISIBLE, INFRARED),
        "tensor": (torch.from_numpy(VISIBLE).permute(2, 0, 1), torch.from_numpy(INFRARED)[None]),
    }
    fused = {kind: irvis.fuse(*images, method="average") for kind, images in kinds.items()}
    assert isinstance(fused["path"], Image.Image)
    assert isinstance(fused["pillow"], Image.Image)
    assert fused["tensor"].dtype == torch.uint8
    assert fused["tensor"].shape == (3, 30, 41)
    for picture in (fused["path"], fused["pillow"], fused["array"], fused["tensor"].permute(1, 2, 0)):
        np.testing.assert_array_equal(np.asarray(picture), expected())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64, np.float16])
@pytest.mark.parametrize("shape", [(30, 41), (30, 41, 1), (30, 41, 3), (30, 41, 4)])
def test_arrays_keep_depth_and_layout(dtype, shape):
    full = 1 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
    visible = (RANDOM.random(shape) * full).astype(dtype)
    fused = irvis.fuse(visible, INFRARED, method="visible")
    assert fused.dtype == dtype
    assert fused.shape == ((*shape[:2], 3) if shape[2:] == (4,) else shape)
    rgb = visible[..., :3] if len(shape) == 3 else visible
    np.testing.assert_allclose(
        fused.astype(float),
        rgb.astype(float),
        atol=full * 1e-3 if dtype == np.float16 else full * 2e-5 + 1e-6,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_tensors_keep_batch_and_type(dtype):
    visible, infrared = torch.rand(2, 3, 20, 22).to(dtype), torch.rand(2, 1, 20, 22).to(dtype)
    fused = irvis.fuse(visible, infrared, method="average")
    assert fused.dtype == dtype
    assert fused.shape == visible.shape


def test_rooms_that_the_pages_name_are_there_after_nothing_but_import_irvis(monkeypatch):
    for name in ("cameras", "metrics", "align", "io"):
        import_module(f"irvis.{name}")
        monkeypatch.delattr(irvis, name)
        assert getattr(irvis, name) is sys.modules[f"irvis.{name}"]
    for name in ("nothing", "_nothing", "__wrapped__"):
        assert not hasattr(irvis, name)


def test_counts_ask_for_a_range_and_take_it():
    counts = RANDOM.integers(7000, 9000, (30, 41), dtype=np.uint16)
    with pytest.raises(irvis.IrvisError, match=r"from 7\d+ to 8\d+ .* needs a range"):
        irvis.fuse(VISIBLE, counts)
    by_counts = irvis.fuse(VISIBLE, counts, method="infrared", infrared_range=(7000, 9000), color="gray")
    np.testing.assert_allclose(by_counts, (counts.astype(float) - 7000) / 2000 * 255, atol=0.51)
    as_text = irvis.fuse(VISIBLE, counts, method="infrared", infrared_range="0%,100%", color="gray")
    assert as_text.min() == 0
    assert as_text.max() == 255


def test_gray_is_one_channel():
    fused = irvis.fuse(VISIBLE, INFRARED, method="average", color="gray")
    assert fused.shape == (30, 41)


def test_pillow_images_keep_their_depth():
    sixteen = Image.fromarray((RANDOM.random((30, 41)) * 65535).astype(np.uint16))
    for image, mode in ((Image.fromarray(INFRARED), "L"), (sixteen, "I;16"), (Image.fromarray(VISIBLE), "RGB")):
        fused = irvis.fuse(image, INFRARED, method="visible")
        assert fused.mode == mode
        np.testing.assert_allclose(np.asarray(fused, float), np.asarray(image, float), atol=1)


def test_counts_in_a_32_bit_pillow_image_are_not_cut_off():
    counts = Image.fromarray(RANDOM.integers(7000, 9000, (30, 41)).astype(np.int32))
    assert counts.mode == "I"
    with pytest.raises(irvis.IrvisError, match="needs a range"):
        irvis.fuse(VISIBLE, counts)
    fused = irvis.fuse(VISIBLE, counts, method="infrared", infrared_range=(7000, 9000), color="gray")
    assert fused.std() > 50


def test_another_byte_order_is_the_same_picture():
    big = ((VISIBLE.astype(np.uint16) * 257).astype(">u2"), (INFRARED / 255).astype(">f4"))
    fused = irvis.fuse(*big, method="average")
    assert fused.dtype == np.dtype(">u2")
    np.testing.assert_allclose(fused.astype(float) / 257, irvis.fuse(VISIBLE, INFRARED, method="average"), atol=0.6)


def test_near_gray_infrared_is_gray_whatever_the_range():
    near = np.clip(INFRARED[..., None].astype(int) // 8 + 100 + np.array([0, 2, 4]), 0, 255).astype(np.uint8)
    irvis.fuse(VISIBLE, near, method="average", infrared_range=(100, 132))


def test_weights_that_were_written_anew_are_read_anew(tmp_path):
    from irvis import weights
    from irvis.methods.encdec import EncoderDecoder

    path, pictures = tmp_path / "w.safetensors", []
    for seed in (0, 1):
        torch.manual_seed(seed)
        weights.save(path, EncoderDecoder(width=4), method="encdec", options={"width": 4})
        pictures.append(irvis.fuse(VISIBLE, INFRARED, method=f"encdec:{path}"))
    assert (pictures[0] != pictures[1]).any()


def test_models_are_kept_between_calls():
    assert fuser("laplacian:levels=3").core is fuser("laplacian:levels=3").core


@pytest.mark.parametrize(
    ("visible", "infrared", "options", "text"),
    [
        (VISIBLE, INFRARED[:-1], {}, "visible is 41×30 and infrared is 41×29"),
        (VISIBLE, INFRARED / 3.0, {}, "infrared_range"),
        (VISIBLE, INFRARED, {"infrared_range": "1"}, "not a thermal range"),
        (VISIBLE, VISIBLE, {}, "pseudo-coloured"),
        (VISIBLE, INFRARED, {"method": "nothing"}, "there is no method 'nothing'"),
        (VISIBLE, INFRARED, {"method": "laplacian:level=2"}, "levels"),
        (VISIBLE, INFRARED, {"color": "red"}, "'keep' or 'gray'"),
        (VISIBLE[None], INFRARED, {}, r"\(h, w, channels\)"),
        (VISIBLE.astype(np.int64), INFRARED, {}, "uint8, uint16 or float"),
        ([1, 2], INFRARED, {}, "list"),
        ("missing.png", INFRARED, {}, "missing.png"),
    ],
)
def test_a_wrong_call_is_one_clear_line(visible, infrared, options, text):
    with pytest.raises(irvis.IrvisError, match=text) as caught:
        irvis.fuse(visible, infrared, **options)
    assert "\n" not in str(caught.value)


@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_any_size_of_array_comes_back_at_its_size(height, width, seed):
    random = np.random.default_rng(seed)
    visible = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    infrared = random.integers(0, 256, (height, width), dtype=np.uint8)
    assert irvis.fuse(visible, infrared, method="laplacian").shape == visible.shape
