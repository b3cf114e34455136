"""Rewritten encoder-decoder networks: the same picture as the original everywhere, or one within the stated bound."""

import copy

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import irvis
from irvis.methods import encdec
from irvis.methods.encdec import EncoderDecoder
from irvis.runtime.collapse import collapse, difference
from irvis.runtime.layered import LayeredNetwork
from irvis.runtime.linear import EXACT, SMALLEST, LinearNetwork

LINEAR: tuple[dict[str, object], ...] = (
    {},
    {"padding": "zero"},
    {"domain": "rgb"},
    {"encoders": "shared"},
    {"domain": "rgb", "encoders": "shared"},
    {"fusion": "mean"},
    {"fusion": "sum"},
    {"skip": False},
    {"scale": 2},
    {"scale": 2, "domain": "rgb", "padding": "zero"},
)
LAYERED = (
    *LINEAR,
    {"activation": "relu"},
    {"activation": "gelu", "padding": "zero"},
    {"activation": "silu", "scale": 2},
    {"activation": "leaky_relu", "domain": "rgb"},
    {"fusion": "max"},
    {"activation": "relu", "fusion": "max", "encoders": "shared"},
)
SIZES = ((96, 96), (224, 128))


def untrained(width: int = 4, **options: object) -> EncoderDecoder:
    """Random weights, large enough that the output uses its range."""
    torch.manual_seed(0)
    core = EncoderDecoder(width=width, **options).eval()
    for weight in core.parameters():
        weight.data *= 1.7
    return core


