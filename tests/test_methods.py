"""The contract that every registered method keeps."""

import copy
import pickle
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import irvis
from irvis import rim, tiling
from irvis.fuser import Fuser
from irvis.fuser import _check as checked
from irvis.methods import METHODS
from irvis.methods.encdec import reach
from irvis.registry import Spec

ENCDEC_OPTIONS: tuple[dict[str, object], ...] = (
    {"activation": "relu"},
    {"domain": "value"},
    {"domain": "rgb"},
    {"encoders": "shared"},
    {"domain": "rgb", "encoders": "shared"},
    {"fusion": "mean"},
    {"fusion": "sum"},
    {"fusion": "max"},
    {"skip": False},
    {"padding": "zero"},
)
CASES = [(name, {}) for name in sorted(METHODS)] + [("encdec", options) for options in ENCDEC_OPTIONS]


def each(slow: Callable[[str], bool] = lambda name: False) -> pytest.MarkDecorator:
    """A test of every method and option; of those whose name is `slow`, in the slow tests only."""
    cases = [pytest.param(*case, marks=pytest.mark.slow if slow(case[0]) else ()) for case in CASES]
    return pytest.mark.parametrize(("name", "options"), cases, ids=lambda x: x if isinstance(x, str) else str(x))


every_method = each()
far_reach_slow = each(lambda name: name == "swinfusion")
published_slow = each(lambda name: METHODS[name].published is not None)


def small(name: str, options: dict[str, object], seed: int = 0) -> Fuser:
    """A tiny, untrained fuser."""
    torch.manual_seed(seed)
    return irvis.create(name, weights=None, **{**METHODS[name].small, **options})


class Made(NamedTuple):
    """What the laws look at, made once for each case; nobody may change it."""

    fuser: Fuser
    images: tuple[torch.Tensor, torch.Tensor]
    before: tuple[torch.Tensor, ...]
    """Of the images, before they were fused."""
    picture: torch.Tensor


def made(name: str, options: dict[str, object]) -> Made:
    return _made(name, tuple(options.items()))


@cache
@torch.no_grad()
def _made(name: str, options: tuple[tuple[str, object], ...]) -> Made:
    fuser, images = small(name, dict(options)), pair()
    before = tuple(image.clone() for image in images)
    return Made(fuser, images, before, fuser(*images))


def pair(height: int = 33, width: int = 47, batch: int = 2, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, 3, height, width, generator=generator), torch.rand(
        batch, 1, height, width, generator=generator
    )


@every_method
def test_output_has_the_size_of_the_visible_image_and_the_range_0_to_1(name, options):
    _, (visible, _), _, fused = made(name, options)
    assert fused.shape == visible.shape
    assert fused.min() >= 0
    assert fused.max() <= 1


@pytest.mark.parametrize("name", sorted(name for name in METHODS if METHODS[name].published is None))
@settings(max_examples=8, deadline=None)
@given(height=st.integers(1, 300), width=st.integers(1, 200), seed=st.integers(0, 99))
@torch.no_grad()
def test_any_size_keeps_its_shape(name, height, width, seed):
    visible, infrared = pair(height, width, 1, seed)
    fused = small(name, {})(visible, infrared)
    assert fused.shape == visible.shape
    assert torch.isfinite(fused).all()


@every_method
@torch.no_grad()
def test_constant_images_give_finite_pictures(name, options):
    levels = torch.tensor([0.0, 0.5, 1.0])[:, None, None, None]
    fused = made(name, options).fuser(levels.expand(-1, 3, 40, 33), (1 - levels).expand(-1, 1, 40, 33))
    assert torch.isfinite(fused).all()
    assert fused.min() >= 0
    assert fused.max() <= 1


