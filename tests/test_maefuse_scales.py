"""MaeFuse on a hierarchical encoder: every module matters, flat stays flat, shifts are bridged, any size."""

import dataclasses

import pytest
import torch

import irvis
from irvis import convert, creation
from irvis.nn.scales import NEAR, Crossing
from irvis.training import recipe
from irvis.training.recipe import Stage
from irvis.training.steps import STEPS

OPTIONS = {"encoder": "tiny-vit", "width": 16, "decoder_width": 4}
SIZE = (64, 96)
SLICES = ((-0.777, 1.348, -0.254, 2.27), (0.062, 1.541, -0.742, 0.988), (0.154, 1.927, -0.605, -0.738))
"""Four channels in the middle of each scale, by MobileSAM's weights in single precision."""


def core(**options: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return creation.create("maefuse", weights=None, **OPTIONS, **options).core


def pair(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(1, 1, *SIZE, generator=generator) for _ in range(2))


@pytest.mark.parametrize("sees", ["near", "all"])
@torch.no_grad()
def test_a_place_asks_what_the_definition_says(sees):
    """Place by place, with one softmax over those it sees; beyond the border the last place is repeated."""
    torch.manual_seed(0)
    part = Crossing(16, 2, sees)
    part.distances.normal_()
    here, there = torch.randn(2, 1, 5, 7, 16)
    query, (key, value) = part.query(here), part.context(there).chunk(2, -1)
    query, key, value = (x[0].unflatten(-1, (2, 8)) for x in (query, key, value))
    wanted = torch.zeros(5, 7, 2, 8)
    for row in range(5):
        for column in range(7):
            if sees == "near":
                places = [
                    (min(max(row + y, 0), 4), min(max(column + x, 0), 6))
                    for y in range(-NEAR, NEAR + 1)
                    for x in range(-NEAR, NEAR + 1)
                ]
                bias = part.distances
            else:
                places = [(y, x) for y in range(5) for x in range(7)]
                away = torch.tensor([((y - row) ** 2 + (x - column) ** 2) ** 0.5 for y, x in places])
                bias = -part.distances.exp()[:, None] * away
            keys, values = (torch.stack([x[place] for place in places], 1) for x in (key, value))
            scores = torch.einsum("hc,hnc->hn", query[row, column], keys.transpose(0, 0)) / 8**0.5 + bias
            wanted[row, column] = torch.einsum("hn,hnc->hc", scores.softmax(-1), values)
    torch.testing.assert_close(part(here, there)[0], part.output(wanted.flatten(2)), rtol=0, atol=1e-5)


@torch.no_grad()
def test_before_training_both_modules_nearly_give_the_mean_of_the_features():
    network = core().scales
    (seen, _), (warm, _) = network.features(*pair())
    for ours, mean in zip(network.fused(seen, warm, "cfm"), network.fused(seen, warm, "mean"), strict=True):
        alike = torch.nn.functional.cosine_similarity(ours, mean, dim=-1)
        assert alike.mean() > 0.8


@torch.no_grad()
def test_noise_in_any_part_of_either_module_changes_what_is_decoded():
    """No module, and no query, is without effect."""
    network = core().scales
    seen, warm = ([torch.randn(1, 64 // n, 96 // n, width) for n, width in ((4, 16), (8, 32), (16, 40))] for _ in "VI")
    before = network.fused(seen, warm)
    parts = [name for name, _ in network.named_parameters() if name.startswith(("cfm", "mfm")) and "bias" not in name]
    assert sum("query.weight" in name for name in parts) == 3 * 4
    for name in parts:
        parameter = network.get_parameter(name)
        kept = parameter.clone()
        parameter.add_(torch.randn_like(parameter))
        changed = [bool((a - b).abs().max() > 1e-3) for a, b in zip(network.fused(seen, warm), before, strict=True)]
        assert changed == [n == int(name.split(".")[1]) for n in range(3)], name
        parameter.copy_(kept)


@pytest.mark.parametrize(("visible", "infrared"), [(0.1, 0.9), (0.5, 0.5), (1.0, 0.0)])
@torch.no_grad()
def test_a_constant_pair_comes_out_constant(visible, infrared):
    fused = core()(torch.full((1, 1, *SIZE), visible), torch.full((1, 1, *SIZE), infrared))
    assert fused.max() - fused.min() < 0.5 / 255


@torch.no_grad()
def test_the_guide_and_the_fusion_are_what_the_options_say():
    images = pair()
    pictures = {
        name: core(**options)(*images)
        for name, options in {
            "full": {}, "cfm": {"fusion": "cfm"}, "mean": {"fusion": "mean"}, "infrared": {"guide": "infrared"},
            "pointwise": {"attention": "pointwise"}, "gamma": {"infrared_gamma": 0.6},
        }.items()
    }  # fmt: skip
    names = list(pictures)
    for number, name in enumerate(names):
        for other in names[:number]:
            assert not torch.equal(pictures[name], pictures[other]), (name, other)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"attention": "batch"}, "does not go with attention"),
        ({"heads": 3, "fit": "resize"}, "does not go with heads, fit"),
        ({"width": 20}, "width must be a multiple of 8"),
        ({"decoder_width": 3}, "decoder_width must be an even number"),
    ],
    ids=str,
)
def test_options_of_the_other_encoder_are_one_clear_error(options, text):
    with pytest.raises(irvis.IrvisError, match=text):
        creation.create("maefuse", weights=None, **{**OPTIONS, **options})