def pair(core: EncoderDecoder, height: int, width: int, batch: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    planes = core.visible_encoder.layers[0].weight.shape[1]
    generator = torch.Generator().manual_seed(height)
    visible = torch.rand(batch, planes, height, width, generator=generator).round()
    return visible, torch.rand(batch, 1, height, width, generator=generator)


@pytest.mark.parametrize("options", LINEAR, ids=str)
@torch.no_grad()
def test_filter_banks_equal_the_linear_network_everywhere_the_border_too(options):
    core = untrained(**options)
    banks = LinearNetwork(core, 0.0)
    for size in SIZES:
        images = pair(core, *size)
        torch.testing.assert_close(banks(*images), core(*images), rtol=0, atol=1e-5)
        response = core.response(*images)
        torch.testing.assert_close(banks.response(*images), response, rtol=0, atol=1e-5 * float(response.abs().max()))


@pytest.mark.parametrize("options", LAYERED, ids=str)
@torch.no_grad()
def test_merged_layers_equal_the_network_everywhere_the_border_too(options):
    core = untrained(**options)
    layered = LayeredNetwork(core)
    for size in ((32, 32), *SIZES):
        images = pair(core, *size)
        torch.testing.assert_close(layered(*images), core(*images), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["default", "tiny", "synthetic"])
@torch.no_grad()
def test_rewritten_trained_networks_give_the_same_pictures_at_odd_sizes(name):
    fuser = irvis.create("encdec", weights=name)
    rewritten = copy.copy(fuser)
    rewritten._modules = {"core": collapse(fuser.core)}
    for height, width in ((1, 1), (31, 45), (97, 130), (200, 333)):
        images = torch.rand(1, 3, height, width), torch.rand(1, 1, height, width)
        torch.testing.assert_close(rewritten(*images), fuser(*images), rtol=0, atol=1e-5)


def fading(width: int = 16) -> EncoderDecoder:
    """A linear network whose fused channels matter less and less, as those of trained networks do in another basis."""
    core = untrained(width)
    for rule in core.fusion.values():
        rule.mix.weight.data *= 4 * 0.6 ** torch.arange(len(rule.mix.weight))[:, None, None, None]
    return core


@torch.no_grad()
def test_channels_that_matter_little_are_left_out_within_the_bound():
    core, costs = fading(), []
    for error in (0.0, 0.003, 0.03):
        banks = LinearNetwork(core, error)
        assert 0 < banks.bound <= max(error, EXACT)
        pairs = [pair(core, *size) for size in SIZES]
        mean, greatest = difference(core, banks, pairs)
        assert mean < greatest <= banks.bound + 2e-6
        costs.append(banks.operations)
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < LayeredNetwork(core).operations / 2


@pytest.mark.slow
@torch.no_grad()
def test_the_papers_network_collapses_to_a_quarter_of_its_work_within_1e_5():
    core = irvis.create("encdec", weights="paper").core
    banks = collapse(core)
    pairs = [pair(core, *size, batch=1) for size in SIZES]
    assert difference(core, banks, pairs)[1] < 1e-5
    assert banks.operations < 0.3 * 81e3  # the published sizes with 4×4 kernels: 81 k multiply-adds a pixel


@torch.no_grad()
def test_a_cut_network_stays_within_its_bound_even_for_the_worst_images():
    """The worst images are the signs of the gradient of the error, which is linear in them before tanh."""
    core = fading(8)
    for error in (0.003, 0.03):
        banks = LinearNetwork(core, error)
        for at in ((64, 64), (0, 0), (37, 95)):
            assert worst(core, banks, *at) <= 2 * banks.bound


def worst(core: EncoderDecoder, banks: LinearNetwork, row: int, column: int) -> float:
    """The greatest error before tanh of one pixel, over all images in [0, 1]."""
    images = [torch.full((1, 1, 160, 160), 0.5).requires_grad_() for _ in range(2)]
    with torch.enable_grad():
        error = (core.response(*images) - banks.response(*images))[0, 0, row, column]
        slopes = torch.autograd.grad(error, images)
    return float(error.abs() + sum(slope.abs().sum() for slope in slopes) / 2)


@torch.no_grad()
def test_merged_layers_do_half_of_the_published_work(monkeypatch):
    """The published encoders compute 3×3 convolutions at every pixel and then average them."""

    def published(image, weight, padding):
        return functional.avg_pool2d(functional.conv2d(encdec._padded(image, padding), weight), 2)

    core = irvis.create("encdec", weights="synthetic").core
    images = pair(core, 480, 640, 1)
    layered = collapse(core)
    merged = work(layered, *images)
    monkeypatch.setattr(encdec, "pooled_convolution", published)
    assert merged < 0.7 * work(core, *images)
    assert merged == pytest.approx(2 * layered.operations * 480 * 640, rel=0.02)


@torch.no_grad()
def test_the_work_of_filter_banks_is_what_they_say_but_for_the_border():
    core = untrained()
    banks = LinearNetwork(core, 0.0)
    images = pair(core, 960, 1280, 1)
    assert work(banks, *images) == pytest.approx(2 * banks.operations * 960 * 1280, rel=0.1)


def work(core, *images) -> int:
    """Counted on shapes alone: nothing is computed."""
    with FakeTensorMode(allow_non_fake_inputs=True), FlopCounterMode(display=False) as counter:
        core(*images)
    return counter.get_total_flops()


@torch.no_grad()
def test_the_cheaper_form_is_chosen():
    """Random filters of a narrow linear network need all channels: layers cost less then."""
    for options in ({}, {"fusion": "max"}, {"activation": "relu"}):
        assert isinstance(collapse(untrained(8, **options)), LayeredNetwork)
    banks = collapse(fading(8), 0.03)
    assert isinstance(banks, LinearNetwork)


@torch.no_grad()
def test_a_rewritten_core_keeps_its_weights_when_the_original_learns_on():
    for core, error in ((untrained(activation="relu"), 0.0), (fading(8), 0.03)):
        rewritten, images = collapse(core, error), pair(core, 64, 96)
        before = rewritten(*images)
        for weight in core.parameters():
            weight.data += 1
        assert torch.equal(rewritten(*images), before)


def test_a_negative_error_is_refused():
    with pytest.raises(irvis.IrvisError, match="must not be negative"):
        collapse(untrained(), -0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", [LayeredNetwork, lambda core: LinearNetwork(core, 0.0)], ids=["layers", "banks"])
@torch.no_grad()
def test_one_onnx_graph_serves_all_sizes(form, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs pip install onnx onnxscript onnxruntime")
    pytest.importorskip("onnxscript", reason="needs pip install onnx onnxscript onnxruntime")
    core = untrained(skip=False)  # one level: the exporter takes long
    rewritten = form(core)
    free = {0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    program = torch.onnx.export(
        rewritten, pair(core, 128, 160), dynamic_shapes=(free, free), dynamo=True, verbose=False, optimize=False
    )
    program.save(tmp_path / "core.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "core.onnx", providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]
    for size in ((SMALLEST, SMALLEST), (128, 160), (256, 96)):
        images = pair(core, *size, batch=3)
        (fused,) = session.run(None, {name: image.numpy() for name, image in zip(names, images, strict=True)})
        torch.testing.assert_close(torch.from_numpy(fused), core(*images), rtol=0, atol=1e-5)
