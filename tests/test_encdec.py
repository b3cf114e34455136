"""The encoder-decoder network: the authors' numbers, the rewrite of its layers, what "attention" it has."""

import json

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

import irvis
from irvis.convert import convert
from irvis.methods import METHODS
from irvis.methods.encdec import EncoderDecoder, pooled_convolution, reach


def authors_state(file) -> dict[str, torch.Tensor]:
    """The seeded weights that the rule in the file describes."""
    table = json.loads(file.read_text())
    state = {}
    for name, facts in table["keys"].items():
        generator = torch.Generator().manual_seed(facts["seed"])
        drawn = torch.randn(facts["shape"], generator=generator)
        fan_in = torch.tensor(facts["shape"][1:]).prod().sqrt()
        state[name] = 0.1 * drawn if len(facts["shape"]) == 1 else drawn / fan_in
    return state


@pytest.mark.parametrize("kind", ["y", "rgb"])
def test_the_authors_network_is_reproduced_from_their_checkpoint(kind, parity_data, tmp_path):
    torch.save({"model": authors_state(parity_data / f"pyfusionsr_{kind}_keys.json")}, tmp_path / "theirs.pth")
    assert convert(tmp_path / "theirs.pth", tmp_path / "ours.safetensors") == "encdec"
    core = irvis.create("encdec", weights=tmp_path / "ours.safetensors").core
    stored = load_file(parity_data / f"pyfusionsr_{kind}_io.safetensors")
    with torch.no_grad():
        fused = core(stored["visible_u8"][None] / 255, stored["infrared_u8"][None] / 255)
    assert (2 * fused[0] - 1 - stored["output_tanh"]).abs().max() < 1e-5


def test_width_64_has_the_size_of_the_paper():
    assert sum(p.numel() for p in EncoderDecoder().parameters()) == pytest.approx(15.8e6, rel=0.01)


@pytest.mark.parametrize("padding", ["zero", "replicate"])
def test_one_strided_convolution_equals_convolution_and_mean(padding):
    image, weight = torch.rand(2, 3, 12, 18), torch.randn(5, 3, 3, 3)
    mode = {"zero": "constant", "replicate": "replicate"}[padding]
    published = functional.avg_pool2d(functional.conv2d(functional.pad(image, (1,) * 4, mode=mode), weight), 2)
    torch.testing.assert_close(pooled_convolution(image, weight, padding), published)


def test_without_activation_the_response_is_a_linear_function_of_the_inputs():
    torch.manual_seed(0)
    core = EncoderDecoder(width=4).double()
    pairs = [(torch.rand(1, 1, 64, 64).double(), torch.rand(1, 1, 64, 64).double()) for _ in range(2)]
    with torch.no_grad():
        mixed = core.response(*(0.3 * a + 0.7 * b for a, b in zip(*pairs, strict=True)))
        apart = 0.3 * core.response(*pairs[0]) + 0.7 * core.response(*pairs[1])
    torch.testing.assert_close(mixed, apart)


def test_without_activation_the_gradient_does_not_depend_on_the_image():
    """The 1×1 layers cannot attend: how much of each source a pixel takes is the same for all pictures."""
    torch.manual_seed(0)
    for activation, same in (("none", True), ("relu", False)):
        core = EncoderDecoder(width=4, activation=activation).double()
        slopes = []
        for _ in range(2):
            images = [torch.rand(1, 1, 64, 64).double().requires_grad_() for _ in range(2)]
            slopes.append(torch.autograd.grad(core.response(*images)[..., 30, 31].sum(), images))
        close = all(torch.allclose(a, b, atol=1e-12) for a, b in zip(*slopes, strict=True))
        assert close == same


def test_features_of_a_constant_picture_are_constant_up_to_the_border_when_padding_repeats_it():
    torch.manual_seed(0)
    for padding, flat in (("replicate", True), ("zero", False)):
        core = EncoderDecoder(width=4, padding=padding)
        with torch.no_grad():
            levels = core.fused(torch.full((1, 1, 96, 96), 0.8), torch.full((1, 1, 96, 96), 0.3))
        assert all(torch.allclose(x, x[..., :1, :1].expand_as(x), atol=1e-6) == flat for x in levels)


@pytest.mark.parametrize("name", sorted(METHODS["encdec"].weights))
def test_trained_weights_draw_no_pattern_and_no_frame_on_a_constant_picture(name):
    """Inside at most 4 gray levels of 255 at the worst pixel; the mean over the outer 2 px below 4, too."""
    fuser = irvis.create("encdec", weights=name)
    for visible, infrared in ((0.2, 0.6), (0.7, 0.3), (0.5, 0.5), (0.1, 0.1), (0.9, 0.9)):
        with torch.no_grad():
            fused = fuser(torch.full((1, 3, 128, 160), visible), torch.full((1, 1, 128, 160), infrared))[0, 0]
        error = 255 * (fused - fused[48:80, 64:96].mean()).abs()
        assert error[32:96, 32:128].max() < 4
        assert torch.cat([error[:2].flatten(), error[:, :2].flatten()]).mean() < 4


def test_the_reach_is_that_of_five_levels():
    assert reach() == 94
    assert reach(2) >= reach()


def test_options_that_do_not_fit_the_weights_are_refused(tmp_path):
    from irvis import weights

    core = EncoderDecoder(width=4)
    weights.save(tmp_path / "w.safetensors", core, method="encdec", options={"width": 4})
    with pytest.raises(irvis.IrvisError, match="do not fit"):
        irvis.create("encdec", weights=tmp_path / "w.safetensors", width=6)
    fuser = irvis.create("encdec", weights=tmp_path / "w.safetensors", padding="zero")
    assert fuser.options == {"width": 4, "padding": "zero"}
