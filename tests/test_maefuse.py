"""MaeFuse: the authors' numbers, what its attention can and cannot see, tiles, checkpoints."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

import irvis
from irvis import convert, tiling, weights
from irvis.cli import main
from irvis.color import luma
from irvis.methods import METHODS
from irvis.methods.maefuse import MaeFuse
from irvis.nn import mae
from irvis.nn.vit import sincos
from irvis.training.loop import freeze_all_but

HEADS = "maefuse:heads=4:decoder_heads=4"
"""Of the authors' tiny network; the official one has 16, which is what is assumed."""


def small(seed: int = 0, **options: object) -> MaeFuse:
    torch.manual_seed(seed)
    return irvis.create("maefuse", weights=None, **{**METHODS["maefuse"].small, **options}).core


def pair(height: int = 48, width: int = 80, batch: int = 1, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(batch, 1, height, width, generator=generator) for _ in range(2))


def status(*words: str) -> int:
    """The exit status of a command line."""
    try:
        main(words)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def official(parity_data, tmp_path) -> Path:
    """The authors' tiny checkpoint, converted."""
    assert (
        convert.convert(parity_data / "maefuse_official_tiny.pth", tmp_path / "official.safetensors", HEADS)
        == "maefuse"
    )
    return tmp_path / "official.safetensors"


@torch.no_grad()
def test_the_authors_network_is_reproduced_from_their_checkpoint(official, parity_data):
    core = irvis.create("maefuse", weights=official).core
    stored = load_file(parity_data / "maefuse_official_tiny_io.safetensors")
    seen, warm = core.features(*(stored[name][None, None] / 255 for name in ("visible_u8", "infrared_u8")))
    fused = core.fused(seen, warm)
    for ours, theirs in ((seen, "visible_latent"), (warm, "infrared_latent"), (fused, "fused_latent")):
        assert (ours.flatten(1, 2) - stored[theirs]).abs().max() < 1e-5
    assert (core.decoder(fused) - stored["output_normalized"]).abs().max() < 1e-5


