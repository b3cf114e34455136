"""The vision transformer: positions by formula, attention as torch has it, masked autoencoders read strictly."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from irvis import IrvisError
from irvis.nn import mae
from irvis.nn.vit import SIZES, Attention, Decoder, Encoder, patchified, resampled, sincos, unpatchified


@pytest.fixture
def official(parity_data) -> dict[str, torch.Tensor]:
    """A masked autoencoder with the names of its authors: 64 channels, two blocks, positions on 40×40."""
    state = torch.load(parity_data / "maefuse_official_tiny.pth", weights_only=True)["model"]
    return {name.removeprefix("model1."): x for name, x in state.items() if name.startswith("model1.")}


def on_grid(rows: int, columns: int, width: int) -> torch.Tensor:
    return sincos(torch.zeros(1, rows, columns, width))


def test_positions_equal_those_stored_on_40_by_40(official):
    for name in ("pos_embed", "decoder_pos_embed"):
        stored = official[name][0].unflatten(0, (40, 40))
        assert (on_grid(*stored.shape) - stored).abs().max() < 1e-6


def test_positions_on_14_by_14_are_sines_and_cosines_of_column_then_row():
    places, quarter = on_grid(14, 14, 64), 16
    for row, column in ((0, 0), (0, 13), (13, 0), (5, 9)):
        for k in range(quarter):
            rate = 10000 ** (-k / quarter)
            wanted = [math.sin(column * rate), math.cos(column * rate), math.sin(row * rate), math.cos(row * rate)]
            torch.testing.assert_close(places[row, column, k::quarter], torch.tensor(wanted), rtol=0, atol=2e-6)


def test_positions_of_a_grid_are_a_part_of_those_of_a_larger_one():
    torch.testing.assert_close(on_grid(9, 25, 32), on_grid(40, 40, 32)[:9, :25])


def test_half_precision_positions_are_computed_in_single():
    half = sincos(torch.zeros(1, 300, 300, 32, dtype=torch.bfloat16))
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half, on_grid(300, 300, 32).to(torch.bfloat16))


def test_sizes_have_the_parameters_of_their_papers():
    """86, 307 and 632 million in the table of the vision transformer; 5.7 and 22 in that of DeiT."""
    published = {"tiny": 5.7e6, "small": 22e6, "base": 86e6, "large": 307e6, "huge": 632e6}
    for name, count in published.items():
        size = SIZES[name]
        with torch.device("meta"):
            encoder = Encoder(size.width, size.blocks, size.heads, size.patch)
        assert sum(p.numel() for p in encoder.parameters()) == pytest.approx(count, rel=0.04)


def test_attention_equals_that_of_torch():
    torch.manual_seed(0)
    ours, theirs = Attention(24, 3), nn.MultiheadAttention(24, 3, batch_first=True)
    nn.init.normal_(theirs.in_proj_bias)
    ours.load_state_dict(mae.renamed(theirs.state_dict()))
    query, context = torch.randn(2, 7, 24), torch.randn(2, 11, 24)
    torch.testing.assert_close(ours(query, context), theirs(query, context, context)[0], rtol=0, atol=1e-6)


def test_attention_to_one_token_is_the_same_for_every_query():
    attention, context = Attention(24, 3), torch.randn(2, 1, 24)
    for query in (torch.zeros(2, 1, 24), torch.randn(2, 1, 24)):
        torch.testing.assert_close(attention(query, context), attention.alone(context))


@pytest.mark.parametrize("patch", [8, 14, 16])
def test_patches_are_put_together_as_they_were_cut(patch):
    image = torch.rand(2, 3, 3 * patch, 2 * patch)
    pixels = patchified(image, patch)
    assert pixels.shape == (2, 3, 2, 3 * patch**2)
    assert torch.equal(pixels[1, 2, 1, :6], image[1, :, 2 * patch, patch : patch + 2].T.flatten())
    assert torch.equal(unpatchified(pixels, patch), image)


def test_a_linear_layer_on_cut_patches_is_the_patch_convolution():
    encoder, image = Encoder(16, 1, 2, 8), torch.rand(2, 3, 24, 16)
    weight = patchified(encoder.patches.weight, 8).flatten(1)
    torch.testing.assert_close(
        patchified(image, 8) @ weight.T + encoder.patches.bias + on_grid(3, 2, 16), encoder.placed(image)
    )


def test_tokens_may_come_in_any_order():
    torch.manual_seed(0)
    encoder, tokens = Encoder(16, 2, 2, 8), torch.randn(2, 9, 16)
    order = torch.randperm(9)
    torch.testing.assert_close(encoder.encoded(tokens)[:, order], encoder.encoded(tokens[:, order]))


def test_pictures_of_any_shape_and_patch_have_their_size_back():
    for patch, rows, columns in ((14, 3, 5), (16, 1, 4)):
        image = torch.rand(1, 3, rows * patch, columns * patch)
        features = Encoder(16, 1, 2, patch)(image)
        assert features.shape == (1, rows, columns, 16)
        assert Decoder(16, 8, 1, 2, patch)(features).shape == image.shape


def test_a_masked_autoencoder_with_class_token_is_read_without_it(official):
    plain, slot = mae.read(official, "file"), torch.zeros(1, 1, 64)
    official |= {"cls_token": torch.ones(1, 1, 64), "mask_token": torch.ones(1, 1, 32)}
    official["pos_embed"] = torch.cat([slot, on_grid(14, 14, 64).flatten(0, 1)[None]], 1)
    read = mae.read(official, "file")
    assert (read.width, read.blocks, read.patch, read.grid) == (64, 2, 16, 0)
    assert all(torch.equal(read.encoder[name], x) for name, x in plain.encoder.items())
    del official["pos_embed"]
    without_decoder = {name: x for name, x in official.items() if not name.startswith("decoder")}
    assert mae.read(without_decoder, "file").decoder == {}


def test_learned_positions_are_kept_on_their_grid_and_bicubic_on_another(official):
    learned = torch.randn(1, 1 + 49, 64)
    read = mae.read({**official, "pos_embed": learned}, "file")
    assert read.grid == 7
    same, other = Encoder(64, 2, 4, 16, grid=7), Encoder(64, 2, 4, 16, grid=5)
    for encoder in (same, other):
        mae.fill(encoder, {**official, "pos_embed": learned}, "file")
    plane = learned[:, 1:].transpose(1, 2).unflatten(2, (7, 7))
    torch.testing.assert_close(same.positions, plane[0].permute(1, 2, 0), rtol=0, atol=1e-6)
    wanted = interpolate(plane, size=(5, 5), mode="bicubic", align_corners=False)[0].permute(1, 2, 0)
    torch.testing.assert_close(other.positions, wanted)
    assert resampled(same.positions, torch.zeros(1, 3, 9, 64)).shape == (3, 9, 64)
    assert torch.isfinite(same(torch.rand(1, 3, 48, 144))).all()
    with pytest.raises(IrvisError, match="create the network with grid=7"):
        mae.fill(Encoder(64, 2, 4, 16), {**official, "pos_embed": learned}, "file")


def test_what_is_missing_unknown_or_of_another_shape_is_named(official):
    bias = "blocks.1.attn.qkv.bias"
    for change, text in (
        (lambda state: state.pop(bias), "lacks blocks.1.attention.context.bias, blocks.1.attention.query.bias"),
        (lambda state: state.update({"head.weight": torch.ones(1)}), "does not know: head.weight"),
        (lambda state: state.update({"blocks.0.ls1.gamma": torch.ones(64)}), "does not know: blocks.0.ls1.gamma"),
        (lambda state: state.update({bias: torch.ones(3)}), "wrong shape in"),
        (lambda state: state.pop("patch_embed.proj.weight"), "not a masked autoencoder"),
        (lambda state: state.update({"pos_embed": torch.ones(1, 12, 64)}), "12 positions are not those of a square"),
        (lambda state: state.update({"pos_embed": torch.ones(64)}), "positions of the shape"),
        (lambda state: state.update({"decoder_pos_embed": torch.ones(1, 9, 32)}), "positions of its decoder"),
        (lambda state: state.update({"patch_embed.proj.weight": torch.ones(64, 1, 16, 16)}), "1 channels, not 3"),
    ):
        state = dict(official)
        change(state)
        with pytest.raises(IrvisError, match=text):
            mae.read(state, "file")
    for encoder in (Encoder(32, 2, 4, 16), Encoder(64, 3, 4, 16), Encoder(64, 2, 4, 8)):
        with pytest.raises(IrvisError, match="an encoder of width=64 blocks=2 patch=16; here it is"):
            mae.fill(encoder, official, "file")


def test_heads_and_widths_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="5 heads cannot share 64 channels"):
        Attention(64, 5)
    with pytest.raises(ValueError, match="multiple of 4"):
        Encoder(6, 1, 1, 16)
    with pytest.raises(ValueError, match="blocks must be 1 or more"):
        SIZES["tiny"].but(blocks=0)


@pytest.mark.parametrize(("dtype", "close"), [(torch.float16, 0.01), (torch.bfloat16, 0.06)])
@torch.no_grad()
def test_large_tokens_stay_finite_and_close_in_half_precision(dtype, close):
    torch.manual_seed(0)
    encoder, tokens = Encoder(32, 2, 2, 8), 500 * torch.randn(2, 9, 32)
    single = encoder.encoded(tokens)
    half = encoder.to(dtype).encoded(tokens.to(dtype))
    assert (half.float() - single).abs().max() < close