def test_large_pictures_are_fused_in_tiles():
    fuser = creation.create("maefuse", weights=None, **OPTIONS, tokens=24)
    sizes = []
    fuser.core.scales.encoder.register_forward_hook(lambda _, images, __: sizes.append(images[0].shape[-2:]))
    with torch.inference_mode():
        assert fuser(torch.rand(1, 3, 100, 150), torch.rand(1, 1, 100, 150)).shape == (1, 3, 100, 150)
    assert len(sizes) == 2 * 4
    assert all(height * width <= 96 * 96 for height, width in sizes)


def test_an_encoder_comes_from_weights_of_ours(tmp_path):
    first, second = core(), core()
    torch.nn.init.ones_(first.scales.encoder.stem.convolution.weight)
    irvis.weights.save(tmp_path / "ours.safetensors", first, method="maefuse", options=OPTIONS)
    convert.load_encoder(second, tmp_path / "ours.safetensors")
    assert torch.equal(second.scales.encoder.stem.convolution.weight, first.scales.encoder.stem.convolution.weight)
    irvis.weights.save(tmp_path / "other.safetensors", creation.create("encdec").core, method="encdec", options={})
    with pytest.raises(irvis.IrvisError, match="the checkpoint lacks"):
        convert.load_encoder(second, tmp_path / "other.safetensors")


@pytest.mark.parametrize("number", range(len(recipe.load("maefuse").stages)))
def test_each_stage_of_the_recipe_teaches_the_parts_it_names(number):
    plan = recipe.load("maefuse")
    stage: Stage = dataclasses.replace(plan.stages[number], noise=0.0)
    network = core().train()
    from irvis.training.loop import freeze_all_but

    freeze_all_but(network, stage.learn)
    target = pair(1)[0]
    terms = STEPS[stage.step](network, *pair(), stage, target).terms
    torch.stack(list(terms.values())).sum().backward()
    taught = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert {".".join(name.split(".")[:2]) for name in taught} == {part.removesuffix(".*") for part in stage.learn}


@pytest.fixture(scope="module")
def shipped() -> torch.nn.Module:
    return creation.create("maefuse").core


@torch.no_grad()
def test_the_shipped_encoder_gives_the_features_of_mobile_sam(shipped):
    """Of waves; the shipped weights are rounded to bfloat16."""
    place = torch.arange(64.0)
    wave = 0.5 + 0.25 * ((place / 5).sin() + (place[:, None] / 7).cos())[None, None]
    (seen, _), _ = shipped.scales.features(wave, wave)
    for features, wanted in zip(seen, SLICES, strict=True):
        assert features[0, features.shape[1] // 2, features.shape[2] // 2, :4].tolist() == pytest.approx(
            wanted, abs=0.05
        )


@torch.no_grad()
def test_no_part_of_the_shipped_weights_is_without_effect(shipped):
    """Noise in CFM or in any query changes the picture by more than rounding does."""
    torch.manual_seed(0)
    images = pair()
    before = shipped(*images)
    names = [name for name, _ in shipped.scales.named_parameters() if name.endswith("query.weight")]
    assert len(names) == 12
    for name in [*names, *(f"cfm.{scale}.visible_asks.output.weight" for scale in range(3))]:
        parameter = shipped.scales.get_parameter(name)
        kept = parameter.clone()
        parameter.add_(torch.randn_like(parameter))
        assert (shipped(*images) - before).abs().max() > 0.001 / 255, name
        parameter.copy_(kept)


@pytest.mark.parametrize(("visible", "infrared"), [(0.1, 0.9), (0.5, 0.5), (1.0, 0.0)])
def test_a_constant_pair_comes_out_constant_by_the_shipped_weights(shipped, visible, infrared):
    with torch.inference_mode():
        fused = shipped(torch.full((1, 1, *SIZE), visible), torch.full((1, 1, *SIZE), infrared))
    assert fused.max() - fused.min() < 0.5 / 255