@every_method
@torch.no_grad()
def test_a_pair_does_not_depend_on_its_batch(name, options):
    fuser, (visible, infrared), _, together = made(name, options)
    alone = torch.cat([fuser(v[None], i[None]) for v, i in zip(visible, infrared, strict=True)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


@every_method
def test_inputs_are_left_untouched(name, options):
    _, images, before, _ = made(name, options)
    assert all(torch.equal(a, b) for a, b in zip(images, before, strict=True))


@every_method
@torch.no_grad()
def test_the_same_input_gives_the_same_output(name, options):
    fuser, images, _, picture = made(name, options)
    assert torch.equal(fuser(*images), picture)


@every_method
def test_gradients_reach_both_inputs_of_learnable_cores(name, options):
    if not METHODS[name].learnable:
        pytest.skip("nothing to learn")
    visible, infrared = (image.requires_grad_() for image in pair(64, 64, 1))
    made(name, options).fuser(visible, infrared).square().mean().backward()
    assert visible.grad.abs().sum() > 0
    assert infrared.grad.abs().sum() > 0


@far_reach_slow
@torch.no_grad()
def test_tiled_equals_whole_for_cores_of_finite_reach(name, options):
    fuser = small(name, options)
    if fuser.spec.reach is None:
        pytest.skip("every pixel may depend on every pixel")
    visible, infrared = pair(90, 110, 1) if fuser.spec.reach < 20 else pair(250, 330, 1)
    whole = fuser(visible, infrared)
    fuser.tile = 40 if fuser.spec.reach < 20 else 120
    torch.testing.assert_close(fuser(visible, infrared), whole, rtol=0, atol=1e-5)


@far_reach_slow
def test_a_pixel_beyond_the_reach_has_no_influence(name, options):
    fuser = small(name, options)
    if fuser.spec.reach is None:
        pytest.skip("every pixel may depend on every pixel")
    fuser = fuser.double()
    side = -(-(2 * fuser.spec.reach + 70) // 32) * 32
    visible, infrared = (image.double() for image in pair(side, side, 1))
    at = side // 2 + 5
    with torch.no_grad():
        before = fuser(visible, infrared)
        visible[..., at, at], infrared[..., at, at] = 1 - visible[..., at, at], 1 - infrared[..., at, at]
        changed = ((fuser(visible, infrared) - before).abs().amax((0, 1)) > 1e-12).nonzero()
    assert len(changed)
    assert (changed - at).abs().max() <= fuser.spec.reach


@every_method
@torch.no_grad()
def test_state_round_trip(name, options):
    fuser, images, _, picture = made(name, options)
    other = small(name, options, seed=1)
    other.load_state_dict(fuser.state_dict())
    assert torch.equal(other(*images), picture)


@every_method
@torch.no_grad()
def test_gray_in_gives_gray_out(name, options):
    if options.get("domain") == "rgb":
        pytest.skip("an untrained RGB network mixes its channels freely")
    fuser, (visible, infrared), _, _ = made(name, options)
    fused = fuser(visible[:, :1].expand(-1, 3, -1, -1), infrared)
    torch.testing.assert_close(fused, fused[:, :1].expand_as(fused), rtol=0, atol=1e-6)


@published_slow
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@torch.no_grad()
def test_half_precision_is_close_to_single(name, options, dtype):
    fuser, (visible, infrared) = small(name, options), pair(64, 64, 1)
    single = fuser(visible, infrared)
    half = fuser.to(dtype)(visible.to(dtype), infrared.to(dtype))
    assert half.dtype == dtype
    assert (half.float() - single).abs().mean() < 0.02


class Core(nn.Module):
    """A core as a module, whatever it is: what the exporter takes."""

    def __init__(self, core):
        super().__init__()
        self.core = core

    def forward(self, visible, infrared):
        return self.core(visible, infrared)


EXPORTED = ("laplacian", "encdec")
"""Exported in every run; the exporter takes seconds for each, so that the others are for slow runs."""

NOT_EXPORTED = {"resnet-zca": "ONNX has no eigenvalues", "dlf": "ONNX has no frequencies of a Fourier transform"}


@pytest.mark.parametrize(
    ("name", "options"),
    [pytest.param(*case, marks=[] if case[0] in EXPORTED and not case[1] else pytest.mark.slow) for case in CASES],
    ids=lambda x: x if isinstance(x, str) else str(x),
)
@pytest.mark.filterwarnings("ignore")
@torch.no_grad()
def test_onnx_gives_the_same_picture(name, options, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs pip install onnx onnxscript onnxruntime")
    pytest.importorskip("onnxscript", reason="needs pip install onnx onnxscript onnxruntime")
    if name in NOT_EXPORTED:
        pytest.skip(NOT_EXPORTED[name])
    fuser = small(name, options)
    visible, infrared = pair(64, 96, 1)
    images = (visible if fuser.spec.domain == "rgb" else visible[:, :1]), infrared
    torch.onnx.export(Core(fuser.core).eval(), images, dynamo=True, verbose=False).save(tmp_path / "core.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "core.onnx", providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]
    (fused,) = session.run(None, {key: image.numpy() for key, image in zip(names, images, strict=True)})
    torch.testing.assert_close(torch.from_numpy(fused), fuser.core(*images), rtol=0, atol=1e-5)


@torch.no_grad()
def test_where_the_infrared_camera_saw_nothing_the_visible_image_shows():
    visible, infrared = torch.zeros(1, 3, 80, 100), torch.ones(1, 1, 80, 100)
    valid = torch.zeros(1, 1, 80, 100, dtype=torch.bool)
    valid[..., :50] = True
    fused = irvis.create("average")(visible, infrared, valid)
    row = fused[0, 0, 40]
    assert (row[50:] == 0).all()
    assert (row[: 50 - rim.SHALLOWEST - 2 * rim.CELL] == 0.5).all()
    assert (row.diff() <= 0).all()
    assert row.diff().abs().max() < 0.05  # no step anywhere


@torch.no_grad()
def test_scale_2_doubles_the_size_and_tiles_exactly():
    visible, infrared = pair(330, 417, 1)
    fuser = small("encdec", {"scale": 2})
    whole = fuser(visible, infrared)
    assert whole.shape == (1, 3, 660, 834)
    fuser.tile = 64
    torch.testing.assert_close(fuser(visible, infrared), whole, rtol=0, atol=1e-5)


def test_scale_2_has_the_reach_it_says():
    core = small("encdec", {"scale": 2}).core.double()
    visible = torch.rand(1, 1, 288, 288, dtype=torch.float64).requires_grad_()
    for at in (288, 301, 319):
        (slope,) = torch.autograd.grad(core(visible, visible)[0, 0, at, at], visible)
        seen = (slope[0, 0].abs() > 0).nonzero()
        assert (seen - at // 2).abs().max() <= reach(2)


@pytest.mark.parametrize("size", [(100, 130), (64, 64), (65, 97), (30, 20)])
@torch.no_grad()
def test_global_cores_are_tiled_without_a_seam_and_small_pictures_run_whole(size):
    """A core that is the mean of both, which calls itself global: blended tiles must give the mean, too."""
    sizes = []

    def core(luma, infrared):
        sizes.append(tuple(luma.shape[-2:]))
        return (luma + infrared) / 2

    spec = Spec(domain="luma", multiple=16)
    visible, infrared = pair(*size, 1)
    fused = tiling.run(core, visible[:, :1], infrared, spec, 64)
    torch.testing.assert_close(fused, (visible[:, :1] + infrared) / 2)
    assert all(height % 16 == 0 and width % 16 == 0 for height, width in sizes)
    assert (len(sizes) == 1) == (max(size) <= 64)


@every_method
def test_a_fuser_can_be_copied_and_pickled(name, options):
    fuser, images = made(name, options).fuser, pair(20, 20, 1)
    with torch.no_grad():
        picture = fuser(*images)
        for other in (copy.deepcopy(fuser), pickle.loads(pickle.dumps(fuser))):
            assert torch.equal(other(*images), picture)


@pytest.mark.parametrize(
    ("visible", "infrared", "valid", "text"),
    [
        (torch.rand(1, 1, 9, 9), torch.rand(1, 1, 9, 9), None, "visible must have the shape"),
        (torch.rand(1, 3, 9, 9), torch.rand(1, 3, 9, 9), None, "infrared must have the shape"),
        (torch.rand(1, 3, 9, 9), torch.rand(1, 1, 9, 8), None, "infrared must have the shape"),
        (torch.rand(1, 3, 9, 9), torch.rand(1, 1, 9, 9), torch.ones(1, 1, 8, 9), "valid must have the shape"),
        (torch.ones(1, 3, 9, 9, dtype=torch.uint8), torch.rand(1, 1, 9, 9), None, "must be floats"),
    ],
)
def test_wrong_images_are_named(visible, infrared, valid, text):
    with pytest.raises(ValueError, match=text):
        checked(visible, infrared, valid)


def test_unknown_names_and_options_are_refused_with_the_known_ones():
    with pytest.raises(irvis.IrvisError, match="laplacian"):
        irvis.create("laplacien")
    with pytest.raises(irvis.IrvisError, match="levels"):
        irvis.create("laplacian", level=3)
    with pytest.raises(irvis.IrvisError, match="even"):
        irvis.create("encdec", weights=None, width=3)
    with pytest.raises(irvis.IrvisError, match="device 'warp' cannot be used"):
        irvis.create("average", device="warp")
    with pytest.raises(irvis.IrvisError, match="laplacian has no weights"):
        irvis.create("laplacian", weights="5")
    with pytest.raises(irvis.IrvisError, match="levels must be a whole number"):
        irvis.create("laplacian", levels=True)
    with pytest.raises(irvis.IrvisError, match="weight must be in"):
        irvis.create("average", weight=2)
    with pytest.raises(irvis.IrvisError, match="sigmoid"):
        irvis.create("encdec", weights=None, activation="sigmoid")


def test_a_name_is_registered_once():
    from irvis.registry import register

    with pytest.raises(ValueError, match="twice"):
        register("average", spec=Spec(domain="luma"))(lambda luma, infrared: luma)