@torch.no_grad()
def test_resize_does_the_steps_of_the_authors_script(official):
    """OpenCV at 8 bits as they call it, the network between; at most two gray levels apart, for rounding."""
    cv2 = pytest.importorskip("cv2", reason="needs pip install opencv-python-headless")
    fuser = irvis.create("maefuse", weights=official, fit="resize")
    random = np.random.default_rng(0)
    images = [cv2.GaussianBlur(random.integers(0, 256, (90, 125), np.uint8), (0, 0), 2) for _ in range(2)]
    squashed = [cv2.resize(image, (640, 640)) for image in images]  # their flag lands in another argument
    core = irvis.create("maefuse", weights=official).core
    planes = [torch.from_numpy(image)[None, None] / 255 for image in squashed]
    decoded = core.picture(core.fused(*core.features(*planes)))[0].permute(1, 2, 0).numpy()
    gray = cv2.cvtColor(np.clip(decoded * 255, 0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    theirs = cv2.resize(gray, (125, 90), interpolation=cv2.INTER_CUBIC)
    visible, infrared = (torch.from_numpy(image)[None, None] / 255 for image in images)
    ours = 255 * fuser(visible.expand(-1, 3, -1, -1), infrared)[0, 0].numpy()
    assert np.abs(ours - theirs).max() <= 2
    assert np.abs(ours - theirs).mean() < 0.5


@torch.no_grad()
def test_swapped_inputs_give_the_same_picture_when_each_asks_the_other():
    visible, infrared = pair()
    for attention in ("token", "pointwise", "batch"):
        core = small(attention=attention)
        torch.testing.assert_close(core(visible, infrared), core(infrared, visible), rtol=0, atol=1e-6)
    for options in ({"guide": "infrared"}, {"infrared_gamma": 0.5}):
        core = small(**options)
        assert (core(visible, infrared) - core(infrared, visible)).abs().max() > 1e-4


@torch.no_grad()
def test_pointwise_the_guide_is_without_effect_and_only_the_sum_of_the_features_counts():
    core = small(attention="pointwise")
    seen, warm = (core.features(*pair())[0], core.features(*pair())[1])
    guides = [core.mfm(guide, seen, warm) for guide in (core.cfm(seen, warm), warm, torch.randn_like(seen))]
    assert all(torch.equal(one, guides[0]) for one in guides)
    rest = torch.randn_like(seen)
    torch.testing.assert_close(core.fused(seen - rest, warm + rest), core.fused(seen, warm), rtol=0, atol=1e-5)
    other = small(attention="token")
    assert (other.fused(seen - rest, warm + rest) - other.fused(seen, warm)).abs().max() > 0.1
    assert (other.mfm(warm, seen, warm) - other.mfm(seen, seen, warm)).abs().max() > 1e-3


@pytest.mark.parametrize("attention", ["token", "batch"])
@torch.no_grad()
def test_cross_attention_equals_that_of_torch_over_tokens_or_over_the_batch(attention):
    """The published modules are torch's, asked over the batch because `batch_first` was left out."""
    theirs = nn.MultiheadAttention(32, 2, batch_first=attention == "token")
    nn.init.normal_(theirs.in_proj_bias)
    core = small(attention=attention)
    for part in (core.cfm, core.mfm):
        part.attention.load_state_dict(mae.renamed(theirs.state_dict()))
    seen, warm = (torch.randn(3, 2, 4, 32) for _ in range(2))
    flat, hot = seen.flatten(1, 2), warm.flatten(1, 2)
    wanted = theirs(hot, flat, flat)[0] + theirs(flat, hot, hot)[0]
    torch.testing.assert_close(core.cfm(seen, warm).flatten(1, 2), wanted, rtol=0, atol=1e-5)
    guide = torch.randn(3, 8, 32)
    merged = theirs(guide, flat, flat)[0] + theirs(guide, hot, hot)[0]
    wanted = core.mfm.norm(core.mfm.perceptron(merged) + merged)
    torch.testing.assert_close(
        core.mfm(guide.unflatten(1, (2, 4)), seen, warm).flatten(1, 2), wanted, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(
    "options",
    [
        {"attention": "pointwise"},
        {"guide": "infrared"},
        {"fusion": "cfm"},
        {"fusion": "mean"},
        {"grid": 3},
        {"attention": "batch"},
    ],
    ids=str,
)
@torch.no_grad()
def test_a_pair_depends_on_its_batch_only_where_attention_sees_the_batch(options):
    core, images = small(**options), pair(batch=3)
    together, alone = core(*images), core(*(image[:1] for image in images))
    same = torch.allclose(together[:1], alone, rtol=0, atol=1e-5)
    assert same == (options.get("attention") != "batch")


@torch.no_grad()
def test_features_go_where_the_options_say():
    core = small()
    seen, warm = core.features(*pair())
    places = sincos(seen)
    assert torch.equal(core.fused(seen, warm, "mean"), (seen + warm) / 2)
    compared = core.cfm(seen + places, warm + places)
    assert torch.equal(core.fused(seen, warm, "cfm"), compared)
    assert torch.equal(core.fused(seen, warm), core.mfm(compared, seen + places, warm + places))
    core.guide = "infrared"
    assert torch.equal(core.fused(seen, warm), core.mfm(warm + places, seen + places, warm + places))


@torch.no_grad()
def test_gamma_bends_the_infrared_image_only():
    visible, infrared = pair()
    bent, plain = small(infrared_gamma=0.6), small()
    torch.testing.assert_close(bent(visible, infrared), plain(visible, infrared**0.6))
    assert torch.isfinite(bent(visible, torch.zeros_like(infrared))).all()


@torch.no_grad()
def test_the_encoder_sees_both_images_as_one_batch_by_the_statistics_of_imagenet():
    core, calls = small(), []
    core.encoder.register_forward_hook(lambda _, images, __: calls.append(images[0]))
    visible, infrared = pair(batch=2)
    core(visible, infrared)
    assert [tuple(images.shape) for images in calls] == [(4, 3, 48, 80)]
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    for plane, images in ((visible, calls[0][:2]), (infrared, calls[0][2:])):
        back = images * deviation.view(1, 3, 1, 1) + mean.view(1, 3, 1, 1)
        torch.testing.assert_close(back, plane.expand(-1, 3, -1, -1), rtol=0, atol=1e-6)


@torch.no_grad()
def test_pictures_beyond_the_token_budget_are_fused_in_tiles_without_a_jump_at_their_borders():
    """Tiling changes a picture; along the borders of tiles it changes no faster than elsewhere."""
    fuser = irvis.create("maefuse", weights=None, **{**METHODS["maefuse"].small, "tokens": 100})
    whole = irvis.create("maefuse", weights=None, **{**METHODS["maefuse"].small, "tokens": 10000})
    whole.load_state_dict(fuser.state_dict())
    sizes = []
    fuser.core.encoder.register_forward_hook(lambda _, __, features: sizes.append(tuple(features.shape[1:3])))
    smooth = nn.functional.interpolate(pair(9, 12)[0], size=(300, 420), mode="bicubic").clamp(0, 1)
    infrared = 1 - smooth.flip(3)
    error = (fuser(smooth.expand(-1, 3, -1, -1), infrared) - whole(smooth.expand(-1, 3, -1, -1), infrared))[0, 0]
    assert len(sizes) > 4
    assert all(rows * columns <= 100 for rows, columns in sizes)
    borders = [edge for start in tiling._starts(432, 160, 16) for edge in (start, start + 160) if 0 < edge < 420]
    jumps = error.diff(dim=1).abs().mean(0)
    patches = jumps[15::16].mean()  # an untrained network jumps at the borders of all patches
    assert jumps[[edge - 1 for edge in borders]].mean() <= 1.2 * patches
    assert error.abs().mean() < 0.05


@torch.no_grad()
def test_resize_takes_any_size_whole():
    fuser = irvis.create("maefuse", weights=None, **{**METHODS["maefuse"].small, "fit": "resize", "tokens": 1})
    visible, infrared = pair(37, 53)
    assert fuser(visible.expand(-1, 3, -1, -1), infrared).shape == (1, 3, 37, 53)


def test_parts_that_are_named_learn_and_the_others_do_not():
    core = small(grid=3)
    assert {name.split(".")[0] for name, _ in core.named_parameters()} == {"encoder", "cfm", "mfm", "decoder"}
    for part in ("encoder", "cfm", "mfm", "decoder"):
        freeze_all_but(core, [f"{part}.*"])
        core.zero_grad()
        core(*pair()).square().mean().backward()
        for name, parameter in core.named_parameters():
            assert (parameter.grad is not None and bool(parameter.grad.any())) == name.startswith(f"{part}.")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, {"attention": "batch", "grid": 5}], ids=str)
@torch.no_grad()
def test_an_exported_graph_takes_sizes_and_batches_it_was_not_traced_at(options, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs pip install onnx onnxscript onnxruntime")
    pytest.importorskip("onnxscript", reason="needs pip install onnx onnxscript onnxruntime")
    core = small(**options)
    batch, rows, columns = (torch.export.Dim(name, max=400) for name in ("batch", "rows", "columns"))
    sizes = {0: batch, 2: 16 * rows, 3: 16 * columns}
    program = torch.onnx.export(
        core, pair(64, 96, 2), dynamo=True, verbose=False, dynamic_shapes={"luma": sizes, "infrared": sizes}
    )
    program.save(tmp_path / "core.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "core.onnx", providers=["CPUExecutionProvider"])
    for shape in ((64, 96, 2), (128, 48, 1), (32, 112, 3)):
        images = pair(*shape)
        names = [node.name for node in session.get_inputs()]
        (fused,) = session.run(None, {name: x.numpy() for name, x in zip(names, images, strict=True)})
        torch.testing.assert_close(torch.from_numpy(fused), core(*images), rtol=0, atol=1e-5)


def test_an_official_checkpoint_becomes_a_file_that_fuses(parity_data, tmp_path, capsys):
    random, theirs = np.random.default_rng(0), parity_data / "maefuse_official_tiny.pth"
    for name, shape in (("visible.png", (40, 56, 3)), ("infrared.png", (40, 56))):
        Image.fromarray(random.integers(0, 255, shape, dtype=np.uint8)).save(tmp_path / name)
    pictures = [str(tmp_path / name) for name in ("visible.png", "infrared.png")]
    ours, fused = tmp_path / "ours.safetensors", tmp_path / "fused.png"
    assert status("fuse", *pictures, "-o", str(fused), "-m", f"maefuse:{theirs}") == 1
    assert "irvis convert" in capsys.readouterr().err
    assert status("convert", str(theirs), "-o", str(ours), "-m", HEADS) == 0
    assert status("fuse", *pictures, "-o", str(fused), "-m", f"maefuse:{ours}:infrared_gamma=0.8") == 0
    assert Image.open(fused).size == (56, 40)


def test_what_the_file_does_not_tell_has_the_official_value(parity_data, tmp_path):
    convert.convert(parity_data / "maefuse_official_tiny.pth", tmp_path / "a.safetensors")
    options = irvis.create("maefuse", weights=tmp_path / "a.safetensors").options
    assert [options[name] for name in ("heads", "decoder_heads", "fusion_heads", "attention")] == [
        16,
        16,
        16,
        "pointwise",
    ]


def test_files_that_are_not_the_authors_are_one_clear_error(parity_data, tmp_path):
    path, out = tmp_path / "theirs.pth", tmp_path / "ours.safetensors"
    whole = torch.load(parity_data / "maefuse_official_tiny.pth", weights_only=True)["model"]
    for change, given, text in (
        (lambda state: state.pop("model1.norm.bias"), "", "lacks norm.bias"),
        (lambda state: state.pop("model1.decoder_norm.bias"), "", "decoder.norm.bias"),
        (
            lambda state: state.pop("model2.cross_model.in_proj_bias"),
            "",
            r"cfm.attention.query.bias is missing \(and 1 more\)",
        ),
        (lambda state: state.pop("model1.decoder_embed.weight"), "", "sin-cos positions and a decoder"),
        (lambda state: state.update({"model2.vi1.weight": torch.ones(1)}), "", "vi1.weight"),
        (lambda state: state.update({"model3.fc.weight": torch.ones(1)}), "", "not of MaeFuse: model3"),
        (lambda state: state.update({"model1.pos_embed": torch.ones(1, 4, 64)}), "", "sin-cos positions"),
        (lambda state: None, "maefuse:heads=5", "5 heads cannot share 64 channels"),
        (lambda state: None, "maefuse:patch=8", "do not fit the options"),
        (lambda state: None, "maefuse:head=4", "no option head"),
        (lambda state: None, "encdec", "holds weights of maefuse, not of encdec"),
    ):
        state = dict(whole)
        change(state)
        torch.save({"model": state}, path)
        with pytest.raises(irvis.IrvisError, match=text) as caught:
            convert.convert(path, out, given)
        assert "\n" not in str(caught.value)
        assert not out.exists()
    path.write_bytes((parity_data / "maefuse_official_tiny.pth").read_bytes()[:300_000])
    with pytest.raises(irvis.IrvisError, match="not a readable PyTorch checkpoint"):
        convert.convert(path, out)


def test_an_encoder_comes_from_an_mae_file_of_any_kind_or_from_our_own(parity_data, tmp_path):
    whole = torch.load(parity_data / "maefuse_official_tiny.pth", weights_only=True)["model"]
    plain = {name.removeprefix("model1."): x for name, x in whole.items() if name.startswith("model1.")}
    plain["cls_token"] = torch.zeros(1, 1, 64)
    torch.save({"model": plain}, tmp_path / "mae.pth")
    save_file({name: x for name, x in plain.items() if "decoder" not in name}, tmp_path / "mae.safetensors")
    shape = {"width": 64, "blocks": 2, "heads": 4}
    first = small(**shape)
    irvis.weights.save(tmp_path / "ours.safetensors", first, method="maefuse", options=shape)
    before = first.decoder.state_dict()["pixels.weight"].clone()
    for name in ("mae.pth", "mae.safetensors"):
        core = small(**shape)
        convert.load_encoder(core, tmp_path / name)
        assert torch.equal(core.encoder.patches.weight, plain["patch_embed.proj.weight"])
        assert torch.equal(core.decoder.pixels.weight, before)
    core = small(seed=1, **shape)
    convert.load_encoder(core, tmp_path / "ours.safetensors")
    assert torch.equal(core.encoder.patches.weight, first.encoder.patches.weight)
    assert not torch.equal(core.decoder.pixels.weight, before)


def test_an_encoder_that_does_not_fit_is_one_clear_error(parity_data, tmp_path):
    theirs, half = parity_data / "maefuse_official_tiny.pth", tmp_path / "half.safetensors"
    with pytest.raises(irvis.IrvisError, match="not a masked autoencoder"):
        convert.load_encoder(small(), theirs)
    plain = {name[7:]: x for name, x in convert.read(theirs).items() if name.startswith("model1.")}
    torch.save(plain, tmp_path / "mae.pth")
    with pytest.raises(
        irvis.IrvisError, match="an encoder of width=64 blocks=2 patch=16; here it is width=32 blocks=1"
    ):
        convert.load_encoder(small(), tmp_path / "mae.pth")
    irvis.weights.save(half, small(width=64), method="maefuse", options={})
    with pytest.raises(irvis.IrvisError, match="wrong shape in"):
        convert.load_encoder(small(), half)
    half.write_bytes(half.read_bytes()[:5000])
    with pytest.raises(irvis.IrvisError, match="not a readable safetensors file"):
        convert.load_encoder(small(), half)
    with pytest.raises(irvis.IrvisError, match="no such file"):
        convert.load_encoder(small(), tmp_path / "missing.pth")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"heads": 5}, "5 heads cannot share 32 channels"),
        ({"fusion_heads": 3}, "3 heads cannot share 32 channels"),
        ({"decoder_blocks": 0}, "decoder_blocks must be 1 or more"),
        ({"infrared_gamma": 0}, "infrared_gamma must be above 0"),
        ({"fit": "resize", "patch": 14}, "a patch that divides 640"),
        ({"tokens": 0}, "tokens must be 1 or more"),
        ({"attention": "global"}, "one of token, pointwise, batch"),
        ({"grid": -1}, "grid must be 0"),
    ],
)
def test_options_that_make_no_sense_are_one_clear_error(options, text):
    with pytest.raises(irvis.IrvisError, match=text):
        small(**options)


def test_without_shipped_weights_the_way_to_some_is_told():
    bare = replace(METHODS["maefuse"], weights={})
    with pytest.raises(irvis.IrvisError, match="maefuse comes without weights: give a file, as in -m maefuse:FILE"):
        weights.find(bare, "default")


def test_smoothing_adds_nothing_before_it_is_trained():
    plain, smooth = small(), small(smooth=4)
    assert not smooth.load_state_dict(plain.state_dict(), strict=False).unexpected_keys
    luma, infrared = torch.rand(2, 1, 1, 32, 48)
    assert torch.equal(plain(luma, infrared), smooth(luma, infrared))


def test_shipped_weights_draw_no_blocks_and_correlate_as_far_as_possible():
    """On the embedded pair: no more energy across borders of patches than inside, 90 % of the CC that is possible."""
    from irvis.demo import embedded
    from irvis.losses import correlation

    street = embedded(size=(240, 320))[0]
    with torch.inference_mode():
        fused = irvis.create("maefuse")(street.visible, street.infrared)
    assert float(correlation(fused, street.visible, street.infrared)) < 0.1
    plain = (luma(street.visible) + street.infrared) / 2
    assert border_share(luma(fused)) / border_share(plain) < 1.1


def border_share(plane: torch.Tensor) -> float:
    """Energy of steps across the borders of patches of 8 over that inside."""
    steps = (plane[..., 1:] - plane[..., :-1]).square().mean((0, 1, 2))
    border = torch.arange(1, len(steps) + 1) % 8 == 0
    return float(steps[border].mean() / steps[~border].mean())
